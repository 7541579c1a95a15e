"""Grey levels: intensities in bins of fixed number or fixed size (IBSI reference manual, section 2.7)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.compiled import compiled
from prognoscope.radiomics.frame import Frame
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
    frame
        Masks of the region, of the same shape.
    count
        Number of grey levels: of bins where their number is fixed, else the highest level that occurs.
    by_slice
        `(slices, count)`: number of voxels of each level in each slice of the bounding box.
    """

    padded: NDArray[np.uint16]
    frame: Frame
    count: int
    by_slice: NDArray[np.int64]

    @property
    def pad(self) -> int:
        """Empty voxels on every side."""
        return self.frame.pad

    @property
    def inner_shape(self) -> tuple[int, int, int]:
        """Shape of the bounding box without padding."""
        z, y, x = (size - 2 * self.pad for size in self.padded.shape)
        return z, y, x

    def voxels_by_slice(self) -> NDArray[np.int64]:
        """Number of voxels of the region in each slice of the bounding box."""
        return np.asarray(self.by_slice.sum(axis=1))

    def histogram(self) -> NDArray[np.int64]:
        """Number of voxels of each level, `(count,)`."""
        return np.asarray(self.by_slice.sum(axis=0))


@dataclass(frozen=True, slots=True)
class Undefined:
    """Why grey levels, and all that is measured on them, cannot be given."""

    reason: str


def discretise(
    prepared: Prepared, ends: Sequence[float], settings: RadiomicsSettings, frame: Frame
) -> Levels | Undefined:
    """Return grey levels by the settings' fixed bin number or fixed bin size.

    `ends` are the lowest and the highest intensity of the mask, finite.

    Fixed number N: level ⌊N (x − min) / (max − min)⌋ + 1, the maximum in the last bin; a constant region is level 1.
    Fixed size w: level ⌊(x − start) / w⌋ + 1.
    """
    low, high = ends
    if settings.number_of_bins is not None:
        count, start = settings.number_of_bins, low
        numerator, denominator = float(count), high - low
    else:
        assert settings.bin_width is not None
        start = bin_start(settings, low)
        if low < start:
            return Undefined(f"an intensity of {low:g} lies below the first bin, which starts at {start:g}")
        numerator, denominator = 1.0, settings.bin_width
        widths = (high - start) / settings.bin_width
        if widths >= MOST_LEVELS:
            return Undefined(f"{widths // 1 + 1:.6g} grey levels, more than the {MOST_LEVELS} that are counted")
        count = math.floor(widths) + 1
    padded = np.zeros(frame.morphological.shape, dtype=np.uint16)
    corner = np.array([side.start or 0 for side in frame.box])
    by_slice = np.zeros((frame.morphological.shape[0] - 2 * frame.pad, count), dtype=np.int64)
    # Whole arrays, not their part in the box: a copy of a whole lung is what there is no room for.
    image, inside = np.ascontiguousarray(prepared.intensities), np.ascontiguousarray(prepared.intensity_mask)
    _fill(image, inside, corner, start, numerator, denominator, frame.pad, padded, by_slice)
    return Levels(padded, frame, count, by_slice)


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


@compiled
def _fill(
    intensities: NDArray[np.float32],
    inside: NDArray[np.bool_],
    corner: NDArray[np.int64],
    start: float,
    numerator: float,
    denominator: float,
    pad: int,
    padded: NDArray[np.uint16],
    by_slice: NDArray[np.int64],
) -> None:
    """Level ⌊numerator (x − start) / denominator⌋ + 1 of each voxel inside, at most the last; 1 where that is 0/0."""
    last = by_slice.shape[1] - 1
    for z in range(padded.shape[0] - 2 * pad):
        for y in range(padded.shape[1] - 2 * pad):
            masked = inside[z + corner[0], y + corner[1], corner[2] :]
            row = intensities[z + corner[0], y + corner[1], corner[2] :]
            for x in range(padded.shape[2] - 2 * pad):
                if masked[x]:
                    level = 0.0
                    if denominator > 0.0:
                        level = np.floor(numerator * (np.float64(row[x]) - start) / denominator)
                    place = min(int(level), last)
                    padded[z + pad, y + pad, x + pad] = place + 1
                    by_slice[z, place] += 1
