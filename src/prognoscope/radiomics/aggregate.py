"""How matrices counted by slice and direction become features: merge, measure, average (manual, sections 3.6.1, 3.7.1).

Each direction of each slice is counted into one of a few slots, no finer than the aggregations that are asked for
need; merged matrices are sums of slots, weighted where the settings weigh directions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.directions import DIRECTIONS, IN_PLANE
from prognoscope.radiomics.discretise import Undefined
from prognoscope.radiomics.settings import Aggregation

MOST_CELLS = 1 << 24
Matrices = NDArray[np.float64]
Aggregated = dict[Aggregation, NDArray[np.float64]]
Formula = Callable[[Matrices, NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Slots:
    """Where pairs or runs are counted.

    Attributes
    ----------
    slot
        `(slices, 13)`: the matrix of each slice and direction, -1 where it is not counted.
    number
        Number of matrices.
    slices
        Number of slices told apart for directions within a slice; their matrices come first, by slice, then direction.
    """

    slot: NDArray[np.int64]
    number: int
    slices: int


def slots(aggregations: tuple[Aggregation, ...], slices: int, *, by_direction: bool) -> Slots:
    """Return slots that serve some aggregations of an image with a number of slices, as few as they need.

    `by_direction` tells directions apart even where the aggregations don't.
    """
    if set(aggregations) == {"3D merged"} and not by_direction:
        return Slots(np.zeros((slices, len(DIRECTIONS)), dtype=np.int64), 1, 0)
    told_apart = slices if any(aggregation.startswith("2D") for aggregation in aggregations) else 1
    slot = np.tile(np.arange(len(DIRECTIONS)), (slices, 1)) + IN_PLANE * (told_apart - 1)
    slot[:, :IN_PLANE] = np.arange(IN_PLANE) + IN_PLANE * np.minimum(np.arange(slices), told_apart - 1)[:, None]
    if not any(aggregation.startswith("3D") for aggregation in aggregations):
        slot[:, IN_PLANE:] = -1
    return Slots(slot, int(slot.max()) + 1, told_apart)


def matrices(number: int, levels: int, columns: int) -> NDArray[np.int32] | Undefined:
    """Return empty matrices, or why there are none."""
    if number * levels * columns > MOST_CELLS:
        return Undefined(f"{number} matrices of {levels} grey levels by {columns} are too many to hold: use wider bins")
    return np.zeros((number, levels, columns), dtype=np.int32)


def aggregate(
    counts: NDArray[np.int32],
    plan: Slots,
    weights: NDArray[np.float64],
    voxels: NDArray[np.int64],
    aggregations: tuple[Aggregation, ...],
    formula: Formula,
) -> Aggregated:
    """Features of each aggregation.

    Parameters
    ----------
    counts
        `(slots, …)` counted matrices.
    weights
        `(13,)` weight of each direction.
    voxels
        `(slices,)` number of voxels of the region in each slice.
    formula
        `(n, …)` matrices and the `(n,)` voxels that they were counted from, a voxel once for each direction that was
        merged (times its weight), to `(n, features)`; NaN for a matrix without entries.

    Returns
    -------
    For each aggregation `(features,)`; averages leave out empty matrices, NaN where all are empty.
    """
    found: Aggregated = {}
    for aggregation in aggregations:
        features = formula(*_matrices(counts, plan, weights, voxels.astype(float), aggregation))
        found[aggregation] = average(features)
    return found


def average(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over rows of `(n, features)`, NaN left out; NaN where nothing is left."""
    if len(features) == 1:
        return np.asarray(features[0])
    present = ~np.isnan(features)
    number = present.sum(axis=0)
    total = np.where(present, features, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, number, out=np.full(features.shape[1], np.nan), where=number > 0))


def _matrices(
    counts: NDArray[np.int32],
    plan: Slots,
    weights: NDArray[np.float64],
    voxels: NDArray[np.float64],
    aggregation: Aggregation,
) -> tuple[Matrices, NDArray[np.float64]]:
    """The matrices that an aggregation measures and averages, and the voxels behind each."""
    if plan.slices == 0:
        return counts.astype(np.float64), np.array([voxels.sum() * len(DIRECTIONS)])
    within = IN_PLANE * plan.slices
    plane = counts[:within].reshape(plan.slices, IN_PLANE, *counts.shape[1:])
    if aggregation == "2D averaged":
        return counts[:within].astype(np.float64), voxels.repeat(IN_PLANE)
    if aggregation == "2D slice-merged":
        merged = np.tensordot(weights[:IN_PLANE], plane, axes=(0, 1))
        return merged, voxels * weights[:IN_PLANE].sum()
    directions = plane.sum(axis=0, dtype=np.float64)
    if aggregation.startswith("3D"):
        directions = np.concatenate([directions, counts[within:]])
    weight = weights[: len(directions)]
    if aggregation.endswith(("averaged", "direction-merged")):
        return directions, np.full(len(directions), voxels.sum())
    return np.tensordot(weight, directions, axes=(0, 0))[None], np.array([voxels.sum() * weight.sum()])
