"""Whether two DICOM files hold the same data set: encoding, padding and the file's own header are but its envelope.

So is lossless compression: an archive may send packed what another one sends plain.
"""

from __future__ import annotations

import warnings
from io import BytesIO

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from prognoscope.core.panics import panics_as_errors

PREAMBLE = 132
GROUP_LENGTH = b"\x02\x00\x00\x00UL\x04\x00"
DEEPEST = 100
UNREADABLE = (
    ValueError, TypeError, LookupError, AttributeError, EOFError, NotImplementedError, OSError, RuntimeError,
)  # fmt: skip


def same_data_set(first: bytes, second: bytes) -> bool:
    """Compare every element, those of sequences and private ones included; what cannot be read is not the same."""
    if _after_meta(first) == _after_meta(second) != b"":
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # departures from the standard were told when the file was read
        try:
            one, other = (pydicom.dcmread(BytesIO(data), force=True) for data in (first, second))
            return _same_pixels(one, other) and _same(one, other, DEEPEST)
        except UNREADABLE:
            return False


def _same_pixels(one: Dataset, other: Dataset) -> bool:
    """Compare pixels that are packed in different ways as what they unpack to, and then lay them aside."""
    ways = [str(data.file_meta.get("TransferSyntaxUID", "")) for data in (one, other)]
    if ways[0] == ways[1] or not all("PixelData" in data for data in (one, other)):
        return True
    with panics_as_errors():
        if not np.array_equal(one.pixel_array, other.pixel_array):
            return False
    for data in (one, other):
        del data.PixelData
    return True


def _after_meta(data: bytes) -> bytes:
    """The bytes behind the group of the file's own header, transfer syntax and all; nothing where it has no length."""
    head = len(GROUP_LENGTH)
    if data[PREAMBLE : PREAMBLE + head] != GROUP_LENGTH:
        return b""
    start = PREAMBLE + head + 4
    meta = int.from_bytes(data[start - 4 : start], "little")
    syntax = data.find(b"\x02\x00\x10\x00UI", PREAMBLE, start + meta)
    if syntax < 0:
        return b""
    length = int.from_bytes(data[syntax + 6 : syntax + 8], "little")
    return data[syntax + 8 : syntax + 8 + length] + data[start + meta :]


def _same(one: Dataset, other: Dataset, depth: int) -> bool:
    tags, others = (sorted(filter(_holds_a_value, data.keys())) for data in (one, other))
    return depth > 0 and tags == others and all(_same_element(one, other, tag, depth) for tag in tags)


def _holds_a_value(tag: BaseTag) -> bool:
    return tag.element != 0  # the length of a group, which some writers tell


def _same_element(one: Dataset, other: Dataset, tag: BaseTag, depth: int) -> bool:
    raw, twin = one.get_item(tag), other.get_item(tag)
    if isinstance(raw, RawDataElement) and isinstance(twin, RawDataElement) and _bare(raw) == _bare(twin):
        return True
    value, counterpart = one[tag], other[tag]
    if value.VR == "SQ" == counterpart.VR:
        pairs = zip(value.value, counterpart.value, strict=False)
        return len(value.value) == len(counterpart.value) and all(_same(*pair, depth - 1) for pair in pairs)
    return bool(value.VR == counterpart.VR and value.value == counterpart.value)


def _bare(raw: RawDataElement) -> bytes:
    return (raw.value or b"").rstrip(b"\0 ")
