"""NIfTI without texts and extensions: voxels and geometry stay."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from prognoscope.core.problems import Refused
from prognoscope.deidentify.nifti import compressed, strip_nifti

VOXELS = np.random.default_rng(2).normal(size=(5, 6, 7)).astype(np.float32)
AFFINE = np.array([[-1.5, 0.1, 0, 10], [0.1, 1.5, 0, 20], [0, 0, 3.0, -30], [0, 0, 0, 1]])


def write(path: Path, kind: type[nib.Nifti1Image]) -> Path:
    image = kind(VOXELS, AFFINE)
    image.header["descrip"] = b"Jane Doe 4711"
    image.header["aux_file"] = b"doe.txt"
    image.header["intent_name"] = b"JANE"
    if kind is nib.Nifti1Image:
        image.header["db_name"] = b"DOE"
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"PatientName=DOE^JANE"))
    nib.save(image, path)
    return path


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_texts_and_extensions_go_and_the_image_stays(tmp_path: Path, kind: type[nib.Nifti1Image], name: str) -> None:
    data = strip_nifti(write(tmp_path / name, kind))
    assert not [word for word in (b"Jane", b"DOE", b"JANE", b"doe") if word in data]
    (tmp_path / "clean.nii").write_bytes(data)
    clean = kind.from_filename(tmp_path / "clean.nii")
    np.testing.assert_array_equal(np.asanyarray(clean.dataobj), VOXELS)
    np.testing.assert_allclose(clean.affine, AFFINE, atol=1e-5)
    assert not clean.header.extensions


def test_the_same_voxels_give_the_same_compressed_bytes(tmp_path: Path) -> None:
    data = strip_nifti(write(tmp_path / "a.nii.gz", nib.Nifti1Image))
    assert compressed(data) == compressed(data)
    assert b"a.nii" not in compressed(data)[:32]
    assert gzip.decompress(compressed(data)) == data


@pytest.mark.parametrize("data", [b"", b"hello", bytes(400), b"\x1f\x8b broken", b"\x5c\x01\0\0" + bytes(400)])
def test_what_is_no_nifti_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.nii").write_bytes(data)
    with pytest.raises(Refused, match="nifti-unreadable"):
        strip_nifti(tmp_path / "a.nii")


def test_voxels_that_begin_beyond_the_file_are_refused(tmp_path: Path) -> None:
    data = bytearray(write(tmp_path / "a.nii", nib.Nifti1Image).read_bytes())
    data[108:112] = np.float32(1e9).tobytes()
    (tmp_path / "a.nii").write_bytes(bytes(data))
    with pytest.raises(Refused, match="voxels begin"):
        strip_nifti(tmp_path / "a.nii")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_bytes_after_the_last_voxel_are_cut_off(tmp_path: Path, packed: bool, kind: Any) -> None:
    path = tmp_path / ("a.nii.gz" if packed else "a.nii")
    voxels = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    data = kind(voxels, np.eye(4)).to_bytes() + b"Jane Doe"
    path.write_bytes(gzip.compress(data) if packed else data)
    stripped = strip_nifti(path)
    assert b"Jane" not in stripped
    np.testing.assert_array_equal(np.asarray(kind.from_bytes(stripped).dataobj), voxels)


def test_an_image_whose_voxels_are_cut_off_is_refused(tmp_path: Path) -> None:
    kind: Any = nib.Nifti1Image
    data = kind(np.zeros((2, 3, 4), np.int16), np.eye(4)).to_bytes()
    (tmp_path / "a.nii").write_bytes(data[:-1])
    with pytest.raises(Refused, match="cut off"):
        strip_nifti(tmp_path / "a.nii")
