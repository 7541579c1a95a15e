"""NIfTI files → volumes and masks: the affine rules."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from prognoscope.core.problems import Problem, Refused
from prognoscope.sources import read_mask, read_nifti, read_nifti_mask, read_volume, scan

nib: Any = nibabel  # most of it has no types
RAS = np.diag([0.7, 0.8, 3.0, 1.0])


def save(path: Path, voxels: ArrayLike, affine: NDArray[np.float64] = RAS, *, code: int = 1) -> Path:
    image = nib.Nifti1Image(np.asarray(voxels), affine)
    image.set_sform(affine, code=code)
    image.set_qform(None, code=0)
    nib.save(image, path)
    return path


def problem(call: object, *arguments: object, **named: object) -> Problem:
    with pytest.raises(Refused) as caught:
        call(*arguments, **named)  # type: ignore[operator]
    return caught.value.problem


def test_a_world_of_ras_becomes_lps(tmp_path: Path) -> None:
    voxels = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    volume = read_nifti(save(tmp_path / "a.nii.gz", voxels))
    assert volume.grid.shape == (4, 3, 2)
    assert volume.grid.spacing == pytest.approx((3.0, 0.8, 0.7))
    # Array index (1, 2, 3) lies at RAS (0.7, 1.6, 9): in LPS (-0.7, -1.6, 9).
    place = np.rint(volume.grid.indices([-0.7, -1.6, 9.0])).astype(int)
    assert volume.voxels[tuple(place)] == voxels[1, 2, 3]
    # The array's axes are turned to left, posterior and superior.
    np.testing.assert_allclose(volume.grid.direction, [[0, 0, 1], [0, 1, 0], [1, 0, 0]], atol=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_every_voxel_keeps_its_place_whatever_the_axes(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    voxels = rng.normal(size=(4, 5, 6)).astype(np.float32)
    affine = np.eye(4)
    turn = Rotation.random(random_state=seed).as_matrix() * rng.choice([-1, 1])
    affine[:3, :3] = turn @ np.diag([1.0, 2.0, 3.0])
    affine[:3, 3] = rng.normal(size=3) * 50
    volume = read_nifti(save(tmp_path / "a.nii", voxels, affine))
    indices = np.array(list(np.ndindex(voxels.shape)))
    ras = indices @ affine[:3, :3].T + affine[:3, 3]
    places = np.rint(volume.grid.indices(ras * [-1, -1, 1])).astype(int)
    np.testing.assert_array_equal(volume.voxels[tuple(places.T)], voxels.ravel())
    assert np.diag(np.array(volume.grid.direction)[:, ::-1]).min() > 0


def test_two_files_of_one_image_with_swapped_axes_are_one_volume(tmp_path: Path) -> None:
    voxels = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    swap = RAS[:, [2, 0, 1, 3]]
    first = read_nifti(save(tmp_path / "a.nii", voxels))
    second = read_nifti(save(tmp_path / "b.nii", voxels.transpose(2, 0, 1), swap))
    assert first.grid.same_as(second.grid)
    np.testing.assert_array_equal(first.voxels, second.voxels)


def test_scaled_values_are_read_as_meant(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.full((3, 3, 3), 7, np.int16), RAS)
    image.header.set_slope_inter(0.5, -10)
    nib.save(image, tmp_path / "a.nii")
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    stored = np.frombuffer(raw[352:354], "<i2")[0]
    assert read_nifti(tmp_path / "a.nii").voxels[0, 0, 0] == stored * 0.5 - 10


def test_micrometres_become_millimetres(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((3, 3, 3), np.float32), np.diag([700.0, 800.0, 3000.0, 1.0]))
    image.header.set_xyzt_units("micron")
    nib.save(image, tmp_path / "a.nii")
    assert read_nifti(tmp_path / "a.nii").grid.spacing == pytest.approx((3.0, 0.8, 0.7))


def test_sform_and_qform_that_differ_are_refused_in_mm(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros((3, 3, 3), np.float32), RAS)
    moved = RAS.copy()
    moved[0, 3] = 5.0
    image.set_sform(RAS, code=1)
    image.set_qform(moved, code=1)
    nib.save(image, tmp_path / "a.nii")
    found = problem(read_nifti, tmp_path / "a.nii")
    assert found.code == "nifti-forms-differ"
    assert "5.00 mm apart" in found.found


def test_without_any_valid_form_the_place_is_unknown(tmp_path: Path) -> None:
    assert (
        problem(read_nifti, save(tmp_path / "a.nii", np.zeros((3, 3, 3), np.float32), code=0)).code == "nifti-no-place"
    )


def test_a_sheared_image_is_refused_with_its_angle(tmp_path: Path) -> None:
    affine = RAS.copy()
    affine[0, 2] = 3.0 * np.tan(np.radians(10))
    found = problem(read_nifti, save(tmp_path / "a.nii", np.zeros((3, 3, 3), np.float32), affine))
    assert found.code == "nifti-sheared"
    assert "80.0 degrees" in found.found


def test_a_series_of_volumes_in_one_file_is_refused(tmp_path: Path) -> None:
    found = problem(read_nifti, save(tmp_path / "a.nii", np.zeros((3, 3, 3, 2), np.float32)))
    assert found.code == "nifti-not-3d"
    assert read_nifti(save(tmp_path / "b.nii", np.zeros((3, 3, 3, 1), np.float32))).grid.shape == (3, 3, 3)


@pytest.mark.parametrize("content", [b"", b"\0" * 400, b"\x1f\x8b\x08\0 broken", b"not an image"])
def test_what_is_no_nifti_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.nii.gz").write_bytes(content)
    found = problem(read_nifti, tmp_path / "a.nii.gz")
    assert found.code == "nifti-unreadable"
    assert "a.nii.gz" in found.subject
    assert problem(read_nifti, tmp_path / "none.nii").code == "nifti-unreadable"


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", np.zeros((20, 20, 20), np.float32))
    path.write_bytes(path.read_bytes()[:5000])
    assert problem(read_nifti, path).code == "nifti-unreadable"


def test_a_header_that_claims_a_billion_voxels_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", np.zeros((3, 3, 3), np.float32))
    raw = bytearray(path.read_bytes())
    raw[40:48] = np.array([3, 32000, 32000, 32000], "<i2").tobytes()
    path.write_bytes(raw)
    assert problem(read_nifti, path).code == "nifti-too-large"


@pytest.mark.parametrize("name", ["claims.nii", "claims.nii.gz"])
def test_a_header_that_claims_more_than_the_file_can_hold_is_refused_before_room_is_made(
    tmp_path: Path, name: str
) -> None:
    path = save(tmp_path / name, np.zeros((4, 4, 4), dtype=np.float32))
    data = bytearray(gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes())
    data[42:48] = np.array([1000, 1000, 500], dtype="<i2").tobytes()
    path.write_bytes(gzip.compress(bytes(data)) if name.endswith("gz") else bytes(data))
    assert "its header says 2,000,000,000 bytes" in problem(read_nifti, path).found


@pytest.mark.parametrize(
    ("values", "precise"),
    [
        (np.arange(27, dtype=np.int32) + 1_000_000_000, False),
        (np.arange(27, dtype=np.float64) * 1e300, False),
        (np.arange(27, dtype=np.float64) + 16_000_000, True),
        (np.arange(27, dtype=np.int32) * 40_000_000, True),
        (np.where(np.arange(27) < 3, np.nan, np.linspace(0, 1, 27)), True),
        (np.full(27, np.nan), True),
    ],
    ids=["counted from a billion", "beyond single precision", "whole and below 2^24", "wide", "gaps", "nothing"],
)
def test_values_whose_differences_single_precision_loses_are_refused(
    tmp_path: Path, values: NDArray[np.float64], precise: bool
) -> None:
    path = save(tmp_path / "a.nii", values.reshape(3, 3, 3))
    if precise:
        np.testing.assert_allclose(np.sort(read_nifti(path).voxels, axis=None), np.sort(values), rtol=1e-6)
    else:
        assert problem(read_nifti, path).code == "nifti-imprecise"


def test_labels_within_a_hundredth_are_rounded(tmp_path: Path) -> None:
    values = np.zeros((4, 4, 4), np.float32)
    values[1:3, 1:3, 1:3] = 0.9999
    assert read_nifti_mask(save(tmp_path / "a.nii", values)).count == 8


def test_probabilities_are_no_labels(tmp_path: Path) -> None:
    values = np.zeros((4, 4, 4), np.float32)
    values[0, 0, 0] = 0.6
    found = problem(read_nifti_mask, save(tmp_path / "a.nii", values))
    assert found.code == "label-not-whole"
    assert "0.6" in found.found
    values[0, 0, 0] = np.nan
    assert problem(read_nifti_mask, save(tmp_path / "a.nii", values)).code == "label-not-whole"


def test_several_labels_need_a_choice(tmp_path: Path) -> None:
    values = np.zeros((4, 4, 4), np.uint8)
    values[0], values[1] = 1, 5
    path = save(tmp_path / "a.nii", values)
    found = problem(read_nifti_mask, path)
    assert found.code == "label-choice"
    assert "1, 5" in found.found
    assert read_nifti_mask(path, label=5).count == 16
    assert problem(read_nifti_mask, path, label=2).code == "label-unknown"


def test_a_mask_without_voxels_is_refused(tmp_path: Path) -> None:
    assert problem(read_nifti_mask, save(tmp_path / "a.nii", np.zeros((4, 4, 4), np.uint8))).code == "empty-mask"


@pytest.mark.real_data
def test_the_ct_phantom_is_the_same_from_dicom_and_from_nifti() -> None:
    """IBSI's CT phantom is published in both forms; contours and label image were made by the publisher."""
    root = Path(os.environ["PROGNOSCOPE_DATA"]) / "ibsi/ibsi_1_ct_radiomics_phantom"
    index = scan(root / "dicom")
    volume = read_volume(root / "dicom", index.series[0])
    mask = read_mask(root / "dicom", index.region_sets[0], "GTV-1", index.series[0])
    image, labels = read_nifti(root / "nifti/image/phantom.nii.gz"), read_nifti_mask(root / "nifti/mask/mask.nii.gz")
    assert volume.grid.same_as(image.grid)
    np.testing.assert_array_equal(volume.voxels, image.voxels)
    assert mask.count == 125_256
    np.testing.assert_array_equal(mask.voxels, labels.voxels)
