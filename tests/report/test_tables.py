"""The tables' rows: their order, their words, and the places of bars and ranges."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from prognoscope.core.flow import Exclusion, Flow
from prognoscope.core.problems import Problem
from prognoscope.report.content import Importance
from prognoscope.report.tables import (
    cell,
    counts,
    flow_steps,
    guards_in_order,
    importance_rows,
    metric_names,
    metric_rows,
    plain,
    zero_place,
)
from prognoscope.validation.results import Guard, Metric
from tests.make.evaluation import evaluation
from tests.make.report import content, flow

NAN = math.nan


def test_metrics_come_in_the_same_order_whatever_the_order_of_the_evaluation() -> None:
    base = evaluation()
    turned = tuple(replace(model, metrics=dict(reversed(list(model.metrics.items())))) for model in base.models)
    assert metric_rows(replace(base, models=turned)) == metric_rows(base)


def test_unknown_metrics_come_last_by_name() -> None:
    at = Metric(0.5, 0.4, 0.6, 9, 3)
    assert metric_names([{"zeta": at, "brier": at}, {"alpha": at, "auc": at}]) == ("auc", "brier", "alpha", "zeta")


def test_a_model_without_a_metric_has_an_empty_cell() -> None:
    base = evaluation()
    bare = replace(base.models[1], metrics={})
    assert metric_rows(replace(base, models=(base.models[0], bare)))[0].cells[1] is None


def test_a_cell_keeps_the_reason_beside_a_figure_without_interval() -> None:
    found = cell(Metric(0.5, NAN, NAN, 9, 3, "too few resamples"), 2)
    assert found is not None
    assert (found.estimate, found.interval, found.reason) == ("0.50", "", "too few resamples")
    bare = cell(Metric(0.5, NAN, NAN, 9, 3), 2)
    assert bare is not None
    assert bare.reason == "no interval"


def test_guards_of_one_status_keep_the_order_in_which_they_ran() -> None:
    guards = [
        Guard("a", "passed", ""),
        Guard("b", "failed", ""),
        Guard("c", "warned", ""),
        Guard("d", "passed", ""),
        Guard("e", "failed", ""),
    ]
    assert [guard.name for guard in guards_in_order(guards)] == ["b", "e", "c", "a", "d"]


def test_the_flow_adds_up_to_those_who_were_considered() -> None:
    made = flow(51, excluded=9)
    steps = flow_steps(made)
    assert made.considered == 60
    assert sum(step.gone for step in steps) == 9
    assert steps[-1].remaining == 51
    assert all(step.gone == sum(number for _, number in step.reasons) for step in steps)


def test_exclusions_of_one_step_that_come_apart_are_counted_together() -> None:
    def gone(patient: str, step: str, code: str) -> Exclusion:
        return Exclusion(patient, step, Problem(code, patient, "x", "y"))  # type: ignore[arg-type]

    steps = flow_steps(Flow(("1",), (gone("2", "images", "a"), gone("3", "regions", "b"), gone("4", "images", "c"))))
    assert [(step.title, step.gone, step.remaining) for step in steps] == [
        ("Images", 2, 2),
        ("Regions of interest", 1, 1),
    ]


def test_ranges_of_importance_share_one_scale_with_zero_on_it() -> None:
    rows = importance_rows(
        [Importance("a", "", "mm3", 0.5, 0.1, -0.1, 0.3), Importance("b", "", "1", 1.0, 0.3, 0.2, 0.3)]
    )
    assert [(row.low_place, row.mean_place, row.high_place) for row in rows] == [
        (0.0, 50.0, 100.0),
        (75.0, 100.0, 100.0),
    ]
    assert zero_place([Importance("a", "", "", 0.5, 0.1, -0.1, 0.3)]) == 25.0
    assert [row.unit for row in rows] == ["mm³", ""]


def test_small_importances_get_the_decimals_that_tell_them_apart() -> None:
    rows = importance_rows(
        [Importance("a", "", "", 0.5, 0.0112, NAN, NAN), Importance("b", "", "", 0.5, -0.0004, NAN, NAN)]
    )
    assert [row.mean for row in rows] == ["0.0112", "−0.0004"]
    assert importance_rows([Importance("a", "", "", 0.5, 12.34, 11.0, 13.0)])[0].mean == "12.340"


def test_an_importance_without_spread_has_no_range() -> None:
    rows = importance_rows(
        [Importance("a", "", "", 0.5, 0.2, 0.2, 0.2), Importance("b", "", "", 0.5, 0.2, NAN, NAN, "higher, worse")]
    )
    assert [row.spread for row in rows] == ["", ""]
    assert rows[1].direction == "higher, worse"


def test_importance_that_cannot_be_computed_is_said_and_moves_nothing() -> None:
    row = importance_rows([Importance("a", "", "", NAN, NAN, NAN, NAN)])[0]
    assert (row.selected, row.mean, row.spread) == ("not computable", "not computable", "")
    assert (row.low_place, row.mean_place, row.high_place) == (0.0, 0.0, 0.0)


def test_importances_that_are_all_zero_have_a_scale() -> None:
    assert importance_rows([Importance("a", "", "", 0.0, 0.0, 0.0, 0.0)])[0].mean_place == 0.0


def test_counts_have_words_also_when_they_are_new() -> None:
    made = content(replace(evaluation(), counts={"folds": 5, "bootstrap_rounds": 1200}))
    rows = dict(counts(made))
    assert rows["Outer folds"] == "5"
    assert rows["Bootstrap rounds"] == "1,200"
    assert rows["Patients with the event"] == "71"


def test_what_was_ever_tried_is_counted_once() -> None:
    counted = {"settings_tried": 16, "settings_tried_on_this_cohort_ever": 48}
    made = replace(content(replace(evaluation(), counts=counted)), tried_ever=48)
    assert [row for row in counts(made) if "tried" in row[0]] == [
        ("Model settings tried in this run", "16"),
        ("Model settings ever tried on this cohort", "48"),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": (1, 2.5, None, True)}, {"a": [1, 2.5, None, True]}),
        ({"a": {"b": {"c": "d"}}}, {"a": {"b": {"c": "d"}}}),
        ({"a": {3, 1, 2}}, {"a": [1, 2, 3]}),
        ({"a": Path("x/y")}, {"a": "x/y"}),
        ({1: "one"}, {"1": "one"}),
    ],
)
def test_settings_are_written_out_as_plain_values(value: object, expected: object) -> None:
    assert plain(value) == expected
