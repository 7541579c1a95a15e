"""Read and check the audit log."""

from __future__ import annotations

from pathlib import Path

from prognoscope.core.problems import refuse
from prognoscope.jobs.query import existing
from prognoscope.store import AuditCheck, Entry, parse_head


def verify_log(store: str | Path, *, head: str = "") -> AuditCheck:
    """Recompute the log's chain and compare it with its head.

    Parameters
    ----------
    store
        The store's folder.
    head
        `NUMBER:HASH` as an earlier check printed it and someone wrote it down elsewhere.

    Raises
    ------
    Refused
        `store-missing`, `head-unreadable`.
    """
    known = parse_head(head) if head else None
    if head and known is None:
        raise refuse(
            "head-unreadable",
            subject="--head",
            found=f"{head[:80]!r} is not NUMBER:HASH",
            remedy="give it as `prognoscope audit verify` prints it",
        )
    with existing(store) as opened:
        return opened.audit.check(head=known)


def read_log(store: str | Path, *, record: str = "", newest: int | None = 20) -> tuple[Entry, ...]:
    """Return the newest entries, or those that concern a record; refuses `store-missing`."""
    with existing(store) as opened:
        return opened.audit.entries(record=record, newest=newest)
