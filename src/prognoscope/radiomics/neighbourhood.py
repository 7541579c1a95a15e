"""Neighbourhood grey tone difference and neighbouring grey level dependence matrices.

IBSI reference manual, sections 3.10 (Amadasun and King 1989) and 3.11 (Sun and Wee 1983).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.aggregate import average, matrices
from prognoscope.radiomics.compiled import compiled
from prognoscope.radiomics.directions import Dimension, flat_steps, neighbourhood
from prognoscope.radiomics.discretise import Levels, Undefined
from prognoscope.radiomics.emphasis import emphasis_features
from prognoscope.radiomics.settings import Dependence, ToneDifference


def ngtdm(levels: Levels, settings: ToneDifference, dimension: Dimension) -> NDArray[np.float64]:
    """The 5 features in the order of the catalogue."""
    steps = neighbourhood(settings.distance, settings.norm, within_slice=dimension != "3D")
    slices = levels.inner_shape[0] if dimension == "2D" else 1
    counts = np.zeros((slices, levels.count), dtype=np.int64)
    differences = np.zeros((slices, levels.count))
    _sum_differences(
        levels.padded.ravel(),
        np.array(levels.padded.shape),
        levels.pad,
        flat_steps(steps, levels.padded.shape),
        counts,
        differences,
    )
    features = np.full((slices, 5), np.nan)
    _tone_features(counts, differences, features)
    return average(features)


def ngldm(levels: Levels, settings: Dependence, dimension: Dimension) -> NDArray[np.float64] | Undefined:
    """The 17 features in the order of the catalogue."""
    steps = neighbourhood(settings.distance, settings.norm, within_slice=dimension != "3D")
    slices = levels.inner_shape[0] if dimension == "2D" else 1
    counts = matrices(slices, levels.count, len(steps) + 1)
    if isinstance(counts, Undefined):
        return counts
    _count_dependences(
        levels.padded.ravel(),
        np.array(levels.padded.shape),
        levels.pad,
        flat_steps(steps, levels.padded.shape),
        settings.coarseness,
        counts,
    )
    voxels = levels.voxels_by_slice().astype(np.float64)
    if dimension != "2D":
        voxels = voxels.sum(keepdims=True)
    sizes = np.arange(1.0, len(steps) + 2)
    return average(emphasis_features(counts.astype(np.float64), sizes, voxels))


@compiled
def _tone_features(counts: NDArray[np.int64], differences: NDArray[np.float64], features: NDArray[np.float64]) -> None:
    """Coarseness, contrast, busyness, complexity and strength of each matrix that has an entry.

    Parameters
    ----------
    counts, differences
        `(n, levels)`: the voxels that have a neighbour, and the sum of |level − mean of the neighbours| of these.

    Degenerate cases are as the manual defines them (section 3.10): coarseness 10⁶ where no voxel differs from its
    neighbours, contrast and busyness 0 where one level occurs, strength 0 where no voxel differs.
    """
    for m in range(counts.shape[0]):
        number, total, weighted, present = 0.0, 0.0, 0.0, 0
        for i in range(counts.shape[1]):
            number += counts[m, i]
            total += differences[m, i]
            weighted += counts[m, i] * differences[m, i]
            present += counts[m, i] > 0
        if present == 0:
            continue
        contrast, busyness, complexity, strength = 0.0, 0.0, 0.0, 0.0
        for i in range(counts.shape[1]):
            p, s = counts[m, i] / number, differences[m, i]
            if p == 0.0:
                continue
            for j in range(i):
                q, step = counts[m, j] / number, float(i - j)
                if q > 0.0:
                    contrast += 2 * p * q * step * step
                    busyness += 2 * abs((i + 1) * p - (j + 1) * q)
                    complexity += 2 * step * (p * s + q * differences[m, j]) / (p + q)
                    strength += 2 * (p + q) * step * step
        weighted /= number
        features[m, 0] = 1 / weighted if weighted > 0 else 1e6
        features[m, 1] = contrast / (present * (present - 1)) * total / number if present > 1 else 0.0
        if present == 1:
            features[m, 2] = 0.0
        elif busyness > 0:  # twice as many voxels of level 1 as of level 2 give 0
            features[m, 2] = weighted / busyness
        features[m, 3] = complexity / number
        features[m, 4] = strength / total if total > 0 else 0.0


@compiled
def _sum_differences(
    flat: NDArray[np.uint16],
    shape: NDArray[np.int64],
    pad: int,
    steps: NDArray[np.int64],
    counts: NDArray[np.int64],
    differences: NDArray[np.float64],
) -> None:
    """For each slice (all in one row where there is one) and level: voxels with a neighbour, and their differences."""
    width = shape[2] - 2 * pad
    total, number = np.empty(width, dtype=np.int32), np.empty(width, dtype=np.uint16)
    for z in range(pad, shape[0] - pad):
        matrix = min(z - pad, counts.shape[0] - 1)
        for y in range(pad, shape[1] - pad):
            first = (z * shape[1] + y) * shape[2] + pad
            row = flat[first : first + width]
            total[:] = 0
            number[:] = 0
            # One neighbour of all voxels in the row at a time, which the compiler vectorises.
            for k in range(steps.size):
                there = flat[first + steps[k] : first + steps[k] + width]
                for x in range(width):
                    total[x] += there[x]
                for x in range(width):
                    number[x] += np.uint16(there[x] != 0)
            for x in range(width):
                if row[x] != 0 and number[x] > 0:
                    counts[matrix, row[x] - 1] += 1
                    differences[matrix, row[x] - 1] += abs(np.float64(row[x]) - total[x] / number[x])


@compiled
def _count_dependences(
    flat: NDArray[np.uint16],
    shape: NDArray[np.int64],
    pad: int,
    steps: NDArray[np.int64],
    coarseness: int,
    counts: NDArray[np.int32],
) -> None:
    """Count each voxel by its level and the neighbours whose level differs by at most `coarseness`."""
    width, reach = shape[2] - 2 * pad, np.uint16(min(coarseness, 65535))
    dependent = np.empty(width, dtype=np.uint16)
    for z in range(pad, shape[0] - pad):
        matrix = min(z - pad, counts.shape[0] - 1)
        for y in range(pad, shape[1] - pad):
            first = (z * shape[1] + y) * shape[2] + pad
            row = flat[first : first + width]
            dependent[:] = 0
            for k in range(steps.size):
                there = flat[first + steps[k] : first + steps[k] + width]
                for x in range(width):
                    # Sixteen bits throughout: as many voxels at once as the processor takes.
                    apart = np.uint16(max(there[x], row[x]) - min(there[x], row[x]))
                    dependent[x] += np.uint16((apart <= reach) & (there[x] != 0))
            for x in range(width):
                if row[x] != 0:
                    counts[matrix, row[x] - 1, dependent[x]] += 1
