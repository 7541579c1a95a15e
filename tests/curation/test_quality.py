"""A volume that is fit passes every check; each fault is told by its own name."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from prognoscope.core.geometry import Grid, Mask, Volume
from prognoscope.core.images import ImageSeries
from prognoscope.curation import check, check_coverage, same_pixels, thumbnail
from prognoscope.curation.quality import measure

SHAPE = (20, 32, 32)


def voxels(seed: int = 1) -> NDArray[np.float32]:
    """A bright ball in noise of 5 units."""
    z, y, x = np.indices(SHAPE)
    ball = 100.0 * (((z - 10) / 8) ** 2 + ((y - 16) / 12) ** 2 + ((x - 16) / 12) ** 2 < 1)
    return np.asarray(ball + np.random.default_rng(seed).normal(0, 5, SHAPE), dtype=np.float32)


def codes(array: NDArray[np.float32], spacing: float = 3.0) -> list[str]:
    grid = Grid(array.shape, (spacing, 1.0, 1.0))
    return [problem.code for problem in check(series(grid), Volume(array, grid))]


def series(grid: Grid) -> ImageSeries:
    return ImageSeries("P1", "CT", "1.2", "1", "1.9", "venous", None, "HU", grid, (), ())


def test_a_fit_volume_passes() -> None:
    assert codes(voxels()) == []


def test_an_image_without_contrast() -> None:
    assert codes(np.full(SHAPE, 7, dtype=np.float32)) == ["image-empty"]


def test_a_saturated_image() -> None:
    assert codes(np.minimum(voxels(), 90).astype(np.float32)) == ["image-saturated"]


def test_a_ct_that_was_cut_off_below() -> None:
    assert codes(np.maximum(voxels(), 0).astype(np.float32)) == ["image-clipped"]
    outside = np.where(voxels() < -5, -1024, voxels()).astype(np.float32)  # what a scanner writes outside its field
    assert "image-clipped" not in codes(outside)


def test_slices_that_show_nothing() -> None:
    array = voxels()
    array[12:] = 0
    assert "slices-empty" in codes(array)


def test_a_foreign_slice() -> None:
    array = voxels()
    array[7] += 4000
    assert "slice-departs" in codes(array)


def test_needles_for_voxels() -> None:
    assert codes(voxels(), spacing=25.0) == ["voxels-long"]


def test_noise_is_that_which_was_added() -> None:
    noise = np.random.default_rng(2).normal(0, 5, SHAPE).astype(np.float32)
    assert measure(Volume(noise, Grid(SHAPE, (1.0, 1.0, 1.0)))).noise == pytest.approx(5.0, rel=0.03)


@pytest.mark.parametrize(("slices", "told"), [((0, 3), "first"), ((15, 20), "last"), ((0, 20), "first and the last")])
def test_a_region_that_reaches_the_edge(slices: tuple[int, int], told: str) -> None:
    grid = Grid(SHAPE, (3.0, 1.0, 1.0))
    inside = np.zeros(SHAPE, dtype=bool)
    inside[slice(*slices), 5:9, 5:9] = True
    (problem,) = check_coverage(series(grid), Mask(inside, grid), region="GTV")
    assert problem.code == "region-at-edge"
    assert told in problem.found


def test_the_same_pixels_under_two_ids_but_not_twice_under_one() -> None:
    found = same_pixels([("A", "1", "x"), ("B", "2", "x"), ("C", "3", "y"), ("C", "4", "y")])
    assert [(one.code, one.subject) for one in found] == [
        ("pixels-of-two-patients", "series 1"),
        ("pixels-of-two-patients", "series 2"),
    ]


def test_a_thumbnail_is_a_small_png() -> None:
    picture = Image.open(BytesIO(thumbnail(Volume(voxels(), Grid(SHAPE, (3.0, 1.0, 1.0))))))
    assert (picture.format, picture.size) == ("PNG", (32, 32))


def test_an_image_that_drowns_in_noise() -> None:
    """White noise alone: its contrast is 4.65 standard deviations, of which the noise is 21 %."""
    noise = np.random.default_rng(2).normal(0, 5, SHAPE).astype(np.float32)
    assert codes(noise) == ["image-noisy"]


SAGITTAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))  # the slices follow each other from right to left


@pytest.mark.parametrize(
    ("modality", "told"), [("CT", ["orientation-unusual"]), ("PT", ["orientation-unusual"]), ("MR", [])]
)
def test_slices_along_the_body_are_usual_for_mr_only(modality: str, told: list[str]) -> None:
    grid = Grid(SHAPE, (3.0, 1.0, 1.0), direction=SAGITTAL)
    problems = check(replace(series(grid), modality=modality), Volume(voxels(), grid))
    assert [problem.code for problem in problems] == told
