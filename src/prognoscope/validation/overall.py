"""How far risks are from what happened: Brier score, scaled Brier, log score."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from prognoscope.core.outcome import TimeToEvent
from prognoscope.validation.censoring import known_event, status_weights
from prognoscope.validation.checks import Bools, Floats, events, risks
from prognoscope.validation.resampling import once


def brier(event: ArrayLike, risk: ArrayLike) -> float:
    """Mean squared distance of risk and outcome (Brier 1950, Mon Weather Rev 78:1)."""
    happened = events(event)
    return float(brier_rows(happened, risks(risk, n=len(happened)), np.ones((1, len(happened))))[0])


def brier_at_horizon(outcome: TimeToEvent, risk: ArrayLike) -> float:
    """Brier score at the horizon with inverse probability of censoring weights (Graf et al. 1999, Stat Med 18:2529)."""
    weights = status_weights(outcome, once(len(outcome)))
    return float(brier_rows(known_event(outcome), risks(risk, n=len(outcome)), weights)[0])


def scaled_brier(event: ArrayLike, risk: ArrayLike) -> float:
    """One minus Brier over that of the event rate for everyone (Steyerberg et al. 2010, Epidemiology 21:128)."""
    happened = events(event)
    return float(scaled_brier_rows(happened, risks(risk, n=len(happened)), np.ones((1, len(happened))))[0])


def scaled_brier_at_horizon(outcome: TimeToEvent, risk: ArrayLike) -> float:
    """One minus Brier at the horizon over that of the Kaplan-Meier risk for everyone (index of prediction accuracy).

    Kattan and Gerds 2018, Diagn Progn Res 2:7.
    """
    weights = status_weights(outcome, once(len(outcome)))
    return float(scaled_brier_rows(known_event(outcome), risks(risk, n=len(outcome)), weights)[0])


def log_likelihood(event: ArrayLike, risk: ArrayLike) -> float:
    """Mean log of the probability that was given to what happened; higher is better, −∞ after a certain error."""
    happened = events(event)
    return float(log_rows(happened, risks(risk, n=len(happened)), np.ones((1, len(happened))))[0])


def brier_rows(event: Bools, risk: Floats, weights: Floats) -> Floats:
    """Brier score under weights `(rows, n)`, one value a row."""
    # Weights of a row sum to its patients (censoring.py), so the mean over patients is the weighted mean.
    total = weights.sum(axis=1)
    return np.asarray(np.divide(weights @ (risk - event) ** 2, total, out=np.full(len(total), np.nan), where=total > 0))


def scaled_brier_rows(event: Bools, risk: Floats, weights: Floats) -> Floats:
    """Scaled Brier score under weights `(rows, n)`; NaN where a row has one class, up to rounding of the weights."""
    rate = event_rate_rows(event, weights)
    reference = rate * (1 - rate)
    ratio = np.full(len(rate), np.nan)
    np.divide(brier_rows(event, risk, weights), reference, out=ratio, where=reference > 1e-9)
    return np.asarray(1 - ratio)


def log_rows(event: Bools, risk: Floats, weights: Floats) -> Floats:
    """Mean log-likelihood under weights `(rows, n)`; −∞ where a patient in the row refutes a risk of 0 or 1."""
    given = np.where(event, risk, 1 - risk)
    impossible = given == 0
    finite = np.log(np.where(impossible, 1.0, given))
    total = weights.sum(axis=1)
    mean = np.divide(weights @ finite, total, out=np.full(len(total), np.nan), where=total > 0)
    return np.asarray(np.where((weights[:, impossible] > 0).any(axis=1), -np.inf, mean))


def event_rate_rows(event: Bools, weights: Floats) -> Floats:
    """Observed proportion of events under weights: one minus Kaplan-Meier survival where censored."""
    total = weights.sum(axis=1)
    return np.asarray(np.divide(weights @ event.astype(float), total, out=np.full(len(total), np.nan), where=total > 0))
