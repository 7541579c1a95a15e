"""Workbooks: each sheet comes out as a clean sheet, and nothing else of the file does."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.comments import Comment

from prognoscope.core.problems import Refused
from prognoscope.deidentify.workbooks import read_sheets
from prognoscope.jobs.deidentify import Deidentified, deidentify
from tests.make.deidentify import PROJECT, RESEARCH, an_object, save


def write(path: Path) -> Path:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page.title = "Jane Doe clinic"
    page.append(["patient_id", "name", "visit", "age", "grade", "dose", "note"])
    page.append(["4711-8", "Jane Doe", dt.datetime(2020, 1, 31), 93, 2, 1.5, "Jane saw Dr. Roe about Hodgkin lymphoma"])
    page["E2"].comment = Comment("ask Jane Doe", "Roe")
    hidden = book.create_sheet("more")
    hidden.sheet_state = "hidden"
    hidden.append(["patient_id", "mrn"])
    hidden.append(["4711-8", "4711-8"])
    book.properties.creator, book.properties.title = "Richard Roe", "Jane Doe"
    book.defined_names["DoeJane"] = openpyxl.workbook.defined_name.DefinedName("DoeJane", attr_text="more!$A$1")
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def run(folder: Path) -> tuple[Deidentified, Path]:
    save(an_object(), folder / "in" / "a.dcm")
    write(folder / "in" / "patients.xlsx")
    done = deidentify(folder / "in", folder / "out", options=RESEARCH, project=PROJECT)
    (clean,) = (folder / "out").rglob("*.xlsx")
    return done, clean


def test_a_workbook_comes_out_clean_with_the_images_pseudonym_and_shift(tmp_path: Path) -> None:
    done, path = run(tmp_path)
    assert done.held_back == ()
    first, second = openpyxl.load_workbook(path).worksheets
    moved = dt.date(2020, 1, 31) + dt.timedelta(days=PROJECT.shift_days("4711-8"))
    row = [cell.value for cell in first[2]]
    assert row == [
        PROJECT.patient("4711-8"),
        None,
        f"{moved}",
        90,
        2,
        1.5,
        "[removed] saw Dr. [removed] about Hodgkin lymphoma",
    ]
    assert [cell.value for cell in second[2]] == [PROJECT.patient("4711-8"), None]


def test_nothing_else_of_the_workbook_travels(tmp_path: Path) -> None:
    _, path = run(tmp_path)
    with zipfile.ZipFile(path) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
        assert not [name for name in archive.namelist() if "comment" in name]
    assert not [word for word in (b"Jane", b"Doe", b"Roe", b"Richard", b"4711") if word in everything]


def test_the_same_workbook_gives_the_same_bytes(tmp_path: Path) -> None:
    assert run(tmp_path / "one")[1].read_bytes() == run(tmp_path / "two")[1].read_bytes()


def test_the_sheets_count_among_the_residual_risks(tmp_path: Path) -> None:
    done, _ = run(tmp_path)
    first, second = done.report["residual_risk"]["tables"]
    assert first["rows"] == 1
    assert first["singled_out"][0] == {"values": ["age"], "people": 1, "alone": 1, "fewer_than_5": 1}
    assert first["texts"][0]["name"] == "note"
    assert second["singled_out"] == []


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no archive", b"plain text"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(data)
    with pytest.raises(Refused, match="table-unreadable"):
        read_sheets(tmp_path / "a.xlsx")


def test_an_empty_workbook_is_refused(tmp_path: Path) -> None:
    openpyxl.Workbook().save(tmp_path / "a.xlsx")
    with pytest.raises(Refused, match="empty"):
        read_sheets(tmp_path / "a.xlsx")
