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
    zones: Zones, column: NDArray[np.int64], levels: Levels, dimension: Dimension
) -> NDArray[np.float64] | Undefined:
    # Most sizes never occur: columns are those that do.
    present = np.bincount(column) > 0
    place = np.cumsum(present) - 1
    sizes = np.flatnonzero(present).astype(np.float64)
    slices = levels.inner_shape[0] if dimension == "2D" else 1
    matrix = zones.slice if dimension == "2D" else np.zeros_like(zones.slice)
    shape = (slices, levels.count, len(sizes))
    counts = matrices(*shape)
    if isinstance(counts, Undefined):
        return counts
    _count(counts, matrix, zones.level, place[column])
    voxels = levels.voxels_by_slice().astype(np.float64)
    if dimension != "2D":
        voxels = voxels.sum(keepdims=True)
    return average(emphasis_features(counts.astype(np.float64), sizes, voxels)[:, :16])


@compiled
def _count(
    counts: NDArray[np.int32], matrix: NDArray[np.int64], level: NDArray[np.int64], column: NDArray[np.int64]
) -> None:
    for zone in range(level.size):
        counts[matrix[zone], level[zone] - 1, column[zone]] += 1
