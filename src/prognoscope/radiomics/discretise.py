"""Grey levels: intensities in bins of fixed number or fixed size (IBSI reference manual, section 2.7)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.prepare import Prepared
from prognoscope.radiomics.settings import RadiomicsSettings

MOST_LEVELS = 65535
"""Grey levels are counted from 1 in 16 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """Grey levels of a region.

    Attributes
    ----------
    padded
        uint16 `[z, y, x]`: levels from 1, 0 outside the intensity mask, with `pad` empty voxels on every side of the
        region's bounding box.
    morphological
        bool, of the same shape: the morphological mask, whose bounding box it is.
    pad
        Empty voxels on every side.
    count
        Number of grey levels: of bins where their number is fixed, else the highest level that occurs.
    """

    padded: NDArray[np.uint16]
    morphological: NDArray[np.bool_]
    pad: int
    count: int

    @property
    def inner_shape(self) -> tuple[int, int, int]:
        """Shape of the bounding box without padding."""
        z, y, x = (size - 2 * self.pad for size in self.padded.shape)
        return z, y, x

    @property
    def inner(self) -> NDArray[np.uint16]:
        """The bounding box without padding, a view."""
        pad = self.pad
        return self.padded[pad:-pad, pad:-pad, pad:-pad]

    def voxels_by_slice(self) -> NDArray[np.int64]:
        """Number of voxels of the region in each slice of the bounding box."""
        return np.asarray(np.count_nonzero(self.inner, axis=(1, 2)))

    def histogram(self) -> NDArray[np.int64]:
        """Number of voxels of each level, `(count,)`."""
        return np.asarray(np.bincount(self.padded.ravel(), minlength=self.count + 1)[1:])


@dataclass(frozen=True, slots=True)
class Undefined:
    """Why grey levels, and all that is measured on them, cannot be given."""

    reason: str


def discretise(prepared: Prepared, settings: RadiomicsSettings) -> Levels | Undefined:
    """Return grey levels by the settings' fixed bin number or fixed bin size.

    Fixed number N: level ⌊N (x − min) / (max − min)⌋ + 1, the maximum in the last bin; a constant region is level 1.
    Fixed size w: level ⌊(x − start) / w⌋ + 1.
    """
    box = bounding_box(prepared.morphological_mask)
    inside = prepared.intensity_mask[box]
    values = prepared.intensities[box][inside].astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if settings.number_of_bins is not None:
        count = settings.number_of_bins
        levels = fixed_number(values, count, low, high)
    else:
        assert settings.bin_width is not None
        origin = bin_start(settings, low)
        if low < origin:
            return Undefined(f"an intensity of {low:g} lies below the first bin, which starts at {origin:g}")
        count = math.floor((high - origin) / settings.bin_width) + 1
        if count > MOST_LEVELS:
            return Undefined(f"{count} grey levels, more than the {MOST_LEVELS} that are counted")
        levels = np.floor((values - origin) / settings.bin_width) + 1
    pad = padding(settings)
    padded = np.zeros([size + 2 * pad for size in inside.shape], dtype=np.uint16)
    padded[pad:-pad, pad:-pad, pad:-pad][inside] = levels
    return Levels(padded, np.pad(prepared.morphological_mask[box], pad), pad, count)


def fixed_number(values: NDArray[np.float64], count: int, low: float, high: float) -> NDArray[np.float64]:
    """Grey levels from 1 of `count` bins between `low` and `high`, as whole floats."""
    if high == low:
        return np.ones_like(values)
    return np.asarray(np.minimum(np.floor(count * (values - low) / (high - low)) + 1, count))


def bin_start(settings: RadiomicsSettings, lowest: float) -> float:
    """Return where the first bin of fixed size begins."""
    if settings.bin_start is not None:
        return settings.bin_start
    plan = settings.resegmentation.range
    return lowest if plan is None or plan[0] is None else plan[0]


def padding(settings: RadiomicsSettings) -> int:
    """Voxels that the farthest neighbour of any texture matrix reaches."""
    return max(settings.glcm.distance, settings.ngtdm.distance, settings.ngldm.distance)


def bounding_box(inside: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    """Slices around the voxels of a mask that has at least one."""
    slices = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        hit = np.flatnonzero(inside.any(axis=others))
        slices.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return slices[0], slices[1], slices[2]
