"""The voxels of an image series: stored bits → values in the series' unit, slice by slice."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from prognoscope.core import hashing
from prognoscope.core.geometry import Volume
from prognoscope.core.images import ImageSeries
from prognoscope.core.problems import Refused, refuse
from prognoscope.sources.dicom import Located, parse, read_bytes
from prognoscope.sources.header import WANTED, guarded
from prognoscope.sources.outline import Outline, outline
from prognoscope.sources.series import Series, volumes

NATIVE = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"})
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
    contents = [read_bytes(root / path, subject=path) for path in series.files]
    for path, data, known in zip(series.files, contents, series.hashes, strict=True):
        if hashing.of_bytes(data) != known:
            raise refuse(
                "file-changed",
                subject=path,
                found="its content is not what was found when the folder was read",
                remedy="run again, so that the folder is read anew",
            )
    found = _again(series, contents)
    size = int(np.prod(series.grid.shape, dtype=np.int64))
    if size > LARGEST_VOXELS:
        raise refuse(
            "volume-too-large",
            subject=f"series {series.uid}",
            found=f"it has {size:,} voxels, more than {LARGEST_VOXELS:,}",
            remedy="crop the series",
        )
    voxels = np.empty(series.grid.shape, dtype=np.float32)
    decoded: dict[str, NDArray[np.generic]] = {}
    by_path = dict(zip(series.files, contents, strict=True))
    for number, slot in enumerate(found.stack.slots):
        path = slot.located.path
        if path not in decoded:
            decoded = {path: stored_values(by_path[path], subject=path)}
        plane = decoded[path][slot.frame].astype(np.float64)
        voxels[number] = (plane * slot.plane.slope + slot.plane.intercept) * found.factor
    return Volume(voxels, series.grid)


def _again(series: ImageSeries, contents: Sequence[bytes]) -> Series:
    located = [
        Located(path, parse(data, subject=path), digest)
        for path, data, digest in zip(series.files, contents, series.hashes, strict=True)
    ]
    found = [outcome for outcome in volumes(located) if isinstance(outcome, Series)]
    # A volume that was split from its series comes back unsplit when its files hold nothing else.
    match = [part for part in found if part.entry.uid == series.uid] or (found if len(found) == 1 else [])
    if not match or match[0].entry.grid != series.grid:
        raise refuse(
            "file-changed",
            subject=f"series {series.uid}",
            found="its files no longer make the volume that was catalogued",
            remedy="run again, so that the folder is read anew",
        )
    return match[0]


def stored_values(data: bytes, *, subject: str) -> NDArray[np.generic]:
    """Return the stored values of a file's frames, `(frames, rows, columns)`, signed as the header says."""
    found = outline(data, WANTED, subject=subject)
    with warnings.catch_warnings(), guarded(subject):
        warnings.simplefilter("ignore")
        header = read_dataset(BytesIO(found.excerpt()), found.implicit, found.little)
        frames = max(int(header.get("NumberOfFrames") or 1), 1)
        shape = (frames, int(header.Rows), int(header.Columns))
        bits = (int(header.BitsAllocated), int(header.BitsStored), int(header.get("HighBit", header.BitsStored - 1)))
        signed = bool(header.PixelRepresentation)
    if found.transfer_syntax in NATIVE:
        raw = _native(found, shape, bits[0], subject)
    else:
        raw = _compressed(data, header, shape, subject)
    return _significant(raw, bits, signed=signed)


def _native(found: Outline, shape: tuple[int, int, int], allocated: int, subject: str) -> NDArray[np.generic]:
    start, end = found.pixels or (0, 0)
    if allocated not in (8, 16, 32):
        raise _undecodable(subject, f"{allocated} bits are allocated per pixel")
    kind = np.dtype(f"u{allocated // 8}").newbyteorder("<" if found.little else ">")
    needed = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    if end - start < needed:
        raise refuse(
            "pixels-missing",
            subject=subject,
            found=f"{shape[0]} × {shape[1]} × {shape[2]} pixels need {needed} bytes, the file holds {end - start}",
            remedy="copy the file again from its source",
        )
    values = np.frombuffer(found.data, dtype=kind, count=needed // kind.itemsize, offset=start)
    return values.astype(kind.newbyteorder("=")).reshape(shape)


def _compressed(data: bytes, header: Dataset, shape: tuple[int, int, int], subject: str) -> NDArray[np.generic]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            pixels = pydicom.dcmread(BytesIO(data), force=True).pixel_array
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
    if pixels.size != np.prod(shape, dtype=np.int64):
        raise _undecodable(subject, f"the stream holds {pixels.shape} pixels, the header says {shape}")
    width = int(header.BitsAllocated) // 8
    return np.asarray(pixels).reshape(shape).astype(f"i{width}").view(f"u{width}")


def _significant(raw: NDArray[np.generic], bits: tuple[int, int, int], *, signed: bool) -> NDArray[np.generic]:
    """Keep the stored bits of each value and extend the sign from the highest of them."""
    allocated, stored, high = bits
    width = raw.dtype.itemsize * 8
    above = width - 1 - high if 0 < stored <= high + 1 <= allocated else 0
    stored = stored if 0 < stored <= width else width
    values = raw.astype(f"u{width // 8}") << np.asarray(above, dtype=f"u{width // 8}")
    kept = values.view(f"i{width // 8}") if signed else values
    return np.asarray(kept >> np.asarray(width - stored, dtype=kept.dtype))


def _undecodable(subject: str, found: str) -> Refused:
    return refuse(
        "pixels-undecodable",
        subject=subject,
        found=f"its pixels cannot be decoded ({found})",
        remedy="export the series uncompressed, or copy the file again from its source",
    )
