"""JPEG and PNG pictures: everything but the picture is left out, and its compressed data stay byte for byte.

JPEG: application segments but JFIF, Adobe's colour transform and the colour profile, comments, and what follows the
end of the picture (EXIF, XMP, IPTC and thumbnails live there). PNG: all chunks but the ones that decoding needs.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from prognoscope.core.problems import Refused, refuse
from prognoscope.deidentify.burned import as_picture, doubt, find_identifiers
from prognoscope.deidentify.ocr import Reader
from prognoscope.deidentify.text import Cleaner

PICTURES = (".jpg", ".jpeg", ".png")
_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
_START_OF_SCAN, _END, _COMMENT = 0xDA, 0xD9, 0xFE
_APPLICATION = range(0xE0, 0xF0)
_KEPT_SEGMENTS = ((0xE0, b"JFIF\0"), (0xEE, b"Adobe"), (0xE2, b"ICC_PROFILE\0"))
_KEPT_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs"})
LARGEST_PICTURE_BYTES = 256 << 20
MOST_PIXELS = 1 << 27


def is_picture(head: bytes) -> bool:
    """Whether a file begins as JPEG or PNG."""
    return head.startswith((_JPEG, _PNG))


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
    stripped = _strip_png(data) if data.startswith(_PNG) else _strip_jpeg(data)
    return stripped, size - len(stripped)


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
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise _unreadable(f"it has {image.width} × {image.height} pixels")
            shown = image if image.mode in ("L", "RGB") else image.convert("RGB")
            pixels = np.array(shown)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _unreadable(f"it can't be decoded ({type(error).__name__})") from error
    boxes = find_identifiers([as_picture(pixels)], cleaner, reader).boxes
    if not boxes:
        return None
    for top, left, bottom, right in boxes:
        pixels[top:bottom, left:right] = 0
    if find_identifiers([as_picture(pixels)], cleaner, reader).boxes:
        raise doubt("identifying text is still found after it was covered")
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _strip_jpeg(data: bytes) -> bytes:
    if not data.startswith(_JPEG):
        raise _unreadable("it is neither JPEG nor PNG")
    kept, place = [_JPEG], 2
    while True:
        marker, length = _segment(data, place)
        if marker == _START_OF_SCAN:
            break
        body = data[place + 4 : place + 2 + length]
        known = any(marker == code and body.startswith(name) for code, name in _KEPT_SEGMENTS)
        if known and marker == 0xE0:
            body = body[:12] + b"\0\0"  # a thumbnail may follow: without it
            kept.append(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body)
        elif known or (marker not in _APPLICATION and marker != _COMMENT):
            kept.append(data[place : place + 2 + length])
        place += 2 + length
    return b"".join([*kept, *_scans(data, place)])


def _scans(data: bytes, place: int) -> list[bytes]:
    """Entropy-coded data of all scans with the tables between them, up to the end of the picture."""
    parts: list[bytes] = []
    while True:
        marker, length = _segment(data, place)
        if marker == _END:
            return [*parts, b"\xff\xd9"]
        after = place + 2 + length
        if marker == _START_OF_SCAN:
            after = _end_of_scan(data, after)
        if marker not in _APPLICATION and marker != _COMMENT:
            parts.append(data[place:after])
        place = after


def _end_of_scan(data: bytes, place: int) -> int:
    while True:
        place = data.find(b"\xff", place)
        if place < 0 or place + 1 >= len(data):
            raise _unreadable("the picture is cut off")
        follower = data[place + 1]
        if follower != 0 and not 0xD0 <= follower <= 0xD7:
            return place
        place += 2


def _segment(data: bytes, place: int) -> tuple[int, int]:
    while data[place : place + 2] == b"\xff\xff":
        place += 1
    if len(data) < place + 2 or data[place] != 0xFF:
        raise _unreadable("its segments are broken or cut off")
    marker = data[place + 1]
    if marker == _END:
        return marker, 0
    if len(data) < place + 4:
        raise _unreadable("the picture is cut off")
    length = int.from_bytes(data[place + 2 : place + 4], "big")
    if length < 2 or place + 2 + length > len(data):
        raise _unreadable("a segment reaches beyond the file")
    return marker, length


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
