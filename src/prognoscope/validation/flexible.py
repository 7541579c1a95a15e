"""Flexible calibration curves of one set of risks, and how far they lie from the diagonal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from prognoscope.core.outcome import Outcome
from prognoscope.core.problems import refuse
from prognoscope.validation.calibration import spline_basis, spline_knots
from prognoscope.validation.censoring import known_event, status_weights
from prognoscope.validation.checks import Bools, Floats, risks
from prognoscope.validation.recalibration import logistic_rows, logit
from prognoscope.validation.resampling import once
from prognoscope.validation.results import Curve

Smoother = Literal["loess", "spline"]
SPAN = 0.75
EXACT_UP_TO = 2000
NODES = 200
Z95 = float(norm.ppf(0.975))


@dataclass(frozen=True, slots=True)
class CalibrationErrors:
    """Absolute distances of predicted and smoothed observed risk over the patients.

    `ici` is their mean (integrated calibration index), `e50` median, `e90` 90th percentile, `emax` maximum (Austin and
    Steyerberg 2019, Stat Med 38:4051). NaN with a reason where no curve can be fitted.
    """

    ici: float
    e50: float
    e90: float
    emax: float
    reason: str = ""


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
        above 2,000 patients. `spline`: logistic regression on a restricted cubic spline of logit(risk), with its
        model-based band.
    at
        Risks at which to give the curve; 100 even steps over the range of the risks when left out.
    """
    values = risks(risk, n=len(outcome))
    points = _inside(values) if at is None else np.asarray(at, dtype=float)
    event, weights = known_event(outcome), status_weights(outcome, once(len(outcome)))[0]
    if smoother == "loess":
        y, low, high = _loess_with_band(values, event, weights, points)
    elif smoother == "spline":
        y, low, high = _spline_with_band(values, event, weights, points)
    else:
        raise refuse(
            "smoother-unknown", subject="smoother", found=f"it is {smoother!r}", remedy="choose `loess` or `spline`"
        )
    return Curve(*(tuple(float(value) for value in line) for line in (points, y, low, high)))


def calibration_errors(outcome: Outcome, risk: ArrayLike, *, smoother: Smoother = "loess") -> CalibrationErrors:
    """ICI, E50, E90 and Emax by a smoothed calibration curve, over all patients."""
    values = risks(risk, n=len(outcome))
    if len(np.unique(values)) < 5:
        return CalibrationErrors(np.nan, np.nan, np.nan, np.nan, "fewer than five different risks")
    if smoother == "spline" and ((values == 0) | (values == 1)).any():
        return CalibrationErrors(
            np.nan, np.nan, np.nan, np.nan, "some risks are exactly 0 or 1, their logit is infinite"
        )
    distinct = np.unique(values)
    at = distinct if len(distinct) <= EXACT_UP_TO else np.unique(np.quantile(values, np.linspace(0, 1, EXACT_UP_TO)))
    curve = calibration_curve(outcome, values, smoother=smoother, at=at)
    observed = np.interp(values, curve.x, curve.y)
    if not np.isfinite(observed).all():
        return CalibrationErrors(np.nan, np.nan, np.nan, np.nan, "no calibration curve can be fitted to all risks")
    return errors_of(np.abs(observed - values))


def errors_of(distance: Floats) -> CalibrationErrors:
    """Summarise absolute distances, `(n,)`."""
    return CalibrationErrors(
        float(distance.mean()),
        float(np.median(distance)),
        float(np.quantile(distance, 0.9)),
        float(distance.max()),
    )


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
    y, error = np.empty(len(nodes)), np.empty(len(nodes))
    step = max(1, 4_000_000 // len(risk))
    for start in range(0, len(nodes), step):
        rows = loess_smoother(risk, nodes[start : start + step], weights)
        fitted = rows @ event
        inside = np.clip(fitted, 0, 1)
        y[start : start + step] = fitted
        error[start : start + step] = np.sqrt((rows**2).sum(axis=1) * inside * (1 - inside))
    if nodes is not at:
        y, error = np.interp(at, nodes, y), np.interp(at, nodes, error)
    return y.clip(0, 1), (y - Z95 * error).clip(0, 1), (y + Z95 * error).clip(0, 1)


def _spline_with_band(risk: Floats, event: Bools, weights: Floats, at: Floats) -> tuple[Floats, Floats, Floats]:
    inside = (risk > 0) & (risk < 1)
    held = np.clip(at, risk[inside].min(), risk[inside].max()) if inside.any() else at
    line = logit(risk[inside])
    if len(np.unique(line)) < 2:
        missing = np.full(len(at), np.nan)
        return missing, missing, missing
    knots = spline_knots(line, events=int(min(event.sum(), (~event).sum())))
    design, new = (
        spline_basis(values, knots) if knots.size else np.column_stack([np.ones_like(values), values])
        for values in (line, logit(held))
    )
    fitted = logistic_rows(design, np.zeros_like(line), event[inside], weights[None, inside])[0]
    proportion = 1 / (1 + np.exp(-(design @ fitted)))
    information = design.T @ ((weights[inside] * proportion * (1 - proportion))[:, None] * design)
    if not np.isfinite(information).all():
        missing = np.full(len(at), np.nan)
        return missing, missing, missing
    centre = new @ fitted
    error = np.sqrt(np.einsum("ij,jk,ik->i", new, np.linalg.pinv(information, hermitian=True), new).clip(0))
    low, y, high = (1 / (1 + np.exp(-(centre + shift * error))) for shift in (-Z95, 0.0, Z95))
    return y, low, high


def _inside(risk: Floats) -> Floats:
    return np.linspace(risk.min(), risk.max(), 100)


def _nodes(risk: Floats) -> Floats:
    return np.unique(np.quantile(risk, np.linspace(0, 1, NODES)))
