"""The features that run length, size zone, distance zone and dependence matrices have in common.

IBSI reference manual, sections 3.7 to 3.9 and 3.11: entry s[i, j] counts the runs (zones, voxels) of grey level i and
length (size, distance, dependence) j.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.compiled import compiled


def emphasis_features(
    counts: NDArray[np.float64], sizes: NDArray[np.float64], voxels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Seventeen features of each matrix, in the order of the catalogue.

    Parameters
    ----------
    counts
        `(n, levels, sizes)`: grey levels 1 to `levels` in rows.
    sizes
        `(sizes,)`: what the columns stand for, each above 0.
    voxels
        `(n,)`: voxels that the matrix was counted from.

    Returns
    -------
    `(n, 17)`, NaN for a matrix without entries; the last is the energy, which IBSI gives to dependence matrices only.
    """
    features = np.full((len(counts), 17), np.nan)
    _measure_all(counts, sizes, voxels, features)
    return features


@compiled
def _measure_all(
    counts: NDArray[np.float64],
    sizes: NDArray[np.float64],
    voxels: NDArray[np.float64],
    features: NDArray[np.float64],
) -> None:
    by_level, by_size = np.empty(counts.shape[1]), np.empty(counts.shape[2])
    for m in range(counts.shape[0]):
        number = _sum(counts[m], by_level, by_size)
        if number > 0.0:
            row = features[m]
            row[:] = 0.0
            _emphasise(counts[m], number, sizes, row)
            _spread(by_level, by_size, number, sizes, row)
            row[12] = number / voxels[m]


@compiled
def _sum(counts: NDArray[np.float64], by_level: NDArray[np.float64], by_size: NDArray[np.float64]) -> float:
    number = 0.0
    by_level[:] = 0.0
    by_size[:] = 0.0
    for i in range(by_level.size):
        for j in range(by_size.size):
            by_level[i] += counts[i, j]
            by_size[j] += counts[i, j]
        number += by_level[i]
    return number


@compiled
def _emphasise(
    counts: NDArray[np.float64], number: float, sizes: NDArray[np.float64], row: NDArray[np.float64]
) -> None:
    """Emphases of small and large, low and high; entropy and energy."""
    for i in range(counts.shape[0]):
        share, small, large = 0.0, 0.0, 0.0
        for j in range(counts.shape[1]):
            if counts[i, j] != 0.0:
                p, square = counts[i, j] / number, sizes[j] * sizes[j]
                share += p
                small += p / square
                large += p * square
                row[15] -= p * np.log2(p)
                row[16] += p * p
        square = (i + 1.0) * (i + 1.0)
        row[0] += small
        row[1] += large
        row[2] += share / square
        row[3] += share * square
        row[4] += small / square
        row[5] += small * square
        row[6] += large / square
        row[7] += large * square


@compiled
def _spread(
    by_level: NDArray[np.float64],
    by_size: NDArray[np.float64],
    number: float,
    sizes: NDArray[np.float64],
    row: NDArray[np.float64],
) -> None:
    """Non-uniformities and variances of levels and sizes."""
    level_mean, size_mean = 0.0, 0.0
    for i in range(by_level.size):
        level_mean += by_level[i] / number * (i + 1.0)
    for j in range(by_size.size):
        size_mean += by_size[j] / number * sizes[j]
    for i in range(by_level.size):
        row[9] += (by_level[i] / number) ** 2
        row[13] += by_level[i] / number * (i + 1.0 - level_mean) ** 2
    for j in range(by_size.size):
        row[11] += (by_size[j] / number) ** 2
        row[14] += by_size[j] / number * (sizes[j] - size_mean) ** 2
    row[8], row[10] = row[9] * number, row[11] * number
