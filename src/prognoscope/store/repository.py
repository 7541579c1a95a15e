"""Taking in: what is acknowledged is on the disk, in the catalogue and in the audit log, each content once.

A batch is taken in this order: its bytes lie in a tray on the disk; the catalogue notes which artefacts will be put in
place; they are; one transaction makes all of them visible and takes the note away. A writer that is killed leaves at
most a note and a tray, and the next one removes what only these name.
"""

from __future__ import annotations

import json
import operator
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, Table, delete, func, select

from prognoscope.core.problems import Problem, Refused
from prognoscope.store import gate
from prognoscope.store.artefacts import Artefacts
from prognoscope.store.audit import Audit, now
from prognoscope.store.catalogue import (
    ARRIVALS,
    INSTANCES,
    OBJECTS,
    PENDING,
    QUARANTINE,
    RESULTS,
    SNAPSHOTS,
    SOURCES,
    TABLES,
    WAITING,
)
from prognoscope.store.cells import keep_tables, note_arrivals, note_departures
from prognoscope.store.database import ROWS_PER_STATEMENT, Database
from prognoscope.store.quarantine import row_of
from prognoscope.store.records import Arrival, FrozenTable, InstanceRecord, too_long
from prognoscope.store.staging import sweep


@dataclass(frozen=True, slots=True)
class Admitted:
    """What became of a batch.

    Attributes
    ----------
    new
        Contents that were not there before, by kind.
    known
        Files whose content was there.
    quarantined
        Problems of those that are kept aside.
    restored
        Of the known, contents that the store had lost and has again.
    """

    new: Mapping[str, int]
    known: int
    quarantined: tuple[Problem, ...]
    restored: int = 0


@dataclass(frozen=True, slots=True)
class KnownFile:
    """Size, time of change and content of a file when it came in last."""

    size: int
    mtime_ns: int
    sha256: str


