"""A study that names a query of the store instead of a folder: it sees one snapshot, whatever comes in afterwards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ruamel.yaml import YAML

from prognoscope.core.problems import Refused
from prognoscope.demo import write_cohort
from prognoscope.jobs.history import as_lines, history
from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.quarantine import list_quarantine
from prognoscope.jobs.query import difference
from prognoscope.study.demo import STUDY
from prognoscope.study.run import RunResult, run_study

pytestmark = pytest.mark.slow
SMALL = {"folds": 3, "repeats": 1, "inner": 2, "resamples": 200, "refits": 20}
LATE = "DEMO-007"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort of which one patient comes in later and one lacks a slice, and its store."""
    folder = tmp_path_factory.mktemp("stored")
    write_cohort(folder / "cohort", patients=40, seed=3)
    (folder / "late").mkdir()
    shutil.move(home(folder, LATE), folder / "late")
    lost = sorted(path for path in home(folder, "DEMO-011").rglob("*") if path.is_file())
    shutil.move(lost[len(lost) // 2], folder / "lost")
    ingest(folder / "cohort", store=folder / "store", licence="CC0")
    return folder


def home(folder: Path, patient: str) -> Path:
    return next(path for path in (folder / "cohort/images").iterdir() if path.name == patient)


def write(place: Path, name: str, **data: Any) -> Path:
    values = YAML(typ="safe", pure=True).load(STUDY.replace("SEED", "1"))
    values |= {"models": {"try": ["elastic-net-logistic"]}, "validate": SMALL, "name": "stored", "data": data}
    YAML(typ="safe", pure=True).dump(values, place / name)
    return place / name


def run(place: Path, name: str, **data: Any) -> RunResult:
    return run_study(write(place, f"{name}.yaml", **data), out=place / name, store=place / "store")


@pytest.fixture(scope="module")
def finished(place: Path) -> RunResult:
    return run(place, "first", query="modality = CT", table="store:clinical.csv")


def test_a_study_reads_the_snapshot_that_its_first_run_froze(place: Path, finished: RunResult) -> None:
    record = json.loads((finished.out / "run.json").read_text())
    assert record["data"]["snapshot"]["name"] == "stored"
    assert record["data"]["snapshot"]["query"] == "modality = CT"
    assert finished.evaluation["outcome"]["n"] > 30
    assert "snapshot of the store" in (finished.out / "report.html").read_text()


def test_a_folder_and_the_store_give_the_same_result_to_the_last_byte(place: Path, finished: RunResult) -> None:
    folder = run(place, "folder", images="cohort/images", table="cohort/clinical.csv")
    assert (folder.out / "predictions.csv").read_bytes() == (finished.out / "predictions.csv").read_bytes()
    assert folder.flow.included == finished.flow.included


def test_who_is_in_quarantine_is_counted_in_the_participant_flow(place: Path, finished: RunResult) -> None:
    held = [one for one in list_quarantine(place / "store") if one.what == "series"]
    assert [(one.patient_id, one.problem.code) for one in held] == [("DEMO-011", "missing-slices")]
    excluded = {one.patient_id: one.problem.code for one in finished.flow.exclusions}
    assert excluded["DEMO-011"] == "missing-slices"
    reasons = {one["reason"]: one["n"] for one in finished.evaluation["flow"]["excluded"]}
    assert reasons["missing-slices"] == 1


def test_history_leads_from_an_out_of_fold_prediction_to_the_source_files(place: Path, finished: RunResult) -> None:
    participant = finished.flow.included[0]
    table = pd.read_csv(finished.out / "predictions.csv", dtype=str)
    assert participant in set(table["patient_id"])
    chain = history(str(finished.out / "predictions.csv"), store=place / "store", patient=participant)
    sources = [dict(leaf.facts).get("source", "") for leaf in chain.leaves()]
    expected = [path for path in home(place, participant).rglob("*") if path.is_file()]
    found = {one for one in sources if f"images/{participant}/" in one}
    assert len(found) == len(expected)
    assert any(one.endswith("clinical.csv") for one in sources)
    assert any(step.what == "snapshot stored" for step in chain.leaves())


def test_what_comes_in_later_changes_nothing_that_an_older_study_saw(place: Path, finished: RunResult) -> None:
    before = {name: (finished.out / name).read_bytes() for name in ("evaluation.json", "report.html")}
    shutil.move(place / "late" / LATE, place / "cohort/images")
    table = place / "cohort/clinical.csv"
    table.write_text(table.read_text().replace(",F,", ",M,"))
    ingest(place / "cohort", store=place / "store")
    again = run(place, "first", query="modality = CT", table="store:clinical.csv")
    assert again.flow == finished.flow
    assert {name: (again.out / name).read_bytes() for name in before} == before
    (news,) = [note for note in again.notes if note.code == "snapshot-older"]
    assert news.found == "since then 1 patients came in, 1 series came in, 1 region sets changed, tables changed"
    assert difference("stored", "", store=place / "store").added_patients == (LATE,)


def test_another_snapshot_name_sees_what_there_is_now(place: Path, finished: RunResult) -> None:
    newer = run(place, "newer", query="modality = CT", snapshot="second", table="store:clinical.csv")
    assert {LATE} == {*newer.flow.included} - {*finished.flow.included}
    named = run(place, "named", snapshot="second", table="store:clinical.csv")
    assert named.flow == newer.flow


def test_who_is_not_in_the_snapshot_takes_no_part_though_no_image_is_needed(place: Path) -> None:
    text = "modality = CT and not patient in (DEMO-001, DEMO-002)"
    clinical = {"predictors": [{"column": "age", "unit": "year", "known_at": "time_zero"}]}
    file = write(place, "clinical.yaml", **{"query": text, "snapshot": "without two", "table": "store:clinical.csv"})
    values = YAML(typ="safe", pure=True).load(file.read_text()) | clinical
    YAML(typ="safe", pure=True).dump(values, file)
    result = run_study(file, out=place / "clinical", store=place / "store")
    left_out = {one.patient_id for one in result.flow.exclusions if one.problem.code == "not-in-snapshot"}
    assert {"DEMO-001", "DEMO-002"} <= left_out
    assert not {"DEMO-001", "DEMO-002"} & {*result.flow.included}


def test_history_draws_each_step_once(place: Path, finished: RunResult) -> None:
    participant = finished.flow.included[0]
    lines = as_lines(history(str(finished.out / "predictions.csv"), store=place / "store", patient=participant))
    assert not any("value without an artefact" in line for line in lines)
    splits = [line for line in lines if "folds of stage split" in line]
    assert len(splits) > 1
    assert all(line.endswith("as above") for line in splits[1:])


def test_a_folder_is_taken_in_on_the_way(place: Path, tmp_path: Path) -> None:
    file = write(place, "way.yaml", images="cohort", query="modality = CT", table="store:clinical.csv")
    result = run_study(file, out=tmp_path / "out", store=tmp_path / "fresh")
    assert result.flow.considered == 41
    assert history(result.flow.included[0], store=tmp_path / "fresh").made_from


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        ({"query": "modality = MR", "table": "store:clinical.csv"}, "query-empty", "modality = MR"),
        ({"query": "modality <> CT", "table": "store:clinical.csv"}, "query-syntax", "modality <"),
        ({"snapshot": "nowhere", "table": "store:clinical.csv"}, "snapshot-unknown", "nowhere"),
        ({"query": "modality = CT", "table": "store:other.csv"}, "table-not-stored", "clinical.csv"),
        ({"images": "cohort/images", "table": "store:clinical.csv"}, "study-file", "beside it"),
    ],
)
def test_a_store_that_lacks_what_the_study_names(place: Path, data: dict[str, str], code: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        run(place, "wrong", **data)
    assert refused.value.problem.code == code
    assert told in str(refused.value.problem)
