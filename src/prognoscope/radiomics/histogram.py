"""Intensity histogram of grey levels (IBSI reference manual, section 3.4)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.compiled import compiled


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
    features = np.full(23, np.nan)
    _measure(counts, features)
    return features.tolist()


@compiled
def _measure(counts: NDArray[np.int64], features: NDArray[np.float64]) -> None:
    number, top = counts.sum(), float(counts.size)
    p10, p25, median = _percentile(counts, number, 10), _percentile(counts, number, 25), _percentile(counts, number, 50)
    p75, p90 = _percentile(counts, number, 75), _percentile(counts, number, 90)
    mean, lowest, highest = _mean(counts, 1.0, top)
    inner_mean, _, _ = _mean(counts, p10, p90)
    second, third, fourth, entropy, uniformity, mode = _describe(counts, number, mean)
    features[0], features[1] = mean, second
    if second > 0.0:
        features[2], features[3] = third / second**1.5, fourth / second**2 - 3
    features[4], features[5], features[6], features[7], features[8] = median, lowest, p10, p90, highest
    features[9], features[10], features[11] = mode, p75 - p25, highest - lowest
    features[12] = _deviation(counts, mean, 1.0, top)
    features[13] = _deviation(counts, inner_mean, p10, p90)
    features[14] = _deviation(counts, median, 1.0, top)
    features[15], features[16] = second**0.5 / mean, (p75 - p25) / (p75 + p25)
    features[17], features[18] = entropy, uniformity
    if counts.size > 1:
        features[19], features[20], features[21], features[22] = _slopes(counts)


@compiled
def _slopes(counts: NDArray[np.int64]) -> tuple[float, float, float, float]:
    """Largest and smallest slope of the histogram, each with its level, the first where several are."""
    largest, highest, smallest, lowest = -np.inf, 0.0, np.inf, 0.0
    for i in range(counts.size):
        before, after = max(i - 1, 0), min(i + 1, counts.size - 1)
        slope = (counts[after] - counts[before]) / (after - before)
        if slope > largest:
            largest, highest = slope, i + 1.0
        if slope < smallest:
            smallest, lowest = slope, i + 1.0
    return largest, highest, smallest, lowest


@compiled
def _percentile(counts: NDArray[np.int64], number: int, share: int) -> float:
    """Lowest level that at least `share` percent of the voxels do not exceed."""
    below, level = 0, 0
    while below * 100 < share * number:
        below += counts[level]
        level += 1
    return float(level)


@compiled
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


@compiled
def _deviation(counts: NDArray[np.int64], centre: float, low: float, high: float) -> float:
    """Mean absolute distance to a centre of the voxels between two levels."""
    number, total = 0, 0.0
    for i in range(counts.size):
        if low <= i + 1 <= high:
            number += counts[i]
            total += counts[i] * abs(i + 1.0 - centre)
    return total / number


@compiled
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
