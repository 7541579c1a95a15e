"""One person under two names: a record calls by an ID of its own whom the images call by one of its identifiers."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import Connection, Select, delete, func, select, update

from prognoscope.core.problems import Problem
from prognoscope.store.audit import Audit, now
from prognoscope.store.catalogue import INSTANCES, NAMES, OBJECTS, QUARANTINE, SERIES, TABLES, VALUES
from prognoscope.store.database import Database
from prognoscope.store.names import number_names, record_name
from prognoscope.store.quarantine import quarantine_row

IDENTIFIER, PERSON, RECORDS = "identifier", "person", "fhir"
SEXES = {"male": "M", "female": "F", "m": "M", "f": "F"}


@dataclass(frozen=True, slots=True, order=True)
class Called:
    """A person as one source calls it: in its records (FHIR), or in its tables."""

    source: str
    kind: str
    person: str

    @property
    def tables(self) -> Select[tuple[str]]:
        """Contents of the source that may speak of the person."""
        tables = select(TABLES.c.sha256).join(OBJECTS, OBJECTS.c.sha256 == TABLES.c.sha256)
        return tables.where(TABLES.c.source == self.source, OBJECTS.c.kind == self.kind)


@dataclass(frozen=True, slots=True)
class Demographics:
    """What tells whether two descriptions are of one person: birth dates as the headers' digests, and sexes."""

    births: frozenset[str] = frozenset()
    sexes: frozenset[str] = frozenset()

    def contradicts(self, other: Demographics) -> str:
        """In what both are told and differ; empty when in nothing."""
        for what, one, two in (("birth date", self.births, other.births), ("sex", self.sexes, other.sexes)):
            if one and two and not one & two:
                return what
        return ""


@dataclass(frozen=True, slots=True)
class Told:
    """What a source says of a person, and whether it gives an identifier."""

    demographics: Demographics = Demographics()
    identified: bool = False


@dataclass(slots=True)
class Claims:
    """Numbers of the patients with images that a person of the records may be: by an identifier, by its own ID."""

    named: set[int] = field(default_factory=set)
    alike: set[int] = field(default_factory=set)


def join_people(database: Database, audit: Audit) -> tuple[Problem, ...]:
    """Let what records say of a person be found with the images that bear one of the person's identifiers.

    A value named `identifier` (of a FHIR Patient, or a table's column) that is the PatientID of images makes everything
    that its source says of that person speak of these images. A FHIR Patient's own ID does so too, if the Patient has
    no identifier, or its birth date is that of the images: otherwise it is a server's number, and equal by chance.

    Returns
    -------
    What went into quarantine by it, joined to none: `identifier-ambiguous` for a person whose identifiers are those of
    several patients, `identity-differs` for one who differs from the images in birth date or sex.
    """
    problems: list[tuple[str, Problem]] = []
    moved = 0
    with database.writing() as connection:
        claims = _claims(connection)
        told = _told_of(connection, claims)
        seen = _seen(connection, {number for claim in claims.values() for number in claim.named | claim.alike})
        for called, claim in sorted(claims.items()):
            number, problem = _decided(claim, called.person, told[called], seen)
            if problem:
                problems.append((called.source, problem))
            moved += _move(database, connection, called, number)
        if moved:
            audit.note(connection, "join", "people", {"values": moved})
        new = _hold(database, connection, problems)
    audit.anchor()
    return new


def _decided(
    claim: Claims, person: str, told: Told, seen: Mapping[int, Demographics]
) -> tuple[int | None, Problem | None]:
    """The patient with images whom the records speak of, or None; and what is wrong."""
    sure = {number for number in claim.alike if told.demographics.births & seen[number].births}
    numbers = claim.named or (sure if told.identified else claim.alike)
    if len(numbers) > 1:
        return None, _ambiguous(person, len(numbers))
    if not numbers:
        return None, None
    (number,) = numbers
    different = told.demographics.contradicts(seen[number])
    return (None, _differs(person, different)) if different else (number, None)


