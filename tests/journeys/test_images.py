"""`prognoscope run` and `predict` on DICOM: read once, measured once, wrong images refused by name."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pydicom
import pytest
from ruamel.yaml import YAML

from prognoscope.core.problems import Refused
from prognoscope.demo import write_cohort
from prognoscope.study.demo import STUDY
from prognoscope.study.init import init_study
from prognoscope.study.predict import predict_source
from prognoscope.study.run import RunResult, run_study
from prognoscope.study.stages.failures import WORST

pytestmark = pytest.mark.slow
SMALL = {"folds": 3, "repeats": 1, "inner": 2, "resamples": 200, "refits": 20}


class Counting:
    """The serial map, counting what it computed by label."""

    def __init__(self) -> None:
        self.computed: dict[str, int] = {}

    def __call__(self, function: Callable[[Any], Any], items: Sequence[Any], *, label: str) -> Iterator[Any]:
        for item in items:
            self.computed[label] = self.computed.get(label, 0) + 1
            yield function(item)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small cohort of CT scans and its study file."""
    folder = tmp_path_factory.mktemp("images")
    write_cohort(folder / "cohort", patients=40, seed=3)
    study(folder, ["elastic-net-logistic"])
    return folder


def study(folder: Path, models: list[str], *, name: str = "study.yaml") -> Path:
    values = YAML(typ="safe", pure=True).load(STUDY.replace("SEED", "1"))
    values |= {"models": {"try": models}, "validate": SMALL}
    YAML(typ="safe", pure=True).dump(values, folder / name)
    return folder / name


def run(place: Path, *, name: str = "study.yaml", out: str = "out", **more: Any) -> tuple[RunResult, dict[str, int]]:
    counting = Counting()
    result = run_study(place / name, out=place / out, store=place / "store", mapper=counting, **more)
    return result, counting.computed


@pytest.fixture(scope="module")
def finished(place: Path) -> RunResult:
    return run(place)[0]


def test_clinical_and_imaging_predictors_are_compared_on_the_same_folds(finished: RunResult) -> None:
    assert list(finished.evaluation["models"]) == ["all", "clinical", "imaging"]
    assert {one["reference"] for one in finished.evaluation["comparisons"]} == {"clinical", "imaging"}


def test_the_flow_counts_who_has_no_images_and_who_has_no_row(finished: RunResult) -> None:
    reasons = {one["reason"]: one["n"] for one in finished.evaluation["flow"]["excluded"]}
    assert reasons["no-images"] == 2
    assert reasons["no-table-row"] == 1
    assert finished.evaluation["flow"]["considered"] == 41


def test_the_worst_cases_are_shown_with_their_regions(finished: RunResult) -> None:
    page = (finished.out / "report.html").read_text()
    section = page[page.index("The largest errors") :]
    assert section.count("data:image/png;base64,") == WORST
    assert sum(patient in section for patient in finished.flow.included) >= WORST


def test_with_other_models_no_image_is_read_again(place: Path, finished: RunResult) -> None:
    study(place, ["random-forest"], name="forest.yaml")
    _, computed = run(place, name="forest.yaml", out="forest")
    assert set(computed) == {"folds", "refits"}


def test_one_new_patient_measures_one_patient(place: Path, finished: RunResult, tmp_path: Path) -> None:
    patient = sorted((place / "cohort" / "images").iterdir())[0]
    moved = shutil.move(patient, tmp_path)
    shutil.rmtree(place / "fresh", ignore_errors=True)
    counting = Counting()
    run_study(place / "study.yaml", out=place / "fewer", store=place / "fresh", mapper=counting)
    measured = counting.computed["measure images"]
    shutil.move(moved, patient)
    counting = Counting()
    run_study(place / "study.yaml", out=place / "fewer", store=place / "fresh", mapper=counting)
    assert measured > 20
    assert counting.computed["measure images"] == 1
    assert counting.computed["read headers"] == 1


def test_a_moved_folder_is_known_again(place: Path, finished: RunResult, tmp_path: Path) -> None:
    shutil.copytree(place / "cohort", tmp_path / "cohort")
    shutil.copy(place / "study.yaml", tmp_path)
    counting = Counting()
    run_study(tmp_path / "study.yaml", out=tmp_path / "out", store=place / "store", mapper=counting)
    assert set(counting.computed) == {"read headers"}


