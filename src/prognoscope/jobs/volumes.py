"""A patient's files in the store → the volumes and regions that they make together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from prognoscope.core.images import ImageSeries, RefusedSeries
from prognoscope.core.work import Mapper
from prognoscope.sources import Instance, Located, assemble, read_details
from prognoscope.store import Artefacts, PatientRecords, SeriesRecord, Store

PATIENTS_AT_ONCE = 256
PATIENTS_PER_ITEM = 4


@dataclass(frozen=True, slots=True)
class Patients:
    """Some patients' headers by content, and where the contents lie."""

    artefacts: Artefacts
    headers: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


def assemble_waiting(store: Store, mapper: Mapper) -> int:
    """Put together the volumes of every patient to whom files came in; return how many patients that were."""
    waiting = store.repository.waiting()
    for start in range(0, len(waiting), PATIENTS_AT_ONCE):
        group = waiting[start : start + PATIENTS_AT_ONCE]
        headers = store.repository.headers(group)
        items = [
            Patients(
                store.artefacts, tuple((name, tuple(headers[name])) for name in group[at : at + PATIENTS_PER_ITEM])
            )
            for at in range(0, len(group), PATIENTS_PER_ITEM)
        ]
        seen = {name: len(found) for name, found in headers.items()}
        for records in mapper(assemble_patients, items, label="put series together"):
            store.volumes.replace_patients(records, seen=seen)
    return len(waiting)


def assemble_patients(patients: Patients) -> tuple[PatientRecords, ...]:
    """Put together what the files of some patients make."""
    return tuple(_records(patients.artefacts, name, headers) for name, headers in patients.headers)


def object_path(sha256: str) -> str:
    """Where an artefact lies in the artefacts' folder."""
    return f"{sha256[:2]}/{sha256[2:]}"


def _records(artefacts: Artefacts, patient_id: str, headers: Sequence[tuple[str, str]]) -> PatientRecords:
    located = [Located(object_path(sha256), Instance.from_json(text), sha256) for sha256, text in headers]
    index = assemble(located)
    counts = Counter(file.instance.series_uid for file in located)
    series = [_usable(artefacts, entry) for entry in index.series]
    series += [_refused(entry, counts) for entry in index.refused]
    return PatientRecords(patient_id, tuple(series), index.region_sets, index.set_aside)


def _usable(artefacts: Artefacts, series: ImageSeries) -> SeriesRecord:
    data = artefacts.place.read(series.hashes[0])
    details = read_details(data, subject=series.uid)
    return SeriesRecord(
        patient_id=series.patient_id,
        study_uid=series.study_uid,
        uid=series.uid,
        modality=series.modality,
        description=series.description,
        date=series.date,
        instances=len(series.files),
        bytes=len(data) * len(series.files),
        series=series,
        body_part=details.body_part,
        protocol=details.protocol,
        age=details.age_years,
        sex=details.sex,
    )


def _refused(entry: RefusedSeries, counts: Counter[str]) -> SeriesRecord:
    return SeriesRecord(
        patient_id=entry.patient_id,
        study_uid="",
        uid=entry.uid,
        modality=entry.modality,
        description=entry.description,
        date=None,
        instances=counts[entry.uid.partition("#")[0]],
        bytes=0,
        problem=replace(entry.problem, subject=f"series {entry.uid}"),
    )
