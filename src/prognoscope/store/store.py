"""One store: artefacts, catalogue, audit log and what belongs to them, in one folder (or named by one)."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select

from prognoscope.core import hashing
from prognoscope.core.files import FileState
from prognoscope.core.hashing import canonical_json
from prognoscope.core.problems import Refused, refuse
from prognoscope.store.artefacts import Artefacts, cannot_write
from prognoscope.store.audit import Audit
from prognoscope.store.catalogue import COUNTS, FILES, LINEAGE, MEMOS, RESULTS
from prognoscope.store.database import Database
from prognoscope.store.descriptions import Descriptions
from prognoscope.store.gate import locked
from prognoscope.store.links import Links
from prognoscope.store.quarantine import Quarantine
from prognoscope.store.repository import Repository
from prognoscope.store.search import Search
from prognoscope.store.snapshots import Snapshots
from prognoscope.store.upgrade import bring_up_to_date
from prognoscope.store.volumes import Volumes

BATCH = 500
PLACES = "store.toml"
PLACE_KEYS = ("catalogue", "artefacts")


@dataclass(frozen=True, slots=True)
class Result:
    """Outputs of a stage by name, each the SHA-256 of an artefact, and when they were made."""

    key: str
    outputs: Mapping[str, str]
    created: datetime
    seconds: float


class Store:
    """Artefacts, memos, stage results, counters and the repository of what came in.

    Attributes
    ----------
    folder
        Where the store is; its parts lie there too unless its `store.toml` names other places.
    artefacts
        Bytes by their SHA-256.
    audit
        Who did what.
    repository
        The way in.
    volumes
        Image volumes and regions that the files make together.
    descriptions
        What owners of tables say of the columns.
    links
        Files that do not say themselves whose they are.
    quarantine
        What is kept aside.
    search
        Queries.
    snapshots
        Cohorts as they were.
    database
        The catalogue's transactions, for the rest of this room.
    """

    def __init__(self, folder: Path) -> None:
        """Open the store in `folder`, making it where there is none.

        Raises
        ------
        Refused
            `cannot-write` when the folder cannot be made, `store-unreadable` when its catalogue is not one,
            `store-newer`, `store-places` for a wrong `store.toml`, `postgres-missing`, `catalogue-failed`.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise cannot_write(folder, cause) from cause
        self.folder = folder
        places = _places(folder / PLACES)
        self.artefacts = Artefacts(places.get("artefacts", folder / "artefacts"))
        self.database = Database(places.get("catalogue", f"sqlite:///{folder / 'catalogue.sqlite'}"))
        with _alone_on_disk(folder, self.database):
            bring_up_to_date(self.database)
        self.audit = Audit(self.database, folder / "audit-head.json")
        self.audit.begin()
        self.repository = Repository(folder, self.database, self.artefacts, self.audit)
        self.volumes = Volumes(self.database, self.audit)
        self.descriptions = Descriptions(self.database, self.audit)
        self.links = Links(self.database, self.audit)
        self.quarantine = Quarantine(self.database, self.audit)
        self.search = Search(self.database)
        self.snapshots = Snapshots(
            self.database, self.artefacts, self.audit, self.repository, self.search, self.volumes,
            self.links, self.quarantine,
        )  # fmt: skip

    def close(self) -> None:
        """Let go of the catalogue."""
        self.database.close()

    def audit_note(self, action: str, record: str, detail: object = None) -> None:
        """Note an action that changes nothing else in the store."""
        with self.database.writing() as connection:
            self.audit.note(connection, action, record, detail)
        self.audit.anchor()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- files ---------------------------------------------------------------------------------------------------

    def known_files(self, prefix: str) -> dict[str, FileState]:
        """Return what is known of the files whose path begins with `prefix`, by path."""
        query = select(FILES).where(FILES.c.path.startswith(prefix, autoescape=True))
        with self.database.reading() as connection:
            return {row.path: FileState(row.size, row.mtime_ns, row.sha256) for row in connection.execute(query)}

    def remember_files(self, states: Mapping[str, FileState]) -> None:
        """Note the state of files by path."""
        rows = [
            {"path": path, "size": state.size, "mtime_ns": state.mtime_ns, "sha256": state.sha256}
            for path, state in states.items()
        ]
        with self.database.writing() as connection:
            self.database.upsert(connection, FILES, rows, keys=("path",))

    # -- memos ---------------------------------------------------------------------------------------------------

    def memos(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the small results that are known, by key."""
        found: dict[str, bytes] = {}
        with self.database.reading() as connection:
            for start in range(0, len(keys), BATCH):
                query = select(MEMOS.c.key, MEMOS.c.value).where(MEMOS.c.key.in_(keys[start : start + BATCH]))
                found |= {row.key: row.value for row in connection.execute(query)}
        return found

    def remember(self, step: str, values: Mapping[str, bytes]) -> None:
        """Keep small results by key."""
        rows = [{"key": key, "step": step, "value": value} for key, value in values.items()]
        with self.database.writing() as connection:
            self.database.upsert(connection, MEMOS, rows, keys=("key",))

    # -- results of stages ---------------------------------------------------------------------------------------

    def result(self, key: str) -> Result | None:
        """Return the outputs of a stage under this key, or None where it has not run or an artefact is gone."""
        with self.database.reading() as connection:
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
        names = {name: hashing.of_bytes(data) for name, data in outputs.items()}
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
        with self.repository.keeping({names[name]: data for name, data in outputs.items()}) as connection:
            self.database.upsert(connection, RESULTS, [row], keys=("key",))
        return Result(key, names, created, seconds)

    # -- counters ------------------------------------------------------------------------------------------------

    def count(self, cohort: str, what: str, key: str, number: int) -> None:
        """Note that `number` of something were done to a cohort under a key; the same key counts once."""
        row = {"cohort": cohort, "what": what, "key": key, "number": number, "created": datetime.now(UTC)}
        with self.database.writing() as connection:
            self.database.upsert(connection, COUNTS, [row], keys=("cohort", "what", "key"))

    def counted(self, cohort: str, what: str) -> int:
        """Return the sum of what was counted for a cohort."""
        query = select(func.sum(COUNTS.c.number)).where(COUNTS.c.cohort == cohort, COUNTS.c.what == what)
        with self.database.reading() as connection:
            return int(connection.execute(query).scalar() or 0)

    def first_counted(self, cohort: str, what: str) -> datetime | None:
        """Return when something was first counted for a cohort, or None."""
        query = select(func.min(COUNTS.c.created)).where(COUNTS.c.cohort == cohort, COUNTS.c.what == what)
        with self.database.reading() as connection:
            first: datetime | None = connection.execute(query).scalar()
            return first

    # -- lineage -------------------------------------------------------------------------------------------------

    def trace(self, made: str, sources: Mapping[str, Sequence[str]]) -> None:
        """Note what a value that is no artefact was made from, so that `history` leads on to it.

        Parameters
        ----------
        made
            Hash of the value as it stands among the inputs of a stage (a table, a cohort).
        sources
            By role (`table`, `patient STS_001`) the hashes of the files, artefacts or values it was made from.
        """
        rows = [
            {"made": made, "role": role[:200], "source": source}
            for role, hashes in sources.items()
            for source in sorted(set(hashes))
        ]
        with self.database.writing() as connection:
            self.database.insert_new(connection, LINEAGE, rows, keys=("made", "role", "source"))


def _places(path: Path) -> dict[str, str]:
    """Where catalogue and artefacts are, as `store.toml` says; nothing where there is no such file."""
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise _wrong_places(path, f"it is not TOML ({cause})") from cause
    wrong = [key for key, value in found.items() if key not in PLACE_KEYS or not isinstance(value, str)]
    if wrong:
        raise _wrong_places(path, f"{wrong[0]!r} is not a place it may name, or no text")
    return found


def _wrong_places(path: Path, found: str) -> Refused:
    return refuse(
        "store-places",
        subject=str(path),
        found=found,
        remedy='write catalogue = "postgresql+psycopg://user@host/name" and artefacts = "s3://…", or delete the file',
    )


def _alone_on_disk(folder: Path, database: Database) -> AbstractContextManager[None]:
    """A catalogue in the folder is made by one process; a server sees to that itself."""
    return locked(folder / "admission.lock") if database.is_sqlite else nullcontext()
