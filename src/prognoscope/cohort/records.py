"""Dated facts of records → a table with one row per patient: what was known by day 0, and what came after it."""

from __future__ import annotations

import calendar
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from prognoscope.cohort.outcome import DAYS_PER_UNIT, Days
from prognoscope.cohort.units import converted
from prognoscope.core.facts import Fact
from prognoscope.core.patterns import matches
from prognoscope.core.problems import Problem, refuse
from prognoscope.core.settings import Settings

INDEX = "index"  # the table's column that is 0 where day 0 is known, and empty where it is not
Take = Literal["last", "first", "lowest", "highest", "any", "count", "first time", "last time"]
DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:T.*)?")
Patterns = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]


class IndexRule(Settings):
    """The day from which everything is counted: that of a record, or that of a column of the table."""

    record: str = Field("", description="name of the record, with `*` and `?`: `encounter`, `procedure`")
    is_: Patterns = Field((), alias="is", description="patterns, one of which its value fits: `inpatient*`")
    take: Literal["first", "last"] = Field("first", description="which of several")
    column: str = Field("", description="instead of a record: column of `table:` that holds the date")

    @model_validator(mode="after")
    def _one_of_both(self) -> IndexRule:
        if bool(self.record) == bool(self.column):
            raise ValueError("name a `record:` or a `column:` whose day is day 0")
        return self


class RecordColumn(Settings):
    """A column that records give."""

    column: str = Field(min_length=1, description="its name, by which predictors, rules and the outcome refer to it")
    record: str = Field(min_length=1, description="name of the records, with `*` and `?`, upper and lower case alike")
    is_: Patterns = Field((), alias="is", description="patterns, one of which the value fits: `*sepsis*`; all without")
    when: Literal["before", "after"] = Field(
        "before", description="`before`: known by day 0, that day included; `after`: later than it, for outcomes"
    )
    within: Days | None = Field(None, description="how far from day 0, for instance `30 day`; as far as records reach")
    take: Take | None = Field(
        None,
        description="which value: `last` (by default, before day 0), `first` (after it), `lowest`, `highest`; "
        "or `any` (true or false), `count`, and `first time`, `last time`: how long before or after day 0 that was",
    )
    unit: str = Field("", description="unit of the number (UCUM: `mg/dL`, `mm[Hg]`), or of the time; others convert")
    undated: bool = Field(False, description="whether values without a date count, for what never changes: `sex`")

    @property
    def taken(self) -> Take:
        """What is taken: of what was known before, the last; of what came after, the first."""
        return self.take or ("last" if self.when == "before" else "first")

    @model_validator(mode="after")
    def _time_has_its_unit(self) -> RecordColumn:
        if self.taken.endswith("time") and self.unit not in ("", *DAYS_PER_UNIT):
            raise ValueError(f"a time is told in {', '.join(DAYS_PER_UNIT)}, not in {self.unit}")
        return self


class Records(Settings):
    """Records (FHIR) from which columns are made, one row per patient."""

    from_: str = Field(
        alias="from", description="folder or file of FHIR documents, or `store:` for those of the snapshot"
    )
    index: IndexRule = Field(description="day 0")
    columns: tuple[RecordColumn, ...] = Field(min_length=1, description="what is made of the records")

    @model_validator(mode="after")
    def _names_differ(self) -> Records:
        names = [INDEX, *(one.column for one in self.columns)]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"two columns are named {twice}" + (", as the day 0 is" if twice == INDEX else ""))
        return self

    def named(self, column: str) -> RecordColumn | None:
        """The rule that makes a column, if one does."""
        return next((one for one in self.columns if one.column == column), None)


@dataclass(frozen=True, slots=True)
class Pivot:
    """Rows by patient, each a text (None where nothing is known) for each column; and what was not used, and why."""

    columns: tuple[str, ...]
    rows: Mapping[str, Mapping[str, str | None]]
    notes: tuple[Problem, ...]


