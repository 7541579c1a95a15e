"""JPEG and PNG pictures: everything but the picture is left out, and its compressed data stay byte for byte.

JPEG: see `codestreams.py`; EXIF, XMP, IPTC and thumbnails live there. PNG: all chunks but those that decoding needs.
"""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from prognoscope.core.problems import Refused, refuse
from prognoscope.deidentify.burned import Box, as_picture, cover_until_clean
from prognoscope.deidentify.codestreams import JPEG, BrokenStreamError, strip_jpeg
from prognoscope.deidentify.ocr import Reader
from prognoscope.deidentify.text import Cleaner

PICTURES = (".jpg", ".jpeg", ".png")
_PNG = b"\x89PNG\r\n\x1a\n"
_KEPT_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs"})
LARGEST_PICTURE_BYTES = 256 << 20
MOST_PIXELS = 1 << 27


def is_picture(head: bytes) -> bool:
    """Whether a file begins as JPEG or PNG."""
    return head.startswith((JPEG, _PNG))


def strip_picture(path: Path) -> tuple[bytes, int]:
    """Read a picture without its metadata.

    Returns
    -------
    The file's new bytes, and how many bytes of metadata were left out.

    Raises
    ------
    Refused
        `picture-unreadable`, `file-too-large`.
    """
    size = path.stat().st_size
    if size > LARGEST_PICTURE_BYTES:
        raise refuse(
            "file-too-large",
            subject="file",
            found=f"a picture of {size >> 20} MiB, more than {LARGEST_PICTURE_BYTES >> 20}",
            remedy="reduce it",
        )
    data = path.read_bytes()
    if not is_picture(data):
        raise _unreadable("it is neither JPEG nor PNG")
    try:
        stripped = _strip_png(data) if data.startswith(_PNG) else strip_jpeg(data)
    except BrokenStreamError as error:
        raise _unreadable(str(error)) from error
    return stripped, size - len(stripped)


def as_shown(data: bytes) -> NDArray[np.uint8]:
    """Decode a picture to `(rows, columns, 3)`; `picture-unreadable` when it can't be."""
    return as_picture(_pixels(data))


def cover_picture(data: bytes, cleaner: Cleaner, reader: Reader) -> bytes | None:
    """Cover identifying text in a picture; None where there is none.

    Returns
    -------
    A PNG: the decoded pixels, the same but for the covered boxes.

    Raises
    ------
    Refused
        `pixels-in-doubt`, `picture-unreadable`.
    """
    pixels = _pixels(data)

    def cover(boxes: tuple[Box, ...]) -> None:
        for top, left, bottom, right in boxes:
            pixels[top:bottom, left:right] = 0

    if not cover_until_clean(lambda: [as_picture(pixels)], cover, cleaner=cleaner, reader=reader):
        return None
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _pixels(data: bytes) -> NDArray[np.uint8]:
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise _unreadable(f"it has {image.width} × {image.height} pixels")
            shown = image if image.mode in ("L", "RGB") else image.convert("RGB")
            return np.array(shown)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _unreadable(f"it can't be decoded ({type(error).__name__})") from error


def _strip_png(data: bytes) -> bytes:
    kept, place = [_PNG], len(_PNG)
    while True:
        if place + 12 > len(data):
            raise _unreadable("the picture is cut off")
        length = int.from_bytes(data[place : place + 4], "big")
        kind, after = data[place + 4 : place + 8], place + 12 + length
        if after > len(data):
            raise _unreadable("a chunk reaches beyond the file")
        if zlib.crc32(data[place + 4 : after - 4]) != int.from_bytes(data[after - 4 : after], "big"):
            raise _unreadable("a chunk's checksum is wrong")
        if kind in _KEPT_CHUNKS:
            kept.append(data[place:after])
        elif not kind[0] & 0x20:
            raise _unreadable(f"it needs the unknown chunk {kind!r}")
        if kind == b"IEND":
            return b"".join(kept)
        place = after


def _unreadable(found: str) -> Refused:
    return refuse(
        "picture-unreadable", subject="file", found=found, remedy="export the picture again; it was not passed on"
    )
