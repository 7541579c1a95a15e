"""What cannot be trusted: kept aside with its reason until a person releases it with a reason."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, select, update

from prognoscope.core import hashing
from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.store.audit import Audit, now, user
from prognoscope.store.catalogue import QUARANTINE, SERIES
from prognoscope.store.database import ROWS_PER_STATEMENT, Database
from prognoscope.store.records import Arrival, plain

SHORTEST_REASON = 3
KEY_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Held:
    """One thing in quarantine: `what` is `file`, `series`, `aside` (no image) or `quality`."""

    key: str
    what: str
    subject: str
    sha256: str
    patient_id: str
    source: str
    problem: Problem
    created: str
    released: str
    released_by: str
    reason: str


class Quarantine:
    """The quarantine of one store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database, self._audit = database, audit

    def held(self, *, released: bool = False) -> tuple[Held, ...]:
        """Return what is held, in the order of reason and subject; with `released` what was let go too."""
        query = select(QUARANTINE).order_by(QUARANTINE.c.code, QUARANTINE.c.subject, QUARANTINE.c.key)
        if not released:
            query = query.where(QUARANTINE.c.released == "")
        with self._database.reading() as connection:
            return tuple(_held(row) for row in connection.execute(query))

    def release(self, key: str, *, reason: str) -> Held:
        """Let go of one thing: a series that failed a check of quality is found by queries again.

        Parameters
        ----------
        key
            Its key, or at least the first eight characters of it.
        reason
            Why; it is kept with the name of whoever releases.

        Raises
        ------
        Refused
            `quarantine-unknown`, `quarantine-unusable` where there is nothing that could be used, `reason-missing`.
        """
        if len(reason.strip()) < SHORTEST_REASON:
            raise refuse("reason-missing", subject=key, found="no reason was given", remedy="give one with --reason")
        with self._database.writing() as connection:
            rows = connection.execute(select(QUARANTINE).where(QUARANTINE.c.key.startswith(key, autoescape=True))).all()
            if len(rows) != 1 or len(key) < 8:
                raise refuse(
                    "quarantine-unknown",
                    subject=key,
                    found=f"{len(rows) or 'no'} quarantined things have a key that begins so",
                    remedy="list the keys: prognoscope quarantine list",
                )
            held = _held(rows[0])
            if held.what != "quality":
                raise _unusable(held)
            changes = {"released": now(), "released_by": user(), "reason": plain(reason, 2000)}
            connection.execute(update(QUARANTINE).where(QUARANTINE.c.key == held.key).values(**changes))
            connection.execute(
                update(SERIES)
                .where(SERIES.c.key == held.sha256, SERIES.c.state == "quarantined")
                .values(state="released")
            )
            self._audit.note(connection, "release", held.key, {"subject": held.subject, "reason": reason})
        self._audit.anchor()
        return held

    def settle(self, source: str, codes: Collection[str], subjects: Collection[str]) -> None:
        """Let go of what was held of a source for one of some reasons, of subjects for which these are no more so."""
        query = select(QUARANTINE.c.key, QUARANTINE.c.subject)
        query = query.where(QUARANTINE.c.source == source, QUARANTINE.c.code.in_(codes), QUARANTINE.c.released == "")
        with self._database.writing() as connection:
            gone = [row.key for row in connection.execute(query).all() if row.subject in subjects]
            for start in range(0, len(gone), ROWS_PER_STATEMENT):
                keys = gone[start : start + ROWS_PER_STATEMENT]
                connection.execute(delete(QUARANTINE).where(QUARANTINE.c.key.in_(keys)))
            if gone:
                self._audit.note(connection, "settle", source, {"quarantined": len(gone)})
        self._audit.anchor()


def _unusable(held: Held) -> Refused:
    """Only a volume that was put together and failed a check can be used as it is."""
    return refuse(
        "quarantine-unusable",
        subject=held.subject,
        found=f"nothing could be used if it were released: {held.problem.found}",
        remedy=f"{held.problem.remedy}; what comes in sound takes its place",
    )


def row_of(source: str, one: Arrival, created: str) -> dict[str, Any]:
    """The row of a file that is quarantined as it comes in."""
    assert one.problem is not None
    return quarantine_row(
        "file", one.path, sha256=one.sha256, patient_id="", source=source, problem=one.problem, created=created
    )


def quarantine_row(
    what: str, subject: str, *, sha256: str, patient_id: str, source: str, problem: Problem, created: str
) -> dict[str, Any]:
    """A row of the quarantine; the same thing with the same problem has the same key."""
    return {
        "key": hashing.of_value([what, subject, sha256, source, problem.code]),
        "what": what,
        "subject": plain(subject, 4000),
        "sha256": sha256,
        "patient_id": plain(patient_id),
        "source": source,
        "code": problem.code,
        "found": plain(problem.found, 4000),
        "remedy": plain(problem.remedy, 2000),
        "created": created,
        "released": "",
        "released_by": "",
        "reason": "",
    }


def counts(held: Sequence[Held]) -> tuple[tuple[str, int], ...]:
    """How many things are held for each reason, the most frequent first."""
    tally: dict[str, int] = {}
    for one in held:
        tally[one.problem.code] = tally.get(one.problem.code, 0) + 1
    return tuple(sorted(tally.items(), key=lambda entry: (-entry[1], entry[0])))


def _held(row: Row[Any]) -> Held:
    problem = Problem(row.code, row.subject, row.found, row.remedy)
    return Held(
        key=row.key,
        what=row.what,
        subject=row.subject,
        sha256=row.sha256,
        patient_id=row.patient_id,
        source=row.source,
        problem=problem,
        created=row.created,
        released=row.released,
        released_by=row.released_by,
        reason=row.reason,
    )
