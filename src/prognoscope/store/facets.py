"""What image volumes are searched by, field by field and ready to be compared: a search reads these and nothing else.

Volumes stand in chunks by their patient's number. A facet holds one field of a chunk: its distinct values once, and for
each volume which of them it has. The database's triggers (`migrations/`) note every chunk of which a volume, a region
or a table's cell changed, whoever changed it; a search writes the facets of these again before it looks.
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, text

from prognoscope.core.work import Progress, silent
from prognoscope.store.catalogue import FACETS, PATIENTS_PER_CHUNK, REGIONS, SERIES, STALE, VALUES
from prognoscope.store.database import Database
from prognoscope.store.records import folded

# Field → column of the series, and whether it holds numbers.
SERIES_FIELDS: Mapping[str, tuple[Any, bool]] = {
    "patient": (SERIES.c.patient_id, False),
    "modality": (SERIES.c.modality, False),
    "description": (SERIES.c.description, False),
    "body_part": (SERIES.c.body_part, False),
    "protocol": (SERIES.c.protocol, False),
    "date": (SERIES.c.date, False),
    "age": (SERIES.c.age, True),
    "sex": (SERIES.c.sex, False),
    "manufacturer": (SERIES.c.manufacturer, False),
    "scanner": (SERIES.c.scanner, False),
    "centre": (SERIES.c.centre, False),
    "unit": (SERIES.c.unit, False),
    "slices": (SERIES.c.slices, True),
    "spacing": (SERIES.c.spacing, True),
    "instances": (SERIES.c.instances, True),
    "series": (SERIES.c.series_uid, False),
    "study": (SERIES.c.study_uid, False),
    "source": (SERIES.c.source, False),
    "view": (SERIES.c.view, False),
    "photometric": (SERIES.c.photometric, False),
    "role": (SERIES.c.role, False),
    "quality": (SERIES.c.quality, False),
    "state": (SERIES.c.state, False),
}
ROI, STATE = "roi", "state"
# What is counted and listed; a sign that no query can write keeps these apart from its fields.
KEY, OWNER, STUDY, BYTES = "#key", "#owner", "#study", "#bytes"
COUNTED = {KEY: SERIES.c.key, OWNER: SERIES.c.patient_id, STUDY: SERIES.c.study, BYTES: SERIES.c.bytes}
TEXTS, NUMBERS, WORDS, OF_UNIT = "=", "<", ">", "["
UNIT_BEGINS = "\x1f"  # no query can write it
BYTE_CODES, NOTHING = 256, -1
FEW_CHUNKS = 4  # a second's work at most
NARROW, WIDE = b"1", b"4"  # bytes of a code


@dataclass(frozen=True, slots=True)
class Facet:
    """One field of the volumes of a chunk: volume i has `entries[codes[i]]`, a text, a number or a list of these."""

    head: bytes  # the entries as JSON: who only counts distinct ones does not read them
    codes: bytes | array[int]

    @property
    def entries(self) -> list[Any]:
        """What the volumes have, each once."""
        found: list[Any] = json.loads(self.head)
        return found

    def mask(self, accepts: Callable[[Any], bool]) -> int:
        """Volumes of which any value is accepted: a whole number with a byte (1 or 0) for each, the first on top."""
        truth = (
            bytes(any(map(accepts, one)) if isinstance(one, list) else accepts(one) for one in self.entries)
            if b"[" in self.head[1:]  # any lists among the entries
            else bytes(map(accepts, self.entries))
        )
        found = (
            self.codes.translate(truth.ljust(BYTE_CODES, b"\0"))
            if isinstance(self.codes, bytes)
            else bytes(map(truth.__getitem__, self.codes))
        )
        return int.from_bytes(found, "big")

    def _truth(self, accepts: Callable[[Any], bool]) -> bytes:
        """For each entry whether any value of it is accepted; where each is one value, without a loop in Python."""
        entries = self.entries
        nothing = entries[:1] == [[]]
        if self.head.count(b"[") == 1 + nothing:
            return bytes(nothing) + bytes(map(accepts, entries[nothing:]))
        return bytes([any(map(accepts, one)) if isinstance(one, list) else accepts(one) for one in entries])

    def packed(self) -> bytes:
        """As it stands in the catalogue; `unpacked` gives back an equal facet."""
        width = NARROW if isinstance(self.codes, bytes) else WIDE
        return zlib.compress(self.head + b"\n" + width + bytes(self.codes), 1)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some patients' volumes, sorted by patient, modality and UID; a field of which it knows nothing has no facet."""

    size: int
    facets: Mapping[str, Facet]

    def mask(self, field: str, accepts: Callable[[Any], bool]) -> int:
        """Volumes of which any value of a field is accepted."""
        facet = self.facets.get(field)
        return facet.mask(accepts) if facet else 0

    @property
    def everything(self) -> int:
        """The mask of all volumes."""
        return int.from_bytes(b"\1" * self.size, "big")


