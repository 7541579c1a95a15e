"""Compressed pictures without what is no picture: application segments, comments, and bytes after the end.

JPEG (ITU-T T.81) and JPEG-LS (T.87): a sequence of segments up to the end of the image. JPEG 2000 (T.800): a main
header, and tile-parts with headers of their own, whose comments are blanked in place, since lengths are counted there.
"""

from __future__ import annotations

import re
import struct

JPEG, JPEG_2000, _JP2 = b"\xff\xd8", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  "
_START_OF_SCAN, _END, _COMMENT = 0xDA, 0xD9, 0xFE
_APPLICATION = range(0xE0, 0xF0)
_FRAME_HEADERS = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xF7)
# What decoding needs: the colour transform, and the one of JPEG-LS (HP's, in the eighth segment). A colour profile
# changes no value of a pixel, and has room for words.
_KEPT_SEGMENTS = ((0xE0, b"JFIF\0"), (0xEE, b"Adobe"), (0xE8, b"mrfx"))
_TILE_PART, _DATA, _END_2000, _COMMENT_2000 = 0xFF90, 0xFF93, 0xFFD9, 0xFF64
# What the usual encoders say of themselves, and nothing else.
_ENCODER = re.compile(rb"(?:Created by OpenJPEG version |Kakadu-v?)[\d.]{1,12}")


class BrokenStreamError(ValueError):
    """A compressed picture that can't be followed to its end; the message says where it breaks."""


def strip_stream(data: bytes) -> bytes:
    """Return a JPEG, JPEG-LS or JPEG 2000 stream without metadata; streams of another kind as they are.

    Raises
    ------
    BrokenStreamError
        When it is cut off or broken, or wrapped into a JP2 file, whose boxes may hold anything.
    """
    if data.startswith(JPEG):
        return strip_jpeg(data)
    if data.startswith(JPEG_2000):
        return _strip_2000(data)
    if data.startswith(_JP2):
        raise BrokenStreamError("a JP2 file stands where a bare codestream belongs")
    return data


def bits_coded(data: bytes) -> int:
    """Bits of a sample that a stream holds; 0 where it doesn't say."""
    if data.startswith(JPEG_2000):
        return (data[42] & 0x7F) + 1 if len(data) > 42 else 0
    place = 2
    while data.startswith(JPEG):
        marker, length = _segment(data, place)
        if marker in _FRAME_HEADERS:
            return data[place + 4]
        if marker in (_START_OF_SCAN, _END):
            break
        place += 2 + length
    return 0


def strip_jpeg(data: bytes) -> bytes:
    """Return a JPEG or JPEG-LS stream without application segments (but those that decoding needs) and comments."""
    kept, place = [JPEG], 2
    while True:
        marker, length = _segment(data, place)
        if marker == _START_OF_SCAN:
            break
        if marker == _END:
            raise BrokenStreamError("it holds no picture")
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
            raise BrokenStreamError("the picture is cut off")
        follower = data[place + 1]
        # Coded bytes never have their highest bit set after 0xFF (T.81 B.1.1.5, T.87 A.1); restart markers go on.
        if follower >= 0x80 and not 0xD0 <= follower <= 0xD7:
            return place
        place += 2


def _segment(data: bytes, place: int) -> tuple[int, int]:
    while data[place : place + 2] == b"\xff\xff":
        place += 1
    if len(data) < place + 2 or data[place] != 0xFF:
        raise BrokenStreamError("its segments are broken or cut off")
    marker = data[place + 1]
    if marker == _END:
        return marker, 0
    if len(data) < place + 4:
        raise BrokenStreamError("the picture is cut off")
    length = int.from_bytes(data[place + 2 : place + 4], "big")
    if length < 2 or place + 2 + length > len(data):
        raise BrokenStreamError("a segment reaches beyond the file")
    return marker, length


def _strip_2000(data: bytes) -> bytes:
    stream, place, end_of_part = bytearray(data), 2, 0
    while True:
        marker, length = _marker(data, place)
        if marker == _END_2000:
            return bytes(stream[: place + 2])
        body = place + 6  # after the marker, its length and the kind of comment
        after = place + 2 + length
        if marker == _COMMENT_2000 and not _ENCODER.fullmatch(data[body:after]):
            stream[body:after] = bytes(after - body)
        elif marker == _TILE_PART:
            part = int.from_bytes(data[place + 6 : place + 10], "big")
            end_of_part = place + part if part else data.rfind(b"\xff\xd9")
        elif marker == _DATA:
            after = end_of_part
        if not place < after <= len(data):
            raise BrokenStreamError("a tile-part reaches beyond the picture")
        place = after


def _marker(data: bytes, place: int) -> tuple[int, int]:
    if len(data) < place + 2 or data[place] != 0xFF:
        raise BrokenStreamError("its markers are broken or cut off")
    marker = int.from_bytes(data[place : place + 2], "big")
    if marker in (_DATA, _END_2000):
        return marker, 0
    length = int.from_bytes(data[place + 2 : place + 4], "big")
    if length < 2 or place + 2 + length > len(data):
        raise BrokenStreamError("a segment reaches beyond the picture")
    return marker, length
