"""PET values become SUV only from what the header states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import FileDataset
from pydicom.sequence import Sequence as Items

from prognoscope.core.images import ImageIndex
from prognoscope.core.problems import Problem
from prognoscope.sources import read_volume, scan
from tests.make import dicom

HALF_LIFE_S = 6588.0


def pet(
    *,
    units: str = "BQML",
    correction: str = "START",
    injected: dict[str, str] | None = None,
    dose: str | None = "370000000",
    weight: str | None = "74",
    half_life: str | None = "6588",
    series: tuple[str, str] = ("20240131", "101500"),
) -> dicom.Edit:
    def edit(_: int, file: FileDataset) -> None:
        file.Units, file.DecayCorrection = units, correction
        file.SeriesDate, file.SeriesTime = series
        file.AcquisitionDate, file.AcquisitionTime = series
        if weight:
            file.PatientWeight = weight
        drug = dicom.item(**(injected or {"RadiopharmaceuticalStartTime": "091500"}))
        if dose:
            drug.RadionuclideTotalDose = dose
        if half_life:
            drug.RadionuclideHalfLife = half_life
        file.RadiopharmaceuticalInformationSequence = Items([drug])

    return edit


def written(folder: Path, edit: dicom.Edit) -> ImageIndex:
    dicom.write_series(folder, modality="PT", voxels=np.full((3, 4, 4), 1000, np.int16), edit=edit)
    return scan(folder)


def suv(folder: Path, edit: dicom.Edit) -> float:
    index = written(folder, edit)
    assert index.refused == ()
    assert index.series[0].unit == "SUV"
    return float(read_volume(folder, index.series[0]).voxels[0, 0, 0])


def problem(folder: Path, edit: dicom.Edit) -> Problem:
    index = written(folder, edit)
    assert index.series == ()
    return index.refused[0].problem


def test_values_in_gml_are_suv_as_they_stand(tmp_path: Path) -> None:
    assert suv(tmp_path, pet(units="GML", dose=None, weight=None)) == 1000


def test_decay_from_the_injection_to_the_scan(tmp_path: Path) -> None:
    # 1000 Bq/ml · 74,000 g / (370 MBq · 2^(-3600 s / 6588 s)), worked out by hand: 0.2 · 1.46052 = 0.29210.
    assert suv(tmp_path, pet()) == pytest.approx(0.2 * 2 ** (3600 / HALF_LIFE_S), rel=1e-6)
    assert pytest.approx(0.29210, abs=5e-5) == 0.2 * 2 ** (3600 / HALF_LIFE_S)


def test_values_corrected_to_the_injection_need_no_decay(tmp_path: Path) -> None:
    assert suv(tmp_path, pet(correction="ADMIN")) == pytest.approx(0.2)


@pytest.mark.parametrize(
    "injected",
    [{"RadiopharmaceuticalStartTime": "233000"}, {"RadiopharmaceuticalStartDateTime": "20240130233000.00"}],
)
def test_injected_before_midnight_and_scanned_after_it(tmp_path: Path, injected: dict[str, str]) -> None:
    edit = pet(injected=injected, series=("20240131", "003000"))
    assert suv(tmp_path, edit) == pytest.approx(0.2 * 2 ** (3600 / HALF_LIFE_S), rel=1e-6)


def test_a_reconstruction_made_later_counts_from_the_first_acquisition(tmp_path: Path) -> None:
    base = pet(series=("20240131", "180000"))

    def later(number: int, file: FileDataset) -> None:
        base(number, file)
        file.AcquisitionDate, file.AcquisitionTime = "20240131", f"10{15 + number:02d}00"

    assert suv(tmp_path, later) == pytest.approx(0.2 * 2 ** (3600 / HALF_LIFE_S), rel=1e-6)


@pytest.mark.parametrize(
    ("edit", "attribute"),
    [
        (pet(dose=None), "RadionuclideTotalDose (0018,1074)"),
        (pet(weight=None), "PatientWeight (0010,1030)"),
        (pet(half_life=None), "RadionuclideHalfLife (0018,1075)"),
        (pet(injected={"Radiopharmaceutical": "FDG"}), "RadiopharmaceuticalStartDateTime (0018,1078)"),
        (pet(correction=""), "DecayCorrection (0054,1102)"),
        (pet(units=""), "Units (0054,1001)"),
        (pet(series=("", "")), "SeriesDate and SeriesTime"),
    ],
)
def test_a_missing_attribute_is_named(tmp_path: Path, edit: dicom.Edit, attribute: str) -> None:
    found = problem(tmp_path, edit)
    assert found.code == "suv-attribute-missing"
    assert attribute in found.found
    assert "series 1.2.3 of patient P1" in found.subject


def test_counts_without_the_vendors_factor_are_refused(tmp_path: Path) -> None:
    found = problem(tmp_path, pet(units="CNTS"))
    assert found.code == "suv-units"
    assert "'CNTS'" in found.found


def test_counts_with_philips_factor(tmp_path: Path) -> None:
    base = pet(units="CNTS")

    def philips(number: int, file: FileDataset) -> None:
        base(number, file)
        block = file.private_block(0x7053, "Philips PET Private Group", create=True)
        block.add_new(0x00, "DS", "0.005")

    assert suv(tmp_path, philips) == pytest.approx(5.0)


def test_injection_after_the_scan_is_refused(tmp_path: Path) -> None:
    found = problem(tmp_path, pet(injected={"RadiopharmaceuticalStartDateTime": "20240131111500"}))
    assert found.code == "suv-times"
    assert "2024-01-31 11:15" in found.found


@pytest.mark.parametrize("dose", ["0", "-1"])
def test_an_impossible_dose_is_refused(tmp_path: Path, dose: str) -> None:
    assert problem(tmp_path, pet(dose=dose)).code == "suv-units"


def test_slices_that_disagree_about_the_dose_are_refused(tmp_path: Path) -> None:
    other = pet(dose="360000000")

    def mixed(number: int, file: FileDataset) -> None:
        (other if number == 1 else pet())(number, file)

    assert problem(tmp_path, mixed).code == "suv-headers-differ"


def test_lean_body_suv_is_a_unit_of_its_own(tmp_path: Path) -> None:
    base = pet(units="GML")

    def lean(number: int, file: FileDataset) -> None:
        base(number, file)
        file.SUVType = "LBM"

    assert written(tmp_path, lean).series[0].unit == "SUVlbm"
