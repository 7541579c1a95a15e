"""Files without a DICOM header: pictures, NIfTI images and tables. Whose they are is told by tables and by paths."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from prognoscope.core.problems import Refused, refuse
from prognoscope.deidentify.batch import Outcome, Planned, thumbnail_of
from prognoscope.deidentify.columns import SIDECAR, clean_columns
from prognoscope.deidentify.dicom import write_bytes
from prognoscope.deidentify.identity import Identity
from prognoscope.deidentify.nifti import compressed, is_nifti, strip_nifti
from prognoscope.deidentify.ocr import open_reader
from prognoscope.deidentify.parquet import PARQUET, written_parquet
from prognoscope.deidentify.pictures import as_shown, cover_picture, is_picture, strip_picture
from prognoscope.deidentify.pixels import thumbnail
from prognoscope.deidentify.profile import Options
from prognoscope.deidentify.project import Project
from prognoscope.deidentify.records import RECORDS, Community, clean_record
from prognoscope.deidentify.tablerisk import risk_of
from prognoscope.deidentify.tables import clean_sheet, patient_column, roles_of, written
from prognoscope.deidentify.text import Cleaner
from prognoscope.deidentify.workbooks import TABLES, read_sheets, written_workbook

Kind = Literal["picture", "nifti", "table", "record", "columns"]
_ARCHIVES = (b"PK\3\4", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")
UNOWNED = "unassigned"


@dataclass(frozen=True, slots=True)
class Other:
    """A file that is no DICOM object, and what it is."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class PlannedOther:
    """A picture or NIfTI image: where it goes, and the original ID of its patient (empty when nobody knows)."""

    planned: Planned
    kind: Kind
    patient: str


def kind_of(path: Path) -> Kind | None:
    """Tell a picture, a NIfTI image, a table or FHIR records by name and first bytes; None for anything else."""
    if is_nifti(path.name):
        return "nifti"
    if path.suffix.lower() in TABLES:
        return "table"
    if path.name.lower().endswith(SIDECAR):
        return "columns"
    if path.name.lower().endswith(RECORDS):
        return "record"
    with path.open("rb") as stream:
        head = stream.read(16)
    if head.startswith(_ARCHIVES):
        raise refuse(
            "archive-packed",
            subject="file",
            found="it is an archive, and nothing is unpacked here",
            remedy="unpack it into a folder of its own, and de-identify that",
        )
    return "picture" if is_picture(head) else None


def owners_by_tables(
    tables: Sequence[str], images: Sequence[str], *, root: Path, patients: frozenset[str]
) -> dict[str, str]:
    """Find in tables that name files whose they are: original patient ID by relative path of the image."""
    by_name = {PurePosixPath(path).name: path for path in images}
    owners: dict[str, str] = {}
    for table in tables:
        try:
            sheets = read_sheets(root / table)
        except Refused:
            continue  # it is refused, with its reason, when its turn comes
        for _, sheet in sheets:
            roles = roles_of(sheet, patients=patients, files=frozenset(by_name))
            patient = patient_column(roles)
            for column in [name for name, role in roles.items() if role == "file" and patient is not None]:
                for name, owner in zip(sheet.frame[column], sheet.frame[patient], strict=True):
                    if name.strip() in by_name:
                        owners.setdefault(by_name[name.strip()], owner.strip())
    return owners


def owner_by_path(path: str, patients: Mapping[str, re.Pattern[str]]) -> str:
    """Return the longest known patient ID that the path contains as a whole word; empty when there is none."""
    found = [patient for patient, pattern in patients.items() if pattern.search(path)]
    return max(found, key=lambda patient: (len(patient), patient), default="")


def as_words(patients: frozenset[str]) -> dict[str, re.Pattern[str]]:
    """Make a pattern for each patient ID that finds it between other characters than its own kind."""
    return {
        patient: re.compile(rf"(?<![A-Za-z0-9]){re.escape(patient)}(?![A-Za-z0-9])") for patient in patients if patient
    }


