"""Time zero and outcome: counted from the day of the prediction, or not at all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from prognoscope.cohort import BinaryOutcome, SurvivalOutcome, read_outcome, time_zero_days
from prognoscope.core.outcome import TimeToEvent
from prognoscope.core.problems import Refused
from prognoscope.core.table import PATIENT

DEATH = SurvivalOutcome.model_validate(
    {"time": "followed", "event": {"column": "status", "is": "D"}, "horizon": "860 day"}
)


def rows(**columns: Sequence[str | None]) -> pd.DataFrame:
    number = len(next(iter(columns.values())))
    index = pd.Index([f"P{row:03}" for row in range(number)], name=PATIENT)
    return pd.DataFrame(columns, index=index, dtype=object)


def zero(frame: pd.DataFrame, day: float = 0.0) -> pd.Series:
    return pd.Series(day, index=frame.index)


def test_time_zero_is_the_latest_day_on_the_chain_of_columns() -> None:
    frame = rows(to_mri=["-7", "10", "20"], mri_to_pet=["4", "5", "-14"])
    days, excluded = time_zero_days(frame, ("to_mri", "mri_to_pet"))
    # A scan before day 0 does not make the diagnosis known earlier, nor does a scan before another one.
    assert days.tolist() == [0, 15, 20]
    assert excluded == ()


def test_a_patient_whose_scan_has_no_date_is_excluded_with_the_columns_named() -> None:
    frame = rows(to_mri=["3", None], mri_to_pet=["4", "5"])
    days, excluded = time_zero_days(frame, ("to_mri", "mri_to_pet"))
    assert np.isnan(days["P001"])
    assert [one.patient_id for one in excluded] == ["P001"]
    assert "to_mri, mri_to_pet" in excluded[0].problem.found


def test_survival_is_counted_from_time_zero() -> None:
    frame = rows(followed=["845", "1000"], status=["D", "NED"])
    read = read_outcome(frame, DEATH, zero(frame, 100))
    assert isinstance(read.outcome, TimeToEvent)
    assert read.outcome.time_days.tolist() == [745, 900]
    assert read.outcome.event.tolist() == [True, False]


def test_an_outcome_before_time_zero_excludes_with_that_reason() -> None:
    frame = rows(followed=["845", "90", "1000"], status=["D", "D", "NED"])
    read = read_outcome(frame, DEATH, zero(frame, 100))
    assert read.patients == ("P000", "P002")
    assert read.exclusions[0].problem.code == "outcome-before-time-zero"


def test_an_unknown_outcome_excludes_and_is_never_taken_for_no_event() -> None:
    frame = rows(followed=["845", None, "1000", "800"], status=["D", "NED", "NED", None])
    read = read_outcome(frame, DEATH, zero(frame))
    assert read.patients == ("P000", "P002")
    assert {one.problem.code for one in read.exclusions} == {"outcome-unknown"}


def test_a_negative_survival_time_is_refused_with_patient_and_column() -> None:
    frame = rows(followed=["845", "-3"], status=["D", "NED"])
    with pytest.raises(Refused, match="column followed, patient P001: the time is -3 days") as refused:
        read_outcome(frame, DEATH, zero(frame))
    assert refused.value.problem.code == "negative-time"


def test_events_coded_in_a_way_that_the_file_does_not_explain_are_refused() -> None:
    frame = rows(dead=["1", "2", "0"])
    with pytest.raises(Refused, match="does not say what 0, 2 means"):
        read_outcome(frame, BinaryOutcome(column="dead", event=1), zero(frame))


def test_a_value_that_is_neither_event_nor_censored_is_refused() -> None:
    rule = SurvivalOutcome.model_validate(
        {"time": "followed", "event": {"column": "status", "is": "D", "censored": ["NED"]}, "horizon": "2 year"}
    )
    frame = rows(followed=["845", "900"], status=["D", "LOST"])
    with pytest.raises(Refused, match="LOST"):
        read_outcome(frame, rule, zero(frame))


@pytest.mark.parametrize(("values", "who"), [(["1", "1"], "every patient"), (["1", None], "every patient")])
def test_an_outcome_with_one_class_is_refused(values: list[str | None], who: str) -> None:
    frame = rows(dead=values)
    with pytest.raises(Refused, match=who):
        read_outcome(frame, BinaryOutcome(column="dead", event=1), zero(frame))


def test_an_event_value_that_no_cell_has_is_refused_with_the_values_there_are() -> None:
    frame = rows(dead=["yes", "no"])
    with pytest.raises(Refused, match="its values are no, yes"):
        read_outcome(frame, BinaryOutcome(column="dead", event="Yes"), zero(frame))


def test_without_the_event_a_short_follow_up_excludes_and_with_it_does_not() -> None:
    frame = rows(spread=["1", "0", "0"], followed=["100", "200", "700"])
    rule = BinaryOutcome.model_validate(
        {"column": "spread", "event": 1, "follow_up": "followed", "followed_at_least": "365 day"}
    )
    read = read_outcome(frame, rule, zero(frame, 10))
    assert read.patients == ("P000", "P002")
    assert read.exclusions[0].problem.code == "followed-too-short"


def test_a_horizon_that_nobody_reached_is_refused() -> None:
    frame = rows(followed=["300", "400"], status=["D", "NED"])
    with pytest.raises(Refused, match="nobody was followed longer than 400"):
        read_outcome(frame, DEATH, zero(frame))


@pytest.mark.parametrize(("text", "days"), [("730 day", 730), ("2 years", 730.5), ("6 month", 182.625), (90, 90)])
def test_a_horizon_is_written_with_its_unit(text: str | int, days: float) -> None:
    rule = SurvivalOutcome.model_validate({"time": "t", "event": {"column": "s", "is": "D"}, "horizon": text})
    assert rule.horizon == days


def test_a_third_value_beside_event_and_censored_is_refused_until_the_file_says_what_it_means() -> None:
    frame = rows(followed=["845", "900", "950", "999"], status=["D", "NED", "-9", None])
    with pytest.raises(Refused, match=r"does not say what -9, NED means; list .* under `censored:`") as refused:
        read_outcome(frame, DEATH, zero(frame))
    assert refused.value.problem.code == "outcome-coding"
    event = {"column": "status", "is": "D", "censored": ["NED", "-9"]}
    rule = SurvivalOutcome.model_validate({"time": "followed", "event": event, "horizon": 860})
    assert read_outcome(frame, rule, zero(frame)).patients == ("P000", "P001", "P002")


def test_one_value_named_as_event_and_as_censored_is_refused() -> None:
    event = {"column": "status", "is": 1, "censored": [0, 1.0]}
    rule = SurvivalOutcome.model_validate({"time": "followed", "event": event, "horizon": 860})
    frame = rows(followed=["845", "900"], status=["1", "0"])
    with pytest.raises(Refused, match="1 is named as the event and under `censored:` too"):
        read_outcome(frame, rule, zero(frame))


def test_all_may_die_in_the_end_if_some_live_at_the_horizon() -> None:
    frame = rows(followed=["300", "1200", "2000"], status=["D", "D", "D"])
    read = read_outcome(frame, DEATH, zero(frame))
    assert isinstance(read.outcome, TimeToEvent)
    assert (read.outcome.events, read.outcome.events_by_horizon) == (3, 1)


@pytest.mark.parametrize(
    ("followed", "status", "told"),
    [
        (["900", "1200"], ["D", "NED"], "no patient of 2 has the event by the horizon of 860 days"),
        (["300", "860"], ["D", "D"], "every patient of 2 has the event by the horizon of 860 days"),
        (["300", "860", "400"], ["D", "D", "NED"], "every patient of 2 followed so far has the event"),
    ],
)
def test_a_time_to_event_needs_both_kinds_at_the_horizon(followed: list[str], status: list[str], told: str) -> None:
    frame = rows(followed=followed, status=status)
    with pytest.raises(Refused, match=told) as refused:
        read_outcome(frame, DEATH, zero(frame))
    assert refused.value.problem.code == "one-class"


@pytest.mark.parametrize("cells", [["true", "false"], ["True", "False"], ["TRUE", "FALSE"]])
def test_booleans_are_values_however_they_are_written(cells: list[str]) -> None:
    frame = rows(dead=cells)
    read = read_outcome(frame, BinaryOutcome(column="dead", event=True), zero(frame))
    assert read.outcome.event.tolist() == [True, False]
    read = read_outcome(frame, BinaryOutcome(column="dead", event=True, no_event=(False,)), zero(frame))
    assert read.outcome.event.tolist() == [True, False]


def test_nobody_with_an_outcome_is_told_by_the_reasons() -> None:
    frame = rows(followed=["10", "20", None], status=["D", "NED", "D"])
    with pytest.raises(Refused, match=r"none of 3 .*: 2 × outcome-before-time-zero, 1 × outcome-unknown"):
        read_outcome(frame, DEATH, zero(frame, 100))
