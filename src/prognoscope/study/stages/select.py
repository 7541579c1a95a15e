"""Select: who takes part, from when, with which outcome, and in which images they are measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prognoscope.cohort import (
    clinical_table,
    ineligible,
    read_outcome,
    refuse_one_class,
    text_column,
    time_zero_days,
)
from prognoscope.core import hashing
from prognoscope.core.flow import Exclusion, Flow, Step
from prognoscope.core.images import ImageIndex
from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.core.settings import nearest
from prognoscope.core.table import PATIENT, Table
from prognoscope.curation import Choice, choose
from prognoscope.sources import read_table
from prognoscope.study.data import OWN, SOURCE
from prognoscope.study.file import Study
from prognoscope.study.stages.subgroups import subgroups_of


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """The participants, sorted by ID, and everything that is known of them before anything is measured.

    Attributes
    ----------
    outcome, clinical
        In the order of `flow.included`.
    choices
        Per participant one series and region for each imaging predictor.
    circumstances
        Centre, scanner and whatever tells where an image came from: for guards, never for prediction.
    attributes
        Columns, as text, that tell patients apart for the validation alone: sites, dates, subgroups.
    table_hash, external_hash
        SHA-256 of the table's file, and of the table of a second source (empty where there is none).
    """

    flow: Flow
    outcome: Outcome
    clinical: Table
    choices: Mapping[str, tuple[Choice, ...]]
    circumstances: pd.DataFrame
    attributes: pd.DataFrame
    table_hash: str
    external_hash: str = ""

    @property
    def patients(self) -> tuple[str, ...]:
        """IDs of the participants, sorted."""
        return self.flow.included

    @property
    def event(self) -> NDArray[np.bool_]:
        """Whether each participant has the event, by the horizon for a time to event."""
        if isinstance(self.outcome, TimeToEvent):
            return np.asarray(self.outcome.event & (self.outcome.time_days <= self.outcome.horizon_days))
        return self.outcome.event

    @property
    def censored(self) -> NDArray[np.bool_]:
        """Whether each participant was lost before the horizon, so that nobody knows of an event by then."""
        if isinstance(self.outcome, TimeToEvent):
            return np.asarray(~self.outcome.event & (self.outcome.time_days < self.outcome.horizon_days))
        return np.zeros(len(self.outcome), dtype=bool)

    def without(self, exclusions: tuple[Exclusion, ...]) -> Cohort:
        """Return the cohort after a further step has excluded some participants."""
        if not exclusions:
            return self
        flow = self.flow.without(exclusions)
        rows = [self.flow.included.index(patient) for patient in flow.included]
        return Cohort(
            flow=flow,
            outcome=_both_classes(self.outcome.take(rows)),
            clinical=self.clinical.take(flow.included),
            choices={patient: self.choices[patient] for patient in flow.included},
            circumstances=self.circumstances.loc[list(flow.included)],
            attributes=self.attributes.loc[list(flow.included)],
            table_hash=self.table_hash,
            external_hash=self.external_hash,
        )

    def snapshot(self) -> str:
        """SHA-256 of participants and outcome: what the counters of the store belong to."""
        times = self.outcome.time_days.tolist() if isinstance(self.outcome, TimeToEvent) else []
        return hashing.of_value([list(self.patients), self.outcome.event.tolist(), times])


def select(
    study: Study,
    table: Path,
    index: ImageIndex | None,
    *,
    external: Path | None = None,
    members: Collection[str] | None = None,
) -> Cohort:
    """Decide who takes part; the patients of a second table by the same rules.

    Steps, each with its exclusions: row in the table, eligibility, time zero, outcome, images and regions. `members`
    are the patients of the snapshot that is studied, if one is: nobody else takes part.

    Raises
    ------
    Refused
        A table that cannot be read, a column that is missing, an outcome that cannot be told, or nobody left.
    """
    rows = read_rows(study, table) if external is None else _read_both(study, table, external)
    strangers = _without_row(rows, index) if index is not None else ()
    kept, exclusions = rows, list(strangers)
    kept = _keep(kept, exclusions, ineligible(kept, study.eligible))
    zero, unknown = time_zero_days(kept, study.zero_columns)
    kept = _keep(kept, exclusions, unknown)
    _refuse_if_empty(tuple(kept.index), exclusions)
    read = read_outcome(kept, study.outcome, zero[kept.index])
    kept = _keep(kept, exclusions, read.exclusions)
    choices, unseen = _choices(study, tuple(kept.index), index, rows, members)
    exclusions.extend(unseen)
    included = tuple(patient for patient in read.patients if patient in choices)
    _refuse_if_empty(included, exclusions)
    position = {patient: row for row, patient in enumerate(read.patients)}
    clinical, notes = clinical_table(rows.loc[list(included)], study.clinical)
    circumstances = _circumstances(study, rows.loc[list(included)], choices)
    asked = (*study.validation.columns, *((SOURCE,) if external else ()))
    attributes = _attributes(asked, rows.loc[list(included)], circumstances)
    subgroups_of(study.validation.subgroups, attributes)  # what cannot be told apart is refused before any learning
    return Cohort(
        flow=Flow(included, tuple(exclusions), (*_nameless(index), *notes)),
        outcome=_both_classes(read.outcome.take([position[patient] for patient in included])),
        clinical=clinical,
        choices=choices,
        circumstances=circumstances,
        attributes=attributes,
        table_hash=hashing.of_file(table),
        external_hash=hashing.of_file(external) if external else "",
    )


def require_columns(study: Study, table: Path) -> None:
    """Check that the table can be read and has the columns of the study: cheap, and so before any image is read.

    Raises
    ------
    Refused
        As `read_rows`; `column-missing`.
    """
    rows = read_rows(study, table)
    for rule in study.eligible:
        text_column(rows, rule.column)
    for name in (*study.zero_columns, *sorted(study.outcome_columns), *(one.column for one in study.clinical)):
        text_column(rows, name)


def read_rows(study: Study, table: Path) -> pd.DataFrame:
    """Read the table: cells as text, None where missing, indexed and sorted by patient ID.

    Raises
    ------
    Refused
        As `sources.read_table`; `column-missing` without the patient column; `patient-twice`; `patient-id-missing`.
    """
    frame = read_table(table, missing=study.data.missing)
    column = study.data.patient
    if isinstance(column, str):
        ids = _ids(frame, column, table.name)
    else:
        ids = pd.Series([f"{table.stem}:{line}" for line in range(2, len(frame) + 2)], index=frame.index, dtype=object)
    return frame.set_index(pd.Index(ids, name=PATIENT)).sort_index()


def _ids(frame: pd.DataFrame, column: str, table: str) -> pd.Series:
    """Return the patients' IDs, one a row."""
    if column not in frame.columns:
        near = nearest(column, [str(name) for name in frame.columns])
        raise refuse(
            "column-missing",
            subject=f"column {column}",
            found=f"{table} has no such column" + (f", but has {near}" if near else ""),
            remedy="name the column that holds the DICOM PatientID with `data: patient:`, or say "
            "`patient: {each: row}` where each row is a patient; there are: " + ", ".join(map(str, frame.columns)),
        )
    ids = frame[column].map(lambda cell: cell.strip() or None, na_action="ignore")
    if ids.isna().any():
        raise refuse(
            "patient-id-missing",
            subject=f"{table}, row {int(np.flatnonzero(ids.isna())[0]) + 2}",
            found=f"the column {column} is empty",
            remedy="give every row its patient ID, or delete the row",
        )
    if ids.duplicated().any():
        twice = ids[ids.duplicated()].iloc[0]
        lines = ", ".join(str(row + 2) for row in np.flatnonzero(ids == twice))
        raise refuse(
            "patient-twice",
            subject=f"patient {twice}",
            found=f"{table} has several rows with this ID (rows {lines})",
            remedy="keep one row per patient, or give two patients two IDs",
        )
    return ids


