"""Files that are broken, hostile or something else: a problem that names them, within bounds, never a crash."""

from __future__ import annotations

import struct
import tracemalloc
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import FileDataset

from prognoscope.sources import Inspected, inspect, scan
from prognoscope.sources.archives import is_archive
from prognoscope.sources.dicom import inspect_bytes
from tests.make import dicom

META = b"\0" * 128 + b"DICM" + struct.pack("<HH2sHL", 2, 0, b"UL", 4, 0)
EXPLICIT = META + struct.pack("<HH2sH", 2, 0x10, b"UI", 20) + b"1.2.840.10008.1.2.1\0"
IMPLICIT = META + struct.pack("<HH2sH", 2, 0x10, b"UI", 18) + b"1.2.840.10008.1.2\0"
DEFLATED = META + struct.pack("<HH2sH", 2, 0x10, b"UI", 22) + b"1.2.840.10008.1.2.1.99"


def look(data: bytes) -> Inspected:
    return inspect_bytes(data, subject="some.file")


def one_slice(**changes: object) -> bytes:
    file = dicom.image_file(np.arange(120, dtype=np.int16).reshape(10, 12))
    for keyword, value in changes.items():
        setattr(file, keyword, value)
    return encoded(file)


def encoded(file: FileDataset) -> bytes:
    buffer = BytesIO()
    file.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def test_every_truncation_is_told(tmp_path: Path) -> None:
    """Cut at each byte: the file is refused, or known as an incomplete member of its series."""
    whole = one_slice()
    assert look(whole).problem is None
    for size in range(len(whole)):
        found = look(whole[:size])
        assert found.problem is not None, size
        assert found.problem.subject == "some.file"
        assert found.instance is None or found.instance.damage, size


def test_a_truncated_slice_keeps_its_whole_series_out(tmp_path: Path) -> None:
    """Without this, a series that lost its last slice would pass as a shorter one."""
    dicom.write_series(tmp_path / "a")
    dicom.write_series(tmp_path / "b", series="1.2.4", modality="MR")
    last = tmp_path / "a" / "087.bin"
    last.write_bytes(last.read_bytes()[:-50])
    index = scan(tmp_path)
    assert [series.modality for series in index.series] == ["MR"]
    problem = index.refused[0].problem
    assert problem.code == "dicom-truncated"
    assert "a/087.bin cannot be used" in problem.found


def test_a_slice_with_an_unreadable_number_keeps_its_whole_series_out(tmp_path: Path) -> None:
    dicom.write_series(tmp_path)
    last = tmp_path / "087.bin"
    last.write_bytes(last.read_bytes().replace(b"DS\x08\x000.8\\0.7 ", b"DS\x08\x000,8\\0,7 "))
    index = scan(tmp_path)
    assert index.series == ()
    problem = index.refused[0].problem
    assert problem.code == "dicom-value"
    assert "087.bin cannot be used: PixelSpacing is '0,8" in problem.found


def test_rows_and_columns_beyond_the_data(tmp_path: Path) -> None:
    found = look(one_slice(Rows=60000, Columns=60000))
    assert found.problem is not None
    assert found.problem.code == "dicom-truncated"
    assert "7200000000 bytes" in found.problem.found


def test_frames_beyond_the_data() -> None:
    found = look(one_slice(NumberOfFrames=2_000_000_000))
    assert found.problem is not None
    assert found.problem.code == "dicom-truncated"


@pytest.mark.parametrize("length", [0x7FFFFFFE, 0xFFFFFFFE, 0xFFFFFFFF])
def test_a_length_that_lies(length: int) -> None:
    data = EXPLICIT + struct.pack("<HH2sHL", 8, 0x1140, b"SQ", 0, length) + b"abc"
    found = look(data)
    assert found.problem is not None
    assert found.problem.code in ("dicom-truncated", "dicom-damaged")


@pytest.mark.parametrize("header", [EXPLICIT, IMPLICIT])
@pytest.mark.parametrize("defined", [True, False])
def test_sequences_nested_ten_thousand_deep(header: bytes, *, defined: bool) -> None:
    explicit = header is EXPLICIT
    inner = b""
    for _ in range(10_000):
        length = len(inner) + 8 if defined else 0xFFFFFFFF
        item = struct.pack("<HHL", 0xFFFE, 0xE000, len(inner) if defined else 0xFFFFFFFF)
        vr = b"SQ\0\0" if explicit else b""
        tag = struct.pack("<HH", 0x3006, 0x10) + vr + struct.pack("<L", length)
        inner = tag + item + inner
    found = look(header + inner)
    assert found.problem is not None
    assert found.problem.code == "dicom-too-deep"


