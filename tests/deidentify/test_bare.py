"""Files of old archives that begin with the dataset: no preamble, and perhaps no file meta information."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGLSLossless

from prognoscope.jobs.deidentify import Deidentified, deidentify
from tests.make.deidentify import PROJECT, RESEARCH, an_object, save, with_pixels

PIXELS = (257 * np.arange(12)).astype(np.uint16).reshape(3, 4)  # the same in either order of bytes


def bare(folder: Path, syntax: str, *, meta: bool) -> Path:
    dataset = with_pixels(an_object(SeriesDescription="chest of Jane Doe"), PIXELS)
    path = save(dataset, folder / "in" / "a.dcm", syntax)
    data = path.read_bytes()
    length = int.from_bytes(data[140:144], "little")
    path.write_bytes(data[132:] if meta else data[144 + length :])
    return path


def run(folder: Path) -> Deidentified:
    return deidentify(folder / "in", folder / "out", options=RESEARCH, project=PROJECT)


@pytest.mark.parametrize("meta", [True, False])
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_file_without_preamble_comes_out_clean_and_whole(tmp_path: Path, syntax: str, meta: bool) -> None:
    bare(tmp_path, syntax, meta=meta)
    done = run(tmp_path)
    assert done.report["written"]["files"] == 1
    (path,) = (tmp_path / "out").rglob("*.dcm")
    clean = dcmread(path)  # without force: it has a preamble now
    assert clean.file_meta.TransferSyntaxUID == syntax
    assert clean.SeriesDescription == "chest of"
    assert clean.pixel_array.ravel().tolist() == PIXELS.ravel().tolist()


def test_compressed_pixels_without_a_word_on_how_are_held_back(tmp_path: Path) -> None:
    dataset = with_pixels(an_object(), np.arange(1024, dtype=np.uint16).reshape(32, 32))
    path = save(dataset, tmp_path / "in" / "a.dcm")
    read = dcmread(path)
    read.compress(JPEGLSLossless)
    read.save_as(path)
    data = path.read_bytes()
    path.write_bytes(data[144 + int.from_bytes(data[140:144], "little") :])
    done = run(tmp_path)
    assert done.report["held_back"]["by_reason"] == {"dicom-unreadable": 1}


@pytest.mark.parametrize(
    "data", [b"\x08\0" + b"x" * 200, b"\x08\0\xff\xff\x04\0\0\0" * 30, b"\x08\0\x05\0\xff\xff\xff\x7f" * 30]
)
def test_bytes_that_only_begin_like_an_element_are_no_dataset(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dat").write_bytes(data)
    done = run(tmp_path)
    assert done.report["written"]["files"] == 0
    assert done.report["held_back"]["by_reason"] == {"dicom-unreadable": 1}
