"""A table of records → its columns and cells as the store keeps them: typed, with unit and the time they were known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.sources import describe_table, read_table, to_number, without_words
from prognoscope.sources.fhir import read_fhir
from prognoscope.store import Cell, TableRecord

PATIENT_NAMES = (
    "patientid",
    "patient",
    "subjectid",
    "subject",
    "participantid",
    "participant",
    "caseid",
    "case",
    "mrn",
)
MOST_CELLS = 2_000_000


def table_record(data: bytes, suffix: str, *, subject: str) -> TableRecord:
    """Read a table for the store.

    Parameters
    ----------
    data, suffix
        The file's bytes, and the end of its name.
    subject
        How problems name it.

    Raises
    ------
    Refused
        What `read_table` refuses; `table-without-patient`.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"table{suffix}"
        path.write_bytes(data)
        try:
            written = read_table(path)
        except Refused as refused:  # the reader names the copy that it was given
            named = refused.problem.subject.replace(path.as_posix(), subject)
            raise Refused(replace(refused.problem, subject=named)) from None
    described = describe_table(written)
    frame = without_words(written, described.missing_words)
    patient = _patient_column(frame, subject)
    numbers = {
        column.name: to_number(frame[column.name])[0]
        for column in described.columns
        if column.type in ("number", "boolean") and column.name != patient
    }
    columns = [
        {"name": column.name, "type": column.type, "missing_share": column.missing_share}
        for column in described.columns
    ]
    few = frame.size <= MOST_CELLS
    cells = tuple(_cells(frame, patient, numbers)) if few else ()
    notes = (*_nameless(frame[patient], patient, subject), *(() if few else (_too_many(subject, frame.size),)))
    return TableRecord(patient, columns, len(frame), cells, notes)


def fhir_record(data: bytes, *, subject: str) -> TableRecord:
    """Read a FHIR document for the store: each fact of a patient is a cell; refuses what `read_fhir` refuses."""
    document = read_fhir(data, subject=subject)
    unknown = dict(document.not_understood)
    columns = [
        {"name": name, "resources": number, "understood": name not in unknown} for name, number in document.counts
    ]
    columns += [{"name": name, "resources": number, "understood": True, "facts": 0} for name, number in document.silent]
    few = len(document.facts) <= MOST_CELLS
    facts = document.facts if few else ()
    notes = () if few else (_too_many(subject, len(document.facts)),)
    cells = tuple(
        Cell(row, fact.patient_id, fact.name, fact.text, fact.number, fact.unit, fact.known_at)
        for row, fact in enumerate(facts)
    )
    return TableRecord("patient", columns, sum(number for _, number in document.counts), cells, notes)


def _nameless(owners: pd.Series, patient: str, subject: str) -> Iterator[Problem]:
    missing = int(owners.isna().sum())
    if missing:
        yield Problem(
            "rows-without-patient",
            subject,
            f"{missing} of its {len(owners)} rows have nothing in {patient}, so nobody knows whose they are",
            "name the patients and take the table in again; its other rows are searched",
        )


def _too_many(subject: str, number: int) -> Problem:
    return Problem(
        "table-not-searched",
        subject,
        f"it holds {number:,} values, and more than {MOST_CELLS:,} are not catalogued: it is kept, and read by studies",
        "leave out the columns by which nobody searches, or split it",
    )


def _cells(frame: pd.DataFrame, patient: str, numbers: Mapping[str, pd.Series]) -> Iterator[Cell]:
    owners = frame[patient].tolist()
    for name in frame.columns:
        if name == patient:
            continue
        texts = frame[name].tolist()
        values = numbers[name].tolist() if name in numbers else [None] * len(texts)
        for row, (owner, text, value) in enumerate(zip(owners, texts, values, strict=True)):
            if owner is not None and text is not None:
                number = float(value) if value is not None and value == value else None
                yield Cell(row, owner, name, text, number)


def _patient_column(frame: pd.DataFrame, subject: str) -> str:
    plain = {"".join(sign for sign in str(name).lower() if sign.isalnum()): str(name) for name in frame.columns}
    for wanted in PATIENT_NAMES:
        if wanted in plain:
            return plain[wanted]
    raise refuse(
        "table-without-patient",
        subject=subject,
        found=f"none of its columns names the patient ({', '.join(map(str, frame.columns[:8]))} …)",
        remedy="name that column patient_id",
    )
