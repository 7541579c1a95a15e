"""Broken and hostile files: each is held back with a problem; none is passed on, none stops the run."""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydicom import Dataset, Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from prognoscope.core.problems import Problem
from prognoscope.deidentify.look import look_at
from prognoscope.jobs.deidentify import Deidentified, deidentify
from tests.make.deidentify import BASIC, PROJECT, RESEARCH, US, an_object, save, with_pixels

GOOD = with_pixels(an_object(SeriesDescription="chest"), np.zeros((4, 4), np.uint16))


def run(folder: Path) -> Deidentified:
    save(an_object(SOPInstanceUID="1.2.826.0.1.3680043.10.5"), folder / "in" / "good.dcm")
    done = deidentify(folder / "in", folder / "out", options=RESEARCH, project=PROJECT)
    assert done.report["written"]["files"] == 1
    return done


def reasons(folder: Path) -> dict[str, int]:
    counts: dict[str, int] = run(folder).report["held_back"]["by_reason"]
    return counts


def put(folder: Path, name: str, data: bytes) -> None:
    path = folder / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\0" * 500,
        b"\0" * 128 + b"DICM",
        b"\0" * 128 + b"DICM" + b"\xff" * 200,
        b"%PDF-1.7 Jane Doe",
    ],
)
def test_what_is_no_dicom_is_held_back(tmp_path: Path, data: bytes) -> None:
    put(tmp_path, "a.dcm", data)
    assert reasons(tmp_path) == {"dicom-unreadable": 1}


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"\x1f\x8b\x08", b"7z\xbc\xaf\x27\x1c"])
def test_an_archive_is_held_back_and_not_looked_into(tmp_path: Path, data: bytes) -> None:
    put(tmp_path, "a.dcm", data + bytes(100))
    assert reasons(tmp_path) == {"archive-packed": 1}


def test_a_file_cut_off_anywhere_is_held_back_or_clean(tmp_path: Path) -> None:
    whole = save(GOOD, tmp_path / "whole.dcm").read_bytes()
    for cut in range(140, len(whole) - 1, 37):
        put(tmp_path, f"cut{cut}.dcm", whole[:cut])
    done = deidentify(tmp_path / "in", tmp_path / "out", options=RESEARCH, project=PROJECT)
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").rglob("*.dcm"))
    assert b"DOE" not in written
    assert b"4711-8" not in written
    assert done.report["written"]["files"] + done.report["held_back"]["files"] == len(range(140, len(whole) - 1, 37))


def test_an_object_without_class_or_instance_is_held_back(tmp_path: Path) -> None:
    path = save(an_object(), tmp_path / "in" / "a.dcm")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\x08\0\x18\0UI", b"\x08\0\x17\0UI"))
    assert reasons(tmp_path) == {"dicom-no-class": 1}


def test_a_directory_and_a_whole_document_are_held_back(tmp_path: Path) -> None:
    save(an_object("1.2.840.10008.5.1.4.1.1.104.1", EncapsulatedDocument=b"%PDF Jane"), tmp_path / "in" / "pdf.dcm")
    index = an_object("1.2.840.10008.1.3.10", DirectoryRecordSequence=Sequence([Dataset()]))
    save(index, tmp_path / "in" / "DICOMDIR")
    assert reasons(tmp_path) == {"dicom-directory": 1, "dicom-document": 1}


def test_pixels_that_no_decoder_reads_are_held_back_where_text_may_stand(tmp_path: Path) -> None:
    dataset = with_pixels(an_object(US), np.zeros((8, 8), np.uint8))
    dataset.PixelData = b"\0\0"
    save(dataset, tmp_path / "in" / "us.dcm")
    done = deidentify(
        tmp_path / "in", tmp_path / "out", options=BASIC.model_copy(update={"clean_pixels": True}), project=PROJECT
    )
    assert done.report["written"]["files"] == 0
    assert set(done.report["held_back"]["by_reason"]) <= {"dicom-pixels", "ocr-missing"}