@dataclass(slots=True)
class _Seen:
    """Of one column, over all patients: values that are not used, by reason, and the units of those that are."""

    unused: Counter[str] = field(default_factory=Counter)
    units: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Dated:
    """A fact with the first and the last day on which it may have come to be known; both None without a date."""

    fact: Fact
    earliest: int | None
    latest: int | None


def pivot(
    facts: Iterable[Fact], rules: Records, *, patients: Sequence[str] = (), dates: Mapping[str, str] | None = None
) -> Pivot:
    """Make one row per patient.

    A value counts as known on the day that its record states; a month or a year that is stated counts as its last day
    where it must be known by day 0, and as its first where it must come later. A value that is itself a date
    (`birth_date`, `deceased`) and has no other is known on that day.

    Parameters
    ----------
    facts
        In the order of their documents, under the IDs that the table is to have.
    rules
        Day 0 and the columns.
    patients
        Who has a row, records or not; without them whoever has a record.
    dates
        Day 0 by patient (ISO), where a column of a table tells it.

    Raises
    ------
    Refused
        `record-unknown` when no record has a name that is asked for; `record-unit` when values of a column have no
        unit, units that cannot be converted, or different ones while none is asked for.
    """
    by_column, known, indexed = _sorted(facts, rules)
    wanted = sorted(patients or known)
    told = {name: _days(text) for name, text in (dates or {}).items()}
    zero = {name: days[0] for name in wanted if (days := told.get(name) or indexed.get(name)) and days[0] == days[1]}
    rows: dict[str, dict[str, str | None]] = {name: {INDEX: "0" if name in zero else None} for name in wanted}
    notes = []
    for rule in rules.columns:
        seen = _Seen()
        for name, day in zero.items():
            usable = list(_usable(by_column[rule.column].get(name, ()), rule, day, seen.unused))
            rows[name][rule.column] = _taken(usable, rule, day, seen)
        notes += _told(rule, seen.unused)
    return Pivot((INDEX, *(rule.column for rule in rules.columns)), rows, tuple(notes))


def _sorted(
    facts: Iterable[Fact], rules: Records
) -> tuple[dict[str, dict[str, list[_Dated]]], set[str], dict[str, tuple[int, int]]]:
    """Facts by column and patient; everybody of whom there is a fact; and the day of the index record."""
    found: dict[str, dict[str, list[_Dated]]] = {rule.column: defaultdict(list) for rule in rules.columns}
    patterns = {rule.column: (rule.record, rule.is_) for rule in rules.columns}
    patterns[INDEX] = (rules.index.record, rules.index.is_)
    index: dict[str, tuple[int, int]] = {}
    names: set[str] = set()
    known: set[str] = set()
    wanted: dict[str, list[str]] = {}
    for fact in facts:
        known.add(fact.patient_id)
        if fact.name not in names:
            names.add(fact.name)
            wanted[fact.name] = [column for column, (record, _) in patterns.items() if _fits(fact.name, (record,))]
        for column in wanted[fact.name]:
            if column != INDEX and _fits(fact.text, patterns[column][1]):
                days = _days(fact.known_at) or (None if fact.known_at else _days(fact.text)) or (None, None)
                found[column][fact.patient_id].append(_Dated(fact, *days))
        if INDEX in wanted[fact.name]:
            _note_index(fact, rules.index, index)
    _refuse_unknown(names, rules)
    return found, known, index


def _note_index(fact: Fact, rule: IndexRule, index: dict[str, tuple[int, int]]) -> None:
    days = _days(fact.known_at) if _fits(fact.text, rule.is_) else None
    if days and days[0] == days[1]:  # a month is no day 0
        choose = min if rule.take == "first" else max
        index[fact.patient_id] = choose(index.get(fact.patient_id, days), days)


def _fits(text: str, patterns: Sequence[str]) -> bool:
    folded = text.casefold()
    return not patterns or any(matches(folded, pattern.casefold()) for pattern in patterns)


