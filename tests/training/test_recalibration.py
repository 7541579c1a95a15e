"""Recalibration and thresholds, both from risks of patients that the model had not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lifelines import CoxPHFitter
from pandas import DataFrame
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.core.problems import Refused
from prognoscope.training.recalibration import Line, Steps, fit_recalibration, require_served
from prognoscope.training.thresholds import Costs, choose_threshold


def _overconfident(n: int = 4000) -> tuple[Binary, np.ndarray, np.ndarray]:
    """Risks whose logits are twice the true ones plus 0.7."""
    draw = np.random.default_rng(1)
    truth = draw.normal(-0.5, 1, n)
    return Binary(draw.random(n) < expit(truth)), expit(2 * truth + 0.7), expit(truth)


def test_slope_recalibration_finds_the_line_that_the_risks_were_bent_by() -> None:
    outcome, risk, truth = _overconfident()
    line = fit_recalibration("slope", outcome, risk)
    assert isinstance(line, Line)
    assert line.slope == pytest.approx(0.5, abs=0.05)
    np.testing.assert_allclose(line.apply(risk), truth, atol=0.04)


def test_slope_recalibration_is_a_logistic_regression_on_the_logit() -> None:
    outcome, risk, _ = _overconfident(500)
    line = fit_recalibration("slope", outcome, risk)
    peer = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(risk)[:, None], outcome.event)
    assert isinstance(line, Line)
    assert line.slope == pytest.approx(peer.coef_[0, 0], abs=1e-3)
    assert line.intercept == pytest.approx(peer.intercept_[0], abs=1e-3)


def test_intercept_recalibration_makes_the_mean_risk_the_frequency_and_keeps_the_slope() -> None:
    outcome, risk, _ = _overconfident(500)
    line = fit_recalibration("intercept", outcome, risk)
    assert isinstance(line, Line)
    assert line.slope == 1.0
    assert line.apply(risk).mean() == pytest.approx(outcome.event.mean(), abs=1e-9)


def test_platts_targets_keep_risks_off_zero_and_one_when_classes_are_separated() -> None:
    event = np.arange(20) >= 10
    risk = np.where(event, 0.9, 0.1)
    line = fit_recalibration("platt", Binary(event), risk)
    assert isinstance(line, Line)
    # Platt's targets for ten and ten: 11/12 and 1/12.
    np.testing.assert_allclose(line.apply(risk), np.where(event, 11 / 12, 1 / 12), atol=1e-3)


def test_isotonic_recalibration_is_that_of_scikit_learn() -> None:
    outcome, risk, _ = _overconfident(300)
    steps = fit_recalibration("isotonic", outcome, risk)
    assert isinstance(steps, Steps)
    fresh = np.linspace(0, 1, 101)
    peer = IsotonicRegression(out_of_bounds="clip").fit(risk, outcome.event.astype(float))
    np.testing.assert_allclose(steps.apply(fresh), peer.predict(fresh), atol=1e-12)


def _survival(n: int = 3000) -> tuple[TimeToEvent, np.ndarray, np.ndarray]:
    """Risks at 500 days whose log cumulative hazards are 1.6 times the true ones plus 0.4."""
    draw = np.random.default_rng(2)
    log_hazard = draw.normal(-0.5, 0.8, n)
    time = draw.exponential(500, n) / np.exp(log_hazard)
    end = draw.uniform(100, 1500, n)
    outcome = TimeToEvent(np.minimum(time, end) + 1e-9, time <= end, 500.0)
    return outcome, -np.expm1(-np.exp(1.6 * log_hazard + 0.4)), -np.expm1(-np.exp(log_hazard))


def test_slope_recalibration_of_survival_finds_the_true_risks_in_spite_of_censoring() -> None:
    outcome, risk, truth = _survival()
    line = fit_recalibration("slope", outcome, risk)
    assert isinstance(line, Line)
    np.testing.assert_allclose(line.apply(risk), truth, atol=0.04)
    scale = np.log(-np.log1p(-np.clip(risk, 1e-6, 1 - 1e-6)))
    frame = DataFrame({"x": scale, "time": outcome.time_days, "event": outcome.event})
    assert line.slope == pytest.approx(CoxPHFitter().fit(frame, "time", "event").params_["x"], abs=2e-3)


def test_intercept_recalibration_of_survival_corrects_a_constant_excess() -> None:
    outcome, _, truth = _survival()
    doubled = -np.expm1(2 * np.log1p(-truth))
    line = fit_recalibration("intercept", outcome, doubled)
    assert isinstance(line, Line)
    assert line.slope == 1.0
    np.testing.assert_allclose(line.apply(doubled), truth, atol=0.03)


@pytest.mark.parametrize("method", ["intercept", "slope", "platt", "isotonic"])
def test_equal_risks_become_the_frequency(method: Any) -> None:
    outcome = Binary(np.arange(40) < 10)
    recalibration = fit_recalibration(method, outcome, np.full(40, 0.6))
    assert recalibration is not None
    assert recalibration.apply(np.array([0.6]))[0] == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("method", ["intercept", "slope", "platt", "isotonic"])
def test_risks_of_exactly_zero_and_one_stay_risks(method: Any) -> None:
    outcome, risk, _ = _overconfident(200)
    recalibration = fit_recalibration(method, outcome, np.round(risk))
    assert recalibration is not None
    assert ((recalibration.apply(np.array([0.0, 0.5, 1.0])) >= 0) & (recalibration.apply(np.ones(1)) <= 1)).all()


def test_no_recalibration_is_none() -> None:
    assert fit_recalibration("none", Binary(np.arange(4) < 2), np.full(4, 0.5)) is None


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_methods_that_do_not_know_of_censoring_are_refused_for_survival(method: Any) -> None:
    with pytest.raises(Refused, match=f"recalibration {method}.*recalibration-outcome"):
        require_served(method, "time-to-event")


def test_a_method_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Refused, match=r"recalibration beta.*isotonic.*recalibration-method"):
        require_served("beta", "binary")  # type: ignore[arg-type]


def test_the_threshold_has_the_smallest_cost_of_all() -> None:
    outcome, risk, _ = _overconfident(200)
    costs = Costs(false_alert=1.0, missed_event=3.0)

    def cost(threshold: float) -> float:
        alert = risk >= threshold
        return float((alert & ~outcome.event).sum() + 3 * (~alert & outcome.event).sum())

    chosen = choose_threshold(outcome, risk, costs)
    assert cost(chosen) == min(cost(threshold) for threshold in np.concatenate([[0], np.sort(risk) + 1e-12, [1]]))
    # Twice the logit plus 0.7 moves the ideal threshold of 1/4 to expit(2 * logit(1/4) + 0.7).
    assert chosen == pytest.approx(expit(2 * logit(0.25) + 0.7), abs=0.12)


def test_the_ideal_threshold_is_taken_where_it_costs_no_more() -> None:
    outcome = Binary(np.arange(10) >= 5)
    risk = np.where(outcome.event, 0.9, 0.05)
    assert choose_threshold(outcome, risk, Costs(missed_event=4.0)) == pytest.approx(0.2)


def test_patients_censored_before_the_horizon_do_not_move_the_threshold() -> None:
    outcome, _, truth = _survival(6000)
    known = TimeToEvent(np.where(outcome.event, outcome.time_days, 1e4), outcome.event, 500.0)
    costs = Costs(missed_event=2.0)
    # Ideal for true risks: 1/3, with censoring or without.
    assert choose_threshold(outcome, truth, costs) == pytest.approx(1 / 3, abs=0.08)
    assert choose_threshold(known, truth, costs) > 1 / 3