def _read_both(study: Study, table: Path, external: Path) -> pd.DataFrame:
    """Rows of both tables, with a column that says whence each comes."""
    own, other = (read_rows(study, path) for path in (table, external))
    twice = own.index.intersection(other.index)
    if len(twice):
        raise refuse(
            "patient-in-both",
            subject=f"patient {twice[0]}",
            found=f"{table.name} and {external.name} both have this ID, and {len(twice) - 1} more",
            remedy="leave whoever is in both out of one of them; where two hospitals number alike, give IDs a prefix",
        )
    for path, frame in ((table, own), (external, other)):
        if SOURCE in frame.columns:
            raise refuse(
                "column-reserved",
                subject=f"column {SOURCE}",
                found=f"{path.name} has it, and with `data: external:` it says from which table a patient comes",
                remedy="rename it",
            )
    assert study.data.external is not None
    own[SOURCE], other[SOURCE] = OWN, study.data.external.name
    names = list(dict.fromkeys([*own.columns, *other.columns]))
    # A column that only one table has is empty in the other: None, as for every cell that is not there.
    whole = [frame.assign(**dict.fromkeys(set(names) - set(frame.columns)))[names] for frame in (own, other)]
    return pd.concat(whole).sort_index()


def _keep(rows: pd.DataFrame, exclusions: list[Exclusion], more: tuple[Exclusion, ...]) -> pd.DataFrame:
    exclusions.extend(more)
    return rows.drop(index=[exclusion.patient_id for exclusion in more])


def _without_row(rows: pd.DataFrame, index: ImageIndex) -> tuple[Exclusion, ...]:
    known = list(map(str, rows.index))
    return tuple(
        Exclusion(patient, "table", _no_row(patient, known)) for patient in index.patients if patient not in rows.index
    )