def _days(text: str) -> tuple[int, int] | None:
    """The first and the last day that a date, a month or a year means, as written; None for anything else."""
    found = DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    assert year is not None
    try:
        if day:
            one = date(year, month or 1, day).toordinal()
            return one, one
        last = date(year, month or 12, calendar.monthrange(year, month or 12)[1])
        return date(year, month or 1, 1).toordinal(), last.toordinal()
    except ValueError:
        return None


def _refuse_unknown(names: set[str], rules: Records) -> None:
    asked = [rules.index.record, *(rule.record for rule in rules.columns)]
    for pattern in filter(None, asked):
        if not any(_fits(name, (pattern,)) for name in names):
            from prognoscope.core.settings import nearest

            near = nearest(pattern.casefold(), [name.casefold() for name in names])
            raise refuse(
                "record-unknown",
                subject=f"record {pattern}",
                found="no record has this name" + (f"; “{near}” is like it" if near else ""),
                remedy="see what there is: prognoscope query --records FILE, whose column `name` lists them",
            )


def _usable(facts: Iterable[_Dated], rule: RecordColumn, zero: int, unused: Counter[str]) -> Iterator[_Dated]:
    reach = rule.within if rule.within is not None else float("inf")
    for one in facts:
        if one.earliest is None or one.latest is None:
            if rule.undated and rule.when == "before":
                yield one
            else:
                unused["have no date"] += 1
        elif rule.when == "before":
            if one.latest > zero:
                unused["were not surely known by day 0"] += 1
            elif one.latest >= zero - reach:
                yield one
        elif one.earliest > zero and one.earliest <= zero + reach:
            yield one


def _taken(facts: list[_Dated], rule: RecordColumn, zero: int, seen: _Seen) -> str | None:
    if rule.taken == "any":
        return "true" if facts else "false"
    if rule.taken == "count":
        return str(len(facts))
    facts.sort(key=lambda one: (one.earliest or 0, one.fact.known_at))
    if rule.taken.endswith("time"):
        days = [one.earliest for one in facts if one.earliest is not None]
        day = (days[0] if rule.taken == "first time" else days[-1]) if days else None
        return None if day is None else f"{abs(day - zero) / DAYS_PER_UNIT[rule.unit or 'day']:.12g}"
    values = list(_values(facts, rule, seen))
    if not values:
        return None
    if rule.taken in ("lowest", "highest"):
        numbers = [number for _, number in values if number is not None]
        seen.unused["are no numbers"] += len(values) - len(numbers)
        return f"{min(numbers) if rule.taken == 'lowest' else max(numbers):.12g}" if numbers else None
    text, number = values[0 if rule.taken == "first" else -1]
    return text if number is None else f"{number:.12g}"


def _values(facts: Iterable[_Dated], rule: RecordColumn, seen: _Seen) -> Iterator[tuple[str, float | None]]:
    """Text and number of each value, the number in the unit that is asked for; refuses what cannot be told so."""
    for one in facts:
        number = one.fact.number
        if rule.unit and number is None:
            seen.unused["are no numbers"] += 1
            continue
        if number is not None:
            seen.units.add(one.fact.unit)
            number = converted(number, one.fact.unit, rule.unit) if rule.unit else number
            if number is None:
                raise _wrong_unit(rule, [one.fact.unit])
            if len(seen.units) > 1 and not rule.unit:
                raise _wrong_unit(rule, sorted(seen.units))
        yield one.fact.text, number


def _wrong_unit(rule: RecordColumn, units: Sequence[str]) -> Exception:
    told = " and ".join(unit or "no unit" for unit in units)
    return refuse(
        "record-unit",
        subject=f"column {rule.column}",
        found=f"values of {rule.record} have {told}"
        + (f", which does not become {rule.unit}" if rule.unit else " within one column"),
        remedy="say a `unit:` that they convert to, or tell the records apart with `record:` and `is:`",
    )


def _told(rule: RecordColumn, unused: Counter[str]) -> list[Problem]:
    what = "; ".join(f"{number} values {why}" for why, number in sorted(unused.items()) if number)
    said = "they are not used" if what else ""
    return [Problem("records-not-used", f"column {rule.column}", f"{what}: {said}", "nothing")] if what else []
