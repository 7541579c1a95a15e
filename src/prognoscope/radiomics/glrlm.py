"""Grey level run length matrix (IBSI reference manual, section 3.7; Galloway 1975)."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.aggregate import Aggregated, aggregate, slots
from prognoscope.radiomics.directions import DIRECTIONS, flat_steps, step_weights
from prognoscope.radiomics.discretise import Levels
from prognoscope.radiomics.emphasis import emphasis_features
from prognoscope.radiomics.settings import Aggregation, RunLength


def glrlm(levels: Levels, settings: RunLength, aggregations: tuple[Aggregation, ...]) -> Aggregated:
    """The 16 features of each aggregation, in the order of the catalogue."""
    plan = slots(aggregations, levels.inner_shape[0], weighted=settings.weighting is not None)
    longest = max(levels.inner_shape)
    counts = np.zeros((plan.number, levels.count, longest), dtype=np.int32)
    _count_runs(
        levels.padded.ravel(),
        np.array(levels.padded.shape),
        levels.pad,
        flat_steps(DIRECTIONS, levels.padded.shape),
        plan.slot,
        counts,
    )
    used = int(np.flatnonzero(counts.any(axis=(0, 1)))[-1]) + 1
    lengths = np.arange(1.0, used + 1)
    weights = step_weights(DIRECTIONS, settings.weighting)

    def formula(matrices: NDArray[np.float64], voxels: NDArray[np.float64]) -> NDArray[np.float64]:
        return emphasis_features(matrices, lengths, voxels)

    return aggregate(counts[:, :, :used], plan, weights, levels.voxels_by_slice(), aggregations, formula)


@numba.njit(cache=True, nogil=True)
def _count_runs(
    flat: NDArray[np.uint16],
    shape: NDArray[np.int64],
    pad: int,
    steps: NDArray[np.int64],
    slot: NDArray[np.int64],
    counts: NDArray[np.int32],
) -> None:
    """Count each run at its first voxel, in the matrix that `slot[slice, direction]` names."""
    for z in range(pad, shape[0] - pad):
        for y in range(pad, shape[1] - pad):
            row = (z * shape[1] + y) * shape[2]
            for p in range(row + pad, row + shape[2] - pad):
                here = flat[p]
                if here == 0:
                    continue
                for d in range(steps.size):
                    step = steps[d]
                    if slot[z - pad, d] < 0 or flat[p - step] == here:
                        continue
                    length, q = 0, p + step
                    while flat[q] == here:
                        length += 1
                        q += step
                    counts[slot[z - pad, d], here - 1, length] += 1
