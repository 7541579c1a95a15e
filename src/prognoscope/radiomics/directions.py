"""Steps between neighbouring voxels, and how matrices of slices and directions are put together."""

from __future__ import annotations

import functools
import itertools
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.settings import Aggregation, Norm

Dimension = Literal["2D", "2.5D", "3D"]

DIRECTIONS: NDArray[np.int64] = np.array(
    [
        (0, 0, 1), (0, 1, -1), (0, 1, 0), (0, 1, 1),
        (1, -1, -1), (1, -1, 0), (1, -1, 1), (1, 0, -1), (1, 0, 0), (1, 0, 1), (1, 1, -1), (1, 1, 0), (1, 1, 1),
    ]
)  # fmt: skip
"""The 13 unique directions `(z, y, x)` of 26 neighbours; the first four lie within a slice."""
IN_PLANE = 4

SUFFIX: dict[Aggregation, str] = {
    "2D averaged": "_2D_avg",
    "2D slice-merged": "_2D_comb",
    "2.5D direction-merged": "_2_5D_avg",
    "2.5D merged": "_2_5D_comb",
    "3D averaged": "_3D_avg",
    "3D merged": "",
}
"""What a name says about the aggregation of a directed matrix: the end of IBSI's tag, nothing where merged in 3D."""

DIMENSION_SUFFIX: dict[Dimension, str] = {"2D": "_2D", "2.5D": "_2_5D", "3D": ""}
"""The same for matrices without direction (zones and neighbourhoods)."""


def dimensions(aggregations: tuple[Aggregation, ...]) -> tuple[Dimension, ...]:
    """Return which of 2D, 2.5D and 3D some aggregations ask for; all that a matrix without direction knows of them."""
    known: tuple[Dimension, ...] = ("2D", "2.5D", "3D")
    asked = {aggregation.split()[0] for aggregation in aggregations}
    return tuple(dimension for dimension in known if dimension in asked)


def step_weights(steps: NDArray[np.int64], norm: Norm | None) -> NDArray[np.float64]:
    """Weights exp(−‖step‖²) of steps `(n, 3)` in voxels (manual, sections 3.6 and 3.7); 1 each without a norm."""
    return np.ones(len(steps)) if norm is None else np.exp(-(lengths(steps, norm) ** 2))


def lengths(steps: NDArray[np.int64], norm: Norm) -> NDArray[np.float64]:
    """Lengths of steps `(n, 3)` in voxels."""
    size = np.abs(steps).astype(float)
    if norm == "manhattan":
        return np.asarray(size.sum(axis=1))
    if norm == "chebyshev":
        return np.asarray(size.max(axis=1))
    return np.asarray(np.sqrt((size**2).sum(axis=1)))


@functools.lru_cache(maxsize=64)
def neighbourhood(distance: int, norm: Norm, *, within_slice: bool) -> NDArray[np.int64]:
    """Steps `(n, 3)` to all voxels within a distance, the voxel itself left out."""
    reach = range(-distance, distance + 1)
    steps = np.array(list(itertools.product([0] if within_slice else reach, reach, reach)))
    length = lengths(steps, norm)
    return np.asarray(steps[(length > 0) & (length <= distance)])


def flat_steps(steps: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Steps `(n, 3)` as differences of indices into the flattened array of a shape."""
    return np.asarray(steps @ np.array([shape[1] * shape[2], shape[2], 1]))
