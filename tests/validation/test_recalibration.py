"""Calibration intercept and slope beside unpenalised logistic regressions of scikit-learn and scipy."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from prognoscope.validation import calibration_intercept, calibration_slope, intercept_at_horizon, slope_at_horizon
from prognoscope.validation.censoring import known_event, status_weights
from prognoscope.validation.recalibration import logistic_rows, logit
from prognoscope.validation.resampling import once, resample_counts
from tests.make.validation import binary_cohort, survival_cohort


def _slope_by_scikit_learn(event: Any, risk: Any, weights: Any = None) -> Any:
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    return model.fit(logit(risk)[:, None], event, sample_weight=weights).coef_[0, 0]


def _intercept_by_scipy(event: Any, risk: Any, weights: Any) -> Any:
    line = logit(risk)

    def loss(intercept: Any) -> Any:
        return float(weights @ (np.logaddexp(0, line + intercept) - event * (line + intercept)))

    return minimize(loss, [0.0], tol=1e-12).x[0]


def test_slope_is_that_of_a_logistic_regression_on_the_logit() -> None:
    event, risk = binary_cohort(300, seed=1)
    assert calibration_slope(event, risk**2) == pytest.approx(_slope_by_scikit_learn(event, risk**2), abs=1e-5)


def test_intercept_is_the_offset_model_s() -> None:
    event, risk = binary_cohort(300, seed=2)
    expected = _intercept_by_scipy(event, risk / 2, np.ones(300))
    assert calibration_intercept(event, risk / 2) == pytest.approx(expected, abs=1e-5)


def test_true_risks_have_slope_one_and_intercept_zero() -> None:
    event, risk = binary_cohort(100_000, seed=3)
    assert calibration_slope(event, risk) == pytest.approx(1, abs=0.03)
    assert calibration_intercept(event, risk) == pytest.approx(0, abs=0.03)


def test_doubled_logits_have_slope_one_half() -> None:
    event, risk = binary_cohort(500, seed=4)
    extreme = 1 / (1 + np.exp(-2 * logit(risk)))
    assert calibration_slope(event, extreme) == pytest.approx(calibration_slope(event, risk) / 2, abs=1e-9)


def test_each_resample_is_the_fit_of_its_repeated_rows() -> None:
    event, risk = binary_cohort(80, seed=5)
    counts = resample_counts(80, resamples=10, seed=1)
    design = np.column_stack([np.ones(80), logit(risk)])
    found = logistic_rows(design, np.zeros(80), event, counts.astype(float))[:, 1]
    expected = [_slope_by_scikit_learn(np.repeat(event, row), np.repeat(risk, row)) for row in counts]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_at_the_horizon_known_statuses_are_weighted() -> None:
    outcome, risk = survival_cohort(300, seed=6)
    weights = status_weights(outcome, once(300))[0]
    event = known_event(outcome)
    assert slope_at_horizon(outcome, risk) == pytest.approx(_slope_by_scikit_learn(event, risk, weights), abs=1e-5)
    assert intercept_at_horizon(outcome, risk) == pytest.approx(_intercept_by_scipy(event, risk, weights), abs=1e-5)


def test_true_risks_are_calibrated_at_the_horizon_despite_censoring() -> None:
    outcome, risk = survival_cohort(50_000, seed=7)
    assert outcome.censored_before_horizon > 5_000
    assert slope_at_horizon(outcome, risk) == pytest.approx(1, abs=0.05)
    assert intercept_at_horizon(outcome, risk) == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize(
    ("event", "risk"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]),  # separated
        ([0, 1, 0, 1], [0.3, 0.3, 0.3, 0.3]),  # all equal
        ([0, 0, 0, 0], [0.1, 0.2, 0.3, 0.4]),  # one class
        ([0, 1, 0, 1], [0.0, 0.2, 0.3, 0.4]),  # a risk of exactly 0
    ],
    ids=["separated", "all risks equal", "one class", "a risk of 0"],
)
def test_no_slope_is_invented(event: Any, risk: Any) -> None:
    assert np.isnan(calibration_slope(event, risk))
