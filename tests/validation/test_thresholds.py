"""Threshold tables: four cells, what they mean in the clinic, and thresholds from costs."""

import math
from typing import Any

import numpy as np
import pytest

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.core.problems import Refused
from prognoscope.validation import (
    kaplan_meier,
    net_benefit,
    net_interventions_avoided,
    npv_at,
    ppv_at,
    threshold_from_costs,
    threshold_table,
    treat_all,
)
from tests.make.validation import survival_cohort

# 10 patients: 4 events. At 0.5: 3 of 4 events and 2 of 6 others are above.
EVENT = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
RISK = np.array([0.9, 0.8, 0.5, 0.2, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1])


def test_the_four_cells_of_a_small_table() -> None:
    (row,) = threshold_table(Binary(EVENT == 1), RISK, thresholds=[0.5])
    assert row.sensitivity.estimate == pytest.approx(3 / 4)
    assert row.specificity.estimate == pytest.approx(4 / 6)
    assert row.ppv.estimate == pytest.approx(3 / 5)
    assert row.npv.estimate == pytest.approx(4 / 5)
    assert row.alerts_per_100 == pytest.approx(50)
    assert row.number_needed_to_evaluate == pytest.approx(5 / 3)
    assert row.net_benefit == pytest.approx(net_benefit(EVENT, RISK, thresholds=[0.5])[0])
    assert row.prevalence == pytest.approx(0.4)


def test_wilsons_interval_of_three_in_four() -> None:
    # 3 of 4: 0.3006 to 0.9544 (statsmodels 0.14: proportion_confint(3, 4, method="wilson")).
    (row,) = threshold_table(Binary(EVENT == 1), RISK, thresholds=[0.5])
    assert (row.sensitivity.low, row.sensitivity.high) == pytest.approx((0.3006, 0.9544), abs=1e-4)


def test_at_the_clinic_s_prevalence_predictive_values_follow_bayes() -> None:
    (row,) = threshold_table(Binary(EVENT == 1), RISK, thresholds=[0.5], prevalence=0.1)
    assert row.ppv.estimate == pytest.approx(0.75 * 0.1 / (0.75 * 0.1 + (1 / 3) * 0.9))
    assert row.npv.estimate == pytest.approx((2 / 3) * 0.9 / ((2 / 3) * 0.9 + 0.25 * 0.1))
    assert row.alerts_per_100 == pytest.approx(100 * (0.075 + 0.3))
    assert row.ppv.low < row.ppv.estimate < row.ppv.high


def test_the_study_s_own_prevalence_changes_nothing() -> None:
    own = threshold_table(Binary(EVENT == 1), RISK, thresholds=[0.5])[0]
    stated = threshold_table(Binary(EVENT == 1), RISK, thresholds=[0.5], prevalence=0.4)[0]
    assert stated.ppv.estimate == pytest.approx(own.ppv.estimate)
    assert stated.alerts_per_100 == pytest.approx(own.alerts_per_100)


def test_nobody_above_the_threshold_has_no_predictive_value() -> None:
    (row,) = threshold_table(Binary(EVENT == 1), RISK, thresholds=[0.95])
    assert math.isnan(row.ppv.estimate)
    assert "no patient's risk is at or above" in row.ppv.reason
    assert row.sensitivity.estimate == 0.0
    assert math.isnan(row.number_needed_to_evaluate)


def test_censored_cells_come_from_kaplan_meier_above_and_below() -> None:
    outcome, risk = survival_cohort(300, seed=1)
    (row,) = threshold_table(outcome, risk, thresholds=[0.4])
    above = risk >= 0.4
    dead = [1 - kaplan_meier(outcome.time_days[side], outcome.event[side]).at(730.0)[0] for side in (above, ~above)]
    rate = above.mean() * dead[0] + (1 - above.mean()) * dead[1]
    assert row.ppv.estimate == pytest.approx(dead[0])
    assert row.npv.estimate == pytest.approx(1 - dead[1])
    assert row.sensitivity.estimate == pytest.approx(above.mean() * dead[0] / rate)


def test_without_censoring_the_survival_table_is_the_binary_one() -> None:
    outcome, risk = survival_cohort(100, seed=2)
    complete = TimeToEvent(outcome.time_days, np.ones(100, dtype=bool), 730.0)
    binary = Binary(outcome.time_days <= 730.0)
    first, second = (threshold_table(each, risk, thresholds=[0.3])[0] for each in (complete, binary))
    assert first.sensitivity.estimate == pytest.approx(second.sensitivity.estimate)
    assert first.ppv.low == pytest.approx(second.ppv.low)


def test_a_false_alarm_worth_a_ninth_of_a_missed_event_means_acting_from_one_in_ten() -> None:
    assert threshold_from_costs(false_alarm=1, missed_event=9) == pytest.approx(0.1)


@pytest.mark.parametrize("costs", [(0, 1), (1, -2), (math.nan, 1)])
def test_costs_that_are_no_costs_are_refused(costs: Any) -> None:
    with pytest.raises(Refused, match="cost-range"):
        threshold_from_costs(false_alarm=costs[0], missed_event=costs[1])


def test_a_prevalence_of_one_is_refused() -> None:
    with pytest.raises(Refused, match="prevalence-range"):
        threshold_table(Binary(EVENT == 1), RISK, thresholds=[0.5], prevalence=1.0)


def test_interventions_avoided_are_the_specificity_won_at_equal_sensitivity() -> None:
    model = net_benefit(EVENT, RISK, thresholds=[0.2])
    everyone = treat_all(Binary(EVENT == 1), thresholds=[0.2])
    # At 0.2 the model finds all 4 events and spares the one patient with risk 0.1.
    assert net_interventions_avoided(model, everyone, [0.2])[0] == pytest.approx(0.1)


def test_predictive_values_of_an_empty_side_are_unknown() -> None:
    assert math.isnan(ppv_at(0.0, 1.0, 0.2))
    assert math.isnan(npv_at(1.0, 0.0, 0.2))
