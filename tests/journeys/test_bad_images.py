"""A study on images of which some are broken: each is named with its patient, and nobody else is lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pydicom
import pytest
from pydicom.dataset import FileDataset
from ruamel.yaml import YAML

from prognoscope.core.problems import Refused
from prognoscope.demo import write_cohort
from prognoscope.study.demo import STUDY
from prognoscope.study.run import RunResult, run_study

pytestmark = pytest.mark.slow
QUICK = {"folds": 2, "repeats": 1, "inner": 2, "resamples": 200, "refits": 20}


def edit(path: Path, change: Callable[[FileDataset], None]) -> None:
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)


def slices(patient: Path) -> list[Path]:
    return sorted((patient / "CT").iterdir(), key=lambda path: float(pydicom.dcmread(path).ImagePositionPatient[2]))


def truncated(patient: Path) -> None:
    path = slices(patient)[4]
    path.write_bytes(path.read_bytes()[:-1000])


def slice_missing(patient: Path) -> None:
    slices(patient)[8].unlink()


def slice_twice(patient: Path) -> None:
    def another(dataset: FileDataset) -> None:
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID + ".9"
        dataset.PixelData = bytes(len(dataset.PixelData))

    copy = shutil.copy(slices(patient)[8], patient / "CT" / "again.dcm")
    edit(Path(copy), another)


def slice_turned(patient: Path) -> None:
    edit(slices(patient)[5], lambda dataset: setattr(dataset, "ImageOrientationPatient", [0, 1, 0, 1, 0, 0]))


def contours(patient: Path, change: Callable[[FileDataset, int], None]) -> None:
    def gtv(dataset: FileDataset) -> None:
        numbers = {roi.ROIName: roi.ROINumber for roi in dataset.StructureSetROISequence}
        for position, roi in enumerate(dataset.ROIContourSequence):
            if roi.ReferencedROINumber == numbers["GTV"]:
                change(dataset, position)

    edit(patient / "RTSTRUCT.dcm", gtv)


def contour_empty(patient: Path) -> None:
    contours(patient, lambda dataset, position: delattr(dataset.ROIContourSequence[position], "ContourSequence"))


def contour_outside(patient: Path) -> None:
    def move(dataset: FileDataset, position: int) -> None:
        for contour in dataset.ROIContourSequence[position].ContourSequence:
            contour.ContourData = [
                float(value) + (4000.0 if place % 3 == 0 else 0.0) for place, value in enumerate(contour.ContourData)
            ]

    contours(patient, move)


# The problem's code, and what makes it.
BREAKS: dict[str, Callable[[Path], None]] = {
    "dicom-truncated": truncated,
    "missing-slices": slice_missing,
    "volumes-not-separable": slice_twice,
    "mixed-orientations": slice_turned,
    "region-empty": contour_empty,
    "region-outside-image": contour_outside,
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A cohort in which one participant each is broken, and which patient has which fault."""
    folder = tmp_path_factory.mktemp("broken")
    write_cohort(folder / "cohort", patients=44, seed=5)
    table = pd.read_csv(folder / "cohort/clinical.csv", dtype=str)
    with_images = sorted(path.name for path in (folder / "cohort/images").iterdir())
    usable = [name for name in with_images if name in set(table["patient_id"])]
    patients = dict(zip(BREAKS, usable[3::4], strict=False))
    for fault, patient in patients.items():
        BREAKS[fault](folder / "cohort/images" / patient)
    values = YAML(typ="safe", pure=True).load(STUDY.replace("SEED", "1"))
    values |= {"models": {"try": ["elastic-net-logistic"]}, "validate": QUICK}
    YAML(typ="safe", pure=True).dump(values, folder / "study.yaml")
    return folder, patients


@pytest.fixture(scope="module")
def finished(broken: tuple[Path, dict[str, str]]) -> RunResult:
    return run_study(broken[0] / "study.yaml", out=broken[0] / "out")


@pytest.mark.parametrize("fault", BREAKS)
def test_each_fault_excludes_its_patient_by_name(
    broken: tuple[Path, dict[str, str]], finished: RunResult, fault: str
) -> None:
    patient = broken[1][fault]
    (exclusion,) = [one for one in finished.flow.exclusions if one.patient_id == patient]
    assert exclusion.problem.code == fault
    assert patient in exclusion.problem.subject
    assert exclusion.problem.remedy


def test_nobody_else_is_lost(broken: tuple[Path, dict[str, str]], finished: RunResult) -> None:
    expected = {"no-images", "no-table-row", "followed-too-short"}
    others = {one.problem.code for one in finished.flow.exclusions if one.patient_id not in broken[1].values()}
    assert others <= expected
    assert finished.flow.considered == len(finished.flow.included) + len(finished.flow.exclusions)


def test_a_damaged_file_is_noted_although_nobody_is_excluded_for_it(broken: tuple[Path, dict[str, str]]) -> None:
    folder = broken[0]
    (folder / "cohort/images/lost.dcm").write_bytes(
        next((folder / "cohort/images").rglob("000.dcm")).read_bytes()[:300]
    )
    result = run_study(folder / "study.yaml", out=folder / "noted")
    (folder / "cohort/images/lost.dcm").unlink()
    (note,) = [note for note in result.notes if note.code == "dicom-truncated"]
    assert note.subject == "2 files were left aside"
    assert "lost.dcm" in note.found
    assert "lost.dcm" in (folder / "noted/report.html").read_text()


def test_two_patients_under_one_id_are_refused_with_their_rows(broken: tuple[Path, dict[str, str]]) -> None:
    folder = broken[0]
    lines = (folder / "cohort/clinical.csv").read_text().splitlines()
    (folder / "cohort/twice.csv").write_text("\n".join([*lines, lines[3]]) + "\n")
    text = (folder / "study.yaml").read_text().replace("clinical.csv", "twice.csv")
    (folder / "twice.yaml").write_text(text)
    with pytest.raises(Refused, match=lines[3].split(",")[0]):
        run_study(folder / "twice.yaml", out=folder / "twice")
