"""A store of every earlier version, filled as it was then, works after it has been opened by this one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from prognoscope.core import hashing
from prognoscope.core.problems import Refused
from prognoscope.jobs.audit import verify_log
from prognoscope.jobs.history import history
from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.query import query
from prognoscope.jobs.verify import verify
from prognoscope.store import Store
from prognoscope.store.catalogue import METADATA
from prognoscope.store.database import Database
from prognoscope.store.upgrade import FOLDER, HEAD, bring_up_to_date
from tests.make.store import write_hospital

EARLIER = ("0001", "0002", "0003", "0004")
# Tables that a version had, and of those the columns that it had not yet.
FACETS = {"facets", "stale"}  # since the fifth
TABLES = set(METADATA.tables) - FACETS
SINCE: dict[str, tuple[set[str], dict[str, set[str]]]] = {
    "0001": ({"counts", "files", "memos", "results"}, {}),
    "0002": (TABLES - {"links", "names"}, {"instances": {"damaged"}, "series": {"view", "photometric", "licence"}}),
    "0003": (TABLES - {"names"}, {}),
    "0004": (TABLES, {}),
}
NUMBERS = {
    "series": {"patient", "study"},
    "regions": {"patient"},
    "patient_values": {"patient"},
    "arrivals": {"current"},
}


def catalogue_of(revision: str, url: str) -> sa.Engine:
    """Make the database of an earlier version by the scripts of that version."""
    database = Database(url)
    with database.writing() as connection:
        config = Config()
        config.set_main_option("script_location", str(FOLDER))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return database.engine


def step_back(store: Path, revision: str, *, url: str = "") -> None:
    """Exchange the catalogue of a store for one of an earlier version with the same rows: in its place, or at a URL."""
    now = store / "catalogue.sqlite"
    then = store / "earlier.sqlite"
    tables, absent = SINCE[revision]
    engine = catalogue_of(revision, url or f"sqlite:///{then}")
    with sa.create_engine(f"sqlite:///{now}").connect() as source, engine.begin() as target:
        for name in sorted(tables):
            gone = absent.get(name, set()) | (NUMBERS.get(name, set()) if revision < "0004" else set())
            columns = [column.name for column in METADATA.tables[name].columns if column.name not in gone]
            old = sa.table(name, *map(sa.column, columns))
            typed = sa.select(*(METADATA.tables[name].columns[column] for column in columns))
            rows = [row._asdict() for row in source.execute(typed)]
            if rows:
                target.execute(old.insert(), rows)
        if url and "names" in tables:  # rows that were copied with their numbers leave the counter behind
            target.execute(sa.text("SELECT setval('names_number_seq', (SELECT max(number) FROM names))"))
    engine.dispose()
    for ending in ("", "-wal", "-shm"):
        Path(f"{now}{ending}").unlink(missing_ok=True)
    if url:
        (store / "store.toml").write_text(f'catalogue = "{url}"\n')
    else:
        then.rename(now)


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    write_hospital(tmp_path / "hospital")
    ingest(tmp_path / "hospital", store=tmp_path / "store", licence="CC BY 3.0")
    (tmp_path / "hospital/more.csv").write_text("patient_id,stage\nP000,II\n")
    ingest(tmp_path / "hospital", store=tmp_path / "store")
    (tmp_path / "hospital/more.csv").write_text("patient_id,stage\nP000,III\n")
    ingest(tmp_path / "hospital", store=tmp_path / "store")
    query("modality = CT", store=tmp_path / "store", snapshot="first")
    with Store(tmp_path / "store") as store:
        store.count("cohort", "settings tried", "a", 4)
        store.keep_result(
            "k" * 64,
            stage="learn",
            version=1,
            settings={},
            inputs={},
            outputs={"risks": b"0.5"},
            program="x",
            seconds=1,
        )
    return tmp_path / "hospital"


@pytest.mark.parametrize("revision", ["0002", "0003", "0004"])
def test_a_filled_repository_of_an_earlier_version(hospital: Path, tmp_path: Path, revision: str) -> None:
    store = tmp_path / "store"
    step_back(store, revision)
    look_around(store, hospital)


@pytest.mark.system
@pytest.mark.parametrize("revision", ["0002", "0003", "0004"])
def test_a_filled_repository_of_an_earlier_version_in_postgresql(
    hospital: Path, tmp_path: Path, database: str, revision: str
) -> None:
    store = tmp_path / "store"
    step_back(store, revision, url=database)
    look_around(store, hospital)


def look_around(store: Path, hospital: Path) -> None:
    """Everything that was there is there, and is found."""
    before = hashing.of_file(store / "audit-head.json")
    found = query("body_part ~ thigh and age >= 51 and grade = high", store=store, most=None)
    assert [(hit.patient_id, hit.licence) for hit in found.hits] == [("P001", "CC BY 3.0")]
    assert found.counts.patients == found.counts.studies == 1
    assert query("stage = III", store=store).counts.patients == 1
    assert query("", store=store).counts.instances == 15
    assert dict(ingest(hospital, store=store).new) == {}
    assert (verify(store).problems, verify(store).orphans, verify_log(store).problems) == ((), (), ())
    assert hashing.of_file(store / "audit-head.json") == before
    assert len(list(history(store=store, wanted="P002").leaves())) == 5
    with Store(store) as opened:
        assert opened.counted("cohort", "settings tried") == 4
        assert len(opened.snapshots.open(opened.snapshots.find("first")).index.series) == 3


def test_a_store_of_the_first_studies_keeps_its_results_and_becomes_a_repository(
    hospital: Path, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    step_back(store, "0001")
    (store / "audit-head.json").unlink()  # there was no log yet
    with Store(store) as opened:
        result = opened.result("k" * 64)
        assert result is not None
        assert opened.artefacts.get(result.outputs["risks"]) == b"0.5"
        assert opened.counted("cohort", "settings tried") == 4
    assert ingest(hospital, store=store).totals["dicom"] == 15
    assert verify_log(store).problems == ()


def test_every_table_and_index_is_the_same_after_an_upgrade_as_from_the_start(tmp_path: Path) -> None:
    """And the same as the tables that the code speaks of."""
    made: dict[str, object] = {}
    for revision in EARLIER:
        engine = catalogue_of(revision, f"sqlite:///{tmp_path / revision}.sqlite")
        engine.dispose()
        database = Database(f"sqlite:///{tmp_path / f'{revision}.sqlite'}")
        bring_up_to_date(database)
        made[revision] = shape(database.engine)
        database.close()
    told = sa.create_engine("sqlite://")
    METADATA.create_all(told)
    assert [revision for revision in EARLIER if made[revision] != shape(told)] == []


def shape(engine: sa.Engine) -> dict[str, object]:
    """Columns by table, and columns by index (None for an expression)."""
    inspector = sa.inspect(engine)
    with engine.connect() as connection:
        names = sa.text("SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite_%'")
        indexes = {
            name: [row[2] for row in connection.exec_driver_sql(f"PRAGMA index_info({name})")]
            for name in connection.execute(names).scalars()
        }
    return indexes | {
        name: {column["name"]: (str(column["type"]), column["nullable"]) for column in inspector.get_columns(name)}
        for name in set(inspector.get_table_names()) - {"alembic_version"}
    }


def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    with Store(tmp_path) as store, store.database.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Refused) as refused:
        Store(tmp_path)
    assert refused.value.problem.code == "store-newer"
    assert HEAD in refused.value.problem.found
    assert json.loads((tmp_path / "audit-head.json").read_text())["number"] == 0
