"""What a table seems to hold."""

from __future__ import annotations

from pathlib import Path

from prognoscope.sources import TableDescription, describe_table, read_table


def described(tmp_path: Path, text: str) -> TableDescription:
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    return describe_table(read_table(path))


def test_likely_types(tmp_path: Path) -> None:
    rows = "".join(
        f"P{n:02d},{50 + n},{'FM'[n % 2]},{n % 2},2024-01-{n + 1:02d},{['I', 'II', 'III'][n % 3]},free text no {n}\n"
        for n in range(12)
    )
    found = described(tmp_path, f"patient,age,sex,dead,scanned,stage,note\n{rows}")
    assert {column.name: column.type for column in found.columns} == {
        "patient": "text",
        "age": "number",
        "sex": "category",
        "dead": "boolean",
        "scanned": "date",
        "stage": "category",
        "note": "text",
    }
    assert found.rows == 12
    assert found.columns[5].levels == ("I", "II", "III")


def test_missing_words_count_as_missing(tmp_path: Path) -> None:
    found = described(tmp_path, "id,days\n1,12\n2,--\n3,15\n4,--\n")
    assert found.missing_words == ("--",)
    assert found.columns[1].type == "number"
    assert found.columns[1].missing_share == 0.5


def test_identifiers_with_zeros_are_text(tmp_path: Path) -> None:
    assert described(tmp_path, "mrn\n007\n008\n009\n").columns[0].type == "text"


def test_the_likeliest_identifier_comes_first(tmp_path: Path) -> None:
    found = described(tmp_path, "row,case_id,patient_id,age\n1,a,x,50\n2,b,y,50\n")
    assert found.id_candidates == ("patient_id", "case_id", "row")


def test_eight_digits_that_are_days_are_dates_and_others_numbers(tmp_path: Path) -> None:
    found = described(tmp_path, "day,count\n20240131,20249999\n20231224,20240101\n")
    assert [column.type for column in found.columns] == ["date", "number"]


def test_an_empty_column_is_text(tmp_path: Path) -> None:
    found = described(tmp_path, "id,nothing\n1,\n2,\n")
    assert (found.columns[1].type, found.columns[1].missing_share) == ("text", 1.0)
