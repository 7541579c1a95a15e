"""`prognoscope run` on a table: from the study file to report, tables and bundle, and again without computing."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from prognoscope.core.problems import Refused
from prognoscope.core.work import serial_map
from prognoscope.study.predict import predict_source
from prognoscope.study.run import RunResult, run_study
from prognoscope.work import local_map
from tests.make import studies


def run(folder: Path, study: dict[str, object], *, name: str = "study", **more: Any) -> RunResult:
    path = studies.write(folder, study, name=f"{name}.yaml")
    return run_study(path, out=folder / "out" / name, **more)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """A study that ran once: a binary outcome from a table alone."""
    return run(tmp_path_factory.mktemp("finished"), studies.binary())


def document(result: RunResult, name: str = "evaluation.json") -> Any:
    return json.loads((result.out / name).read_text())


def test_every_output_that_the_docs_promise_is_there(finished: RunResult) -> None:
    promised = {"report.html", "evaluation.json", "predictions.csv", "features.parquet", "run.json", "bundle"}
    assert {path.name for path in finished.out.iterdir()} == promised


def test_every_metric_has_estimate_interval_and_counts(finished: RunResult) -> None:
    metrics = document(finished)["models"]["all"]["metrics"]
    assert {"auc", "brier", "calibration_intercept", "calibration_slope"} <= set(metrics)
    for name, metric in metrics.items():
        assert set(metric) - {"reason"} == {"estimate", "low", "high", "n", "events"}, name
        assert metric["reason"] if None in metric.values() else metric["low"] <= metric["estimate"] <= metric["high"], (
            name
        )
        assert (metric["n"], metric["events"]) == (60, finished.evaluation["outcome"]["events"])


def test_a_strong_signal_is_found(finished: RunResult) -> None:
    assert finished.evaluation["models"]["all"]["metrics"]["auc"]["estimate"] > 0.65


def test_each_patient_is_predicted_once_in_each_repeat(finished: RunResult) -> None:
    with (finished.out / "predictions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    seen = {(row["patient_id"], row["repeat"]) for row in rows}
    assert len(rows) == len(seen) == 60 * 2
    assert {row["patient_id"] for row in rows} >= {"001", "060"}
    assert all(0 <= float(row["risk"]) <= 1 for row in rows)


def test_the_feature_table_says_what_its_columns_are(finished: RunResult) -> None:
    metadata = json.loads(pq.read_schema(finished.out / "features.parquet").metadata[b"prognoscope"])
    assert [(column["name"], column["unit"]) for column in metadata["columns"]] == [
        ("age", "year"),
        ("marker", "1"),
        ("grade", ""),
    ]
    assert pd.read_parquet(finished.out / "features.parquet").index[0] == "001"


def test_the_run_is_written_down_as_given_and_as_used(finished: RunResult) -> None:
    record = document(finished, "run.json")
    assert record["as_given"] == (finished.out.parents[1] / "study.yaml").read_text()
    assert record["as_used"]["models"]["choose"] == "inner"
    assert record["versions"]["prognoscope"]
    assert set(record["seconds"]) == {"gather", "select", "measure", "learn", "evaluate and publish"}


def test_the_report_is_one_file_without_requests(finished: RunResult) -> None:
    page = (finished.out / "report.html").read_text()
    assert "Who dies?" in page
    assert "<script" not in page
    assert re.findall(r"(?:src|href)=[\"'](?!#|data:)[^\"']*", page) == []


DYNAMIC = {"models", "metrics", "differences", "outputs", "versions", "images", "seconds", "overrides"}


def keys(node: Any) -> set[str]:
    """Every key of a document but the names that a study chooses itself."""
    if isinstance(node, list):
        return set().union(*map(keys, node))
    if not isinstance(node, dict):
        return set()
    chosen = {name for name in DYNAMIC & set(node) if isinstance(node[name], dict)}
    below = [keys(list(value.values()) if name in chosen else value) for name, value in node.items()]
    return set(node).union(*below)


@pytest.mark.parametrize("name", ["evaluation.json", "run.json", "bundle/card.json"])
def test_every_key_of_a_document_is_in_the_docs(finished: RunResult, name: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    words = set(re.findall(r"[a-z_0-9]+", page))
    document = json.loads((finished.out / name).read_text())
    document.pop("as_used", None)  # the keys of a study file have a page of their own
    assert keys(document) - words == set()


def test_a_second_run_computes_nothing_and_gives_the_same_bytes(tmp_path: Path) -> None:
    first = run(tmp_path, studies.binary())
    before = {path.name: path.read_bytes() for path in first.out.iterdir() if path.is_file()}

    def never(function: object, items: object, *, label: str) -> Any:
        raise AssertionError(f"{label} ran again")

    second = run(tmp_path, studies.binary(), mapper=never)
    for name in before.keys() - {"run.json"}:
        assert (second.out / name).read_bytes() == before[name], name


def test_any_number_of_workers_gives_the_same_evaluation(tmp_path: Path) -> None:
    study = studies.binary(models={"try": ["elastic-net-logistic", "gradient-boosting"]})
    one = run(tmp_path, study, store=tmp_path / "one", mapper=serial_map)
    before = (one.out / "evaluation.json").read_bytes()
    two = run(tmp_path, study, store=tmp_path / "two", mapper=local_map(jobs=2))
    assert (two.out / "evaluation.json").read_bytes() == before


def test_the_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    one = run(tmp_path, studies.binary(), store=tmp_path / "one")
    before = (one.out / "evaluation.json").read_bytes()
    table = tmp_path / "table.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    two = run(tmp_path, studies.binary(), store=tmp_path / "two")
    assert (two.out / "evaluation.json").read_bytes() == before


def test_a_survival_study_states_horizon_and_censoring(tmp_path: Path) -> None:
    result = run(tmp_path, studies.survival())
    outcome = result.evaluation["outcome"]
    frame = pd.read_csv(tmp_path / "table.csv")
    assert outcome["horizon_days"] == 365
    assert outcome["events"] == int(((frame.event == 1) & (frame.time <= 365)).sum())
    assert outcome["censored_before_horizon"] == int(((frame.event == 0) & (frame.time < 365)).sum())
    assert {"c_index", "brier"} <= set(result.evaluation["models"]["all"]["metrics"])


def test_a_bundle_predicts_new_patients_and_says_where_it_abstains(finished: RunResult, tmp_path: Path) -> None:
    frame = pd.read_csv(finished.out.parents[1] / "table.csv", dtype=str).head(4)
    frame.loc[0, "age"] = "400"
    frame.to_csv(tmp_path / "table.csv", index=False)
    told = predict_source(finished.out / "bundle", tmp_path, out=tmp_path / "out")
    assert [row.patient_id for row in told.rows] == ["001", "002", "003", "004"]
    assert told.rows[0].abstained
    assert "age" in told.rows[0].reason
    for row in told.rows:
        assert 0 <= row.low <= row.high <= 1
    with (tmp_path / "out" / "predictions.csv").open() as stream:
        written = list(csv.reader(stream))
    assert written[0] == ["patient_id", "risk", "low", "high", "abstained", "reason"]
    assert [row[4] for row in written[1:]] == ["true", "false", "false", "false"]


def test_a_criterion_of_success_is_judged_and_dated(tmp_path: Path) -> None:
    met = run(tmp_path, studies.binary(success=[{"metric": "auc", "at_least": 0.5}]), name="met")
    assert "before the first result" in (met.out / "report.html").read_text()
    late = run(tmp_path, studies.binary(success=[{"metric": "auc", "of": "low", "at_least": 0.99}]), name="late")
    assert "after a first result on this cohort was known" in (late.out / "report.html").read_text()


def test_settings_tried_on_a_cohort_are_counted_over_studies(tmp_path: Path) -> None:
    one = run(tmp_path, studies.binary(), name="one").evaluation["counts"]
    again = run(tmp_path, studies.binary(), name="one").evaluation["counts"]
    more = run(tmp_path, studies.binary(models={"try": ["random-forest"]}), name="more").evaluation["counts"]
    key = "settings_tried_on_this_cohort_ever"
    assert one[key] == again[key]
    assert more[key] == one[key] + more["settings_tried"]


SMALL = {"folds": 2, "repeats": 1, "inner": 2, "refits": 20, "resamples": 200}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"predictors": [{"column": "aeg", "unit": "year", "known_at": "time_zero"}]}, "column-missing"),
        ({"data": {"table": "none.csv"}}, "table-missing"),
        ({"data": {"table": "table.csv", "patient": "id"}}, "column-missing"),
        ({"data": {"table": "table.csv", "images": "nowhere"}}, "folder-missing"),
        ({"data": {"table": "table.csv", "images": "."}}, "no-dicom"),
        ({"eligible": [{"column": "age", "above": 200}]}, "no-participants"),
        ({"outcome": {"column": "centre", "event": "East"}}, "outcome-coding"),
        ({"validate": {"folds": 50}}, "fewer-events-than-folds"),
        ({"validate": {**SMALL, "override": {"typo": "x"}}}, "override-unknown"),
    ],
)
def test_bad_input_is_a_problem_with_a_code(tmp_path: Path, changes: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refused:
        run(tmp_path, studies.binary(**changes))
    assert refused.value.problem.code == code
    assert refused.value.problem.subject
    assert refused.value.problem.remedy


def test_two_rows_for_one_patient_are_refused_with_their_lines(tmp_path: Path) -> None:
    frame = studies.table(tmp_path / "table.csv")
    frame.loc[3, "patient_id"] = "001"
    frame.to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(Refused, match=r"patient 001.*rows 2, 5"):
        run(tmp_path, studies.binary())


def test_a_constant_predictor_is_left_out_quietly(tmp_path: Path) -> None:
    frame = studies.table(tmp_path / "table.csv")
    frame["grade"] = "Low"
    frame.to_csv(tmp_path / "table.csv", index=False)
    assert run(tmp_path, studies.binary()).evaluation["models"]["all"]["metrics"]["auc"]["estimate"] > 0.6


def test_the_outcome_in_disguise_blocks_the_bundle_until_overridden_in_writing(tmp_path: Path) -> None:
    frame = studies.table(tmp_path / "table.csv")
    frame["marker"] = frame["dead"] + 0.001 * frame["marker"]
    frame.to_csv(tmp_path / "table.csv", index=False)
    blocked = run(tmp_path, studies.binary(), name="blocked")
    assert not (blocked.out / "bundle").exists()
    (guard,) = [one for one in blocked.evaluation["guards"] if one["status"] == "failed" and one["blocks"]]
    rules = {**SMALL, "override": {guard["name"]: "the marker is measured at birth"}}
    allowed = run(tmp_path, studies.binary(validate=rules), name="allowed")
    assert (allowed.out / "bundle" / "card.json").exists()
    assert "the marker is measured at birth" in (allowed.out / "report.html").read_text()


def test_a_column_that_is_missing_is_told_before_any_image_is_read(tmp_path: Path) -> None:
    wrong = [{"column": "aeg", "unit": "year", "known_at": "time_zero"}]
    with pytest.raises(Refused, match="but has age"):  # and not that there are no images
        run(tmp_path, studies.binary(data={"table": "table.csv", "images": "."}, predictors=wrong))


def test_a_study_that_stops_tells_who_had_been_excluded(tmp_path: Path) -> None:
    frame = studies.table(tmp_path / "table.csv")
    frame.loc[frame["dead"] == 1, "age"] = 17
    frame.loc[frame.index[frame["dead"] == 1][:2], "age"] = 60
    frame.to_csv(tmp_path / "table.csv", index=False)
    rule = {"column": "age", "at_least": 18}
    with pytest.raises(
        Refused, match=r"2 events for 3 folds; \d+ participants are left, excluded were .* not-eligible"
    ):
        run(tmp_path, studies.binary(eligible=[rule]))


def test_the_only_model_of_a_study_without_images_is_named_by_what_it_holds(finished: RunResult) -> None:
    assert finished.evaluation["models"]["all"]["title"] == "Clinical predictors"


def test_who_is_lost_before_the_horizon_is_in_neither_group_of_the_cohort_table(tmp_path: Path) -> None:
    frame = studies.table(tmp_path / "table.csv")
    result = run(tmp_path, studies.survival(validate=SMALL))
    lost = int(((frame["event"] == 0) & (frame["time"] < 365)).sum())
    page = (result.out / "report.html").read_text()
    assert lost > 0
    assert f"{lost} lost to follow-up before the horizon count among all, and in neither group" in page
