"""What is said of a table's columns, and tables that are gone, in PostgreSQL as in SQLite."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.query import query
from prognoscope.jobs.verify import verify
from prognoscope.store import Store
from prognoscope.store.catalogue import VALUES
from tests.make.store import write_hospital


def units(store: Path) -> list[tuple[str, str]]:
    statement = select(VALUES.c.unit, VALUES.c.known_at).where(VALUES.c.name == "crea").distinct()
    with Store(store) as opened, opened.database.reading() as connection:
        return [(row.unit, row.known_at) for row in connection.execute(statement)]


@pytest.mark.system
def test_descriptions_and_departures_in_postgresql(database: str, tmp_path: Path) -> None:
    store, folder = tmp_path / "store", tmp_path / "hospital"
    store.mkdir()
    (store / "store.toml").write_text(f'catalogue = "{database}"\n')
    write_hospital(folder)
    (folder / "lab.csv").write_text("patient_id,crea\nP000,1\nP001,2\n")
    ingest(folder, store=store)
    assert units(store) == [("", "")]
    (folder / "lab.csv.columns.json").write_text(json.dumps({"crea": {"unit": "mg/dl", "known_at": "later"}}))
    ingest(folder, store=store)
    assert units(store) == [("mg/dl", "later")]
    assert [hit.patient_id for hit in query("crea = 2", store=store, most=None).hits] == ["P001"]
    (folder / "lab.csv").unlink()
    report = ingest(folder, store=store)
    assert (len(report.hints), units(store)) == (1, [])
    assert [problem.code for problem in report.quarantined] == ["columns-unmatched"]
    assert verify(store).problems == ()
