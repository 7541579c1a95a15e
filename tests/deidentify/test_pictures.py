"""JPEG and PNG without metadata: the picture's own bytes stay."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from prognoscope.core.problems import Refused
from prognoscope.deidentify.pictures import strip_picture

NOISE = np.random.default_rng(1).integers(0, 255, (40, 60, 3), dtype=np.uint8)
EXIF = Image.Exif()
EXIF[0x010E] = "Jane Doe"  # ImageDescription
EXIF[0x9286] = "MRN 4711"  # UserComment


def jpeg(**settings: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(NOISE).save(stream, "JPEG", exif=EXIF, comment=b"taken of Jane Doe", **settings)
    return stream.getvalue()


def png() -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("Patient", "Jane Doe")
    text.add_itxt("Comment", "Jane Doe", zip=True)
    stream = io.BytesIO()
    Image.fromarray(NOISE).save(stream, "PNG", pnginfo=text, exif=EXIF)
    return stream.getvalue()


def stripped(data: bytes, tmp_path: Path) -> bytes:
    (tmp_path / "picture").write_bytes(data)
    return strip_picture(tmp_path / "picture")[0]


@pytest.mark.parametrize("data", [jpeg(), jpeg(progressive=True), jpeg(subsampling=2), png()])
def test_metadata_go_and_the_picture_stays(data: bytes, tmp_path: Path) -> None:
    clean = stripped(data, tmp_path)
    assert b"Jane" not in clean
    assert b"MRN" not in clean
    assert b"Exif" not in clean
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(clean)) as after:
        np.testing.assert_array_equal(np.asarray(before), np.asarray(after))
        assert not after.getexif()


def test_the_compressed_data_of_a_jpeg_keep_their_bytes(tmp_path: Path) -> None:
    data = jpeg()
    scan = data[data.index(b"\xff\xda") :]
    assert stripped(data, tmp_path).endswith(scan)


def test_what_follows_the_end_of_a_picture_goes(tmp_path: Path) -> None:
    for data in (jpeg(), png()):
        assert b"DOE" not in stripped(data + b"DOE^JANE", tmp_path)


def test_a_clean_picture_is_left_as_it_is(tmp_path: Path) -> None:
    once = stripped(jpeg(), tmp_path)
    assert stripped(once, tmp_path) == once


@pytest.mark.parametrize("data", [jpeg()[:200], jpeg()[:-50], png()[:60], png()[:-20], b"GIF89a" + bytes(50)])
def test_a_picture_that_is_cut_off_or_no_picture_is_refused(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="picture-unreadable"):
        stripped(data, tmp_path)


def test_a_picture_with_a_changed_chunk_is_refused(tmp_path: Path) -> None:
    data = bytearray(png())
    data[data.index(b"IHDR") + 6] ^= 1
    with pytest.raises(Refused, match="checksum"):
        stripped(bytes(data), tmp_path)
