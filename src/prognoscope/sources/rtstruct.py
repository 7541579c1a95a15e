"""RTSTRUCT contours → voxels of a grid.

Planes are matched by their position along the image's normal, never by the instances that a contour names: exports
often lack those. DICOM PS3.3 C.8.8.6 (ROI contour module).
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.geometry import Grid
from prognoscope.core.problems import Refused, refuse
from prognoscope.sources.attributes import Attributes
from prognoscope.sources.outline import Outline
from prognoscope.sources.polygons import fill

CLOSED = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR"})
HALF_SLICE = 0.5
OUTSIDE_VOXELS = 1.0
SAME_HEIGHT_MM = 0.01
Ring = NDArray[np.float64]


def scan_convert(found: Outline, number: int, grid: Grid, *, subject: str) -> NDArray[np.bool_]:
    """Return the voxels `[z, y, x]` whose centres lie inside the contours of the region with a number.

    Raises
    ------
    Refused
        `region-empty`, `region-not-closed`, `region-outside-image`, `contour-plane-oblique`, `contours-skip-slices`,
        `dicom-value`.
    """
    planes = _planes(_rings(Attributes.of(found), number, subject), grid, subject)
    voxels = np.zeros(grid.shape, dtype=bool)
    for slice_number, polygons in planes.items():
        voxels[slice_number] = fill(polygons, rows=grid.shape[1], columns=grid.shape[2])
    return voxels


def _rings(header: Attributes, number: int, subject: str) -> list[Ring]:
    """Closed contours of a region, each `(n, 3)` positions in mm."""
    rings, others = [], set()
    for entry in header.items("ROIContourSequence"):
        if entry.whole("ReferencedROINumber") != number:
            continue
        for contour in entry.items("ContourSequence"):
            shape, points = contour.text("ContourGeometricType"), _points(contour, subject)
            if shape in CLOSED and len(points) >= 3:
                rings.append(points)
            elif len(points):
                others.add(shape or "no type")
    if not rings:
        raise refuse(
            "region-not-closed" if others else "region-empty",
            subject=subject,
            found=f"it has only {', '.join(sorted(others))} and no closed contour" if others else "it has no contour",
            remedy="draw closed contours or leave the region out",
        )
    return rings


def _points(contour: Attributes, subject: str) -> Ring:
    raw = contour.raw("ContourData").strip(b"\0 ")
    try:
        points = np.array(raw.split(b"\\") if raw else [], dtype=np.float64)
    except ValueError as error:
        raise _bad_points(subject, "holds something that is no number") from error
    if points.size % 3:
        raise _bad_points(subject, f"has {points.size} numbers, which are not three a point")
    if not np.isfinite(points).all():
        raise _bad_points(subject, "holds a number that is not finite")
    return points.reshape(-1, 3)


def _bad_points(subject: str, found: str) -> Refused:
    return refuse(
        "dicom-value",
        subject=subject,
        found=f"ContourData {found}",
        remedy="export the contours again from their source",
    )


def _planes(rings: list[Ring], grid: Grid, subject: str) -> dict[int, list[Ring]]:
    """Slice number → the rings `(n, 2)` of (row, column) drawn on it."""
    by_slice: dict[int, list[tuple[float, Ring]]] = defaultdict(list)
    for ring in rings:
        indices = grid.indices(ring)
        height = float(indices[:, 0].mean())
        if np.abs(indices[:, 0] - height).max() > HALF_SLICE:
            raise refuse(
                "contour-plane-oblique",
                subject=subject,
                found=f"a contour crosses {np.ptp(indices[:, 0]):.1f} slices of the image: it lies in another plane",
                remedy="choose the series it was drawn on",
            )
        by_slice[_slice(height)].append((height, indices[:, 1:]))
    _check_inside(by_slice, grid, subject)
    numbers = sorted(by_slice)
    if len(numbers) > 2 and min(np.diff(numbers)) > 1:
        raise refuse(
            "contours-skip-slices",
            subject=subject,
            found=f"only every {min(np.diff(numbers))}th slice or fewer has a contour",
            remedy="interpolate the contours in the contouring software",
        )
    return {number: _nearest_plane(by_slice[number], number, grid) for number in numbers}


def _slice(height: float) -> int:
    """The slice whose centre is within half a slice; exactly between two, the lower one."""
    return int(np.ceil(height - HALF_SLICE))


def _nearest_plane(drawn: list[tuple[float, Ring]], number: int, grid: Grid) -> list[Ring]:
    """Rings of the plane nearest to the slice's centre; planes finer than the slices must not cancel each other."""
    best = min(abs(height - number) for height, _ in drawn)
    same = SAME_HEIGHT_MM / grid.spacing[0]
    chosen = [(height, ring) for height, ring in drawn if abs(abs(height - number) - best) <= same]
    lowest = min(height for height, _ in chosen)
    return [ring for height, ring in chosen if height - lowest <= 2 * same]


def _check_inside(by_slice: dict[int, list[tuple[float, Ring]]], grid: Grid, subject: str) -> None:
    depth, rows, columns = grid.shape
    beyond = sorted(number for number in by_slice if not 0 <= number < depth)
    if beyond:
        raise _outside(
            subject, f"{len(beyond)} of its {len(by_slice)} planes lie below the first or above the last slice"
        )
    points = np.concatenate([ring for drawn in by_slice.values() for _, ring in drawn])
    edge = np.array([rows, columns]) - 1 + OUTSIDE_VOXELS
    excess = np.maximum(-OUTSIDE_VOXELS - points, points - edge).max(axis=0) * np.array(grid.spacing[1:])
    if excess.max() > 0:
        raise _outside(subject, f"it reaches {excess.max() + min(grid.spacing[1:]):.1f} mm beyond the image's edge")


def _outside(subject: str, found: str) -> Refused:
    return refuse(
        "region-outside-image",
        subject=subject,
        found=found,
        remedy="choose the series it was drawn on; a region that is cut off cannot be measured",
    )