def of_table(column: str, *, what: str = TEXTS, unit: str = "") -> str:
    """The facet of a table's column, case-folded.

    All its texts, the numbers among them, the texts that are none, or the numbers of one unit.
    """
    return f"{OF_UNIT}{folded(column)}{UNIT_BEGINS}{folded(unit)}" if unit else f"{what}{folded(column)}"


def unpacked(data: bytes) -> Facet:
    """Read what `Facet.packed` wrote."""
    head, _, codes = zlib.decompress(data).partition(b"\n")
    return Facet(head, codes[1:] if codes[:1] == NARROW else array("I", codes[1:]))


def chunks(
    connection: Connection, fields: Iterable[str], *, only: Iterable[int] | None = None
) -> Iterator[tuple[int, Chunk]]:
    """Yield every chunk (or some) that has volumes, by its number, with these of its facets."""
    query = select(FACETS.c.chunk, FACETS.c.field, FACETS.c.data).where(FACETS.c.field.in_({STATE, *fields}))
    if only is not None:
        query = query.where(FACETS.c.chunk.in_(only))
    for number, rows in groupby(connection.execute(query.order_by(FACETS.c.chunk)), key=itemgetter(0)):
        facets = {field: unpacked(data) for _, field, data in rows}
        if size := len(facets[STATE].codes):
            yield number, Chunk(size, facets)


def refresh(database: Database, progress: Progress = silent) -> None:
    """Write the facets of every chunk of which something changed again; tells how far it is where that takes long."""
    with database.reading() as connection:
        if connection.execute(select(STALE.c.chunk).limit(1)).scalar() is None:
            return
    with database.writing() as connection:
        if not database.is_sqlite:  # two that refresh at a time would write the same rows
            connection.execute(text("LOCK TABLE facets IN EXCLUSIVE MODE"))
        stale = sorted(set(connection.execute(delete(STALE).returning(STALE.c.chunk)).scalars()))
        for number, chunk in enumerate(stale, start=1):
            connection.execute(delete(FACETS).where(FACETS.c.chunk == chunk))
            rows = [
                {"field": field, "chunk": chunk, "data": facet.packed()}
                for field, facet in _facets(connection, chunk).items()
            ]
            connection.execute(insert(FACETS), rows)
            if len(stale) > FEW_CHUNKS:
                progress("bring the search up to date", number, len(stale))


