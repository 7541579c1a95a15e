"""Faces in head CT and MR: everything in front of the skin of the face is made air, and so is the face itself.

A surface rendering of a head shows a face because of the boundary between air and skin. The mask takes all that lies
before a plane `DEPTH_MM` behind the profile, in the part of the head below the brow, so that no relief is left. Brain,
skull base and the rest of the head stay.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from prognoscope.core.geometry import Grid, Volume
from prognoscope.core.problems import Refused, refuse

DEPTH_MM = (
    35.0  # nose, eyelids and lips lie within this distance of the mean profile; the brain below the brow does not
)
PROFILE_MM = 60.0  # how far the profile reaches from the tip of the nose backwards
BROW_MM = 95.0  # below the top of the head: about the height of the brow in adults
FACE_MM = 140.0  # from the brow down to below the chin
SHARE_OF_RANGE = 0.15  # tissue is brighter than this share of the way from air to the 99th percentile
FEWEST_SLICES = 8


_HEAD = re.compile(r"head|brain|skull|face|facial|crani|cereb|neuro|orbit|sinus|kopf|sch(?:ä|ae)del", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FaceMask:
    """Voxels to be made air, `[z, y, x]`, and the value of air."""

    voxels: NDArray[np.bool_]
    air: float


def shows_head(dataset: Dataset) -> bool:
    """Whether an object is a CT or MR of a head, as it says of itself before it is cleaned."""
    words = (str(dataset.get(name) or "") for name in ("BodyPartExamined", "SeriesDescription", "StudyDescription"))
    return str(dataset.get("Modality")) in ("CT", "MR") and bool(_HEAD.search(" ".join(words)))


def mask_faces(slices: Sequence[Dataset]) -> NDArray[np.uint8]:
    """Make air of the face in all slices of a head series, in place; voxels elsewhere keep their values.

    Returns
    -------
    The surface of the head before and, to its right, after.

    Raises
    ------
    Refused
        `face-not-found` when the slices make no volume, or no face is found in it.
    """
    if any(one.get("ImagePositionPatient") is None or one.get("ImageOrientationPatient") is None for one in slices):
        raise _not_found("its slices have no position")
    normal = np.cross(*np.asarray(slices[0].ImageOrientationPatient, dtype=float).reshape(2, 3))
    ordered = sorted(slices, key=lambda one: float(normal @ np.asarray(one.ImagePositionPatient, dtype=float)))
    for one in ordered:
        if one.file_meta.TransferSyntaxUID.is_compressed:
            one.decompress(generate_instance_uid=False)
    arrays = [one.pixel_array for one in ordered]
    if len(ordered) < FEWEST_SLICES or len({array.shape for array in arrays}) > 1 or arrays[0].ndim != 2:
        raise _not_found(f"its {len(ordered)} slices make no volume")
    stack = np.stack(arrays)
    grid = _grid(ordered, stack)
    face = find_face(Volume(stack.astype(np.float32), grid))
    if not face.voxels.any():
        raise _not_found("no skin was found in front")
    for one, values, inside in zip(ordered, stack, face.voxels, strict=True):
        values[inside] = np.rint(face.air).astype(values.dtype)
        one.PixelData = values.tobytes() + b"\0" * (values.nbytes % 2)
        one.RecognizableVisualFeatures = "NO"
    before = render_head(Volume(np.stack(arrays).astype(np.float32), grid))
    after = render_head(Volume(stack.astype(np.float32), grid))
    return np.concatenate([before, after], axis=1)


def find_face(volume: Volume) -> FaceMask:
    """Find the front of the face in a head scan.

    Parameters
    ----------
    volume
        A head in LPS axes with rows along the patient's left-right, front-back and foot-head axes, in any order and
        direction; CT in HU, MR in any unit.

    Returns
    -------
    The mask on the volume's grid, and the value that stands for air.
    """
    voxels, order, flips = _to_patient_axes(volume)
    spacing = [volume.grid.spacing[axis] for axis in order]
    head = _tissue(voxels)
    mask = np.zeros(voxels.shape, dtype=bool)
    if head.any():
        rows = np.flatnonzero(head.any(axis=(1, 2)))
        top = int(rows.max())
        brow = top - round(BROW_MM / spacing[0])
        chin = max(0, brow - round(FACE_MM / spacing[0]))
        if brow > chin:
            mask[chin:brow] = _front(head[chin:brow], spacing)
    mask = np.flip(mask, axis=tuple(axis for axis in range(3) if flips[axis]))
    return FaceMask(np.ascontiguousarray(np.transpose(mask, np.argsort(order))), float(np.percentile(voxels, 0.5)))


def render_head(volume: Volume) -> NDArray[np.uint8]:
    """Draw the skin of a head as seen from the front, lit from above: `(rows, columns, 3)`, 1 mm a pixel.

    Each line of sight ends at the first tissue; brightness is the cosine between light and surface (Lambert).
    """
    from scipy import ndimage

    voxels, order, _ = _to_patient_axes(volume)
    spacing = [volume.grid.spacing[axis] for axis in order]
    head = _tissue(voxels)
    hit: NDArray[np.bool_] = np.asarray(head.any(axis=1))
    depth = np.full(hit.shape, head.shape[1] * spacing[1])
    depth[hit] = head.argmax(axis=1)[hit] * spacing[1]
    zoomed = ndimage.zoom(depth, (spacing[0], spacing[2]), order=1)
    seen = ndimage.zoom(np.array(hit, dtype=np.float64), (spacing[0], spacing[2]), order=1) > 0.5
    up, across = np.gradient(ndimage.gaussian_filter(zoomed, 1.0))
    light = (1.0 + 0.7 * up + 0.3 * across) / (np.sqrt(1 + up**2 + across**2) * np.sqrt(1 + 0.7**2 + 0.3**2))
    grey = np.where(seen, np.clip(40 + 215 * light, 40, 255), 0).astype(np.uint8)
    return np.repeat(np.flipud(grey)[:, :, None], 3, axis=2)  # the top of the head is up


def _front(head: NDArray[np.bool_], spacing: list[float]) -> NDArray[np.bool_]:
    """Voxels before a plane through the face, which leans as the profile does: what is left of the face is flat.

    (A cut at one depth below the skin would leave the same face, 3 cm further in.)
    """
    profile = np.where(head.any(axis=1), head.argmax(axis=1), head.shape[1]).min(axis=1) * spacing[1]
    rows = np.arange(len(profile))
    face = profile < profile.min() + PROFILE_MM  # the throat, further back, says nothing of how the face leans
    slope, start = np.polyfit(rows[face], profile[face], 1) if face.sum() > 1 else (0.0, profile.min())
    cut = (start + slope * rows + DEPTH_MM) / spacing[1]
    before = np.broadcast_to(np.arange(head.shape[1])[None, :, None] < cut[:, None, None], head.shape)
    return np.asarray(before if (before & head).any() else np.zeros_like(head))


def _tissue(voxels: NDArray[np.float32]) -> NDArray[np.bool_]:
    from scipy import ndimage  # takes a while to import, and few objects show a face

    low, high = (float(value) for value in np.percentile(voxels, [0.5, 99]))
    bright = voxels > low + SHARE_OF_RANGE * (high - low)
    labels, count = ndimage.label(bright)
    if count == 0:
        return np.asarray(bright)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == int(sizes.argmax()))


def _to_patient_axes(volume: Volume) -> tuple[NDArray[np.float32], tuple[int, ...], list[bool]]:
    """Voxels with axes (foot to head, front to back, right to left), and how to go back."""
    direction = np.asarray(volume.grid.direction)  # rows x, y, z of the patient; columns array axes
    order = tuple(int(np.abs(direction[row]).argmax()) for row in (2, 1, 0))
    flips = [bool(direction[row, axis] < 0) for row, axis in zip((2, 1, 0), order, strict=True)]
    turned = np.transpose(volume.voxels, order)
    return np.flip(turned, axis=tuple(axis for axis in range(3) if flips[axis])), order, flips


def _grid(ordered: Sequence[Dataset], stack: NDArray[Any]) -> Grid:
    across, down = np.asarray(ordered[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    places = np.asarray([one.ImagePositionPatient for one in ordered], dtype=float)
    normal = np.cross(across, down)
    step = float(np.median(np.diff(places @ normal)))
    if step <= 0:
        raise _not_found("several slices lie at one place")
    rows, columns = (float(value) for value in ordered[0].PixelSpacing)
    x, y, z = (float(value) for value in places[0])
    axes = np.stack([normal, down, across], axis=1)
    direction = tuple(tuple(float(value) for value in row) for row in axes)
    return Grid(stack.shape, (step, rows, columns), (x, y, z), direction)  # type: ignore[arg-type]


def _not_found(found: str) -> Refused:
    return refuse(
        "face-not-found",
        subject="series",
        found=f"the face in this head scan can't be masked: {found}",
        remedy="mask it with another tool, or run without --clean-faces",
    )
