"""DICOM files in one pass over their bytes: every element with its value as it stands, sequences closed.

Two looks at each of thousands of slices are mostly reading. pydicom asks the file for every element and opens every
sequence; here the bytes are walked once, and a sequence is opened when somebody asks for its items. What breaks the
plain rules of PS3.5 7.1 and 7.5 in any way is left to pydicom, which knows the old mistakes: the answer is the same.
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Iterable, MutableSequence, Sequence
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.charset import convert_encodings, default_encoding
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement, empty_value_for_VR
from pydicom.dataset import FileMetaDataset
from pydicom.tag import BaseTag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    PrivateTransferSyntaxes,
)
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, STANDARD_VR
from pydicom.values import convert_string

_PREAMBLE, _PREFIX, _META = 128, b"DICM", b"\2\0"
_HEAD_BYTES = 1 << 16  # of a file hold nearly every header; where they don't, all of it is read
_EXPLICIT, _IMPLICIT = struct.Struct("<HH2sH").unpack_from, struct.Struct("<HHL").unpack_from
_LENGTH = struct.Struct("<L").unpack_from
_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_CHARSET, _SYNTAX = 0x00080005, 0x00020010
_LAST_IN_FRONT = 0x0018  # the element of group 8 with which a dataset begins lies before the SOP Instance UID
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
# Value representations by their bytes, and whether their length takes four bytes (PS3.5 7.1.2).
_VRS = {vr.encode(): (str(vr), vr in EXPLICIT_VR_LENGTH_32) for vr in STANDARD_VR}
_EMPTY = {vr: empty_value_for_VR(vr, raw=True) for vr in (None, *(str(vr) for vr in STANDARD_VR))}
_OTHERWISE = frozenset({ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian, *PrivateTransferSyntaxes})

_NO_PLAIN = re.compile(rb"[\x1b\\\\]")  # an escape to another character set, or several values

Encoding = str | MutableSequence[str]
Found = dict[BaseTag, DataElement | RawDataElement]


class UnusualError(ValueError):
    """Bytes that do not follow the plain rules: pydicom has to read them."""


def read_file(path: Path, *, pixels: bool) -> Dataset:
    """Read a DICOM file, its pixels too or up to them; no value is decoded.

    Parameters
    ----------
    pixels
        Whether Pixel Data and what follows it belongs to the answer.

    Raises
    ------
    InvalidDicomError
        When it is no DICOM file; whatever else pydicom raises for broken ones.
    """
    try:
        if pixels:
            return _dataset_of_file(path.read_bytes(), pixels=True, whole=True)
        with path.open("rb") as stream:
            data = stream.read(_HEAD_BYTES)
        try:
            return _dataset_of_file(data, pixels=False, whole=len(data) < _HEAD_BYTES)
        except UnusualError:
            return _dataset_of_file(path.read_bytes(), pixels=False, whole=True)
    except UnusualError:
        return dcmread(path, stop_before_pixels=not pixels, force=_is_bare(path))


def _is_bare(path: Path) -> bool:
    """Whether a file begins with a plausible element instead of a preamble, as old archives wrote them."""
    with path.open("rb") as stream:
        head = stream.read(_PREAMBLE + 4)
    if len(head) < _PREAMBLE or head[_PREAMBLE:] == _PREFIX or head[:2] not in (_META, b"\x08\0", b"\0\x08"):
        return False
    if head[4:6] in _VRS:
        return True
    group, element, length = _IMPLICIT(head, 0)
    return bool(group == 0x0008 and element <= _LAST_IN_FRONT and length <= _PREAMBLE)


def items_of(dataset: Dataset, held: DataElement | RawDataElement) -> Sequence[Dataset]:
    """Return the items of a sequence; one that is closed stays so in its dataset."""
    if isinstance(held, RawDataElement):
        if held.value and held.is_little_endian and held.VR in ("SQ", None):
            try:
                encoding = dataset.original_character_set or default_encoding
                return list(_items(held.value, held.is_implicit_VR, encoding))
            except UnusualError:
                pass
        held = dataset[held.tag]
    return held.value or ()


def text_of(dataset: Dataset, keyword: str) -> str:
    """Return the text of an element, trimmed; plain letters are not decoded in place."""
    held = dataset.get_item(_named(keyword))
    value = held.value if held is not None else None
    if isinstance(value, bytes) and value.isascii() and not _NO_PLAIN.search(value):
        return value.decode().strip(" \0")
    return str(dataset[held.tag].value or "").strip(" \0") if held is not None else ""


def number_of(dataset: Dataset, keyword: str, default: int) -> int:
    """Return the number in an element, which stays as its bytes were read: what is decoded has to be encoded again."""
    held = dataset.get_item(_named(keyword))
    if held is None or not held.value:
        return 0 if held is not None and held.value == 0 else default
    if isinstance(held, RawDataElement) and keyword != "NumberOfFrames":
        return int.from_bytes(held.value[:2], "little" if held.is_little_endian else "big")
    return int(text_of(dataset, keyword))


def _dataset_of_file(data: bytes, *, pixels: bool, whole: bool) -> Dataset:
    if data[_PREAMBLE : _PREAMBLE + 4] != _PREFIX:
        raise UnusualError
    meta, place = _elements(data, _PREAMBLE + 4, len(data), implicit=False, meta=True)
    held = meta.get(BaseTag(_SYNTAX))
    if held is None or not held.value:
        raise UnusualError
    syntax = UID(held.value.decode("latin-1").strip("\0 "))
    if syntax in _OTHERWISE:
        raise UnusualError
    implicit = syntax == ImplicitVRLittleEndian
    found, end = _elements(data, place, len(data), implicit=implicit, pixels=pixels)
    if end == len(data) and not whole:
        raise UnusualError
    if not found or implicit == _explicit(data, place):
        raise UnusualError
    dataset = _dataset(found, implicit, default_encoding)
    dataset.preamble = data[:_PREAMBLE]
    dataset.file_meta = FileMetaDataset(meta)
    return dataset


def _explicit(data: bytes, place: int) -> bool:
    """Whether the first element has a value representation, whatever the transfer syntax says."""
    return 0x40 < data[place + 4] < 0x5B and 0x40 < data[place + 5] < 0x5B


def _dataset(found: Found, implicit: bool, encoding: Encoding) -> Dataset:
    charset = found.get(_tag(_CHARSET))
    dataset = Dataset(found, parent_encoding=encoding)
    if charset is not None:
        encoding = _encoding(charset.value or b"")
    dataset.set_original_encoding(implicit, True, encoding)
    return dataset


@functools.lru_cache(maxsize=256)
def _encoding(value: bytes) -> Encoding:
    converted: Encoding = convert_encodings(convert_string(value, True))
    return converted


@functools.lru_cache(maxsize=8192)
def dictionary_vr(tag: int) -> str:
    """Value representation from the data dictionary; `UN` where it has none."""
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


@functools.cache
def _named(keyword: str) -> BaseTag:
    number = tag_for_keyword(keyword)
    if number is None:
        raise KeyError(keyword)
    return _tag(number)


@functools.lru_cache(maxsize=65_536)
def _tag(number: int) -> BaseTag:
    """One object for each tag: equal ones are found in a dictionary without being compared."""
    return BaseTag(number)


def _elements(
    data: bytes, place: int, end: int, *, implicit: bool, pixels: bool = True, meta: bool = False
) -> tuple[Found, int]:
    """Elements from a place on, and where they stop: at the end, before pixels, or after file meta information."""
    found: Found = {}
    value: Any
    while place < end:
        if meta and data[place : place + 2] != _META:
            break
        number, vr, length, start = _header(data, place, end, implicit)
        if number in _PIXELS and not pixels:
            break
        if length == _UNDEFINED:
            value, place, vr, length = _open_ended(data, start, end, number, vr, implicit)
        else:
            place = start + length
            value = data[start:place] if length else _EMPTY[vr]
        if place > end or number >> 16 in (0, 0xFFFE):
            raise UnusualError
        tag = _tag(number)
        found[tag] = RawDataElement(tag, vr, length, value, start, implicit, True)
    return found, place


def _header(data: bytes, place: int, end: int, implicit: bool) -> tuple[int, str | None, int, int]:
    """Tag, value representation, length of the value and where it begins."""
    if place + 8 > end:
        raise UnusualError
    if implicit:
        group, element, length = _IMPLICIT(data, place)
        return group << 16 | element, None, length, place + 8
    group, element, code, length = _EXPLICIT(data, place)
    known = _VRS.get(code)
    if known is None:
        raise UnusualError
    vr, wide = known
    if not wide:
        return group << 16 | element, vr, length, place + 8
    if place + 12 > end:
        raise UnusualError
    return group << 16 | element, vr, _LENGTH(data, place + 8)[0], place + 12


def _open_ended(
    data: bytes, start: int, end: int, number: int, vr: str | None, implicit: bool
) -> tuple[bytes, int, str, int]:
    """Value of an element without a length: a sequence, or pixels in fragments; a sequence gets its length."""
    if vr is None:
        vr = dictionary_vr(number)
        vr = "SQ" if vr == "UN" else vr
    if vr not in ("SQ", "OB", "OW"):
        raise UnusualError
    place = _after_items(data, start, end, implicit, fragments=vr != "SQ")
    value = data[start : place - 8]
    return value, place, vr, len(value) if vr == "SQ" else _UNDEFINED


def _after_items(data: bytes, place: int, end: int, implicit: bool, *, fragments: bool) -> int:
    while place + 8 <= end:
        group, element, length = _IMPLICIT(data, place)
        number, place = group << 16 | element, place + 8
        if number == _SEQUENCE_END:
            return place
        if number != _ITEM or (fragments and length == _UNDEFINED):
            raise UnusualError
        place = _after_item(data, place, end, implicit) if length == _UNDEFINED else place + length
    raise UnusualError


def _after_item(data: bytes, place: int, end: int, implicit: bool) -> int:
    while place + 8 <= end:
        group, element, _ = _IMPLICIT(data, place)
        if group << 16 | element == _ITEM_END:
            return place + 8
        number, vr, length, start = _header(data, place, end, implicit)
        place = start + length if length != _UNDEFINED else _open_ended(data, start, end, number, vr, implicit)[1]
    raise UnusualError


def _items(data: bytes, implicit: bool, encoding: Encoding) -> Iterable[Dataset]:
    place, end = 0, len(data)
    while place < end:
        if place + 8 > end:
            raise UnusualError
        group, element, length = _IMPLICIT(data, place)
        if group << 16 | element != _ITEM:
            raise UnusualError
        place += 8
        after = _after_item(data, place, end, implicit) if length == _UNDEFINED else place + length
        stop = after - 8 if length == _UNDEFINED else after
        if after > end:
            raise UnusualError
        found, _ = _elements(data, place, stop, implicit=implicit)
        item = _dataset(found, implicit, encoding)
        place = after
        yield item
