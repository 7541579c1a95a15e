"""Net benefit from its definition, and under resampling."""

from typing import Any

import numpy as np
import pytest

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.core.problems import Refused
from prognoscope.validation import kaplan_meier, net_benefit, net_benefit_at_horizon, treat_all
from prognoscope.validation.decision import net_benefit_rows
from prognoscope.validation.resampling import resample_counts
from tests.make.validation import binary_cohort, survival_cohort

THRESHOLDS = np.array([0.05, 0.2, 0.35, 0.6, 0.9])


def by_definition(event: Any, risk: Any, threshold: float) -> Any:
    treated = risk >= threshold
    n = len(event)
    return (treated & event).sum() / n - (treated & ~event).sum() / n * threshold / (1 - threshold)


def by_kaplan_meier(outcome: Any, risk: Any, threshold: float) -> Any:
    treated = risk >= threshold
    if not treated.any():
        return 0.0
    survival = kaplan_meier(outcome.time_days[treated], outcome.event[treated]).at(outcome.horizon_days)[0]
    share = treated.mean()
    return (1 - survival) * share - survival * share * threshold / (1 - threshold)


@pytest.mark.parametrize("ties", [False, True])
def test_net_benefit_is_its_definition(ties: bool) -> None:
    event, risk = binary_cohort(120, seed=1, ties=ties)
    expected = [by_definition(event, risk, threshold) for threshold in THRESHOLDS]
    np.testing.assert_allclose(net_benefit(event, risk, thresholds=THRESHOLDS), expected, atol=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_censored_net_benefit_takes_kaplan_meier_among_the_treated(ties: bool) -> None:
    outcome, risk = survival_cohort(200, seed=2, ties=ties)
    expected = [by_kaplan_meier(outcome, risk, threshold) for threshold in THRESHOLDS]
    np.testing.assert_allclose(net_benefit_at_horizon(outcome, risk, thresholds=THRESHOLDS), expected, atol=1e-12)


def test_under_counts_it_is_that_of_the_repeated_rows() -> None:
    event, risk = binary_cohort(60, seed=3, ties=True)
    outcome, later = survival_cohort(60, seed=3)
    counts = resample_counts(60, resamples=8, seed=1)
    binary = net_benefit_rows(Binary(event), risk, THRESHOLDS, counts)
    survival = net_benefit_rows(outcome, later, THRESHOLDS, counts)
    for index, row in enumerate(counts):
        drawn = np.repeat(np.arange(60), row)
        np.testing.assert_allclose(
            binary[index], [by_definition(event[drawn], risk[drawn], value) for value in THRESHOLDS], atol=1e-12
        )
        np.testing.assert_allclose(
            survival[index],
            [by_kaplan_meier(outcome.take(drawn), later[drawn], value) for value in THRESHOLDS],
            atol=1e-12,
        )


def test_treating_all_gains_the_prevalence_less_the_odds_of_the_rest() -> None:
    event, _ = binary_cohort(100, seed=4)
    rate = event.mean()
    expected = rate - (1 - rate) * THRESHOLDS / (1 - THRESHOLDS)
    np.testing.assert_allclose(treat_all(Binary(event), thresholds=THRESHOLDS), expected, atol=1e-12)


def test_net_benefit_is_unknown_where_the_treated_were_lost_before_the_horizon() -> None:
    outcome = TimeToEvent(np.array([10.0, 20.0, 800.0, 900.0]), np.array([True, False, False, False]), 730.0)
    found = net_benefit_at_horizon(outcome, [0.9, 0.8, 0.1, 0.2], thresholds=[0.5, 0.95])
    assert np.isnan(found[0])
    assert found[1] == 0.0


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.2])
def test_a_threshold_outside_zero_and_one_is_refused(threshold: float) -> None:
    with pytest.raises(Refused, match="threshold-range"):
        net_benefit([0, 1], [0.2, 0.3], thresholds=[threshold])
