"""Searching: what each comparison means, and that what changed in the catalogue, by whomever, is found so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from prognoscope.core.problems import Refused
from prognoscope.jobs.ingest import ingest
from prognoscope.store import Store
from prognoscope.store.catalogue import FACETS, NAMES, PATIENTS_PER_CHUNK, REGIONS, STALE
from prognoscope.store.facets import Facet, chunks, unpacked
from tests.make.catalogue import add_cell, add_patient, add_region, add_series
from tests.make.searched import CHANGES, QUERIES, fill, found
from tests.make.store import write_hospital


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store that the test may change."""
    with Store(tmp_path / "store") as opened:
        fill(opened)
        yield opened


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store that is only searched."""
    with Store(tmp_path_factory.mktemp("store")) as opened:
        fill(opened)
        yield opened


@pytest.mark.parametrize(("query", "patients"), QUERIES)
def test_what_a_query_finds(unchanged: Store, query: str, patients: list[str]) -> None:
    assert found(unchanged, query) == patients


def test_counts_of_patients_studies_series_instances_and_bytes(store: Store) -> None:
    with store.database.writing() as connection:
        add_series(connection, 1, "1.2", modality="MR", instances=7, study=90)
        add_series(connection, 5000, "3.2", modality="MR", instances=7, study=90)  # one study under two patients
    counts = store.search.counts("modality = MR")
    assert (counts.patients, counts.studies, counts.series, counts.instances, counts.bytes) == (2, 1, 2, 14, 14_000)
    assert store.search.counts("").studies == 4


@pytest.mark.parametrize(("change", "after"), CHANGES)
def test_whoever_changes_the_catalogue_changes_what_is_found(
    store: Store, change: sa.Executable, after: list[str]
) -> None:
    assert found(store, "grade = high") == ["Anna"]
    with store.database.writing() as connection:
        connection.execute(change)
    assert found(store, "grade = high") == after
    with store.database.reading() as connection:
        assert connection.execute(sa.select(STALE.c.chunk)).all() == []


def test_only_chunks_that_changed_are_written_again(store: Store) -> None:
    store.search.refresh()
    with store.database.writing() as connection:
        connection.execute(sa.update(FACETS).where(FACETS.c.chunk == 0).values(data=b"not looked at"))
        add_region(connection, 5000, "3.1", "Lung")
    store.search.refresh()
    with store.database.reading() as connection:
        kept = connection.execute(sa.select(FACETS.c.chunk).where(FACETS.c.data == b"not looked at").distinct())
        assert kept.scalars().all() == [0]
        (number, chunk), *_ = chunks(connection, {"roi"}, only=[5000 // PATIENTS_PER_CHUNK])
    assert (number, chunk.facets["roi"].entries) == (2, [["lung"]])


def test_more_distinct_values_than_a_byte_counts(store: Store) -> None:
    with store.database.writing() as connection:
        for number in range(600):
            add_series(connection, 2, f"2.5.{number}", description=f"run {number}", modality="OT")
    assert found(store, "description = 'run 599'") == ["Bert"]
    assert store.search.counts("description ~ run and not description ~ 'run 5*'").series == 600 - 111


def test_a_facet_is_read_back_as_it_was_written() -> None:
    for size in (0, 1, 256, 257):
        facet = Facet(b'["a\\n",[],["b","c"]]', bytes(size % 3 for _ in range(size)))
        assert unpacked(facet.packed()) == facet


def test_the_first_of_many_are_those_that_come_first_in_the_whole_list(store: Store) -> None:
    with store.database.writing() as connection:
        for number, name in ((7000, "Aaron"), (3, "Zoe")):
            add_patient(connection, number, name)
            add_series(connection, number, f"{number}.7", modality="CT")
    everything = store.search.hits("")
    assert [hit.patient_id for hit in everything] == ["Aaron", "Anna", "Bert", "Zoe", "Äda"]
    assert store.search.hits("", most=3) == everything[:3]
    assert store.search.hits("", most=0) == ()


def test_a_column_of_people_without_images_is_known_and_finds_nobody(store: Store) -> None:
    with store.database.writing() as connection:
        add_patient(connection, 4000, "Carl")
        add_cell(connection, 4000, "stage", "II")
    assert found(store, "stage = II") == []
    with pytest.raises(Refused) as refused:
        store.search.counts("stages = II")
    assert "did you mean “stage”" in refused.value.problem.remedy


@pytest.fixture
def measured(store: Store) -> Store:
    """Creatinine of 88.4 µmol/L is 1 mg/dL: Anna's is told in the one, Bert's in the other, potassium in one unit."""
    with store.database.writing() as connection:
        add_cell(connection, 1, "Crea", "1.0", 1.0, unit="mg/dL")
        add_cell(connection, 2, "Crea", "90", 90.0, unit="umol/L")
        add_cell(connection, 1, "potassium", "4.1", 4.1, unit="mmol/L")
        add_cell(connection, 5000, "potassium", "3.9", 3.9, row=5)
    return store


@pytest.mark.parametrize(
    ("query", "patients"),
    [
        ("crea > 50 umol/L", ["Bert"]),
        ("crea >= 1 MG/DL and modality = PT", ["Anna"]),
        ("(crea < 50 'mg/dL') or modality = DX", ["Anna", "Äda"]),
        ("crea is known", ["Anna", "Bert"]),
        ("potassium > 3", ["Anna", "Äda"]),  # one unit, and a value of which no unit is told
        ("potassium > 3 mmol/L", ["Anna"]),
    ],
)
def test_numbers_of_several_units_are_compared_in_the_one_that_is_asked_for(
    measured: Store, query: str, patients: list[str]
) -> None:
    assert found(measured, query) == patients


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("crea > 50", "crea is given in mg/dl and umol/l: write the unit behind the number"),
        ("crea in (1, 90)", "crea is given in mg/dl and umol/l"),
        ("potassium > 3 mg/dL", "potassium is given in mmol/l, not in “mg/dL”"),
        ("age > 3 year", "age is written without a unit"),
    ],
)
def test_a_unit_that_is_missing_or_another(measured: Store, query: str, told: str) -> None:
    with pytest.raises(Refused) as refused:
        found(measured, query)
    assert refused.value.problem.code == "query-unit"
    assert told in refused.value.problem.found


def test_a_pattern_of_many_stars_takes_no_longer_than_its_values_are_long(store: Store) -> None:
    with store.database.writing() as connection:
        add_series(connection, 2, "2.9", description="a" * 200)
    assert found(store, f"description = {'a*' * 60}b") == []


def test_values_told_of_those_found_are_sorted_and_name_their_patient(store: Store) -> None:
    with store.database.writing() as connection:
        connection.execute(sa.text(
            "INSERT INTO tables (sha256, source, path, patient_column, columns, rows, batch) "
            "VALUES ('t', '/in', 'a.csv', 'patient', '[]', 2, 'b')"
        ))  # fmt: skip
    told = store.search.told("age < 60")
    assert [(one.patient_id, one.name, one.text) for one in told] == [
        ("Anna", "STADIUM", "2"), ("Anna", "grade", "High"), ("Anna", "state", "NY"),
        ("Bert", "Age", "12"), ("Bert", "Sex", "Female"), ("Bert", "Stadium", "IIA"), ("Bert", "site", "left thigh"),
        ("Bert", "crp", "7"), ("Bert", "crp", "200"),
    ]  # fmt: skip


def test_regions_and_names_stay_whose_they_are(store: Store) -> None:
    with store.database.writing() as connection:
        connection.execute(sa.update(REGIONS).where(REGIONS.c.folded == "liver").values(patient=2, series_uid="2.1"))
        assert connection.execute(sa.select(sa.func.count()).select_from(NAMES)).scalar() == 3
    assert found(store, "roi = liver") == ["Bert"]


def test_two_search_while_a_third_takes_in(tmp_path: Path) -> None:
    """Nobody waits in vain, nothing is counted twice, and what came in is found when it has."""
    write_hospital(tmp_path / "hospital", patients=6)
    ingest(tmp_path / "hospital", store=tmp_path / "store")
    write_hospital(tmp_path / "more", patients=14)
    done = threading.Event()

    def search(_: int) -> list[int]:
        seen = []
        with Store(tmp_path / "store") as opened:
            while not done.is_set():
                counts = opened.search.counts("modality = CT")
                assert counts.patients == counts.series
                seen.append(counts.patients)
            return [*seen, opened.search.counts("modality = CT").patients]

    with ThreadPoolExecutor(2) as threads:
        searching = [threads.submit(search, number) for number in range(2)]
        try:
            ingest(tmp_path / "more", store=tmp_path / "store")
        finally:
            done.set()
        for one in searching:
            seen = one.result()
            assert seen == sorted(seen)
            assert seen[-1] == 14


def test_a_search_that_takes_long_to_begin_says_why(store: Store) -> None:
    told: list[tuple[str, int, int]] = []
    with store.database.writing() as connection:
        connection.execute(sa.insert(STALE), [{"chunk": number, "writer": 0} for number in range(10, 16)])
    store.search.refresh(lambda *one: told.append(one))
    assert {(label, total) for label, _, total in told} == {("bring the search up to date", 8)}
    assert told[-1][1] == 8
