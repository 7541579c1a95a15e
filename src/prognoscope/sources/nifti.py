"""NIfTI-1 and -2 files → volumes and masks on a grid in DICOM patient axes.

The affine rules, never the order of the array: axes are turned to the nearest of left, posterior and superior and the
rest of the rotation goes into the grid. NIfTI's world is right, anterior, superior (RAS); ours is LPS.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.geometry import SAME_GRID_VOXELS, Grid, Mask, Volume
from prognoscope.core.problems import Refused, refuse

LARGEST_VOXELS = 1 << 31
LABEL_TOLERANCE = 0.01
RIGHT_ANGLE = 1e-3
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0])
MM_PER_UNIT = {"mm": 1.0, "unknown": 1.0, "meter": 1000.0, "micron": 0.001}
GZIP = b"\x1f\x8b"
INFLATED_BYTES = 1 << 30
MOST_INFLATED = 1032  # bytes that one of deflate's can stand for
STEPS = 10_000
LARGEST_SINGLE = float(np.finfo(np.float32).max)
NIFTI2_HEADER = 540  # bytes, as the file's first number says
MAGIC = (b"n+1\0", b"n+2\0")
Affine = NDArray[np.float64]


def read_nifti(source: Path | bytes, *, subject: str = "") -> Volume:
    """Read an image.

    Parameters
    ----------
    source
        A file, or its bytes (gzipped or not).
    subject
        How problems name it; the path by default.

    Raises
    ------
    Refused
        `nifti-unreadable`, `nifti-not-3d`, `nifti-no-place` without any valid transformation, `nifti-forms-differ`
        when sform and qform do (in mm), `nifti-sheared`, `nifti-too-large`, `nifti-imprecise`.
    """
    told = _subject(source, subject)
    values, grid = _read(source, told)
    return Volume(_single(values, told), grid)


def read_nifti_grid(source: Path | bytes, *, subject: str = "") -> Grid:
    """Read where the voxels of an image lie, without reading them; refuses as `read_nifti`."""
    told = _subject(source, subject)
    image, shape = _opened(source, told)
    return _turned(np.broadcast_to(np.int8(0), shape), _affine(image, shape, told), told)[1]


def read_nifti_labels(source: Path | bytes, *, subject: str = "") -> tuple[int, ...]:
    """Read which labels a label image has besides 0, in their order; refuses as `read_nifti_mask`."""
    told = _subject(source, subject)
    return _labels(_whole(_read(source, told)[0], told))


def read_nifti_mask(source: Path | bytes, *, label: int | None = None, subject: str = "") -> Mask:
    """Read a label image.

    Parameters
    ----------
    source
        A NIfTI file (or its bytes) whose values are whole numbers, within 0.01.
    label
        The label that is inside; may be left out when the file has one besides 0.

    Raises
    ------
    Refused
        As `read_nifti`; `label-not-whole`, `label-choice` naming the labels when there are several,
        `label-unknown`, `empty-mask`.
    """
    told = _subject(source, subject)
    values, grid = _read(source, told)
    whole = _whole(values, told)
    return Mask(whole == _chosen(_labels(whole), label, told), grid)


def _subject(source: Path | bytes, subject: str) -> str:
    return subject or (source.as_posix() if isinstance(source, Path) else "NIfTI file")


def _whole(values: NDArray[Any], subject: str) -> NDArray[Any]:
    whole: NDArray[Any] = np.rint(values)
    off = np.abs(values - whole)
    if not np.isfinite(off).all() or off.max() > LABEL_TOLERANCE:
        worst = values.flat[int(np.argmax(np.where(np.isfinite(off), off, np.inf)))]
        raise refuse(
            "label-not-whole",
            subject=subject,
            found=f"a voxel has the value {worst:.4g}: probabilities, or a mask that was interpolated",
            remedy="threshold it on purpose, or resample it by nearest neighbour",
        )
    return whole


def _labels(whole: NDArray[Any]) -> tuple[int, ...]:
    return tuple(int(value) for value in np.unique(whole) if value != 0)


def _chosen(labels: tuple[int, ...], label: int | None, subject: str) -> int:
    told = ", ".join(map(str, labels[:20]))
    if not labels:
        raise refuse(
            "empty-mask",
            subject=subject,
            found="no voxel is inside",
            remedy="check the segmentation or leave the patient out",
        )
    if label is None and len(labels) > 1:
        raise refuse(
            "label-choice", subject=subject, found=f"it has the labels {told}", remedy="say which one is meant"
        )
    if label is not None and label not in labels:
        raise refuse(
            "label-unknown", subject=subject, found=f"it has no label {label}, only {told}", remedy="name one of these"
        )
    return labels[0] if label is None else label


def _single(values: NDArray[Any], subject: str) -> NDArray[np.float32]:
    """The values in single precision, refused where it cannot tell 10,000 steps of their range apart."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    if values.dtype.itemsize < 4 or values.dtype == np.float32:
        return single
    known = np.isfinite(values)
    told = values if known.all() else values[known]
    if not told.size:
        return single
    low, high = float(told.min()), float(told.max())
    step = float(np.spacing(np.float32(max(-low, high)))) if max(-low, high) <= LARGEST_SINGLE else np.inf
    if step > (high - low) / STEPS and _lost(told) > (high - low) / STEPS:
        raise refuse(
            "nifti-imprecise",
            subject=subject,
            found=f"its values, {low:.6g} to {high:.6g}, lie too far from 0 for such small differences in float32",
            remedy="subtract what they have in common, or scale them, and write the file again",
        )
    return single


