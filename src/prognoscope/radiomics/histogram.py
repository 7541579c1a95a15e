"""Intensity histogram of grey levels (IBSI reference manual, section 3.4)."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.statistics import ratio


def histogram_features(counts: NDArray[np.int64]) -> list[float]:
    """The 23 features of a histogram, in the order of the catalogue.

    Parameters
    ----------
    counts
        `(levels,)`: voxels of each grey level from 1 on, at least one voxel in all.

    Returns
    -------
    NaN where a ratio has no denominator (a single occurring level), and the gradients where there is one bin only.
    """
    number = int(counts.sum())
    p10, p25, median, p75, p90 = (_percentile(counts, number, share) for share in (10, 25, 50, 75, 90))
    mean, lowest, highest = _mean(counts, 1.0, float(len(counts)))
    inner_mean, _, _ = _mean(counts, p10, p90)
    second, third, fourth, entropy, uniformity, mode = _describe(counts, number, mean)
    values = [
        mean,
        second,
        ratio(third, second**1.5),
        ratio(fourth, second**2) - 3,
        median,
        lowest,
        p10,
        p90,
        highest,
        mode,
        p75 - p25,
        highest - lowest,
        _deviation(counts, mean, 1.0, float(len(counts))),
        _deviation(counts, inner_mean, p10, p90),
        _deviation(counts, median, 1.0, float(len(counts))),
        ratio(second**0.5, mean),
        ratio(p75 - p25, p75 + p25),
        entropy,
        uniformity,
    ]
    return values + _gradients(counts)


def _gradients(counts: NDArray[np.int64]) -> list[float]:
    """Largest and smallest slope of the histogram and the levels where they are; the first where several are."""
    if len(counts) < 2:
        return [float("nan")] * 4
    slope = np.gradient(counts.astype(np.float64))
    highest, lowest = int(np.argmax(slope)), int(np.argmin(slope))
    return [float(slope[highest]), highest + 1.0, float(slope[lowest]), lowest + 1.0]


@numba.njit(cache=True, nogil=True)
def _percentile(counts: NDArray[np.int64], number: int, share: int) -> float:
    """Lowest level that at least `share` percent of the voxels do not exceed."""
    below, level = 0, 0
    while below * 100 < share * number:
        below += counts[level]
        level += 1
    return float(level)


@numba.njit(cache=True, nogil=True)
def _mean(counts: NDArray[np.int64], low: float, high: float) -> tuple[float, float, float]:
    """Mean level of the voxels between two levels, and the lowest and the highest level there."""
    number, total, first, last = 0, 0.0, 0.0, 0.0
    for i in range(counts.size):
        if counts[i] > 0 and low <= i + 1 <= high:
            number += counts[i]
            total += counts[i] * (i + 1.0)
            if first == 0.0:
                first = i + 1.0
            last = i + 1.0
    return total / number, first, last


@numba.njit(cache=True, nogil=True)
def _deviation(counts: NDArray[np.int64], centre: float, low: float, high: float) -> float:
    """Mean absolute distance to a centre of the voxels between two levels."""
    number, total = 0, 0.0
    for i in range(counts.size):
        if low <= i + 1 <= high:
            number += counts[i]
            total += counts[i] * abs(i + 1.0 - centre)
    return total / number


@numba.njit(cache=True, nogil=True)
def _describe(counts: NDArray[np.int64], number: int, mean: float) -> tuple[float, float, float, float, float, float]:
    """Second to fourth central moment, entropy, uniformity and mode."""
    second, third, fourth, entropy, uniformity, mode = 0.0, 0.0, 0.0, 0.0, 0.0, 1.0
    for i in range(counts.size):
        if counts[i] > 0:
            p, centred = counts[i] / number, i + 1.0 - mean
            second += p * centred**2
            third += p * centred**3
            fourth += p * centred**4
            entropy -= p * np.log2(p)
            uniformity += p * p
        most = counts[int(mode) - 1]
        # Of several modes the one nearest to the mean (manual, section 3.4.10), the lower one of two as near.
        if counts[i] > most or (counts[i] == most and abs(i + 1.0 - mean) < abs(mode - mean)):
            mode = i + 1.0
    return second, third, fourth, entropy, uniformity, mode
