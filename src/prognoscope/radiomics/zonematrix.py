"""Grey level size zone and distance zone matrices (IBSI reference manual, sections 3.8 and 3.9; Thibault 2014)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.aggregate import average, matrices
from prognoscope.radiomics.compiled import compiled
from prognoscope.radiomics.directions import Dimension
from prognoscope.radiomics.discretise import Levels, Undefined
from prognoscope.radiomics.emphasis import emphasis_features
from prognoscope.radiomics.zones import Zones


def glszm(zones: Zones, levels: Levels, dimension: Dimension) -> NDArray[np.float64] | Undefined:
    """The 16 size zone features in the order of the catalogue; `zones` are those within slices for 2D and 2.5D."""
    return _features(zones, zones.size, levels, dimension)


def gldzm(zones: Zones, levels: Levels, dimension: Dimension) -> NDArray[np.float64] | Undefined:
    """The 16 distance zone features in the order of the catalogue; `zones` are those within slices for 2D and 2.5D."""
    return _features(zones, zones.distance, levels, dimension)


def _features(
    zones: Zones, column: NDArray[np.int32], levels: Levels, dimension: Dimension
) -> NDArray[np.float64] | Undefined:
    # Most sizes never occur: columns are those that do.
    place = _places(column)
    sizes = np.flatnonzero(place >= 0).astype(np.float64)
    shape = (levels.inner_shape[0] if dimension == "2D" else 1, levels.count, len(sizes))
    counts = matrices(*shape)
    if isinstance(counts, Undefined):
        return counts
    _count(counts, zones.slice, zones.level, column, place)
    voxels = levels.voxels_by_slice().astype(np.float64)
    if dimension != "2D":
        voxels = voxels.sum(keepdims=True)
    return average(emphasis_features(counts.astype(np.float64), sizes, voxels)[:, :16])


@compiled
def _places(column: NDArray[np.int32]) -> NDArray[np.int32]:
    """Which column of the matrix each size has, -1 where none has that size."""
    largest = 0
    for zone in range(column.size):
        largest = max(largest, column[zone])
    place = np.full(largest + 1, -1, dtype=np.int32)
    for zone in range(column.size):
        place[column[zone]] = 0
    number = 0
    for size in range(place.size):
        if place[size] == 0:
            place[size] = number
            number += 1
    return place


@compiled
def _count(
    counts: NDArray[np.int32],
    slices: NDArray[np.int32],
    level: NDArray[np.uint16],
    column: NDArray[np.int32],
    place: NDArray[np.int32],
) -> None:
    """Count zones into the matrix of their slice, or where there is one into that."""
    last = counts.shape[0] - 1
    for zone in range(level.size):
        counts[min(slices[zone], last), level[zone] - 1, place[column[zone]]] += 1
