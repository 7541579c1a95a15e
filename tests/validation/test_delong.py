"""DeLong's variance from its definition by pairs, and what the test says."""

from typing import Any

import numpy as np
import pytest

from prognoscope.validation import auc, delong_interval, delong_test, separated_interval
from tests.make.validation import binary_cohort


def by_pairs(event: Any, first: Any, second: Any) -> Any:
    """Covariance of two AUCs from the structural components of every pair (DeLong et al. 1988, equation 5)."""

    def components(score: Any) -> Any:
        wins = (score[event][:, None] > score[~event]) + 0.5 * (score[event][:, None] == score[~event])
        return wins.mean(axis=1), wins.mean(axis=0)

    (v10, v01), (w10, w01) = components(first), components(second)
    return np.cov(v10, w10)[0, 1] / event.sum() + np.cov(v01, w01)[0, 1] / (~event).sum()


@pytest.mark.parametrize("ties", [False, True])
def test_the_standard_error_is_that_of_the_components_of_all_pairs(ties: bool) -> None:
    event, risk = binary_cohort(80, seed=1, ties=ties)
    found = delong_interval(event, risk)
    assert found.estimate == pytest.approx(auc(event, risk), abs=1e-12)
    assert found.standard_error == pytest.approx(np.sqrt(by_pairs(event, risk, risk)), abs=1e-12)


def test_the_variance_of_a_difference_uses_the_covariance() -> None:
    event, risk = binary_cohort(80, seed=2)
    other = risk + np.random.default_rng(3).normal(scale=0.1, size=80)
    found = delong_test(event, risk, other)
    variance = by_pairs(event, risk, risk) + by_pairs(event, other, other) - 2 * by_pairs(event, risk, other)
    assert found.high - found.low == pytest.approx(2 * 1.959964 * np.sqrt(variance), abs=1e-6)
    assert found.difference == pytest.approx(auc(event, risk) - auc(event, other), abs=1e-12)
    assert 0 < found.p < 1


def test_a_score_and_its_logarithm_do_not_differ() -> None:
    event, risk = binary_cohort(50, seed=4)
    found = delong_test(event, risk, np.log(risk))
    assert (found.difference, found.p) == (0.0, 1.0)


def test_one_class_has_no_interval_and_says_which() -> None:
    found = delong_interval([1, 1, 1], [0.1, 0.2, 0.3])
    assert np.isnan(found.low)
    assert found.reason == "every patient had the event"
    tested = delong_test([0, 0], [0.1, 0.2], [0.2, 0.1])
    assert np.isnan(tested.p)
    assert tested.reason == "no patient had the event"


def test_equal_scores_have_an_auc_of_a_half_and_no_interval() -> None:
    found = delong_interval([0, 1, 0, 1, 1], [0.3] * 5)
    assert found.estimate == 0.5
    assert np.isnan([found.standard_error, found.low, found.high]).all()
    assert found.reason == "all scores are equal"


def test_one_patient_with_the_event_has_no_variance() -> None:
    found = delong_interval([0, 1, 0, 0, 0], [0.1, 0.3, 0.4, 0.2, 0.2])
    assert found.estimate == 0.75
    assert np.isnan([found.standard_error, found.low, found.high]).all()
    assert "two patients with and two without" in found.reason
    assert np.isnan(delong_test([0, 1, 0, 0], [0.1, 0.3, 0.4, 0.2], [0.1, 0.2, 0.3, 0.4]).p)


@pytest.mark.parametrize(("cases", "others"), [(10, 10), (5, 40), (182, 418)])
def test_a_perfect_auc_has_the_score_interval_of_newcombe(cases: int, others: int) -> None:
    """Its low end lies 1.96 of its own standard errors below 1 (Newcombe 2006, equation of method 5)."""
    event = np.arange(cases + others) < cases
    found = delong_interval(event, event * 0.8 + 0.1)
    assert (found.estimate, found.high) == (1.0, 1.0)
    theta, half = found.low, (cases + others) / 2 - 1
    variance = theta * (1 - theta) * (1 + half * (1 - theta) / (2 - theta) + half * theta / (1 + theta))
    assert (1 - theta) / np.sqrt(variance / (cases * others)) == pytest.approx(1.959964, abs=1e-5)
    turned = delong_interval(event, 0.9 - event * 0.8)
    assert (turned.low, turned.estimate) == (0.0, 0.0)
    assert turned.high == pytest.approx(1 - theta, abs=1e-12)


def test_a_perfect_auc_of_few_patients_rules_out_less() -> None:
    lows = [separated_interval(1.0, number, number)[0] for number in (2, 5, 20, 200)]
    assert lows == sorted(lows)
    assert lows[0] < 0.5 < lows[1]


def test_a_perfect_auc_against_a_coin_s_has_no_p_value() -> None:
    event = np.array([0, 0, 1, 1])
    found = delong_test(event, [0.1, 0.2, 0.8, 0.9], [0.5] * 4)
    assert found.difference == 0.5
    assert np.isnan(found.p)
    assert "no variance" in found.reason


def test_the_interval_stays_between_zero_and_one() -> None:
    event = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    found = delong_interval(event, np.arange(8))
    assert found.high == 1.0
    assert found.low > 0.5
