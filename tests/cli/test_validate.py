"""`prognoscope validate` and `prognoscope samplesize` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from prognoscope.cli.app import app
from tests.make.validation import binary_cohort


@pytest.fixture
def table(tmp_path: Path) -> Path:
    event, risk = binary_cohort(80, seed=1)
    path = tmp_path / "predictions.csv"
    sex = ["F", "M"] * 40
    pd.DataFrame({"died": event.astype(int), "p": risk, "old": risk / 2, "sex": sex}).to_csv(path, index=False)
    return path


def test_figures_thresholds_groups_and_the_report_are_shown(table: Path, tmp_path: Path) -> None:
    words = ["--outcome", "died", "--risk", "p", "--reference", "old", "--group", "sex", "--resamples", "200"]
    result = CliRunner().invoke(app, ["validate", str(table), *words, "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert "80 participants" in result.stdout
    for expected in ("AUC", "Brier score", "p − old", "act at risk", "sex: F", "conditional on the fitted models"):
        assert expected in result.stdout
    assert (tmp_path / "out" / "report.html").is_file()


def test_json_is_one_document(table: Path) -> None:
    words = ["--outcome", "died", "--risk", "p", "--resamples", "200", "--json"]
    result = CliRunner().invoke(app, ["validate", str(table), *words])
    document = json.loads(result.stdout)
    assert document["schema"] == 1
    assert set(document["models"]["p"]["metrics"]["auc"]) == {"estimate", "low", "high", "n", "events"}


def test_a_misspelt_column_exits_with_1_and_the_nearest_name(table: Path) -> None:
    result = CliRunner().invoke(app, ["validate", str(table), "--outcome", "dead", "--risk", "p"])
    assert result.exit_code == 1
    assert "column-missing" in result.stderr
    assert "Traceback" not in result.output


def test_riley_s_example_and_its_criteria() -> None:
    words = ["binary", "--parameters", "24", "--prevalence", "0.174", "--r2", "0.288"]
    result = CliRunner().invoke(app, ["samplesize", *words])
    assert result.exit_code == 0
    assert result.stdout.startswith("662 patients, 116 of them with the event")
    document = json.loads(CliRunner().invoke(app, ["samplesize", *words, "--json"]).stdout)
    assert document["n"] == 662
    assert [criterion["n"] for criterion in document["criteria"]] == [623, 662, 221]


def test_an_option_that_lacks_is_asked_for() -> None:
    result = CliRunner().invoke(app, ["samplesize", "survival", "--parameters", "30"])
    assert result.exit_code == 1
    assert "--rate" in result.stderr
