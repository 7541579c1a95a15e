"""What is done is kept: an interrupted study goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from prognoscope.study.run import run_study
from tests.make import studies


class Interrupting:
    """A mapper that is interrupted after some results, and counts what it computed by label."""

    def __init__(self, after: int | None = None) -> None:
        self.after = after
        self.computed: dict[str, int] = {}

    def __call__(self, function: Callable[[Any], Any], items: Sequence[Any], *, label: str) -> Iterator[Any]:
        for item in items:
            if self.after is not None and sum(self.computed.values()) >= self.after:
                raise KeyboardInterrupt
            self.computed[label] = self.computed.get(label, 0) + 1
            yield function(item)


@pytest.mark.parametrize("after", [2, 9])
def test_an_interrupted_study_computes_only_what_is_missing(tmp_path: Path, after: int) -> None:
    path = studies.write(tmp_path, studies.binary())
    whole = Interrupting()
    before = run_study(path, out=tmp_path / "whole", store=tmp_path / "one", mapper=whole)
    first, second = Interrupting(after), Interrupting()
    with pytest.raises(KeyboardInterrupt):
        run_study(path, out=tmp_path / "again", store=tmp_path / "two", mapper=first)
    assert not list((tmp_path / "again").iterdir())
    resumed = run_study(path, out=tmp_path / "again", store=tmp_path / "two", mapper=second)
    total = sum(first.computed.values()) + sum(second.computed.values())
    assert total == sum(whole.computed.values())
    for name in ("evaluation.json", "predictions.csv", "bundle/predictor/arrays.npz"):
        assert (resumed.out / name).read_bytes() == (before.out / name).read_bytes(), name