class Repository:
    """The way of bytes and their descriptions into a store."""

    def __init__(self, folder: Path, database: Database, artefacts: Artefacts, audit: Audit) -> None:
        self._folder, self._database, self._artefacts, self._audit = folder, database, artefacts, audit

    def among_writers(self) -> AbstractContextManager[None]:
        """Hold this while taking in: it keeps others from tidying up."""
        return gate.among_writers(self._folder, self._database)

    def tray(self, batch: str) -> Path:
        """The folder in which the bytes of a batch wait."""
        return self._folder / "incoming" / batch

    def recover(self) -> int:
        """Remove what killed writers left; return the number of artefacts removed (0 while others write)."""
        with gate.without_writers(self._folder, self._database) as alone:
            if not alone:
                return 0
            removed = 0
            with self._database.reading() as connection:
                notes = connection.execute(select(PENDING)).all()
                acknowledged = {name for note in notes for name in _acknowledged(connection, json.loads(note.names))}
            for note in notes:
                for name in json.loads(note.names):
                    if name not in acknowledged and self._artefacts.has(name):
                        self._artefacts.place.discard(name)
                        removed += 1
            if notes:
                with self._database.writing() as connection:
                    connection.execute(delete(PENDING))
            sweep(self._folder / "incoming")
            self._audit.anchor()
        return removed

    def known_files(self, source: str) -> dict[str, KnownFile]:
        """Return what came in from a source, by path: the content that each file had last."""
        columns = (ARRIVALS.c.path, ARRIVALS.c.size, ARRIVALS.c.mtime_ns, ARRIVALS.c.sha256)
        query = select(*columns).where(ARRIVALS.c.source == source, ARRIVALS.c.current)
        with self._database.reading() as connection:
            return {row.path: KnownFile(row.size, row.mtime_ns, row.sha256) for row in connection.execute(query)}

    def open_source(self, source: str, *, licence: str) -> None:
        """Note that data come from a source; a licence that was stated stays until another is."""
        with self._database.writing() as connection:
            known = connection.execute(select(SOURCES).where(SOURCES.c.source == source)).one_or_none()
            stated = licence or (known.licence if known else "")
            row = {"source": source, "licence": stated, "first": known.first if known else now(), "last": now()}
            self._database.upsert(connection, SOURCES, [row], keys=("source",))

    def depart(self, source: str, paths: Sequence[str]) -> None:
        """Note that a source has some of its files no more; what came of them is kept."""
        with self._database.writing() as connection:
            note_departures(connection, source, paths)
            self._audit.note(connection, "depart", source, {"files": len(paths)})
        self._audit.anchor()

    def admit(
        self,
        source: str,
        batch: str,
        arrivals: Sequence[Arrival],
        *,
        verify: bool = False,
        same: Callable[[bytes, bytes], bool] = operator.eq,
    ) -> Admitted:
        """Acknowledge a batch whose bytes lie in its tray.

        A content that is known but whose artefact is gone (with `verify`: or changed) is put in its place again. Of two
        files with one SOPInstanceUID and other bytes, `same` says whether they hold the same instance.

        Raises
        ------
        Refused
            `cannot-write`, `catalogue-failed`: nothing of the batch was acknowledged.
        """
        with gate.locked(self._folder / "admission.lock"):
            with self._database.reading() as connection:
                known = _present(connection, OBJECTS, [one.sha256 for one in arrivals if one.sha256])
                judged, fresh = _judge(connection, arrivals, known, self._compare(batch, same))
            staged = known & {one.sha256 for one in arrivals if one.staged}
            lost = [name for name in sorted(staged) if self._artefacts.is_lost(name, thoroughly=verify)]
            names = sorted({*fresh, *lost})
            if names:
                note = {"batch": batch, "names": json.dumps(names)}
                with self._database.writing() as connection:
                    self._database.upsert(connection, PENDING, [note], keys=("batch",))
                self._artefacts.place.admit(self.tray(batch), names)
            with self._database.writing() as connection:
                self._insert(connection, source, batch, judged, fresh)
                if lost:
                    self._audit.note(connection, "restore", batch, {"source": source, "objects": lost})
                connection.execute(delete(PENDING).where(PENDING.c.batch == batch))
            self._audit.anchor()
        sweep(self.tray(batch))
        return replace(_summary(judged, fresh), restored=len(lost))

    def _compare(self, batch: str, same: Callable[[bytes, bytes], bool]) -> Callable[[str, str], bool]:
        """Compare contents by their names: in the tray, or in their place; one that is lost is like no other."""

        def bytes_of(name: str) -> bytes:
            waiting = self.tray(batch) / name
            return waiting.read_bytes() if waiting.exists() else self._artefacts.get(name)

        def compare(one: str, other: str) -> bool:
            try:
                return same(bytes_of(one), bytes_of(other))
            except Refused:
                return False

        return compare

    @contextmanager
    def keeping(self, contents: Mapping[str, bytes]) -> Iterator[Connection]:
        """Put artefacts in place (by their names) and make them visible in the transaction that is given.

        Raises
        ------
        Refused
            `cannot-write`, `catalogue-failed`: nothing is visible then.
        """
        batch = uuid.uuid4().hex
        note = {"batch": batch, "names": json.dumps(sorted(contents))}
        with self.among_writers():
            with self._database.writing() as connection:
                self._database.upsert(connection, PENDING, [note], keys=("batch",))
            for name, data in contents.items():
                if not self._artefacts.has(name):
                    self._artefacts.place.write(name, data)
            with self._database.writing() as connection:
                yield connection
                connection.execute(delete(PENDING).where(PENDING.c.batch == batch))

    def waiting(self) -> tuple[str, ...]:
        """Return the patients whose series must be put together, sorted."""
        with self._database.reading() as connection:
            return tuple(connection.execute(select(WAITING.c.patient_id).order_by(WAITING.c.patient_id)).scalars())

    def headers(self, patients: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
        """Return `(sha256, header)` of all instances of some patients, by patient and sorted."""
        query = (
            select(INSTANCES.c.patient_id, INSTANCES.c.sha256, INSTANCES.c.header)
            .where(INSTANCES.c.patient_id.in_(patients))
            .order_by(INSTANCES.c.patient_id, INSTANCES.c.sha256)
        )
        found: dict[str, list[tuple[str, str]]] = {patient: [] for patient in patients}
        with self._database.reading() as connection:
            for row in connection.execute(query):
                found[row.patient_id].append((row.sha256, row.header))
        return found

    def of_series(self, series_uid: str) -> tuple[str, ...]:
        """Return the contents of a series, in the order of their UIDs."""
        query = select(INSTANCES.c.sha256).where(INSTANCES.c.series_uid == series_uid).order_by(INSTANCES.c.sop_uid)
        with self._database.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def origins(self, names: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Return `(source, path)` of contents, the first of each."""
        found: dict[str, tuple[str, str]] = {}
        with self._database.reading() as connection:
            for part in _parts(names):
                query = select(ARRIVALS.c.sha256, ARRIVALS.c.source, ARRIVALS.c.path)
                query = query.where(ARRIVALS.c.sha256.in_(part)).order_by(ARRIVALS.c.source, ARRIVALS.c.path)
                for row in connection.execute(query):
                    found.setdefault(row.sha256, (row.source, row.path))
        return found

    def source_files(self) -> tuple[tuple[str, str, str], ...]:
        """Return `(source, path, sha256)` of every file of a folder, as it came in last, sorted."""
        columns = (ARRIVALS.c.source, ARRIVALS.c.path, ARRIVALS.c.sha256)
        query = select(*columns).where(ARRIVALS.c.current).order_by(ARRIVALS.c.source, ARRIVALS.c.path)
        with self._database.reading() as connection:
            return tuple(
                (row.source, row.path, row.sha256)
                for row in connection.execute(query)
                if row.source.startswith("/") and "!/" not in row.path
            )

    def current_tables(self) -> tuple[FrozenTable, ...]:
        """Return the tables and records of which a source has this very content now, sorted by place."""
        columns = (TABLES.c.sha256, TABLES.c.source, TABLES.c.path)
        current = select(ARRIVALS.c.sha256).where(ARRIVALS.c.current)
        query = select(*columns).where(TABLES.c.sha256.in_(current)).order_by(TABLES.c.source, TABLES.c.path)
        with self._database.reading() as connection:
            return tuple(FrozenTable(*row) for row in connection.execute(query))

    def total(self) -> Mapping[str, int]:
        """Number of contents by kind, and of quarantined subjects."""
        by_kind = select(OBJECTS.c.kind, func.count()).group_by(OBJECTS.c.kind).order_by(OBJECTS.c.kind)
        held = select(func.count()).select_from(QUARANTINE).where(QUARANTINE.c.released == "")
        with self._database.reading() as connection:
            counts = {str(kind): int(number) for kind, number in connection.execute(by_kind)}
            return counts | {"quarantined": int(connection.execute(held).scalar() or 0)}

    def _insert(
        self, connection: Connection, source: str, batch: str, arrivals: Sequence[Arrival], fresh: Mapping[str, Arrival]
    ) -> None:
        database, created = self._database, now()
        objects = [
            {"sha256": name, "size": one.size, "kind": one.kind, "batch": batch, "created": created}
            for name, one in sorted(fresh.items())
        ]
        database.insert_new(connection, OBJECTS, objects, keys=("sha256",))
        instances = [
            {
                "sha256": name,
                "sop_uid": one.instance.sop_uid,
                "series_uid": one.instance.series_uid,
                "patient_id": one.instance.patient_id,
                "header": one.instance.header,
                "damaged": one.instance.damaged,
            }
            for name, one in sorted(fresh.items())
            if one.instance
        ]
        mended = [str(row["sop_uid"]) for row in instances if not row["damaged"]]
        for part in _parts(mended):
            connection.execute(delete(INSTANCES).where(INSTANCES.c.sop_uid.in_(part), INSTANCES.c.damaged))
        database.insert_new(connection, INSTANCES, instances, keys=("sha256",))
        touched = sorted({str(row["patient_id"]) for row in instances})
        database.insert_new(connection, WAITING, [{"patient_id": name} for name in touched], keys=("patient_id",))
        note_arrivals(database, connection, source, batch, arrivals)
        held = [row_of(source, one, created) for one in arrivals if one.problem]
        database.insert_new(connection, QUARANTINE, held, keys=("key",))
        keep_tables(database, connection, source, batch, arrivals, fresh)
        if fresh or held:
            detail = {"source": source, "objects": sorted(fresh), "quarantined": len(held)}
            self._audit.note(connection, "ingest", batch, detail)


def _judge(
    connection: Connection, arrivals: Sequence[Arrival], known: set[str], same: Callable[[str, str], bool]
) -> tuple[list[Arrival], dict[str, Arrival]]:
    """Return the arrivals with what only the catalogue knows of them, and those whose content is new, by content."""
    headers = _headers(connection, [one.instance.sop_uid for one in arrivals if one.instance])
    judged: list[Arrival] = []
    fresh: dict[str, Arrival] = {}
    for one in arrivals:
        if not one.staged or one.sha256 in known or one.sha256 in fresh:
            judged.append(one)
            continue
        if one.instance:
            name, twin = headers.get(one.instance.sop_uid, ("", None))
            if twin and _same(twin.header, one.instance.header) and same(name, one.sha256):
                judged.append(one)  # the same instance in another envelope: nothing new in it
                continue
            one = _checked(one, twin)
            if one.instance and twin:
                _give_way(fresh, one.instance.sop_uid)
            if one.instance:
                headers[one.instance.sop_uid] = one.sha256, one.instance
        judged.append(one)
        fresh[one.sha256] = one
    return judged, fresh


def _same(header: str, other: str) -> bool:
    """Whether two headers may tell the same instance; notes and the hash of packed pixels speak of the envelope."""
    envelope: dict[str, object] = {"notes": [], "pixel_hash": ""}
    return header == other or json.loads(header) | envelope == json.loads(other) | envelope


def _checked(one: Arrival, twin: InstanceRecord | None) -> Arrival:
    """The arrival, quarantined where its identity is unusable or taken; a damaged file gives way to a sound one."""
    assert one.instance is not None
    if unusable := too_long(one.instance):
        return _held(one, "identifier-unusable", unusable, "export the file again from its source")
    if twin is None or (twin.damaged and not one.instance.damaged):
        return one
    if one.instance.damaged:
        return replace(one, instance=None)
    return _held(
        one,
        "instance-differs",
        f"another file with SOPInstanceUID {one.instance.sop_uid} and other contents came in before it",
        "find out which of the two is right; `prognoscope history` names the source of each",
    )


def _give_way(fresh: dict[str, Arrival], sop_uid: str) -> None:
    """A damaged file of the same batch stays in quarantine, but is its instance no more."""
    for name, other in fresh.items():
        if other.instance and other.instance.sop_uid == sop_uid:
            fresh[name] = replace(other, instance=None)


def _held(one: Arrival, code: str, found: str, remedy: str) -> Arrival:
    problem = Problem(code, one.path, found, remedy)
    return Arrival(one.path, one.size, one.mtime_ns, one.sha256, one.kind, one.staged, None, None, problem)


def _headers(connection: Connection, uids: Sequence[str]) -> dict[str, tuple[str, InstanceRecord]]:
    """The instances that bear some UIDs with their contents' names, by UID."""
    found: dict[str, tuple[str, InstanceRecord]] = {}
    for part in _parts(uids):
        for row in connection.execute(select(INSTANCES).where(INSTANCES.c.sop_uid.in_(part))):
            record = InstanceRecord(row.sop_uid, row.series_uid, row.patient_id, row.header, damaged=row.damaged)
            found[row.sop_uid] = row.sha256, record
    return found


def _acknowledged(connection: Connection, names: Sequence[str]) -> set[str]:
    found = _present(connection, OBJECTS, names)
    found |= set(connection.execute(select(SNAPSHOTS.c.id).where(SNAPSHOTS.c.id.in_(names))).scalars())
    for name in set(names) - found:
        made = select(RESULTS.c.key).where(RESULTS.c.outputs.contains(name, autoescape=True)).limit(1)
        if connection.execute(made).scalar() is not None:
            found.add(name)
    return found


def _present(connection: Connection, table: Table, names: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for part in _parts(names):
        found |= set(connection.execute(select(table.c.sha256).where(table.c.sha256.in_(part))).scalars())
    return found


def _parts(names: Sequence[str]) -> Iterable[Sequence[str]]:
    return (names[start : start + ROWS_PER_STATEMENT] for start in range(0, len(names), ROWS_PER_STATEMENT))


def _summary(judged: Sequence[Arrival], fresh: Mapping[str, Arrival]) -> Admitted:
    new: dict[str, int] = {}
    for one in fresh.values():
        name = "quarantined" if one.problem else one.kind
        new[name] = new.get(name, 0) + 1
    problems = tuple(one.problem for one in judged if one.problem)
    known = len([one for one in judged if one.sha256 and one.problem is None]) - sum(
        number for name, number in new.items() if name != "quarantined"
    )
    return Admitted(new, known, problems)
