"""Select: who takes part, and what is told when nobody does."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from prognoscope.core.geometry import Grid
from prognoscope.core.images import ImageIndex, ImageSeries, RegionSet
from prognoscope.core.problems import Problem, Refused
from prognoscope.study.file import read_study
from prognoscope.study.stages.select import Cohort, select
from tests.make import studies

REGION = {"data": {"table": "table.csv", "images": "."}, "predictors": [{"image": "CT", "region": "GTV"}]}


def index(patients: list[str], *, region: str = "GTV") -> ImageIndex:
    series = [
        ImageSeries(one, "CT", f"S{one}", "1", "F", "chest", None, "HU", Grid((3, 2, 2), (1, 1, 1)), (), ())
        for one in patients
    ]
    sets = [RegionSet(one, f"R{one}", "", None, "F", f"S{one}", (region,), "", "") for one in patients]
    return ImageIndex(tuple(series), tuple(sets))


def selected(
    folder: Path, frame: pd.DataFrame | None = None, images: ImageIndex | None = None, **changes: object
) -> Cohort:
    if frame is not None:
        frame.to_csv(folder / "table.csv", index=False)
    located = read_study(studies.write(folder, studies.survival(**changes)))
    return select(located.study, located.table, images)


def refusal(folder: Path, frame: pd.DataFrame, images: ImageIndex | None, **changes: object) -> Problem:
    with pytest.raises(Refused) as refused:
        selected(folder, frame, images, **changes)
    assert refused.value.problem.code == "no-participants"
    return refused.value.problem


def test_a_patient_whose_day_of_prediction_is_unknown_is_excluded_and_the_others_keep_theirs(tmp_path: Path) -> None:
    frame = studies.table(tmp_path / "table.csv").assign(scan=["", *["10"] * 59])
    cohort = selected(tmp_path, frame, time_zero=["scan"])
    assert [(one.patient_id, one.problem.code) for one in cohort.flow.exclusions if one.step == "time zero"] == [
        ("001", "time-zero-unknown")
    ]
    kept = frame.set_index("patient_id").loc[list(cohort.patients)]
    assert cohort.outcome.time_days.tolist() == (kept["time"] - 10).tolist()  # type: ignore[union-attr]


def test_a_cohort_in_which_all_die_has_an_outcome_at_the_horizon(tmp_path: Path) -> None:
    cohort = selected(tmp_path, studies.table(tmp_path / "table.csv").assign(event=1))
    assert 0 < cohort.event.sum() < len(cohort.patients) == cohort.outcome.events


def test_an_empty_table_is_told_as_such(tmp_path: Path) -> None:
    problem = refusal(tmp_path, studies.table(tmp_path / "table.csv").iloc[:0], None)
    assert (problem.found, problem.remedy) == (
        "the table has no row",
        "give a table with one row per patient",
    )


def test_rules_that_exclude_everyone_are_named(tmp_path: Path) -> None:
    frame = studies.table(tmp_path / "table.csv")
    problem = refusal(tmp_path, frame, None, eligible=[{"column": "age", "at_least": 200}])
    assert problem.found.startswith("nobody is left: 60 × not-eligible (eligibility); for instance patient 001: age is")
    assert problem.remedy == "check the rules under `eligible:`"


def test_a_region_that_nobody_has_is_not_told_as_ids_that_differ(tmp_path: Path) -> None:
    frame = studies.table(tmp_path / "table.csv")
    images = index(frame["patient_id"].tolist(), region="PTV")
    problem = refusal(tmp_path, frame, images, **REGION)
    assert "60 × region-unmatched (regions); for instance patient 001: no region of CT matches “GTV”" in problem.found
    assert problem.remedy == "correct `region:` in the study file, or rename the region"


def test_ids_that_differ_are_told_as_that(tmp_path: Path) -> None:
    frame = studies.table(tmp_path / "table.csv")
    images = index([f"P-{one}" for one in frame["patient_id"]])
    problem = refusal(tmp_path, frame, images, **REGION)
    assert "60 × no-table-row (table); 60 × no-images (images)" in problem.found
    assert problem.remedy == "IDs of table and images must agree"
