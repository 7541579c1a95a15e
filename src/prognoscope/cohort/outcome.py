"""The outcome of each patient, counted from time zero, and who cannot have one."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Any

import pandas as pd
from pydantic import BeforeValidator, Field

from prognoscope.cohort.columns import number_column, same_value, text_column, word_of
from prognoscope.core.flow import Exclusion
from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.core.problems import Problem, Refused, refuse
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
        (),
        description="values that mean no event yet; needed where there are more than two, any further value is refused",
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
    """Outcome of the patients who have one (in the order of `patients`), and who has none."""

    patients: tuple[str, ...]
    outcome: Outcome
    exclusions: tuple[Exclusion, ...]


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
        `horizon-beyond-follow-up`; `one-class` when nobody, or everybody, has the event (by the horizon, for a time to
        event); `no-outcome` when no patient has one.
    """
    read = _survival(frame, rule, zero_days) if isinstance(rule, SurvivalOutcome) else _binary(frame, rule, zero_days)
    if not read.patients:
        raise refuse(
            "no-outcome",
            subject="outcome",
            found=f"none of {len(frame)} patients has a usable outcome: " + _tally(read.exclusions),
            remedy="check the columns and time zero in the study file",
        )
    if isinstance(read.outcome, TimeToEvent):
        _refuse_far_horizon(read.outcome)
    refuse_one_class(read.outcome)
    return read


def refuse_one_class(outcome: Outcome, *, when: str = "") -> None:
    """Refuse an outcome that nobody, or everybody, has: there is nothing to tell apart.

    For a time to event the horizon decides: all may die in the end, if some are known to live at the horizon.

    Raises
    ------
    Refused
        `one-class`; `when` is told with it (`after all exclusions`).
    """
    events, known, by = outcome.events, len(outcome), ""
    if isinstance(outcome, TimeToEvent):
        late = outcome.time_days > outcome.horizon_days
        free = late | (~outcome.event & (outcome.time_days == outcome.horizon_days))
        events, by = outcome.events_by_horizon, f" by the horizon of {outcome.horizon_days:g} days"
        known = events + int(free.sum())
    if 0 < events < known:
        return
    everyone = f"every patient of {known}{' followed so far' if known < len(outcome) else ''}"
    who = everyone if events else f"no patient of {len(outcome)}"
    raise refuse(
        "one-class",
        subject="outcome",
        found=f"{who} has the event{by}{when and ' '}{when}, so there is nothing to tell apart",
        remedy=f"check `outcome:` in the study file{by and ', its horizon'} and which patients were excluded",
    )


def _survival(frame: pd.DataFrame, rule: SurvivalOutcome, zero_days: pd.Series) -> ReadOutcome:
    time = number_column(frame, rule.time) * DAYS_PER_UNIT[rule.unit]
    _refuse_negative(time, rule.time)
    event = _event(frame, rule.event.column, rule.event.is_, rule.event.censored, "censored")
    after = time - zero_days
    exclusions = {
        **_excluded(
            frame.index[time.isna() | event.isna()], "outcome-unknown", "its outcome is not known", "fill it in"
        ),
        **_excluded(frame.index[after <= 0], "outcome-before-time-zero", _BEFORE, _BEFORE_REMEDY),
    }
    kept = [patient for patient in frame.index if patient not in exclusions]
    outcome = TimeToEvent(after[kept].to_numpy(), event[kept].astype(bool).to_numpy(), rule.horizon)
    return ReadOutcome(tuple(kept), outcome, _in_order(frame, exclusions))


def _binary(frame: pd.DataFrame, rule: BinaryOutcome, zero_days: pd.Series) -> ReadOutcome:
    event = _event(frame, rule.column, rule.event, rule.no_event, "no_event")
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
    return ReadOutcome(tuple(kept), Binary(event[kept].astype(bool).to_numpy()), _in_order(frame, exclusions))


_BEFORE = "its outcome lies at or before time zero, so there was nothing left to predict"
_BEFORE_REMEDY = "check the days, or leave the patient out"


def _event(
    frame: pd.DataFrame, column: str, event: Value | tuple[Value, ...], other: tuple[Value, ...], key: str
) -> pd.Series:
    """Return whether the event happened, missing where the cell is; what any other value means must be plain.

    One value beside the event means no event. Where there are more, those that do stand under `key`.
    """
    cells = text_column(frame, column)
    wanted = [word_of(value) for value in (event if isinstance(event, tuple) else (event,))]
    known = [word_of(value) for value in other]
    values = sorted(cells.dropna().unique())
    rest = [value for value in values if not _among(value, wanted)]
    strange = [value for value in rest if not _among(value, known)]
    both = [value for value in wanted if _among(value, known)]
    told = f"its values are {', '.join(values) or 'all missing'}"
    if both:
        raise _coding(column, f"{', '.join(both)} is named as the event and under `{key}:` too", "keep it in one place")
    if len(rest) == len(values):
        remedy = "write the value that means the event as it stands in the table"
        raise _coding(column, f"no cell is {' or '.join(wanted)}; {told}", remedy)
    if strange and (known or len(rest) > 1):
        raise _coding(
            column,
            f"{told}; {', '.join(wanted)} is the event, "
            f"and the study file does not say what {', '.join(strange)} means",
            f"list every value that means no event under `{key}:`, and unknown ones under `data: missing:`",
        )
    return cells.map({value: value not in rest for value in values}).astype("boolean")


def _among(value: str, others: list[str]) -> bool:
    return any(same_value(value, one) for one in others)


def _coding(column: str, found: str, remedy: str) -> Refused:
    return refuse("outcome-coding", subject=f"column {column}", found=found, remedy=remedy)


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


def _refuse_far_horizon(outcome: TimeToEvent) -> None:
    longest = outcome.time_days.max()
    if longest < outcome.horizon_days:
        raise refuse(
            "horizon-beyond-follow-up",
            subject="outcome",
            found=f"the horizon is {outcome.horizon_days:g} days, nobody was followed longer than {longest:g}",
            remedy="choose an earlier horizon",
        )


def _tally(exclusions: tuple[Exclusion, ...]) -> str:
    counts = Counter(one.problem.code for one in exclusions).most_common()
    return ", ".join(f"{number} × {code}" for code, number in counts)


def _excluded(patients: pd.Index, code: str, found: str, remedy: str) -> dict[str, Exclusion]:
    return {
        patient: Exclusion(patient, "outcome", Problem(code, f"patient {patient}", found, remedy))
        for patient in patients
    }


def _in_order(frame: pd.DataFrame, exclusions: dict[str, Exclusion]) -> tuple[Exclusion, ...]:
    return tuple(exclusions[patient] for patient in frame.index if patient in exclusions)
