"""NIfTI files: header texts emptied, extensions left out, voxels and geometry byte for byte.

Header layout: NIfTI-1 (348 bytes) and NIfTI-2 (540 bytes), https://nifti.nimh.nih.gov. Extensions may hold whole
DICOM headers (code 2), so all of them go.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

from prognoscope.core.problems import Refused, refuse

LARGEST_NIFTI_BYTES = 8 << 30
# (offset, length) of the text fields: data_type and db_name, extents to dim_info are unused or numbers;
# descrip, aux_file, intent_name.
_TEXTS_1 = ((4, 28), (148, 80), (228, 24), (328, 16))
_TEXTS_2 = ((240, 80), (320, 24), (508, 16), (525, 15))


def is_nifti(path: str) -> bool:
    """Whether a file's name says that it is NIfTI in one file."""
    return path.lower().endswith((".nii", ".nii.gz"))


def strip_nifti(path: Path) -> bytes:
    """Read a NIfTI file without texts and extensions, uncompressed.

    Raises
    ------
    Refused
        `nifti-unreadable`, `file-too-large`.
    """
    data = _uncompressed(path)
    order, size = _layout(data)
    texts, place = (_TEXTS_1, 108) if size == 348 else (_TEXTS_2, 168)
    code = "f" if size == 348 else "q"
    start = int(struct.unpack_from(order + code, data, place)[0])
    if not size <= start <= len(data):
        raise _unreadable(f"its voxels begin at byte {start} of {len(data)}")
    end = start + _voxel_bytes(data, order, size)
    if end > len(data):
        raise _unreadable(f"its voxels are cut off: {len(data) - start} bytes of {end - start}")
    header = bytearray(data[:size])
    for offset, length in texts:
        header[offset : offset + length] = bytes(length)
    struct.pack_into(order + code, header, place, size + 4)
    return bytes(header) + b"\0\0\0\0" + data[start:end]


def compressed(data: bytes) -> bytes:
    """Gzip without file name and time, so that the same voxels give the same bytes."""
    return gzip.compress(data, compresslevel=6, mtime=0)


def _voxel_bytes(data: bytes, order: str, size: int) -> int:
    """Bytes of all voxels, from the header's `dim` and `bitpix`: what follows them is no image."""
    code, dims, bits = ("h", 40, 72) if size == 348 else ("q", 16, 14)
    rank, *extents = struct.unpack_from(f"{order}8{code}", data, dims)
    (bits_a_voxel,) = struct.unpack_from(order + "h", data, bits)
    if not 1 <= rank <= 7 or min(extents[:rank]) < 1 or bits_a_voxel < 1:
        raise _unreadable(f"{extents[: max(rank, 0)]} voxels of {bits_a_voxel} bits make no image")
    return int(-(-math.prod(extents[:rank]) * bits_a_voxel // 8))


def _layout(data: bytes) -> tuple[str, int]:
    for order in "<>":
        if len(data) >= 4:
            (size,) = struct.unpack_from(order + "i", data)
            magic = data[344:348] if size == 348 else data[4:12]
            if size == 348 and len(data) > 352 and magic == b"n+1\0":
                return order, size
            if size == 540 and len(data) > 544 and magic == b"n+2\0\r\n\x1a\n":
                return order, size
    raise _unreadable("it has no header of NIfTI-1 or NIfTI-2 in one file")


def _uncompressed(path: Path) -> bytes:
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    try:
        if not packed:
            data = path.read_bytes() if path.stat().st_size <= LARGEST_NIFTI_BYTES else None
        else:
            with gzip.open(path) as stream:
                data = stream.read(LARGEST_NIFTI_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(f"it can't be unpacked ({type(error).__name__})") from error
    if data is None or len(data) > LARGEST_NIFTI_BYTES:
        raise refuse(
            "file-too-large",
            subject="file",
            found=f"more than {LARGEST_NIFTI_BYTES >> 30} GiB",
            remedy="split the image",
        )
    return data


def _unreadable(found: str) -> Refused:
    return refuse("nifti-unreadable", subject="file", found=found, remedy="convert it again; it was not passed on")
