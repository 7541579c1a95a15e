"""A bundle and new patients whose table is not as it should be: everyone keeps a row, nothing is guessed in silence."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from prognoscope.core.problems import Refused
from prognoscope.study.predict import Prediction, Predictions, predict_source
from prognoscope.study.run import run_study
from tests.make import studies

QUICK = {"folds": 2, "repeats": 1, "inner": 2, "refits": 20, "resamples": 200}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    rule = {"column": "age", "at_least": 18, "unit": "year"}
    path = studies.write(folder, studies.binary(validate=QUICK, eligible=[rule]))
    return run_study(path, out=folder / "out").out / "bundle"


@pytest.fixture
def new(bundle: Path) -> pd.DataFrame:
    """Three patients of the study's own table, as text."""
    return pd.read_csv(bundle.parents[1] / "table.csv", dtype=str).head(3)


def predicted(bundle: Path, frame: pd.DataFrame, folder: Path) -> Predictions:
    frame.to_csv(folder / "table.csv", index=False)
    return predict_source(bundle, folder)


def row(told: Predictions, patient: str) -> Prediction:
    (found,) = [one for one in told.rows if one.patient_id == patient]
    return found


def test_known_patients_are_predicted_without_reserve(bundle: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    told = predicted(bundle, new, tmp_path)
    assert not any(one.abstained for one in told.rows)
    assert all(0 <= one.low <= one.risk <= one.high <= 1 for one in told.rows)


def test_a_renamed_column_is_told_with_the_nearest_and_nobody_is_relied_on(
    bundle: Path, new: pd.DataFrame, tmp_path: Path
) -> None:
    told = predicted(bundle, new.rename(columns={"marker": "Marker"}), tmp_path)
    assert [note.code for note in told.notes] == ["column-missing"]
    assert "but has Marker" in told.notes[0].found
    assert all(one.abstained and "the table has no column marker" in one.reason for one in told.rows)
    assert all(one.risk == one.risk for one in told.rows)


def test_without_the_column_of_a_rule_eligibility_is_not_assumed(
    bundle: Path, new: pd.DataFrame, tmp_path: Path
) -> None:
    told = predicted(bundle, new.drop(columns="age"), tmp_path)
    assert all("age at least 18 year cannot be checked" in one.reason for one in told.rows)


def test_one_bad_cell_concerns_its_patient_alone(bundle: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    new.loc[1, "age"] = "old"
    told = predicted(bundle, new, tmp_path)
    assert [one.abstained for one in told.rows] == [False, True, False]
    assert "“old” is not a number" in row(told, "002").reason


def test_who_is_outside_the_rules_keeps_row_and_risk(bundle: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    new.loc[0, "age"] = "17"
    told = row(predicted(bundle, new, tmp_path), "001")
    assert told.abstained
    assert "outside the study's participants: age is “17”" in told.reason
    assert 0 < told.risk < 1


def test_a_number_far_outside_the_training_patients_is_abstained_from(
    bundle: Path, new: pd.DataFrame, tmp_path: Path
) -> None:
    ages = pd.read_csv(bundle.parents[1] / "table.csv")["age"]
    new.loc[0, "age"] = str(ages.max() + 0.11 * (ages.max() - ages.min()))
    new.loc[1, "age"] = str(ages.max() + 0.09 * (ages.max() - ages.min()))
    told = predicted(bundle, new, tmp_path)
    assert [one.abstained for one in told.rows] == [True, False, False]
    assert "the training patients had" in told.rows[0].reason


def test_a_table_of_headers_alone_gives_no_rows(bundle: Path, new: pd.DataFrame, tmp_path: Path) -> None:
    assert predicted(bundle, new.head(0), tmp_path).rows == ()


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("card.json", "[]", "bundle-format"),
        ("card.json", "[1, 2]", "not-a-bundle"),
        ("card.json", "{", "not-a-bundle"),
        ("study.json", "{}", "bundle-damaged"),
        ("study.json", "[1]", "bundle-damaged"),
        ("card.json", json.dumps({"format": 99}), "bundle-format"),
    ],
)
def test_a_damaged_bundle_is_named(bundle: Path, tmp_path: Path, name: str, content: str, code: str) -> None:
    broken = shutil.copytree(bundle, tmp_path / "bundle")
    (broken / name).write_text(content)
    with pytest.raises(Refused) as refused:
        predict_source(broken, tmp_path)
    assert refused.value.problem.code == code


def test_a_place_that_cannot_be_written_is_told_before_any_work(
    bundle: Path, new: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(Refused, match="cannot-write"):
        predict_source(bundle, tmp_path / "nowhere", out=tmp_path / "taken")
