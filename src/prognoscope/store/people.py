"""One person under two names: a record calls by an ID of its own whom the images call by one of its identifiers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, delete, select, update

from prognoscope.core.problems import Problem
from prognoscope.store.audit import Audit, now
from prognoscope.store.catalogue import NAMES, QUARANTINE, SERIES, TABLES, VALUES
from prognoscope.store.database import Database
from prognoscope.store.quarantine import quarantine_row

IDENTIFIER, PERSON = "identifier", "person"


def join_people(database: Database, audit: Audit) -> tuple[Problem, ...]:
    """Let what records say of a person be found with the images that bear one of the person's identifiers.

    A value named `identifier` (of a FHIR Patient, or a table's column) that is the PatientID of images makes everything
    that its source says of that person speak of these images. Whoever has images under the record's own ID stays there.

    Returns
    -------
    What went into quarantine by it: `identifier-ambiguous` for a person whose identifiers are those of several
    patients, who is joined to none.
    """
    problems: list[tuple[str, Problem]] = []
    joined = 0
    with database.writing() as connection:
        for (source, person), patients in sorted(_candidates(connection).items()):
            if len(patients) > 1:
                problems.append((source, _ambiguous(person, len(patients))))
                continue
            (number,) = patients
            tables = select(TABLES.c.sha256).where(TABLES.c.source == source)
            rows = (VALUES.c.patient_id == person, VALUES.c.table_sha256.in_(tables), VALUES.c.patient != number)
            joined += connection.execute(update(VALUES).where(*rows).values(patient=number)).rowcount
        if joined:
            audit.note(connection, "join", "people", {"values": joined})
        new = _hold(database, connection, problems)
    audit.anchor()
    return new


def _hold(database: Database, connection: Connection, problems: Sequence[tuple[str, Problem]]) -> tuple[Problem, ...]:
    before = set(connection.execute(select(QUARANTINE.c.key).where(QUARANTINE.c.what == PERSON)).scalars())
    rows = {
        row["key"]: (row, problem)
        for source, problem in problems
        for row in [quarantine_row(
            PERSON, problem.subject, sha256="", patient_id="", source=source, problem=problem, created=now()
        )]
    }  # fmt: skip
    gone = before - set(rows)
    connection.execute(delete(QUARANTINE).where(QUARANTINE.c.key.in_(gone)))
    database.insert_new(connection, QUARANTINE, [row for row, _ in rows.values()], keys=("key",))
    return tuple(problem for key, (_, problem) in rows.items() if key not in before)


def _ambiguous(person: str, number: int) -> Problem:
    return Problem(
        "identifier-ambiguous",
        f"person {person}",
        f"its identifiers are the PatientIDs of {number} patients with images",
        "correct the record, or give each person an identifier of its own",
    )


def _candidates(connection: Connection) -> dict[tuple[str, str], set[int]]:
    """By source and the record's own ID, the numbers of patients with images that an identifier names."""
    imaged = select(SERIES.c.patient)
    own = select(NAMES.c.name).where(NAMES.c.number.in_(imaged))
    query = (
        select(TABLES.c.source, VALUES.c.patient_id, NAMES.c.number)
        .join(TABLES, TABLES.c.sha256 == VALUES.c.table_sha256)
        .join(NAMES, NAMES.c.name == VALUES.c.text)
        .where(VALUES.c.name == IDENTIFIER, NAMES.c.number.in_(imaged), VALUES.c.patient_id.not_in(own))
        .distinct()
    )
    found: dict[tuple[str, str], set[int]] = defaultdict(set)
    for source, person, number in connection.execute(query):
        found[source, person].add(number)
    return found
