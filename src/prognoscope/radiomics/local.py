"""Local intensity peaks (IBSI reference manual, section 3.2)."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.prepare import PEAK_RADIUS_MM, Prepared


def local_peaks(prepared: Prepared) -> list[float]:
    """Local and global intensity peak: the mean within a sphere of 1 cm³ around voxels of the intensity mask.

    Local is that around the voxel of highest intensity (the highest mean where several are), global the highest
    anywhere. The sphere's voxels count whether inside the mask or not, as far as the image reaches; NaN where one of
    them is not finite.
    """
    reach = [math.floor(PEAK_RADIUS_MM / step) for step in prepared.spacing_mm]
    steps = np.array(list(itertools.product(*(range(-n, n + 1) for n in reach))))
    steps = steps[((steps * prepared.spacing_mm) ** 2).sum(axis=1) <= PEAK_RADIUS_MM**2]
    image = prepared.intensities.astype(np.float64)
    total, number = np.zeros_like(image), np.zeros_like(image)
    for step in steps:
        here, there = _overlap(image.shape, step)
        total[here] += image[there]
        number[here] += 1
    mean = (total / number)[prepared.intensity_mask]
    values = image[prepared.intensity_mask]
    return [float(mean[values == values.max()].max()), float(mean.max())]


def _overlap(shape: tuple[int, ...], step: NDArray[np.int64]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    here = tuple(slice(max(0, -s), n - max(0, s)) for n, s in zip(shape, step.tolist(), strict=True))
    there = tuple(slice(max(0, s), n - max(0, -s)) for n, s in zip(shape, step.tolist(), strict=True))
    return here, there
