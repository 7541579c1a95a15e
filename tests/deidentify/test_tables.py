"""Tables with the images' pseudonyms and date shifts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from prognoscope.core.problems import Refused
from prognoscope.deidentify import Identity
from prognoscope.deidentify.tables import CleanSheet, Sheet, clean_sheet, read_sheet, roles_of, written
from tests.make.deidentify import PROJECT, options

DATES = options(retain_dates=True)
PEOPLE = {"007": Identity(frozenset({"DOE^JANE"})), "008": Identity(frozenset({"ROE^RICHARD"}))}
TABLE = """subject;Last Name;birth_date;visit;age;grade;report;picture
007;Doe;12.03.1956;31.01.2020;63;2;Jane Doe had a scan on 31.01.2020, Hodgkin lymphoma;doe_1.png
008;Roe;01.01.1930;01.02.2020;93;3;no change, tel 555-123-4567;roe_1.png
"""


def clean(tmp_path: Path, text: str = TABLE, changes: bool = True) -> CleanSheet:
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    sheet = read_sheet(tmp_path / "t.csv")
    renamed = {"doe_1.png": "P1/a.png", "roe_1.png": "P2/b.png"}
    roles = roles_of(sheet, patients=frozenset(PEOPLE), files=frozenset(renamed))
    return clean_sheet(
        sheet, roles, people=PEOPLE, renamed=renamed, project=PROJECT, options=DATES if changes else options()
    )


def test_each_column_is_understood(tmp_path: Path) -> None:
    roles = {name: role for name, role, _ in clean(tmp_path).columns}
    assert roles == {
        "subject": "patient",
        "Last Name": "identifier",
        "birth_date": "birth",
        "visit": "date",
        "age": "age",
        "grade": "number",
        "report": "text",
        "picture": "file",
    }


def test_patients_have_the_pseudonyms_of_the_images(tmp_path: Path) -> None:
    assert clean(tmp_path).frame["subject"].tolist() == [PROJECT.patient("007"), PROJECT.patient("008")]


def test_dates_move_with_the_images_also_within_texts(tmp_path: Path) -> None:
    frame = clean(tmp_path).frame
    moved = dt.date(2020, 1, 31) + dt.timedelta(days=PROJECT.shift_days("007"))
    assert frame["visit"][0] == f"{moved:%d.%m.%Y}"
    assert frame["report"][0] == f"[removed] had a scan on {moved:%d.%m.%Y}, Hodgkin lymphoma"


def test_without_the_option_dates_are_removed(tmp_path: Path) -> None:
    frame = clean(tmp_path, changes=False).frame
    assert frame["visit"].tolist() == ["", ""]
    assert "2020" not in frame["report"][0]


def test_names_birth_dates_and_contacts_go(tmp_path: Path) -> None:
    text = written(clean(tmp_path)).decode()
    assert not [word for word in ("Doe", "Roe", "Jane", "1956", "1930", "555", "doe_1") if word in text]


def test_high_ages_are_put_together_and_other_numbers_stay(tmp_path: Path) -> None:
    frame = clean(tmp_path).frame
    assert frame["age"].tolist() == ["63", "90"]
    assert frame["grade"].tolist() == ["2", "3"]


def test_files_have_their_new_names_and_unknown_ones_none(tmp_path: Path) -> None:
    text = TABLE + "007;Doe;;;;;;other.png\n"
    assert clean(tmp_path, text).frame["picture"].tolist() == ["P1/a.png", "P2/b.png", ""]


def test_the_delimiter_stays_and_ids_keep_their_zeros(tmp_path: Path) -> None:
    assert written(clean(tmp_path)).decode().splitlines()[0].count(";") == 7
    assert read_sheet(tmp_path / "t.csv").frame["subject"].tolist() == ["007", "008"]


def test_a_patient_column_with_any_name_is_found_by_its_values(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("nummer,x\n007,1\n008,2\n", encoding="utf-8")
    roles = roles_of(read_sheet(tmp_path / "t.csv"), patients=frozenset(PEOPLE), files=frozenset())
    assert roles["nummer"] == "patient"


def test_a_table_without_patients_is_cleaned_by_what_all_images_know(tmp_path: Path) -> None:
    assert "ROE" not in written(clean(tmp_path, "note,value\nseen ROE,1\n")).decode()


def test_a_published_table_of_numbers_comes_through_unchanged(tmp_path: Path) -> None:
    text = "dose,weeks,response\n1.5,3,yes\n2,4,no\n"
    assert written(clean(tmp_path, text)).decode() == text


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2,3\n4,5\n1,2,3,4,5\n", b'a,b\n"1,2\n'])
def test_what_is_no_table_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t.csv").write_bytes(data)
    with pytest.raises(Refused, match="table-unreadable"):
        read_sheet(tmp_path / "t.csv")


def test_a_table_reads_back_with_another_reader(tmp_path: Path) -> None:
    (tmp_path / "clean.csv").write_bytes(written(clean(tmp_path)))
    assert pd.read_csv(tmp_path / "clean.csv", sep=";").shape == (2, 8)


@pytest.mark.parametrize("name", ["zip code", "Hausarzt", "GP", "Tel.", "Vorname", "Strasse", "Nom", "surname given"])
def test_columns_that_identify_are_emptied_in_other_languages_too(tmp_path: Path, name: str) -> None:
    (tmp_path / "t.csv").write_text(f"subject,{name}\n007,Zorvak\n008,Lunmir\n", encoding="utf-8")
    assert roles_of(read_sheet(tmp_path / "t.csv"), patients=frozenset(PEOPLE), files=frozenset())[name] == "identifier"


def test_a_table_in_utf_16_is_read_and_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("patient_id,name\n1,Zürrer\n".encode("utf-16"))
    assert list(read_sheet(tmp_path / "a.csv").frame["name"]) == ["Zürrer"]
    (tmp_path / "b.csv").write_bytes(b"patient_id,name\n1,\0\0x\n")
    with pytest.raises(Refused, match="no text"):
        read_sheet(tmp_path / "b.csv")


@pytest.mark.parametrize("name", ["Geburtsdatum", "geb_datum", "dateOfBirth", "fecha_nacimiento", "data di nascita"])
def test_days_of_birth_are_known_by_their_column_in_other_languages(name: str) -> None:
    frame = pd.DataFrame({"patient_id": ["1"], name: ["17.11.1953"]})
    assert roles_of(Sheet(frame, ","), patients=frozenset(), files=frozenset())[name] == "birth"
