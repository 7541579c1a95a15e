"""Tables in the store: what their source says now is what queries find; what is wrong with them is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from prognoscope.core.problems import Refused
from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.quarantine import list_quarantine
from prognoscope.jobs.query import difference, query
from prognoscope.store import Store
from tests.make.store import write_hospital


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
