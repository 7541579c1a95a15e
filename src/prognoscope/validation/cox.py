"""Cox regression without penalty, for what validation asks of it: calibration slope and likelihood ratio tests.

Cox 1972, J R Stat Soc B 34:187, with Efron's treatment of ties (1977, JASA 72:557).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from prognoscope.validation.checks import Bools, Floats, events, numbers

MAX_STEPS = 50


@dataclass(frozen=True, slots=True, eq=False)
class CoxFit:
    """Coefficients `(p,)`, their standard errors and the log partial likelihood; NaN where there is no maximum."""

    coefficients: Floats
    standard_errors: Floats
    log_likelihood: float


def cox_regression(time: ArrayLike, event: ArrayLike, columns: ArrayLike) -> CoxFit:
    """Fit by Newton's method with step halving.

    Parameters
    ----------
    time, event
        `(n,)`.
    columns
        `(n, p)`; p may be 0, which gives the null likelihood.
    """
    happened = events(event)
    times = numbers(time, what="time", n=len(happened))
    table = np.atleast_2d(np.asarray(columns, dtype=float)).reshape(len(happened), -1)
    beta = np.zeros(table.shape[1])
    value, score, information = _partial(times, happened, table, beta)
    for _ in range(MAX_STEPS if len(beta) else 0):
        step = _solved(information, score)
        if step is None:
            return CoxFit(np.full_like(beta, np.nan), np.full_like(beta, np.nan), np.nan)
        while True:
            tried = _partial(times, happened, table, beta + step)
            if tried[0] >= value - 1e-12 or np.abs(step).max() < 1e-10:
                break
            step = step / 2
        beta = beta + step
        value, score, information = tried
        if np.abs(step).max() < 1e-9 * (1 + np.abs(beta).max()):
            break
    else:
        if len(beta):
            return CoxFit(np.full_like(beta, np.nan), np.full_like(beta, np.nan), np.nan)
    errors = np.sqrt(np.diag(np.linalg.inv(information))) if len(beta) else beta
    return CoxFit(beta, errors, value)


def calibration_slope_of_hazard(time: ArrayLike, event: ArrayLike, linear_predictor: ArrayLike) -> float:
    """Cox coefficient of a model's linear predictor in new patients; 1 is perfect.

    Van Houwelingen 2000, Stat Med 19:3401. The linear predictors must come from one fitted model: those of
    different folds are not comparable.
    """
    line = numbers(linear_predictor, what="linear predictor")
    return float(cox_regression(time, event, line[:, None]).coefficients[0])


def _partial(time: Floats, event: Bools, table: Floats, beta: Floats) -> tuple[float, Floats, Floats]:
    """Log partial likelihood, its gradient and the information."""
    order = np.argsort(-time, kind="stable")
    x, died, when = table[order], event[order], time[order]
    line = x @ beta
    weight = np.exp(line - line.max()) if len(line) else line
    shift = line.max() if len(line) else 0.0
    ends = np.flatnonzero(np.append(np.diff(when) != 0, True))
    s0 = np.cumsum(weight)
    s1 = np.cumsum(weight[:, None] * x, axis=0)
    s2 = np.cumsum(weight[:, None, None] * x[:, :, None] * x[:, None, :], axis=0)
    value, score = float(line[died].sum()), x[died].sum(axis=0)
    information = np.zeros((x.shape[1], x.shape[1]))
    start = 0
    for end in ends.tolist():
        rows = slice(start, end + 1)
        dead = died[rows]
        number = int(dead.sum())
        if number:
            w, z = weight[rows][dead], x[rows][dead]
            d0, d1 = w.sum(), w @ z
            d2 = np.einsum("i,ij,ik->jk", w, z, z)
            for share in np.arange(number) / number:
                total = s0[end] - share * d0
                mean = (s1[end] - share * d1) / total
                value -= float(np.log(total)) + shift
                score = score - mean
                information += (s2[end] - share * d2) / total - np.outer(mean, mean)
        start = end + 1
    return value, score, information


def _solved(information: Floats, score: Floats) -> Floats | None:
    if not np.isfinite(information).all() or np.linalg.cond(information) > 1e12:
        return None
    return np.asarray(np.linalg.solve(information, score))