def _lost(values: NDArray[Any]) -> float:
    with np.errstate(over="ignore"):
        return float(np.abs(values - values.astype(np.float32).astype(np.float64)).max())


def _read(source: Path | bytes, subject: str) -> tuple[NDArray[Any], Grid]:
    image, shape = _opened(source, subject)
    affine = _affine(image, shape, subject)
    try:
        values = np.asanyarray(image.dataobj).reshape(shape)
    except _what_reading_raises() as error:
        raise _unreadable(subject, str(error).split("\n", 1)[0][:200]) from error
    if np.iscomplexobj(values) or values.dtype.fields:
        raise _unreadable(subject, f"its values are of type {values.dtype}, not numbers")
    return _turned(values, affine, subject)


def _opened(source: Path | bytes, subject: str) -> tuple[Any, tuple[int, int, int]]:
    """The image, its voxels not read yet, and its shape."""
    import nibabel as nib  # readers of DICOM do not wait for it

    try:
        image = nib.load(source) if isinstance(source, Path) else _from_bytes(source, subject)
        if not isinstance(image, (nib.Nifti1Image, nib.Nifti2Image)):
            raise _unreadable(subject, "it is of another format")
        shape = _shape(image.shape, subject)
    except _what_reading_raises() as error:
        raise _unreadable(subject, str(error).split("\n", 1)[0][:200]) from error
    _require_bytes(image, _most_bytes(source), subject)
    return image, shape


def _from_bytes(data: bytes, subject: str) -> Any:
    if data.startswith(GZIP):
        engine = zlib.decompressobj(31)
        data = engine.decompress(data, INFLATED_BYTES)
        if engine.unconsumed_tail:
            raise refuse(
                "nifti-too-large",
                subject=subject,
                found=f"it inflates to more than {INFLATED_BYTES >> 20} MiB",
                remedy="crop the image",
            )
    second = data[:4] in (NIFTI2_HEADER.to_bytes(4, "little"), NIFTI2_HEADER.to_bytes(4, "big"))
    if data[4:8] not in MAGIC and data[344:348] not in MAGIC:
        raise _unreadable(subject, "it does not begin as one")
    import nibabel as nib

    image = (nib.Nifti2Image if second else nib.Nifti1Image).from_bytes(data)
    _require_bytes(image, len(data), subject)
    return image


def _most_bytes(source: Path | bytes) -> int:
    """As many bytes as a source may unfold to."""
    if isinstance(source, bytes):
        return INFLATED_BYTES if source.startswith(GZIP) else len(source)
    size = source.stat().st_size
    with source.open("rb") as file:
        return size * MOST_INFLATED if file.read(2) == GZIP else size


def _require_bytes(image: Any, most: int, subject: str) -> None:
    """Refuse a header that claims more than there is before room is made for it."""
    needed = image.header.get_data_offset() + math.prod(map(int, image.shape)) * image.header.get_data_dtype().itemsize
    if needed > most:
        raise _unreadable(subject, f"its header says {needed:,} bytes, it has at most {most:,}")


def _what_reading_raises() -> tuple[type[Exception], ...]:
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    broken = (ImageFileError, HeaderDataError, WrapStructError)
    return (*broken, OSError, EOFError, ValueError, OverflowError, zlib.error)


def _unreadable(subject: str, found: str) -> Refused:
    return refuse(
        "nifti-unreadable",
        subject=subject,
        found=f"the file cannot be read as NIfTI ({found})",
        remedy="copy the file again from its source",
    )


