"""Who did what to which record: a log that is only added to, each entry holding the hash of the one before.

The number and hash of the newest entry also stand in a file apart from the database (the head). The chain tells of
every edit, deletion and exchange of entries; the head tells of entries that were cut off at the end, and of a log that
was written again. The head moves on only from an entry that the log still holds: what was changed stays told.
"""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, select, text

from prognoscope.core import hashing
from prognoscope.core.hashing import canonical_json
from prognoscope.core.problems import Problem
from prognoscope.store.artefacts import write_whole
from prognoscope.store.catalogue import AUDIT, OBJECTS, SNAPSHOTS
from prognoscope.store.database import Database
from prognoscope.store.gate import locked

START = "0" * 64
NOTHING = (0, START)  # the head of an empty log
MOST_FINDINGS = 20
USER = "PROGNOSCOPE_USER"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    number: int
    at: str
    who: str
    action: str
    record: str
    detail: str
    previous: str
    hash: str

    def computed(self) -> str:
        """The hash that these contents give."""
        return hashing.of_value([self.number, self.at, self.who, self.action, self.record, self.detail, self.previous])


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """What the check of the log found: how many entries there are, the head, and what is wrong."""

    entries: int
    head: str
    problems: tuple[Problem, ...]


def user() -> str:
    """Who is at work: the name in `PROGNOSCOPE_USER`, else the account of the system."""
    if name := os.environ.get(USER):
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def now() -> str:
    """The time in UTC as it is written in the catalogue."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


class Audit:
    """The log of one store; `head` is the file that holds its newest number and hash."""

    def __init__(self, database: Database, head: Path) -> None:
        self._database, self._head = database, head

    def note(self, connection: Connection, action: str, record: str, detail: object = None) -> None:
        """Add an entry in a transaction that writes; it is kept if the transaction is. Call `anchor` afterwards."""
        if not self._database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(7046118)"))
        last, previous = _newest(connection)
        entry = Entry(last + 1, now(), user(), action, record, canonical_json(detail), previous, "")
        row = {name: getattr(entry, name) for name in Entry.__slots__} | {"hash": entry.computed()}
        connection.execute(AUDIT.insert(), row)

    def begin(self) -> None:
        """Write the first head: of an empty log, or, where the log is a server's, when a folder first names it."""
        if self._head.exists():
            return
        lock = self._head.with_suffix(".lock")
        first_use = not self._database.is_sqlite and not lock.exists()
        with locked(lock), self._database.reading() as connection:
            newest = _newest(connection)
            if not self._head.exists() and (first_use or (newest == NOTHING and not _in_use(connection))):
                self._write(newest)

    def anchor(self) -> None:
        """Move the head to the newest entry, if the log goes on from the head that is there."""
        with locked(self._head.with_suffix(".lock")), self._database.reading() as connection:
            newest, known = _newest(connection), self._anchored()
            if known and newest[0] > known[0] and _holds(connection, known):
                self._write(newest)

    def _write(self, head: tuple[int, str]) -> None:
        write_whole(self._head, (json.dumps({"number": head[0], "hash": head[1]}) + "\n").encode())

    def entries(self, *, record: str = "", newest: int | None = None) -> tuple[Entry, ...]:
        """Return entries in their order: those of a record (or whose detail names it), and the newest only."""
        query = select(AUDIT).order_by(AUDIT.c.number.desc())
        if record:
            query = query.where((AUDIT.c.record == record) | AUDIT.c.detail.contains(record, autoescape=True))
        if newest is not None:
            query = query.limit(newest)
        with self._database.reading() as connection:
            return tuple(Entry(*row) for row in reversed(connection.execute(query).all()))

    def check(self, *, head: tuple[int, str] | None = None) -> AuditCheck:
        """Recompute the whole chain and compare it with its head.

        Parameters
        ----------
        head
            Number and hash that were written down elsewhere, checked besides the head's file.
        """
        problems: list[Problem] = []
        hashes: dict[int, str] = {}
        before, last = START, 0
        with self._database.reading() as connection:
            for row in connection.execute(select(AUDIT).order_by(AUDIT.c.number)):
                entry = Entry(*row)
                problems += _wrong(entry, before, last)
                before, last = entry.hash, entry.number
                hashes[entry.number] = entry.hash
            emptied = not hashes and _in_use(connection)
        anchored = self._anchored()
        if emptied:
            problems.append(
                _problem("audit-cut-off", "entry 1", "the log is empty, and the store is not: it was emptied")
            )
        if anchored is None and (hashes or emptied):
            problems.append(_problem("audit-head-missing", str(self._head), "the head's file is missing or unreadable"))
        for known in [known for known in (anchored, head) if known]:
            problems += _against(known, hashes, last)
        return AuditCheck(len(hashes), f"{last}:{before}", tuple(problems[:MOST_FINDINGS]))

    def _anchored(self) -> tuple[int, str] | None:
        try:
            document = json.loads(self._head.read_text(encoding="utf-8"))
            return int(document["number"]), str(document["hash"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


def parse_head(written: str) -> tuple[int, str] | None:
    """Read `NUMBER:HASH` as `audit verify` prints it; None when it is something else."""
    number, _, value = written.partition(":")
    return (int(number), value) if number.isdigit() and len(value) == len(START) else None


def _newest(connection: Connection) -> tuple[int, str]:
    query = select(AUDIT.c.number, AUDIT.c.hash).order_by(AUDIT.c.number.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return (row.number, row.hash) if row else NOTHING


def _in_use(connection: Connection) -> bool:
    """Whether something came in or was frozen, which a log tells of: an empty one was emptied."""
    kept = (select(OBJECTS.c.sha256).limit(1), select(SNAPSHOTS.c.id).limit(1))
    return any(connection.execute(query).scalar() is not None for query in kept)


def _holds(connection: Connection, head: tuple[int, str]) -> bool:
    found = connection.execute(select(AUDIT.c.hash).where(AUDIT.c.number == head[0])).scalar()
    return head in (NOTHING, (head[0], found))


def _wrong(entry: Entry, before: str, last: int) -> Sequence[Problem]:
    subject = f"entry {entry.number}"
    found = []
    if entry.number != last + 1:
        gone = f"entry {last + 1} is" if entry.number == last + 2 else f"entries {last + 1} to {entry.number - 1} are"
        found.append(_problem("audit-entry-missing", subject, f"{gone} missing before it"))
    if entry.computed() != entry.hash:
        found.append(_problem("audit-entry-changed", subject, "its contents do not give its hash: it was edited"))
    if entry.previous != before and entry.number == last + 1:
        found.append(_problem("audit-chain-broken", subject, "it does not follow from the entry before it"))
    return found


def _against(known: tuple[int, str], hashes: dict[int, str], last: int) -> Sequence[Problem]:
    number, value = known
    if number > last:
        text_ = f"the log ends at entry {last}, the head says {number}: the end was cut off"
        return (_problem("audit-cut-off", f"entry {number}", text_),)
    if known != NOTHING and hashes.get(number) != value:
        text_ = "it is not the entry that the head was written for: the log was written again"
        return (_problem("audit-rewritten", f"entry {number}", text_),)
    return ()


def _problem(code: str, subject: str, found: str) -> Problem:
    return Problem(
        code, f"audit log, {subject}", found, "compare with a backup of the catalogue and find out who had access to it"
    )
