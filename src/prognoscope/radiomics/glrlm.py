"""Grey level run length matrix (IBSI reference manual, section 3.7; Galloway 1975)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.aggregate import Aggregated, aggregate, matrices, slots
from prognoscope.radiomics.compiled import compiled
from prognoscope.radiomics.directions import DIRECTIONS, step_weights
from prognoscope.radiomics.discretise import Levels, Undefined
from prognoscope.radiomics.emphasis import emphasis_features
from prognoscope.radiomics.settings import Aggregation, RunLength


def glrlm(levels: Levels, settings: RunLength, aggregations: tuple[Aggregation, ...]) -> Aggregated | Undefined:
    """The 16 features of each aggregation, in the order of the catalogue."""
    plan = slots(aggregations, levels.inner_shape[0], by_direction=settings.weighting is not None)
    table = matrices(2 * plan.number, levels.count + 1, max(levels.inner_shape) + 2)
    if isinstance(table, Undefined):
        return table
    shape = np.array(levels.padded.shape)
    steps = np.stack([DIRECTIONS[:, 0], DIRECTIONS[:, 1:] @ [shape[2], 1]], axis=1)
    lengths = np.zeros((len(DIRECTIONS), 2, shape[1] * shape[2]), dtype=np.uint16)
    _count_reached(levels.padded.ravel(), shape, levels.pad, steps, plan.slot, lengths, table)
    used = max(int(np.flatnonzero(table[:, 1:].any(axis=(0, 1)))[-1]), 1)
    reached = table[: plan.number, 1:, 1 : used + 2] + table[plan.number :, 1:, 1 : used + 2]
    counts = reached[:, :, :-1] - reached[:, :, 1:]
    columns = np.arange(1.0, used + 1)

    def formula(merged: NDArray[np.float64], voxels: NDArray[np.float64]) -> NDArray[np.float64]:
        return emphasis_features(merged, columns, voxels)[:, :16]

    weights = step_weights(DIRECTIONS, settings.weighting)
    return aggregate(counts, plan, weights, levels.voxels_by_slice(), aggregations, formula)


@compiled
def _count_reached(
    flat: NDArray[np.uint16],
    shape: NDArray[np.int64],
    pad: int,
    steps: NDArray[np.int64],
    slot: NDArray[np.int64],
    lengths: NDArray[np.uint16],
    reached: NDArray[np.int32],
) -> None:
    """Count the runs `[level, length]` that reach each length, in the matrix that `slot[slice, direction]` names.

    A run is one longer in a voxel than in the voxel before, or begins. `steps` `(13, 2)` are slices (0 or 1) and voxels
    within the slice; `lengths` `(13, 2, plane)` keeps the lengths in this slice and in the one before. Every other
    voxel is counted in a second half of the matrices: two counts of one entry in a row would wait for each other.
    """
    plane, half = shape[1] * shape[2], reached.shape[0] // 2
    for z in range(pad, shape[0] - pad):
        now = z & 1
        lengths[:, now] = 0
        for y in range(pad, shape[1] - pad):
            first, last = y * shape[2] + pad, (y + 1) * shape[2] - pad
            while first < last and flat[z * plane + first] == 0:
                first += 1
            while first < last and flat[z * plane + last - 1] == 0:
                last -= 1
            row = flat[z * plane + first : z * plane + last]
            for d in range(steps.shape[0]):
                matrix = slot[z - pad, d]
                if matrix < 0:
                    continue
                out, across = steps[d, 0], steps[d, 1]
                behind = flat[(z - out) * plane + first - across : (z - out) * plane + last - across]
                shorter = lengths[d, now ^ out, first - across : last - across]
                length = lengths[d, now, first:last]
                table, other = reached[matrix], reached[half + matrix]
                for x in range(row.size):
                    length[x] = shorter[x] + np.uint16(1) if behind[x] == row[x] else np.uint16(1)
                # Voxels outside are counted too, at level 0: a branch would cost more.
                for x in range(0, row.size - 1, 2):
                    table[row[x], length[x]] += 1
                    other[row[x + 1], length[x + 1]] += 1
                if row.size % 2:
                    table[row[-1], length[row.size - 1]] += 1
