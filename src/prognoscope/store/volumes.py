"""The image volumes of a store, as they are searched and as a study reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from prognoscope.core import hashing
from prognoscope.core.images import ImageIndex, ImageSeries, RegionSet
from prognoscope.core.problems import Problem
from prognoscope.store.audit import Audit, now
from prognoscope.store.catalogue import ARRIVALS, INSTANCES, LINKS, NAMES, QUARANTINE, REGIONS, SERIES, VOLUMES, WAITING
from prognoscope.store.database import ROWS_PER_STATEMENT, Database
from prognoscope.store.names import number_names
from prognoscope.store.quarantine import quarantine_row
from prognoscope.store.records import (
    SEVERAL,
    PatientRecords,
    SeriesRecord,
    folded,
    plain,
    regions_from_json,
    regions_to_json,
    series_from_json,
    series_to_json,
)

USABLE = ("usable", "released")
HELD = ("refused", "quarantined")


class Volumes:
    """The volumes and regions of one store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database, self._audit = database, audit

    def replace_patients(self, patients: Sequence[PatientRecords], *, seen: Mapping[str, int]) -> tuple[Problem, ...]:
        """Exchange all volumes and regions of some patients for those that their files make now.

        Parameters
        ----------
        patients
            What the files make together.
        seen
            Per patient how many files that was made from: where more came in meanwhile, the patient goes on waiting.

        Returns
        -------
        What went into quarantine by it.
        """
        held: list[Problem] = []
        with self._database.writing() as connection:
            sources = _sources(connection, [one.patient_id for one in patients])
            for one in patients:
                held += self._replace(connection, one, sources.get(one.patient_id, {}))
                _wait_no_longer(connection, one.patient_id, seen=seen[one.patient_id])
        return tuple(held)

    def judge(self, key: str, *, quality: str, problem: Problem | None, patient_id: str, source: str) -> None:
        """Note how a volume fared in the checks of quality; one that failed is quarantined, unless it was released."""
        with self._database.writing() as connection:
            state = connection.execute(select(SERIES.c.state).where(SERIES.c.key == key)).scalar()
            after = state if state in ("refused", "released") else "quarantined" if problem else "usable"
            connection.execute(update(SERIES).where(SERIES.c.key == key).values(quality=quality, state=after))
            connection.execute(
                delete(QUARANTINE).where(
                    QUARANTINE.c.sha256 == key, QUARANTINE.c.what == "quality", QUARANTINE.c.released == ""
                )
            )
            if problem:
                row = quarantine_row(
                    "quality",
                    problem.subject,
                    sha256=key,
                    patient_id=patient_id,
                    source=source,
                    problem=problem,
                    created=now(),
                )
                self._database.insert_new(connection, QUARANTINE, [row], keys=("key",))

    def assign_roles(self, roles: Mapping[str, str]) -> None:
        """Note the role of volumes by key."""
        with self._database.writing() as connection:
            for key, role in sorted(roles.items()):
                connection.execute(update(SERIES).where(SERIES.c.key == key).values(role=plain(role, 80)))

    def series(self, keys: Sequence[str]) -> dict[str, ImageSeries]:
        """Return volumes in full by key; their files are relative to the artefacts."""
        found: dict[str, ImageSeries] = {}
        with self._database.reading() as connection:
            for start in range(0, len(keys), ROWS_PER_STATEMENT):
                part = keys[start : start + ROWS_PER_STATEMENT]
                for row in connection.execute(select(VOLUMES).where(VOLUMES.c.key.in_(part))):
                    found[row.key] = series_from_json(row.document)
        return found

    def region_sets(self, patients: Sequence[str]) -> tuple[RegionSet, ...]:
        """Return the region sets of some patients, sorted by patient and UID."""
        found: dict[str, RegionSet] = {}
        with self._database.reading() as connection:
            for start in range(0, len(patients), ROWS_PER_STATEMENT):
                part = patients[start : start + ROWS_PER_STATEMENT]
                query = select(REGIONS.c.region_set, REGIONS.c.document).where(
                    REGIONS.c.patient.in_(select(NAMES.c.number).where(NAMES.c.name.in_(part)))
                )
                for row in connection.execute(query.distinct()):
                    found[row.region_set] = regions_from_json(row.document)
        return tuple(sorted(found.values(), key=lambda one: (one.patient_id, one.uid, one.file)))

    def index(self, keys: Sequence[str]) -> ImageIndex:
        """Return volumes and the regions of their patients as a reader of folders would: what a study works on."""
        series = tuple(
            sorted(self.series(keys).values(), key=lambda entry: (entry.patient_id, entry.modality, entry.uid))
        )
        patients = sorted({entry.patient_id for entry in series})
        return ImageIndex(series=series, region_sets=self.region_sets(patients))

    def _replace(
        self, connection: Connection, one: PatientRecords, sources: Mapping[str, Sequence[str]]
    ) -> list[Problem]:
        first = min((names[0] for names in sources.values()), default="")
        query = select(SERIES.c.key, SERIES.c.state, SERIES.c.quality, SERIES.c.role)
        before = {row.key: row for row in connection.execute(query.where(SERIES.c.patient_id == one.patient_id))}
        named = [plain(one.patient_id), *(plain(record.study_uid, 64) for record in one.series)]
        numbers = number_names(self._database, connection, named)
        patient = numbers[plain(one.patient_id)]
        rows = [
            _series_row(record, SEVERAL.join(sources.get(record.series_uid, [first])), before)
            | {"patient": patient, "study": numbers[plain(record.study_uid, 64)]}
            for record in one.series
        ]
        connection.execute(
            delete(VOLUMES).where(VOLUMES.c.key.in_(select(SERIES.c.key).where(SERIES.c.patient_id == one.patient_id)))
        )
        connection.execute(delete(SERIES).where(SERIES.c.patient_id == one.patient_id))
        connection.execute(delete(REGIONS).where(REGIONS.c.patient == patient))
        self._database.upsert(connection, SERIES, rows, keys=("key",))
        full = [
            {"key": series_key(record), "document": series_to_json(record.series)}
            for record in one.series
            if record.series
        ]
        self._database.upsert(connection, VOLUMES, full, keys=("key",))
        regions = [row | {"patient": patient} for entry in one.region_sets for row in _region_rows(entry)]
        self._database.upsert(connection, REGIONS, regions, keys=("region_set", "name"))
        return self._hold(connection, one, first)

    def _hold(self, connection: Connection, one: PatientRecords, source: str) -> list[Problem]:
        """Quarantine what cannot be put together; return what was not there before."""
        own = (QUARANTINE.c.patient_id == one.patient_id, QUARANTINE.c.what.in_(("series", "aside")))
        before = set(connection.execute(select(QUARANTINE.c.key).where(*own)).scalars())
        connection.execute(delete(QUARANTINE).where(*own, QUARANTINE.c.released == ""))
        created = now()
        held = [
            quarantine_row(
                "series",
                record.problem.subject,
                sha256=series_key(record),
                patient_id=one.patient_id,
                source=source,
                problem=record.problem,
                created=created,
            )
            for record in one.series
            if record.problem
        ]
        held += [
            quarantine_row(
                "aside", aside.subject, sha256="", patient_id=one.patient_id, source=source, problem=aside,
                created=created,
            )
            for aside in one.set_aside
        ]  # fmt: skip
        self._database.insert_new(connection, QUARANTINE, held, keys=("key",))
        told = ("code", "subject", "found", "remedy")
        return [Problem(*(row[name] for name in told)) for row in held if row["key"] not in before]


