"""DICOM segmentations → voxels of a grid.

Frames come in any order and empty ones are usually left out, so each is placed by its own position. A segmentation is
never resampled: its pixels must be voxels of the image. DICOM PS3.3 A.51, C.8.20.2.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.geometry import SAME_GRID_VOXELS, Grid
from prognoscope.core.problems import Refused, refuse
from prognoscope.sources.attributes import Attributes
from prognoscope.sources.header import NATIVE, holder, segment_of_frame
from prognoscope.sources.outline import Outline
from prognoscope.sources.pixels import stored_values

Places = NDArray[np.float64]


def place(
    found: Outline, number: int, grid: Grid, *, subject: str, threshold: float | None = None
) -> NDArray[np.bool_]:
    """Return the voxels `[z, y, x]` of the segment with a number.

    Raises
    ------
    Refused
        `segment-fractional` for probabilities without a threshold, `segment-off-grid` when its pixels are not voxels
        of the grid (with the distance), `region-outside-image`, `dicom-damaged`, `pixels-undecodable`.
    """
    header = Attributes.of(found)
    frames = header.items("PerFrameFunctionalGroupsSequence")
    shared = header.first("SharedFunctionalGroupsSequence")
    inside = _inside(found, header, number, threshold, subject)
    voxels = np.zeros(grid.shape, dtype=bool)
    for plane, frame in zip(inside, frames, strict=True):
        if segment_of_frame(frame, shared) in (0, number) and plane.any():
            indices = _indices(np.argwhere(plane), (frame, shared), grid, subject)
            voxels[tuple(indices.T)] = True
    return voxels


def _inside(
    found: Outline, header: Attributes, number: int, threshold: float | None, subject: str
) -> NDArray[np.bool_]:
    """Which pixels of each frame are inside, `(frames, rows, columns)`, whatever segment a frame shows."""
    kind = header.text("SegmentationType")
    if kind == "FRACTIONAL":
        if threshold is None:
            raise refuse(
                "segment-fractional",
                subject=subject,
                found="it holds probabilities or shares of a voxel, not a mask",
                remedy="say from which share on a voxel is inside (a threshold above 0 and up to 1)",
            )
        return np.asarray(stored_values(found) >= threshold * (header.whole("MaximumFractionalValue") or 255))
    if kind == "LABELMAP":
        return np.asarray(stored_values(found) == number)
    if header.whole("BitsAllocated") != 1 or found.transfer_syntax not in NATIVE:
        return np.asarray(stored_values(found) > 0)
    shape = (max(header.whole("NumberOfFrames"), 1), header.whole("Rows"), header.whole("Columns"))
    start, end = found.pixels or (0, 0)
    packed = np.frombuffer(found.walk.data, dtype=np.uint8, count=end - start, offset=start)
    bits = np.unpackbits(packed, count=math.prod(shape), bitorder="little")
    return bits.reshape(shape).astype(bool)


def _indices(pixels: NDArray[np.intp], places: tuple[Attributes, ...], grid: Grid, subject: str) -> NDArray[np.intp]:
    """Voxel indices `(n, 3)` of a frame's pixels `(n, 2)` (row, column)."""
    origin = np.array(_needed(places, "ImagePositionPatient", 3))
    axes = np.array(_needed(places, "ImageOrientationPatient", 6)).reshape(2, 3)
    spacing = np.array(_needed(places, "PixelSpacing", 2))
    # The first axis of the orientation runs along a row, so it belongs to the column number.
    positions = origin + pixels[:, :1] * spacing[0] * axes[1] + pixels[:, 1:] * spacing[1] * axes[0]
    exact = grid.indices(positions)
    nearest = np.rint(exact)
    off: Places = np.abs(exact - nearest)
    if off.max() > SAME_GRID_VOXELS:
        far = float((off * np.array(grid.spacing)).max())
        raise refuse(
            "segment-off-grid",
            subject=subject,
            found=f"its pixels lie up to {far:.2f} mm from the voxels of the image",
            remedy="choose the series it was drawn on, or resample it on purpose first",
        )
    indices = nearest.astype(np.intp)
    beyond = ((indices < 0) | (indices >= np.array(grid.shape))).any(axis=1)
    if beyond.any():
        raise refuse(
            "region-outside-image",
            subject=subject,
            found=f"{int(beyond.sum())} of the pixels of one frame lie outside",
            remedy="choose the series it was drawn on; a region that is cut off cannot be measured",
        )
    return indices


def _needed(places: tuple[Attributes, ...], keyword: str, count: int) -> tuple[float, ...]:
    numbers = holder(places, keyword).numbers(keyword, count)
    if numbers is None:
        raise _without(places[0].subject, keyword)
    return numbers


def _without(subject: str, keyword: str) -> Refused:
    return refuse(
        "geometry-missing",
        subject=subject,
        found=f"a frame of the segmentation has no {keyword}, so its place is unknown",
        remedy="export the segmentation with its geometry",
    )
