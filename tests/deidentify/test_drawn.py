"""Slices of CT, MR and PET: read only where something is drawn into them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.uid import ExplicitVRBigEndian, JPEGLSLossless

from prognoscope.deidentify.burned import as_picture, saturation
from prognoscope.deidentify.drawn import looks_drawn
from prognoscope.deidentify.pixels import must_read
from tests.make.deidentify import CT, an_object, as_file, with_pixels

SLICE = np.random.default_rng(6).gamma(2.0, 200.0, (256, 256)).astype(np.uint16)


def drawn(values: NDArray[Any], ink: int, size: int = 16) -> NDArray[Any]:
    mask = Image.new("1", values.shape[::-1])
    ImageDraw.Draw(mask).text((10, 20), "ZORVAK JANE", fill=1, font=ImageFont.load_default(size=size))
    return np.where(np.asarray(mask), ink, values).astype(values.dtype)


@pytest.mark.parametrize("ink", [2000, 4095, 60_000])
@pytest.mark.parametrize("size", [12, 16, 40])
def test_letters_of_one_bright_value_look_drawn(ink: int, size: int) -> None:
    values = np.minimum(SLICE, 3000)
    values[0, :2] = 3000, 2999
    assert looks_drawn(drawn(values, ink, size))


def test_measured_values_do_not_look_drawn() -> None:
    assert not looks_drawn(SLICE)
    assert not looks_drawn(SLICE.astype(np.int16) - 1024)


def test_metal_that_saturates_is_a_blob_and_not_a_stroke() -> None:
    values = SLICE.copy()
    values[100:140, 90:150] = 4095
    assert not looks_drawn(values)


@pytest.mark.parametrize(
    "values", [np.zeros((8, 8), np.uint16), np.full((8, 8), 7, np.int16), np.eye(64, dtype=np.uint16)]
)
def test_empty_and_tiny_slices_do_not_look_drawn(values: NDArray[Any]) -> None:
    assert not looks_drawn(values)


@pytest.mark.parametrize(("said", "read"), [("", True), ("NO", False)])
def test_a_ct_with_letters_is_read_unless_it_says_that_there_are_none(said: str, read: bool) -> None:
    dataset = with_pixels(an_object(CT, BurnedInAnnotation=said), drawn(SLICE, 4095))
    assert must_read(as_file(dataset)) is read


def test_letters_in_one_frame_of_many_count_in_either_order_of_bytes() -> None:
    frames = np.stack([SLICE, drawn(SLICE, 4095), SLICE])
    assert must_read(as_file(with_pixels(an_object(CT), frames)))
    assert must_read(as_file(with_pixels(an_object(CT), frames.byteswap()), ExplicitVRBigEndian))
    assert not must_read(as_file(with_pixels(an_object(CT), frames[::2])))


def test_compressed_slices_are_not_looked_at() -> None:
    dataset = as_file(with_pixels(an_object(CT), drawn(SLICE, 4095)))
    dataset.compress(JPEGLSLossless)
    assert not must_read(dataset)


def test_a_hot_cell_does_not_make_everything_else_one_grey() -> None:
    values = drawn(SLICE % 100, 150)
    values[200, 200] = 65_535
    picture = as_picture(values)
    assert picture.std() > 20


def test_red_letters_on_grey_of_their_brightness_stand_out() -> None:
    grey = np.full((20, 20, 3), 85, np.uint8)
    grey[5:9, 5:9] = 255, 0, 0
    assert saturation(grey)[6, 6].tolist() == [255, 255, 255]
    assert saturation(grey)[0, 0].tolist() == [0, 0, 0]
