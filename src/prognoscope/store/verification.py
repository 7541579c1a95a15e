"""Is everything there, and as it was written: every artefact hashed again and compared with the catalogue."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select

from prognoscope.core.problems import Problem, Refused
from prognoscope.core.work import Mapper
from prognoscope.store.artefacts import Artefacts
from prognoscope.store.catalogue import ARRIVALS, AUDIT, INSTANCES, OBJECTS, PENDING, QUARANTINE, RESULTS, SNAPSHOTS
from prognoscope.store.database import ROWS_PER_STATEMENT
from prognoscope.store.records import plain
from prognoscope.store.store import Store

NAMES_PER_ITEM = 128
Identity = tuple[str, ...]  # SOPInstanceUID, SeriesInstanceUID and PatientID
Identify = Callable[[bytes], Identity]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a verification found: how many artefacts were hashed, and what is missing, changed or unaccounted for."""

    artefacts: int
    problems: tuple[Problem, ...]
    orphans: tuple[str, ...]


def verify_artefacts(store: Store, mapper: Mapper, *, identify: Identify) -> Verified:
    """Hash every artefact that the catalogue names; name those that it does not.

    `identify` reads a DICOM file's SOPInstanceUID, SeriesInstanceUID and PatientID, or nothing where it cannot: what
    the catalogue says of an instance must be what its file says.
    """
    named, instances = _named(store), _instances(store)
    names = sorted(named)
    chunks = [
        tuple((name, instances.get(name)) for name in names[start : start + NAMES_PER_ITEM])
        for start in range(0, len(names), NAMES_PER_ITEM)
    ]
    check = partial(check_names, store.artefacts, identify)
    results = mapper(check, chunks, label="hash artefacts") if chunks else iter(())
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


def check_names(
    artefacts: Artefacts, identify: Identify, expected: Sequence[tuple[str, Identity | None]]
) -> list[tuple[str, Problem]]:
    """Hash some artefacts and compare instances with what the catalogue says of them; return the problems by name."""
    found = []
    for name, identity in expected:
        try:
            data = artefacts.get(name)
            told = () if identity is None else tuple(map(plain, identify(data)))
            if told and told != identity:
                found.append((name, _contradicted(name, told, identity)))
        except Refused as refused:
            found.append((name, refused.problem))
    return found


def _contradicted(name: str, told: Identity, identity: Identity | None) -> Problem:
    of_file, of_catalogue = (", ".join(one or ("nothing",)) for one in (told, identity))
    return Problem(
        "instance-contradicts",
        f"artefact {name}",
        f"the file is {of_file}; the catalogue says {of_catalogue}",
        "compare with a backup of the catalogue and find out who had access to it",
    )


def _instances(store: Store) -> dict[str, Identity]:
    """What the catalogue says of every DICOM file; nothing of one that it should know and does not."""
    columns = (INSTANCES.c.sha256, INSTANCES.c.sop_uid, INSTANCES.c.series_uid, INSTANCES.c.patient_id)
    held = select(QUARANTINE.c.sha256)
    files = select(OBJECTS.c.sha256).where(OBJECTS.c.kind == "dicom", OBJECTS.c.sha256.not_in(held))
    with store.database.reading() as connection:
        told: dict[str, Identity] = dict.fromkeys(connection.execute(files).scalars(), ())
        return told | {sha256: tuple(identity) for sha256, *identity in connection.execute(select(*columns))}


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
