"""What an ingest hands to the store: values as the catalogue keeps them, free of what a database cannot hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from prognoscope.core.images import ImageSeries, RegionSet
from prognoscope.core.problems import Problem

Kind = Literal["dicom", "dicomdir", "table", "columns", "fhir", "picture", "nifti", "unknown"]
LONGEST_UID, LONGEST_ID, LONGEST_TEXT = 64, 128, 200
SEVERAL = "; "  # between the sources of a series whose files came from several


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """A DICOM file's identity, its header as the reader wrote it (JSON), and whether the file is damaged.

    A damaged file tells which series lacks one; an undamaged file of the same identity takes its place.
    """

    sop_uid: str
    series_uid: str
    patient_id: str
    header: str
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a table: the patient's, as text and, where the column holds numbers, as a number."""

    row: int
    patient_id: str
    name: str
    text: str
    number: float | None = None
    unit: str = ""
    known_at: str = ""


@dataclass(frozen=True, slots=True)
class TableRecord:
    """A table that came in: the column that names the patient, what the columns are, every cell, what to tell of it."""

    patient_column: str
    columns: Sequence[Mapping[str, Any]]
    rows: int
    cells: Sequence[Cell]
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class FrozenTable:
    """A table, of a snapshot for instance: its content, and the place in its source that it came from."""

    sha256: str
    source: str
    path: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """One file (or member of an archive) of a source.

    Attributes
    ----------
    path
        Relative to the source, with `/`; members of an archive follow it after `!/`.
    sha256
        Of its bytes; empty when they could not be read.
    staged
        Whether the bytes lie in the batch's tray.
    kind
        What they are.
    instance, table
        What the catalogue needs to know of them.
    problem
        Why they are quarantined; None when they are not.
    """

    path: str
    size: int
    mtime_ns: int
    sha256: str
    kind: Kind
    staged: bool
    instance: InstanceRecord | None = None
    table: TableRecord | None = None
    problem: Problem | None = None

    def named(self, path: str) -> Arrival:
        """Return the same arrival under another path."""
        problem = replace(self.problem, subject=self.problem.subject or path) if self.problem else None
        return replace(self, path=path, problem=problem)


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """An image volume (or one that had to be refused) with what it is searched by."""

    patient_id: str
    study_uid: str
    uid: str
    modality: str
    description: str
    date: str | None
    instances: int
    bytes: int
    series: ImageSeries | None = None
    problem: Problem | None = None
    body_part: str = ""
    protocol: str = ""
    age: float | None = None
    sex: str = ""
    role: str = ""
    view: str = ""
    photometric: str = ""
    licence: str = ""

    @property
    def series_uid(self) -> str:
        """The DICOM UID without the part that names one of several volumes."""
        return self.uid.partition("#")[0]


@dataclass(frozen=True, slots=True)
class PatientRecords:
    """All that a patient's files make together."""

    patient_id: str
    series: tuple[SeriesRecord, ...] = ()
    region_sets: tuple[RegionSet, ...] = ()
    set_aside: tuple[Problem, ...] = field(default=())


def plain(text: str, longest: int = LONGEST_TEXT) -> str:
    """Text without what a database cannot hold, cut at a length that an index can."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:longest]


def folded(text: str) -> str:
    """Text as it is compared: upper and lower case alike."""
    return plain(text.casefold())


def too_long(record: InstanceRecord) -> str:
    """Which identifier of an instance the catalogue cannot hold, in words; empty when it can hold all."""
    limits = (
        ("SOPInstanceUID", record.sop_uid, LONGEST_UID),
        ("SeriesInstanceUID", record.series_uid, LONGEST_UID),
        ("PatientID", record.patient_id, LONGEST_ID),
    )
    for name, value, longest in limits:
        if "\0" in value:
            return f"{name} has a NUL character within it"
        if len(value) > longest:
            return f"{name} has {len(value)} characters, at most {longest} are possible"
    return "SOPInstanceUID is missing" if not record.sop_uid else ""


def series_to_json(series: ImageSeries) -> str:
    """A series in full; `series_from_json` gives back an equal value."""
    return _encode(series)


def series_from_json(text: str) -> ImageSeries:
    """Read what `series_to_json` wrote."""
    from prognoscope.core.geometry import Grid  # with numpy: taking in and counting need none

    told = _tuples(json.loads(text))
    told["grid"] = Grid(**told["grid"])
    told["notes"] = tuple(Problem(**note) for note in told["notes"])
    return ImageSeries(**told)


def regions_to_json(regions: RegionSet) -> str:
    """A region set in full; `regions_from_json` gives back an equal value."""
    return _encode(regions)


def regions_from_json(text: str) -> RegionSet:
    """Read what `regions_to_json` wrote."""
    told = _tuples(json.loads(text))
    told["notes"] = tuple(Problem(**note) for note in told["notes"])
    return RegionSet(**told)


def _fields(value: Any) -> dict[str, Any]:
    return {one.name: getattr(value, one.name) for one in fields(value)}


# `dataclasses.asdict` copies every value on the way, which took a third of the time of keeping a patient.
_encode = json.JSONEncoder(default=_fields, ensure_ascii=False, separators=(",", ":")).encode


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(entry) for entry in value)
    if isinstance(value, dict):
        return {name: _tuples(entry) for name, entry in value.items()}
    return value
