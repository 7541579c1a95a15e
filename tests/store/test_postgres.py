"""The catalogue in PostgreSQL and the artefacts elsewhere: the same store."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from prognoscope.jobs.audit import verify_log
from prognoscope.jobs.history import history
from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.query import difference, query
from prognoscope.jobs.verify import verify
from prognoscope.store import Store
from tests.make.searched import CHANGES, QUERIES, fill, found
from tests.make.store import write_hospital, write_patient


@pytest.mark.system
def test_a_hospital_in_postgresql(database: str, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "store.toml").write_text(f'catalogue = "{database}"\n')
    write_hospital(tmp_path / "hospital")
    report = ingest(tmp_path / "hospital", store=store)
    assert dict(report.new) == {"dicom": 15, "table": 1}
    assert dict(ingest(tmp_path / "hospital", store=store).new) == {}
    found = query("body_part ~ thigh and age >= 51 and grade = high", store=store, most=None, snapshot="one")
    assert [hit.patient_id for hit in found.hits] == ["P001"]
    write_patient(tmp_path / "hospital", "P001", series=2)
    ingest(tmp_path / "hospital", store=store)
    assert [name[0] for name in difference("one", "", store=store).added] == ["P001"]
    assert len(list(history(store=store, wanted="P002").leaves())) == 5
    checked = verify(store)
    assert (checked.artefacts, checked.problems, checked.orphans) == (22, (), ())
    assert verify_log(store).problems == ()
    with Store(store) as opened:
        opened.count("cohort", "settings tried", "a", 4)
        assert opened.counted("cohort", "settings tried") == 4


@pytest.mark.system
def test_queries_mean_the_same_as_in_sqlite_whoever_changes_the_catalogue(database: str, tmp_path: Path) -> None:
    (tmp_path / "store.toml").write_text(f'catalogue = "{database}"\n')
    with Store(tmp_path) as store:
        fill(store)
        assert [(query, found(store, query)) for query, _ in QUERIES] == list(QUERIES)
        for change, after in CHANGES:
            with store.database.writing() as connection:
                connection.execute(change)
            assert found(store, "grade = high") == after
            with store.database.writing() as connection:
                for table in ("series", "regions", "patient_values", "names"):
                    connection.execute(sa.text(f"DELETE FROM {table}"))
            fill(store)


@pytest.mark.system
def test_a_change_that_is_not_yet_to_be_seen_is_found_when_it_is(database: str, tmp_path: Path) -> None:
    """Its mark outlives a search that takes other marks of the same patients away meanwhile."""
    (tmp_path / "store.toml").write_text(f'catalogue = "{database}"\n')
    with Store(tmp_path) as store, Store(tmp_path) as other:
        fill(store)
        change = sa.text("UPDATE patient_values SET folded = 'low' WHERE name = 'grade'")
        with other.database.writing() as connection:
            connection.execute(change)
            assert found(store, "grade = high") == ["Anna"]  # takes the mark of `fill` away
        assert found(store, "grade = high") == []


def test_artefacts_at_another_place_by_url(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "store.toml").write_text(f'artefacts = "memory://{tmp_path.name}"\n')
    write_hospital(tmp_path / "hospital", patients=1)
    ingest(tmp_path / "hospital", store=store)
    query("", store=store, export=tmp_path / "out")
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 5
    checked = verify(store)
    assert (checked.artefacts, checked.problems, checked.orphans) == (6, (), ())
