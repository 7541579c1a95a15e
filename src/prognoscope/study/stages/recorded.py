"""A study's table from FHIR records: beside a table's own columns, or in place of a table."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from prognoscope.cohort import INDEX, Records, pivot
from prognoscope.core.facts import Fact
from prognoscope.core.problems import Problem, refuse
from prognoscope.core.table import PATIENT
from prognoscope.sources import list_files, read_bytes
from prognoscope.sources.fhir import looks_like_fhir, read_fhir
from prognoscope.store import Store
from prognoscope.study.file import Study
from prognoscope.study.stages.gather import Gathered
from prognoscope.study.stages.select import read_rows

IDENTIFIER = "identifier"


@dataclass(frozen=True, slots=True)
class Document:
    """A FHIR document: where it came from (people are numbered anew in each place), its name and its bytes."""

    source: str
    name: str
    data: bytes


def table_with_records(
    study: Study, table: Path | None, documents: Iterable[Document], members: Collection[str] | None
) -> tuple[bytes, tuple[Problem, ...]]:
    """Return the study's table as CSV, with the columns that the records give, and what was not used of these.

    Parameters
    ----------
    study
        Its rules.
    table
        The table beside the records, if there is one: who has no row in it takes no part.
    documents
        The records.
    members
        The patients of the snapshot that is studied, if one is.

    Raises
    ------
    Refused
        `record-unknown`, `record-unit`, `records-missing`; `column-reserved` where table and records have a column of
        one name; what `read_fhir` and `read_table` refuse.
    """
    rules = study.data.records
    assert rules is not None
    rows = read_rows(study, table) if table else None
    known = set(map(str, rows.index)) if rows is not None else set(members or ())
    facts, notes = _under_known_names(_facts(documents, rules), known)
    made = pivot(facts, rules, patients=sorted(known), dates=_dates(rows, rules))
    cells = [[row.get(column) for column in made.columns] for row in made.rows.values()]
    frame = pd.DataFrame(cells, index=list(made.rows), columns=list(made.columns), dtype=object)
    if rows is not None:
        _refuse_twice(rows, frame)
        frame = rows.join(frame)
    patient = study.data.patient if isinstance(study.data.patient, str) else PATIENT
    frame = frame.drop(columns=patient, errors="ignore").sort_index()
    return _written(frame, patient), (*notes, *made.notes)


def documents_below(place: Path) -> Iterator[Document]:
    """Yield the FHIR documents of a folder, in the order of their names, or the one file."""
    if not place.exists():
        raise _missing(str(place), "there is no such file or folder")
    names = [file.path for file in list_files(place)] if place.is_dir() else [place.name]
    folder = place if place.is_dir() else place.parent
    for name in sorted(names):
        data = read_bytes(folder / name, subject=name)
        if looks_like_fhir(data):
            yield Document(str(place), name, data)


def documents_of(store: Store, gathered: Gathered | None) -> Iterator[Document]:
    """Yield the FHIR documents of a snapshot, or those that the store has today."""
    tables = gathered.records if gathered else store.repository.current_tables()
    for one in sorted(tables, key=lambda table: (table.source, table.path)):
        data = store.artefacts.get(one.sha256)
        if looks_like_fhir(data):
            yield Document(one.source, one.path, data)


def _facts(documents: Iterable[Document], rules: Records) -> list[tuple[str, Fact]]:
    facts = [(one.source, fact) for one in documents for fact in read_fhir(one.data, subject=one.name).facts]
    if not facts:
        raise _missing(rules.from_, "it holds no FHIR document that tells anything of a patient")
    return facts


def _under_known_names(facts: list[tuple[str, Fact]], known: set[str]) -> tuple[list[Fact], tuple[Problem, ...]]:
    """Facts under the names of table or images, which an identifier of the person bears; their own where none are."""
    if not known:
        return [fact for _, fact in facts], ()
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    for source, fact in facts:
        if fact.name == IDENTIFIER and fact.text in known:
            names[source, fact.patient_id].add(fact.text)
    people = {(source, fact.patient_id) for source, fact in facts}
    unclear = {person for person, found in names.items() if len(found) > 1}
    found = [
        replace(fact, patient_id=min(names[source, fact.patient_id]))
        for source, fact in facts
        if (source, fact.patient_id) in names and (source, fact.patient_id) not in unclear
    ]
    return found, tuple(_of_nobody(len(people - names.keys()), len(unclear)))


def _of_nobody(strangers: int, unclear: int) -> Iterator[Problem]:
    if strangers:
        told = f"{strangers} people of the records bear no identifier of a patient of the study"
        yield Problem("records-of-others", "records", told, "nothing, if they are no participants")
    if unclear:
        told = f"{unclear} people bear identifiers of several patients of the study, and are joined to none"
        yield Problem("identifier-ambiguous", "records", told, "correct the records")


def _dates(rows: pd.DataFrame | None, rules: Records) -> dict[str, str] | None:
    column = rules.index.column
    if rows is None or not column:
        return None
    if column not in rows.columns:
        raise refuse(
            "column-missing",
            subject=f"column {column}",
            found="the table has no such column, from which the records' day 0 is read",
            remedy="name one of: " + ", ".join(map(str, rows.columns)),
        )
    from prognoscope.sources import to_date

    days, _ = to_date(rows[column])
    return {str(name): day.isoformat() for name, day in days.items() if day is not None and day == day}


def _refuse_twice(rows: pd.DataFrame, frame: pd.DataFrame) -> None:
    twice = [name for name in frame.columns if name in rows.columns]
    if twice:
        raise refuse(
            "column-reserved",
            subject=f"column {twice[0]}",
            found="the table has it, and the records make one of this name" + " (day 0)" * (twice[0] == INDEX),
            remedy="give one of them another name",
        )


def _written(frame: pd.DataFrame, patient: str) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([patient, *frame.columns])
    for name, row in zip(frame.index, frame.itertuples(index=False), strict=True):
        writer.writerow([name, *(value if isinstance(value, str) else "" for value in row)])
    return out.getvalue().encode()


def _missing(subject: str, found: str) -> Exception:
    return refuse("records-missing", subject=subject, found=found, remedy="check `data: records: from:`")
