"""Queries on the catalogue: which image volumes a cohort has, counts first."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress, islice
from typing import Any

from sqlalchemy import Connection, func, select

from prognoscope.core.work import Progress, silent
from prognoscope.store.catalogue import FACETS, NAMES, QUARANTINE, SERIES, SOURCES, TABLES, VALUES
from prognoscope.store.database import ROWS_PER_STATEMENT, Database
from prognoscope.store.facets import (
    BYTES,
    KEY,
    NUMBERS,
    OF_UNIT,
    OWNER,
    SERIES_FIELDS,
    STATE,
    STUDY,
    TEXTS,
    UNIT_BEGINS,
    WORDS,
    Chunk,
    Facet,
    chunks,
    of_table,
    refresh,
)
from prognoscope.store.grammar import parse
from prognoscope.store.matching import REGION_FIELDS, SAME_IN_TABLES, TABLE, Column, Question, asked, question
from prognoscope.store.records import SEVERAL
from prognoscope.store.volumes import HELD, USABLE

INSTANCES = "instances"
NOT_STATED = "not stated"


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a query finds."""

    patients: int
    studies: int
    series: int
    instances: int
    bytes: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One volume that a query found."""

    key: str
    patient_id: str
    study_uid: str
    series_uid: str
    modality: str
    description: str
    body_part: str
    date: str | None
    age: float | None
    sex: str
    centre: str
    scanner: str
    slices: int
    instances: int
    view: str
    photometric: str
    role: str
    state: str
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class Told:
    """A value that a table or record tells of a patient, who is named as the images name the patient."""

    patient_id: str
    name: str
    text: str
    number: float | None
    unit: str
    known_at: str
    source: str
    path: str


class Search:
    """Queries on one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def refresh(self, progress: Progress = silent) -> None:
        """Bring what is searched up to date: any search does, and an ingest, so that the next search need not."""
        refresh(self._database, progress)

    def counts(self, query: str) -> Counts:
        """Count what a query finds; refuses as `hits` does."""
        patients = series = instances = size = 0
        studies: set[int] = set()
        held = select(func.count()).select_from(QUARANTINE).where(QUARANTINE.c.released == "")
        with self._asking(query) as (connection, wanted):
            for _, chunk, found in _found(connection, wanted, (OWNER, STUDY, BYTES, INSTANCES)):
                series += found.count(1)
                patients += len(set(compress(chunk.facets[OWNER].codes, found)))
                studies.update(_values(chunk.facets[STUDY], found))
                instances += sum(_values(chunk.facets[INSTANCES], found))
                size += sum(_values(chunk.facets[BYTES], found))
            quarantined = int(connection.execute(held).scalar() or 0)
        return Counts(patients, len(studies), series, instances, size, quarantined)

    def hits(self, query: str, *, most: int | None = None, held: bool = False) -> tuple[Hit, ...]:
        """List the volumes that a query finds, sorted by patient, modality and UID.

        Only volumes that may be used are found, unless the query asks for another `state`; with `held` only those
        that the query means too but that are in quarantine.

        Raises
        ------
        Refused
            `query-syntax`, `query-field`, `query-value`, each with the character it points at.
        """
        places: list[tuple[str, int, int]] = []
        with self._asking(query) as (connection, wanted):
            for number, chunk, found in _found(connection, wanted, (OWNER,), held=held):
                owner, here = chunk.facets[OWNER], compress(range(chunk.size), found)
                names = owner.entries
                places += ((str(names[owner.codes[at]]), number, at) for at in islice(here, most))
            first = sorted(places) if most is None else heapq.nsmallest(most, places)
            keys = _keys(connection, {number for _, number, _ in first})
            return _hits(connection, [keys[number][at] for _, number, at in first])

    def told(self, query: str) -> tuple[Told, ...]:
        """Return all that tables and records tell today of the patients that a query finds; refuses as `hits`."""
        columns = (VALUES.c.name, VALUES.c.text, VALUES.c.number, VALUES.c.unit, VALUES.c.known_at)
        statement = (
            select(NAMES.c.name, *columns, TABLES.c.source, TABLES.c.path, VALUES.c.row)
            .join(NAMES, NAMES.c.number == VALUES.c.patient)
            .join(TABLES, TABLES.c.sha256 == VALUES.c.table_sha256)
        )
        rows: list[tuple[Any, ...]] = []
        with self._asking(query) as (connection, wanted):
            found = _found(connection, wanted, (OWNER,))
            owners = sorted(name for _, chunk, here in found for name in set(_values(chunk.facets[OWNER], here)))
            for part in _parts(owners):
                rows += map(tuple, connection.execute(statement.where(NAMES.c.name.in_(part))))
        rows.sort(key=lambda row: (row[0], row[6], row[7], row[8], row[1]))
        return tuple(Told(*row[:-1]) for row in rows)

    def values_of(self, field: str, *, most: int = 12) -> tuple[tuple[str, int], ...]:
        """The most frequent values of a field, with the number of series: for a query that finds nothing."""
        if field not in SERIES_FIELDS:
            return ()
        column = SERIES_FIELDS[field][0]
        statement = select(column, func.count()).group_by(column).order_by(func.count().desc(), column).limit(most)
        with self._database.reading() as connection:
            return tuple((str(value), int(number)) for value, number in connection.execute(statement))

    @contextmanager
    def _asking(self, query: str) -> Iterator[tuple[Connection, Question]]:
        node, fields = asked(parse(query))
        refresh(self._database)
        with self._database.reading() as connection:
            yield connection, question(query, node, fields, _columns(connection, fields))


