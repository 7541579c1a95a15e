"""What lies in Pixel Data beside pixels: overlays in unused bits, appended bytes, comments of compressed frames."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from prognoscope.core.problems import Refused
from prognoscope.deidentify.hidden import AFTER, BITS, COMMENTS, RUNS, clear_hidden, overlays_in_pixels
from prognoscope.deidentify.quiet import quiet
from prognoscope.jobs.deidentify import deidentify
from tests.make.deidentify import BASIC, CT, PROJECT, US, an_object, as_file, save, with_pixels

NOISE = np.random.default_rng(9).integers(0, 4096, (40, 60), dtype=np.uint16)
SECRET = b"ZORVAKLUN JANE"


def drawn(text: str = "ZORVAK") -> NDArray[Any]:
    picture = Image.new("1", (60, 40))
    ImageDraw.Draw(picture).text((2, 12), text, fill=1)
    return np.asarray(picture).astype(np.uint16)


def twelve_bits(values: NDArray[Any], syntax: str = ExplicitVRLittleEndian, **elements: Any) -> Dataset:
    dataset = with_pixels(an_object(CT), values, BitsStored=12, HighBit=11)
    for name, value in elements.items():
        setattr(dataset, name, value)
    return as_file(dataset, syntax)


def declare(dataset: Dataset, bit: int) -> None:
    dataset.add_new(0x60000100, "US", 16)
    dataset.add_new(0x60000102, "US", bit)


def samples(dataset: Dataset) -> NDArray[Any]:
    return np.frombuffer(dataset.PixelData, "<u2").reshape(40, 60)


@pytest.mark.parametrize("bit", [12, 15])
def test_a_name_drawn_into_an_unused_bit_is_gone_and_every_pixel_stays(bit: int) -> None:
    dataset = twelve_bits(NOISE | drawn() << bit)
    before = dataset.pixel_array.copy()
    assert clear_hidden(dataset, overlays=False) == (BITS,)
    np.testing.assert_array_equal(samples(dataset), NOISE)
    np.testing.assert_array_equal(dataset.pixel_array, before)


def test_bits_below_the_image_are_unused_too() -> None:
    dataset = twelve_bits((NOISE << 4) | drawn(), HighBit=15)
    assert clear_hidden(dataset, overlays=False) == (BITS,)
    np.testing.assert_array_equal(samples(dataset), NOISE << 4)


def test_signed_pixels_keep_their_sign() -> None:
    values = np.arange(-2048, 352, dtype=np.int16).reshape(40, 60)
    dataset = twelve_bits(values.view(np.uint16), PixelRepresentation=1)
    assert clear_hidden(dataset, overlays=False) == ()
    dataset.PixelData = (values ^ (drawn() << 14).view(np.int16)).tobytes()
    assert clear_hidden(dataset, overlays=True) == (BITS,)
    np.testing.assert_array_equal(samples(dataset).view(np.int16), values)


def test_big_endian_pixels_are_cleared_in_their_order() -> None:
    dataset = twelve_bits(NOISE, ExplicitVRBigEndian)
    dataset.PixelData = (NOISE | drawn() << 15).astype(">u2").tobytes()
    assert clear_hidden(dataset, overlays=False) == (BITS,)
    assert dataset.PixelData == NOISE.astype(">u2").tobytes()


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_a_name_in_the_unused_bits_of_compressed_pixels_is_gone(syntax: str) -> None:
    dataset = as_file(with_pixels(an_object(CT), NOISE | drawn() << 15))
    dataset.compress(syntax, generate_instance_uid=False)
    dataset.BitsStored, dataset.HighBit = 12, 11
    assert clear_hidden(dataset, overlays=False) == (BITS,)
    assert not dataset.file_meta.TransferSyntaxUID.is_compressed
    np.testing.assert_array_equal(samples(dataset), NOISE)


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless, JPEGLSLossless])
def test_compressed_pixels_in_which_nothing_hides_keep_their_bytes(syntax: str) -> None:
    dataset = twelve_bits(NOISE)
    dataset.compress(syntax, generate_instance_uid=False)
    before = dataset.PixelData
    assert clear_hidden(dataset, overlays=False) == ()
    assert dataset.PixelData == before


def test_an_overlay_in_a_bit_of_the_image_itself_is_in_doubt() -> None:
    dataset = twelve_bits(NOISE)
    declare(dataset, 11)
    with pytest.raises(Refused, match="pixels-in-doubt"):
        overlays_in_pixels(dataset)


def test_an_overlay_with_data_of_its_own_lies_in_no_pixel() -> None:
    dataset = twelve_bits(NOISE)
    assert not overlays_in_pixels(dataset)
    declare(dataset, 15)
    assert overlays_in_pixels(dataset)
    dataset.add_new(0x60003000, "OW", b"\0" * 300)
    assert not overlays_in_pixels(dataset)


def test_bytes_after_the_last_pixel_are_cut_off() -> None:
    dataset = twelve_bits(NOISE)
    dataset.PixelData += SECRET
    assert clear_hidden(dataset, overlays=False) == (AFTER,)
    assert dataset.PixelData == NOISE.tobytes()


@pytest.mark.parametrize("change", [{"Rows": 41}, {"Rows": None}, {"BitsAllocated": 12}, {"HighBit": 3}])
def test_pixels_whose_layout_does_not_fit_are_refused(change: dict[str, Any]) -> None:
    dataset = twelve_bits(NOISE, **change)
    with pytest.raises(Refused, match="dicom-pixels"):
        clear_hidden(dataset, overlays=False)


def jpeg_frame() -> tuple[bytes, NDArray[np.uint8]]:
    stream = io.BytesIO()
    Image.fromarray((NOISE >> 4).astype(np.uint8)).save(stream, "JPEG", comment=SECRET)
    with Image.open(io.BytesIO(stream.getvalue())) as image:
        return stream.getvalue(), np.asarray(image)


def in_frames(frames: list[bytes], syntax: str) -> Dataset:
    dataset = with_pixels(an_object(US), (NOISE >> 4).astype(np.uint8))
    dataset.NumberOfFrames = len(frames)
    dataset = as_file(dataset, syntax)
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    return dataset


@pytest.mark.parametrize("tail", [b"", SECRET])
def test_comments_of_jpeg_frames_and_what_follows_them_go_and_the_pixels_stay(tail: bytes) -> None:
    frame, values = jpeg_frame()
    dataset = in_frames([frame + tail, frame], JPEGBaseline8Bit)
    assert SECRET in dataset.PixelData
    assert clear_hidden(dataset, overlays=False) == (COMMENTS,)
    assert SECRET not in dataset.PixelData
    np.testing.assert_array_equal(dataset.pixel_array, [values, values])


def test_comments_of_jpeg_2000_frames_are_blanked() -> None:
    plain = twelve_bits(NOISE)
    plain.compress(JPEG2000Lossless, generate_instance_uid=False)
    (frame,) = generate_frames(plain.PixelData, number_of_frames=1)
    place = frame.index(b"\xff\x90\x00\x0a")  # before the first tile-part
    comment = b"\xff\x64" + (len(SECRET) + 4).to_bytes(2, "big") + b"\0\1" + SECRET
    plain.PixelData = encapsulate([frame[:place] + comment + frame[place:] + SECRET])
    plain["PixelData"].is_undefined_length = True
    assert clear_hidden(plain, overlays=False) == (COMMENTS,)
    assert SECRET not in plain.PixelData
    np.testing.assert_array_equal(plain.pixel_array, NOISE)


def test_a_frame_that_nobody_counts_does_not_travel() -> None:
    frame, _ = jpeg_frame()
    dataset = in_frames([frame, SECRET + frame], JPEGBaseline8Bit)
    dataset.NumberOfFrames = 1
    clear_hidden(dataset, overlays=False)
    assert SECRET not in dataset.PixelData


def test_a_broken_frame_is_refused() -> None:
    frame, _ = jpeg_frame()
    with pytest.raises(Refused, match="dicom-pixels"):
        clear_hidden(in_frames([frame[:-40]], JPEGBaseline8Bit), overlays=False)


def test_the_whole_way_through_the_command(tmp_path: Path) -> None:
    dataset = twelve_bits(NOISE | drawn() << 15)
    declare(dataset, 15)
    dataset.add_new(0x7FE00040, "LO", "ZORVAK")
    save(dataset, tmp_path / "in" / "a.dcm")
    done = deidentify(tmp_path / "in", tmp_path / "out", options=BASIC, project=PROJECT)
    (path,) = (tmp_path / "out").rglob("*.dcm")
    after = dcmread(path)
    np.testing.assert_array_equal(samples(after), NOISE)
    assert 0x60000100 not in after
    assert 0x7FE00040 not in after
    assert BITS in [row["name"] for row in done.report["actions"]]


@pytest.mark.parametrize(
    "values",
    [
        NOISE,
        NOISE.astype(np.uint8),
        np.stack([NOISE.astype(np.uint8)] * 3, axis=-1),
        np.stack([np.stack([NOISE.astype(np.uint8)] * 3, axis=-1)] * 2),
    ],
)
def test_bytes_between_and_after_the_segments_of_run_lengths_go_and_the_pixels_stay(values: NDArray[Any]) -> None:
    dataset = as_file(with_pixels(an_object(US), values))
    dataset.compress(RLELossless, generate_instance_uid=False)
    count = int(dataset.get("NumberOfFrames") or 1)
    frames = [frame + SECRET for frame in generate_frames(dataset.PixelData, number_of_frames=count)]
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].is_undefined_length = True
    with quiet():
        assert clear_hidden(dataset, overlays=False) == (RUNS,)
    assert SECRET not in dataset.PixelData
    np.testing.assert_array_equal(dataset.pixel_array, values)


@pytest.mark.parametrize("number", ["100", "102.1", "104", "106", "108"])
def test_a_film_is_refused_since_nobody_can_search_its_stream(number: str) -> None:
    with pytest.raises(Refused, match="dicom-video"):
        clear_hidden(in_frames([b"\0\0\1\xb3" + SECRET], f"1.2.840.10008.1.2.4.{number}"), overlays=False)


def test_a_colour_profile_of_a_jpeg_frame_goes() -> None:
    stream = io.BytesIO()
    Image.fromarray((NOISE >> 4).astype(np.uint8)).save(stream, "JPEG", icc_profile=SECRET)
    dataset = in_frames([stream.getvalue()], JPEGBaseline8Bit)
    assert clear_hidden(dataset, overlays=False) == (COMMENTS,)
    assert SECRET not in dataset.PixelData
