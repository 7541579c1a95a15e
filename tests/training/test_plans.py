"""Ways to hold patients out that a study file can name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from prognoscope.core.outcome import Binary
from prognoscope.core.problems import Refused
from prognoscope.training import PLANS, Assignment

OUTCOME = Binary(np.arange(12) % 3 == 0)
PATIENTS = [f"P{number:02d}" for number in range(12)]


def _assign(name: str, values: Sequence[Any] | None = None, **settings: object) -> Assignment:
    plan = next(plan for plan in PLANS if plan.name == name)
    given = None if values is None else pd.Series(list(values), index=PATIENTS, dtype=object)
    return plan.assign(OUTCOME, plan.settings.model_validate(settings), given, PATIENTS, 1)


def test_the_names_of_the_plans_are_those_of_the_study_file() -> None:
    names = ["cross-validation", "leave-one-site-out", "held-out-by-time", "external", "bootstrap"]
    assert [plan.name for plan in PLANS] == names


def test_cross_validation_deals_patients_by_chance() -> None:
    assignment = _assign("cross-validation", folds=4, repeats=3)
    assert assignment.folds.shape == (3, 12)
    assert set(assignment.folds.ravel()) == {0, 1, 2, 3}
    assert assignment.held_out.tolist() == list(range(12))


def test_patients_of_one_value_are_dealt_together_and_those_without_alone() -> None:
    values: list[object] = ["a", "a", "b", None, "b", None, "c", "c", "a", "d", "d", None]
    folds = _assign("cross-validation", values, column="family", folds=2, repeats=4).folds
    for members in ([0, 1, 8], [2, 4], [6, 7], [9, 10]):
        assert (folds[:, members] == folds[:, members[:1]]).all()
    assert (folds[:, 3] != folds[:, 5]).any() or (folds[:, 3] != folds[:, 11]).any()


def test_each_site_is_one_fold_with_its_name() -> None:
    sites: list[object] = ["Lyon", "Bern", "Bern", "Graz"] * 3
    assignment = _assign("leave-one-site-out", sites, column="centre")
    assert assignment.names == ("Bern", "Graz", "Lyon")
    assert [assignment.names[fold] for fold in assignment.folds[0]] == sites


def test_a_single_site_is_refused() -> None:
    with pytest.raises(Refused, match=r"column centre.*every patient has 'Bern'.*too-few-sites"):
        _assign("leave-one-site-out", ["Bern"] * 12, column="centre")


def test_a_site_that_has_all_the_events_is_refused_by_name() -> None:
    sites: list[object] = ["Bern" if event else "Lyon" for event in OUTCOME.event]
    with pytest.raises(Refused, match=r"patients of every site but Bern.*one-class"):
        _assign("leave-one-site-out", sites, column="centre")


def test_a_patient_without_a_site_is_refused_by_name() -> None:
    with pytest.raises(
        Refused, match=r"column centre: no value for 1 of 12 patients, the first is P03.*split-value-missing"
    ):
        _assign("leave-one-site-out", ["A", "B", "A", None, *("A", "B") * 4], column="centre")


def test_patients_after_a_date_are_held_out_and_those_of_the_day_are_not() -> None:
    dates: list[object] = [f"2020-{month:02d}-15" for month in range(1, 13)]
    assignment = _assign("held-out-by-time", dates, column="date", after="2020-08-15")
    assert assignment.folds[0].tolist() == [-1] * 8 + [0] * 4
    assert assignment.held_out.tolist() == [8, 9, 10, 11]


def test_the_latest_share_is_held_out_and_patients_of_one_day_stay_together() -> None:
    year: list[object] = [2015, 2016, 2016, 2017, 2017, 2018, 2018, 2018, 2019, 2020, 2021, 2021]
    assert _assign("held-out-by-time", year, column="year", share=0.34).held_out.tolist() == [8, 9, 10, 11]
    # Four of twelve would split the patients of 2018; they stay with the earlier ones.
    assert _assign("held-out-by-time", year, column="year", share=0.5).held_out.tolist() == [8, 9, 10, 11]


def test_the_order_of_the_rows_is_not_the_order_of_time() -> None:
    year: list[object] = [2021, 2020, 2015, 2016, 2016, 2017, 2017, 2018, 2018, 2018, 2019, 2021]
    assert _assign("held-out-by-time", year, column="year", after=2018).held_out.tolist() == [0, 1, 10, 11]


def test_a_date_that_is_none_is_refused_with_the_value() -> None:
    with pytest.raises(Refused, match=r"column date: 'spring' is neither.*split-value-type"):
        _assign("held-out-by-time", ["2020-01-01"] * 11 + ["spring"], column="date", share=0.3)


def test_held_out_patients_without_an_event_are_refused() -> None:
    with pytest.raises(Refused, match=r"the 2 patients held out: none of 2 have the event.*one-class"):
        _assign("held-out-by-time", list(range(12)), column="day", after=9)


@pytest.mark.parametrize("settings", [{}, {"after": 3, "share": 0.3}])
def test_a_time_plan_needs_exactly_one_rule(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="either `after` or `share`"):
        _assign("held-out-by-time", [1] * 12, column="day", **settings)


def test_a_set_kept_apart_is_never_learnt_from() -> None:
    marks: list[object] = ["yes" if number >= 8 else "no" for number in range(12)]
    assignment = _assign("external", marks, column="locked", value="yes")
    assert assignment.folds[0].tolist() == [-1] * 8 + [0] * 4
    assert assignment.names == ("locked yes",)


def test_several_values_can_mark_the_set_kept_apart() -> None:
    years: list[object] = [str(2010 + number) for number in range(12)]
    assignment = _assign("external", years, column="year", value=[2019, 2021])
    assert assignment.held_out.tolist() == [9, 11]
    assert assignment.names == ("year 2019 or 2021",)


def test_a_mark_that_nobody_has_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Refused, match=r"no participant has 'yes'; there are: maybe, no;.*external-set-empty"):
        _assign("external", ["no", "maybe"] * 6, column="locked", value="yes")


def test_only_a_set_kept_apart_is_locked() -> None:
    assert [plan.name for plan in PLANS if plan.locked] == ["external"]


def test_who_is_never_held_out_is_only_learnt_from() -> None:
    assignment = _assign("held-out-by-time", list(range(12)), column="day", after=5)
    assert assignment.only_learnt_from.tolist() == [0, 1, 2, 3, 4, 5]


def test_dates_and_a_number_as_the_cut_are_not_compared() -> None:
    with pytest.raises(Refused, match=r"it holds dates, `after:` is 2019\.0.*split-value-type"):
        _assign("held-out-by-time", ["2018-01-01", "2020-01-01"] * 6, column="date", after=2019)
    with pytest.raises(Refused, match=r"it holds numbers, `after:` is '2019-01-01'"):
        _assign("held-out-by-time", [2018, 2020] * 6, column="year", after="2019-01-01")


def test_a_date_as_yaml_reads_it_is_understood() -> None:
    dates: list[object] = [f"2020-{month:02d}-15" for month in range(1, 13)]
    assignment = _assign("held-out-by-time", dates, column="date", after=date(2020, 8, 15))
    assert assignment.held_out.tolist() == [8, 9, 10, 11]
    assert assignment.names == ("date later than 2020-08-15",)


def test_bootstraps_hold_everybody_out_at_once() -> None:
    assert _assign("bootstrap", resamples=50).folds.tolist() == [[0] * 12]
