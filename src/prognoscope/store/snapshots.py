"""Cohorts as they were: a snapshot names every file by its content, so that data added later change nothing in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from prognoscope.core import hashing
from prognoscope.core.hashing import canonical_json
from prognoscope.core.images import ImageIndex
from prognoscope.core.problems import refuse
from prognoscope.store.artefacts import Artefacts
from prognoscope.store.audit import Audit, now, user
from prognoscope.store.catalogue import SNAPSHOTS, TABLES, VALUES
from prognoscope.store.database import Database
from prognoscope.store.records import regions_from_json, regions_to_json, series_from_json, series_to_json
from prognoscope.store.repository import Repository
from prognoscope.store.search import Search
from prognoscope.store.volumes import Volumes

FORM = 1
SHORTEST_ID = 8


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
    ) -> None:
        self._database, self._artefacts, self._audit = database, artefacts, audit
        self._repository, self._search, self._volumes = repository, search, volumes

    def freeze(self, query: str, *, name: str) -> Snapshot:
        """Keep what a query finds now; the same content under the same name is the same snapshot.

        Raises
        ------
        Refused
            What the query refuses; `query-empty` when it finds nothing.
        """
        content = self._content(query)
        data = canonical_json(content).encode()
        identity = hashing.of_bytes(data)
        patients = {entry["patient_id"] for entry in content["volumes"]}
        if not patients:
            raise refuse(
                "query-empty", subject="query", found="it finds nothing", remedy="widen it; begin with fewer conditions"
            )
        files = sum(len(entry["files"]) for entry in content["volumes"])
        snapshot = Snapshot(identity, name, query, now(), user(), len(patients), len(content["volumes"]), files)
        with self._repository.keeping({identity: data}) as connection:
            row = {field: getattr(snapshot, field) for field in Snapshot.__slots__}
            self._database.insert_new(connection, SNAPSHOTS, [row], keys=("id", "name"))
            self._audit.note(connection, "snapshot", identity, {"name": name, "query": query})
        self._audit.anchor()
        return snapshot

    def all(self) -> tuple[Snapshot, ...]:
        """Return every snapshot, the oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(SNAPSHOTS).order_by(SNAPSHOTS.c.created, SNAPSHOTS.c.id)).all()
        return tuple(Snapshot(*row) for row in rows)

    def find(self, wanted: str) -> Snapshot:
        """Return a snapshot by its ID (eight characters suffice) or its name, the newest of that name.

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
        listed = ", ".join(f"{one.name} ({one.id[:12]})" for one in known[-5:])
        raise refuse(
            "snapshot-unknown",
            subject=f"snapshot {wanted}",
            found=f"there is none of that name or ID; there are {listed or 'none'}",
            remedy="freeze one: prognoscope query '…' --snapshot NAME",
        )

    def index(self, snapshot: Snapshot) -> ImageIndex:
        """Return the volumes and regions of a snapshot; their files are relative to the artefacts."""
        content = json.loads(self._artefacts.get(snapshot.id))
        return ImageIndex(
            series=tuple(series_from_json(entry["document"]) for entry in content["volumes"]),
            region_sets=tuple(regions_from_json(entry) for entry in content["regions"]),
        )

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
        patients = sorted({hit.patient_id for hit in hits})
        regions = self._volumes.region_sets(patients)
        return {
            "form": FORM,
            "query": query,
            "volumes": [
                {
                    "key": hit.key,
                    "patient_id": hit.patient_id,
                    "modality": hit.modality,
                    "uid": full[hit.key].uid,
                    "files": list(full[hit.key].hashes),
                    "document": series_to_json(full[hit.key]),
                }
                for hit in hits
                if hit.key in full
            ],
            "regions": [regions_to_json(entry) for entry in regions],
            "tables": self._tables(patients),
        }

    def _tables(self, patients: Sequence[str]) -> list[str]:
        """Contents of the tables that speak of any of these patients."""
        with self._database.reading() as connection:
            tables = connection.execute(select(TABLES.c.sha256).order_by(TABLES.c.sha256)).scalars().all()
            return [
                name
                for name in tables
                if set(
                    connection.execute(
                        select(VALUES.c.patient_id).where(VALUES.c.table_sha256 == name).distinct()
                    ).scalars()
                ).intersection(patients)
            ]


def _by_name(content: dict[str, Any]) -> dict[tuple[str, str, str], str]:
    return {(entry["patient_id"], entry["modality"], entry["uid"]): entry["key"] for entry in content["volumes"]}


def _regions(content: dict[str, Any]) -> dict[tuple[str, str], str]:
    sets = [regions_from_json(entry) for entry in content["regions"]]
    return {(entry.patient_id, entry.uid): entry.hash for entry in sets}


def _changed(before: dict[tuple[str, str], str], after: dict[tuple[str, str], str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(name for name in {*before, *after} if before.get(name) != after.get(name)))
