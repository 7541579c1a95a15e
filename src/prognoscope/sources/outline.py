"""Where the elements of a DICOM file lie, found without trusting a single length in it.

The walk is flat: it never calls itself, looks at every length before it uses it and counts how deep sequences go. What
it hands on is a small data set of the elements that were asked for, which pydicom can read without surprises.
Structure: DICOM PS3.5 chapter 7 (explicit and implicit VR, items, delimiters), annex A.4 (encapsulated pixels).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from prognoscope.core.problems import Refused, refuse

DEPTH = 24
INFLATED_BYTES = 1 << 30
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
ITEM_BYTES = {True: b"\xfe\xff\x00\xe0", False: b"\xff\xfe\xe0\x00"}
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
TRANSFER_SYNTAX = 0x00020010
IMPLICIT, DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
SHORT_VRS = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS"}
    | {b"ST", b"TM", b"UI", b"UL", b"US"}
)


@dataclass(frozen=True, slots=True)
class Outline:
    """The layout of one DICOM file.

    Attributes
    ----------
    data
        The bytes that the offsets refer to (the file's own, or the inflated data set).
    transfer_syntax, implicit, little
        How the data set is encoded.
    elements
        Tag → (start, end) of each top-level element that was asked for, header included.
    pixels
        (start, end) of the value of the pixel data, or None; an encapsulated value begins with its offset table.
    """

    data: bytes
    transfer_syntax: str
    implicit: bool
    little: bool
    elements: dict[int, tuple[int, int]]
    pixels: tuple[int, int] | None

    def excerpt(self) -> bytes:
        """The elements that were asked for, as a data set of their own."""
        return b"".join(self.data[start:end] for start, end in self.elements.values())


@dataclass(frozen=True, slots=True)
class _Element:
    tag: int
    vr: bytes
    value: int
    length: int


def outline(data: bytes, wanted: frozenset[int], *, subject: str) -> Outline:
    """Walk over a DICOM file and note where the wanted top-level elements and the pixel data lie.

    Raises
    ------
    Refused
        `not-dicom` for anything else; `dicom-truncated` when the file ends inside an element; `dicom-damaged` when
        its structure contradicts itself; `dicom-too-deep` for sequences nested more than 24 levels.
    """
    start = _start(data, subject)
    meta, position = _file_meta(data, start, subject) if start else ({}, 0)
    syntax = meta.get(TRANSFER_SYNTAX, IMPLICIT)
    if syntax == DEFLATED:
        data, position = _inflate(data[position:], subject), 0
    little = syntax != BIG_ENDIAN
    implicit = syntax == IMPLICIT and not _looks_explicit(data, position)
    walk = _Walk(data, implicit=implicit, little=little, subject=subject)
    elements, pixels = walk.top_level(position, wanted)
    return Outline(data, syntax, implicit, little, elements, pixels)


def _start(data: bytes, subject: str) -> int:
    if data[128:132] == b"DICM":
        return 132
    # Files without preamble exist: they begin with group 2 or 8, whose first elements are short.
    if data[:4] in (
        b"\x02\x00\x00\x00",
        b"\x02\x00\x01\x00",
        b"\x02\x00\x02\x00",
        b"\x08\x00\x05\x00",
        b"\x08\x00\x08\x00",
    ):
        return 0
    raise refuse(
        "not-dicom", subject=subject, found="the file is not DICOM", remedy="nothing, if none was expected here"
    )


def _looks_explicit(data: bytes, position: int) -> bool:
    return data[position + 4 : position + 6] in LONG_VRS | SHORT_VRS


def _file_meta(data: bytes, position: int, subject: str) -> tuple[dict[int, str], int]:
    walk = _Walk(data, implicit=False, little=True, subject=subject)
    found: dict[int, str] = {}
    while data[position : position + 2] == b"\x02\x00":
        element = walk.element(position)
        position = walk.end(element)
        if element.tag == TRANSFER_SYNTAX:
            found[element.tag] = data[element.value : position].rstrip(b"\0 ").decode("ascii", "replace")
    return found, position


def _inflate(packed: bytes, subject: str) -> bytes:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = engine.decompress(packed, INFLATED_BYTES)
    except zlib.error as error:
        raise _damaged(subject, f"its deflated data set cannot be inflated ({error})") from error
    if engine.unconsumed_tail:
        raise _damaged(subject, f"its deflated data set exceeds {INFLATED_BYTES >> 20} MiB")
    return data


def _damaged(subject: str, found: str) -> Refused:
    return refuse("dicom-damaged", subject=subject, found=found, remedy="export the file again from its source")


class _Walk:
    """One pass over the bytes of a data set."""

    def __init__(self, data: bytes, *, implicit: bool, little: bool, subject: str) -> None:
        order = "<" if little else ">"
        self.data, self.size, self.implicit, self.subject = data, len(data), implicit, subject
        self._tag = struct.Struct(order + "HH").unpack_from
        self._short = struct.Struct(order + "H").unpack_from
        self._long = struct.Struct(order + "L").unpack_from
        self._item = ITEM_BYTES[little]

    def top_level(
        self, position: int, wanted: frozenset[int]
    ) -> tuple[dict[int, tuple[int, int]], tuple[int, int] | None]:
        elements: dict[int, tuple[int, int]] = {}
        while position < self.size:
            if self.size - position < 8 and not self.data[position:].strip(b"\0"):
                break
            element = self.element(position)
            if element.tag in PIXEL_TAGS:
                return elements, (element.value, self.end(element))
            end = self.end(element)
            if element.tag in wanted:
                if element.length != UNDEFINED and self._nests(element):
                    self._skip(element.value, end, element.tag)
                elements[element.tag] = (position, end)
            position = end
        return elements, None

    def element(self, position: int) -> _Element:
        """Return the element whose header is at `position`."""
        if position + 8 > self.size:
            raise self._truncated(position, 8)
        group, number = self._tag(self.data, position)
        tag = group << 16 | number
        if self.implicit or group == 0xFFFE:
            return _Element(tag, b"", position + 8, self._long(self.data, position + 4)[0])
        vr = self.data[position + 4 : position + 6]
        if vr in SHORT_VRS:
            return _Element(tag, vr, position + 8, self._short(self.data, position + 6)[0])
        if vr not in LONG_VRS:
            raise _damaged(self.subject, f"element {_name(tag)} at byte {position} has no valid value representation")
        if position + 12 > self.size:
            raise self._truncated(position, 12)
        return _Element(tag, vr, position + 12, self._long(self.data, position + 8)[0])

    def end(self, element: _Element) -> int:
        """Return where an element ends; one of undefined length is walked through."""
        if element.length == UNDEFINED:
            return self._skip(element.value, None, element.tag)
        end = element.value + element.length
        if end > self.size:
            raise self._truncated(element.value, element.length, element.tag)
        return end

    def _nests(self, element: _Element) -> bool:
        return element.vr == b"SQ" or self.data[element.value : element.value + 4] == self._item

    def _skip(self, position: int, end: int | None, tag: int) -> int:
        """Walk through a sequence and everything nested in it; return the byte after it."""
        # Each open level is the byte where it must end, or None where a delimiter ends it.
        levels: list[int | None] = [end]
        while levels:
            if levels[-1] is not None and position >= levels[-1]:
                if position > levels[-1]:
                    raise _damaged(self.subject, f"an item inside {_name(tag)} is longer than what holds it")
                levels.pop()
                continue
            element = self.element(position)
            position = element.value
            if element.tag in (ITEM_END, SEQUENCE_END):
                if levels[-1] is not None:
                    raise _damaged(self.subject, f"a delimiter inside {_name(tag)} ends nothing")
                levels.pop()
            elif element.tag == ITEM or element.length == UNDEFINED or self._nests(element):
                if len(levels) >= 2 * DEPTH:
                    raise self._too_deep(tag)
                levels.append(None if element.length == UNDEFINED else self.end(element))
            else:
                position = self.end(element)
        return position

    def _truncated(self, position: int, length: int, tag: int | None = None) -> Refused:
        what = f"element {_name(tag)}" if tag else "an element"
        return refuse(
            "dicom-truncated",
            subject=self.subject,
            found=f"{what} at byte {position} needs {length} bytes, the file has {max(self.size - position, 0)} left",
            remedy="copy the file again from its source",
        )

    def _too_deep(self, tag: int) -> Refused:
        return refuse(
            "dicom-too-deep",
            subject=self.subject,
            found=f"sequences inside {_name(tag)} are nested more than {DEPTH} deep",
            remedy="leave the file out; no scanner writes such a file",
        )


def _name(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
