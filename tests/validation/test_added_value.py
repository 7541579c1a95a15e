"""Likelihood ratio tests and paired bootstraps."""

import numpy as np
import pytest
from scipy.stats import chi2

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.core.problems import Refused
from prognoscope.validation import auc, cox_regression, likelihood_ratio_test, paired_difference
from tests.make.validation import binary_cohort, survival_cohort


@pytest.mark.parametrize("ties", [False, True])
def test_cox_regression_is_that_of_lifelines(ties: bool) -> None:
    import pandas as pd
    from lifelines import CoxPHFitter

    outcome, risk = survival_cohort(150, seed=1, ties=ties)
    columns = np.column_stack([np.log(risk), np.random.default_rng(2).normal(size=150)])
    frame = pd.DataFrame({"a": columns[:, 0], "b": columns[:, 1], "t": outcome.time_days, "e": outcome.event})
    fitted = CoxPHFitter().fit(frame, "t", "e")
    found = cox_regression(outcome.time_days, outcome.event, columns)
    np.testing.assert_allclose(found.coefficients, fitted.params_, atol=1e-6)
    np.testing.assert_allclose(found.standard_errors, fitted.standard_errors_, atol=1e-6)
    assert found.log_likelihood == pytest.approx(fitted.log_likelihood_, abs=1e-7)


def test_a_covariate_that_orders_all_events_has_no_finite_coefficient() -> None:
    assert np.isnan(cox_regression([1, 2, 3, 4], [1, 1, 1, 1], [[4.0], [3.0], [2.0], [1.0]]).coefficients).all()


def test_noise_is_found_as_often_as_its_p_value_says() -> None:
    p = []
    for seed in range(200):
        event, risk = binary_cohort(200, seed=seed)
        noise = np.random.default_rng(1000 + seed).normal(size=(200, 2))
        p.append(likelihood_ratio_test(Binary(event), np.log(risk)[:, None], noise).p)
    assert 3 <= np.count_nonzero(np.array(p) < 0.05) <= 20


@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_a_real_predictor_adds_to_noise(kind: str) -> None:
    outcome: Outcome
    if kind == "binary":
        event, risk = binary_cohort(200, seed=3)
        outcome = Binary(event)
    else:
        outcome, risk = survival_cohort(200, seed=3)
    found = likelihood_ratio_test(outcome, np.random.default_rng(4).normal(size=(200, 1)), np.log(risk)[:, None])
    assert found.degrees == 1
    assert found.p == pytest.approx(chi2.sf(found.statistic, 1))
    assert found.p < 1e-3


def test_separation_gives_a_reason() -> None:
    found = likelihood_ratio_test(Binary(np.arange(20) > 9), np.empty((20, 0)), np.arange(20.0)[:, None])
    assert np.isnan(found.p)
    assert "separation" in found.reason


def test_a_paired_difference_is_first_less_second_with_its_interval() -> None:
    event, risk = binary_cohort(200, seed=5)
    blurred = np.clip(risk + np.random.default_rng(6).normal(scale=0.3, size=200), 0, 1)
    found = paired_difference(Binary(event), risk, blurred, metric="auc", resamples=500, seed=1)
    assert found.difference == pytest.approx(auc(event, risk) - auc(event, blurred))
    assert found.low < found.difference < found.high
    assert found.p < 0.05


def test_a_misspelt_metric_is_refused_with_the_nearest() -> None:
    event, risk = binary_cohort(30, seed=7)
    with pytest.raises(Refused, match="did you mean brier"):
        paired_difference(Binary(event), risk, risk, metric="bier", resamples=200, seed=1)