def test_verify_finds_one_changed_byte_behind_an_unchanged_size_and_time(place: Path, finished: RunResult) -> None:
    participant = finished.flow.included[0]
    slices = sorted(path for path in (place / "cohort/images" / participant).rglob("*") if path.is_file())
    target = next(path for path in slices if "PixelData" in pydicom.dcmread(path))
    before, state = target.read_bytes(), target.stat()
    before_hash = hashlib.sha256(before).hexdigest()
    changed = bytearray(before)
    changed[-200] ^= 1
    target.write_bytes(changed)
    os.utime(target, ns=(state.st_atime_ns, state.st_mtime_ns))
    try:
        trusting, computed = run(place, out="trusting")
        assert computed == {}
        verified, computed = run(place, out="verified", verify=True)
        (note,) = [note for note in verified.notes if note.code == "file-changed-silently"]
        assert note.subject == target.relative_to(place / "cohort/images").as_posix()
        assert computed["measure images"] == 1
        assert (trusting.out / "run.json").read_text().count(before_hash) == 1
        assert before_hash not in (verified.out / "run.json").read_text()
    finally:
        target.write_bytes(before)
        os.utime(target, ns=(state.st_atime_ns, state.st_mtime_ns))
        run(place, out="verified", verify=True)


def test_one_patients_folder_is_predicted_with_the_table_above_it(place: Path, finished: RunResult) -> None:
    participant = finished.flow.included[0]
    told = predict_source(
        finished.out / "bundle", place / "cohort/images" / participant, table=place / "cohort/clinical.csv"
    )
    (row,) = told.rows
    assert row.patient_id == participant
    assert 0 <= row.low <= row.high <= 1


def test_a_whole_source_keeps_a_row_for_everyone(place: Path, finished: RunResult) -> None:
    told = predict_source(finished.out / "bundle", place / "cohort")
    reasons = {row.patient_id: row.reason for row in told.rows if row.abstained}
    without = [one.patient_id for one in finished.flow.exclusions if one.problem.code == "no-images"]
    assert len(told.rows) == 41
    assert all("no images" in reasons[patient] for patient in without)


def test_a_bundle_given_the_wrong_modality_names_what_it_needs(
    place: Path, finished: RunResult, tmp_path: Path
) -> None:
    source = place / "cohort/images" / finished.flow.included[0]
    for number, path in enumerate(path for path in source.rglob("*") if path.is_file()):
        dataset = pydicom.dcmread(path)
        if dataset.Modality == "CT":
            dataset.Modality = "MR"
            dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = pydicom.uid.MRImageStorage
        dataset.save_as(tmp_path / f"{number}.dcm")
    with pytest.raises(Refused, match=r"the bundle needs CT \(CT\) with region GTV") as refused:
        predict_source(finished.out / "bundle", tmp_path)
    assert refused.value.problem.code == "wrong-modality"


def test_a_region_that_nothing_matches_excludes_everyone_with_the_names_there_are(place: Path) -> None:
    text = (place / "study.yaml").read_text().replace("GTV", "PTV*")
    (place / "ptv.yaml").write_text(text)
    with pytest.raises(Refused, match=r"there are: Body, GTV.*region-unmatched") as refused:
        run(place, name="ptv.yaml", out="ptv")
    assert refused.value.problem.code == "no-participants"


def test_ids_that_do_not_join_name_the_nearest(place: Path) -> None:
    table = (place / "cohort/clinical.csv").read_text().replace("DEMO-", "DEMO")
    (place / "cohort/other.csv").write_text(table)
    (place / "other.yaml").write_text((place / "study.yaml").read_text().replace("clinical.csv", "other.csv"))
    try:
        with pytest.raises(Refused, match=r"the nearest ID .* DEMO") as refused:
            run(place, name="other.yaml", out="other")
    finally:
        (place / "cohort/other.csv").unlink()
    assert refused.value.problem.code == "no-participants"


def test_init_writes_a_study_that_says_which_line_is_missing(place: Path, tmp_path: Path) -> None:
    written = init_study(place / "cohort", out=tmp_path / "study.yaml")
    text = written.path.read_text()
    assert '- {image: CT, region: "GTV"}' in text
    assert written.missing
    with pytest.raises(Refused, match="WRITE_THE_COLUMN"):
        run_study(written.path, out=tmp_path / "out")
    written.path.write_text(text.replace("WRITE_THE_COLUMN", "dead_730d").replace("WRITE_THE_VALUE", "1"))
    small = (
        written.path.read_text()
        .replace(
            "validate: {folds: 5, repeats: 5, inner: 3, resamples: 2000}",
            "validate: {folds: 2, repeats: 1, inner: 2, resamples: 200, refits: 20}",
        )
        .replace("models: {choose: inner}", "models: {try: [elastic-net-logistic]}")
    )
    written.path.write_text(small)
    assert run_study(written.path, out=tmp_path / "out").evaluation["outcome"]["n"] > 30
