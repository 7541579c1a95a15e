"""What the owner of a table says of its columns, in a file beside it: units, and when each value was known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, delete, or_, select, update

from prognoscope.core.problems import Problem
from prognoscope.store.audit import Audit, now
from prognoscope.store.catalogue import ARRIVALS, OBJECTS, QUARANTINE, TABLES, VALUES
from prognoscope.store.database import Database
from prognoscope.store.quarantine import quarantine_row
from prognoscope.store.records import plain

COLUMNS_PER_STATEMENT = 1000
ASIDE = ("columns-differ", "columns-unmatched")


@dataclass(frozen=True, slots=True)
class Placed:
    """A file as a source has it now: the source, its path and its content."""

    source: str
    path: str
    sha256: str


class Descriptions:
    """The descriptions of columns of one store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database, self._audit = database, audit

    def placed(self, kind: str) -> tuple[Placed, ...]:
        """Return the files of a kind (`table`, `columns`) that sources have now, sorted."""
        columns = (ARRIVALS.c.source, ARRIVALS.c.path, ARRIVALS.c.sha256)
        query = select(*columns).join(OBJECTS, OBJECTS.c.sha256 == ARRIVALS.c.sha256)
        query = query.where(OBJECTS.c.kind == kind, ARRIVALS.c.current).order_by(*columns)
        with self._database.reading() as connection:
            return tuple(Placed(*row) for row in connection.execute(query))

    def columns(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return the columns of every table as they are described, by the table's content."""
        with self._database.reading() as connection:
            rows = connection.execute(select(TABLES.c.sha256, TABLES.c.columns))
            return {row.sha256: json.loads(row.columns) for row in rows}

    def describe(self, table: str, columns: Sequence[Mapping[str, Any]]) -> None:
        """Exchange what is said of a table's columns, and with it the units and times of its values."""
        said = {plain(str(one["name"])): one for one in columns if one.get("unit") or one.get("known_at")}
        names = sorted(said)
        of_it = update(VALUES).where(VALUES.c.table_sha256 == table)
        with self._database.writing() as connection:
            written = json.dumps(columns, ensure_ascii=False)
            connection.execute(update(TABLES).where(TABLES.c.sha256 == table).values(columns=written))
            connection.execute(
                of_it.where(or_(VALUES.c.unit != "", VALUES.c.known_at != "")).values(unit="", known_at="")
            )
            for start in range(0, len(names), COLUMNS_PER_STATEMENT):
                part = names[start : start + COLUMNS_PER_STATEMENT]
                unit = {name: plain(said[name].get("unit", ""), 32) for name in part}
                known_at = {name: plain(said[name].get("known_at", "")) for name in part}
                connection.execute(
                    of_it.where(VALUES.c.name.in_(part)).values(
                        unit=case(unit, value=VALUES.c.name), known_at=case(known_at, value=VALUES.c.name)
                    )
                )
            self._audit.note(connection, "describe", table, {"columns": list(said.values())})
        self._audit.anchor()

    def set_aside(self, problems: Sequence[tuple[str, Problem]]) -> tuple[Problem, ...]:
        """Exchange what is wrong with descriptions, each with its source; return what was not so before."""
        created = now()
        rows = {
            str(row["key"]): (row, problem)
            for source, problem in problems
            for row in [quarantine_row(
                "file", problem.subject, sha256="", patient_id="", source=source, problem=problem, created=created
            )]
        }  # fmt: skip
        with self._database.writing() as connection:
            before = set(connection.execute(select(QUARANTINE.c.key).where(QUARANTINE.c.code.in_(ASIDE))).scalars())
            for key in sorted(before - set(rows)):
                connection.execute(delete(QUARANTINE).where(QUARANTINE.c.key == key))
            self._database.insert_new(connection, QUARANTINE, [row for row, _ in rows.values()], keys=("key",))
        new = [problem for key, (_, problem) in rows.items() if key not in before]
        return tuple(sorted(new, key=lambda one: (one.subject, one.found)))
