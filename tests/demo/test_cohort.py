"""A demo cohort on disk: real DICOM that our reader and pydicom read, and a table with ordinary flaws."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pydicom
import pytest

from prognoscope.core.hashing import of_file
from prognoscope.core.images import ImageIndex
from prognoscope.core.problems import Refused
from prognoscope.demo import Truth, write_cohort
from prognoscope.demo.truth import draw_patient
from prognoscope.sources import read_mask, read_table, read_volume, scan

PATIENTS, SEED = 12, 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cohort")


@pytest.fixture(scope="module")
def truth(folder: Path) -> Truth:
    return write_cohort(folder, patients=PATIENTS, seed=SEED)


@pytest.fixture(scope="module")
def index(folder: Path, truth: Truth) -> ImageIndex:
    return scan(folder / "images")


def test_every_series_and_structure_set_is_read_without_a_note(index: ImageIndex) -> None:
    assert index.refused == ()
    assert index.set_aside == ()
    assert len(index.series) == len(index.region_sets) == PATIENTS - 2 + 1
    assert all(series.notes == () for series in index.series)
    assert all(found.regions == ("GTV", "Body") for found in index.region_sets)


def test_scanners_and_centres_stand_in_the_headers(index: ImageIndex) -> None:
    assert {series.centre for series in index.series} <= {"North Hospital", "River Clinic", "South Institute"}
    assert all(series.scanner and series.manufacturer for series in index.series)
    assert all(series.unit == "HU" and series.modality == "CT" for series in index.series)


def test_the_contour_holds_the_true_volume(folder: Path, index: ImageIndex) -> None:
    """Voxels of 12 to 15 mm³: the mask's volume is the outline's within 3 % for each lesion and 1 % on average."""
    sets = {found.series_uid: found for found in index.region_sets}
    ratios = []
    for series in index.series:
        mask = read_mask(folder / "images", sets[series.uid], "GTV", series)
        number = int(series.patient_id.removeprefix("DEMO-")) - 1
        true = draw_patient(SEED, number).lesion.volume_ml
        ratios.append(mask.count * mask.grid.voxel_volume_mm3 / 1000 / true)
    assert np.abs(np.array(ratios) - 1).max() < 0.03
    assert np.mean(ratios) == pytest.approx(1, abs=0.01)


def test_the_scan_is_a_limb_with_a_lesion_and_not_noise(folder: Path, index: ImageIndex) -> None:
    sets = {found.series_uid: found for found in index.region_sets}
    for series in index.series:
        volume = read_volume(folder / "images", series).voxels
        lesion = read_mask(folder / "images", sets[series.uid], "GTV", series).voxels
        body = read_mask(folder / "images", sets[series.uid], "Body", series).voxels
        assert np.median(volume[~body]) < -950  # air
        assert volume.max() > 900  # bone
        assert 30 < np.median(volume[body]) < 80  # muscle
        assert (volume[body] < -60).mean() > 0.05  # fat
        assert 20 < volume[lesion].mean() < 130  # enhancing soft tissue
        assert body[lesion].all()
        # Neighbouring voxels of tissue resemble each other; those of white noise do not.
        pairs = np.corrcoef(volume[:, :, :-1][lesion[:, :, :-1]], volume[:, :, 1:][lesion[:, :, :-1]])
        assert pairs[0, 1] > 0.15


def test_the_table_has_a_row_for_each_patient_and_ordinary_flaws(folder: Path, truth: Truth, index: ImageIndex) -> None:
    table = read_table(folder / "clinical.csv")
    assert tuple(table["patient_id"]) == truth.patient_ids
    assert len(truth.without_images) == 2
    assert len(truth.without_row) == 1
    with_images = set(index.patients)
    assert set(truth.patient_ids) - with_images == set(truth.without_images)
    assert with_images - set(truth.patient_ids) == set(truth.without_row)
    assert set(table["grade"]) <= {"Low", "Intermediate", "High"}
    assert set(table["dead_730d"].dropna()) <= {"0", "1"}


def test_table_and_truth_tell_of_the_same_patients(folder: Path, truth: Truth) -> None:
    table = read_table(folder / "clinical.csv")
    for number, row in table.iterrows():
        patient = draw_patient(SEED, int(str(number)))
        assert row["time_days"] == str(patient.time_days)
        assert row["event"] == str(int(patient.event))
        dead = patient.dead_by_horizon
        assert row["dead_730d"] == (None if dead is None else str(int(dead)))
        assert truth.risks[patient.number] == patient.risk


def test_the_truth_is_written_beside_the_table(folder: Path, truth: Truth) -> None:
    kept = json.loads((folder / "truth.json").read_text())
    assert kept["best_auc"] == truth.best_auc
    assert kept["risks"] == list(truth.risks)
    with (folder / "truth.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["patient_id"] for row in rows] == list(truth.patient_ids)
    assert float(rows[0]["risk"]) == pytest.approx(truth.risks[0], rel=1e-5)


def test_pydicom_reads_what_was_written(folder: Path, index: ImageIndex) -> None:
    """Another reader, with every warning an error, sees the same pixels and the same rules kept."""
    series = index.series[0]
    volume = read_volume(folder / "images", series).voxels
    for number, path in enumerate(series.files):
        file = pydicom.dcmread(folder / "images" / path)
        np.testing.assert_array_equal(file.pixel_array + float(file.RescaleIntercept), volume[number])
        assert file.file_meta.MediaStorageSOPInstanceUID == file.SOPInstanceUID
        assert file.file_meta.FileMetaInformationGroupLength > 100
        assert str(file)
    contours = pydicom.dcmread(folder / "images" / index.region_sets[0].file)
    named = {entry.ReferencedSOPInstanceUID for entry in contours.ROIContourSequence[0].ContourSequence[0][0x30060016]}
    assert named <= {pydicom.dcmread(folder / "images" / path).SOPInstanceUID for path in series.files}
    assert str(contours)


def test_the_same_seed_gives_the_same_bytes(folder: Path, truth: Truth, tmp_path: Path) -> None:
    again = write_cohort(tmp_path / "again", patients=PATIENTS, seed=SEED)
    assert again == truth
    first = {path.relative_to(folder): of_file(path) for path in folder.rglob("*") if path.is_file()}
    second = {
        path.relative_to(tmp_path / "again"): of_file(path)
        for path in (tmp_path / "again").rglob("*")
        if path.is_file()
    }
    assert first == second


def test_a_folder_with_files_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(Refused) as caught:
        write_cohort(tmp_path)
    assert caught.value.problem.code == "demo-folder-in-use"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_handful_of_patients_is_too_few(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        write_cohort(tmp_path / "new", patients=9)
    assert caught.value.problem.code == "demo-too-small"
    assert not (tmp_path / "new").exists()
