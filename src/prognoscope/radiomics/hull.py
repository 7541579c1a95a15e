"""The convex hull of a mask's surface, and the largest distance across it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

REACH = 3
"""How far apart, in voxels, the neighbours are that a vertex is compared with: more leave fewer candidates."""


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
    """Vertices `(n, 3)` in voxels, but only those that can be corners of the hull.

    Of each row along each axis that is the first and the last, and of these only such as do not lie within the hull of
    two others on opposite sides.
    """
    found = []
    for axis in range(3):
        rows = np.moveaxis(padded, axis, 2)
        hit = rows.any(axis=2)
        first = np.where(hit, rows.argmax(axis=2) - 0.5, np.inf)
        last = np.where(hit, rows.shape[2] - rows[:, :, ::-1].argmax(axis=2) - 0.5, -np.inf)
        for end in (first, -last):
            corner = np.argwhere(hit & _juts_out(end))
            value = np.abs(end[tuple(corner.T)])
            found.append(np.insert(corner.astype(np.float64), axis, value, axis=1))
    return np.concatenate(found)


def _juts_out(depth: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where a surface `depth[i, j]`, infinite where it has none, lies below all chords of opposite neighbours.

    The border of the array has no neighbours there, which is right because the mask does not reach it.
    """
    out = np.ones(depth.shape, dtype=bool)
    for step in range(1, REACH + 1):
        wide = np.pad(depth, step, constant_values=np.inf)
        height, width = depth.shape
        for i, j in ((0, step), (step, 0), (step, step), (step, -step)):
            ahead = wide[step + i : step + i + height, step + j : step + j + width]
            behind = wide[step - i : step - i + height, step - j : step - j + width]
            out &= 2 * depth < ahead + behind
    return out
