"""Tables that came in, cell by cell, so that patients are found by them; only what its source says now is searched."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, exists, select, update

from prognoscope.store.catalogue import ARRIVALS, TABLES, VALUES
from prognoscope.store.database import ROWS_PER_STATEMENT, Database
from prognoscope.store.names import number_names, record_name
from prognoscope.store.records import Arrival, TableRecord, folded, plain


def note_arrivals(
    database: Database, connection: Connection, source: str, batch: str, arrivals: Sequence[Arrival]
) -> None:
    """Note which content each file of a source has now; a table that it had before is searched no more."""
    seen = [
        {
            "source": source,
            "path": one.path,
            "sha256": one.sha256,
            "size": one.size,
            "mtime_ns": one.mtime_ns,
            "batch": batch,
            "current": True,
        }
        for one in arrivals
        if one.sha256
    ]
    paths = [str(row["path"]) for row in seen]
    changed = 0
    for start in range(0, len(paths), ROWS_PER_STATEMENT):
        here = (ARRIVALS.c.source == source, ARRIVALS.c.path.in_(paths[start : start + ROWS_PER_STATEMENT]))
        changed += connection.execute(update(ARRIVALS).where(*here, ARRIVALS.c.current).values(current=False)).rowcount
    database.upsert(connection, ARRIVALS, seen, keys=("source", "path", "sha256"))
    if changed:
        _forget_superseded(connection)


def note_departures(connection: Connection, source: str, paths: Sequence[str]) -> None:
    """Note that a source has some files no more: their bytes stay, their tables are searched no more."""
    for start in range(0, len(paths), ROWS_PER_STATEMENT):
        here = (ARRIVALS.c.source == source, ARRIVALS.c.path.in_(paths[start : start + ROWS_PER_STATEMENT]))
        connection.execute(update(ARRIVALS).where(*here).values(current=False))
    _forget_superseded(connection)


def _forget_superseded(connection: Connection) -> None:
    current = exists().where(ARRIVALS.c.sha256 == TABLES.c.sha256, ARRIVALS.c.current)
    connection.execute(delete(VALUES).where(VALUES.c.table_sha256.in_(select(TABLES.c.sha256).where(~current))))


def keep_tables(
    database: Database,
    connection: Connection,
    source: str,
    batch: str,
    arrivals: Sequence[Arrival],
    fresh: Mapping[str, Arrival],
) -> None:
    """Keep the tables among the arrivals; one that comes back after another took its place is searched again."""
    tables = {one.sha256: (one, one.table) for one in arrivals if one.table}
    for name, (one, table) in sorted(tables.items()):
        if name in fresh:
            row = {
                "sha256": name,
                "source": source,
                "path": one.path,
                "patient_column": plain(table.patient_column),
                "columns": json.dumps(table.columns, ensure_ascii=False),
                "rows": table.rows,
                "batch": batch,
            }
            database.upsert(connection, TABLES, [row], keys=("sha256",))
        names = _names(table, source, own_ids=one.kind == "fhir")
        cells = _rows(database, connection, name, table, names, {} if name in fresh else _said(connection, name))
        database.insert_new(connection, VALUES, cells, keys=("table_sha256", "row", "name"))


def _names(table: TableRecord, source: str, *, own_ids: bool) -> dict[str, str]:
    """By what a table calls a person, the name under which the catalogue numbers that person.

    A record's own ID is a server's number, and no PatientID of the same digits.
    """
    people = {cell.patient_id for cell in table.cells}
    return {person: record_name(source, person) if own_ids else plain(person) for person in people}


def _said(connection: Connection, sha256: str) -> dict[str, Mapping[str, str]]:
    """What is said of the columns of a table that was here before, by their names."""
    columns = connection.execute(select(TABLES.c.columns).where(TABLES.c.sha256 == sha256)).scalar()
    return {str(one["name"]): one for one in json.loads(columns or "[]")}


def _rows(
    database: Database,
    connection: Connection,
    sha256: str,
    table: TableRecord,
    names: Mapping[str, str],
    said: Mapping[str, Mapping[str, str]],
) -> list[dict[str, object]]:
    numbers = number_names(database, connection, names.values())
    return [
        {
            "table_sha256": sha256,
            "row": cell.row,
            "name": plain(cell.name),
            "patient_id": plain(cell.patient_id),
            "text": plain(cell.text, 10_000),
            "folded": folded(cell.text),
            "number": cell.number,
            "unit": plain(cell.unit or said.get(cell.name, {}).get("unit", ""), 32),
            "known_at": plain(cell.known_at or said.get(cell.name, {}).get("known_at", "")),
            "patient": numbers[names[cell.patient_id]],
        }
        for cell in table.cells
    ]
