"""Tables → frames of text, as written."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from prognoscope.core.problems import Problem, Refused
from prognoscope.sources import read_table, tables


def csv(tmp_path: Path, content: str | bytes, *, missing: tuple[str, ...] = ()) -> pd.DataFrame:
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, missing=missing)


def problem(path: Path) -> Problem:
    with pytest.raises(Refused) as caught:
        read_table(path)
    return caught.value.problem


def test_identifiers_keep_their_zeros_and_lose_outer_blanks(tmp_path: Path) -> None:
    frame = csv(tmp_path, "id,age\n007 , 61\n 010,58\n")
    assert frame["id"].tolist() == ["007", "010"]
    assert frame["age"].tolist() == ["61", "58"]
    assert list(frame.index) == [0, 1]


def test_missing_cells_are_none(tmp_path: Path) -> None:
    frame = csv(tmp_path, "id,grade\n1,--\n2,\n3,  \n4,N/A\n5,High\n", missing=("--", "N/A"))
    assert frame["grade"].tolist() == [None, None, None, None, "High"]


def test_a_number_that_means_missing_means_its_equals_too(tmp_path: Path) -> None:
    frame = csv(tmp_path, "id,size\n-9,-9.0\n09,-9\n2,9\n", missing=("-9", "9"))
    assert frame["size"].tolist() == [None, None, None]
    assert frame["id"].tolist() == [None, "09", "2"]  # an identifier keeps its zeros


def test_nan_and_na_stay_text_unless_told(tmp_path: Path) -> None:
    assert csv(tmp_path, "id,x\n1,NA\n2,nan\n")["x"].tolist() == ["NA", "nan"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    frame = csv(tmp_path, delimiter.join(["id", "age", "sex"]) + "\n" + delimiter.join(["1", "61", "F"]) + "\n")
    assert frame.iloc[0].tolist() == ["1", "61", "F"]


def test_semicolons_with_decimal_commas(tmp_path: Path) -> None:
    frame = csv(tmp_path, "id;dose;size\n1;1,5;2,25\n2;0,5;3\n")
    assert list(frame.columns) == ["id", "dose", "size"]
    assert frame["dose"].tolist() == ["1,5", "0,5"]


def test_quoted_cells_hold_delimiters_quotes_and_line_breaks(tmp_path: Path) -> None:
    frame = csv(tmp_path, 'id,note\n1,"left, ""upper""\nlobe"\n2,plain\n')
    assert frame["note"].tolist() == ['left, "upper"\nlobe', "plain"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    frame = csv(tmp_path, "id,ort\n1,Köln – Süd\n".encode(encoding))
    assert frame["id"].tolist() == ["1"]
    assert frame["ort"].tolist() == ["Köln – Süd"]


def test_windows_line_ends_and_empty_lines(tmp_path: Path) -> None:
    assert csv(tmp_path, "\r\nid,x\r\n1,a\r\n\r\n2,b\r\n,\r\n")["x"].tolist() == ["a", "b"]


def test_one_column(tmp_path: Path) -> None:
    assert csv(tmp_path, "id\n1\n2\n")["id"].tolist() == ["1", "2"]


def test_a_header_without_rows(tmp_path: Path) -> None:
    frame = csv(tmp_path, "id,age\n")
    assert list(frame.columns) == ["id", "age"]
    assert len(frame) == 0


def test_a_column_without_name_is_numbered(tmp_path: Path) -> None:
    assert list(csv(tmp_path, ",age\n1,61\n").columns) == ["column_1", "age"]


def test_equal_headers_are_refused_naming_both_places(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,age, age\n1,2,3\n")
    found = problem(path)
    assert found.code == "column-name-twice"
    assert "columns 2 and 3 are both named 'age'" in found.found


def test_a_row_with_too_many_cells_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('id,note\n1,"a\nb"\n2,c,d\n')
    found = problem(path)
    assert found.code == "table-ragged"
    assert found.subject.endswith("t.csv, line 4")
    assert "3 cells, the header has 2" in found.found


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", b"", "table-empty"),
        ("blank.csv", b" \n\n", "table-empty"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\0", "table-format"),
        ("old.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "table-format"),
        ("broken.xlsx", b"PK\x03\x04 and no more", "table-format"),
        ("broken.parquet", b"PAR1 and no more", "table-format"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    found = problem(tmp_path / name)
    assert found.code == code
    assert name in found.subject


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert problem(tmp_path / "none.csv").code == "table-missing"
    assert problem(tmp_path).code == "table-unreadable"


def workbook(path: Path, rows: Sequence[Sequence[object]], *, mac: bool = False) -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    if mac:
        book.epoch = CALENDAR_MAC_1904
    for row in rows:
        book.active.append(list(row))  # type: ignore[union-attr]
    book.save(path)
    return book


def test_a_workbook_with_numbers_dates_and_gaps(tmp_path: Path) -> None:
    workbook(
        tmp_path / "t.xlsx",
        [
            ["id", "age", "dose", "day", "seen", "alive"],
            ["001", 61, 1.5, date(2024, 1, 31), datetime(2024, 2, 1, 8, 30), True],
            ["002", None, 2.0, None, None, False],
        ],
    )
    frame = read_table(tmp_path / "t.xlsx")
    assert frame.iloc[0].tolist() == ["001", "61", "1.5", "2024-01-31", "2024-02-01 08:30:00", "true"]
    assert frame.iloc[1].tolist() == ["002", None, "2", None, None, "false"]


def test_days_of_a_workbook_from_a_mac_are_the_same(tmp_path: Path) -> None:
    workbook(tmp_path / "t.xlsx", [["id", "day"], ["1", date(2024, 1, 31)]], mac=True)
    assert read_table(tmp_path / "t.xlsx")["day"].tolist() == ["2024-01-31"]


def test_a_number_that_a_workbook_shows_with_zeros_keeps_them(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "age"])
    sheet.append([7, 61])
    sheet["A2"].number_format = "000"
    book.save(tmp_path / "t.xlsx")
    assert read_table(tmp_path / "t.xlsx").iloc[0].tolist() == ["007", "61"]


def test_two_filled_sheets_are_refused_by_name(tmp_path: Path) -> None:
    book = workbook(tmp_path / "t.xlsx", [["id"], ["1"]])
    book.create_sheet("Second").append(["id"])
    book.create_sheet("Empty")
    book.save(tmp_path / "t.xlsx")
    found = problem(tmp_path / "t.xlsx")
    assert found.code == "table-sheets"
    assert "Sheet, Second" in found.found


def test_a_zip_that_is_no_workbook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        archive.writestr("a.txt", "x")
    assert problem(tmp_path / "t.xlsx").code == "table-format"


def test_a_workbook_that_inflates_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prognoscope.sources.tables.LARGEST_INFLATED", 1 << 20)
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b" " * (1 << 21))
    assert problem(tmp_path / "t.xlsx").code == "table-too-large"


def test_a_workbook_that_unpacks_beyond_measure_is_refused_unread(tmp_path: Path) -> None:
    """One cell repeated without end: 200 MiB of XML in 200 KiB."""
    book = openpyxl.Workbook()
    book.save(tmp_path / "t.xlsx")
    with zipfile.ZipFile(tmp_path / "t.xlsx", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet2.xml", b"<c><v>1</v></c>" * (14 << 20))
    found = problem(tmp_path / "t.xlsx")
    assert found.code == "table-too-large"
    assert "unpacks to 210 MiB" in found.found


def test_a_workbook_of_more_cells_than_one_waits_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_CELLS_OF_SHEET", 20)
    for rows in (9, 10):
        workbook(tmp_path / f"{rows}.xlsx", [["a", "b"], *[[n, n] for n in range(rows)]])
    assert len(read_table(tmp_path / "9.xlsx")) == 9
    found = problem(tmp_path / "10.xlsx")
    assert (found.code, found.found) == (
        "table-too-large",
        "a sheet has more than 20 cells, which takes minutes to read",
    )


def test_a_header_that_cannot_be_used_is_told_before_the_rows_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_CELLS_OF_SHEET", 20)
    workbook(tmp_path / "t.xlsx", [["a", "a"], *[[n, n] for n in range(30)]])
    assert problem(tmp_path / "t.xlsx").code == "column-name-twice"


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (pa.array(["low", None, "high", "low"]).dictionary_encode(), ["low", None, "high", "low"]),
        (pa.array([1.0, float("nan"), None, 2.5]), ["1", None, None, "2.5"]),
        (pa.array([2**63, None, 1, 1], pa.uint64()), ["9223372036854775808", None, "1", "1"]),
        (pa.array([Decimal("1.50"), None, Decimal("2.00"), Decimal("1.50")]), ["1.50", None, "2.00", "1.50"]),
        (pa.array([date(2020, 1, 2), None, None, date(2020, 1, 2)]), ["2020-01-02", None, None, "2020-01-02"]),
        (pa.array([[1, 2], None, [], [1]]), ["[1, 2]", None, "[]", "[1]"]),
        (pa.array([{"a": 1}, None, {"a": 2}, {"a": 1}]), ["{'a': 1}", None, "{'a': 2}", "{'a': 1}"]),
        (pa.array([None] * 4), [None] * 4),
    ],
    ids=str,
)
def test_cells_of_parquet_that_recur_keep_their_places(
    tmp_path: Path, cells: pa.Array, texts: list[str | None]
) -> None:
    pq.write_table(pa.table({"id": ["A", "B", "C", "D"], "value": cells}), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet")["value"].tolist() == texts


def test_a_parquet_file(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "age": pd.array([61, None], dtype="Int64"),
            "dose": [1.5, float("nan")],
            "grade": pd.Categorical(["High", None]),
            "alive": [True, False],
        },
        index=pd.Index(["007", "010"], name="patient_id"),
    )
    frame.to_parquet(tmp_path / "t.parquet")
    read = read_table(tmp_path / "t.parquet")
    assert list(read.columns) == ["patient_id", "age", "dose", "grade", "alive"]
    assert read.iloc[0].tolist() == ["007", "61", "1.5", "High", "true"]
    assert read.iloc[1].tolist() == ["010", None, None, None, "false"]


@pytest.mark.parametrize("name", ["two words.csv", "back\\slash.csv", "ä" * 60 + ".csv"])
def test_unusual_file_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("id\n1\n")
    assert read_table(tmp_path / name)["id"].tolist() == ["1"]


def test_a_workbook_that_claims_to_be_as_wide_as_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prognoscope.sources.tables.MOST_CELLS_OF_SHEET", 8)
    workbook(tmp_path / "t.xlsx", [["id", "age"], ["1", 60]])
    with zipfile.ZipFile(tmp_path / "t.xlsx") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    assert b'<dimension ref="A1:B2"' in members[sheet]
    members[sheet] = members[sheet].replace(b'"A1:B2"', b'"A1:XFD1048576"')
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert read_table(tmp_path / "t.xlsx").to_dict("list") == {"id": ["1"], "age": ["60"]}
