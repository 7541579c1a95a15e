"""The convex hull of a mask's surface, and the largest distance across it.

The vertices of the surface lie half way between voxels: in half voxels their coordinates are whole numbers, and so are
the products that decide on which side of a plane a point lies. Floats hold whole numbers below 2⁵³ exactly, so that
the many points that share a plane, on which hulls of measured points founder, are found to do so.

Faces are wrapped one after the other (Chand and Kapur 1970): beyond each edge of a face the next plane is the one that
has all points on one side, and its face is the polygon around all points in it (Jarvis 1973).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.compiled import compiled

Points = NDArray[np.float64]
Vector = tuple[float, float, float]
REACH = 8
"""How far apart, in voxels, the neighbours are that a vertex is compared with: more leave fewer candidates."""
FAR = 1 << 20


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
    z, y, x = (float(step) / 2 for step in spacing)
    area, volume, diameter = _wrap(np.ascontiguousarray(_candidates(padded)), (z, y, x))
    return Hull(area, volume, diameter)


def _candidates(padded: NDArray[np.bool_]) -> Points:
    """Vertices `(3, n)` in half voxels, but only those that can be corners of the hull.

    Of each row along each axis that is the first and the last, and of these only such as do not lie within the hull of
    two others on opposite sides.
    """
    depth, height, width = padded.shape
    ends = [np.full((2, *plane), FAR) for plane in ((height, width), (depth, width), (depth, height))]
    _find_ends(padded, ends[0], ends[1], ends[2])
    found = np.empty((3, sum(end.size for end in ends)))
    number = 0
    for axis in range(3):
        number = _gather(ends[axis], axis, found, number)
    return found[:, :number]


@compiled
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


@compiled
def _gather(ends: NDArray[np.int64], axis: int, found: Points, number: int) -> int:
    """Add the vertices at the ends `(2, i, j)` of rows along an axis that jut out; return how many there are now."""
    first, second = (1 if axis == 0 else 0), (1 if axis == 2 else 2)
    for side in range(2):
        for i in range(ends.shape[1]):
            for j in range(ends.shape[2]):
                if _juts_out(ends[side], i, j):
                    # The surface runs half a voxel before the first voxel and after the last.
                    found[axis, number] = (1 - 2 * side) * (2 * ends[side, i, j] - 1)
                    found[first, number] = 2 * i
                    found[second, number] = 2 * j
                    number += 1
    return number


@compiled
def _juts_out(ends: NDArray[np.int64], i: int, j: int) -> bool:
    """Whether a surface `ends[i, j]`, `FAR` where there is none, lies below all chords of opposite neighbours."""
    height, width = ends.shape
    if ends[i, j] == FAR:
        return False
    for step in range(1, REACH + 1):
        for di, dj in ((0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (2, 1), (1, -2), (2, -1)):
            a, b = i + di * step, j + dj * step
            c, d = i - di * step, j - dj * step
            if c < 0 or a >= height or min(b, d) < 0 or max(b, d) >= width:
                continue
            if ends[a, b] != FAR and ends[c, d] != FAR and 2 * ends[i, j] >= ends[a, b] + ends[c, d]:
                return False
    return True


@compiled
def _wrap(points: Points, unit: Vector) -> tuple[float, float, float]:
    """Area, volume and diameter of the hull of points `(3, n)`, in units, that do not all lie in one plane.

    `edges` holds the sides of faces that were wrapped whose other face was not yet, from end to end as the face goes.
    """
    n = points.shape[1]
    polygon, plane = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    corner, edges, number = np.zeros(n, dtype=np.bool_), np.empty((3 * n, 2), dtype=np.int64), 0
    area, sixfold = 0.0, 0.0
    a, b = _first_edge(points, plane)
    while True:
        normal = _tilt(points, a, _apart(points, a, b))
        sides = _go_round(points, normal, a, b, plane, polygon)
        z, y, x = _across(points, polygon, sides)
        # A vector across a face grows along each axis with the units along the other two.
        area += np.sqrt((z * unit[1] * unit[2]) ** 2 + (y * unit[0] * unit[2]) ** 2 + (x * unit[0] * unit[1]) ** 2) / 2
        sixfold += z * points[0, a] + y * points[1, a] + x * points[2, a]
        for k in range(sides):
            corner[polygon[k]] = True
            number = _close_or_open(edges, number, polygon[k], polygon[(k + 1) % sides])
        if number == 0:
            return area, sixfold / 6 * unit[0] * unit[1] * unit[2], _diameter(points, corner, unit)
        a, b = edges[number - 1, 1], edges[number - 1, 0]


@compiled
def _first_edge(points: Points, plane: NDArray[np.int64]) -> tuple[int, int]:
    a = 0
    for p in range(points.shape[1]):
        z, y, x = _apart(points, a, p)
        if z < 0 or (z == 0 and (y < 0 or (y == 0 and x < 0))):
            a = p
    # The plane of least z has all points on one side, and so has one that tilts from it about a line through a.
    normal = _tilt(points, a, (0.0, 0.0, 1.0))
    return a, _next_corner(points, normal, plane, _find_plane(points, normal, a, plane), a)


@compiled
def _apart(points: Points, a: int, b: int) -> Vector:
    return points[0, b] - points[0, a], points[1, b] - points[1, a], points[2, b] - points[2, a]


@compiled
def _tilt(points: Points, a: int, along: Vector) -> Vector:
    """Outward normal of the plane through point a and a direction that leaves all points on one side.

    Of the two such planes the one whose points lie to the left of the direction, seen from outside.
    """
    nz, ny, nx = 0.0, 0.0, 0.0
    for p in range(points.shape[1]):
        z, y, x = points[0, p] - points[0, a], points[1, p] - points[1, a], points[2, p] - points[2, a]
        if nz * z + ny * y + nx * x > 0 or (nz == 0 and ny == 0 and nx == 0):
            nz, ny, nx = along[1] * x - along[2] * y, along[2] * z - along[0] * x, along[0] * y - along[1] * z
    return nz, ny, nx


@compiled
def _find_plane(points: Points, normal: Vector, a: int, plane: NDArray[np.int64]) -> int:
    """Fill in the points of the plane through a; return their number."""
    height = normal[0] * points[0, a] + normal[1] * points[1, a] + normal[2] * points[2, a]
    number = 0
    for p in range(points.shape[1]):
        if normal[0] * points[0, p] + normal[1] * points[1, p] + normal[2] * points[2, p] == height:
            plane[number] = p
            number += 1
    return number


@compiled
def _next_corner(points: Points, normal: Vector, plane: NDArray[np.int64], number: int, here: int) -> int:
    """The corner after `here` of the polygon around points of a plane, counter-clockwise seen from outside."""
    # In the projection along the axis that is nearest to the normal.
    z, y, x = abs(normal[0]), abs(normal[1]), abs(normal[2])
    axis = 0 if z >= y and z >= x else 1 if y >= x else 2
    first, second = (axis + 1) % 3, (axis + 2) % 3
    sign = 1.0 if normal[axis] > 0 else -1.0
    best, u, v = here, 0.0, 0.0
    for k in range(number):
        p = plane[k]
        du, dv = points[first, p] - points[first, here], points[second, p] - points[second, here]
        turn = sign * (u * dv - v * du)
        if turn < 0 or (turn == 0 and du * du + dv * dv > u * u + v * v):
            best, u, v = p, du, dv
    return best


@compiled
def _go_round(
    points: Points, normal: Vector, a: int, b: int, plane: NDArray[np.int64], polygon: NDArray[np.int64]
) -> int:
    """Fill in the corners of the face that has an edge from a to b; return their number."""
    around = _find_plane(points, normal, a, plane)
    polygon[0], number, here = a, 1, b
    while here != a:
        polygon[number] = here
        number += 1
        here = _next_corner(points, normal, plane, around, here)
    return number


@compiled
def _across(points: Points, polygon: NDArray[np.int64], sides: int) -> Vector:
    """The vector across a polygon, outwards, twice as long as its area."""
    z, y, x = 0.0, 0.0, 0.0
    for k in range(1, sides - 1):
        p, q = _apart(points, polygon[0], polygon[k]), _apart(points, polygon[0], polygon[k + 1])
        z += p[1] * q[2] - p[2] * q[1]
        y += p[2] * q[0] - p[0] * q[2]
        x += p[0] * q[1] - p[1] * q[0]
    return z, y, x


@compiled
def _close_or_open(edges: NDArray[np.int64], number: int, here: int, there: int) -> int:
    """Strike an edge off the list when its other face has it there, else add it; return the length of the list."""
    for e in range(number - 1, -1, -1):
        if edges[e, 0] == there and edges[e, 1] == here:
            edges[e, 0], edges[e, 1] = edges[number - 1, 0], edges[number - 1, 1]
            return number - 1
    edges[number, 0], edges[number, 1] = here, there
    return number + 1


@compiled
def _diameter(points: Points, corner: NDArray[np.bool_], unit: Vector) -> float:
    """Largest distance between two corners."""
    longest = 0.0
    for p in range(corner.size):
        if corner[p]:
            for q in range(p):
                if corner[q]:
                    z, y, x = _apart(points, p, q)
                    longest = max(longest, (z * unit[0]) ** 2 + (y * unit[1]) ** 2 + (x * unit[2]) ** 2)
    return math.sqrt(longest)
