"""Facts with dates → one row per patient, as it could be known on day 0."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from prognoscope.cohort import INDEX, Pivot, Records, pivot
from prognoscope.core.facts import Fact
from prognoscope.core.problems import Refused

STAY = {"record": "encounter", "is": "inpatient*"}


def fact(name: str, text: str, when: str = "", *, who: str = "A", unit: str = "") -> Fact:
    number = float(text) if unit else None
    return Fact(who, name, text, number, unit, when)


FACTS = [
    fact("encounter", "ambulatory", "2020-01-01"),
    fact("encounter", "inpatient encounter", "2020-03-10T08:00:00+01:00"),
    fact("encounter", "inpatient encounter", "2021-01-01"),
    fact("Systolic blood pressure", "120", "2020-03-01T10:00:00Z", unit="mm[Hg]"),
    fact("Systolic blood pressure", "150", "2020-03-10T20:00:00Z", unit="mm[Hg]"),
    fact("Systolic blood pressure", "90", "2020-03-11", unit="mm[Hg]"),
    fact("Systolic blood pressure", "95", "2020-12-24", unit="mm[Hg]"),
    fact("Systolic blood pressure", "110", "2019-03-01", unit="mm[Hg]"),
    fact("condition", "Sepsis, unspecified", "2020-03"),  # the whole month: not surely known by the 10th
    fact("condition", "Essential hypertension", "2018"),
    fact("birth_date", "1960-03-10"),
    fact("deceased", "2020-05-19"),
    fact("sex", "female"),
]


def made(*columns: dict[str, Any], facts: list[Fact] = FACTS, **more: Any) -> Pivot:
    rules = Records.model_validate({"from": "x", "index": STAY, "columns": [*columns]})
    return pivot(facts, rules, **more)


def value(column: dict[str, Any], facts: list[Fact] = FACTS) -> str | None:
    return made({"column": "x", **column}, facts=facts).rows["A"]["x"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"take": "last"}, "150"),  # of the day itself
        ({"take": "first"}, "110"),
        ({"take": "lowest"}, "110"),
        ({"take": "highest", "unit": "kPa"}, "19.9983581122"),  # 150 × 0.133322387415
        ({"take": "count"}, "3"),
        ({"take": "count", "within": "30 day"}, "2"),
        ({"take": "lowest", "within": "30 day"}, "120"),
        ({"take": "any", "within": "30 day"}, "true"),
        ({"take": "last time", "within": "30 day"}, "0"),
        ({"take": "first time", "unit": "week"}, "53.5714285714"),  # 375 days
        ({}, "150"),
        ({"when": "after", "within": "400 day"}, "90"),
        ({"when": "after", "take": "first time"}, "1"),
    ],
)
def test_which_of_several_values(rule: dict[str, Any], expected: str) -> None:
    assert value({"record": "systolic*", **rule}) == expected


def test_a_month_is_known_on_its_last_day_and_later_than_the_day_before_its_first() -> None:
    sepsis = {"record": "condition", "is": "*SEPSIS*", "take": "any"}
    assert value(sepsis) == "false"
    assert value({**sepsis, "when": "after"}) == "false"
    assert value({"record": "condition", "take": "any"}) == "true"  # 2018 is over
    assert value({"record": "condition", "is": ["*sepsis*", "*hypert*"], "take": "count"}) == "1"


def test_a_value_that_is_a_date_is_known_on_that_day() -> None:
    assert value({"record": "birth_date", "take": "last time", "unit": "year"}) == "60"
    assert value({"record": "deceased", "take": "any"}) == "false"
    assert value({"record": "deceased", "take": "any", "when": "after"}) == "true"
    assert value({"record": "deceased", "take": "any", "when": "after", "within": "60 day"}) == "false"
    assert value({"record": "deceased", "take": "first time", "when": "after"}) == "70"


def test_what_has_no_date_counts_only_where_that_is_said() -> None:
    assert value({"record": "sex"}) is None
    assert value({"record": "sex", "undated": True}) == "female"


def test_what_came_too_late_is_counted_and_told() -> None:
    (note,) = made({"column": "sbp", "record": "Systolic blood pressure"}).notes
    assert (note.code, note.subject) == ("records-not-used", "column sbp")
    assert note.found == "2 values were not surely known by day 0: they are not used"


def test_a_later_value_changes_nothing_of_what_was_known_before() -> None:
    columns = [{"column": take, "record": "systolic*", "take": take} for take in ("last", "lowest", "highest", "count")]
    later = [*FACTS, fact("Systolic blood pressure", "10", "2020-03-12", unit="mm[Hg]")]
    assert made(*columns).rows == made(*columns, facts=later).rows


def test_who_has_no_day_0_has_a_row_without_one() -> None:
    facts = [*FACTS, fact("sex", "male", who="B"), fact("encounter", "inpatient", "2020-05", who="C")]
    rows = made({"column": "sex", "record": "sex", "undated": True}, facts=facts).rows
    assert [(name, row[INDEX]) for name, row in rows.items()] == [("A", "0"), ("B", None), ("C", None)]
    assert rows["B"].get("sex") is None


def test_day_0_of_a_table_and_its_patients() -> None:
    rules = Records.model_validate(
        {"from": "x", "index": {"column": "scan"}, "columns": [{"column": "sbp", "record": "systolic*"}]}
    )
    rows = pivot(FACTS, rules, patients=["A", "Z"], dates={"A": "2020-03-05", "Z": "2020-03-05"}).rows
    assert {name: row["sbp"] for name, row in rows.items()} == {"A": "120", "Z": None}


@pytest.mark.parametrize(
    ("column", "facts", "told"),
    [
        (
            {"record": "crea", "unit": "mmol/L"},
            [fact("crea", "1", "2020-01-01", unit="mg/dL")],
            "does not become mmol/L",
        ),
        (
            {"record": "crea"},
            [fact("crea", "1", "2020-01-01", unit="mg/dL"), fact("crea", "90", "2020-01-02", unit="umol/L")],
            "mg/dL and umol/L within one column",
        ),
    ],
)
def test_units_that_cannot_be_one_are_refused(column: dict[str, Any], facts: list[Fact], told: str) -> None:
    with pytest.raises(Refused, match=told) as refused:
        value(column, [*FACTS, *facts])
    assert refused.value.problem.code == "record-unit"


def test_units_differ_between_patients_too() -> None:
    other = [
        fact("encounter", "inpatient", "2020-06-01", who="B"),
        fact("Systolic blood pressure", "16", "2020-05-01", who="B", unit="kPa"),
    ]
    with pytest.raises(Refused, match="kPa and mm"):
        made({"column": "sbp", "record": "systolic*"}, facts=[*FACTS, *other])
    rows = made({"column": "sbp", "record": "systolic*", "unit": "kPa"}, facts=[*FACTS, *other]).rows
    assert rows["B"]["sbp"] == "16"


def test_a_name_that_no_record_has() -> None:
    with pytest.raises(Refused, match="“systolic blood pressure” is like it") as refused:
        value({"record": "Systolic blod pressure"})
    assert refused.value.problem.code == "record-unknown"


@pytest.mark.parametrize(
    "wrong",
    [
        {"index": {}},
        {"index": {"record": "a", "column": "b"}},
        {"columns": []},
        {"columns": [{"column": "index", "record": "a"}]},
        {"columns": [{"column": "a", "record": "a"}, {"column": "a", "record": "b"}]},
        {"columns": [{"column": "a", "record": "a", "take": "last time", "unit": "kg"}]},
    ],
)
def test_rules_that_make_no_sense(wrong: dict[str, Any]) -> None:
    whole = {"from": "x", "index": STAY, "columns": [{"column": "a", "record": "a"}]}
    with pytest.raises(ValidationError):
        Records.model_validate(whole | wrong)
