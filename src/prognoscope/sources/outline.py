"""Where the elements of a DICOM file lie, found without trusting a single length in it.

The walk is flat: it never calls itself, looks at every length before it uses it and counts how deep sequences go, so a
hostile file costs one pass over its bytes. Structure: DICOM PS3.5 chapter 7 (explicit and implicit VR, items,
delimiters), annex A.4 (encapsulated pixels), PS3.10 chapter 7 (file meta information).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from prognoscope.core.problems import Problem, Refused, refuse

MOST_ELEMENTS = 100_000  # a file has some hundreds; bytes that are none would be walked for minutes
DEPTH = 24
INFLATED_BYTES = 1 << 30
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
ITEM_BYTES = {True: b"\xfe\xff\x00\xe0", False: b"\xff\xfe\xe0\x00"}
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
TRANSFER_SYNTAX, SERIES_UID = 0x00020010, 0x0020000E
IMPLICIT, DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
LONG_VRS = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
SHORT_VRS = frozenset(
    {b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS"}
    | {b"ST", b"TM", b"UI", b"UL", b"US"}
)
# Files without preamble exist: they begin with an element of group 2 or 8.
BEGINNINGS = (b"\2\0\0\0", b"\2\0\1\0", b"\2\0\2\0", b"\x08\0\1\0", b"\x08\0\5\0", b"\x08\0\x08\0", b"\x08\0\x16\0")
Span = tuple[int, int]
Element = tuple[int, bytes, int, int]  # tag, VR (empty when implicit), where the value begins, its length


@dataclass(frozen=True, slots=True)
class Outline:
    """The layout of one DICOM file.

    Attributes
    ----------
    walk
        The pass over the bytes that the spans refer to (the file's own, or the inflated data set).
    transfer_syntax
        UID of the encoding.
    elements
        Tag → span of the value of each top-level element that was asked for.
    pixels
        Span of the value of the pixel data, or None; an encapsulated value begins with its offset table.
    damage
        The problem of a file that ends or contradicts itself after its series was named; `elements` are those before.
    misdeclared
        Whether the data set is encoded in the other VR style than its transfer syntax says.
    """

    walk: Walk
    transfer_syntax: str
    elements: dict[int, Span]
    pixels: Span | None
    damage: Problem | None = None
    misdeclared: bool = False


def outline(data: bytes, wanted: frozenset[int], *, subject: str) -> Outline:
    """Walk over a DICOM file and note where the wanted top-level elements and the pixel data lie.

    Raises
    ------
    Refused
        `not-dicom` for anything else; `dicom-truncated` when the file ends before its data set; `dicom-damaged` when
        its structure contradicts itself; `dicom-too-deep` for sequences nested more than 24 levels.
    """
    start = _start(data, subject)
    syntax, position = _file_meta(data, start, subject)
    if syntax == DEFLATED:
        data, position = _inflate(data[position:], subject), 0
    # Files exist that are encoded in the other style than they declare; what stands there counts.
    implicit = syntax != BIG_ENDIAN and data[position + 4 : position + 6] not in LONG_VRS | SHORT_VRS
    misdeclared = implicit != (syntax == IMPLICIT)
    walk = Walk(data, implicit=implicit, little=syntax != BIG_ENDIAN, subject=subject)
    elements: dict[int, Span] = {}
    try:
        pixels = walk.top_level(position, wanted, elements)
    except Refused as refused:
        if SERIES_UID not in elements:
            raise
        return Outline(walk, syntax, elements, None, refused.problem, misdeclared)
    return Outline(walk, syntax, elements, pixels, None, misdeclared)


def _start(data: bytes, subject: str) -> int:
    if data[128:132] == b"DICM":
        return 132
    if data[:4] in BEGINNINGS:
        return 0
    raise refuse(
        "not-dicom", subject=subject, found="the file is not DICOM", remedy="nothing, if no image was expected here"
    )


def _file_meta(data: bytes, position: int, subject: str) -> tuple[str, int]:
    """Transfer syntax and where the data set begins; the meta information is always explicit little endian."""
    walk = Walk(data, implicit=False, little=True, subject=subject)
    syntax = IMPLICIT
    while data[position : position + 2] == b"\2\0":
        element = walk.element(position)
        position = walk.end(element)
        if element[0] == TRANSFER_SYNTAX:
            syntax = data[element[2] : position].rstrip(b"\0 ").decode("ascii", "replace")
    return syntax, position


def _inflate(packed: bytes, subject: str) -> bytes:
    engine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = engine.decompress(packed, INFLATED_BYTES)
    except zlib.error as error:
        raise damaged(subject, f"its deflated data set cannot be inflated ({error})") from error
    if engine.unconsumed_tail:
        raise damaged(subject, f"its deflated data set exceeds {INFLATED_BYTES >> 20} MiB")
    return data


def damaged(subject: str, found: str) -> Refused:
    """The problem of a file whose structure or values contradict the standard beyond reading."""
    return refuse("dicom-damaged", subject=subject, found=found, remedy="export the file again from its source")


class Walk:
    """One pass over the bytes of a data set."""

    def __init__(self, data: bytes, *, implicit: bool, little: bool, subject: str) -> None:
        self.data, self.size = data, len(data)
        self.implicit, self.little, self.subject = implicit, little, subject
        order = "<" if little else ">"
        self._tag = struct.Struct(order + "HH").unpack_from
        self._short = struct.Struct(order + "H").unpack_from
        self._long = struct.Struct(order + "L").unpack_from
        self._item = ITEM_BYTES[little]

    def top_level(self, position: int, wanted: frozenset[int], elements: dict[int, Span]) -> Span | None:
        """Note the spans of the wanted elements' values; return that of the pixel data, where the pass ends."""
        for _ in range(MOST_ELEMENTS):
            if position >= self.size:
                return None
            if self.size - position < 8 and not self.data[position:].strip(b"\0"):
                return None
            element = self.element(position)
            if element[0] in PIXEL_TAGS:
                return element[2], self._fragments(element[2]) if element[3] == UNDEFINED else self.end(element)
            position = self.end(element)
            if element[0] in wanted:
                if element[3] != UNDEFINED and self._nests(element):
                    self._skip(element[2], position, element[0])
                elements[element[0]] = (element[2], position)
        raise damaged(self.subject, f"it has more than {MOST_ELEMENTS:,} elements outside of sequences")

    def _fragments(self, position: int) -> int:
        """Walk over the fragments of encapsulated pixel data, which are bytes and not elements."""
        while position < self.size:  # some writers leave the last delimiter out
            element = self.element(position)
            if element[0] == SEQUENCE_END:
                return element[2]
            if element[0] != ITEM or element[3] == UNDEFINED:
                raise damaged(self.subject, f"its encapsulated pixels hold {_name(element[0])} at byte {position}")
            position = self.end(element)
        return position

    def items(self, span: Span) -> list[dict[int, Span]]:
        """Spans of the values in each item of a sequence whose value has this span."""
        position, end = span
        found: list[dict[int, Span]] = []
        while position < end:
            tag, _, position, length = self.element(position)
            if tag != ITEM:
                break
            elements, position = self._item_elements(position, None if length == UNDEFINED else position + length)
            found.append(elements)
        return found

    def _item_elements(self, position: int, end: int | None) -> tuple[dict[int, Span], int]:
        elements: dict[int, Span] = {}
        while end is None or position < end:
            element = self.element(position)
            if element[0] == ITEM_END:
                return elements, element[2]
            position = self.end(element)
            elements[element[0]] = (element[2], position)
        return elements, position

    def element(self, position: int, *, implicit: bool | None = None) -> Element:
        """Return the element whose header is at `position`."""
        if position + 8 > self.size:
            raise self._truncated(position, 8)
        group, number = self._tag(self.data, position)
        tag = group << 16 | number
        if group == 0xFFFE or (self.implicit if implicit is None else implicit):
            return tag, b"", position + 8, self._long(self.data, position + 4)[0]
        vr = self.data[position + 4 : position + 6]
        if vr in SHORT_VRS:
            return tag, vr, position + 8, self._short(self.data, position + 6)[0]
        if vr not in LONG_VRS and not (vr.isalpha() and vr.isupper()):  # a VR that is newer than this has a long length
            raise damaged(self.subject, f"element {_name(tag)} at byte {position} has no valid value representation")
        if position + 12 > self.size:
            raise self._truncated(position, 12)
        return tag, vr, position + 12, self._long(self.data, position + 8)[0]

    def end(self, element: Element) -> int:
        """Return where an element ends; one of undefined length is walked through."""
        tag, vr, value, length = element
        if length == UNDEFINED:
            return self._skip(value, None, tag, implicit=True if vr == b"UN" else None)
        if value + length > self.size:
            raise self._truncated(value, length, tag)
        return value + length

    def _nests(self, element: Element) -> bool:
        return element[1] == b"SQ" or (not element[1] and self.data[element[2] : element[2] + 4] == self._item)

    def _skip(self, position: int, end: int | None, tag: int, *, implicit: bool | None = None) -> int:
        """Walk through a sequence and everything nested in it; return the byte after it."""
        # Each open level: the byte where it must end, or None where a delimiter ends it; whether it has no VRs.
        levels: list[tuple[int | None, bool]] = [(end, self.implicit if implicit is None else implicit)]
        while levels:
            limit, plain = levels[-1]
            if limit is not None and position >= limit:
                if position > limit:
                    raise damaged(self.subject, f"an item inside {_name(tag)} is longer than what holds it")
                levels.pop()
                continue
            element = self.element(position, implicit=plain)
            position = element[2]
            if element[0] in (ITEM_END, SEQUENCE_END):
                if limit is not None:
                    raise damaged(self.subject, f"a delimiter inside {_name(tag)} ends nothing")
                levels.pop()
            elif element[0] in PIXEL_TAGS and element[3] == UNDEFINED:
                position = self._fragments(position)
            elif element[0] == ITEM or element[3] == UNDEFINED or self._nests(element):
                if len(levels) >= 2 * DEPTH:
                    raise self._too_deep(tag)
                # A sequence of unknown VR and undefined length has no VRs inside (PS3.5 6.2.2, note 2).
                inner = plain or (element[1] == b"UN" and element[3] == UNDEFINED)
                levels.append((None if element[3] == UNDEFINED else self.end(element), inner))
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
