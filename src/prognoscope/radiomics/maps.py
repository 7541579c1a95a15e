"""Feature maps: the value of a feature at each voxel, measured in a window around it, for heat maps.

At a voxel of the region a feature is measured on the voxels of the region within a cube (or a square in the slice)
around it. Grey levels are those of the whole region, so that values of different voxels can be compared. A window with
too few voxels for a feature (a co-occurrence needs two neighbours) gives NaN there.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from prognoscope.core.geometry import Mask, Volume, require_same_grid
from prognoscope.core.problems import refuse
from prognoscope.core.settings import Settings, nearest
from prognoscope.radiomics.catalogue import CATALOGUE
from prognoscope.radiomics.compiled import compiled
from prognoscope.radiomics.discretise import Levels, fixed_number
from prognoscope.radiomics.frame import Frame
from prognoscope.radiomics.glcm import cooccurrence_features
from prognoscope.radiomics.prepare import bounding_box
from prognoscope.radiomics.settings import Aggregation, RadiomicsSettings
from prognoscope.radiomics.texture import suffixes, textures

STATISTICS = tuple(entry.tag for entry in CATALOGUE["statistics"])
COOCCURRENCE = tuple(entry.tag for entry in CATALOGUE["glcm"])
OTHERS = {
    family: tuple(entry.tag for entry in CATALOGUE[family]) for family in ("glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
}
"""Families that are measured window by window as if each were a region: a fifth of a millisecond for each."""
DIRECTIONS = np.array(
    [(z, y, x) for z in (-1, 0, 1) for y in (-1, 0, 1) for x in (-1, 0, 1) if (z, y, x) > (0, 0, 0)], dtype=np.int64
)
"""One of each pair of opposite steps to a neighbour: 13, of which 4 stay in the slice."""
BATCH_BYTES = 1 << 23
MOST_LEVELS = 1024
Float32 = NDArray[np.float32]


class MapSettings(Settings):
    """What to map, and the window it is measured in."""

    features: tuple[str, ...] = Field(
        min_length=1, description="IBSI tags: `stat_…` and, merged over directions, those of texture (`cm_…`, `rlm_…`)"
    )
    radius: int = Field(2, ge=1, le=15, description="the window reaches this many voxels to each side of its centre")
    dimensions: Literal[2, 3] = Field(3, description="2: the window is a square in the slice; 3: a cube")
    bins: int | None = Field(
        None, ge=2, le=256, description="fixed number of bins over the region; 32 where none is given"
    )
    bin_width: float | None = Field(None, gt=0, description="fixed bin size from the region's lowest intensity on")

    @model_validator(mode="after")
    def _known(self) -> Self:
        known = (*STATISTICS, *COOCCURRENCE, *itertools.chain(*OTHERS.values()))
        for tag in self.features:
            if tag not in known:
                near = nearest(tag, known)
                raise ValueError(f"no map of `{tag}`; " + (f"did you mean `{near}`?" if near else "see the catalogue"))
        if self.bins is not None and self.bin_width is not None:
            raise ValueError("give `bins` (fixed number) or `bin_width` (fixed size), not both")
        return self


def feature_maps(volume: Volume, mask: Mask, settings: MapSettings) -> Mapping[str, Volume]:
    """Map features over a region.

    Parameters
    ----------
    volume, mask
        On one grid; the mask has at least one voxel. Voxels that are not finite are left out of all windows.

    Returns
    -------
    One volume a feature, in the order of the settings and on the same grid; NaN outside the mask and where the feature
    cannot be computed.

    Raises
    ------
    Refused
        `grids-differ`, `empty-mask`, and `map-levels` when a fixed bin size gives more grey levels than fit in memory.
    """
    require_same_grid(volume, mask)
    if not mask.voxels.any():
        raise refuse("empty-mask", subject="mask", found="no voxel is inside", remedy="check the contour")
    box = bounding_box(mask.voxels)
    intensities = volume.voxels[box]
    inside = mask.voxels[box] & np.isfinite(intensities)
    reach = (settings.radius if settings.dimensions == 3 else 0, settings.radius, settings.radius)
    found: dict[str, Float32] = {}
    if any(tag in STATISTICS for tag in settings.features):
        found |= zip(STATISTICS, _statistics(intensities, inside, reach), strict=True)
    if all(tag in STATISTICS for tag in settings.features):
        return {tag: _placed(found[tag], inside, box, volume) for tag in settings.features}
    levels = _levels(intensities, inside, settings)
    if any(tag in COOCCURRENCE for tag in settings.features):
        found |= zip(COOCCURRENCE, _cooccurrence(levels, inside, reach), strict=True)
    for family, tags in OTHERS.items():
        if any(tag in tags for tag in settings.features):
            found |= zip(tags, _by_window(levels, inside, reach, family), strict=True)
    return {tag: _placed(found[tag], inside, box, volume) for tag in settings.features}


def _placed(values: Float32, inside: NDArray[np.bool_], box: tuple[slice, ...], volume: Volume) -> Volume:
    whole = np.full(volume.grid.shape, np.nan, np.float32)
    whole[box][inside] = values
    return Volume(whole, volume.grid)


def _levels(intensities: Float32, inside: NDArray[np.bool_], settings: MapSettings) -> NDArray[np.uint16]:
    """Grey levels from 1, 0 outside."""
    levels = np.zeros(inside.shape, dtype=np.uint16)
    values = intensities[inside].astype(np.float64)
    if not values.size:
        return levels
    low, high = float(values.min()), float(values.max())
    if settings.bin_width is None:
        levels[inside] = fixed_number(values, settings.bins or 32, low, high)
        return levels
    count = (high - low) // settings.bin_width + 1
    if count > MOST_LEVELS:
        raise refuse(
            "map-levels",
            subject="feature map",
            found=f"{count:.6g} grey levels of width {settings.bin_width:g}",
            remedy=f"give wider bins, up to {MOST_LEVELS} levels",
        )
    levels[inside] = np.floor((values - low) / settings.bin_width) + 1
    return levels


def _statistics(intensities: Float32, inside: NDArray[np.bool_], reach: tuple[int, int, int]) -> Float32:
    widths = [(width, width) for width in reach]
    values = np.full((np.count_nonzero(inside), len(STATISTICS)), np.nan)
    centres = np.argwhere(inside) + reach
    _window_statistics(np.pad(intensities, widths), np.pad(inside, widths), centres, np.array(reach), values)
    return values.T.astype(np.float32)


def _cooccurrence(levels: NDArray[np.uint16], inside: NDArray[np.bool_], reach: tuple[int, int, int]) -> Float32:
    count = max(int(levels.max()), 1)
    padded = np.pad(levels, [(width, width) for width in reach])
    centres = np.argwhere(inside) + reach
    steps = DIRECTIONS if reach[0] else DIRECTIONS[DIRECTIONS[:, 0] == 0]
    batch = max(1, BATCH_BYTES // (8 * count * count))
    parts = [np.zeros((0, len(COOCCURRENCE)))]
    for start in range(0, len(centres), batch):
        some = centres[start : start + batch]
        counts = np.zeros((len(some), count, count))
        _count_window_pairs(padded, some, np.array(reach), steps, counts)
        parts.append(cooccurrence_features(counts, np.ones(len(some))))
    return np.concatenate(parts).T.astype(np.float32)


def _by_window(
    levels: NDArray[np.uint16], inside: NDArray[np.bool_], reach: tuple[int, int, int], family: str
) -> Float32:
    """Features of a family, measured on each window as on a region."""
    aggregation: Aggregation = "3D merged" if reach[0] else "2.5D merged"
    settings = RadiomicsSettings(aggregations=(aggregation,))
    (suffix,) = suffixes(family, settings)
    padded = np.pad(levels, [(width + 1, width + 1) for width in reach])
    values = np.full((np.count_nonzero(inside), len(OTHERS[family])), np.nan, np.float32)
    for row, centre in zip(values, np.argwhere(inside), strict=True):
        sides = [slice(at, at + 2 * width + 3) for at, width in zip(centre, reach, strict=True)]
        window = padded[tuple(sides)].copy()
        for axis in range(3):
            np.moveaxis(window, axis, 0)[[0, -1]] = 0
        frame = Frame(window > 0, 1)
        by_slice = np.count_nonzero(window[1:-1], axis=(1, 2))[:, None]
        found = textures(Levels(window, frame, int(window.max()), by_slice), settings, [family])
        row[:] = found[family][suffix]
    return values.T


@compiled
def _count_window_pairs(
    levels: NDArray[np.uint16],
    centres: NDArray[np.int64],
    reach: NDArray[np.int64],
    steps: NDArray[np.int64],
    counts: NDArray[np.float64],
) -> None:
    """Count pairs of neighbours of which both lie in the window, one way."""
    for at in range(centres.shape[0]):
        z, y, x = centres[at]
        for step in range(steps.shape[0]):
            dz, dy, dx = steps[step]
            for a in range(z - reach[0] + max(0, -dz), z + reach[0] + 1 - max(0, dz)):
                for b in range(y - reach[1] + max(0, -dy), y + reach[1] + 1 - max(0, dy)):
                    for c in range(x - reach[2] + max(0, -dx), x + reach[2] + 1 - max(0, dx)):
                        here, there = levels[a, b, c], levels[a + dz, b + dy, c + dx]
                        if here and there:
                            counts[at, here - 1, there - 1] += 1.0


@compiled
def _percentile(ordered: NDArray[np.float64], share: float) -> float:
    position = share * (ordered.size - 1)
    below = int(np.floor(position))
    above = min(below + 1, ordered.size - 1)
    return float(ordered[below] + (position - below) * (ordered[above] - ordered[below]))


@compiled
def _window_statistics(
    intensities: Float32,
    inside: NDArray[np.bool_],
    centres: NDArray[np.int64],
    reach: NDArray[np.int64],
    values: NDArray[np.float64],
) -> None:
    """The statistics of the catalogue, in its order, of each window."""
    gathered = np.empty((2 * reach[0] + 1) * (2 * reach[1] + 1) * (2 * reach[2] + 1))
    for at in range(centres.shape[0]):
        z, y, x = centres[at]
        number = 0
        for a in range(z - reach[0], z + reach[0] + 1):
            for b in range(y - reach[1], y + reach[1] + 1):
                for c in range(x - reach[2], x + reach[2] + 1):
                    if inside[a, b, c]:
                        gathered[number] = intensities[a, b, c]
                        number += 1
        ordered = np.sort(gathered[:number])
        mean = ordered.mean()
        second, third, fourth, absolute, energy = 0.0, 0.0, 0.0, 0.0, 0.0
        for value in ordered:
            centred = value - mean
            second += centred**2 / number
            third += centred**3 / number
            fourth += centred**4 / number
            absolute += abs(centred) / number
            energy += value**2
        p10, p25, median = _percentile(ordered, 0.1), _percentile(ordered, 0.25), _percentile(ordered, 0.5)
        p75, p90 = _percentile(ordered, 0.75), _percentile(ordered, 0.9)
        inner = ordered[(ordered >= p10) & (ordered <= p90)]
        row = values[at]
        row[0], row[1], row[4] = mean, second, median
        if second > 0:
            row[2], row[3] = third / second**1.5, fourth / second**2 - 3
        row[5], row[6], row[7], row[8] = ordered[0], p10, p90, ordered[-1]
        row[9], row[10], row[11] = p75 - p25, ordered[-1] - ordered[0], absolute
        row[12] = np.abs(inner - inner.mean()).mean()
        row[13] = np.abs(ordered - median).mean()
        if mean != 0:
            row[14] = second**0.5 / mean
        if p75 + p25 != 0:
            row[15] = (p75 - p25) / (p75 + p25)
        row[16], row[17] = energy, (energy / number) ** 0.5
