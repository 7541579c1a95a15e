"""Gather from the store: a study that names a query sees the snapshot which its first run froze, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from prognoscope.core.problems import Problem, refuse
from prognoscope.core.work import Mapper
from prognoscope.jobs.ingest import ingest
from prognoscope.store import Frozen, FrozenTable, Snapshot, Store
from prognoscope.study.data import PIVOTED, STORED
from prognoscope.study.file import StudyFile
from prognoscope.study.stages.gather import Gathered
from prognoscope.study.stages.recorded import documents_below, documents_of, table_with_records


def gather_stored(file: StudyFile, *, store: Store, mapper: Mapper, verify: bool = False) -> Gathered:
    """Find the series and regions of a study in the store; a folder that it names is taken in first.

    The first run of a query freezes what it finds under the name of the study (or of `snapshot:`); every later run
    reads that snapshot, whatever came in since. What was in quarantine is among the refused series, and so in the
    participant flow.

    Raises
    ------
    Refused
        `snapshot-unknown`, `snapshot-exists`, `query-syntax`, `query-field`, `query-value`, `query-empty`, and what an
        ingest refuses.
    """
    if file.images is not None:
        ingest(file.images, store=store.folder, mapper=mapper, verify=verify)
    snapshot = _snapshot(file, store)
    frozen = store.snapshots.open(snapshot)
    return Gathered(
        root=store.artefacts,
        index=frozen.index,
        notes=_in_quarantine(frozen, snapshot),
        news=_since(snapshot, store),
        snapshot=snapshot,
        members=frozenset(frozen.patients),
        table=_table(file.study.data.table, frozen, snapshot),
        external_table=_table(apart.table, frozen, snapshot) if (apart := file.study.data.external) else None,
        records=frozen.tables,
    )


@dataclass(frozen=True, slots=True)
class Tables:
    """A study's table and that of a second source as files, and what the participant flow must tell of them."""

    own: Path
    external: Path | None
    notes: tuple[Problem, ...] = ()


@contextmanager
def tables_of(file: StudyFile, gathered: Gathered | None, store: Store) -> Iterator[Tables]:
    """Give the study's tables; those of a snapshot, and what is made of records, for as long as needed."""
    with TemporaryDirectory() as folder:

        def written(table: FrozenTable | None, place: str) -> Path | None:
            if table is None:
                return None
            path = Path(folder) / place / PurePosixPath(table.path).name
            path.parent.mkdir()
            path.write_bytes(store.artefacts.get(table.sha256))
            return path

        own = written(gathered.table, "own") if gathered else None
        other = written(gathered.external_table, "external") if gathered else None
        if file.study.data.records is None:
            yield Tables(own or file.table, other or file.external_table)
            return
        documents = documents_below(file.records) if file.records else documents_of(store, gathered)
        beside = (own or file.table) if file.study.data.table else None
        members = gathered.members if gathered else None
        data, notes = table_with_records(file.study, beside, documents, members)
        made = Path(folder) / PIVOTED
        made.write_bytes(data)
        yield Tables(made, None, notes)


def _snapshot(file: StudyFile, store: Store) -> Snapshot:
    data = file.study.data
    if data.query is None:
        return store.snapshots.find(data.snapshot)
    if not data.snapshot:
        return store.snapshots.freeze_for(file.name, data.query)
    known = next((one for one in store.snapshots.all() if one.name == data.snapshot), None)
    if known and known.query == data.query:
        return known
    return store.snapshots.freeze(data.query, name=data.snapshot)


def _table(wanted: str, frozen: Frozen, snapshot: Snapshot) -> FrozenTable | None:
    if not wanted.startswith(STORED):
        return None
    parts = PurePosixPath(wanted.removeprefix(STORED)).parts
    found = [one for one in frozen.tables if parts and _parts(one)[-len(parts) :] == parts]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{one.path} of {one.source}" for one in found or frozen.tables) or "none"
    raise refuse(
        "table-not-stored",
        subject=f"table {wanted}",
        found=f"{len(found) or 'no'} tables of snapshot {snapshot.name} have this name; there are: {listed}",
        remedy="name one of them by the end of its path, or ingest it and name a new snapshot",
    )


def _parts(table: FrozenTable) -> tuple[str, ...]:
    return PurePosixPath(table.path.replace("!/", "/")).parts


def _in_quarantine(frozen: Frozen, snapshot: Snapshot) -> tuple[Problem, ...]:
    """Notes on what lay in quarantine and belongs to no series, so that no participant can be named for it."""
    return tuple(
        Problem(
            "files-quarantined",
            f"snapshot {snapshot.name}",
            f"{number} files lay in quarantine: {code}",
            "see which: prognoscope quarantine list",
        )
        for code, number in frozen.aside
    )


def _since(snapshot: Snapshot, store: Store) -> tuple[Problem, ...]:
    """Say how the store of today differs from the snapshot; it changes nothing in the study."""
    now = store.snapshots.compare(snapshot)
    if now.empty:
        return ()
    told = (
        (len(now.added_patients), "patients came in"),
        (len(now.added), "series came in"),
        (len(now.changed), "series changed"),
        (len(now.removed), "series are found no more"),
        (len(now.changed_regions), "region sets changed"),
    )
    words = [f"{number} {what}" for number, what in told if number] + ["tables changed"] * bool(now.changed_tables)
    return (
        Problem(
            "snapshot-older",
            f"snapshot {snapshot.name} ({snapshot.id[:12]}) of {snapshot.created[:10]}",
            "since then " + ", ".join(words),
            f"nothing, this study stays as it was: prognoscope diff {snapshot.name} lists them, and another "
            "`snapshot:` name in the study file takes them in",
        ),
    )
