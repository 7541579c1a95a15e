"""Cohorts as they were: a snapshot names every file by its content, so that data added later change nothing in it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

from sqlalchemy import select

from prognoscope.core import hashing
from prognoscope.core.hashing import canonical_json
from prognoscope.core.images import ImageIndex, ImageSeries, RefusedSeries
from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.store.artefacts import Artefacts
from prognoscope.store.audit import Audit, now, user
from prognoscope.store.catalogue import NAMES, SNAPSHOTS, TABLES, VALUES
from prognoscope.store.database import ROWS_PER_STATEMENT, Database
from prognoscope.store.links import Links
from prognoscope.store.quarantine import Held, Quarantine, counts
from prognoscope.store.records import (
    FrozenTable,
    regions_from_json,
    regions_to_json,
    series_from_json,
    series_to_json,
)
from prognoscope.store.repository import Repository
from prognoscope.store.search import Hit, Search
from prognoscope.store.volumes import Volumes

FORM = 2
SHORTEST_ID = 8
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A cohort that was frozen: the SHA-256 of its content, its name, the query, and how much it holds."""

    id: str
    name: str
    query: str
    created: str
    made_by: str
    patients: int
    series: int
    instances: int


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a snapshot holds.

    Attributes
    ----------
    index
        Volumes and regions, their files relative to the artefacts; `refused` are those that the query means too, but
        that were in quarantine.
    tables
        The tables that speak of its patients, each in the version that was the newest then.
    aside
        `(reason, number)` of the files in quarantine that belong to no series.
    patients
        Everybody of whom it holds a volume, sorted; the index leaves out who has pictures only.
    """

    index: ImageIndex
    tables: tuple[FrozenTable, ...]
    aside: tuple[tuple[str, int], ...]
    patients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a newer snapshot has and an older one has not, and the other way round.

    Volumes are `(patient, modality, UID)`; `changed` ones have the same name and other contents.
    """

    older: Snapshot
    newer: str
    added_patients: tuple[str, ...]
    removed_patients: tuple[str, ...]
    added: tuple[tuple[str, str, str], ...]
    removed: tuple[tuple[str, str, str], ...]
    changed: tuple[tuple[str, str, str], ...]
    changed_regions: tuple[tuple[str, str], ...]
    changed_tables: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether the two hold the same."""
        return not any(
            (self.added, self.removed, self.changed, self.changed_regions, self.changed_tables, self.added_patients)
        )


class Snapshots:
    """The snapshots of one store."""

    def __init__(
        self,
        database: Database,
        artefacts: Artefacts,
        audit: Audit,
        repository: Repository,
        search: Search,
        volumes: Volumes,
        links: Links,
        quarantine: Quarantine,
    ) -> None:
        self._database, self._artefacts, self._audit = database, artefacts, audit
        self._repository, self._search, self._volumes = repository, search, volumes
        self._links, self._quarantine = links, quarantine

    def freeze(self, query: str, *, name: str) -> Snapshot:
        """Keep what a query finds now; a name stands for one content, and the same again is the same snapshot.

        Raises
        ------
        Refused
            What the query refuses; `query-empty` when it finds nothing; `snapshot-name`; `snapshot-exists` when the
            name stands for another content.
        """
        if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
            raise refuse(
                "snapshot-name",
                subject=f"snapshot {name!r:.80}",
                found=f"a name is a line of at most {LONGEST_NAME} characters",
                remedy="choose another name",
            )
        content = self._content(query)
        data = canonical_json(content).encode()
        identity = hashing.of_bytes(data)
        patients = {entry["patient_id"] for entry in content["volumes"]}
        if not patients:
            raise self._nothing(query)
        named = [one for one in self.all() if one.name == name]
        if same := next((one for one in named if one.id == identity), None):
            return same
        if named:
            raise _exists(named[-1], query)
        files = sum(len(entry["files"]) for entry in content["volumes"])
        snapshot = Snapshot(identity, name, query, now(), user(), len(patients), len(content["volumes"]), files)
        with self._repository.keeping({identity: data}) as connection:
            row = {field: getattr(snapshot, field) for field in Snapshot.__slots__}
            self._database.insert_new(connection, SNAPSHOTS, [row], keys=("id", "name"))
            self._audit.note(connection, "snapshot", identity, {"name": name, "query": query})
        self._audit.anchor()
        return snapshot

    def freeze_for(self, study: str, query: str) -> Snapshot:
        """Return what a query found when a study of this name first asked it; frozen now, if it never did.

        The first query has the study's name for its snapshot; when a study comes to ask another one, that is `NAME 2`.
        """
        own = re.compile(rf"{re.escape(study)}( \d+)?")
        asked = {one.name: one for one in self.all() if own.fullmatch(one.name)}
        before = next((one for one in asked.values() if one.query == query), None)
        names = chain([study], (f"{study} {number}" for number in count(2)))
        return before or self.freeze(query, name=next(name for name in names if name not in asked))

    def all(self) -> tuple[Snapshot, ...]:
        """Return every snapshot, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(SNAPSHOTS).order_by(SNAPSHOTS.c.created, SNAPSHOTS.c.id)).all()
        return tuple(Snapshot(*row) for row in rows)

    def find(self, wanted: str) -> Snapshot:
        """Return a snapshot by its ID (eight characters suffice) or its name.

        Raises
        ------
        Refused
            `snapshot-unknown`, naming those that there are.
        """
        known = self.all()
        named = [one for one in known if one.name == wanted]
        by_id = [one for one in known if len(wanted) >= SHORTEST_ID and one.id.startswith(wanted)]
        if named or by_id:
            return (named or by_id)[-1]
        listed = ", ".join(f"{one.name!r} ({one.id[:12]})" for one in known[-5:])
        raise refuse(
            "snapshot-unknown",
            subject=f"snapshot {wanted}",
            found=f"there is none of that name or ID; there are {listed or 'none'}",
            remedy="freeze one: prognoscope query '…' --snapshot NAME",
        )

    def open(self, snapshot: Snapshot) -> Frozen:
        """Return what a snapshot holds."""
        content = json.loads(self._artefacts.get(snapshot.id))
        index = ImageIndex(
            series=tuple(series_from_json(entry["document"]) for entry in content["volumes"] if entry["document"]),
            region_sets=tuple(regions_from_json(entry) for entry in content["regions"]),
            refused=tuple(_refused(entry) for entry in content.get("quarantined", ())),
        )
        names = [str(name) for name in content["tables"]]
        aside = tuple((str(code), int(number)) for code, number in content.get("aside", ()))
        patients = tuple(sorted({str(entry["patient_id"]) for entry in content["volumes"]}))
        return Frozen(index, self._described(names), aside, patients)

    def compare(self, older: Snapshot, newer: Snapshot | None = None) -> Difference:
        """Compare a snapshot with a newer one, or with what its query finds now."""
        before = json.loads(self._artefacts.get(older.id))
        after = json.loads(self._artefacts.get(newer.id)) if newer else self._content(older.query)
        old, new = _by_name(before), _by_name(after)
        return Difference(
            older=older,
            newer=newer.id if newer else "now",
            added_patients=tuple(sorted({name[0] for name in new} - {name[0] for name in old})),
            removed_patients=tuple(sorted({name[0] for name in old} - {name[0] for name in new})),
            added=tuple(sorted(set(new) - set(old))),
            removed=tuple(sorted(set(old) - set(new))),
            changed=tuple(sorted(name for name in set(old) & set(new) if old[name] != new[name])),
            changed_regions=_changed(_regions(before), _regions(after)),
            changed_tables=tuple(sorted({*before["tables"]} ^ {*after["tables"]})),
        )

    def _content(self, query: str) -> dict[str, Any]:
        hits = self._search.hits(query)
        full = self._volumes.series([hit.key for hit in hits])
        pictures = self._links.pictures([hit.key for hit in hits if hit.key not in full])
        patients = sorted({hit.patient_id for hit in hits})
        regions = self._volumes.region_sets(patients)
        held = self._quarantine.held(released=True)
        files = [one for one in held if one.what in ("file", "aside") and not one.released]
        return {
            "form": FORM,
            "query": query,
            "volumes": [
                _volume(hit, full[hit.key])
                if hit.key in full
                else _entry(hit, hit.series_uid, pictures.get(hit.key, ()), "")
                for hit in hits
            ],
            "regions": [regions_to_json(entry) for entry in regions],
            "quarantined": _quarantined(self._search.hits(query, held=True), held),
            "aside": [list(entry) for entry in counts(files)],
            "tables": self._tables(patients),
        }

    def _tables(self, patients: Sequence[str]) -> list[str]:
        """Contents of the tables that speak of any of these patients, each as it came in last."""
        speaking: set[str] = set()
        with self._database.reading() as connection:
            for start in range(0, len(patients), ROWS_PER_STATEMENT):
                part = patients[start : start + ROWS_PER_STATEMENT]
                numbers = select(NAMES.c.number).where(NAMES.c.name.in_(part))
                speak = select(VALUES.c.table_sha256).where(VALUES.c.patient.in_(numbers)).distinct()
                speaking |= set(connection.execute(speak).scalars())
        return sorted(speaking)

    def _described(self, names: Sequence[str]) -> tuple[FrozenTable, ...]:
        query = select(TABLES.c.sha256, TABLES.c.source, TABLES.c.path).where(TABLES.c.sha256.in_(names))
        with self._database.reading() as connection:
            return tuple(FrozenTable(*row) for row in connection.execute(query.order_by(TABLES.c.path)))

    def _nothing(self, query: str) -> Refused:
        if self._search.counts("").series:
            return refuse(
                "query-empty",
                subject=f"query “{query}”",
                found="it finds nothing",
                remedy="widen it; begin with fewer conditions",
            )
        return refuse(
            "query-empty",
            subject="store",
            found="it holds no series",
            remedy="take data in: prognoscope ingest SOURCE --store DIR",
        )


