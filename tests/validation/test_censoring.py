"""Kaplan-Meier and weights of known status."""

import numpy as np
import pytest

from prognoscope.core.outcome import TimeToEvent
from prognoscope.validation import kaplan_meier, known_event, status_weights
from prognoscope.validation.resampling import once, resample_counts
from tests.make.validation import survival_cohort


@pytest.mark.parametrize("ties", [False, True])
def test_kaplan_meier_is_that_of_lifelines(ties: bool) -> None:
    from lifelines import KaplanMeierFitter

    outcome, _ = survival_cohort(120, seed=1, ties=ties)
    fitted = KaplanMeierFitter().fit(outcome.time_days, outcome.event)
    curve = kaplan_meier(outcome.time_days, outcome.event)
    np.testing.assert_allclose(curve.survival, fitted.survival_function_at_times(curve.time_days), atol=1e-12)


def test_greenwoods_standard_error_of_a_small_example() -> None:
    # 5 patients, events at 1 and 3, one lost at 2: S(1) = 0.8, S(3) = 0.8 * 2/3; variances by hand.
    curve = kaplan_meier([1, 2, 3, 4, 5], [1, 0, 1, 0, 0])
    assert curve.survival.tolist() == pytest.approx([1, 0.8, 0.8 * 2 / 3])
    assert curve.standard_error[1] == pytest.approx(0.8 * np.sqrt(1 / 20))
    assert curve.standard_error[2] == pytest.approx(0.8 * 2 / 3 * np.sqrt(1 / 20 + 1 / 6))


def test_survival_after_the_last_follow_up_is_unknown_unless_all_have_died() -> None:
    assert np.isnan(kaplan_meier([1, 2, 3], [1, 0, 0]).at(4.0)[0])
    assert kaplan_meier([1, 2, 3], [1, 1, 1]).at(4.0)[0] == 0.0


@pytest.mark.parametrize("ties", [False, True])
def test_weights_sum_to_the_patients_and_give_the_kaplan_meier_risk_in_each_resample(ties: bool) -> None:
    outcome, _ = survival_cohort(90, seed=2, ties=ties)
    counts = np.concatenate([once(90), resample_counts(90, resamples=10, seed=1)])
    weights = status_weights(outcome, counts)
    np.testing.assert_allclose(weights.sum(axis=1), 90, rtol=1e-12)
    for row, weight in zip(counts, weights, strict=True):
        drawn = outcome.take(np.repeat(np.arange(90), row))
        expected = 1 - kaplan_meier(drawn.time_days, drawn.event).at(730.0)[0]
        assert (weight * known_event(outcome)).sum() / 90 == pytest.approx(expected, abs=1e-12)


def test_patients_lost_before_the_horizon_weigh_nothing() -> None:
    outcome, _ = survival_cohort(90, seed=3)
    lost = ~outcome.event & (outcome.time_days < outcome.horizon_days)
    weights = status_weights(outcome, once(90))[0]
    assert (weights[lost] == 0).all()
    assert (weights[~lost] >= 1).all()


def test_without_censoring_every_weight_is_the_count() -> None:
    outcome = TimeToEvent(np.arange(1.0, 21.0), np.ones(20, dtype=bool), 10.0)
    counts = resample_counts(20, resamples=3, seed=1)
    np.testing.assert_allclose(status_weights(outcome, counts), counts)


def test_a_study_that_ends_for_all_at_the_horizon_keeps_those_followed_to_it() -> None:
    outcome = TimeToEvent(np.array([1.0, 2.0, 5.0, 5.0]), np.array([True, False, False, False]), 5.0)
    assert status_weights(outcome, once(4))[0].tolist() == pytest.approx([1, 0, 1.5, 1.5])


def test_nobody_followed_to_the_horizon_gives_no_weights() -> None:
    outcome = TimeToEvent(np.array([1.0, 2.0, 3.0]), np.array([True, True, False]), 5.0)
    assert np.isnan(status_weights(outcome, once(3))).all()