def _shape(shape: tuple[int, ...], subject: str) -> tuple[int, int, int]:
    if len(shape) < 3 or any(size != 1 for size in shape[3:]) or min(shape) < 1:
        raise refuse(
            "nifti-not-3d",
            subject=subject,
            found=f"it has {len(shape)} dimensions of {' × '.join(map(str, shape))}",
            remedy="save the one volume that is meant as a file of its own",
        )
    if np.prod(shape, dtype=np.float64) > LARGEST_VOXELS:
        raise refuse(
            "nifti-too-large",
            subject=subject,
            found=f"it claims {' × '.join(map(str, shape))} voxels, more than {LARGEST_VOXELS:,}",
            remedy="crop the image",
        )
    return shape[0], shape[1], shape[2]


def _affine(image: Any, shape: tuple[int, int, int], subject: str) -> Affine:
    """The transformation from array index to RAS position in mm."""
    header = image.header
    sform, qform = header.get_sform(coded=True), header.get_qform(coded=True)
    valid = [form for form, code in (sform, qform) if code and form is not None]
    if not valid:
        raise refuse(
            "nifti-no-place",
            subject=subject,
            found="neither its sform nor its qform is valid, so directions and places are unknown",
            remedy="write the file again from its source with an sform",
        )
    scale = MM_PER_UNIT.get(header.get_xyzt_units()[0], 1.0)
    forms = [_in_mm(form, scale) for form in valid]
    if len(forms) == 2:
        apart = _apart(forms[0], forms[1], shape)
        edge = float(np.linalg.norm(forms[0][:3, :3], axis=0).min())
        if apart > SAME_GRID_VOXELS * edge:
            raise refuse(
                "nifti-forms-differ",
                subject=subject,
                found=f"its sform and qform place a corner of the image {apart:.2f} mm apart",
                remedy="find out which one is right and write the file with only that one",
            )
    return forms[0]


def _in_mm(form: Any, scale: float) -> Affine:
    affine = np.array(form, dtype=float)
    affine[:3] *= scale
    return affine


def _apart(first: Affine, second: Affine, shape: tuple[int, int, int]) -> float:
    ends = np.array(np.meshgrid(*[(0, size - 1) for size in shape])).reshape(3, -1)
    corners = np.vstack([ends, np.ones(ends.shape[1])])
    return float(np.linalg.norm(((first - second) @ corners)[:3], axis=0).max())


def _turned(values: NDArray[Any], affine: Affine, subject: str) -> tuple[NDArray[Any], Grid]:
    """Turn the array's axes to the nearest of L, P and S, and return it `[z, y, x]` with its grid."""
    steps = affine[:3, :3]
    lengths = np.linalg.norm(steps, axis=0)
    if not np.isfinite(affine).all() or lengths.min() <= 0:
        raise _unreadable(subject, "its affine is not finite or has an axis without length")
    cosines = (steps / lengths).T @ (steps / lengths)
    skew = float(np.abs(cosines - np.eye(3)).max())
    if skew > RIGHT_ANGLE:
        raise refuse(
            "nifti-sheared",
            subject=subject,
            found=f"two of its axes stand at {np.degrees(np.arccos(min(skew, 1.0))):.1f} degrees instead of 90",
            remedy="resample the image to a grid with right angles on purpose first",
        )
    steps, origin = LPS_FROM_RAS @ steps, LPS_FROM_RAS @ affine[:3, 3]
    from scipy.optimize import linear_sum_assignment  # half a second that readers of DICOM do not wait for

    _, nearest = linear_sum_assignment(-np.abs(steps / lengths).T)
    order = np.argsort(nearest)[::-1]
    turned, axes = values.transpose(order), steps[:, order]
    for axis, direction in enumerate((2, 1, 0)):
        if axes[direction, axis] < 0:
            turned = np.flip(turned, axis)
            origin = origin + axes[:, axis] * (turned.shape[axis] - 1)
            axes[:, axis] *= -1
    return turned, _grid(turned.shape, axes, origin)


def _grid(shape: tuple[int, ...], axes: Affine, origin: Affine) -> Grid:
    spacing = np.linalg.norm(axes, axis=0)
    rows = [(float(a), float(b), float(c)) for a, b, c in axes / spacing]
    return Grid(
        shape=(shape[0], shape[1], shape[2]),
        spacing=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
        origin=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction=(rows[0], rows[1], rows[2]),
    )