def _columns(connection: Connection, fields: frozenset[str]) -> Mapping[str, Column]:
    """The tables' columns among some fields; all where one of these is not known."""
    wanted = {name.removeprefix(TABLE) for name in fields - set(SERIES_FIELDS) - set(REGION_FIELDS)}
    names = {*wanted, *(name for field in fields for name in SAME_IN_TABLES.get(field, ()))}
    query = select(FACETS.c.field).distinct()
    asked_for = [of_table(name, what=what) for name in names for what in (TEXTS, NUMBERS, WORDS)]
    found = set(connection.execute(query.where(FACETS.c.field.in_(asked_for))).scalars()) if names else set()
    known = {field[1:] for field in found}
    if wanted - known:
        known |= {field[1:] for field in connection.execute(query).scalars() if field.startswith(TEXTS)}
    units = _units(connection, sorted(wanted & known))
    return {
        name: Column(f"{NUMBERS}{name}" in found, f"{WORDS}{name}" in found, units.get(name, ()))
        for name in sorted(known)
    }


def _units(connection: Connection, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The units in which some columns are given, sorted."""
    found = {}
    for name in columns:
        start = f"{OF_UNIT}{name}{UNIT_BEGINS}"
        query = select(FACETS.c.field).where(FACETS.c.field.startswith(start, autoescape=True)).distinct()
        found[name] = tuple(sorted(field.removeprefix(start) for field in connection.execute(query).scalars()))
    return found


def _found(
    connection: Connection, wanted: Question, fields: Iterable[str], *, held: bool = False
) -> Iterator[tuple[int, Chunk, bytes]]:
    """Yield each chunk with its number and, for each of its volumes, whether it is found (1 or 0)."""
    states = HELD if held else USABLE
    everywhere = STATE in wanted.fields and not held
    for number, chunk in chunks(connection, {STATE, *fields, *wanted.facets}):
        mask = wanted.mask(chunk)
        if not everywhere:
            mask &= chunk.mask(STATE, states.__contains__)
        if mask:
            yield number, chunk, mask.to_bytes(chunk.size, "big")


def _values(facet: Facet, found: bytes) -> Iterator[Any]:
    """The values of a field that has one for each volume, of the volumes that are found."""
    return map(facet.entries.__getitem__, compress(facet.codes, found))


def _keys(connection: Connection, numbers: Iterable[int]) -> dict[int, list[str]]:
    """The keys of some chunks' volumes, by chunk."""
    return {
        number: list(_values(chunk.facets[KEY], b"\1" * chunk.size))
        for number, chunk in chunks(connection, {KEY}, only=numbers)
    }


def _hits(connection: Connection, keys: Sequence[str]) -> tuple[Hit, ...]:
    """Volumes by key, in the order of the keys."""
    stated: dict[str, str] = dict(map(tuple, connection.execute(select(SOURCES.c.source, SOURCES.c.licence))))
    statement = select(*(SERIES.c[name] for name in Hit.__slots__))
    found = {
        row.key: Hit(**{**row._mapping, "licence": row.licence or _licence(row.source, stated)})
        for part in _parts(keys)
        for row in connection.execute(statement.where(SERIES.c.key.in_(part)))
    }
    return tuple(found[key] for key in keys)


def _licence(source: str, stated: Mapping[str, str]) -> str:
    """What the owner of a source states; of a series from several sources, each licence that there is."""
    names = [source] if source in stated else source.split(SEVERAL)
    licences = dict.fromkeys(stated.get(name) or NOT_STATED for name in names)
    return "" if list(licences) == [NOT_STATED] else SEVERAL.join(licences)


def _parts(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + ROWS_PER_STATEMENT] for start in range(0, len(names), ROWS_PER_STATEMENT))
