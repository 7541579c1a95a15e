"""A corpus of files that no one should trust: by name the bytes, and the codes of which one must be told.

Without a code the file is read all the same.
"""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache
from io import BytesIO

import pydicom

from tests.make.store import directory, nested_sequences, slice_bytes, zipped

Corpus = dict[str, tuple[bytes, frozenset[str]]]
DAMAGED = frozenset(
    {"dicom-truncated", "dicom-damaged", "dicom-incomplete", "dicom-value", "not-dicom", "identifier-unusable"}
)
MEBI = 1 << 20


@cache
def corpus() -> Corpus:
    """All of it."""
    found: Corpus = {}
    for part in (truncated(), lying(), structures(), archives(), others()):
        found |= part
    return found


def elements(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Where each element begins, where its length stands and how wide that is; after the preamble."""
    at = 132
    while at < len(data):
        vr = data[at + 4 : at + 6]
        wide = vr in (b"OB", b"OW", b"SQ", b"UN", b"UT", b"OF")
        place, width = (at + 8, 4) if wide else (at + 6, 2)
        (length,) = struct.unpack_from("<L" if wide else "<H", data, place)
        yield at, place, width
        at = place + width + length


def truncated() -> Corpus:
    """A file that ends where each of its elements begins, in its header, and in the middle of its value."""
    whole = slice_bytes("CUT", 0)
    ends = sorted(
        {end for at, place, width in elements(whole) for end in (at, at + 3, place + width, place + width + 1)}
    )
    return {f"cut-{end}": (whole[:end], DAMAGED) for end in ends if end < len(whole)}


def lying() -> Corpus:
    """Each element says that it is longer than the file; and pixels that are fewer than rows and columns say."""
    whole = slice_bytes("LIE", 0)
    found: Corpus = {}
    for at, place, width in elements(whole):
        lie = bytearray(whole)
        lie[place : place + width] = b"\xfe\xff\xff\x7f" if width == 4 else b"\xfe\xff"
        found[f"lie-{at}"] = (bytes(lie), DAMAGED)
    for keyword, value in {
        "Rows": 60_000,
        "Columns": 60_000,
        "NumberOfFrames": 2_000_000_000,
        "BitsAllocated": 32,
    }.items():
        data = pydicom.dcmread(BytesIO(whole))
        setattr(data, keyword, value)
        data.PatientID = "BEYOND"
        out = BytesIO()
        data.save_as(out, enforce_file_format=True)
        found[f"beyond-{keyword}"] = (out.getvalue(), DAMAGED)
    return found


def structures() -> Corpus:
    """Nesting, directories, programs and character sets."""
    whole = slice_bytes("CODE", 0)
    head = b"MZ\x90\0".ljust(128, b"\0")
    return {
        "deep": (nested_sequences(10_000), frozenset({"dicom-too-deep"})),
        "disc/DICOMDIR": (directory([["..", "..", "etc", "passwd"]]), frozenset({"dicomdir-leaves-folder"})),
        "program.exe": (head + b"PE\0\0" * 50, frozenset({"not-dicom"})),
        "program.elf": (b"\x7fELF\2\1\1".ljust(400, b"\0"), frozenset({"not-dicom"})),
        "cut-behind-pe": (head + whole[128:300], DAMAGED),
        "character-set": (whole.replace(b"DA\x08\x0020200102", b"DA\x08\x00\xff\xfe2001\x00\x1b"), frozenset()),
        "name\nwith\nnewlines": (b"hello", frozenset({"not-dicom"})),
        "deflated-bomb": (_deflated(), frozenset({"dicom-damaged"})),
        "empty": (b"", frozenset({"not-dicom"})),
        "zeros": (bytes(4 * MEBI), frozenset({"not-dicom"})),
    }


def archives() -> Corpus:
    """Zip archives: a few bytes for very many, members that overlap, archives without end, paths that climb."""
    nested = slice_bytes("NEST", 0)
    for _ in range(8):
        nested = zipped({"inner.zip": nested})
    return {
        "bomb.zip": (zipped({"zeros": bytes(80 * MEBI)}), frozenset({"archive-bomb"})),
        "overlap.zip": (_overlapping(), frozenset({"archive-bomb", "archive-damaged"})),
        "nested.zip": (nested, frozenset({"archive-too-deep"})),
        "cut.zip": (zipped({"a": b"b" * 1000})[:-30], frozenset({"archive-damaged"})),
        "climbing.zip": (zipped({"../../../etc/cron.d/x": b"hello", "/abs": b"hello"}), frozenset({"not-dicom"})),
        "many.zip": (zipped({f"{number}": b"" for number in range(3000)}), frozenset({"not-dicom"})),
    }


def others() -> Corpus:
    """NIfTI, pictures, tables and FHIR that claim much more than they hold, or are broken."""
    return {
        "A_CT_image.nii": (_nifti((30_000, 30_000, 30_000)), frozenset({"nifti-too-large", "nifti-unreadable"})),
        "B_CT_image.nii": (_nifti((512, 512, 600)), frozenset({"nifti-unreadable"})),
        "C_CT_image.nii.gz": (gzip.compress(bytes(64 * MEBI)), frozenset({"nifti-unreadable"})),
        "D_CT_image.nii.gz": (gzip.compress(_nifti((8, 8, 8)))[:-20], frozenset({"nifti-unreadable"})),
        "nobody.nii": (_nifti((2, 2, 2)) + bytes(16), frozenset({"owner-unknown"})),
        "huge.png": (_png(60_000, 60_000), frozenset({"picture-too-large", "picture-damaged"})),
        "cut.jpg": (b"\xff\xd8\xff\xe0\0\x10JFIF\0", frozenset({"picture-damaged"})),
        "bomb.xlsx": (_xlsx(), frozenset({"table-format", "table-too-large", "table-empty"})),
        "cut.parquet": (b"PAR1" + bytes(100) + b"PAR1", frozenset({"table-format"})),
        "ragged.csv": (b"patient_id,age\n1,2\n3\n4,5,6\n", frozenset({"table-ragged"})),
        "nobody.csv": (b"age,sex\n50,F\n", frozenset({"table-without-patient"})),
        "noise.csv": (bytes(range(256)) * 40, frozenset({"table-format", "table-ragged", "table-without-patient"})),
        "deep.json": (b'{"resourceType":' + b'{"a":' * 100_000, frozenset({"fhir-unreadable"})),
        "bomb.json.gz": (gzip.compress(b'{"resourceType": "Patient", "x": "' + b" " * (64 * MEBI)),
                         frozenset({"fhir-unreadable", "fhir-too-large"})),
    }  # fmt: skip


def _deflated() -> bytes:
    meta = b"\0" * 128 + b"DICM" + struct.pack("<HH2sHL", 2, 0, b"UL", 4, 0)
    meta += struct.pack("<HH2sH", 2, 0x10, b"UI", 22) + b"1.2.840.10008.1.2.1.99"
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return meta + packer.compress(bytes(64 * MEBI)) + packer.flush()


def _overlapping() -> bytes:
    """Members that share the bytes of one (Fifield 2019): the directory is written several times over."""
    data = zipped({"a": bytes(8 * MEBI)})
    end = data.rindex(b"PK\5\6")
    start = data.rindex(b"PK\1\2")
    entry, tail = data[start:end], bytearray(data[end:])
    many = b"".join(entry[:46] + b"%c" % (97 + number) + entry[47:] for number in range(20))
    struct.pack_into("<HHLL", tail, 8, 20, 20, len(many), start)
    return data[:start] + many + bytes(tail)


def _nifti(shape: tuple[int, int, int]) -> bytes:
    """A NIfTI-1 header of float64 voxels, without any."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *shape, 1, 1, 1, 1)
    struct.pack_into("<hh", header, 70, 64, 64)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", header, 108, 352)
    struct.pack_into("<hh", header, 252, 0, 1)
    for row in range(3):
        struct.pack_into("<f", header, 280 + 20 * row, 1)
    header[344:348] = b"n+1\0"
    return bytes(header)


def _png(rows: int, columns: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">LLBBBBB", columns, rows, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(MEBI))) + chunk(b"IEND", b"")


def _xlsx() -> bytes:
    """A workbook whose one sheet unpacks to 80 MiB of blanks."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(80):
                sheet.write(b" " * MEBI)
    return out.getvalue()
