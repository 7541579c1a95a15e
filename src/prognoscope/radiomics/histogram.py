"""Intensity histogram of grey levels (IBSI reference manual, section 3.4)."""

from __future__ import annotations

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
    level = np.arange(1.0, len(counts) + 1)
    p = counts / counts.sum()
    mean = float(p @ level)
    centred = level - mean
    variance = float(p @ centred**2)
    below = np.cumsum(counts)
    p10, p25, median, p75, p90 = (_percentile(below, share) for share in (10, 25, 50, 75, 90))
    inner = np.where((level >= p10) & (level <= p90), counts, 0) / below[-1]
    inner = inner / inner.sum()
    present = p[p > 0]
    lowest, highest = float(np.flatnonzero(counts)[0] + 1), float(np.flatnonzero(counts)[-1] + 1)
    modes = np.flatnonzero(counts == counts.max()) + 1.0
    values = [
        mean,
        variance,
        ratio(float(p @ centred**3), variance**1.5),
        ratio(float(p @ centred**4), variance**2) - 3,
        median,
        lowest,
        p10,
        p90,
        highest,
        # Of several modes the one nearest to the mean (manual, section 3.4.10), the lower one of two as near.
        float(modes[np.argmin(np.abs(modes - mean))]),
        p75 - p25,
        highest - lowest,
        float(p @ np.abs(centred)),
        float(inner @ np.abs(level - inner @ level)),
        float(p @ np.abs(level - median)),
        ratio(variance**0.5, mean),
        ratio(p75 - p25, p75 + p25),
        float(0.0 - present @ np.log2(present)),
        float(p @ p),
    ]
    return values + _gradients(counts)


def _gradients(counts: NDArray[np.int64]) -> list[float]:
    """Largest and smallest slope of the histogram and the levels where they are; the first where several are."""
    if len(counts) < 2:
        return [float("nan")] * 4
    slope = np.gradient(counts.astype(np.float64))
    highest, lowest = int(np.argmax(slope)), int(np.argmin(slope))
    return [float(slope[highest]), highest + 1.0, float(slope[lowest]), lowest + 1.0]


def _percentile(below: NDArray[np.int64], share: int) -> float:
    """Lowest level that at least `share` percent of the voxels do not exceed; `below` counts the voxels up to each."""
    return float(np.searchsorted(below * 100, share * below[-1], side="left") + 1)
