"""Moran's I and Geary's C against sums over all pairs, and the coarse grid against the exact one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from prognoscope.core.geometry import Grid, Mask, Triple, Volume
from prognoscope.radiomics import Prepared, RadiomicsSettings, prepare
from prognoscope.radiomics.autocorrelation import autocorrelation, coarsening
from tests.make.radiomics import ball, lesion

STATED_ERROR = 1e-4


def prepared(volume: Volume, mask: Mask) -> Prepared:
    return prepare(volume, mask, RadiomicsSettings(), modality="OT")


def over_all_pairs(volume: Volume, mask: Mask) -> tuple[float, float]:
    places = np.argwhere(mask.voxels) * np.array(mask.grid.spacing)
    x = volume.voxels[mask.voxels].astype(float)
    mean, n = x.mean(), len(x)
    weights = products = squares = 0.0
    for i, j in itertools.permutations(range(n), 2):
        w = 1 / float(np.linalg.norm(places[i] - places[j]))
        weights += w
        products += w * (x[i] - mean) * (x[j] - mean)
        squares += w * (x[i] - x[j]) ** 2
    spread = float(((x - mean) ** 2).sum())
    return n / weights * products / spread, (n - 1) / (2 * weights) * squares / spread


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (3.0, 0.7, 0.9)])
def test_a_small_region_is_summed_exactly(spacing: Triple) -> None:
    volume, mask = lesion((6, 7, 5), radius=2.6, spacing=spacing)
    assert autocorrelation(prepared(volume, mask)) == pytest.approx(over_all_pairs(volume, mask), rel=1e-5)


def textured(shape: tuple[int, int, int], spacing: Triple, smoothness: int, seed: int) -> Prepared:
    random = np.random.default_rng(seed)
    voxels = random.normal(size=shape)
    for _ in range(smoothness):
        voxels = np.mean([np.roll(voxels, shift, axis) for axis in range(3) for shift in (-1, 0, 1)], axis=0)
    inside = ball(shape, min(shape) * 0.48) & (random.random(shape) < 0.95)
    grid = Grid(shape, spacing)
    return prepared(Volume(voxels.astype(np.float32), grid), Mask(inside, grid))


@pytest.mark.parametrize("smoothness", [0, 2, 20])
@pytest.mark.parametrize(
    ("shape", "spacing"),
    [((30, 34, 32), (1.0, 1.0, 1.0)), ((48, 44, 46), (1.0, 1.0, 1.0)), ((24, 60, 60), (3.27, 0.98, 0.98))],
)
def test_a_coarse_grid_stays_within_the_stated_error(
    shape: tuple[int, int, int], spacing: Triple, smoothness: int
) -> None:
    region = textured(shape, spacing, smoothness, seed=smoothness)
    assert coarsening(region.intensities.shape, spacing) != (1, 1, 1)
    assert autocorrelation(region) == pytest.approx(autocorrelation(region, exact=True), abs=STATED_ERROR)


def test_an_axis_of_long_steps_is_not_made_coarser() -> None:
    assert coarsening((30, 60, 60), (3.0, 1.0, 1.0)) == (1, 3, 3)
    assert coarsening((10, 10, 10), (1.0, 1.0, 1.0)) == (1, 1, 1)


def test_a_constant_region_has_no_autocorrelation() -> None:
    volume, mask = lesion()
    same = Volume(np.full(volume.voxels.shape, 0.1, dtype=np.float32), volume.grid)
    assert np.isnan(autocorrelation(prepared(same, mask))).all()


def test_a_chessboard_repels_and_halves_attract() -> None:
    shape = (8, 8, 8)
    grid, inside = Grid(shape, (1.0, 1.0, 1.0)), np.ones(shape, dtype=bool)
    z, y, x = np.indices(shape)
    chess, halves = ((z + y + x) % 2).astype(np.float32), (x < 4).astype(np.float32)
    repelled, _ = autocorrelation(prepared(Volume(chess, grid), Mask(inside, grid)))
    attracted, _ = autocorrelation(prepared(Volume(halves, grid), Mask(inside, grid)))
    assert repelled < -1 / (8**3 - 1) < 0 < attracted
