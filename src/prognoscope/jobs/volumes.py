"""A patient's files in the store → the volumes and regions that they make together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from prognoscope.core.images import ImageSeries, RefusedSeries, RegionSet
from prognoscope.core.problems import Problem, Refused
from prognoscope.sources import Instance, Located, assemble, read_details
from prognoscope.sources.nifti_series import describe_nifti, describe_nifti_regions
from prognoscope.sources.pictures import inspect_picture
from prognoscope.store import Artefacts, Link, PatientRecords, SeriesRecord


def assemble_files(
    artefacts: Artefacts, patient_id: str, headers: Sequence[tuple[str, str]], links: Sequence[Link]
) -> PatientRecords:
    """Put together what a patient's files make: `(SHA-256, header)` of its instances, and the files linked to it."""
    located = [Located(object_path(sha256), Instance.from_json(text), sha256) for sha256, text in headers]
    index = assemble(located)
    counts = Counter(file.instance.series_uid for file in located)
    series = [_usable(artefacts, entry) for entry in index.series]
    series += [_refused(entry, counts) for entry in index.refused]
    linked = [_linked(artefacts, link) for link in links if not link.image]
    masks = [_mask(artefacts, link) for link in links if link.image]
    regions = [one for one in masks if isinstance(one, RegionSet)]
    aside = [one for one in masks if isinstance(one, Problem)]
    return PatientRecords(patient_id, (*series, *linked), (*index.region_sets, *regions), (*index.set_aside, *aside))


def object_path(sha256: str) -> str:
    """Where an artefact lies in the artefacts' folder."""
    return f"{sha256[:2]}/{sha256[2:]}"


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


def _linked(artefacts: Artefacts, link: Link) -> SeriesRecord:
    """A NIfTI image or a picture as a series of its own; one that cannot be used carries the problem."""
    data = artefacts.get(link.sha256)
    record = SeriesRecord(
        patient_id=link.patient_id,
        study_uid=link.name,
        uid=link.name,
        modality=link.modality,
        description=link.description,
        date=link.date,
        instances=1,
        bytes=len(data),
        body_part=link.body_part,
        view=link.view,
        licence=link.licence,
    )
    try:
        if link.kind == "picture":
            return replace(record, photometric=inspect_picture(data, subject=link.name).photometric)
        return replace(record, series=_nifti(data, link))
    except Refused as refused:
        return replace(record, problem=replace(refused.problem, subject=f"series {link.name}"))


def _nifti(data: bytes, link: Link) -> ImageSeries:
    return describe_nifti(
        data,
        patient_id=link.patient_id,
        modality=link.modality,
        description=link.description,
        date=link.date,
        file=object_path(link.sha256),
        sha256=link.sha256,
    )


def _mask(artefacts: Artefacts, link: Link) -> RegionSet | Problem:
    try:
        return describe_nifti_regions(
            artefacts.get(link.sha256),
            patient_id=link.patient_id,
            name=link.name,
            image_sha256=link.image,
            file=object_path(link.sha256),
            sha256=link.sha256,
        )
    except Refused as refused:
        return refused.problem


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
