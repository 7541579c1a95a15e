"""Intensity-based statistics (IBSI reference manual, section 3.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.compiled import compiled_loosely


def statistics(ascending: NDArray[np.float32]) -> list[float]:
    """The 18 features of a region's intensities, in the order of the catalogue.

    Parameters
    ----------
    ascending
        `(n,)`, n at least 1, in ascending order.

    Returns
    -------
    NaN where a ratio has no denominator: skewness and kurtosis of a constant region, the coefficient of variation of a
    region whose mean is 0, the quartile coefficient where the quartiles add to 0; the robust deviation of two voxels.
    """
    number = len(ascending)
    total, energy = _sum_powers(ascending)
    mean = total / number
    p10, p25, median, p75, p90 = (percentile(ascending, share) for share in (0.1, 0.25, 0.5, 0.75, 0.9))
    second, third, fourth, around_mean, around_median = (
        moment / number for moment in _sum_moments(ascending, mean, median)
    )
    lowest, highest = float(ascending[0]), float(ascending[-1])
    return [
        mean,
        second,
        ratio(third, second**1.5),
        ratio(fourth, second**2) - 3,
        median,
        lowest,
        p10,
        p90,
        highest,
        p75 - p25,
        highest - lowest,
        around_mean,
        _robust_deviation(ascending, p10, p90),
        around_median,
        ratio(second**0.5, mean),
        ratio(p75 - p25, p75 + p25),
        energy,
        (energy / number) ** 0.5,
    ]


def percentile(ascending: NDArray[np.float32], share: float) -> float:
    """Value below which a share of values in ascending order lies, between two of them interpolated linearly."""
    place = share * (len(ascending) - 1)
    below = int(place)
    low, high = float(ascending[below]), float(ascending[min(below + 1, len(ascending) - 1)])
    return low + (place - below) * (high - low)


def ratio(numerator: float, denominator: float) -> float:
    """A quotient, NaN where the denominator is 0."""
    return numerator / denominator if denominator != 0 else float("nan")


@compiled_loosely
def _sum_powers(values: NDArray[np.float32]) -> tuple[float, float]:
    total, square = 0.0, 0.0
    for i in range(values.size):
        value = np.float64(values[i])
        total += value
        square += value * value
    return total, square


@compiled_loosely
def _sum_moments(values: NDArray[np.float32], mean: float, median: float) -> tuple[float, float, float, float, float]:
    """Second to fourth powers of what lies between values and mean, and absolute distances to mean and median."""
    second, third, fourth, around_mean, around_median = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(values.size):
        centred = np.float64(values[i]) - mean
        square = centred * centred
        second += square
        third += square * centred
        fourth += square * square
        around_mean += abs(centred)
        around_median += abs(np.float64(values[i]) - median)
    return second, third, fourth, around_mean, around_median


@compiled_loosely
def _robust_deviation(values: NDArray[np.float32], low: float, high: float) -> float:
    """Mean absolute deviation, from their mean, of the values between two percentiles; NaN where there is none."""
    total, number, deviation = 0.0, 0, 0.0
    for i in range(values.size):
        if low <= np.float64(values[i]) <= high:
            total += values[i]
            number += 1
    if number == 0:
        return np.nan
    mean = total / number
    for i in range(values.size):
        if low <= np.float64(values[i]) <= high:
            deviation += abs(np.float64(values[i]) - mean)
    return deviation / number
