"""Flexible calibration curves of one set of risks: loess and spline, each with its band."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from prognoscope.core.outcome import Outcome
from prognoscope.core.problems import refuse
from prognoscope.validation.calibration import CurveFit, curve_basis, fit_curves
from prognoscope.validation.censoring import known_event, status_weights
from prognoscope.validation.checks import Bools, Floats, risks
from prognoscope.validation.recalibration import logit
from prognoscope.validation.resampling import RESAMPLED_UP_TO, once
from prognoscope.validation.results import Curve

Smoother = Literal["loess", "spline"]
SPAN = 0.75
EXACT_UP_TO = 2000
NODES = 200
BINS = 2000
Z95 = float(norm.ppf(0.975))


def calibration_curve(
    outcome: Outcome, risk: ArrayLike, *, smoother: Smoother = "loess", at: ArrayLike | None = None
) -> Curve:
    """Smoothed observed proportion at each risk, with a pointwise 95 % band.

    Parameters
    ----------
    outcome
        Of `n` patients; for a time to event the status at the horizon with inverse probability of censoring weights.
    risk
        `(n,)` in [0, 1].
    smoother
        `loess`: local quadratic regression, tricube weights, span 0.75 (Cleveland 1979; as Austin and Steyerberg 2014),
        band from the variance of a Bernoulli outcome, cut off at 0 and 1; computed at 200 quantiles and interpolated
        above 2,000 patients, from 2,000 groups of equal size above 50,000. `spline`: logistic regression on a
        restricted cubic spline of logit(risk), with its model-based band.
    at
        Risks at which to give the curve; 100 even steps over the range of the risks when left out.
    """
    values = risks(risk, n=len(outcome))
    points = _inside(values) if at is None else np.asarray(at, dtype=float)
    event, weights = known_event(outcome), status_weights(outcome, once(len(outcome)))[0]
    if not np.isfinite(weights).all():
        y = low = high = np.full(len(points), np.nan)
    elif smoother == "loess":
        y, low, high = _loess_with_band(values, event, weights, points)
    elif smoother == "spline":
        y, low, high = _spline_with_band(values, event, weights, points)
    else:
        raise refuse(
            "smoother-unknown", subject="smoother", found=f"it is {smoother!r}", remedy="choose `loess` or `spline`"
        )
    return Curve(*(tuple(float(value) for value in line) for line in (points, y, low, high)))


def loess_smoother(x: Floats, at: Floats, weights: Floats, *, span: float = SPAN) -> Floats:
    """Rows of the linear smoother of local quadratic regression: `smoothed = rows @ y`; `(len(at), len(x))`."""
    n = len(x)
    near = int(np.clip(np.floor(span * n + 1e-5), 3, n))
    rows = np.empty((len(at), n))
    for index, point in enumerate(at):
        distance = np.abs(x - point)
        reach = np.partition(distance, near - 1)[near - 1]
        local = weights * np.clip(1 - (distance / max(reach, 1e-12)) ** 3, 0, None) ** 3
        design = np.column_stack([np.ones(n), x - point, (x - point) ** 2])
        normal = design.T @ (local[:, None] * design)
        rows[index] = (np.linalg.pinv(normal, rcond=1e-10, hermitian=True)[0] @ design.T) * local
    return rows


def _loess_with_band(risk: Floats, event: Bools, weights: Floats, at: Floats) -> tuple[Floats, Floats, Floats]:
    nodes = at if len(risk) <= EXACT_UP_TO and len(at) <= EXACT_UP_TO else _nodes(risk)
    x, happened, weight, noise = _binned(risk, event, weights)
    y, error = np.empty(len(nodes)), np.empty(len(nodes))
    step = max(1, 4_000_000 // len(x))
    for start in range(0, len(nodes), step):
        rows = loess_smoother(x, nodes[start : start + step], weight)
        fitted = rows @ happened
        inside = np.clip(fitted, 0, 1)
        y[start : start + step] = fitted
        error[start : start + step] = np.sqrt((rows**2 @ noise) * inside * (1 - inside))
    if nodes is not at:
        y, error = np.interp(at, nodes, y), np.interp(at, nodes, error)
    return y.clip(0, 1), (y - Z95 * error).clip(0, 1), (y + Z95 * error).clip(0, 1)


def _binned(risk: Floats, event: Bools, weights: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Risk, outcome, weight and variance (of a Bernoulli outcome's) of each patient, or of groups of many patients."""
    if len(risk) <= RESAMPLED_UP_TO:
        return risk, event.astype(float), weights, np.ones(len(risk))
    order = np.argsort(risk, kind="stable")
    starts = np.linspace(0, len(risk), BINS, endpoint=False).astype(np.intp)
    size = np.diff(starts, append=len(risk))
    total, square = (np.add.reduceat(values[order], starts) for values in (weights, weights**2))
    known = np.where(total > 0, total, 1.0)
    x = np.add.reduceat(risk[order], starts) / size
    return x, np.add.reduceat((weights * event)[order], starts) / known, total, square / known**2


def _spline_with_band(risk: Floats, event: Bools, weights: Floats, at: Floats) -> tuple[Floats, Floats, Floats]:
    missing = np.full(len(at), np.nan)
    fit = fit_curves(event, risk, weights[None])
    if fit is None or fit.lowest == fit.highest or not np.isfinite(fit.coefficients).all():
        return missing, missing, missing
    return spline_band(fit, spline_information(fit, risk, weights), at)


def spline_band(fit: CurveFit, information: Floats, at: Floats) -> tuple[Floats, Floats, Floats]:
    """The first curve of a fit at some risks, and its model-based 95 % band."""
    new = curve_basis(logit(np.clip(at, fit.lowest, fit.highest)), fit.knots)
    centre = new @ fit.coefficients[0]
    covariance = np.linalg.pinv(information, hermitian=True)
    error = np.sqrt(np.einsum("ij,jk,ik->i", new, covariance, new).clip(0))
    low, y, high = (1 / (1 + np.exp(-(centre + shift * error))) for shift in (-Z95, 0.0, Z95))
    return y, low, high


def spline_information(fit: CurveFit, risk: Floats, weights: Floats) -> Floats:
    """Information on the coefficients of the first curve of a fit; its inverse is their covariance."""
    inside = (risk > 0) & (risk < 1)
    design = curve_basis(logit(risk[inside]), fit.knots)
    proportion = 1 / (1 + np.exp(-(design @ fit.coefficients[0])))
    return np.asarray(design.T @ ((weights[inside] * proportion * (1 - proportion))[:, None] * design))


def _inside(risk: Floats) -> Floats:
    return np.linspace(risk.min(), risk.max(), 100)


def _nodes(risk: Floats) -> Floats:
    return np.unique(np.quantile(risk, np.linspace(0, 1, NODES)))
