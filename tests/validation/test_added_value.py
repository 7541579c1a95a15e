"""Likelihood ratio tests and paired bootstraps."""

import numpy as np
import pytest
from scipy.stats import chi2

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.problems import Refused
from prognoscope.validation import (
    METRICS,
    LikelihoodRatio,
    added_by,
    auc,
    cox_regression,
    evaluate,
    likelihood_ratio_test,
    paired_difference,
)
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


BINARY_METRICS = [kind.name for kind in METRICS if "binary" in kind.kinds]
SURVIVAL_METRICS = [kind.name for kind in METRICS if "time-to-event" in kind.kinds]


@pytest.mark.parametrize(
    ("kind", "metric"),
    [("binary", name) for name in BINARY_METRICS] + [("survival", name) for name in SURVIVAL_METRICS],
)
def test_any_figure_has_a_paired_bootstrap_that_shares_its_estimate_with_the_evaluation(kind: str, metric: str) -> None:
    outcome: Outcome
    if kind == "binary":
        event, risk = binary_cohort(150, seed=8)
        outcome = Binary(event)
    else:
        outcome, risk = survival_cohort(150, seed=8)
    other = np.clip(risk + np.random.default_rng(9).normal(scale=0.15, size=150), 0.01, 0.99)
    found = paired_difference(outcome, risk, other, metric=metric, resamples=300, seed=1)
    models = {
        name: OutOfFold(one[None], np.zeros((1, 150), dtype=np.int64)) for name, one in (("a", risk), ("b", other))
    }
    told = evaluate(outcome, models, titles={}, resamples=300, seed=1, thresholds=[0.5])
    assert found.difference == pytest.approx(told.comparisons[0].differences[metric].estimate)
    assert found.low < found.difference < found.high
    assert 0 < found.p <= 1


@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_a_model_s_risks_are_tested_against_those_of_another(kind: str) -> None:
    outcome: Outcome
    if kind == "binary":
        event, risk = binary_cohort(300, seed=10)
        outcome = Binary(event)
    else:
        outcome, risk = survival_cohort(300, seed=10)
    line = np.log(risk / (1 - risk))
    blurred = 1 / (1 + np.exp(-(line + np.random.default_rng(21).normal(size=300))))
    gained, nothing = added_by(outcome, blurred, risk), added_by(outcome, risk, blurred)
    assert gained.p < 0.001
    assert nothing.p > 0.05
    assert gained.p == pytest.approx(likelihood_ratio_test(outcome, np.log(blurred / (1 - blurred)), line).p)


def test_risks_that_add_nothing_are_found_to_add_as_often_as_the_p_value_says() -> None:
    p = []
    for seed in range(300):
        event, risk = binary_cohort(200, seed=seed)
        line = np.log(risk / (1 - risk)) + np.random.default_rng(1000 + seed).normal(size=200)
        p.append(added_by(Binary(event), risk, 1 / (1 + np.exp(-line))).p)
    assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.03)


def test_where_the_test_means_nothing_there_is_a_reason() -> None:
    event, risk = binary_cohort(60, seed=12)
    assert "exactly 0 or 1" in added_by(Binary(event), risk, np.round(risk)).reason
    same = added_by(Binary(event), risk, risk)
    assert np.isnan(same.p)
    assert "a line of the other's" in same.reason
    line = np.log(risk / (1 - risk))[:, None]
    assert (
        "depend on each other" in likelihood_ratio_test(Binary(event), line, np.column_stack([line, 2 * line])).reason
    )


def test_only_models_that_were_learnt_elsewhere_are_tested() -> None:
    event, risk = binary_cohort(100, seed=13)
    folds = np.tile(np.arange(100) % 5, (1, 1))
    other = np.clip(risk + 0.1 * np.sin(np.arange(100)), 0.01, 0.99)

    def test_of(fold: np.ndarray) -> LikelihoodRatio | None:
        models = {"a": OutOfFold(risk[None], fold), "b": OutOfFold(other[None], fold)}
        return evaluate(Binary(event), models, titles={}, resamples=0, seed=1).comparisons[0].likelihood_ratio

    assert test_of(folds) is None
    assert test_of(np.zeros_like(folds)) == added_by(Binary(event), other, risk)