def _no_row(patient: str, known: list[str]) -> Problem:
    near = nearest(patient, known)
    return Problem(
        "no-table-row",
        f"patient {patient}",
        "has images, but no row in the table" + (f" (the nearest ID there is {near})" if near else ""),
        "add the row, or write the ID as the images do",
    )


def _nameless(index: ImageIndex | None) -> tuple[Problem, ...]:
    """Series without a patient: the one kind set aside that a participant may be missing for."""
    return tuple(one for one in index.set_aside if one.code == "patient-id-missing") if index is not None else ()


def _choices(
    study: Study,
    patients: tuple[str, ...],
    index: ImageIndex | None,
    rows: pd.DataFrame,
    members: Collection[str] | None,
) -> tuple[dict[str, tuple[Choice, ...]], list[Exclusion]]:
    if index is None or not study.imaging:
        inside = [patient for patient in patients if members is None or patient in members]
        outside = sorted({*patients} - {*inside})
        return dict.fromkeys(inside, ()), [Exclusion(one, "images", _not_in_snapshot(one)) for one in outside]
    imaged = set(index.patients)
    strangers = [patient for patient in index.patients if patient not in rows.index]
    choices: dict[str, tuple[Choice, ...]] = {}
    exclusions = []
    for patient in patients:
        if patient not in imaged:
            exclusions.append(Exclusion(patient, "images", _no_images(patient, strangers)))
            continue
        try:
            choices[patient] = tuple(choose(index, patient, predictor.role) for predictor in study.imaging)
        except Refused as refused:
            step: Step = "regions" if refused.problem.code.startswith(("region", "no-region")) else "images"
            exclusions.append(Exclusion(patient, step, refused.problem))
    return choices, exclusions


def _not_in_snapshot(patient: str) -> Problem:
    return Problem(
        "not-in-snapshot",
        f"patient {patient}",
        "has a row in the table, but is not among the patients of the snapshot that is studied",
        "widen the study's `query:` if it is meant to take part",
    )


def _no_images(patient: str, strangers: list[str]) -> Problem:
    near = nearest(patient, strangers)
    return Problem(
        "no-images",
        f"patient {patient}",
        "has a row in the table, but no images" + (f" (the nearest ID without a row is {near})" if near else ""),
        "add the images, or write the ID as the images do",
    )


def _refuse_if_empty(included: tuple[str, ...], exclusions: list[Exclusion]) -> None:
    if included:
        return
    tally = Flow((), tuple(exclusions)).counts()
    reasons = "; ".join(f"{number} × {code} ({step})" for step, code, number in tally)
    most = max(tally, key=lambda one: one[2])[1] if tally else ""
    example = next((one.problem for one in exclusions if one.problem.code == most), None)
    raise refuse(
        "no-participants",
        subject="cohort",
        found=f"nobody is left: {reasons}; for instance {example.subject}: {example.found} [{most}]"
        if example
        else "the table has no row",
        remedy=_remedy(most, example),
    )


def _remedy(most: str, example: Problem | None) -> str:
    """What helps most of those who were excluded."""
    if example is None:
        return "give a table with one row per patient"
    if most in ("no-images", "no-table-row"):
        return "IDs of table and images must agree"
    return "check the rules under `eligible:`" if most == "not-eligible" else example.remedy


def _both_classes(outcome: Outcome) -> Outcome:
    refuse_one_class(outcome, when="after all exclusions")
    return outcome


def _circumstances(study: Study, rows: pd.DataFrame, choices: Mapping[str, tuple[Choice, ...]]) -> pd.DataFrame:
    columns: dict[str, object] = {
        name: rows[name] for name in (study.data.centre, study.data.scanner) if name in rows.columns
    }
    for position, predictor in enumerate(study.imaging):
        series = [choices[patient][position].series for patient in rows.index]
        columns[f"{predictor.result_name} scanner"] = [
            f"{one.manufacturer} {one.scanner}".strip() or None for one in series
        ]
        columns[f"{predictor.result_name} slice spacing"] = [f"{one.grid.spacing[0]:.3g} mm" for one in series]
        columns[f"{predictor.result_name} pixel spacing"] = [f"{one.grid.spacing[1]:.3g} mm" for one in series]
    return pd.DataFrame(columns, index=rows.index)


def _attributes(names: tuple[str, ...], rows: pd.DataFrame, circumstances: pd.DataFrame) -> pd.DataFrame:
    """Return columns of the table, and for a name that it lacks what the images say (`CT scanner`)."""
    found = {
        name: circumstances[name]
        if name in circumstances.columns and name not in rows.columns
        else text_column(rows, name)
        for name in names
    }
    return pd.DataFrame(found, index=rows.index, dtype=object)