def series_key(record: SeriesRecord) -> str:
    """The key of a volume: whose it is, its UID and the contents of its files; other contents are another volume."""
    hashes = sorted(record.series.hashes) if record.series else []
    return hashing.of_value([record.patient_id, record.study_uid, record.uid, hashes])


def _series_row(record: SeriesRecord, source: str, before: Mapping[str, Any]) -> dict[str, Any]:
    series, key = record.series, series_key(record)
    known = before.get(key)
    return {
        "key": key,
        "patient_id": plain(record.patient_id),
        "study_uid": plain(record.study_uid, 64),
        "uid": plain(record.uid),
        "series_uid": plain(record.series_uid, 64),
        "modality": plain(record.modality, 16).upper(),
        "description": plain(record.description),
        "body_part": plain(record.body_part),
        "protocol": plain(record.protocol),
        "date": record.date,
        "age": record.age,
        "sex": plain(record.sex, 16),
        "manufacturer": plain(series.manufacturer) if series else "",
        "scanner": plain(series.scanner) if series else "",
        "centre": plain(series.centre) if series else "",
        "unit": plain(series.unit, 16) if series else "",
        "slices": series.grid.shape[0] if series else 0,
        "spacing": series.grid.spacing[0] if series else None,
        "instances": record.instances,
        "bytes": record.bytes,
        "source": source,
        "state": known.state if known else "refused" if record.problem else "usable",
        "role": record.role or (known.role if known else ""),
        "quality": known.quality if known else "",
        "view": plain(record.view),
        "photometric": plain(record.photometric, 32),
        "licence": plain(record.licence),
    }


def _region_rows(entry: RegionSet) -> list[dict[str, Any]]:
    document = regions_to_json(entry)
    return [
        {
            "region_set": entry.hash,
            "name": name,
            "folded": folded(name),
            "patient_id": plain(entry.patient_id),
            "series_uid": plain(entry.series_uid, 64),
            "frame_of_reference": plain(entry.frame_of_reference, 64),
            "document": document,
        }
        for name in dict.fromkeys(plain(region) for region in entry.regions)
    ]


def _sources(connection: Connection, patients: Sequence[str]) -> dict[str, dict[str, list[str]]]:
    """By patient and series, the sources that its files came from, sorted."""
    found: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for table, series in ((LINKS, LINKS.c.name), (INSTANCES, INSTANCES.c.series_uid)):
        query = (
            select(table.c.patient_id, series, ARRIVALS.c.source)
            .join(ARRIVALS, ARRIVALS.c.sha256 == table.c.sha256)
            .where(table.c.patient_id.in_(patients))
            .distinct()
        )
        for patient, name, source in sorted(map(tuple, connection.execute(query))):
            found[patient].setdefault(name, []).append(source)
    return found


def _wait_no_longer(connection: Connection, patient_id: str, *, seen: int) -> None:
    query = select(func.count()).select_from(INSTANCES).where(INSTANCES.c.patient_id == patient_id)
    if connection.execute(query).scalar() == seen:
        connection.execute(delete(WAITING).where(WAITING.c.patient_id == patient_id))
