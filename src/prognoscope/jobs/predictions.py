"""A table of predictions of any origin → outcome, risks and groups, or the refusal with its column and row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.problems import refuse
from prognoscope.core.settings import nearest
from prognoscope.sources import read_table
from prognoscope.validation.checks import Bools, Floats, Ints, folds, risks

TRUE = {"1", "1.0", "true", "yes"}
FALSE = {"0", "0.0", "false", "no"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of the table is what.

    Attributes
    ----------
    risk, reference
        Predicted probabilities of the event: of the model in question, and of one to compare it with (or None).
    outcome
        0 or 1, for a binary outcome.
    time, event, horizon_days
        Days to the event or the end of follow-up, 0 or 1, and the time at which risks are stated; for a time to event.
    groups
        Attributes by which figures are given too.
    fold
        The fold that held the patient out, when the risks come from cross-validation.
    reference_outcome
        What the outcome may only stand for (need, where the outcome is cost): compared by group.
    slices
        Columns in which groups are looked for that the model serves worse.
    patient
        Names of the patients, for the list of the largest errors; rows are counted without it.
    over_time
        Days and the columns with the risk of the event by each, for a time to event.
    """

    risk: str
    outcome: str | None = None
    time: str | None = None
    event: str | None = None
    horizon_days: float | None = None
    groups: tuple[str, ...] = ()
    reference: str | None = None
    fold: str | None = None
    reference_outcome: str | None = None
    slices: tuple[str, ...] = ()
    patient: str | None = None
    over_time: tuple[tuple[float, str], ...] = ()

    def __post_init__(self) -> None:
        for name in ("groups", "slices"):
            object.__setattr__(self, name, tuple(dict.fromkeys(getattr(self, name))))


def read_predictions(table: Path, columns: Columns) -> pd.DataFrame:
    """Read the table and see that every column named is there, and that every patient has one row.

    Raises
    ------
    Refused
        `rows-missing`, `column-missing`, `reference-same`, `patient-twice`, `values-missing`, and what reading a table
        refuses.
    """
    frame = read_table(table)
    if not len(frame):
        raise refuse(
            "rows-missing", subject=table.name, found="it has no row of values", remedy="give one row per patient"
        )
    _require(frame, columns)
    if columns.patient:
        _one_row_each(frame[columns.patient], columns.patient)
    return frame


def _one_row_each(patients: pd.Series, name: str) -> None:
    if patients.isna().any():
        raise refuse(
            "values-missing",
            subject=f"column {name}, row {int(np.flatnonzero(patients.isna())[0]) + 1}",
            found=f"{int(patients.isna().sum())} of {len(patients)} rows name no patient",
            remedy="name every patient, or leave --patient out",
        )
    twice = patients[patients.duplicated()]
    if len(twice):
        rows = np.flatnonzero(patients == twice.iloc[0]) + 1
        raise refuse(
            "patient-twice",
            subject=f"patient {twice.iloc[0]}",
            found=f"rows {' and '.join(map(str, rows[:5]))} are this patient's; {twice.nunique()} have several rows",
            remedy="give one row per patient: intervals take rows for patients, several would make them too narrow",
        )


def _require(frame: pd.DataFrame, columns: Columns) -> None:
    over_time = [name for _, name in columns.over_time]
    single = [columns.risk, columns.outcome, columns.time, columns.event, columns.reference, columns.fold]
    for name in [*single, columns.reference_outcome, columns.patient, *columns.groups, *columns.slices, *over_time]:
        if name is not None and name not in frame.columns:
            near = nearest(name, map(str, frame.columns))
            raise refuse(
                "column-missing",
                subject=f"column {name}",
                found=f"the table has {', '.join(map(str, frame.columns))}",
                remedy=f"did you mean {near}" if near else "correct the name",
            )
    _require_other_than_outcome(columns)
    if columns.reference == columns.risk:
        raise refuse(
            "reference-same",
            subject=f"column {columns.risk}",
            found="it is both the model and the one to compare it with",
            remedy="name another column with --reference, or leave it out",
        )


def _require_other_than_outcome(columns: Columns) -> None:
    told = {columns.outcome: "outcome", columns.time: "time", columns.event: "event"}
    used = {"risk": columns.risk, "reference": columns.reference, "fold": columns.fold, "patient": columns.patient}
    used |= {f"group {name}": name for name in columns.groups} | {f"slices {name}": name for name in columns.slices}
    for option, name in used.items():
        if name is not None and name in told:
            raise refuse(
                "column-is-outcome",
                subject=f"column {name}",
                found=f"it is named as --{told[name]} and as --{option}",
                remedy="what tells the outcome is no prediction of it, and no group to look at it in",
            )


