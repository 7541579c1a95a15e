"""RTSTRUCT contours → a mask on the grid of an image series.

Planes are matched by their position along the image's normal, never by the instances that a contour names: exports
often lack those. DICOM PS3.3 C.8.8.6 (ROI contour module).
"""

from __future__ import annotations

import fnmatch
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from prognoscope.core import hashing
from prognoscope.core.geometry import Grid, Mask
from prognoscope.core.images import ImageSeries, RegionSet
from prognoscope.core.problems import Refused, refuse
from prognoscope.core.settings import nearest
from prognoscope.sources.attributes import Attributes
from prognoscope.sources.dicom import parse, read_bytes
from prognoscope.sources.header import WANTED
from prognoscope.sources.instance import Instance, Region
from prognoscope.sources.outline import outline
from prognoscope.sources.polygons import fill

CLOSED = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "CLOSED_PLANAR_XOR"})
HALF_SLICE = 0.5
OUTSIDE_VOXELS = 1.0
SAME_HEIGHT_MM = 0.01
Ring = NDArray[np.float64]


def matching_regions(regions: RegionSet, pattern: str) -> tuple[str, ...]:
    """Names of regions that match a shell pattern (`GTV*`), upper and lower case distinct, sorted, each once."""
    return tuple(sorted({name for name in regions.regions if fnmatch.fnmatchcase(name, pattern)}))


def read_mask(root: Path, regions: RegionSet, region: str, series: ImageSeries, *, across_series: bool = False) -> Mask:
    """Scan-convert one region of interest to the voxels of a series whose centres lie inside.

    Parameters
    ----------
    root
        The folder that the region set's file is relative to.
    regions, region
        The set, and the name of one of its regions.
    series
        The image whose grid the mask gets.
    across_series
        Allow a series of the same frame of reference that the contours were not drawn on.

    Raises
    ------
    Refused
        `region-unknown`, `region-name-twice`, `region-empty`, `region-not-closed`, `frame-of-reference-differs`,
        `region-of-other-series`, `region-outside-image`, `contour-plane-oblique`, `contours-skip-slices`,
        `region-too-small`, `file-changed`, and what reading the file may refuse.
    """
    data = read_bytes(root / regions.file, subject=regions.file)
    if hashing.of_bytes(data) != regions.hash:
        raise refuse(
            "file-changed",
            subject=regions.file,
            found="its content is not what was found when the folder was read",
            remedy="run again, so that the folder is read anew",
        )
    subject = f"region {region!r} of {regions.file}"
    instance = parse(data, subject=regions.file)
    found = _region(instance.regions, region, subject)
    frame = frame_of(instance, found)
    _check_belongs(frame, regions, series, subject, across_series=across_series)
    rings = _rings(data, found, subject)
    planes = _planes(rings, series.grid, subject)
    voxels = np.zeros(series.grid.shape, dtype=bool)
    for number, polygons in planes.items():
        voxels[number] = fill(polygons, rows=series.grid.shape[1], columns=series.grid.shape[2])
    if not voxels.any():
        raise refuse(
            "region-too-small",
            subject=subject,
            found=f"its {len(rings)} contours enclose no voxel centre",
            remedy="check the contour; a region smaller than a voxel cannot be measured",
        )
    return Mask(voxels, series.grid)


def frame_of(file: Instance, region: Region) -> str:
    """Frame of reference of a region.

    Exports exist whose regions name a frame that the file itself, which lists its frames and the series in them, does
    not know: then the list counts.
    """
    if region.frame_of_reference in file.referenced_frames or not file.referenced_frames:
        return region.frame_of_reference or file.frame_of_reference
    return file.referenced_frames[0] if len(set(file.referenced_frames)) == 1 else region.frame_of_reference


def _region(known: tuple[Region, ...], name: str, subject: str) -> Region:
    named = [entry for entry in known if entry.name == name]
    if not named:
        near = nearest(name, [entry.name for entry in known])
        raise refuse(
            "region-unknown",
            subject=subject,
            found=f"the file has no region of that name; it has {', '.join(entry.name for entry in known) or 'none'}",
            remedy=f"did you mean {near!r}?" if near else "name one of them",
        )
    if len(named) > 1:
        raise refuse(
            "region-name-twice",
            subject=subject,
            found=f"regions number {' and '.join(str(entry.number) for entry in named)} bear the name",
            remedy="rename one of them in the contouring software",
        )
    if named[0].contours == 0:
        raise refuse(
            "region-empty", subject=subject, found="it has no contour", remedy="draw the region or leave it out"
        )
    return named[0]


def _check_belongs(frame: str, regions: RegionSet, series: ImageSeries, subject: str, *, across_series: bool) -> None:
    if frame and series.frame_of_reference and frame != series.frame_of_reference:
        raise refuse(
            "frame-of-reference-differs",
            subject=subject,
            found=f"it was drawn in frame of reference {frame}, series {series.uid} lies in "
            f"{series.frame_of_reference}",
            remedy="register the images first, or choose the series it was drawn on",
        )
    if not across_series and regions.series_uid and regions.series_uid != series.uid.partition("#")[0]:
        raise refuse(
            "region-of-other-series",
            subject=subject,
            found=f"it was drawn on series {regions.series_uid}, not on {series.uid}",
            remedy="choose the series it was drawn on, or say that contours of another series may be used",
        )


def _rings(data: bytes, region: Region, subject: str) -> list[Ring]:
    """Closed contours of a region, each `(n, 3)` positions in mm."""
    header = Attributes.of(outline(data, WANTED, subject=subject))
    rings, others = [], set()
    for entry in header.items("ROIContourSequence"):
        if entry.whole("ReferencedROINumber") != region.number:
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
