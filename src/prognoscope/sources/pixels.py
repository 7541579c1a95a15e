"""The voxels of an image series: stored bits → values in the series' unit, slice by slice."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from prognoscope.core import hashing
from prognoscope.core.geometry import Volume
from prognoscope.core.images import ImageSeries
from prognoscope.core.panics import panics_as_errors
from prognoscope.core.problems import Refused, refuse
from prognoscope.sources.attributes import Attributes
from prognoscope.sources.dicom import Located, instance_of, read_bytes
from prognoscope.sources.header import NATIVE, WANTED
from prognoscope.sources.nifti_series import UID as NIFTI_UID
from prognoscope.sources.nifti_series import read_nifti_series
from prognoscope.sources.outline import Outline, outline
from prognoscope.sources.series import Series, volumes

LARGEST_VOXELS = 1 << 31


def read_volume(root: Path, series: ImageSeries) -> Volume:
    """Read the voxels of a series.

    Parameters
    ----------
    root
        The folder that the series' files are relative to.
    series
        As `assemble` found it.

    Returns
    -------
    Values in `series.unit` on `series.grid`: each slice by its own slope and intercept, never inverted.

    Raises
    ------
    Refused
        `file-changed` when a file is not the one that was catalogued, `file-unreadable`, `pixels-missing` when the
        data are shorter than the header says, `pixels-undecodable` for a damaged or unknown compression.
    """
    if series.uid.startswith(NIFTI_UID):
        return read_nifti_series(root, series)
    files = {path: _outline(root, path, known) for path, known in zip(series.files, series.hashes, strict=True)}
    size = int(np.prod(series.grid.shape, dtype=np.int64))
    if size > LARGEST_VOXELS:
        raise refuse(
            "volume-too-large",
            subject=f"series {series.uid}",
            found=f"it has {size:,} voxels, more than {LARGEST_VOXELS:,}",
            remedy="crop the series",
        )
    found = _again(series, files)
    voxels = np.empty(series.grid.shape, dtype=np.float32)
    path, stored = "", np.empty(0)
    for number, slot in enumerate(found.stack.slots):
        if slot.located.path != path:
            path = slot.located.path
            stored = stored_values(files[path]).astype(np.float64)
        voxels[number] = (stored[slot.frame] * slot.plane.slope + slot.plane.intercept) * found.factor
    return Volume(voxels, series.grid)


def read_middle_frame(data: bytes, *, subject: str) -> NDArray[np.integer[Any]]:
    """Return the stored values of the middle frame of a DICOM file, to be looked at, `(rows, columns)`.

    Raises
    ------
    Refused
        `pixels-undecodable` when there are none, or fewer than the header says.
    """
    found = outline(data, WANTED, subject=subject)
    damage = instance_of(found).damage
    if damage or found.pixels is None:
        raise _undecodable(subject, damage or "it has none")
    frames = stored_values(found)
    return np.asarray(frames[len(frames) // 2])


def _outline(root: Path, path: str, known: str) -> Outline:
    data = read_bytes(root / path, subject=path)
    if hashing.of_bytes(data) != known:
        raise refuse(
            "file-changed",
            subject=path,
            found="its content is not what was found when the folder was read",
            remedy="run again, so that the folder is read anew",
        )
    return outline(data, WANTED, subject=path)


def _again(series: ImageSeries, files: Mapping[str, Outline]) -> Series:
    """Assemble the series once more, for the order of its slices and their rescale."""
    located = [
        Located(path, instance_of(found), digest)
        for (path, found), digest in zip(files.items(), series.hashes, strict=True)
    ]
    again = [outcome for outcome in volumes(located) if isinstance(outcome, Series)]
    # A volume that was split from its series comes back unsplit when its files hold nothing else.
    match = [part for part in again if part.entry.uid == series.uid] or (again if len(again) == 1 else [])
    if not match or match[0].entry.grid != series.grid:
        raise refuse(
            "file-changed",
            subject=f"series {series.uid}",
            found="its files no longer make the volume that was catalogued",
            remedy="run again, so that the folder is read anew",
        )
    return match[0]


def stored_values(found: Outline) -> NDArray[np.integer[Any]]:
    """Return the stored values of a file's frames, `(frames, rows, columns)`, signed as the header says."""
    header = Attributes.of(found)
    subject = header.subject
    shape = (max(header.whole("NumberOfFrames"), 1), header.whole("Rows"), header.whole("Columns"))
    allocated, stored = header.whole("BitsAllocated"), header.whole("BitsStored")
    high = header.whole("HighBit") if "HighBit" in header else stored - 1
    if allocated not in (8, 16, 32) or not 0 < stored <= high + 1 <= allocated:
        raise _undecodable(subject, f"{stored} bits are stored up to bit {high} of {allocated}")
    decode = _native if found.transfer_syntax in NATIVE else _compressed
    return _significant(decode(found, allocated, shape), stored, high, signed=header.whole("PixelRepresentation") == 1)


def _native(found: Outline, allocated: int, shape: tuple[int, int, int]) -> NDArray[np.integer[Any]]:
    # That the data are as long as the header says was checked when the file became an instance.
    start, _ = found.pixels or (0, 0)
    kind = np.dtype(f"u{allocated // 8}").newbyteorder("<" if found.walk.little else ">")
    values = np.frombuffer(found.walk.data, dtype=kind, count=math.prod(shape), offset=start)
    return values.astype(kind.newbyteorder("=")).reshape(shape)


def _compressed(found: Outline, allocated: int, shape: tuple[int, int, int]) -> NDArray[np.integer[Any]]:
    subject = found.walk.subject
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with panics_as_errors():
                pixels = pydicom.dcmread(BytesIO(found.walk.data), force=True).pixel_array
        except (
            ValueError,
            TypeError,
            RuntimeError,
            AttributeError,
            NotImplementedError,
            LookupError,
            EOFError,
        ) as error:
            raise _undecodable(subject, str(error).split("\n", 1)[0][:200]) from error
    if pixels.size != math.prod(shape):
        raise _undecodable(subject, f"the stream holds {pixels.shape} pixels, the header says {shape}")
    width = allocated // 8
    return np.asarray(pixels).reshape(shape).astype(f"i{width}").view(f"u{width}")


def _significant(raw: NDArray[np.integer[Any]], stored: int, high: int, *, signed: bool) -> NDArray[np.integer[Any]]:
    """Keep the stored bits of each value and extend the sign from the highest of them."""
    width = raw.dtype.itemsize * 8
    values = raw.astype(f"u{width // 8}") << np.asarray(width - 1 - high, dtype=f"u{width // 8}")
    kept = values.view(f"i{width // 8}") if signed else values
    return np.asarray(kept >> np.asarray(width - stored, dtype=kept.dtype))


def _undecodable(subject: str, found: str) -> Refused:
    return refuse(
        "pixels-undecodable",
        subject=subject,
        found=f"its pixels cannot be decoded ({found})",
        remedy="export the series uncompressed, or copy the file again from its source",
    )
