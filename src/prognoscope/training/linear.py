"""Elastic-net logistic regression and elastic-net Cox regression with Breslow's baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.settings import Settings
from prognoscope.training.contract import Arrays, Counts, Matrix, Setting, Shares


class ElasticNetSettings(Settings):
    """Grid of an elastic net. Each field takes one value or a list to choose from."""

    features: Counts = Field(default=(5, 20), description="how many of the ranked predictors it may use")
    l1_ratio: Shares = Field(default=(0.2, 0.9), description="share of the lasso in the penalty; 1 is the lasso")
    penalty: Shares = Field(
        default=(0.5, 0.15, 0.05, 0.015, 0.005),
        description="strength, as a share of the penalty that leaves no predictor",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """Risk `1 / (1 + exp(-(intercept + x b)))`."""

    intercept: float
    coefficients: NDArray[np.float64]

    def risk(self, x: Matrix) -> NDArray[np.float64]:
        """Return the probability of the event, `(n,)`."""
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * (self.intercept + x @ self.coefficients))))

    def weight(self) -> NDArray[np.float64]:
        """Return the coefficients' sizes per standard deviation."""
        return np.abs(self.coefficients)


@dataclass(frozen=True, slots=True, eq=False)
class Cox:
    """Risk by the horizon `1 - exp(-hazard exp(x b))`, `hazard` being the baseline's cumulative hazard there."""

    hazard: float
    coefficients: NDArray[np.float64]

    def risk(self, x: Matrix) -> NDArray[np.float64]:
        """Return the probability of the event by the horizon, `(n,)`."""
        # A linear predictor of 700 already means certainty; beyond, exp overflows.
        return np.asarray(-np.expm1(-self.hazard * np.exp(np.minimum(x @ self.coefficients, 700.0))))

    def weight(self) -> NDArray[np.float64]:
        """Return the coefficients' sizes per standard deviation."""
        return np.abs(self.coefficients)


def fit_logistic(x: Matrix, outcome: Outcome, settings: Sequence[Setting], *, seed: int) -> tuple[Logistic, ...]:
    """Fit elastic-net logistic regression; `seed` is not needed."""
    del seed
    fits = _paths(x, outcome, settings)
    return tuple(Logistic(intercept, coefficients) for intercept, coefficients in fits)


def fit_cox(x: Matrix, outcome: Outcome, settings: Sequence[Setting], *, seed: int) -> tuple[Cox, ...]:
    """Fit elastic-net Cox regression; `seed` is not needed."""
    del seed
    assert isinstance(outcome, TimeToEvent)
    fits = _paths(x, outcome, settings)
    return tuple(Cox(breslow_hazard(x @ b, outcome), b) for _, b in fits)


def breslow_hazard(linear_predictor: NDArray[np.float64], outcome: TimeToEvent) -> float:
    """Cumulative hazard by the horizon for a linear predictor of 0.

    Breslow's estimator (1972): the sum over event times up to the horizon of events divided by the sum of
    `exp(linear_predictor)` over those still at risk.
    """
    times, place = np.unique(outcome.time_days, return_inverse=True)
    deaths = np.bincount(place, weights=outcome.event, minlength=len(times))
    top = float(linear_predictor.max())
    share = np.bincount(place, weights=np.exp(linear_predictor - top), minlength=len(times))
    at_risk = share[::-1].cumsum()[::-1]
    reached = times <= outcome.horizon_days
    return float((deaths[reached] / at_risk[reached]).sum() * np.exp(-top))


def _paths(x: Matrix, outcome: Outcome, settings: Sequence[Setting]) -> list[tuple[float, NDArray[np.float64]]]:
    """Fit all settings, those of one l1_ratio as one path from the largest penalty down."""
    # Imported when needed: a stored predictor answers without it, in a fraction of the time.
    from prognoscope.training.elastic_net import elastic_net, null_gradient

    time = outcome.time_days if isinstance(outcome, TimeToEvent) else None
    largest = float(np.abs(null_gradient(x, outcome.event, time_days=time)).max(initial=0.0))
    fits: dict[int, tuple[float, NDArray[np.float64]]] = {}
    for ratio in sorted({float(setting["l1_ratio"]) for setting in settings}):
        places = [place for place, setting in enumerate(settings) if float(setting["l1_ratio"]) == ratio]
        places.sort(key=lambda place: -float(settings[place]["penalty"]))
        shares = np.array([float(settings[place]["penalty"]) for place in places])
        penalties = np.maximum(shares * largest / ratio, 1e-8)
        intercepts, coefficients = elastic_net(x, outcome.event, penalties, l1_ratio=ratio, time_days=time)
        fits.update(zip(places, zip(intercepts.tolist(), coefficients, strict=True), strict=True))
    return [fits[place] for place in range(len(settings))]


def dump_logistic(fitted: Logistic) -> Arrays:
    """Return a fitted model as arrays."""
    return {"intercept": np.array(fitted.intercept), "coefficients": fitted.coefficients}


def load_logistic(arrays: Arrays) -> Logistic:
    """Return the fitted model that `dump_logistic` gave."""
    return Logistic(float(arrays["intercept"]), arrays["coefficients"])


def dump_cox(fitted: Cox) -> Arrays:
    """Return a fitted model as arrays."""
    return {"hazard": np.array(fitted.hazard), "coefficients": fitted.coefficients}


def load_cox(arrays: Arrays) -> Cox:
    """Return the fitted model that `dump_cox` gave."""
    return Cox(float(arrays["hazard"]), arrays["coefficients"])