def _exists(before: Snapshot, query: str) -> Refused:
    other = "other contents came in since" if before.query == query else f"it asked “{before.query}”"
    return refuse(
        "snapshot-exists",
        subject=f"snapshot {before.name}",
        found=f"{before.made_by} gave another cohort this name on {before.created[:10]} ({before.id[:12]}): {other}",
        remedy=f"choose another name; prognoscope diff {before.name} says what it has not",
    )


def _volume(hit: Hit, series: ImageSeries) -> dict[str, Any]:
    return _entry(hit, series.uid, series.hashes, series_to_json(series))


def _entry(hit: Hit, uid: str, files: Sequence[str], document: str) -> dict[str, Any]:
    """A volume as a snapshot keeps it; a picture has no document, since no study measures it."""
    return {
        "key": hit.key,
        "patient_id": hit.patient_id,
        "modality": hit.modality,
        "uid": uid,
        "files": list(files),
        "document": document,
    }


def _quarantined(hits: Sequence[Hit], held: Sequence[Held]) -> list[dict[str, Any]]:
    """The volumes that a query means but that are in quarantine, each with its reason."""
    problems = {one.sha256: one for one in held if one.what in ("series", "quality")}
    return [
        {
            "patient_id": hit.patient_id,
            "modality": hit.modality,
            "uid": hit.series_uid,
            "description": hit.description,
            "problem": [problem.code, problem.subject, problem.found, problem.remedy],
        }
        for hit in hits
        if hit.key in problems
        for problem in [problems[hit.key].problem]
    ]


def _refused(entry: dict[str, Any]) -> RefusedSeries:
    problem = Problem(*entry["problem"])
    return RefusedSeries(entry["patient_id"], entry["modality"], entry["uid"], entry["description"], problem)


def _by_name(content: dict[str, Any]) -> dict[tuple[str, str, str], str]:
    return {(entry["patient_id"], entry["modality"], entry["uid"]): entry["key"] for entry in content["volumes"]}


def _regions(content: dict[str, Any]) -> dict[tuple[str, str], str]:
    sets = [regions_from_json(entry) for entry in content["regions"]]
    return {(entry.patient_id, entry.uid): entry.hash for entry in sets}


def _changed(before: dict[tuple[str, str], str], after: dict[tuple[str, str], str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(name for name in {*before, *after} if before.get(name) != after.get(name)))
