"""Local intensity peaks (IBSI reference manual, section 3.2)."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.geometry import Triple
from prognoscope.radiomics.compiled import compiled
from prognoscope.radiomics.discretise import Undefined
from prognoscope.radiomics.prepare import PEAK_RADIUS_MM, Prepared


def local_peaks(prepared: Prepared) -> list[float] | Undefined:
    """Local and global intensity peak: the mean within a sphere of 1 cm³ around voxels of the intensity mask.

    Local is that around the voxel of highest intensity (the highest mean where several are), global the highest
    anywhere. The sphere's voxels count whether inside the mask or not, as far as the image reaches; undefined where a
    voxel near the region is not finite.
    """
    image, inside = np.ascontiguousarray(prepared.intensities), np.ascontiguousarray(prepared.intensity_mask)
    if not np.isfinite(image.sum(dtype=np.float64)):
        return Undefined("a voxel near the region is not a finite number")
    rows = _rows(prepared.spacing_mm)
    reach = np.abs(rows).max(axis=0)
    height, width = image.shape[1:]
    sums = np.zeros((2 * reach[0] + 1, height, width + 1 + 2 * reach[2]))
    peaks = np.full(2, -np.inf)
    highest = float(image.max(where=inside, initial=-np.inf))
    _find_peaks(image, inside, rows, highest, sums, peaks)
    return [float(peak) for peak in peaks]


@functools.lru_cache(maxsize=64)
def _rows(spacing_mm: Triple) -> NDArray[np.int64]:
    """Rows of a sphere, `(n, 3)`: steps along z and y from its centre, and voxels on either side along x."""
    depth, height, width = spacing_mm
    found = []
    for z in range(-math.floor(PEAK_RADIUS_MM / depth), math.floor(PEAK_RADIUS_MM / depth) + 1):
        for y in range(-math.floor(PEAK_RADIUS_MM / height), math.floor(PEAK_RADIUS_MM / height) + 1):
            left = PEAK_RADIUS_MM**2 - (z * depth) ** 2 - (y * height) ** 2
            if left >= 0:
                found.append((z, y, math.floor(math.sqrt(left) / width)))
    return np.array(found, dtype=np.int64)


@compiled
def _sum_row(row: NDArray[np.float32], sums: NDArray[np.float64]) -> None:
    """Running sums of a row, continued on both sides."""
    reach = (sums.size - 1 - row.size) // 2
    total = 0.0
    for x in range(reach + 1):
        sums[x] = 0.0
    for x in range(row.size):
        total += row[x]
        sums[x + 1 + reach] = total
    for x in range(row.size + 1 + reach, sums.size):
        sums[x] = total


@compiled
def _find_peaks(
    image: NDArray[np.float32],
    inside: NDArray[np.bool_],
    rows: NDArray[np.int64],
    highest: float,
    sums: NDArray[np.float64],
    peaks: NDArray[np.float64],
) -> None:
    """Slide the sphere over the mask, with running sums of as many slices as it spans; `peaks`: local, global."""
    depth, height, width = image.shape
    span = sums.shape[0]
    ahead, reach = span // 2, (sums.shape[2] - 1 - width) // 2
    places = np.zeros(sums.shape[2])
    _sum_row(np.ones(width, dtype=np.float32), places)
    total, number = np.empty(width), np.empty(width)
    everything, aside = np.sum(2 * rows[:, 2] + 1), np.max(rows[:, 1])
    for coming in range(depth + ahead):
        if coming < depth:
            for y in range(height):
                _sum_row(image[coming, y], sums[coming % span, y])
        z = coming - ahead
        if z < 0:
            continue
        for y in range(height):
            low, high = 0, 0
            for x in range(width):
                if inside[z, y, x]:
                    if high == 0:
                        low = x
                    high = x + 1
            if high == 0:
                continue
            sphere, count = total[: high - low], number[: high - low]
            sphere[:] = 0.0
            # Away from the edges of the image the sphere is whole, and its voxels need not be counted.
            whole = low >= reach and high + reach <= width and z >= ahead and z + ahead < depth
            whole = whole and y >= aside and y + aside < height
            count[:] = everything if whole else 0.0
            for k in range(rows.shape[0]):
                other_z, other_y = z + rows[k, 0], y + rows[k, 1]
                if other_z < 0 or other_z >= depth or other_y < 0 or other_y >= height:
                    continue
                line = sums[other_z % span, other_y]
                first, last = low + reach - rows[k, 2], low + reach + rows[k, 2] + 1
                before, after = line[first : first + high - low], line[last : last + high - low]
                for i in range(sphere.size):
                    sphere[i] += after[i] - before[i]
                if not whole:
                    start, end = places[first : first + high - low], places[last : last + high - low]
                    for i in range(count.size):
                        count[i] += end[i] - start[i]
            for x in range(low, high):
                if inside[z, y, x]:
                    mean = sphere[x - low] / count[x - low]
                    peaks[1] = max(peaks[1], mean)
                    if image[z, y, x] == highest:
                        peaks[0] = max(peaks[0], mean)
