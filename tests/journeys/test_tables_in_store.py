"""Tables in the store: what their source says now is what queries find; what is wrong with them is told."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import select

from prognoscope.core.problems import Refused
from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.quarantine import list_quarantine
from prognoscope.jobs.query import difference, query
from prognoscope.store import Store
from prognoscope.store.catalogue import VALUES
from tests.make.store import write_hospital, zipped


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    write_hospital(tmp_path / "hospital")
    return tmp_path / "hospital"


def found(store: Path, text: str) -> list[str]:
    return sorted({hit.patient_id for hit in query(text, store=store, most=None).hits})


def test_a_corrected_table_is_searched_in_place_of_the_old_one(hospital: Path, tmp_path: Path) -> None:
    table, store = hospital / "more.csv", tmp_path / "store"
    table.write_text("patient_id,stage\nP000,II\nP001,III\n")
    ingest(hospital, store=store)
    query("stage = III", store=store, snapshot="before")
    table.write_text("patient_id,stage\nP000,III\nP001,II\nP002,III\n")
    ingest(hospital, store=store)
    assert (found(store, "stage = III"), found(store, "stage = II")) == (["P000", "P002"], ["P001"])
    assert difference("before", "", store=store).removed_patients == ("P001",)
    with Store(store) as opened:  # what an older study saw is what it sees
        (frozen,) = [one for one in opened.snapshots.open(opened.snapshots.find("before")).tables if "more" in one.path]
        assert b"P001,III" in opened.artefacts.get(frozen.sha256)


def test_a_table_that_is_brought_back_from_a_backup_counts_again(hospital: Path, tmp_path: Path) -> None:
    """With the time of change that it had then, which is before that of the table it replaces."""
    table, store = hospital / "more.csv", tmp_path / "store"
    table.write_text("patient_id,stage\nP000,II\n")
    before = table.stat()
    ingest(hospital, store=store)
    table.write_text("patient_id,stage\nP000,IIIb\n")
    ingest(hospital, store=store)
    assert found(store, "stage = II") == []
    table.write_text("patient_id,stage\nP000,II\n")
    os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns))
    ingest(hospital, store=store)
    assert (found(store, "stage = II"), found(store, "stage = IIIb")) == (["P000"], [])
    assert ingest(hospital, store=store).unchanged == 17


def test_a_table_that_lies_in_two_places_stays_while_one_of_them_has_it(hospital: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    for name in ("a.csv", "b.csv"):
        (hospital / name).write_text("patient_id,stage\nP000,II\n")
    ingest(hospital, store=store)
    (hospital / "a.csv").write_text("patient_id,weight\nP000,70\n")
    ingest(hospital, store=store)
    assert found(store, "stage = II and weight = 70") == ["P000"]
    (hospital / "b.csv").write_text("patient_id,weight\nP000,71\n")
    ingest(hospital, store=store)
    with pytest.raises(Refused, match="stage"):
        found(store, "stage = II")


def test_rows_of_nobody_are_told_and_the_others_searched(hospital: Path, tmp_path: Path) -> None:
    (hospital / "more.csv").write_text("patient_id,stage\n,II\nP001,II\n")
    report = ingest(hospital, store=tmp_path / "store")
    (problem,) = report.quarantined
    assert (problem.code, problem.subject) == ("rows-without-patient", "more.csv")
    assert problem.found.startswith("1 of its 2 rows")
    assert found(tmp_path / "store", "stage = II") == ["P001"]


def test_an_open_quotation_mark_swallows_no_patients(hospital: Path, tmp_path: Path) -> None:
    (hospital / "more.csv").write_text('patient_id,stage\nP000,"II\nP001,III\n')
    (problem,) = ingest(hospital, store=tmp_path / "store").quarantined
    assert (problem.code, problem.subject) == ("table-format", "more.csv")
    assert "never closed" in problem.found


def test_a_table_of_more_values_than_are_catalogued_says_so(
    hospital: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prognoscope.jobs.cells.MOST_CELLS", 5)
    (hospital / "more.csv").write_text("patient_id,a,b\nP000,1,2\nP001,3,4\n")
    report = ingest(hospital, store=tmp_path / "store")
    assert ("table-not-searched", "more.csv") in {(one.code, one.subject) for one in report.quarantined}
    assert "table-not-searched" in {one.problem.code for one in list_quarantine(tmp_path / "store")}


@pytest.mark.parametrize(
    ("asked", "patients"),
    [
        ("date = 2020", ["P000", "P001", "P002"]),
        ("date <= 2020", ["P000", "P001", "P002"]),
        ("date > 2020", []),
        ("date >= 2020-01", ["P000", "P001", "P002"]),
        ("date < 2020", []),
        ("date in (2020-01, 2021)", ["P000", "P001", "P002"]),
        ("date = 2019-*", []),
    ],
)
def test_a_year_stands_for_all_its_days(hospital: Path, tmp_path: Path, asked: str, patients: list[str]) -> None:
    """The hospital's scans are of 2 January 2020."""
    ingest(hospital, store=tmp_path / "store")
    assert found(tmp_path / "store", asked) == patients


