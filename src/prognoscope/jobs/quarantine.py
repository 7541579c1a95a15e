"""What is kept aside, and letting go of it with a reason."""

from __future__ import annotations

from pathlib import Path

from prognoscope.jobs.query import existing
from prognoscope.store import Held


def list_quarantine(store: str | Path, *, released: bool = False) -> tuple[Held, ...]:
    """Return what is held, with `released` what was let go too; refuses `store-missing`."""
    with existing(store) as opened:
        return opened.quarantine.held(released=released)


def release(key: str, *, reason: str, store: str | Path) -> Held:
    """Let go of one thing with a reason; refuses as `Quarantine.release` does."""
    with existing(store) as opened:
        return opened.quarantine.release(key, reason=reason)
