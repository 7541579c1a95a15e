"""The convex hull of a mask's surface, and the largest distance across it."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import scipy
from numpy.typing import NDArray

REACH = 8
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
    hull = scipy.spatial.ConvexHull(points)
    return Hull(float(hull.area), float(hull.volume), float(scipy.spatial.distance.pdist(points[hull.vertices]).max()))


def _vertices(padded: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Vertices `(n, 3)` in voxels, but only those that can be corners of the hull.

    Of each row along each axis that is the first and the last, and of these only such as do not lie within the hull of
    two others on opposite sides.
    """
    depth, height, width = padded.shape
    far = 1 << 20
    ends = [np.full((2, *plane), far) for plane in ((height, width), (depth, width), (depth, height))]
    _find_ends(padded, ends[0], ends[1], ends[2])
    found = []
    for axis in range(3):
        for side, sign in ((0, 1), (1, -1)):
            corner = np.argwhere(_juts_out(ends[axis][side], far))
            # The surface runs half a voxel before the first voxel and after the last.
            value = sign * ends[axis][side][tuple(corner.T)] - 0.5 * sign
            found.append(np.insert(corner.astype(np.float64), axis, value, axis=1))
    return np.concatenate(found)


@numba.njit(cache=True, nogil=True)
def _find_ends(
    padded: NDArray[np.bool_],
    along_z: NDArray[np.int64],
    along_y: NDArray[np.int64],
    along_x: NDArray[np.int64],
) -> None:
    """First voxel of each row along each axis, and minus the last."""
    for z in range(padded.shape[0]):
        for y in range(padded.shape[1]):
            for x in range(padded.shape[2]):
                if padded[z, y, x]:
                    along_z[0, y, x] = min(along_z[0, y, x], z)
                    along_z[1, y, x] = min(along_z[1, y, x], -z)
                    along_y[0, z, x] = min(along_y[0, z, x], y)
                    along_y[1, z, x] = min(along_y[1, z, x], -y)
                    along_x[0, z, y] = min(along_x[0, z, y], x)
                    along_x[1, z, y] = min(along_x[1, z, y], -x)


@numba.njit(cache=True, nogil=True)
def _juts_out(ends: NDArray[np.int64], far: int) -> NDArray[np.bool_]:
    """Where a surface `ends[i, j]`, `far` where there is none, lies below all chords of opposite neighbours."""
    height, width = ends.shape
    out = np.zeros(ends.shape, dtype=np.bool_)
    for i in range(height):
        for j in range(width):
            if ends[i, j] == far:
                continue
            below = True
            for step in range(1, REACH + 1):
                for di, dj in ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1)):
                    a, b = i + di * step, j + dj * step
                    c, d = i - di * step, j - dj * step
                    if c < 0 or a >= height or min(b, d) < 0 or max(b, d) >= width:
                        continue
                    if ends[a, b] != far and ends[c, d] != far and 2 * ends[i, j] >= ends[a, b] + ends[c, d]:
                        below = False
                        break
                if not below:
                    break
            out[i, j] = below
    return out
