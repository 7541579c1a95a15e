"""The outcome of each patient, counted from time zero, and who cannot have one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

import pandas as pd
from pydantic import BeforeValidator, Field

from prognoscope.cohort.columns import number_column, same_value, text_column
from prognoscope.core.flow import Exclusion
from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.core.problems import Problem, refuse
from prognoscope.core.settings import Settings

DAYS_PER_UNIT = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(day|week|month|year)s?\s*")
Value = str | int | float | bool


def _duration_days(value: Any) -> Any:
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        if match is None:
            raise ValueError("write a duration as a number and day, week, month or year: `730 day`")
        return float(match[1]) * DAYS_PER_UNIT[match[2]]
    return value


Days = Annotated[float, BeforeValidator(_duration_days), Field(gt=0)]


class EventRule(Settings):
    """Which value of which column says that the event happened."""

    column: str = Field(description="column of the table")
    is_: Value | tuple[Value, ...] = Field(alias="is", description="value, or values, that mean the event")
    censored: tuple[Value, ...] = Field(
        (), description="values that mean no event yet; when given, any other value is refused"
    )


class SurvivalOutcome(Settings):
    """A time to an event, right censored where follow-up ended first; risks are stated at a horizon."""

    time: str = Field(description="column: from the table's day 0 to the event or the end of follow-up")
    unit: str = Field("day", pattern="^(day|week|month|year)$", description="unit of the time column")
    event: EventRule = Field(description="how the event is told from censoring")
    horizon: Days = Field(description="time after time zero at which risks are stated, for instance `730 day`")
    words: str = Field("", description="the outcome in words, for the report: `death from any cause`")


class BinaryOutcome(Settings):
    """An event that happened or did not."""

    column: str = Field(description="column of the table")
    event: Value | tuple[Value, ...] = Field(description="value, or values, that mean the event")
    no_event: tuple[Value, ...] = Field(
        (), description="values that mean no event; needed where there are more than two"
    )
    day: str = Field("", description="column: day of the event after the table's day 0; before time zero excludes")
    follow_up: str = Field("", description="column: day of the last follow-up after the table's day 0")
    followed_at_least: Days | None = Field(
        None,
        description="a patient without the event counts only if followed this long after time zero (needs follow_up)",
    )
    words: str = Field("", description="the outcome in words, for the report")


OutcomeRule = SurvivalOutcome | BinaryOutcome


@dataclass(frozen=True, slots=True)
class ReadOutcome:
    """Outcome of the patients who have one (in the order of `patients`), exclusions and notes."""

    patients: tuple[str, ...]
    outcome: Outcome
    exclusions: tuple[Exclusion, ...]
    notes: tuple[Problem, ...]


def read_outcome(frame: pd.DataFrame, rule: OutcomeRule, zero_days: pd.Series) -> ReadOutcome:
    """Read the outcome of each patient of a table of text.

    Parameters
    ----------
    frame
        Cells as text (None missing), indexed by `patient_id`.
    rule
        What the study file says under `outcome:`.
    zero_days
        Day of time zero for each patient, from the table's day 0.

    Raises
    ------
    Refused
        `column-missing`, `not-a-number`; `outcome-coding` when a value is neither event nor no event; `negative-time`;
        `one-class` when nobody, or everybody, has the event; `no-outcome` when no patient has one.
    """
    read = _survival(frame, rule, zero_days) if isinstance(rule, SurvivalOutcome) else _binary(frame, rule, zero_days)
    if not read.patients:
        raise refuse(
            "no-outcome",
            subject="outcome",
            found=f"none of {len(frame)} patients has a usable outcome",
            remedy="check the columns and time zero in the study file",
        )
    if read.outcome.events in (0, len(read.outcome)):
        who = "no patient" if read.outcome.events == 0 else "every patient"
        raise refuse(
            "one-class",
            subject="outcome",
            found=f"{who} of {len(read.outcome)} has the event, so there is nothing to tell apart",
            remedy="check `outcome:` in the study file and the eligibility rules",
        )
    return read


def _survival(frame: pd.DataFrame, rule: SurvivalOutcome, zero_days: pd.Series) -> ReadOutcome:
    time = number_column(frame, rule.time) * DAYS_PER_UNIT[rule.unit]
    _refuse_negative(time, rule.time)
    event = _event(frame, rule.event.column, rule.event.is_, rule.event.censored)
    after = time - zero_days
    exclusions = {
        **_excluded(
            frame.index[time.isna() | event.isna()], "outcome-unknown", "its outcome is not known", "fill it in"
        ),
        **_excluded(frame.index[after <= 0], "outcome-before-time-zero", _BEFORE, _BEFORE_REMEDY),
    }
    kept = [patient for patient in frame.index if patient not in exclusions]
    outcome = TimeToEvent(after[kept].to_numpy(), event[kept].astype(bool).to_numpy(), rule.horizon)
    notes = _long_follow_up(outcome)
    return ReadOutcome(tuple(kept), outcome, _in_order(frame, exclusions), notes)


def _binary(frame: pd.DataFrame, rule: BinaryOutcome, zero_days: pd.Series) -> ReadOutcome:
    event = _event(frame, rule.column, rule.event, rule.no_event, binary=True)
    exclusions = _excluded(frame.index[event.isna()], "outcome-unknown", "its outcome is not known", "fill it in")
    if rule.day:
        day = number_column(frame, rule.day)
        before = event.eq(True) & (day - zero_days <= 0)
        exclusions |= _excluded(frame.index[before], "outcome-before-time-zero", _BEFORE, _BEFORE_REMEDY)
    if rule.followed_at_least is not None:
        if not rule.follow_up:
            raise refuse(
                "follow-up-column",
                subject="outcome",
                found="`followed_at_least` is given, but not the column with the day of the last follow-up",
                remedy="add `follow_up: COLUMN` under `outcome:`",
            )
        followed = number_column(frame, rule.follow_up) - zero_days
        short = event.eq(False) & ~(followed >= rule.followed_at_least)
        found = f"without the event, and followed for less than {rule.followed_at_least:g} days after time zero"
        exclusions |= _excluded(frame.index[short], "followed-too-short", found, "wait, or lower `followed_at_least`")
    kept = [patient for patient in frame.index if patient not in exclusions]
    return ReadOutcome(tuple(kept), Binary(event[kept].astype(bool).to_numpy()), _in_order(frame, exclusions), ())


_BEFORE = "its outcome lies at or before time zero, so there was nothing left to predict"
_BEFORE_REMEDY = "check the days, or leave the patient out"


def _event(
    frame: pd.DataFrame,
    column: str,
    event: Value | tuple[Value, ...],
    other: tuple[Value, ...],
    *,
    binary: bool = False,
) -> pd.Series:
    cells = text_column(frame, column)
    wanted = [str(value) for value in (event if isinstance(event, tuple) else (event,))]
    known = [str(value) for value in other]
    values = sorted(cells.dropna().unique())
    rest = [value for value in values if not any(same_value(value, one) for one in wanted)]
    strange = [value for value in rest if not any(same_value(value, one) for one in known)]
    if (known and strange) or (binary and not known and len(rest) > 1):
        key = "no_event" if binary else "censored"
        raise refuse(
            "outcome-coding",
            subject=f"column {column}",
            found=f"its values are {', '.join(values)}; {', '.join(wanted)} is the event, "
            f"and the study file does not say what {', '.join(strange)} means",
            remedy=f"list every value that means no event under `{key}:`, and unknown ones under `data: missing:`",
        )
    if len(rest) == len(values):
        raise refuse(
            "outcome-coding",
            subject=f"column {column}",
            found=f"no cell is {' or '.join(wanted)}; its values are {', '.join(values) or 'all missing'}",
            remedy="write the value that means the event as it stands in the table",
        )
    happened = {value: value not in rest for value in values}
    return cells.map(happened).astype("boolean")


def _refuse_negative(time: pd.Series, name: str) -> None:
    negative = time[time < 0]
    if len(negative):
        raise refuse(
            "negative-time",
            subject=f"column {name}, patient {negative.index[0]}",
            found=f"the time is {negative.iloc[0]:g} days"
            + (f" (and {len(negative) - 1} more are negative)" if len(negative) > 1 else ""),
            remedy="times run forward from the table's day 0; correct them or leave the patients out with `eligible:`",
        )


def _long_follow_up(outcome: TimeToEvent) -> tuple[Problem, ...]:
    if outcome.time_days.max(initial=0) >= outcome.horizon_days:
        return ()
    raise refuse(
        "horizon-beyond-follow-up",
        subject="outcome",
        found=f"the horizon is {outcome.horizon_days:g} days, nobody was followed longer than "
        f"{outcome.time_days.max(initial=0):g}",
        remedy="choose an earlier horizon",
    )


def _excluded(patients: pd.Index, code: str, found: str, remedy: str) -> dict[str, Exclusion]:
    return {
        patient: Exclusion(patient, "outcome", Problem(code, f"patient {patient}", found, remedy))
        for patient in patients
    }


def _in_order(frame: pd.DataFrame, exclusions: dict[str, Exclusion]) -> tuple[Exclusion, ...]:
    return tuple(exclusions[patient] for patient in frame.index if patient in exclusions)