@pytest.mark.parametrize("day", ["foo", "2020-13", "2020-02-30", "20", "2020-1-1"])
def test_a_date_that_is_none_is_pointed_at(hospital: Path, tmp_path: Path, day: str) -> None:
    ingest(hospital, store=tmp_path / "store")
    with pytest.raises(Refused) as refused:
        found(tmp_path / "store", f"date >= {day}")
    assert refused.value.problem.code == "query-value"
    assert "character 9" in refused.value.problem.found


def test_fields_and_columns_in_any_case(hospital: Path, tmp_path: Path) -> None:
    ingest(hospital, store=tmp_path / "store")
    assert found(tmp_path / "store", "MODALITY = ct and Patient = p001") == ["P001"]
    assert found(tmp_path / "store", "GRADE = high") == ["P001"]
    with pytest.raises(Refused, match="did you mean “grade”"):
        found(tmp_path / "store", "grades = high")


LAB = "patient_id,crea\nP000,1\nP001,2\n"


def describe(table: Path, **said: Mapping[str, str]) -> None:
    Path(f"{table}.columns.json").write_text(json.dumps(said), encoding="utf-8")


def said(store: Path, name: str = "crea") -> list[tuple[str, str, str]]:
    """Text, unit and time of the values of one name."""
    values = select(VALUES.c.text, VALUES.c.unit, VALUES.c.known_at).where(VALUES.c.name == name)
    with Store(store) as opened, opened.database.reading() as connection:
        return sorted((row.text, row.unit, row.known_at) for row in connection.execute(values))


def codes(store: Path) -> list[str]:
    return [held.problem.code for held in list_quarantine(store)]


def test_a_description_that_is_corrected_counts_for_the_table_that_is_there(tmp_path: Path) -> None:
    table, store = tmp_path / "in/lab.csv", tmp_path / "store"
    table.parent.mkdir()
    table.write_text(LAB)
    describe(table, crea={"unit": "mg/dl", "known_at": "time_zero"})
    ingest(table.parent, store=store)
    assert said(store) == [("1", "mg/dl", "time_zero"), ("2", "mg/dl", "time_zero")]
    describe(table, crea={"unit": "umol/l", "known_at": "later"})
    ingest(table.parent, store=store)
    assert said(store) == [("1", "umol/l", "later"), ("2", "umol/l", "later")]
    Path(f"{table}.columns.json").unlink()
    report = ingest(table.parent, store=store)
    assert said(store) == [("1", "", ""), ("2", "", "")]
    assert [hint.split(" files")[0] for hint in report.hints] == ["1"]