def test_a_private_sequence_of_unknown_type_has_no_types_inside() -> None:
    """PS3.5 6.2.2: within explicit data an undefined-length UN is encoded implicitly."""
    inner = struct.pack("<HHL", 0x0009, 0x1001, 4) + b"\xff\xff\xff\xff"
    item = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF) + inner + struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
    sequence = (
        struct.pack("<HH2sHL", 0x0009, 0x1000, b"UN", 0, 0xFFFFFFFF) + item + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    )
    assert before_modality(sequence).problem is None


def test_a_compressed_icon_within_a_sequence_is_passed_over() -> None:
    """Its fragments are bytes, not elements."""
    fragment = struct.pack("<HHL", 0xFFFE, 0xE000, 6) + b"\xff\xd8\xff\xc3\x00\x01"
    pixels = struct.pack("<HH2sHL", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF) + fragment
    pixels += struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    item = struct.pack("<HHL", 0xFFFE, 0xE000, len(pixels)) + pixels
    sequence = (
        struct.pack("<HH2sHL", 0x0009, 0x1000, b"SQ", 0, 0xFFFFFFFF) + item + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
    )
    assert before_modality(sequence).problem is None


def test_a_value_representation_that_is_newer_than_this_program() -> None:
    assert before_modality(struct.pack("<HH2sHL", 0x0009, 0x1000, b"ZZ", 0, 4) + b"abcd").problem is None


def before_modality(element: bytes) -> Inspected:
    data = one_slice()
    at = data.index(b"\x10\x00\x10\x00PN")
    found = look(data[:at] + element + data[at:])
    assert found.instance is not None
    assert found.instance.kind == "image"
    assert found.instance.patient_id == "P1"
    return found


def test_a_file_that_is_encoded_otherwise_than_it_says_is_read_and_noted() -> None:
    data = one_slice()
    implicit = b"1.2.840.10008.1.2\0".ljust(20, b"\0")
    found = look(data.replace(b"1.2.840.10008.1.2.1\0", implicit))
    assert found.instance is not None
    assert found.instance.rows == 10
    assert found.instance.notes == ("its encoding is not the one that its transfer syntax says",)


def test_an_item_longer_than_its_sequence() -> None:
    item = struct.pack("<HHL", 0xFFFE, 0xE000, 8) + struct.pack("<HH2sH", 8, 0x50, b"SH", 0) + b"\0" * 40
    found = look(EXPLICIT + struct.pack("<HH2sHL", 0x3006, 0x10, b"SQ", 0, 12) + item)
    assert found.problem is not None
    assert found.problem.code == "dicom-damaged"


def test_a_deflated_bomb_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prognoscope.sources.outline.INFLATED_BYTES", 1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(b"\0" * (1 << 26)) + packer.flush()
    tracemalloc.start()
    found = look(DEFLATED + bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.problem is not None
    assert found.problem.code == "dicom-damaged"
    assert peak < 8 << 20


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "empty"),
        (b"id,age\n1,61\n", "text or a table"),
        (b"\x89PNG\r\n\x1a\n\0\0", "PNG"),
        (b"PK\x03\x04\0\0", "zip archive"),
        (b"%PDF-1.7", "PDF"),
        (b'{"a": 1}', "JSON"),
        (b"MZ\x90\0" + b"\0" * 200, "program"),
        (b"\x7fELF\x02" + b"\0" * 200, "program"),
    ],
)
def test_other_formats_are_told_quietly(content: bytes, kind: str) -> None:
    found = look(content)
    assert found.instance is None
    assert found.problem is not None
    assert found.problem.code == "not-dicom"
    assert kind in found.problem.found


@pytest.mark.parametrize("preamble", [b"MZ", b"\x7fELF", b"#!/bin/sh\nrm -rf /\n"])
def test_a_dicom_file_that_is_also_a_program_is_refused_and_keeps_its_series_out(preamble: bytes) -> None:
    """CVE-2019-11687: PS3.10 7.1 allows anything in the first 128 bytes, a program too."""
    data = one_slice()
    found = look(preamble.ljust(128, b"\0") + data[128:])
    assert found.problem is not None
    assert found.problem.code == "dicom-program"
    assert found.instance is not None
    assert found.instance.damage


def test_a_dicom_file_that_is_also_a_tiff_is_read_and_noted() -> None:
    """PS3.10 7.1 names this use of the preamble."""
    data = one_slice()
    found = look(b"II*\0".ljust(128, b"\0") + data[128:])
    assert found.problem is None
    assert found.instance is not None
    assert any("preamble" in note for note in found.instance.notes)


