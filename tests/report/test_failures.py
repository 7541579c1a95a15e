"""Error analysis on the page: groups a tree found, the largest errors, neighbours and thumbnails."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from prognoscope.core.geometry import Grid, Mask, Volume
from prognoscope.report import Failures, Neighbour, Thumbnail, WorstCase, render, thumbnail
from prognoscope.report.failures import slices_in_words
from prognoscope.validation import Slice
from tests.make.evaluation import evaluation, without_curves
from tests.make.report import content

GROUP = Slice("site = south and age > 48.5", 118, 0.065, 0.023, 0.004)
ANYONE = Slice("site = north", 180, 0.03, 0.04, 1.0)


def page(failures: Failures | None) -> str:
    return render(replace(content(without_curves(evaluation())), failures=failures))


def test_a_confirmed_group_is_named_with_its_error_and_p_value() -> None:
    text = page(Failures((GROUP, ANYONE)))
    assert "1 group found in half of the patients and confirmed in the other half" in text
    assert "the worst where site = south and age &gt; 48.5" in text
    assert re.search(r"<td data-label=\"p\">0\.004</td>", text)


def test_groups_that_chance_explains_are_said_to_be_none() -> None:
    assert "none was worse than chance allows" in slices_in_words(Failures((ANYONE,)))


def test_too_few_patients_and_nobody_asking_are_two_things() -> None:
    assert "too few patients" in slices_in_words(Failures(searched=False))
    assert slices_in_words(Failures(searched=None)) == ""
    assert "Groups in which it errs more" not in page(Failures(searched=None))
    assert "Groups in which it errs more" not in page(None)


def test_the_worst_cases_stand_with_neighbours_and_pictures_inside_the_page() -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(6, 8)
    case = WorstCase(
        "STS_007",
        0.93,
        False,
        (Neighbour("STS_011", 0.4, True), Neighbour("STS_012", float("nan"), None)),
        (Thumbnail("PET, slice with most of the tumour", pixels),),
    )
    text = page(Failures(worst=(case,)))
    assert "<b>STS_007</b>: risk 93 of 100, the event did not happen" in text
    assert "STS_011: the event happened, distance 0.40; STS_012: the event is not known." in text
    address = re.search(r'src="data:image/png;base64,([^"]+)" alt="PET, slice with most of the tumour"', text)
    assert address is not None
    np.testing.assert_array_equal(np.array(Image.open(io.BytesIO(base64.b64decode(address[1])))), pixels)
    assert "img-src data:" in text  # the page's own policy allows no other picture


def test_a_patient_s_name_cannot_leave_its_place() -> None:
    text = page(Failures(worst=(WorstCase("<img src=x>", 0.5, True),)))
    assert "<img src=x>" not in text


@pytest.fixture
def lesion() -> tuple[Volume, Mask]:
    """Voxels of 4 × 1 × 2 mm with a lesion in slice 2."""
    grid = Grid((5, 40, 30), (4.0, 1.0, 2.0))
    voxels = np.zeros(grid.shape, dtype=np.float32)
    inside = np.zeros(grid.shape, dtype=bool)
    inside[2, 10:20, 5:15] = True
    inside[3, 10:12, 5:7] = True
    voxels[inside] = 100.0
    return Volume(voxels, grid), Mask(inside, grid)


def test_a_thumbnail_shows_the_slice_with_most_of_the_region_and_half_as_much_around(
    lesion: tuple[Volume, Mask],
) -> None:
    made = thumbnail(*lesion, caption="CT").pixels
    # rows 5 to 24 of 1 mm and columns 0 to 19 of 2 mm: 20 × 40 mm, so half as high as wide
    assert made.shape == (64, 128)
    assert made.dtype == np.uint8
    bright = made > 128
    assert bright.mean() == pytest.approx(0.25, abs=0.02)
    assert bright[32, 64]
    assert not bright[:14].any()


def test_without_a_region_the_middle_slice_is_shown_whole(lesion: tuple[Volume, Mask]) -> None:
    volume, mask = lesion
    assert thumbnail(volume, None, caption="CT").pixels.shape == (85, 128)
    empty = Mask(np.zeros(mask.grid.shape, dtype=bool), mask.grid)
    np.testing.assert_array_equal(
        thumbnail(volume, empty, caption="CT").pixels, thumbnail(volume, None, caption="CT").pixels
    )


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_a_picture_of_one_value_is_black_and_no_warning(value: float) -> None:
    grid = Grid((1, 4, 4), (1.0, 1.0, 1.0))
    made = thumbnail(Volume(np.full(grid.shape, value, dtype=np.float32), grid), None, caption="flat").pixels
    assert (made == 0).all()
