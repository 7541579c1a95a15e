"""Stored bits → values: rescale per slice, signs, compression, frames."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import UID, RLELossless

from prognoscope.core.images import ImageSeries
from prognoscope.core.problems import Refused
from prognoscope.sources import read_volume, scan
from tests.make import dicom
from tests.make.store import slice_bytes

Voxels = NDArray[np.float32]


def only(folder: Path) -> ImageSeries:
    index = scan(folder)
    assert index.refused == ()
    assert len(index.series) == 1
    return index.series[0]


def read(folder: Path) -> Voxels:
    return read_volume(folder, only(folder)).voxels


def test_every_slice_has_its_own_slope_and_intercept(tmp_path: Path) -> None:
    def rescale(number: int, file: FileDataset) -> None:
        file.RescaleSlope, file.RescaleIntercept = str(number + 1), str(-10 * number)

    stored = dicom.write_series(tmp_path, modality="MR", edit=rescale)
    expected = stored * np.arange(1, 7)[:, None, None] - 10 * np.arange(6)[:, None, None]
    np.testing.assert_array_equal(read(tmp_path), expected)


def test_twelve_stored_bits_with_rubbish_above_them(tmp_path: Path) -> None:
    """-5 in 12 bits is 0xFFB; scanners leave an overlay or nothing in the four bits above."""

    def twelve(_: int, file: FileDataset) -> None:
        file.BitsStored, file.HighBit, file.PixelRepresentation = 12, 11, 1
        words = np.full((10, 12), 0x0FFB, "<u2")
        words[0, 0] = 0x3FFB
        words[0, 1] = 0x0007
        file.PixelData = words.tobytes()

    dicom.write_series(tmp_path, edit=twelve)
    voxels = read(tmp_path)
    assert voxels[0, 0, 0] == voxels[0, 5, 5] == -5
    assert voxels[0, 0, 1] == 7


def test_twelve_unsigned_bits_at_the_top_of_the_word(tmp_path: Path) -> None:
    def high(_: int, file: FileDataset) -> None:
        file.BitsStored, file.HighBit, file.PixelRepresentation = 12, 15, 0
        file.PixelData = np.full((10, 12), 0xFFF3, "<u2").tobytes()

    dicom.write_series(tmp_path, edit=high)
    assert (read(tmp_path) == 4095).all()


def test_measured_values_of_monochrome1_are_not_inverted(tmp_path: Path) -> None:
    stored = dicom.write_series(
        tmp_path, edit=lambda _, file: setattr(file, "PhotometricInterpretation", "MONOCHROME1")
    )
    np.testing.assert_array_equal(read(tmp_path), stored)


def test_eight_bits(tmp_path: Path) -> None:
    def eight(number: int, file: FileDataset) -> None:
        file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 8, 8, 7, 0
        file.PixelData = np.full((10, 12), 250 + number % 2, np.uint8).tobytes()

    dicom.write_series(tmp_path, modality="MR", edit=eight)
    assert (read(tmp_path)[:, 0, 0] == [250, 251, 250, 251, 250, 251]).all()


def test_implicit_encoding_and_no_preamble(tmp_path: Path) -> None:
    stored = dicom.write_series(tmp_path / "dicom")
    import pydicom

    for path in (tmp_path / "dicom").iterdir():
        file = pydicom.dcmread(path)
        del file.file_meta
        file.preamble = None
        file.save_as(path, enforce_file_format=False, implicit_vr=True, little_endian=True)
        assert path.read_bytes()[:4] == b"\x08\x00\x05\x00"
    np.testing.assert_array_equal(read(tmp_path), stored)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"])
def test_uncompressed_syntaxes(tmp_path: Path, syntax: str) -> None:
    """Implicit, big endian and deflated."""

    def encode(number: int, file: FileDataset) -> None:
        file.file_meta.TransferSyntaxUID = UID(syntax)
        if syntax == "1.2.840.10008.1.2.2":
            file.PixelData = stored[number].astype(">i2").tobytes()
            file["PixelData"].VR = "OW"

    stored = np.arange(720, dtype=np.int16).reshape(6, 10, 12) - 300
    dicom.write_series(tmp_path, voxels=stored, edit=encode)
    np.testing.assert_array_equal(read(tmp_path), stored)


@pytest.mark.parametrize(
    ("syntax", "signed"),
    [
        ("1.2.840.10008.1.2.5", True),  # RLE
        ("1.2.840.10008.1.2.5", False),
        ("1.2.840.10008.1.2.4.80", False),  # JPEG-LS lossless, of which pyjpegls writes no signed one
        ("1.2.840.10008.1.2.4.90", True),  # JPEG 2000 lossless
        ("1.2.840.10008.1.2.4.90", False),
    ],
)
def test_lossless_compression_gives_the_same_values(tmp_path: Path, syntax: str, *, signed: bool) -> None:
    stored = np.arange(3 * 40 * 48).reshape(3, 40, 48).astype(np.int16) * 5 - (10000 if signed else 0)

    def compress(_: int, file: FileDataset) -> None:
        file.PixelRepresentation = int(signed)
        file.compress(UID(syntax), generate_instance_uid=False)

    dicom.write_series(tmp_path, voxels=stored, edit=compress)
    np.testing.assert_array_equal(read(tmp_path), stored)


def test_jpeg_lossless_by_gdcm(tmp_path: Path) -> None:
    """The process that most archives use; written and read by GDCM, which no Python encoder replaces."""
    import gdcm

    stored = dicom.write_series(tmp_path, slices=4)
    for path in tmp_path.iterdir():
        reader = gdcm.ImageReader()
        reader.SetFileName(str(path))
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(str(path))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
    np.testing.assert_array_equal(read(tmp_path), stored)


def test_a_damaged_stream_is_refused_by_file(tmp_path: Path) -> None:
    def spoil(number: int, file: FileDataset) -> None:
        file.compress(UID("1.2.840.10008.1.2.4.90"), generate_instance_uid=False)
        if number == 2:
            file.PixelData = encapsulate([b"\xff\x4f\xff\x51 nothing of the kind"])

    dicom.write_series(tmp_path, slices=3, rows=40, columns=48, edit=spoil)
    with pytest.raises(Refused) as caught:
        read(tmp_path)
    assert caught.value.problem.code == "pixels-undecodable"
    assert caught.value.problem.subject == "077.bin"


def test_frames_of_an_enhanced_file_in_any_order(tmp_path: Path) -> None:
    places = [6.0, 0.0, 9.0, 3.0]
    frames = np.array(places, np.uint16)[:, None, None] * 10 + np.zeros((4, 5, 6), np.uint16)
    dicom.write_enhanced(
        tmp_path / "enhanced.dcm", frames, positions=[(1.0, 2.0, z) for z in places], slopes=[1, 2, 1, 1]
    )
    series = only(tmp_path)
    assert series.grid.spacing == pytest.approx((3.0, 0.8, 0.7))
    assert series.grid.origin == pytest.approx((1.0, 2.0, 0.0))
    assert read(tmp_path)[:, 0, 0].tolist() == [0.0, 30.0, 60.0, 90.0]


def test_two_b_values_in_one_enhanced_file_are_two_volumes(tmp_path: Path) -> None:
    places = [0.0, 3.0, 6.0] * 2
    frames = np.arange(6, dtype=np.uint16)[:, None, None] + np.zeros((6, 5, 6), np.uint16)
    dicom.write_enhanced(
        tmp_path / "dwi.dcm",
        frames,
        positions=[(0.0, 0.0, z) for z in places],
        slopes=[1] * 6,
        b_values=[0, 0, 0, 800, 800, 800],
    )
    index = scan(tmp_path)
    assert [series.uid for series in index.series] == ["1.2.3#b-value 0", "1.2.3#b-value 800"]
    values = [read_volume(tmp_path, series).voxels[:, 0, 0].tolist() for series in index.series]
    assert values == [[0, 1, 2], [3, 4, 5]]


def test_frames_that_the_header_does_not_describe_are_refused(tmp_path: Path) -> None:
    def wrong(number: int, file: FileDataset) -> None:
        file.NumberOfFrames = 2
        file.PixelData = file.PixelData * 2

    dicom.write_series(tmp_path, slices=3, edit=wrong)
    index = scan(tmp_path)
    assert index.series == ()
    assert index.refused[0].problem.code == "geometry-missing"


def test_a_file_that_changed_since_the_folder_was_read(tmp_path: Path) -> None:
    dicom.write_series(tmp_path)
    series = only(tmp_path)
    path = tmp_path / series.files[2]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(Refused) as caught:
        read_volume(tmp_path, series)
    assert caught.value.problem.code == "file-changed"
    assert caught.value.problem.subject == series.files[2]


@pytest.mark.parametrize(("keyword", "value"), [("BitsStored", 17), ("HighBit", 3), ("BitsAllocated", 64)])
def test_impossible_bits_are_refused(tmp_path: Path, keyword: str, value: int) -> None:
    def wrong(_: int, file: FileDataset) -> None:
        file.PixelData = file.PixelData * 4
        setattr(file, keyword, value)

    dicom.write_series(tmp_path, edit=wrong)
    with pytest.raises(Refused) as caught:
        read(tmp_path)
    assert caught.value.problem.code == "pixels-undecodable"


def test_a_decoder_that_gives_up_is_told_as_pixels_that_cannot_be_decoded(tmp_path: Path) -> None:
    """A repeat of 128 values where a plane has 16: the decoder, written in Rust, panics instead of raising an error."""
    (tmp_path / "in").mkdir()
    for number in range(3):
        file = pydicom.dcmread(BytesIO(slice_bytes("P1", number)))
        file.compress(RLELossless)
        frame = bytearray(next(generate_frames(file.PixelData, number_of_frames=1)))
        frame[64] = 0x81
        file.PixelData = encapsulate([bytes(frame)])
        file.save_as(tmp_path / f"in/{number}.dcm", enforce_file_format=True)
    (series,) = scan(tmp_path / "in").series
    with pytest.raises(Refused) as refused:
        read_volume(tmp_path / "in", series)
    assert refused.value.problem.code == "pixels-undecodable"