def test_sequences_nested_a_thousand_deep_are_held_back(tmp_path: Path) -> None:
    item = b""
    for _ in range(1000):
        item = (
            b"\x08\0\x18\x22"
            + struct.pack("<L", len(item) + 8)
            + b"\xfe\xff\0\xe0"
            + struct.pack("<L", len(item))
            + item
        )
    head = save(an_object(), tmp_path / "head.dcm", ImplicitVRLittleEndian).read_bytes()
    put(
        tmp_path,
        "deep.dcm",
        head + item.replace(b"\x08\0\x18\x22", b"\x54\0\x20\x02", 1),
    )
    found = reasons(tmp_path)
    assert sum(found.values()) == 1
    assert set(found) <= {"dicom-nesting", "dicom-unreadable"}


def test_an_endless_private_text_is_no_trouble(tmp_path: Path) -> None:
    save(an_object(ImageComments="1-" * 5000, TextValue="a." * 200_000), tmp_path / "in" / "long.dcm")
    done = deidentify(tmp_path / "in", tmp_path / "out", options=RESEARCH, project=PROJECT)
    assert done.report["written"]["files"] == 1


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    save(an_object(), tmp_path / "elsewhere" / "secret.dcm")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link.dcm").symlink_to(tmp_path / "elsewhere" / "secret.dcm")
    done = deidentify(tmp_path / "in", tmp_path / "out", options=BASIC, project=PROJECT)
    assert done.report["written"]["files"] == 0


def test_uids_that_are_paths_choose_no_place(tmp_path: Path) -> None:
    path = save(an_object(SOPInstanceUID="1.2.3.4.5.6.7.8.9.10.11"), tmp_path / "in" / "a.dcm")
    path.write_bytes(path.read_bytes().replace(b"1.2.3.4.5.6.7.8.9.10.11", b"../../../../../../evil."))
    deidentify(tmp_path / "in", tmp_path / "out", options=BASIC, project=PROJECT)
    outside = [p for p in tmp_path.rglob("*") if p.is_file() and not p.is_relative_to(tmp_path / "in")]
    assert all(p.is_relative_to(tmp_path / "out") or p.is_relative_to(tmp_path / "out.private") for p in outside)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.nii.gz", gzip.compress(b"no header"), "nifti-unreadable"),
        ("a.nii.gz", b"\x1f\x8b" + bytes(20), "nifti-unreadable"),
        ("a.jpg", b"\xff\xd8\xff\xe0\xff\xff", "picture-unreadable"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + zlib.compress(bytes(10)), "picture-unreadable"),
        ("a.csv", b"", "table-unreadable"),
    ],
)
def test_other_broken_files_are_held_back(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    put(tmp_path, name, data)
    assert reasons(tmp_path) == {code: 1}


def test_a_damaged_record_of_an_earlier_run_is_done_again(tmp_path: Path) -> None:
    run(tmp_path)
    (record,) = (tmp_path / "out.private" / "state").glob("*.json")
    record.write_text("[{", encoding="utf-8")
    again = deidentify(tmp_path / "in", tmp_path / "out", options=RESEARCH, project=PROJECT)
    assert again.reused == 0
    assert again.report["written"]["files"] == 1
    assert json.loads(record.read_text(encoding="utf-8"))


@settings(
    max_examples=40, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_change_of_bytes_gives_a_clean_object_or_a_problem(tmp_path: Path, data: st.DataObject) -> None:
    whole = bytearray(save(GOOD, tmp_path / "whole.dcm", ExplicitVRLittleEndian).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(132, len(whole) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "changed.dcm").write_bytes(bytes(whole))
    (answer,) = look_at(["changed.dcm"], root=tmp_path, options=RESEARCH)
    folder = tmp_path / "one"
    for path in (folder / "in").glob("*") if (folder / "in").exists() else ():
        path.unlink()
    put(folder, "changed.dcm", bytes(whole))
    done = deidentify(folder / "in", folder / "out", options=RESEARCH, project=PROJECT)
    held = done.report["held_back"]["files"]
    assert held == 1 if isinstance(answer, Problem) else held in (0, 1)
