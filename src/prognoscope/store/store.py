"""One store: artefacts and catalogue in one folder."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError

from prognoscope.core.hashing import canonical_json
from prognoscope.core.problems import refuse
from prognoscope.store.artefacts import Artefacts
from prognoscope.store.catalogue import COUNTS, FILES, MEMOS, METADATA, RESULTS

BATCH = 500


@dataclass(frozen=True, slots=True)
class FileState:
    """Size, modification time and SHA-256 of a file when it was last hashed."""

    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Result:
    """Outputs of a stage by name, each the SHA-256 of an artefact, and when they were made."""

    key: str
    outputs: Mapping[str, str]
    created: datetime
    seconds: float


class Store:
    """Artefacts, memos, stage results and counters below one folder."""

    def __init__(self, folder: Path) -> None:
        """Open the store in `folder`, making it where there is none.

        Raises
        ------
        Refused
            `cannot-write` when the folder cannot be made, `store-unreadable` when its catalogue is not one.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise refuse(
                "cannot-write",
                subject=str(folder),
                found=f"{cause.strerror or cause}",
                remedy="choose another place with --store",
            ) from cause
        self.folder = folder
        self.artefacts = Artefacts(folder / "artefacts")
        self._engine = create_engine(f"sqlite:///{folder / 'catalogue.sqlite'}", connect_args={"timeout": 60})
        event.listen(self._engine, "connect", _durable)
        try:
            METADATA.create_all(self._engine)
        except DatabaseError as cause:
            raise refuse(
                "store-unreadable",
                subject=str(folder / "catalogue.sqlite"),
                found="it is not a catalogue that this version can read",
                remedy="give another folder with --store, or delete this one (it can be made again from the data)",
            ) from cause

    def close(self) -> None:
        """Let go of the catalogue's file."""
        self._engine.dispose()

    # -- files ---------------------------------------------------------------------------------------------------

    def known_files(self, prefix: str) -> dict[str, FileState]:
        """Return what is known of the files whose path begins with `prefix`, by path."""
        query = select(FILES).where(FILES.c.path.startswith(prefix, autoescape=True))
        with self._engine.connect() as connection:
            return {row.path: FileState(row.size, row.mtime_ns, row.sha256) for row in connection.execute(query)}

    def remember_files(self, states: Mapping[str, FileState]) -> None:
        """Note the state of files by path."""
        rows = [
            {"path": path, "size": state.size, "mtime_ns": state.mtime_ns, "sha256": state.sha256}
            for path, state in states.items()
        ]
        with self._engine.begin() as connection:
            _upsert(connection, FILES, rows, keys=("path",))

    # -- memos ---------------------------------------------------------------------------------------------------

    def memos(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the small results that are known, by key."""
        found: dict[str, bytes] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(keys), BATCH):
                query = select(MEMOS.c.key, MEMOS.c.value).where(MEMOS.c.key.in_(keys[start : start + BATCH]))
                found |= {row.key: row.value for row in connection.execute(query)}
        return found

    def remember(self, step: str, values: Mapping[str, bytes]) -> None:
        """Keep small results by key."""
        rows = [{"key": key, "step": step, "value": value} for key, value in values.items()]
        with self._engine.begin() as connection:
            _upsert(connection, MEMOS, rows, keys=("key",))

    # -- results of stages ---------------------------------------------------------------------------------------

    def result(self, key: str) -> Result | None:
        """Return the outputs of a stage under this key, or None where it has not run or an artefact is gone."""
        with self._engine.connect() as connection:
            row = connection.execute(select(RESULTS).where(RESULTS.c.key == key)).one_or_none()
        if row is None:
            return None
        outputs: dict[str, str] = json.loads(row.outputs)
        if not all(self.artefacts.has(name) for name in outputs.values()):
            return None
        return Result(key, outputs, row.created, row.seconds)

    def keep_result(
        self,
        key: str,
        *,
        stage: str,
        version: int,
        settings: object,
        inputs: Mapping[str, str],
        outputs: Mapping[str, bytes],
        program: str,
        seconds: float,
    ) -> Result:
        """Keep the outputs of a stage: artefacts first, then the row that makes them visible."""
        names = {name: self.artefacts.put(data) for name, data in outputs.items()}
        created = datetime.now(UTC)
        row = {
            "key": key,
            "stage": stage,
            "version": version,
            "settings": canonical_json(settings),
            "inputs": canonical_json(inputs),
            "outputs": canonical_json(names),
            "program": program,
            "created": created,
            "seconds": seconds,
        }
        with self._engine.begin() as connection:
            _upsert(connection, RESULTS, [row], keys=("key",))
        return Result(key, names, created, seconds)

    # -- counters ------------------------------------------------------------------------------------------------

    def count(self, cohort: str, what: str, key: str, number: int) -> None:
        """Note that `number` of something were done to a cohort under a key; the same key counts once."""
        row = {"cohort": cohort, "what": what, "key": key, "number": number, "created": datetime.now(UTC)}
        with self._engine.begin() as connection:
            _upsert(connection, COUNTS, [row], keys=("cohort", "what", "key"))

    def counted(self, cohort: str, what: str) -> int:
        """Return the sum of what was counted for a cohort."""
        query = select(func.sum(COUNTS.c.number)).where(COUNTS.c.cohort == cohort, COUNTS.c.what == what)
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)

    def first_counted(self, cohort: str, what: str) -> datetime | None:
        """Return when something was first counted for a cohort, or None."""
        query = select(func.min(COUNTS.c.created)).where(COUNTS.c.cohort == cohort, COUNTS.c.what == what)
        with self._engine.connect() as connection:
            first: datetime | None = connection.execute(query).scalar()
            return first


def _durable(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _upsert(connection: Connection, table: Any, rows: Iterable[Mapping[str, object]], *, keys: tuple[str, ...]) -> None:
    batch = list(rows)
    if not batch:
        return
    statement = insert(table)
    changed = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=changed), batch)