def _facets(connection: Connection, chunk: int) -> dict[str, Facet]:
    wanted = {column.name: column for column, _ in SERIES_FIELDS.values()}
    wanted |= {column.name: column for column in (*COUNTED.values(), SERIES.c.uid, SERIES.c.patient)}
    found = connection.execute(select(*wanted.values()).where(_within(SERIES.c.patient, chunk))).all()
    rows = sorted(found, key=attrgetter("patient_id", "modality", "uid", "key"))
    columns: dict[str, Sequence[Any]] = dict(zip(wanted, zip(*rows, strict=True), strict=True)) if rows else {}
    told = {name: columns.get(column.name, ()) for name, column in COUNTED.items()}
    facets = {name: _facet(values) for name, values in told.items()}
    for name, (column, number) in SERIES_FIELDS.items():
        facets[name] = _facet(columns.get(column.name, ()), ready=_number if number else _text)
    places = list(zip(columns.get("patient", ()), columns.get("series_uid", ()), strict=True))
    return facets | {ROI: _regions(connection, chunk, places)} | _cells(connection, chunk, columns.get("patient", ()))


def _within(patient: ColumnElement[int], chunk: int) -> ColumnElement[bool]:
    return patient.between(chunk * PATIENTS_PER_CHUNK, (chunk + 1) * PATIENTS_PER_CHUNK - 1)


def _text(value: str | None) -> Any:
    return () if value is None else folded(value)


def _number(value: float | None) -> Any:
    return () if value is None else value


def _facet(values: Sequence[Any], *, ready: Callable[[Any], Any] | None = None) -> Facet:
    """Number the distinct values and make them ready to be compared."""
    numbers = {value: number for number, value in enumerate(dict.fromkeys(values))}
    return _coded(list(map(ready, numbers) if ready else numbers), map(numbers.__getitem__, values))


def _coded(entries: Sequence[Any], codes: Iterable[int]) -> Facet:
    head = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    return Facet(head, bytes(codes) if len(entries) <= BYTE_CODES else array("I", codes))


def _regions(connection: Connection, chunk: int, places: Sequence[tuple[int, str]]) -> Facet:
    """The regions of each volume, given by its patient and series: those that were drawn on it."""
    query = select(REGIONS.c.patient, REGIONS.c.series_uid, REGIONS.c.folded)
    drawn: dict[tuple[int, str], set[str]] = defaultdict(set)
    for patient, series_uid, name in connection.execute(query.where(_within(REGIONS.c.patient, chunk))):
        drawn[patient, series_uid].add(name)
    names = {place: tuple(sorted(found)) for place, found in drawn.items()}
    return _facet([names.get(place, ()) for place in places])


def _cells(connection: Connection, chunk: int, patients: Sequence[int]) -> dict[str, Facet]:
    """Facets for the columns of the tables that speak of patients of the chunk, whether they have volumes or not."""
    query = select(VALUES.c.name, VALUES.c.patient, VALUES.c.folded, VALUES.c.number, VALUES.c.unit)
    told: dict[str, dict[int, dict[str | float, None]]] = defaultdict(lambda: defaultdict(dict))
    for name, patient, said, number, unit in connection.execute(query.where(_within(VALUES.c.patient, chunk))):
        told[of_table(name)][patient][said] = None
        if number is not None:
            whole = int(number) if number.is_integer() else number  # read several times as fast
            for field in {of_table(name, what=NUMBERS), *([of_table(name, unit=unit)] if unit else [])}:
                told[field][patient][whole] = None
        elif said:
            told[of_table(name, what=WORDS)][patient][said] = None
    places: dict[int, list[int]] = defaultdict(list)
    for place, patient in enumerate(patients):
        places[patient].append(place)
    return {field: _sparse(told[field], places, len(patients)) for field in sorted(told)}


def _sparse(told: Mapping[int, Iterable[str | float]], places: Mapping[int, list[int]], size: int) -> Facet:
    """Most columns of records speak of few patients: the others' volumes have no value."""
    numbers: dict[tuple[str | float, ...], int] = {}
    codes = [NOTHING] * size
    for patient in told.keys() & places.keys():
        code = numbers.setdefault(tuple(told[patient]), len(numbers))
        for place in places[patient]:
            codes[place] = code
    if NOTHING in codes:
        without = numbers.setdefault((), len(numbers))
        codes = [without if code == NOTHING else code for code in codes]
    return _coded([one[0] if len(one) == 1 else one for one in numbers], codes)
