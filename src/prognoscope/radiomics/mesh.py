"""The surface of a mask: marching cubes at the level 0.5 of a binary image (Lorensen and Cline 1987).

Each cube of eight neighbouring voxel centres has one of 256 configurations, and what a configuration adds to area and
volume hardly depends on where it is. So the cubes are counted by configuration, and the polygons are made once, not
from a printed table: cut each face of the cube (two opposite corners inside are kept apart), chain the cuts to closed
loops, and span each loop by the triangles that give most volume to the side with fewer corners (with four against
four, half of each). That gives what the printed tables give, and is the same however the image is turned or mirrored;
where several spans enclose the same, each counts by its share.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.geometry import Triple
from prognoscope.radiomics.compiled import compiled

Vertex = tuple[int, int, int]
CORNERS = np.array(list(itertools.product((0, 1), repeat=3)))
"""Corner k of a cube lies at the binary digits of k: `(z, y, x)`."""
FACES = tuple(
    tuple(int(corner[0]) * 4 + int(corner[1]) * 2 + int(corner[2]) for corner in face)
    for axis in range(3)
    for side in (0, 1)
    for face in [[np.insert(np.array(rim), axis, side) for rim in ((0, 0), (0, 1), (1, 1), (1, 0))]]
)
"""The four corners of each face, going round."""


@dataclass(frozen=True, slots=True)
class Surface:
    """Area in mm² and enclosed volume in mm³ of a mesh."""

    area_mm2: float
    volume_mm3: float


def measure_surface(padded: NDArray[np.bool_], spacing_mm: Triple) -> Surface:
    """Measure the surface of a mask `[z, y, x]` whose outermost voxels are all outside."""
    number = np.zeros(256, dtype=np.int64)
    place = np.zeros((256, 3), dtype=np.int64)
    _count_configurations(padded, number, place)
    pieces = _pieces()
    voxel = spacing_mm[0] * spacing_mm[1] * spacing_mm[2]
    # A vector across a triangle grows along each axis with the spacing along the other two.
    across = pieces.vector * (voxel / np.array(spacing_mm))
    area = float(np.sqrt((across**2).sum(axis=1)) @ number[pieces.code])
    # Divergence theorem: a third of position times vector, summed over triangles and over the cubes of a configuration.
    volume = (pieces.moment @ number + float((pieces.total * place).sum())) / 3 * voxel
    return Surface(area, float(volume))


@dataclass(frozen=True, slots=True, eq=False)
class _Pieces:
    """The triangles of all configurations, in cube coordinates.

    Attributes
    ----------
    code, vector
        `(n,)` and `(n, 3)`: a triangle's configuration, and its normal out of the mask, as long as what counts of its
        area.
    total, moment
        `(256, 3)` and `(256,)`: sums over a configuration's triangles of the vector, and of its product with where
        the triangle is.
    """

    code: NDArray[np.int64]
    vector: NDArray[np.float64]
    total: NDArray[np.float64]
    moment: NDArray[np.float64]


@functools.cache
def _pieces() -> _Pieces:
    corners: list[list[Vertex]] = []
    codes: list[int] = []
    shares: list[float] = []
    for code in range(1, 255):
        side = 4 - code.bit_count()
        signs = (1, -1) if side == 0 else (1 if side > 0 else -1,)
        for loop, sign in itertools.product(_loops(code), signs):
            span = _largest_span(tuple(loop), sign)
            for triangle, count in span.triangles.items():
                corners.append([loop[vertex] for vertex in triangle])
                codes.append(code)
                shares.append(count / span.ways / len(signs))
    a, b, c = np.moveaxis(np.array(corners) / 2, 1, 0)
    configuration = np.array(codes)
    vector = np.cross(b - a, c - a) / 2 * np.array(shares)[:, None]
    total, moment = np.zeros((256, 3)), np.zeros(256)
    np.add.at(total, configuration, vector)
    np.add.at(moment, configuration, (vector * (a + b + c) / 3).sum(axis=1))
    return _Pieces(configuration, vector, total, moment)


@dataclass(frozen=True, slots=True)
class _Span:
    """All spans of a polygon with the largest volume: that volume, their number, and in how many each triangle is."""

    volume: int
    ways: int
    triangles: dict[tuple[int, int, int], int]


def _largest_span(loop: tuple[Vertex, ...], sign: int) -> _Span:
    """Triangulate a polygon in space so that the volume inside (`sign` 1) or outside (-1) is largest.

    By dynamic programming over the polygon's chords.
    """

    @functools.cache
    def between(first: int, last: int) -> _Span:
        if last - first < 2:
            return _Span(0, 1, {})
        best = _Span(-(10**9), 0, {})
        for middle in range(first + 1, last):
            left, right = between(first, middle), between(middle, last)
            volume = left.volume + right.volume + sign * _volume(loop[first], loop[middle], loop[last])
            if volume < best.volume:
                continue
            ways = left.ways * right.ways
            triangles = dict(best.triangles) if volume == best.volume else {}
            for part, others in ((left, right.ways), (right, left.ways)):
                for triangle, count in part.triangles.items():
                    triangles[triangle] = triangles.get(triangle, 0) + count * others
            triangles[first, middle, last] = ways
            best = _Span(volume, ways + (best.ways if volume == best.volume else 0), triangles)
        return best

    return between(0, len(loop) - 1)


def _volume(a: Vertex, b: Vertex, c: Vertex) -> int:
    """Six times the signed volume between a triangle and the origin."""
    return a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])


def _loops(code: int) -> list[list[Vertex]]:
    """Closed polygons of a configuration, their vertices in half voxels."""
    inside = [bool(code >> corner & 1) for corner in range(8)]
    onward: dict[tuple[int, int], tuple[int, int]] = {}
    for face in FACES:
        onward.update(_cuts(face, inside))
    loops = []
    while onward:
        first, edge = onward.popitem()
        edges = [first]
        while edge != first:
            edges.append(edge)
            edge = onward.pop(edge)
        loops.append([_between(a, b) for a, b in edges])
    return loops


def _cuts(face: tuple[int, ...], inside: list[bool]) -> dict[tuple[int, int], tuple[int, int]]:
    """Cuts across a face, from cube edge to cube edge, each with the inside on the same hand as seen from outside."""
    rim = [(face[k], face[(k + 1) % 4]) for k in range(4)]
    if not _seen_from_outside(face):
        rim = [(b, a) for a, b in reversed(rim)]
    enters = [k for k, (a, b) in enumerate(rim) if inside[b] and not inside[a]]
    cuts = {}
    for k in enters:
        leave = next(j % 4 for j in range(k + 1, k + 4) if inside[rim[j % 4][0]] and not inside[rim[j % 4][1]])
        cuts[_edge(rim[k])] = _edge(rim[leave])
    return cuts


def _seen_from_outside(face: tuple[int, ...]) -> bool:
    """Whether the corners of a face go round counter-clockwise for an eye outside the cube."""
    a, b, c = (CORNERS[corner] for corner in face[:3])
    outward = CORNERS[list(face)].mean(axis=0) - 0.5
    return float(np.cross(b - a, c - b) @ outward) > 0


def _between(a: int, b: int) -> Vertex:
    z, y, x = (int(value) for value in CORNERS[a] + CORNERS[b])
    return z, y, x


def _edge(ends: tuple[int, int]) -> tuple[int, int]:
    return min(ends), max(ends)


@compiled
def _count_configurations(padded: NDArray[np.bool_], number: NDArray[np.int64], place: NDArray[np.int64]) -> None:
    """Count the cubes of each configuration, and sum where they are; all in and all out are left out."""
    depth, height, width = padded.shape
    for z in range(depth - 1):
        for y in range(height - 1):
            column = (
                padded[z, y, 0] | padded[z, y + 1, 0] << 2 | padded[z + 1, y, 0] << 4 | padded[z + 1, y + 1, 0] << 6
            )
            for x in range(width - 1):
                code = column
                column = (
                    padded[z, y, x + 1]
                    | padded[z, y + 1, x + 1] << 2
                    | padded[z + 1, y, x + 1] << 4
                    | padded[z + 1, y + 1, x + 1] << 6
                )
                code |= column << 1
                if code == 0 or code == 255:
                    continue
                number[code] += 1
                place[code, 0] += z
                place[code, 1] += y
                place[code, 2] += x