@pytest.mark.parametrize("preamble", [b"PK\x03\x04", b"\x1f\x8b", b"%PDF"])
def test_a_preamble_that_only_looks_like_another_format_does_no_harm(preamble: bytes) -> None:
    data = preamble.ljust(128, b"\0") + one_slice()[128:]
    assert look(data).problem is None
    assert not is_archive(data)


@pytest.mark.parametrize("names", ["ISO_IR 999", "ISO 2022 IR 87\\nonsense", "\\".join(["ISO_IR 100"] * 40), "latin"])
def test_broken_character_sets(names: str) -> None:
    data = one_slice().replace(b"ISO_IR 192", b"ISO_IR 100")
    marker = b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100"
    value = names.encode() + b" " * (len(names) % 2)
    assert marker in data
    data = data.replace(marker, b"\x08\x00\x05\x00CS" + struct.pack("<H", len(value)) + value)
    data = data.replace(b"Maker ", b"M\xe4k\x1b$B")
    found = look(data)
    assert found.instance is not None
    assert found.instance.patient_id == "P1"


@pytest.mark.parametrize(
    ("keyword", "raw"),
    [
        ("ImagePositionPatient", b"0\\0\\x "),
        ("PixelSpacing", b"nan\\1 "),
        ("RescaleSlope", b"1e999 "),
        ("PixelSpacing", b"1\\2\\3 "),
    ],
)
def test_values_that_are_no_numbers(keyword: str, raw: bytes) -> None:
    tags = {"ImagePositionPatient": (0x20, 0x32), "PixelSpacing": (0x28, 0x30), "RescaleSlope": (0x28, 0x1053)}
    file = dicom.image_file(np.zeros((10, 12), np.int16))
    delattr(file, keyword)
    data = encoded(file)
    element = struct.pack("<HH2sH", *tags[keyword], b"DS", len(raw)) + raw
    at = data.index(struct.pack("<HH", 0x7FE0, 0x10))
    found = look(data[:at] + element + data[at:])
    assert found.problem is not None
    assert found.problem.code == "dicom-value"
    assert keyword in found.problem.found


def test_a_directory_file_of_a_disc_is_left_aside() -> None:
    """A DICOMDIR names files, with `../` if it wants; only files that were found below the folder are read."""
    record = (
        struct.pack("<HHL", 0xFFFE, 0xE000, 30)
        + struct.pack("<HH2sH", 4, 0x1500, b"CS", 22)
        + b"..\\..\\..\\etc\\passwd  "
    )
    sequence = struct.pack("<HH2sHL", 4, 0x1220, b"SQ", 0, len(record)) + record
    sop_class = b"1.2.840.10008.1.3.10"
    found = look(EXPLICIT + sequence + struct.pack("<HH2sH", 8, 0x16, b"UI", 20) + sop_class)
    assert found.problem is not None
    assert found.problem.code == "dicom-incomplete"


def test_a_file_that_nobody_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "locked").write_bytes(b"x")
    monkeypatch.setattr(Path, "read_bytes", denied)
    found = inspect(tmp_path / "locked")
    assert found.problem is not None
    assert found.problem.code == "file-unreadable"
    assert "Permission denied" in found.problem.found


def test_a_folder_without_dicom_gives_an_empty_index_with_reasons(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    index = scan(tmp_path)
    assert index.patients == ()
    assert [problem.code for problem in index.set_aside] == ["not-dicom"]


def test_good_files_beside_bad_ones_are_all_read(tmp_path: Path) -> None:
    dicom.write_series(tmp_path / "good")
    (tmp_path / "bad").mkdir()
    for number, content in enumerate([b"", EXPLICIT, one_slice()[:300], b"\xff" * 5000, META]):
        (tmp_path / "bad" / str(number)).write_bytes(content)
    index = scan(tmp_path)
    assert len(index.series) == 1
    assert len(index.set_aside) + len(index.refused) >= 4


WHOLE = one_slice()


@given(st.data())
@settings(max_examples=300, deadline=1000)
def test_any_changed_bytes_give_an_answer(data: st.DataObject) -> None:
    changed = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 6))):
        changed[data.draw(st.integers(132, len(changed) - 1))] = data.draw(st.integers(0, 255))
    found = look(bytes(changed))
    assert found.instance is not None or found.problem is not None


@given(st.binary(max_size=400))
@settings(max_examples=300, deadline=1000)
def test_any_bytes_after_a_header_give_an_answer(content: bytes) -> None:
    for header in (EXPLICIT, IMPLICIT, DEFLATED, b""):
        found = look(header + content)
        assert found.instance is not None or found.problem is not None
