"""The convex hull of a mask's surface, and the largest distance across it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist


@dataclass(frozen=True, slots=True)
class Hull:
    """Area and volume of the convex hull, and the largest distance between two of its points."""

    area_mm2: float
    volume_mm3: float
    diameter_mm: float


def enclose(padded: NDArray[np.bool_], spacing: NDArray[np.float64]) -> Hull:
    """Enclose the vertices of the surface mesh of a mask `[z, y, x]` whose outermost voxels are all outside.

    The vertices lie half way between a voxel inside and its neighbour outside. The hull of a single voxel is an
    octahedron, so it always has a volume.
    """
    points = _vertices(padded) * spacing
    hull = ConvexHull(points)
    return Hull(float(hull.area), float(hull.volume), float(pdist(points[hull.vertices]).max()))


def _vertices(padded: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Vertices `(n, 3)` in voxels: of each row along each axis only the first and the last, all others are within."""
    found = []
    for axis in range(3):
        rows = np.moveaxis(padded, axis, 2)
        hit = rows.any(axis=2)
        first = rows.argmax(axis=2)[hit] - 0.5
        last = rows.shape[2] - rows[:, :, ::-1].argmax(axis=2)[hit] - 0.5
        across = np.argwhere(hit).astype(np.float64)
        for end in (first, last):
            found.append(np.insert(across, axis, end, axis=1))
    return np.concatenate(found)
