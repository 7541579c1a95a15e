"""`prognoscope run` and `predict` as typed: what goes to the screen, to a pipe and to the caller's exit status."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from prognoscope.cli.app import app
from tests.make import studies

QUICK = {"folds": 2, "repeats": 1, "inner": 2, "refits": 20, "resamples": 200}


def typed(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("typed")
    studies.write(folder, studies.binary(validate=QUICK))
    return folder


@pytest.fixture(scope="module")
def finished(place: Path) -> Result:
    return typed("run", place / "study.yaml", "--out", place / "out", "--jobs", "1")


def test_the_screen_shows_the_result_and_where_it_lies(place: Path, finished: Result) -> None:
    assert finished.exit_code == 0, finished.output
    assert "60 participants" in finished.stdout
    assert "AUC" in finished.stdout
    assert f"report:  {place / 'out' / 'report.html'}" in finished.stdout
    assert "folds: 2 of 2" in finished.stderr


def test_json_is_one_document_on_stdout_and_nothing_else(place: Path, finished: Result) -> None:
    shown = typed("run", place / "study.yaml", "--out", place / "out", "--jobs", "1", "--json")
    document = json.loads(shown.stdout)
    assert document["evaluation"] == json.loads((place / "out" / "evaluation.json").read_text())


def test_a_prediction_is_told_as_text_json_and_table(place: Path, finished: Result, tmp_path: Path) -> None:
    new = pd.read_csv(place / "table.csv", dtype=str).head(3)
    new.to_csv(tmp_path / "table.csv", index=False)
    bundle = place / "out" / "bundle"
    told = typed("predict", bundle, tmp_path, "--out", tmp_path / "answers", "--jobs", "1")
    assert told.exit_code == 0, told.output
    assert told.stdout.count(" of 100 (95 % interval ") == 3
    with (tmp_path / "answers" / "predictions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["patient_id", "risk", "low", "high", "abstained", "reason"]
    document = json.loads(typed("predict", bundle, tmp_path, "--json", "--jobs", "1").stdout)
    assert [f"{one['risk']:.6g}" for one in document["predictions"]] == [row["risk"] for row in rows]


@pytest.mark.parametrize("source", ["nowhere", "."])
def test_a_source_without_its_table_is_a_problem_and_no_traceback(
    place: Path, finished: Result, tmp_path: Path, source: str
) -> None:
    told = typed("predict", place / "out" / "bundle", tmp_path / source, "--jobs", "1")
    assert told.exit_code == 1
    assert told.stdout == ""
    assert "what to do: " in told.stderr


def test_an_output_folder_that_is_a_file_is_a_problem_and_no_traceback(place: Path, finished: Result) -> None:
    told = typed("run", place / "study.yaml", "--out", place / "table.csv", "--jobs", "1")
    assert told.exit_code == 1
    assert "table.csv" in told.stderr
    assert "what to do: " in told.stderr


def test_a_store_that_is_a_file_is_a_problem_and_no_traceback(place: Path, finished: Result) -> None:
    told = typed("run", place / "study.yaml", "--out", place / "o2", "--store", place / "table.csv", "--jobs", "1")
    assert told.exit_code == 1
    assert "what to do: " in told.stderr


def test_a_run_that_finds_everything_known_waits_for_neither_statistics_nor_drawing(
    place: Path, finished: Result
) -> None:
    words = ["run", str(place / "study.yaml"), "--out", str(place / "out"), "--jobs", "1"]
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom prognoscope.cli.app import app\n"
        f"assert CliRunner().invoke(app, {words!r}).exit_code == 0\n"
        "print([name for name in ('scipy.stats', 'sklearn', 'matplotlib', 'nibabel') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
