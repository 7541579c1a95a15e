"""A dataset as the bytes of a file: what was not touched is copied, what many objects share is encoded once.

Little-endian syntaxes only, which are all but one retired one; pydicom encodes whatever is not plain bytes.
"""

from __future__ import annotations

import struct

from pydicom import Dataset
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite, write_data_element
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from prognoscope.deidentify.elements import text_of

# Bytes of an element, by its `id` and by whether value representations are implicit.
Shared = dict[int, dict[bool, bytes]]
_UNDEFINED, _META_LENGTH = 0xFFFFFFFF, 0x00020000
_PLAIN = frozenset({"UI", "DA", "TM", "CS"})  # short, and in no character set but the plain one
_LONG = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})
_PADDED_BY_NUL = frozenset({"UI", "OB", "UN"})
_ITEM = b"\xfe\xff\x00\xe0"


def file_bytes(dataset: Dataset, shared: Shared) -> bytes:
    """Return an object as the bytes of a DICOM file (PS3.10), its preamble and file meta information as they are set.

    Parameters
    ----------
    dataset
        With `preamble` and `file_meta`; elements that were not touched are in the encoding of the transfer syntax.
    shared
        Encoded bytes of elements that several objects share, by `id`: entries that are empty are filled.
    """
    syntax = text_of(dataset.file_meta, "TransferSyntaxUID")
    if syntax in (ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
        stream = DicomBytesIO()
        dcmwrite(stream, dataset, enforce_file_format=True)
        return stream.getvalue()
    meta = _dataset(dataset.file_meta, False, shared)
    length = _header(_META_LENGTH, "UL", 4, False) + struct.pack("<L", len(meta))
    return b"".join(
        [dataset.preamble, b"DICM", length, meta, _dataset(dataset, syntax == ImplicitVRLittleEndian, shared)]
    )


def _dataset(dataset: Dataset, implicit: bool, shared: Shared) -> bytes:
    parts = []
    for _, held in sorted(dataset.items(), key=_number):
        if isinstance(held, RawDataElement):
            parts.append(_raw(held, implicit))
        elif id(held) in shared:
            known = shared[id(held)]
            if implicit not in known:
                known[implicit] = _decoded(held, dataset, implicit, shared)
            parts.append(known[implicit])
        else:
            parts.append(_decoded(held, dataset, implicit, shared))
    return b"".join(parts)


def _decoded(held: DataElement, dataset: Dataset, implicit: bool, shared: Shared) -> bytes:
    if held.VR != "SQ":
        return _by_pydicom(held, dataset, implicit)
    items = [_dataset(item, implicit, shared) for item in held.value]
    value = b"".join([_ITEM + struct.pack("<L", len(item)) + item for item in items])
    return _header(held.tag, "SQ", len(value), implicit) + value


def _number(entry: tuple[int, object]) -> int:
    return int(entry[0])


def _raw(held: RawDataElement, implicit: bool) -> bytes:
    value = held.value or b""
    if held.length == _UNDEFINED:
        closed = value + b"\xfe\xff\xdd\xe0\0\0\0\0"
        return _header(held.tag, held.VR, _UNDEFINED, implicit) + closed
    if len(value) % 2:
        value += b"\0" if held.VR in _PADDED_BY_NUL else b" "
    return _header(held.tag, held.VR, len(value), implicit) + value


def _header(tag: int, vr: str | None, length: int, implicit: bool) -> bytes:
    number = int(tag)
    if implicit or vr is None:
        return struct.pack("<HHL", number >> 16, number & 0xFFFF, length)
    if vr in _LONG:
        return struct.pack("<HH2sHL", number >> 16, number & 0xFFFF, vr.encode(), 0, length)
    return struct.pack("<HH2sH", number >> 16, number & 0xFFFF, vr.encode(), length)


def _by_pydicom(element: DataElement, dataset: Dataset, implicit: bool) -> bytes:
    if element.VR in _PLAIN and isinstance(element.value, str) and element.value.isascii():
        value = element.value.encode()
        value += (b"\0" if element.VR in _PADDED_BY_NUL else b" ") * (len(value) % 2)
        return _header(element.tag, element.VR, len(value), implicit) + value
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, implicit
    charset = dataset.original_character_set
    write_data_element(stream, element, charset if isinstance(charset, str) else list(charset))
    return stream.getvalue()
