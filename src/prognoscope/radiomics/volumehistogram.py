"""Intensity-volume histogram (IBSI reference manual, section 3.5)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.compiled import compiled
from prognoscope.radiomics.discretise import MOST_LEVELS, Undefined
from prognoscope.radiomics.settings import RadiomicsSettings

PET_BIN_WIDTH = 0.1
ARBITRARY_BINS = 1000


def volume_histogram_features(
    ascending: NDArray[np.float32], settings: RadiomicsSettings, *, modality: str
) -> list[float] | Undefined:
    """The 6 features in the order of the catalogue, or why there are none.

    Parameters
    ----------
    ascending
        `(n,)` intensities of the region, n at least 1, in ascending order.
    modality
        Decides about bins that the settings leave open: whole intensities for CT, fixed bin size for PET, else a fixed
        number (the manual's three cases of definite discrete, definite continuous and arbitrary intensities).
    """
    lowest, highest = float(ascending[0]), float(ascending[-1])
    plan = settings.volume_histogram
    bins, width = plan.bins, plan.bin_width
    whole = plan.whole_intensities or (modality == "CT" and bins is None and width is None)
    if whole:
        width = 1.0
    elif bins is None and width is None:
        bins, width = (None, PET_BIN_WIDTH) if modality == "PT" else (ARBITRARY_BINS, None)
    if bins is not None:
        counts = np.zeros(bins, dtype=np.int64)
        _count(ascending, lowest, float(bins), highest - lowest, counts)
        intensity = np.arange(1.0, bins + 1)
    else:
        assert width is not None
        low, high = _range(lowest, highest, settings)
        widths = (high - low) / width
        if widths >= MOST_LEVELS:
            return Undefined(f"{widths // 1 + 1:.6g} bins in the intensity-volume histogram, more than {MOST_LEVELS}")
        number = math.floor(widths) + 1
        counts = np.zeros(number, dtype=np.int64)
        _count(ascending, low, 1.0, width, counts)
        intensity = low + (np.arange(1.0, number + 1) - (1.0 if whole else 0.5)) * width
    return _features(counts, intensity)


def _range(lowest: float, highest: float, settings: RadiomicsSettings) -> tuple[float, float]:
    """Ends of the intensity range: of the re-segmentation where it has them, else of the region."""
    low, high = settings.resegmentation.range or (None, None)
    return lowest if low is None else low, highest if high is None else high


def _features(counts: NDArray[np.int64], intensity: NDArray[np.float64]) -> list[float]:
    features = np.full(6, np.nan)
    if len(intensity) > 1:
        _measure(counts, intensity, features)
    return features.tolist()


@compiled
def _measure(counts: NDArray[np.int64], intensity: NDArray[np.float64], features: NDArray[np.float64]) -> None:
    """Volume fractions at 10 % and 90 % of the intensities, intensities at 10 % and 90 % of the volume, differences.

    Intensity at a volume: the lowest whose volume fraction is at most that; one bin above the highest where none is.
    """
    number, last, below = counts.sum(), intensity.size - 1, 0
    beyond = 2 * intensity[last] - intensity[last - 1]
    features[2], features[3] = beyond, beyond
    for i in range(intensity.size):
        volume = 1 - below / number
        fraction = (intensity[i] - intensity[0]) / (intensity[last] - intensity[0])
        for k, share in enumerate((0.1, 0.9)):
            if np.isnan(features[k]) and fraction >= share - 1e-12:
                features[k] = volume
            if features[2 + k] == beyond and volume <= share + 1e-12:
                features[2 + k] = intensity[i]
        below += counts[i]
    features[4], features[5] = features[0] - features[1], features[2] - features[3]


@compiled
def _count(
    values: NDArray[np.float32], start: float, numerator: float, denominator: float, counts: NDArray[np.int64]
) -> None:
    """Count values by ⌊numerator (x − start) / denominator⌋, in the last bin where that is more; 0 where it is 0/0."""
    for i in range(values.size):
        level = 0.0
        if denominator > 0.0:
            level = np.floor(numerator * (np.float64(values[i]) - start) / denominator)
        counts[min(int(level), counts.size - 1)] += 1
