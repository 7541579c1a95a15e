"""The values of a DICOM header by keyword, read straight from the file's bytes.

Only the few dozen elements that grouping needs are converted, which takes a third of the time of a general parser; the
dictionary of tags and the decoding of character sets are pydicom's.
"""

from __future__ import annotations

import codecs
import math
import struct
import warnings
from collections.abc import Mapping
from functools import cache

from pydicom.charset import convert_encodings, decode_bytes, python_encoding
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.valuerep import TEXT_VR_DELIMS

from prognoscope.core.problems import Refused, refuse
from prognoscope.sources.outline import Outline, Span, Walk

BINARY = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d"}
ANY_CHARACTER_SET = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
LONGEST = {"AS": 4, "CS": 16, "DA": 8, "DS": 16, "IS": 12, "LO": 64, "SH": 16, "UI": 64}  # PS3.5 table 6.2-1
CHARACTER_SET = 0x00080005
UNKNOWN_CHARACTERS = "the character set is unknown or does not fit the text"


@cache
def tag_and_vr(keyword: str) -> tuple[int, str]:
    """Tag and value representation of a keyword of the standard's dictionary."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag, dictionary_VR(tag)


class Attributes:
    """Values of a data set, or of an item of one of its sequences.

    Texts come without padding; an absent element is the empty text, None or no items.
    """

    __slots__ = ("_encodings", "_spans", "_walk", "departures")

    def __init__(self, walk: Walk, spans: Mapping[int, Span], encodings: list[str], departures: set[str]) -> None:
        self._walk, self._spans, self._encodings = walk, spans, encodings
        self.departures = departures

    @classmethod
    def of(cls, found: Outline) -> Attributes:
        """Return the values of a file's top level."""
        departures: set[str] = set()
        span = found.elements.get(CHARACTER_SET)
        names = found.walk.data[span[0] : span[1]] if span else b""
        return cls(found.walk, found.elements, _encodings(names, departures), departures)

    @property
    def subject(self) -> str:
        """How problems name the file."""
        return self._walk.subject

    def __contains__(self, keyword: str) -> bool:
        return tag_and_vr(keyword)[0] in self._spans

    def raw(self, keyword: str) -> bytes:
        """Bytes of a value as they stand in the file."""
        span = self._spans.get(tag_and_vr(keyword)[0])
        return self._walk.data[span[0] : span[1]] if span else b""

    def text(self, keyword: str) -> str:
        """Value as text; several values stay separated by backslashes."""
        tag, vr = tag_and_vr(keyword)
        span = self._spans.get(tag)
        if span is None or span[0] == span[1]:
            return ""
        if vr in BINARY:
            return "\\".join(f"{number:g}" for number in self._binary(keyword))
        return self._text(self._walk.data[span[0] : span[1]], vr)

    def private_number(self, tag: int) -> float | None:
        """Positive number held as text by a private element, or None."""
        span = self._spans.get(tag)
        text = self._walk.data[span[0] : span[1]].decode("ascii", "replace").strip("\0 ") if span else ""
        try:
            number = float(text)
        except ValueError:
            return None
        return number if number > 0 and math.isfinite(number) else None

    def private_text(self, tag: int) -> str:
        """Text of a private element."""
        span = self._spans.get(tag)
        return self._text(self._walk.data[span[0] : span[1]], "LO") if span else ""

    def number(self, keyword: str) -> float | None:
        """First value as a finite number; refuses (`dicom-value`) what is none."""
        found = self._numbers(keyword)
        return found[0] if found else None

    def numbers(self, keyword: str, count: int) -> tuple[float, ...] | None:
        """Exactly `count` finite numbers, or None when absent; refuses (`dicom-value`) anything else."""
        found = self._numbers(keyword)
        if found and len(found) != count:
            raise self._bad(keyword)
        return found or None

    def whole(self, keyword: str) -> int:
        """Value as a whole number, 0 when absent; refuses (`dicom-value`) anything else."""
        number = self.number(keyword)
        if number is not None and not number.is_integer():
            raise self._bad(keyword)
        return int(number or 0)

    def items(self, keyword: str) -> list[Attributes]:
        """Items of a sequence."""
        span = self._spans.get(tag_and_vr(keyword)[0])
        if span is None:
            return []
        return [Attributes(self._walk, spans, self._encodings, self.departures) for spans in self._walk.items(span)]

    def first(self, keyword: str) -> Attributes:
        """First item of a sequence, without any value when there is none."""
        span = self._spans.get(tag_and_vr(keyword)[0])
        items = self._walk.items(span) if span else []
        return Attributes(self._walk, items[0] if items else {}, self._encodings, self.departures)

    def _text(self, value: bytes, vr: str) -> str:
        if value.isascii() and b"\x1b" not in value:
            text = value.decode("ascii")
        elif vr in ANY_CHARACTER_SET:
            text = self._decoded(value)
        else:
            text = value.decode("latin-1")
        longest = LONGEST.get(vr)
        if longest and len(value) > longest and max(map(len, text.strip("\0 ").split("\\"))) > longest:
            self.departures.add(f"a value is longer than its type {vr} allows")
        return "\\".join(part.strip("\0 ") for part in text.split("\\")) if "\\" in text else text.strip("\0 ")

    def _decoded(self, value: bytes) -> str:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            text = decode_bytes(value, self._encodings, TEXT_VR_DELIMS)
        if caught:
            self.departures.add(UNKNOWN_CHARACTERS)
        return text

    def _binary(self, keyword: str) -> tuple[float, ...]:
        value, code = self.raw(keyword), BINARY[tag_and_vr(keyword)[1]]
        count, rest = divmod(len(value), struct.calcsize(code))
        if rest:
            raise self._bad(keyword)
        return struct.unpack(f"{'<' if self._walk.little else '>'}{count}{code}", value)

    def _numbers(self, keyword: str) -> tuple[float, ...]:
        tag, vr = tag_and_vr(keyword)
        span = self._spans.get(tag)
        if span is None or span[0] == span[1]:
            return ()
        if vr in BINARY:
            numbers = tuple(map(float, self._binary(keyword)))
        else:
            text = self._text(self._walk.data[span[0] : span[1]], vr)
            if not text:
                return ()
            try:
                numbers = tuple(map(float, text.split("\\")))
            except ValueError as error:
                raise self._bad(keyword) from error
        if not all(map(math.isfinite, numbers)):
            raise self._bad(keyword)
        return numbers

    def _bad(self, keyword: str) -> Refused:
        shown = self.raw(keyword)[:60].decode("ascii", "backslashreplace")
        return refuse(
            "dicom-value",
            subject=self._walk.subject,
            found=f"{keyword} is {shown!r}",
            remedy="export the file again from its source",
        )


@cache
def _of_the_standard() -> frozenset[str]:
    """Names of the codecs behind DICOM's character sets: Python has others, some of which are none of characters."""
    return frozenset(codecs.lookup(name).name for name in python_encoding.values())


def _encodings(names: bytes, departures: set[str]) -> list[str]:
    words = [word.strip("\0 ") for word in names.decode("ascii", "replace").split("\\")]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found: list[str] = convert_encodings(words)
            known = all(codecs.lookup(name).name in _of_the_standard() for name in found)
        except (LookupError, ValueError):
            known = False
    if caught or not known:
        departures.add(UNKNOWN_CHARACTERS)
    return found if known else ["latin_1"]