def test_a_description_that_comes_after_its_table_counts(tmp_path: Path) -> None:
    table, store = tmp_path / "in/lab.csv", tmp_path / "store"
    table.parent.mkdir()
    table.write_text(LAB)
    ingest(table.parent, store=store)
    describe(table, crea={"unit": "mg/dl"})
    ingest(table.parent, store=store)
    assert said(store) == [("1", "mg/dl", ""), ("2", "mg/dl", "")]


@pytest.mark.parametrize("nested", [False, True])
def test_a_description_beside_its_table_in_an_archive_counts(tmp_path: Path, nested: bool) -> None:
    archive, store = tmp_path / "in.zip", tmp_path / "store"
    data = zipped({"a/lab.csv": LAB.encode(), "a/lab.csv.columns.json": b'{"crea": {"unit": "mg/dl"}}'})
    archive.write_bytes(zipped({"inner.zip": data}) if nested else data)
    ingest(archive, store=store)
    assert said(store) == [("1", "mg/dl", ""), ("2", "mg/dl", "")]


def test_a_table_that_is_brought_back_has_its_description_again(tmp_path: Path) -> None:
    table, store = tmp_path / "in/lab.csv", tmp_path / "store"
    table.parent.mkdir()
    describe(table, crea={"unit": "mg/dl"})
    for text in (LAB, LAB.replace("2", "77"), LAB):
        table.write_text(text)
        ingest(table.parent, store=store)
    assert said(store) == [("1", "mg/dl", ""), ("2", "mg/dl", "")]


def test_an_excel_table_is_described_like_any_other(tmp_path: Path) -> None:
    import pandas as pd

    table, store = tmp_path / "in/lab.xlsx", tmp_path / "store"
    table.parent.mkdir()
    pd.DataFrame({"patient_id": ["P000"], "crea": [1.5]}).to_excel(table, index=False)
    describe(table, crea={"unit": "mg/dl", "known_at": "later"})
    ingest(table.parent, store=store)
    assert said(store) == [("1.5", "mg/dl", "later")]


def test_a_description_that_cannot_be_read_is_told_and_its_table_is_searched(tmp_path: Path) -> None:
    table, store = tmp_path / "in/lab.csv", tmp_path / "store"
    table.parent.mkdir()
    table.write_text(LAB)
    Path(f"{table}.columns.json").write_text('{"crea": "mg/dl"}')
    assert [problem.code for problem in ingest(table.parent, store=store).quarantined] == ["columns-unreadable"]
    assert said(store) == [("1", "", ""), ("2", "", "")]


def test_descriptions_of_no_table_and_of_other_columns_are_told_until_they_are_mended(tmp_path: Path) -> None:
    table, store = tmp_path / "in/lab.csv", tmp_path / "store"
    table.parent.mkdir()
    table.write_text(LAB)
    describe(table, creatinine={"unit": "mg/dl"})
    describe(tmp_path / "in/labs.csv", crea={"unit": "mg/dl"})
    report = ingest(table.parent, store=store)
    assert [(one.code, one.subject) for one in report.quarantined] == [
        ("columns-unmatched", "lab.csv.columns.json"),
        ("columns-unmatched", "labs.csv.columns.json"),
    ]
    assert "'creatinine'" in report.quarantined[0].found
    assert ingest(table.parent, store=store).quarantined == ()
    assert codes(store) == ["columns-unmatched"] * 2
    describe(table, crea={"unit": "mg/dl"})
    (tmp_path / "in/labs.csv.columns.json").unlink()
    ingest(table.parent, store=store)
    assert codes(store) == []