def _move(database: Database, connection: Connection, called: Called, number: int | None) -> int:
    """Let what is told of a person speak of a patient with images, or of nobody but that person."""
    if number is None:
        name = record_name(called.source, called.person) if called.kind == RECORDS else called.person
        number = number_names(database, connection, [name])[name]
    rows = (VALUES.c.patient_id == called.person, VALUES.c.table_sha256.in_(called.tables), VALUES.c.patient != number)
    return connection.execute(update(VALUES).where(*rows).values(patient=number)).rowcount


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


def _differs(person: str, what: str) -> Problem:
    return Problem(
        "identity-differs",
        f"person {person}",
        f"an identifier of it is the PatientID of images whose {what} is another, so it may be another person",
        "find out which is right, correct it and take it in again",
    )


def _claims(connection: Connection) -> dict[Called, Claims]:
    """Everybody whom an identifier, or in records the own ID, may make a patient with images."""
    imaged = select(SERIES.c.patient)
    own = select(NAMES.c.name).where(NAMES.c.number.in_(imaged))
    # Whoever a table calls by the PatientID of images is that patient, whatever identifiers stand beside.
    settled = (OBJECTS.c.kind != RECORDS) & VALUES.c.patient_id.in_(own)
    named = (
        select(TABLES.c.source, OBJECTS.c.kind, VALUES.c.patient_id, NAMES.c.number)
        .join(TABLES, TABLES.c.sha256 == VALUES.c.table_sha256)
        .join(OBJECTS, OBJECTS.c.sha256 == TABLES.c.sha256)
        .join(NAMES, NAMES.c.name == VALUES.c.text)
        .where(VALUES.c.name == IDENTIFIER, NAMES.c.number.in_(imaged), ~settled)
        .distinct()
    )
    found: dict[Called, Claims] = defaultdict(Claims)
    for *called, number in connection.execute(named):
        found[Called(*called)].named.add(number)
    records = select(TABLES.c.source).join(OBJECTS, OBJECTS.c.sha256 == TABLES.c.sha256)
    for source in connection.execute(records.where(OBJECTS.c.kind == RECORDS).distinct()).scalars().all():
        of_record = NAMES.alias()
        alike = select(NAMES.c.name, NAMES.c.number).where(NAMES.c.number.in_(imaged))
        alike = alike.join(of_record, of_record.c.name == NAMES.c.name + record_name(source, ""))
        for person, number in connection.execute(alike):
            found[Called(source, RECORDS, person)].alike.add(number)
    return found


def _told_of(connection: Connection, people: Iterable[Called]) -> dict[Called, Told]:
    query = select(VALUES.c.name, VALUES.c.text).where(VALUES.c.name.in_((IDENTIFIER, "birth_date", "sex")))
    found = {}
    for called in people:
        own = query.where(VALUES.c.patient_id == called.person, VALUES.c.table_sha256.in_(called.tables))
        told: dict[str, set[str]] = defaultdict(set)
        for name, text in connection.execute(own):
            told[name].add(text)
        days = {digits for text in told["birth_date"] if len(digits := text.replace("-", "")) == 8}
        sexes = {SEXES[text.casefold()] for text in told["sex"] if text.casefold() in SEXES}
        who = Demographics(frozenset(map(_digest, days)), frozenset(sexes))
        found[called] = Told(who, bool(told[IDENTIFIER]))
    return found


def _seen(connection: Connection, numbers: set[int]) -> dict[int, Demographics]:
    """What the headers of some patients' images say, one file of each series."""
    found = {}
    for number in numbers:
        name = select(NAMES.c.name).where(NAMES.c.number == number).scalar_subquery()
        own = select(func.min(INSTANCES.c.sha256)).where(INSTANCES.c.patient_id == name)
        files = own.group_by(INSTANCES.c.series_uid)
        headers = connection.execute(select(INSTANCES.c.header).where(INSTANCES.c.sha256.in_(files))).scalars()
        people = [json.loads(header).get("person") or {} for header in headers]
        births = {str(one.get("birth_date") or "") for one in people} - {""}
        sexes = {str(one.get("sex") or "") for one in people} & set(SEXES.values())
        found[number] = Demographics(frozenset(births), frozenset(sexes))
    return found


def _digest(text: str) -> str:
    """A birth date as the headers' reader keeps it."""
    return sha256(text.encode()).hexdigest()[:12]
