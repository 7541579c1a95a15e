"""Small images with a region, for tests of radiomics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.geometry import Grid, Mask, Triple, Volume


def ball(shape: tuple[int, int, int], radius: float) -> NDArray[np.bool_]:
    """Voxels within `radius` voxels of the middle of an array."""
    middle = [(size - 1) / 2 for size in shape]
    squares = [(np.arange(size) - centre) ** 2 for size, centre in zip(shape, middle, strict=True)]
    return np.asarray(squares[0][:, None, None] + squares[1][:, None] + squares[2] <= radius**2)


def lesion(
    shape: tuple[int, int, int] = (11, 13, 12),
    *,
    radius: float = 4.5,
    spacing: Triple = (1.0, 1.0, 1.0),
    levels: int = 6,
    seed: int = 1,
) -> tuple[Volume, Mask]:
    """A ball with a ragged edge and whole intensities from 1 to `levels` that neighbours tend to share."""
    random = np.random.default_rng(seed)
    rough = random.random(shape)
    smooth = np.mean([np.roll(rough, shift, axis) for axis in range(3) for shift in (-1, 0, 1)], axis=0)
    order = np.argsort(np.argsort(smooth, axis=None)).reshape(shape)
    voxels = (1 + order * levels // rough.size).astype(np.float32)
    inside = ball(shape, radius) & (random.random(shape) < 0.9)
    grid = Grid(shape, spacing)
    return Volume(voxels, grid), Mask(inside, grid)