def outcome_of(frame: pd.DataFrame, columns: Columns) -> Outcome:
    """Return the outcome (`outcome-unstated`, `horizon-missing`, `outcome-values`, `outcome-time`)."""
    if columns.time is None and columns.horizon_days is not None:
        raise refuse(
            "time-missing",
            subject="horizon",
            found=f"day {columns.horizon_days:g} is named, but no column of days",
            remedy="name --time and --event, or leave --horizon out",
        )
    if columns.time is None and columns.outcome is not None:
        return Binary(_events(frame, columns.outcome))
    event = columns.event or columns.outcome
    if columns.time is None or event is None:
        raise refuse(
            "outcome-unstated",
            subject="outcome",
            found="neither a column with the outcome nor columns with time and event are named",
            remedy="name --outcome, or --time and --event with --horizon",
        )
    if columns.horizon_days is None:
        raise refuse(
            "horizon-missing",
            subject="horizon",
            found="a time to event is named, but not the time by which the risks state the event",
            remedy="give it in days, for instance --horizon 730",
        )
    if not math.isfinite(columns.horizon_days):
        raise refuse(
            "outcome-horizon",
            subject="horizon",
            found=f"it is {columns.horizon_days:g} days",
            remedy="give the day by which the risks state the event, for instance --horizon 730",
        )
    return TimeToEvent(numbers_of(frame, columns.time), _events(frame, event), columns.horizon_days)


def model_of(frame: pd.DataFrame, name: str, fold: Ints) -> OutOfFold:
    """Return the risks of one column, each with its patient's fold (`risk-range`, `number-expected`)."""
    return OutOfFold(risks(numbers_of(frame, name), what=f"risk in column {name}")[None], fold[None])


def over_time_named(text: str) -> tuple[tuple[float, str], ...]:
    """Days and columns named as `365:p1,730:p2` (`times-range` for what is none, or not in order)."""
    pairs = [part.partition(":") for part in text.split(",") if part.strip()]
    try:
        found = tuple((float(day), name.strip()) for day, _, name in pairs)
    except ValueError:
        found = ((math.nan, ""),)
    days = [day for day, _ in found]
    if not all(math.isfinite(day) and day > 0 and name for day, name in found) or days != sorted(set(days)):
        raise refuse(
            "times-range",
            subject="risks over time",
            found=f"{text!r} is not days, each with a column, from early to late",
            remedy="give both with a colon between, for instance --over-time 365:p1,730:p2",
        )
    return found


def risks_over_time(frame: pd.DataFrame, columns: Columns) -> tuple[list[float], Floats] | None:
    """Days `(k,)` and risks by each `(n, k)` (`risk-range`, `number-expected`); None where no columns are named."""
    if not columns.over_time:
        return None
    if columns.time is None:
        raise refuse(
            "time-missing",
            subject="risks over time",
            found="they are of a time to event, and no column of times is named",
            remedy="name --time and --event, or leave --over-time out",
        )
    table = [risks(numbers_of(frame, name), what=f"risk in column {name}") for _, name in columns.over_time]
    return [day for day, _ in columns.over_time], np.column_stack(table)


def folds_of(frame: pd.DataFrame, columns: Columns) -> Ints:
    """Return the fold of each patient; one for all where none is named."""
    if columns.fold is None:
        return folds(None, n=len(frame))
    return folds(frame[columns.fold].to_numpy(), n=len(frame))


def numbers_of(frame: pd.DataFrame, name: str) -> Floats:
    """Return a column as numbers, `(n,)` (`number-expected`, `values-missing` with the row)."""
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float)
    odd = np.flatnonzero(np.isnan(values) & frame[name].notna().to_numpy())
    if odd.size:
        raise refuse(
            "number-expected",
            subject=f"column {name}, row {odd[0] + 1}",
            found=f"{str(frame[name].iloc[odd[0]])[:40]!r} is not a number ({odd.size} of {len(values)} are not)",
            remedy="correct the value, or leave the row out on purpose",
        )
    missing = np.flatnonzero(np.isnan(values))
    if missing.size:
        raise refuse(
            "values-missing",
            subject=f"column {name}, row {missing[0] + 1}",
            found=f"{missing.size} of {len(values)} values are missing",
            remedy="leave these patients out on purpose, and say so",
        )
    return np.asarray(values)


def _events(frame: pd.DataFrame, name: str) -> Bools:
    text = frame[name].str.lower()
    known = text.isin(TRUE | FALSE).to_numpy()
    if not known.all():
        row = int(np.flatnonzero(~known)[0])
        found = "nothing" if pd.isna(text.iloc[row]) else repr(str(frame[name].iloc[row])[:40])
        raise refuse(
            "outcome-values",
            subject=f"column {name}, row {row + 1}",
            found=f"{found} is neither 0 nor 1 ({np.count_nonzero(~known)} of {len(known)} are not)",
            remedy="code the event as 1 and its absence as 0; leave patients without a known outcome out on purpose",
        )
    return text.isin(TRUE).to_numpy()
