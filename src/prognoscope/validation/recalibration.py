"""Logistic recalibration: how the outcome depends on the logit of the risk.

Intercept (slope held at 1) says whether risks are too low or too high on the whole, slope whether they are too extreme
(below 1): Cox 1958, Biometrika 45:562; Van Calster et al. 2019, BMC Med 17:230. For a time to event the status at the
horizon is regressed in the same way with inverse probability of censoring weights (logistic regression of censored
data: Scheike, Zhang and Gerds 2008, Biometrika 95:205; Blanche, Holt and Scheike 2023, Lifetime Data Anal 29:441).
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import ArrayLike

from prognoscope.core.outcome import TimeToEvent
from prognoscope.validation.censoring import known_event, status_weights
from prognoscope.validation.checks import Bools, Floats, events, risks
from prognoscope.validation.resampling import once

MAX_STEPS = 40


def calibration_intercept(event: ArrayLike, risk: ArrayLike) -> float:
    """Calibration in the large: intercept of the outcome given logit(risk) as offset; 0 is perfect.

    NaN when a risk is exactly 0 or 1 (its logit is infinite) or one class is missing.
    """
    happened = events(event)
    return float(intercept_rows(happened, risks(risk, n=len(happened)), np.ones((1, len(happened))))[0])


def calibration_slope(event: ArrayLike, risk: ArrayLike) -> float:
    """Slope of the outcome on logit(risk), intercept free; 1 is perfect, below 1 too extreme.

    NaN when a risk is exactly 0 or 1, all risks are equal, one class is missing or risks separate the classes.
    """
    happened = events(event)
    return float(slope_rows(happened, risks(risk, n=len(happened)), np.ones((1, len(happened))))[0])


def intercept_at_horizon(outcome: TimeToEvent, risk: ArrayLike) -> float:
    """`calibration_intercept` of the status at the horizon, with inverse probability of censoring weights."""
    weights = status_weights(outcome, once(len(outcome)))
    return float(intercept_rows(known_event(outcome), risks(risk, n=len(outcome)), weights)[0])


def slope_at_horizon(outcome: TimeToEvent, risk: ArrayLike) -> float:
    """`calibration_slope` of the status at the horizon, with inverse probability of censoring weights."""
    weights = status_weights(outcome, once(len(outcome)))
    return float(slope_rows(known_event(outcome), risks(risk, n=len(outcome)), weights)[0])


def logit(risk: Floats) -> Floats:
    """Log odds; infinite at 0 and 1."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(risk) - np.log1p(-risk))


def intercept_rows(event: Bools, risk: Floats, weights: Floats) -> Floats:
    """Calibration intercept under weights `(rows, n)`, one value a row."""
    return logistic_rows(np.ones((len(risk), 1)), logit(risk), event, weights)[:, 0]


def slope_rows(event: Bools, risk: Floats, weights: Floats) -> Floats:
    """Calibration slope under weights `(rows, n)`, one value a row."""
    line = logit(risk)
    return logistic_rows(np.column_stack([np.ones_like(line), line]), np.zeros_like(line), event, weights)[:, 1]


def logistic_rows(design: Floats, offset: Floats, event: Bools, weights: Floats) -> Floats:
    """Maximum likelihood logistic regression under each row of weights.

    Parameters
    ----------
    design
        `(n, p)`, its intercept column included.
    offset, event
        `(n,)`.
    weights
        `(rows, n)`, not negative.

    Returns
    -------
    `(rows, p)` coefficients; NaN where design or offset is infinite, a row has one class, columns are dependent or
    the maximum lies at infinity (separation).
    """
    if not (np.isfinite(design).all() and np.isfinite(offset).all()):
        return np.full((len(weights), design.shape[1]), np.nan)
    result: Floats = _logistic_rows(
        np.ascontiguousarray(design), np.ascontiguousarray(offset), event, np.ascontiguousarray(weights)
    )
    return result


@numba.njit(cache=True, nogil=True)
def _logistic_rows(design, offset, event, weights):  # type: ignore[no-untyped-def]
    rows, n = weights.shape
    p = design.shape[1]
    result = np.full((rows, p), np.nan)
    information = np.empty((p, p))
    for row in range(rows):
        beta = np.zeros(p)
        step = np.empty(p)
        total = 0.0
        cases = 0.0
        for i in range(n):
            total += weights[row, i]
            if event[i]:
                cases += weights[row, i]
        if not (cases > 0 and total - cases > 0):
            continue
        for _ in range(MAX_STEPS):
            information[:] = 0.0
            step[:] = 0.0
            for i in range(n):
                weight = weights[row, i]
                if weight == 0.0:
                    continue
                line = offset[i]
                for a in range(p):
                    line += design[i, a] * beta[a]
                fitted = 1 / (1 + np.exp(-line))
                residual = weight * ((1.0 if event[i] else 0.0) - fitted)
                curvature = weight * fitted * (1 - fitted)
                for a in range(p):
                    step[a] += residual * design[i, a]
                    for b in range(a + 1):
                        information[a, b] += curvature * design[i, a] * design[i, b]
            if not _solve(information, step, total):
                break
            # A long step from a flat start may overshoot: at most 5 in any coefficient, Newton's afterwards.
            longest = np.abs(step).max()
            if longest > 5:
                step *= 5 / longest
            beta += step
            if np.abs(beta).max() > 500:
                break
            if longest < 1e-9:
                result[row] = beta
                break
    return result


@numba.njit(cache=True, nogil=True)
def _solve(matrix, vector, total):  # type: ignore[no-untyped-def]
    # Cholesky in place of the lower triangle; False when the matrix is singular for this many patients.
    p = len(vector)
    for a in range(p):
        scale = matrix[a, a]
        for b in range(a):
            for c in range(b):
                matrix[a, b] -= matrix[a, c] * matrix[b, c]
            matrix[a, b] /= matrix[b, b]
        for c in range(a):
            matrix[a, a] -= matrix[a, c] * matrix[a, c]
        if not (matrix[a, a] > 1e-10 * scale and matrix[a, a] > 1e-12 * total):
            return False
        matrix[a, a] = np.sqrt(matrix[a, a])
    for a in range(p):
        for c in range(a):
            vector[a] -= matrix[a, c] * vector[c]
        vector[a] /= matrix[a, a]
    for a in range(p - 1, -1, -1):
        for c in range(a + 1, p):
            vector[a] -= matrix[c, a] * vector[c]
        vector[a] /= matrix[a, a]
    return True
