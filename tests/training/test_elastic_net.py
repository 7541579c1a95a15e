"""The elastic net against the libraries of others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from sklearn.linear_model import LogisticRegression
from sksurv.linear_model import CoxnetSurvivalAnalysis, CoxPHSurvivalAnalysis
from sksurv.util import Surv

from prognoscope.core.outcome import TimeToEvent
from prognoscope.training.elastic_net import elastic_net, null_gradient
from prognoscope.training.linear import breslow_hazard, fit_cox
from tests.make.training import Numbers


def _data(n: int, p: int, seed: int) -> tuple[Numbers, Numbers]:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, p)) + 0.7 * draw.normal(size=(n, 1))
    return x, x[:, 0] - 0.5 * x[:, 1]


def _events(truth: Numbers, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(len(truth)) < 1 / (1 + np.exp(-truth))


@pytest.mark.parametrize("l1_ratio", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("n", "p"), [(60, 5), (40, 60)])
def test_logistic_coefficients_are_those_of_scikit_learn(n: int, p: int, l1_ratio: float) -> None:
    x, truth = _data(n, p, seed=1)
    event = _events(truth, seed=2)
    penalty = 0.05
    intercepts, coefficients = elastic_net(x, event, np.array([penalty]), l1_ratio=l1_ratio)
    peer = LogisticRegression(C=1 / (n * penalty), l1_ratio=l1_ratio, solver="saga", tol=1e-9, max_iter=100_000).fit(
        x, event
    )
    np.testing.assert_allclose(coefficients[0], peer.coef_[0], atol=2e-5)
    np.testing.assert_allclose(intercepts[0], peer.intercept_[0], atol=2e-5)


def _survival(truth: Numbers, seed: int, *, ties: bool) -> tuple[Numbers, np.ndarray]:
    draw = np.random.default_rng(seed)
    time = draw.exponential(500, len(truth)) * np.exp(-truth) + 1
    return (np.ceil(time / 60) * 60 if ties else time), draw.random(len(truth)) < 0.6


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize(("n", "p"), [(80, 6), (40, 70)])
def test_cox_coefficients_are_those_of_scikit_survival(n: int, p: int, ties: bool) -> None:
    x, truth = _data(n, p, seed=3)
    time, event = _survival(truth, seed=4, ties=ties)
    alphas = np.array([0.3, 0.1, 0.05])
    _, coefficients = elastic_net(x, event, alphas, l1_ratio=0.5, time_days=time)
    peer = CoxnetSurvivalAnalysis(l1_ratio=0.5, alphas=alphas, tol=1e-12, max_iter=1_000_000).fit(
        x, Surv.from_arrays(event, time)
    )
    np.testing.assert_allclose(coefficients, peer.coef_.T, atol=2e-5)


def test_cox_with_a_ridge_penalty_is_that_of_lifelines_when_no_times_are_tied() -> None:
    x, truth = _data(90, 4, seed=5)
    time, event = _survival(truth, seed=6, ties=False)
    x = (x - x.mean(axis=0)) / x.std(axis=0, ddof=1)
    frame = pd.DataFrame(x, columns=list("abcd")).assign(time=time, event=event)
    # lifelines standardises by itself and divides the likelihood by n.
    peer = CoxPHFitter(penalizer=0.1, l1_ratio=0.0).fit(frame, "time", "event")
    _, coefficients = elastic_net(x, event, np.array([0.1]), l1_ratio=0.0, time_days=time)
    np.testing.assert_allclose(coefficients[0], peer.params_.to_numpy(), atol=1e-4)


def test_breslow_hazard_is_that_of_lifelines_and_scikit_survival() -> None:
    x, truth = _data(120, 3, seed=7)
    time, event = _survival(truth, seed=8, ties=True)
    peer = CoxPHSurvivalAnalysis(ties="breslow").fit(x, Surv.from_arrays(event, time))
    survival = peer.predict_survival_function(x)
    outcome = TimeToEvent(time, event, horizon_days=300.0)
    hazard = breslow_hazard(x @ peer.coef_, outcome)
    ours = np.exp(-hazard * np.exp(x @ peer.coef_))
    np.testing.assert_allclose(ours, [curve(300.0) for curve in survival], rtol=1e-10)
    frame = pd.DataFrame(x, columns=list("abc")).assign(time=time, event=event)
    fitter = CoxPHFitter(baseline_estimation_method="breslow").fit(frame, "time", "event")
    centred = (x - x.mean(axis=0)) @ fitter.params_.to_numpy()
    theirs = fitter.baseline_cumulative_hazard_["baseline cumulative hazard"]
    reached = float(theirs[theirs.index <= 300.0].iloc[-1])
    np.testing.assert_allclose(breslow_hazard(centred, outcome), reached, rtol=1e-8)


def test_the_largest_penalty_leaves_no_coefficient_and_a_little_less_leaves_one() -> None:
    x, truth = _data(70, 10, seed=9)
    event = _events(truth, seed=10)
    largest = float(np.abs(null_gradient(x, event)).max()) / 0.8
    _, coefficients = elastic_net(x, event, np.array([largest, 0.98 * largest]), l1_ratio=0.8)
    assert not coefficients[0].any()
    assert np.count_nonzero(coefficients[1]) == 1


def test_the_largest_penalty_of_a_cox_model_leaves_no_coefficient_and_a_little_less_leaves_one() -> None:
    x, truth = _data(70, 10, seed=11)
    time, event = _survival(truth, seed=12, ties=True)
    largest = float(np.abs(null_gradient(x, event, time_days=time)).max()) / 0.8
    _, coefficients = elastic_net(x, event, np.array([largest, 0.98 * largest]), l1_ratio=0.8, time_days=time)
    assert not coefficients[0].any()
    assert np.count_nonzero(coefficients[1]) == 1


def _objective(x: Numbers, event: np.ndarray, b: Numbers, intercept: float, penalty: float, l1_ratio: float) -> float:
    eta = intercept + x @ b
    loss = float(np.mean(np.logaddexp(0, eta) - event * eta))
    return loss + penalty * float(l1_ratio * np.abs(b).sum() + 0.5 * (1 - l1_ratio) * b @ b)


@pytest.mark.parametrize("seed", range(5))
def test_no_step_away_from_the_logistic_solution_is_better(seed: int) -> None:
    x, truth = _data(45, 30, seed=seed)
    event = _events(truth, seed=seed + 100)
    (intercept,), (b,) = elastic_net(x, event, np.array([0.02]), l1_ratio=0.7)
    best = _objective(x, event, b, intercept, 0.02, 0.7)
    draw = np.random.default_rng(seed)
    for size in (1e-1, 1e-2, 1e-3):
        step = size * draw.normal(size=len(b))
        assert _objective(x, event, b + step, intercept + size * draw.normal(), 0.02, 0.7) > best


def test_classes_that_a_line_separates_still_give_finite_coefficients() -> None:
    x = np.linspace(-1, 1, 30)[:, None]
    intercepts, coefficients = elastic_net(x, x[:, 0] > 0.1, np.array([1e-4]), l1_ratio=0.5)
    assert np.isfinite(coefficients).all()
    assert np.isfinite(intercepts).all()
    assert coefficients[0, 0] > 5


def test_a_constant_column_gets_no_coefficient() -> None:
    x, truth = _data(50, 3, seed=13)
    x[:, 1] = 0.0
    _, coefficients = elastic_net(x, _events(truth, seed=14), np.array([0.01]), l1_ratio=0.5)
    assert coefficients[0, 1] == 0.0
    assert coefficients[0, 0] != 0.0


def test_a_linear_predictor_beyond_all_bounds_is_a_risk_of_one() -> None:
    outcome = TimeToEvent(np.arange(1.0, 41.0), np.arange(40) % 2 == 0, horizon_days=20.0)
    setting = {"l1_ratio": 0.5, "penalty": 0.5}
    (fitted,) = fit_cox(np.linspace(-1, 1, 40)[:, None], outcome, [setting], seed=1)
    assert 0.0 <= fitted.risk(np.array([[-1e6]]))[0] <= 1.0
    assert np.isfinite(fitted.risk(np.array([[1e6], [-1e6]]))).all()
