"""Whatever stands in a study file, it is read or refused with a line: no value anywhere makes a traceback."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prognoscope.core.problems import Refused
from prognoscope.study.file import read_study

JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 3, 1e308, float("nan"), "", "x", "${NO_SUCH_VARIABLE_IS_SET}", "730 day",
    [], [None], [1], ["x"], [[]], [{}], {}, {"x": 1}, {1: {}}, "a" * 5000,
)  # fmt: skip
STUDY: dict[str, Any] = {
    "question": "Who dies?",
    "name": "full",
    "data": {"images": ".", "table": "table.csv", "patient": "id", "missing": ["NA"]},
    "time_zero": ["days_to_scan"],
    "eligible": [{"column": "age", "at_least": 18, "unit": "year"}],
    "outcome": {"time": "time", "event": {"column": "event", "is": 1}, "horizon": "730 day"},
    "predictors": [
        {"column": "age", "unit": "year", "known_at": "time_zero"},
        {"column": "grade", "levels": ["Low", "High"], "known_at": "time_zero"},
        {"image": "CT", "region": "GTV*", "choose": "newest", "measure": {"radiomics": {"bins": 32}}},
    ],
    "models": {"try": [{"elastic-net-cox": {}}], "choose": "inner"},
    "validate": {"folds": 3, "repeats": 2, "override": {"sample-size": "a pilot"}},
    "success": [{"metric": "c_index", "of": "low", "at_least": 0.5}],
    "seed": 1,
}


def places(node: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, value in steps:
        yield (*above, step)
        yield from places(value, (*above, step))


def replaced(place: tuple[str | int, ...], junk: Any) -> dict[str, Any]:
    study = copy.deepcopy(STUDY)
    node: Any = study
    for step in place[:-1]:
        node = node[step]
    node[place[-1]] = junk
    return study


@pytest.mark.slow
@pytest.mark.parametrize("place", list(places(STUDY)), ids=lambda place: ".".join(map(str, place)))
def test_junk_at_any_place_is_read_or_refused(tmp_path: Path, place: tuple[str | int, ...]) -> None:
    path = tmp_path / "study.yaml"
    for junk in JUNK:
        path.write_text(json.dumps(replaced(place, junk), indent=1))  # JSON is YAML
        try:
            study = read_study(path)
        except Refused as refused:
            told = refused.problem
        else:
            assert study.candidates
            continue
        assert told.subject.startswith("study.yaml, line "), junk
        assert len(told.found) < 1000
