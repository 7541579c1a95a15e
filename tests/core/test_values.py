"""Outcomes, tables, flow, seeds, hashes and problems."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from pydantic import Field, ValidationError

from prognoscope.core import hashing, seeds
from prognoscope.core.flow import Exclusion, Flow
from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.core.settings import Settings
from prognoscope.core.table import PATIENT, Column, Table, join

PROBLEM = Problem("some-code", "series 1.2.3", "2 slices are missing", "fetch them again")


def frame(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame(dict(columns), index=pd.Index(["a", "b"], name=PATIENT))


def test_a_refusal_travels_between_processes_with_its_problem() -> None:
    again = pickle.loads(pickle.dumps(Refused(PROBLEM)))
    assert again.problem == PROBLEM
    assert str(again) == "series 1.2.3: 2 slices are missing; fetch them again [some-code]"


def test_horizon_counts_separate_events_from_follow_up_that_ended_early() -> None:
    outcome = TimeToEvent(np.array([10.0, 800, 700, 900]), np.array([True, True, False, False]), 730)
    assert (outcome.events, outcome.events_by_horizon, outcome.censored_before_horizon) == (2, 1, 1)


@pytest.mark.parametrize("time", [0.0, -3.0, float("nan"), float("inf")])
def test_a_time_that_does_not_run_forward_is_refused_with_its_place(time: float) -> None:
    with pytest.raises(Refused, match="patient 2 of 2"):
        TimeToEvent(np.array([5.0, time]), np.array([True, False]), 730)


def test_taking_patients_twice_keeps_their_outcome() -> None:
    outcome = TimeToEvent(np.array([1.0, 2, 3]), np.array([True, False, True]), 2).take([2, 2, 0])
    assert outcome.time_days.tolist() == [3, 3, 1]
    assert Binary(np.array([True, False])).take([1, 0, 0]).event.tolist() == [False, True, True]


def test_a_table_with_one_patient_twice_is_refused() -> None:
    twice = pd.DataFrame({"x": [1.0, 2.0]}, index=pd.Index(["007", "007"], name=PATIENT))
    with pytest.raises(Refused, match="patient 007"):
        Table(twice, (Column("x", "number"),))


def test_a_schema_must_describe_every_column_in_order() -> None:
    with pytest.raises(Refused) as refused:
        Table(frame(x=[1, 2], y=[3, 4]), (Column("y", "number"), Column("x", "number")))
    assert refused.value.problem.code == "table-schema"


def test_joining_two_tables_with_one_column_name_is_refused() -> None:
    one = Table(frame(x=[1, 2]), (Column("x", "number"),))
    with pytest.raises(Refused, match="column x"):
        join([one, one])


def test_joined_rows_follow_the_first_table() -> None:
    one = Table(frame(x=[1, 2]), (Column("x", "number"),))
    two = Table(frame(y=[3, 4]).loc[["b", "a"]], (Column("y", "number", origin="imaging"),))
    both = join([one, two])
    assert both.frame.loc[["a"]].to_numpy().tolist() == [[1, 3]]
    assert [column.name for column in both.of_origin("imaging").columns] == ["y"]


def test_every_patient_is_included_or_excluded_once() -> None:
    flow = Flow(("a", "b", "c")).without((Exclusion("b", "measurement", PROBLEM),))
    assert flow.included == ("a", "c")
    assert flow.considered == 3
    assert flow.counts() == (("measurement", "some-code", 1),)


def test_a_seed_depends_on_purpose_and_key_and_on_nothing_else() -> None:
    first = seeds.generator(1, "outer folds", 0).integers(1 << 30, size=4).tolist()
    assert seeds.generator(1, "outer folds", 0).integers(1 << 30, size=4).tolist() == first
    for other in (
        seeds.generator(2, "outer folds", 0),
        seeds.generator(1, "refits", 0),
        seeds.generator(1, "outer folds", 1),
    ):
        assert other.integers(1 << 30, size=4).tolist() != first
    assert 0 <= seeds.integer(1, "forest", 3) < 2**31


def test_a_table_with_one_changed_cell_has_another_hash() -> None:
    base = frame(x=[1.0, np.nan])
    assert hashing.of_frame(base) == hashing.of_frame(base.copy())
    assert hashing.of_frame(base) != hashing.of_frame(frame(x=[1.0, 2.0]))
    assert hashing.of_frame(base) != hashing.of_frame(base.rename(columns={"x": "y"}))


def test_canonical_json_does_not_depend_on_the_order_of_keys() -> None:
    assert hashing.of_value({"b": 1, "a": np.float64(2)}) == hashing.of_value({"a": 2.0, "b": np.int64(1)})


def test_a_value_without_canonical_json_is_not_hashed_by_its_address() -> None:
    with pytest.raises(TypeError, match="no canonical JSON"):
        hashing.of_value(object())


class Bins(Settings):
    bin_width: float = Field(25.0, gt=0)
    bins: int | None = Field(None, alias="number_of_bins")


def test_an_unknown_key_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(ValidationError, match="unknown key “bin_widht”; did you mean “bin_width”"):
        Bins.model_validate({"bin_widht": 10})


def test_a_key_far_from_all_others_lists_what_is_known() -> None:
    with pytest.raises(ValidationError, match="known are: bin_width, number_of_bins"):
        Bins.model_validate({"zzz": 10})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Bins().bin_width = 3  # type: ignore[misc]


def test_refuse_makes_a_problem_with_all_its_parts() -> None:
    problem = refuse("a-code", subject="s", found="f", remedy="r").problem
    assert problem == Problem(code="a-code", subject="s", found="f", remedy="r")