def test_one_table_that_is_described_in_two_ways_has_neither(tmp_path: Path) -> None:
    store = tmp_path / "store"
    for name, unit in (("a", "mg/dl"), ("b", "umol/l")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lab.csv").write_text(LAB)
        describe(tmp_path / name / "lab.csv", crea={"unit": unit, "known_at": "later"})
        ingest(tmp_path / name, store=store)
    assert said(store) == [("1", "", ""), ("2", "", "")]
    assert codes(store) == ["columns-differ"]
    describe(tmp_path / "a/lab.csv", crea={"unit": "umol/l", "known_at": "later"})
    ingest(tmp_path / "a", store=store)
    assert said(store) == [("1", "umol/l", "later"), ("2", "umol/l", "later")]
    assert codes(store) == []


def test_a_table_that_is_renamed_and_corrected_is_found_once(hospital: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    (hospital / "lab.csv").write_text(LAB)
    ingest(hospital, store=store)
    (hospital / "lab.csv").unlink()
    (hospital / "lab_corrected.csv").write_text(LAB.replace("P000,1", "P000,88"))
    report = ingest(hospital, store=store)
    assert (found(store, "crea = 1"), found(store, "crea = 88")) == ([], ["P000"])
    (hint,) = report.hints
    assert hint.startswith("1 files that came in before are not there any more (such as lab.csv)")
    assert ingest(hospital, store=store).hints == ()


def test_a_table_that_is_deleted_is_searched_no_more_and_comes_back_with_its_file(
    hospital: Path, tmp_path: Path
) -> None:
    table, store = hospital / "lab.csv", tmp_path / "store"
    table.write_text(LAB)
    ingest(hospital, store=store)
    kept = table.rename(tmp_path / "lab.csv")
    ingest(hospital, store=store)
    with pytest.raises(Refused, match="crea"):
        found(store, "crea = 1")
    kept.rename(table)
    ingest(hospital, store=store)
    assert found(store, "crea = 1") == ["P000"]


def test_a_table_that_an_archive_has_no_more_is_searched_no_more(tmp_path: Path) -> None:
    archive, store = tmp_path / "in.zip", tmp_path / "store"
    other = b"patient_id,age\nP000,60\n"
    archive.write_bytes(zipped({"lab.csv": LAB.encode(), "age.csv": other}))
    ingest(archive, store=store)
    archive.write_bytes(zipped({"age.csv": other}))
    ingest(archive, store=store)
    assert said(store) == []
    assert said(store, "age") == [("60", "", "")]


def test_an_archive_that_was_damaged_meanwhile_takes_nothing_away(tmp_path: Path) -> None:
    archive, store = tmp_path / "in/a.zip", tmp_path / "store"
    archive.parent.mkdir()
    archive.write_bytes(zipped({"lab.csv": LAB.encode()}))
    ingest(archive.parent, store=store)
    archive.write_bytes(archive.read_bytes()[:-30])
    ingest(archive.parent, store=store)
    assert len(said(store)) == 2


def test_an_empty_folder_may_be_a_disk_that_is_not_there(tmp_path: Path) -> None:
    folder, store = tmp_path / "in", tmp_path / "store"
    folder.mkdir()
    (folder / "lab.csv").write_text(LAB)
    ingest(folder, store=store)
    (folder / "lab.csv").unlink()
    assert ingest(folder, store=store).hints == ()
    assert len(said(store)) == 2


def test_a_table_that_is_taken_in_alone_brings_its_description(tmp_path: Path) -> None:
    table, store = tmp_path / "in/lab.csv", tmp_path / "store"
    table.parent.mkdir()
    table.write_text(LAB)
    describe(table, crea={"unit": "mg/dl", "known_at": "later"})
    assert ingest(table, store=store).files == 2
    assert said(store) == [("1", "mg/dl", "later"), ("2", "mg/dl", "later")]


def test_a_table_of_more_described_columns_than_one_statement_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("prognoscope.store.descriptions.COLUMNS_PER_STATEMENT", 3)
    table, store = tmp_path / "in/lab.csv", tmp_path / "store"
    table.parent.mkdir()
    names = [f"gene{number}" for number in range(8)]
    table.write_text(f"patient_id,age,{','.join(names)}\nP000,60{',1' * len(names)}\n")
    describe(table, **{name: {"unit": "count", "known_at": name} for name in names})
    ingest(table.parent, store=store)
    assert [said(store, name) for name in names] == [[("1", "count", name)] for name in names]
    assert said(store, "age") == [("60", "", "")]
