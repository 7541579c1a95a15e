"""`prognoscope conformance` as a user types it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from prognoscope.cli.app import app
from prognoscope.jobs.conformance import ConformanceReport, Failure, Score

MET = ConformanceReport((Score("features", "digital_phantom", 482, 482), Score("response map", "10.b.1", 1, 1)), ())
MISSED = ConformanceReport(
    (Score("features", "A", 345, 346), Score("filtered features", "9.B", 18, 18)),
    (Failure("features", "A", "cm_energy_2D_avg", 0.368, math.nan, 0.002),),
)


def use(monkeypatch: pytest.MonkeyPatch, report: ConformanceReport) -> None:
    monkeypatch.setattr("prognoscope.jobs.conformance.conformance", lambda folder, mapper: report)


def test_all_met_prints_a_table_and_exits_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, MET)
    result = CliRunner().invoke(app, ["conformance", "ibsi"])
    assert result.exit_code == 0
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in result.stdout.splitlines()]
    assert rows[0] == ["chapter", "test", "met", "of"]
    assert rows[2:] == [
        ["1, features", "digital phantom", "482", "482"],
        ["2, response maps", "10 Riesz of Simoncelli", "1", "1"],
        ["all", "", "483", "483"],
    ]


def test_what_fails_is_listed_and_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, MISSED)
    result = CliRunner().invoke(app, ["conformance", "ibsi"])
    assert result.exit_code == 1
    assert "cm_energy_2D_avg" in result.stdout
    assert "| 0.368 " in result.stdout
    assert "345" in result.stdout


def test_json_is_one_document_in_which_a_missing_feature_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, MISSED)
    result = CliRunner().invoke(app, ["conformance", "ibsi", "--json"])
    document = json.loads(result.stdout)
    assert (document["schema"], document["passed"], document["total"]) == (1, 363, 364)
    assert document["scores"][0] == {"part": "features", "case": "A", "passed": 345, "total": 346}
    assert document["failures"][0]["found"] is None
    assert result.exit_code == 1


def test_a_folder_without_the_data_is_a_problem_on_stderr(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["conformance", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "ibsi-data-missing" in result.stderr
