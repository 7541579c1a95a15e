"""Is everything there, and as it was written: every artefact hashed again and compared with the catalogue."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select

from prognoscope.core.problems import Problem, Refused
from prognoscope.core.work import Mapper
from prognoscope.store.artefacts import Artefacts
from prognoscope.store.catalogue import ARRIVALS, AUDIT, OBJECTS, PENDING, RESULTS, SNAPSHOTS
from prognoscope.store.database import ROWS_PER_STATEMENT
from prognoscope.store.store import Store

NAMES_PER_ITEM = 128


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found: how many artefacts were hashed, and what is missing, changed or unaccounted for."""

    artefacts: int
    problems: tuple[Problem, ...]
    orphans: tuple[str, ...]


def verify_artefacts(store: Store, mapper: Mapper) -> Verified:
    """Hash every artefact that the catalogue names; name those that it does not."""
    named = _named(store)
    names = sorted(named)
    chunks = [tuple(names[start : start + NAMES_PER_ITEM]) for start in range(0, len(names), NAMES_PER_ITEM)]
    results = mapper(partial(check_names, store.artefacts), chunks, label="hash artefacts") if chunks else iter(())
    wrong = dict(found for part in results for found in part)
    paths = _paths(store, sorted(wrong))
    problems = tuple(
        Problem(one.code, f"{one.subject} ({paths.get(name) or named[name]})", one.found, one.remedy)
        for name, one in sorted(wrong.items())
    )
    with store.database.reading() as connection:
        pending = {name for text in connection.execute(select(PENDING.c.names)).scalars() for name in json.loads(text)}
    orphans = tuple(name for name in store.artefacts.place.names() if name not in named and name not in pending)
    return Verified(len(names), (*problems, *_against_log(store)), orphans)


def check_names(artefacts: Artefacts, names: Sequence[str]) -> list[tuple[str, Problem]]:
    """Hash some artefacts; return the problems by name."""
    found = []
    for name in names:
        try:
            artefacts.get(name)
        except Refused as refused:
            found.append((name, refused.problem))
    return found


def _named(store: Store) -> dict[str, str]:
    """Every artefact that the catalogue names, and what it is."""
    with store.database.reading() as connection:
        named = {row.sha256: row.kind for row in connection.execute(select(OBJECTS.c.sha256, OBJECTS.c.kind))}
        for row in connection.execute(select(SNAPSHOTS.c.id, SNAPSHOTS.c.name)):
            named.setdefault(row.id, f"snapshot {row.name}")
        for row in connection.execute(select(RESULTS.c.stage, RESULTS.c.outputs)):
            for output, name in json.loads(row.outputs).items():
                named.setdefault(name, f"{output} of {row.stage}")
    return named


def _against_log(store: Store) -> tuple[Problem, ...]:
    """Objects that the audit log says came in and the catalogue lacks, and those of which the log says nothing."""
    with store.database.reading() as connection:
        details = connection.execute(select(AUDIT.c.detail).where(AUDIT.c.action == "ingest")).scalars()
        logged = {name for text in details for name in (json.loads(text) or {}).get("objects", ())}
        known = set(connection.execute(select(OBJECTS.c.sha256)).scalars())
    told = (
        ("object-gone", logged - known, "the audit log says that it came in, and the catalogue lacks it"),
        ("object-unlogged", known - logged, "the catalogue has it, and no entry of the audit log says that it came in"),
    )
    return tuple(
        Problem(code, f"artefact {name}", found, "compare with a backup of the store and find out who had access to it")
        for code, names, found in told
        for name in sorted(names)
    )


def _paths(store: Store, names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    with store.database.reading() as connection:
        for start in range(0, len(names), ROWS_PER_STATEMENT):
            query = select(ARRIVALS.c.sha256, ARRIVALS.c.path, ARRIVALS.c.source)
            part = names[start : start + ROWS_PER_STATEMENT]
            for row in connection.execute(query.where(ARRIVALS.c.sha256.in_(part)).order_by(ARRIVALS.c.path)):
                found.setdefault(row.sha256, f"{row.path} of {row.source}")
    return found
