"""Intervals without resampling, for many patients: how much each patient moves a figure.

The influence function of a figure, averaged over the patients, is 0; its variance divided by n is the figure's
(Hampel 1974, JASA 69:383; van der Vaart 1998, chapter 20). Censoring weights are taken as known, which makes intervals
of a time to event a little too wide (Blanche, Dartigues and Jacqmin-Gadda 2013, Stat Med 32:5381). Concordance, whose
influence function needs all pairs, is computed in 100 random groups instead (Wolter 2007, Introduction to Variance
Estimation, chapter 2).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from prognoscope.core.seeds import generator
from prognoscope.validation.checks import Bools, Floats
from prognoscope.validation.overall import brier_rows, event_rate_rows
from prognoscope.validation.recalibration import logistic_rows, logit

GROUPS = 100
Z95 = 1.959963984540054

Influence = Callable[[Bools, Floats, Floats], Floats]


def of_auc(event: Bools, risk: Floats, weights: Floats) -> Floats:
    """Influence on the AUC: each patient's share of rightly ordered pairs, about the AUC (DeLong et al. 1988)."""
    order = np.argsort(risk, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(risk[order]) != 0, True))
    tie = np.searchsorted(ends, np.arange(len(risk)))
    case, other = np.where(event, weights, 0.0)[order], np.where(event, 0.0, weights)[order]
    shares = np.empty(len(risk))
    cases, others = case.sum(), other.sum()
    below = _below(other, ends)[tie] + 0.5 * _within(other, ends)[tie]
    above = cases - _below(case, ends)[tie] - 0.5 * _within(case, ends)[tie]
    shares[order] = np.where(event[order], below / others, above / cases)
    area = float((shares * np.where(event, weights, 0.0)).sum() / cases)
    scale = np.where(event, weights / cases, weights / others) * len(risk)
    return np.asarray((shares - area) * scale)


def of_brier(event: Bools, risk: Floats, weights: Floats) -> Floats:
    """Influence on the Brier score."""
    return np.asarray(weights * (risk - event) ** 2 - float(brier_rows(event, risk, weights[None])[0]))


def of_scaled_brier(event: Bools, risk: Floats, weights: Floats) -> Floats:
    """Influence on one minus the ratio of the Brier score and that of the event rate."""
    score = float(brier_rows(event, risk, weights[None])[0])
    rate = float(event_rate_rows(event, weights[None])[0])
    reference = rate * (1 - rate)
    of_reference = (1 - 2 * rate) * (weights * event - rate)
    return np.asarray(-(of_brier(event, risk, weights) / reference) + score / reference**2 * of_reference)


def of_log_score(event: Bools, risk: Floats, weights: Floats) -> Floats:
    """Influence on the mean log-likelihood; NaN when a certain risk was wrong."""
    with np.errstate(divide="ignore", invalid="ignore"):
        score = weights * np.log(np.where(event, risk, 1 - risk))
        return np.asarray(score - score.mean())


def of_intercept(event: Bools, risk: Floats, weights: Floats) -> Floats:
    """Influence on the calibration intercept: the score over the information."""
    design, offset = np.ones((len(risk), 1)), logit(risk)
    return _of_logistic(design, offset, event, weights)[:, 0]


def of_slope(event: Bools, risk: Floats, weights: Floats) -> Floats:
    """Influence on the calibration slope."""
    line = logit(risk)
    return _of_logistic(np.column_stack([np.ones_like(line), line]), np.zeros_like(line), event, weights)[:, 1]


def of_observed_expected(event: Bools, risk: Floats, weights: Floats) -> Floats:
    """Influence on the ratio of observed and expected events."""
    observed, expected = float((weights * event).mean()), float(risk.mean())
    return np.asarray((weights * event - observed) / expected - observed / expected**2 * (risk - expected))


def half_width(influence: Floats) -> float:
    """Half the width of the 95 % interval of a figure with this influence, `(n,)`; NaN where it is undefined."""
    return float(Z95 * influence.std(ddof=1) / np.sqrt(len(influence)))


def random_groups(n: int, *, seed: int) -> list[NDArray[np.intp]]:
    """100 random groups of equal size."""
    return list(np.array_split(generator(seed, "random groups").permutation(n), GROUPS))


def half_width_of_groups(values: Floats) -> float:
    """Half the width of the 95 % interval of a figure from its values in random groups (Student's t)."""
    defined = values[np.isfinite(values)]
    if len(defined) < len(values):
        return float("nan")
    return float(t.ppf(0.975, len(values) - 1) * defined.std(ddof=1) / np.sqrt(len(values)))


INFLUENCES: dict[str, Influence] = {
    "auc": of_auc,
    "auc_at_horizon": of_auc,
    "brier": of_brier,
    "scaled_brier": of_scaled_brier,
    "log_score": of_log_score,
    "calibration_intercept": of_intercept,
    "calibration_slope": of_slope,
    "observed_expected": of_observed_expected,
}


def _of_logistic(design: Floats, offset: Floats, event: Bools, weights: Floats) -> Floats:
    beta = logistic_rows(design, offset, event, weights[None])[0]
    fitted = 1 / (1 + np.exp(-(offset + design @ beta)))
    information = design.T @ ((weights * fitted * (1 - fitted))[:, None] * design) / len(event)
    score = (weights * (event - fitted))[:, None] * design
    if not np.isfinite(information).all():
        return np.full(design.shape, np.nan)
    return np.asarray(np.linalg.solve(information, score.T).T)


def _below(values: Floats, ends: NDArray[np.intp]) -> Floats:
    total = np.cumsum(values)[ends]
    return np.concatenate([[0.0], total[:-1]])


def _within(values: Floats, ends: NDArray[np.intp]) -> Floats:
    return np.diff(np.cumsum(values)[ends], prepend=0.0)