def place_of(path: str, patient: str, project: Project) -> str:
    """New place of a file: its patient's folder and a name that says nothing; descriptions lie beside their table."""
    if path.lower().endswith(SIDECAR):
        return table_place(path[: -len(SIDECAR)], project) + SIDECAR
    name = PurePosixPath(path).name.lower()
    suffix = "".join(PurePosixPath(name).suffixes[-2:]) if name.endswith(".gz") else PurePosixPath(name).suffix
    folder = project.patient(patient) if patient else UNOWNED
    return f"{folder}/{project.token('file', path)}{suffix}"


def table_place(path: str, project: Project) -> str:
    """New place of a table."""
    return f"tables/{project.token('table', path)}{PurePosixPath(path).suffix.lower()}"


def clean_other(
    other: PlannedOther,
    *,
    root: Path,
    target: Path,
    private: Path,
    community: Community,
    project: Project,
    options: Options,
) -> Outcome:
    """Write a picture or NIfTI image without metadata and identifying text, or FHIR records without identity."""
    planned, pixels = other.planned, "not read"
    texts: tuple[tuple[str, str], ...] = ()
    try:
        if other.kind == "nifti":
            data = strip_nifti(root / planned.source)
            data = compressed(data) if planned.target.endswith(".gz") else data
            action = ("header", "text fields and extensions", "X", 1)
        elif other.kind == "columns":
            data = clean_columns(root / planned.source, people=community.people)
            action = ("columns", "descriptions of columns", "C", 1)
        elif other.kind == "record":
            record = clean_record(root / planned.source, community=community, project=project, options=options)
            data, texts = record.data, record.texts
            data = compressed(data) if planned.target.endswith(".gz") else data
            action = ("record", "FHIR resources", "C", record.resources)
        else:
            data, removed = strip_picture(root / planned.source)
            action = ("metadata", "all segments but the picture's", "X", int(removed > 0))
            if options.clean_pixels:
                known = community.people.get(other.patient, Identity()) | Identity(
                    ids=frozenset({other.patient} - {""})
                )
                covered = cover_picture(data, Cleaner(known), open_reader())
                pixels = "covered" if covered else "read"
                if covered:
                    both = thumbnail(np.concatenate([as_shown(data), as_shown(covered)], axis=1))
                    write_bytes(private / thumbnail_of(planned.source, project), both)
                    data = covered
    except Refused as refused:
        return Outcome(planned.source, "", refused.problem)
    # A picture in which something is covered is stored without loss, so that the rest keeps its values.
    place = f"{planned.target.rsplit('.', 1)[0]}.png" if pixels == "covered" else planned.target
    write_bytes(target / place, data)
    pseudonym = project.patient(other.patient) if other.patient else ""
    return Outcome(planned.source, place, None, (action,), texts, (), pixels, pseudonym, other.kind)


def clean_table(
    planned: Planned,
    *,
    root: Path,
    target: Path,
    private: Path,  # noqa: ARG001 - tables leave no picture; one signature for all files
    people: Mapping[str, Identity],
    renamed: Mapping[str, str],
    project: Project,
    options: Options,
) -> Outcome:
    """Write a table with the images' pseudonyms and date shifts."""
    try:
        clean = []
        for title, sheet in read_sheets(root / planned.source):
            roles = roles_of(sheet, patients=frozenset(people), files=frozenset(renamed))
            one = clean_sheet(sheet, roles, people=people, renamed=renamed, project=project, options=options)
            clean.append((title, one))
        if clean[0][0]:
            data = written_workbook(clean, people)
        else:
            data = (written_parquet if planned.target.endswith(PARQUET) else written)(clean[0][1])
    except Refused as refused:
        return Outcome(planned.source, "", refused.problem)
    write_bytes(target / planned.target, data)
    words = {"identifier": "Z", "birth": "Z", "patient": "Z", "file": "Z", "date": "C", "age": "C", "text": "C"}
    actions = tuple(
        ("column", name, words.get(role, "K"), changed) for _, one in clean for name, role, changed in one.columns
    )
    risks = tuple(risk_of(one) for _, one in clean)
    return Outcome(planned.source, planned.target, actions=actions, modality="table", tables=risks)
