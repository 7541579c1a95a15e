"""What the columns of a table may be in a study: event, follow-up, horizon. A start for a person, never a decision."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from prognoscope.core.numbers import to_number

MOST_EVENT_LEVELS = 5
FEWEST_TIMES = 10
MOSTLY_KNOWN = 0.8
SHORT_NAMES = r"(?:^|[^a-z])(?:icu|pcr|cens|ind|fail)(?:$|[^a-z])"
EVENT = re.compile(
    rf"event|stat(?:us)?$|dead|death|died|mort|surviv|alive|vital|metasta|recur|relaps|progress|outcome|censor|intubat"
    rf"|readmi|remission|day\d|{SHORT_NAMES}",
    re.IGNORECASE,
)
# An event that ends every follow-up: the last day on which a patient was seen belongs to it, and to no other event.
FINAL = re.compile(r"stat(?:us)?$|dead|death|died|mort|surviv|alive|vital|event|cens", re.IGNORECASE)
TIME = re.compile(
    r"time|days?(?:$|_)|_days?|weeks?(?:$|_)|months?(?:$|_)|follow|surv|duration|^[a-z]?fs$", re.IGNORECASE
)
FOLLOW_UP = re.compile(
    r"follow|fu_?time|surv|(?:^|_)(?:os|pfs|rfs|dfs)(?:$|_)|^[a-z]{0,3}time(?:_?days?)?$|time_to", re.IGNORECASE
)
LIVING = re.compile(r"surviv|alive", re.IGNORECASE)
LAST = re.compile(r"last|follow", re.IGNORECASE)
# Times of what is done to a patient or looked at; nobody's outcome.
COURSE = re.compile(
    r"treat|therap|surg|scan|(?:^|_)(?:mri|ct|pet|dose|stay|hospital|los|biops\w*|admi\w*)(?:$|_)", re.IGNORECASE
)
LATER = re.compile(rf"treat|therap|surg|days|{EVENT.pattern}|{TIME.pattern}", re.IGNORECASE)
UNITS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
ROUND_DAYS = (30, 90, 180, 365, 730, 1095, 1825, 3650)
NEAR = 0.2
EVENT_WORDS = ("1", "yes", "y", "true", "dead", "died", "d", "deceased")
NO_EVENT_WORDS = ("0", "no", "n", "false", "alive", "censored")


@dataclass(frozen=True, slots=True)
class EventColumn:
    """A column that may tell whether the event happened, and the column of its time where one stands beside it."""

    name: str
    levels: tuple[str, ...]
    time: str = ""

    @property
    def event(self) -> str:
        """The level that likely means the event: in a column named after survival the one that denies it."""
        yes = [level for level in self.levels if level.lower() in EVENT_WORDS]
        no = [level for level in self.levels if level.lower() in NO_EVENT_WORDS]
        likely = no if LIVING.search(self.name) else yes
        return next(iter([*likely, *(level for level in self.levels[::-1] if level not in (*yes, *no)), *self.levels]))

    @property
    def others(self) -> tuple[str, ...]:
        """The levels beside the event."""
        return tuple(level for level in self.levels if level != self.event)


@dataclass(frozen=True, slots=True)
class Horizon:
    """A horizon near the median follow-up, in the unit that the column of times likely has."""

    unit: str
    value: float
    told: str

    @property
    def words(self) -> str:
        """`730 day`."""
        return f"{self.value:g} {self.unit}"


def event_columns(frame: pd.DataFrame) -> list[EventColumn]:
    """Columns with two to five values whose name sounds like an outcome, each with the time that fits it best."""
    times = time_columns(frame)
    found = []
    for name in map(str, frame.columns):
        levels = tuple(sorted(map(str, frame[name].dropna().unique())))
        if EVENT.search(name) and 2 <= len(levels) <= MOST_EVENT_LEVELS and name not in times:
            found.append(EventColumn(name, levels, _time_of(name, times)))
    return found


def _time_of(event: str, times: Sequence[str]) -> str:
    """The column of times that fits an event: by the beginning of its name, else the likeliest for a final event."""
    alike = {time: _alike(time.lower(), event.lower()) for time in times}
    fitting = [time for time in times if FINAL.search(event) or (alike[time] and not LAST.search(time))]
    return max(fitting, key=lambda time: alike[time], default="")


def _alike(one: str, other: str) -> int:
    """Number of characters with which both begin."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def time_columns(frame: pd.DataFrame) -> list[str]:
    """Columns that may hold the follow-up: numbers, none negative, many values, few missing; the likeliest first."""
    found = []
    for position, name in enumerate(map(str, frame.columns)):
        if not TIME.search(name) or COURSE.search(name):
            continue
        values, problems = to_number(frame[name])
        known = float(values.notna().mean())
        if not problems and values.nunique() >= FEWEST_TIMES and values.min() >= 0 and known >= MOSTLY_KNOWN:
            rank = (not FOLLOW_UP.search(name), -known, position)
            found.append((rank, name))
    return [name for _, name in sorted(found)]


def horizon(frame: pd.DataFrame, column: EventColumn) -> Horizon | None:
    """Near the median follow-up, where some have had the event and some are followed without it; else None."""
    times, _ = to_number(frame[column.time])
    unit, known = _unit(column.time, float(times.max()))
    happened = frame[column.name].eq(column.event)
    middle = float(times.median())
    for wanted in (_round(middle, unit), float(f"{middle:.2g}"), float(times[happened].median())):
        if (happened & times.le(wanted)).any() and times.gt(wanted).any():
            told = f"half were followed {middle:g} {unit}s or longer, at most {float(times.max()):g}"
            doubt = "" if known else f"; that the unit is the {unit} is a guess"
            return Horizon(unit, wanted, told + doubt)
    return None


def _unit(name: str, longest: float) -> tuple[str, bool]:
    stated = next((unit for unit in UNITS if unit in name.lower()), "")
    if stated:
        return stated, True
    return next((unit for unit, most in (("year", 40), ("month", 400)) if longest <= most), "day"), False


def _round(value: float, unit: str) -> float:
    """The usual horizon (a month, a year, two, three, five) within a fifth of a value, in the unit; else two digits."""
    days = value * UNITS[unit]
    near = min(ROUND_DAYS, key=lambda usual: abs(usual - days))
    if abs(near - days) > NEAR * days or unit == "week":
        return float(f"{value:.2g}")
    return near if unit == "day" else round(near / UNITS[unit], 1 if unit == "year" else 0)
