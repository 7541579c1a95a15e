"""Predictions that cannot be validated as they are: a refusal with its place, or a reason in place of each figure."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.problems import Refused
from prognoscope.jobs.validate import Columns, Validation, validate_predictions
from tests.make.validation import binary_cohort, survival_cohort

BINARY: dict[str, Any] = {"risk": "p", "outcome": "y"}
TIMED: dict[str, Any] = {"risk": "p", "time": "t", "event": "e", "horizon_days": 730.0}


def frame_of(n: int, *, seed: int = 1) -> pd.DataFrame:
    event, risk = binary_cohort(n, seed=seed)
    outcome, _ = survival_cohort(n, seed=seed)
    return pd.DataFrame({"y": event.astype(int), "p": risk, "t": outcome.time_days, "e": outcome.event.astype(int)})


def validated(folder: Path, frame: pd.DataFrame, columns: dict[str, Any], **options: Any) -> Validation:
    frame.to_csv(folder / "bad.csv", index=False)
    return validate_predictions(folder / "bad.csv", Columns(**columns), **{"resamples": 200, **options})


def refused(folder: Path, frame: pd.DataFrame, columns: dict[str, Any]) -> Any:
    with pytest.raises(Refused) as caught:
        validated(folder, frame, columns)
    return caught.value.problem


def every_number_has_a_reason_or_a_value(found: Validation) -> None:
    """No NaN without its reason, no interval without its estimate inside it."""
    for model in found.evaluation.models:
        for name, metric in model.metrics.items():
            if math.isnan(metric.estimate) or math.isnan(metric.low):
                assert metric.reason, name
            else:
                assert metric.low <= metric.estimate <= metric.high, name
    json.dumps(found.document, allow_nan=False)


@pytest.mark.parametrize(
    ("column", "value", "columns", "code"),
    [
        ("p", "inf", BINARY, "values-missing"),
        ("p", "-inf", BINARY, "values-missing"),
        ("p", "nan", BINARY, "number-expected"),
        ("p", "", BINARY, "values-missing"),
        ("p", "low", BINARY, "number-expected"),
        ("p", "0,4", BINARY, "number-expected"),
        ("p", -0.0001, BINARY, "risk-range"),
        ("p", 1.0001, BINARY, "risk-range"),
        ("y", "maybe", BINARY, "outcome-values"),
        ("y", "0.5", BINARY, "outcome-values"),
        ("t", "inf", TIMED, "outcome-time"),
        ("t", 0, TIMED, "outcome-time"),
        ("t", -12, TIMED, "outcome-time"),
        ("t", "soon", TIMED, "number-expected"),
        ("e", 2, TIMED, "outcome-values"),
    ],
)
def test_one_impossible_value_is_refused_with_its_row(
    tmp_path: Path, column: str, value: str | float, columns: dict[str, Any], code: str
) -> None:
    frame = frame_of(40).astype(object)
    frame.loc[10, column] = value
    problem = refused(tmp_path, frame, columns)
    assert problem.code == code
    assert "11" in problem.subject


def test_an_empty_file_and_a_header_alone_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(Refused, match="table-empty"):
        validate_predictions(tmp_path / "empty.csv", Columns(**BINARY))
    (tmp_path / "header.csv").write_text("y,p\n")
    with pytest.raises(Refused, match="rows-missing"):
        validate_predictions(tmp_path / "header.csv", Columns(**BINARY))


@pytest.mark.parametrize(
    "columns",
    [
        BINARY | {"reference": "q"},
        BINARY | {"groups": ("sex",)},
        BINARY | {"slices": ("age",)},
        BINARY | {"patient": "id"},
        BINARY | {"fold": "k"},
        BINARY | {"groups": ("e",), "reference_outcome": "need"},
    ],
)
def test_a_column_that_is_named_and_absent_is_refused(tmp_path: Path, columns: dict[str, Any]) -> None:
    assert refused(tmp_path, frame_of(40), columns).code == "column-missing"


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        (BINARY | {"risk": "y"}, "column-is-outcome"),
        (BINARY | {"reference": "y"}, "column-is-outcome"),
        (BINARY | {"groups": ("y",)}, "column-is-outcome"),
        (BINARY | {"fold": "y"}, "column-is-outcome"),
        (TIMED | {"groups": ("t",)}, "column-is-outcome"),
        (TIMED | {"slices": ("e",)}, "column-is-outcome"),
        (BINARY | {"horizon_days": 300.0}, "time-missing"),
    ],
)
def test_the_outcome_is_no_prediction_of_itself(tmp_path: Path, columns: dict[str, Any], code: str) -> None:
    assert refused(tmp_path, frame_of(40), columns).code == code


def test_a_group_that_is_named_twice_is_taken_once(tmp_path: Path) -> None:
    frame = frame_of(80).assign(sex=["F", "M"] * 40)
    found = validated(tmp_path, frame, BINARY | {"groups": ("sex", "sex")})
    assert [(one.attribute, one.level) for one in found.groups] == [("sex", "F"), ("sex", "M")]


def test_a_patient_with_two_rows_is_refused_since_rows_are_drawn_as_patients(tmp_path: Path) -> None:
    frame = frame_of(40).assign(id=[f"P{number}" for number in range(39)] + ["P7"])
    problem = refused(tmp_path, frame, BINARY | {"patient": "id"})
    assert (problem.code, problem.subject) == ("patient-twice", "patient P7")
    assert "rows 8 and 40" in problem.found


def test_a_patient_without_a_name_is_refused(tmp_path: Path) -> None:
    frame = frame_of(40).assign(id=["", *(f"P{number}" for number in range(39))])
    problem = refused(tmp_path, frame, BINARY | {"patient": "id"})
    assert (problem.code, problem.subject) == ("values-missing", "column id, row 1")


@pytest.mark.parametrize("value", [0, 1])
def test_one_class_gives_reasons(tmp_path: Path, value: int) -> None:
    found = validated(tmp_path, frame_of(60).assign(y=value), BINARY, out=tmp_path / "out")
    every_number_has_a_reason_or_a_value(found)
    assert math.isnan(found.evaluation.models[0].metrics["auc"].estimate)
    assert (tmp_path / "out" / "report.html").exists()


def test_all_censored_gives_reasons(tmp_path: Path) -> None:
    found = validated(tmp_path, frame_of(60).assign(e=0), TIMED, out=tmp_path / "out")
    every_number_has_a_reason_or_a_value(found)
    assert math.isnan(found.evaluation.models[0].metrics["c_index"].estimate)


def test_all_lost_before_the_horizon_gives_reasons(tmp_path: Path) -> None:
    frame = frame_of(60)
    found = validated(tmp_path, frame.assign(e=0, t=frame["t"].clip(upper=600)), TIMED, out=tmp_path / "out")
    every_number_has_a_reason_or_a_value(found)


def test_a_horizon_without_an_end_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, frame_of(40), TIMED | {"horizon_days": math.inf}).code == "outcome-horizon"


@pytest.mark.parametrize("columns", [BINARY, TIMED], ids=["binary", "time to event"])
def test_one_risk_for_everybody_orders_nobody(tmp_path: Path, columns: dict[str, Any]) -> None:
    found = validated(tmp_path, frame_of(80).assign(p=0.3, t=100.0), columns, out=tmp_path / "out")
    every_number_has_a_reason_or_a_value(found)
    metrics = found.evaluation.models[0].metrics
    assert metrics["auc" if columns is BINARY else "c_index"].estimate == 0.5
    assert math.isnan(metrics["calibration_slope"].estimate)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("columns", [BINARY, TIMED], ids=["binary", "time to event"])
def test_a_handful_of_patients_have_reasons_and_no_traceback(tmp_path: Path, n: int, columns: dict[str, Any]) -> None:
    frame = frame_of(n).assign(g=[f"g{number}" for number in range(n)], q=0.5)
    found = validated(tmp_path, frame, columns | {"groups": ("g",), "reference": "q"}, out=tmp_path / "out")
    every_number_has_a_reason_or_a_value(found)
    assert all(group.reason and not group.metrics for group in found.groups)


def test_a_column_of_a_thousand_levels_is_told_in_one_line_and_names_nobody(tmp_path: Path) -> None:
    frame = frame_of(1000).assign(ward=[f"ward {number}" for number in range(1000)])
    found = validated(tmp_path, frame, BINARY | {"groups": ("ward",)}, out=tmp_path / "out")
    assert len(found.groups) == 1000
    assert found.gaps == ()
    page = (tmp_path / "out" / "report.html").read_text()
    assert "ward 17" not in page.split("How it was made")[0]
    assert "ward: 1,000 small groups" in page


def test_a_group_of_one_beside_large_ones_is_suppressed_and_they_are_not(tmp_path: Path) -> None:
    frame = frame_of(200).assign(site=["alone", *(["A", "B"] * 100)[:199]])
    found = validated(tmp_path, frame, BINARY | {"groups": ("site",)})
    by_level = {one.level: one for one in found.groups}
    assert by_level["alone"].reason == "suppressed: fewer than 20 patients"
    assert by_level["A"].metrics["auc"].estimate > 0.5
    assert all("alone" not in (gap.lowest, gap.highest) for gap in found.gaps)


def test_risks_of_only_0_and_1_have_reasons_for_what_needs_a_logit(tmp_path: Path) -> None:
    frame = frame_of(100)
    found = validated(tmp_path, frame.assign(p=np.round(frame["p"])), BINARY, out=tmp_path / "out")
    every_number_has_a_reason_or_a_value(found)
    assert "logit is infinite" in found.evaluation.models[0].metrics["calibration_slope"].reason


def test_ties_everywhere_leave_every_figure_with_a_value_or_a_reason(tmp_path: Path) -> None:
    frame = frame_of(150)
    tied = frame.assign(p=frame["p"].round(1).clip(0.1, 0.9), t=np.ceil(frame["t"] / 365) * 365)
    for columns in (BINARY, TIMED):
        every_number_has_a_reason_or_a_value(validated(tmp_path, tied, columns, out=tmp_path / "out"))
