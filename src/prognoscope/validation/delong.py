"""AUC with its exact large-sample variance, and the test of two AUCs on the same patients.

DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837, in n log n by mid-ranks (Sun and Xu 2014, IEEE Signal
Process Lett 21:1389).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm, rankdata

from prognoscope.validation.checks import Bools, Floats, events, numbers


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, its standard error and its 95 % interval; all NaN where it is undefined."""

    estimate: float
    standard_error: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference of two figures of the same patients, its 95 % interval, and the two-sided p value of no difference."""

    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float


def delong_interval(event: ArrayLike, risk: ArrayLike) -> Interval:
    """AUC with DeLong's 95 % interval, cut off at 0 and 1.

    Parameters
    ----------
    event
        `(n,)` 0 or 1.
    risk
        `(n,)` any score.
    """
    happened = events(event)
    score = numbers(risk, what="risk", n=len(happened))
    if not happened.any() or happened.all():
        return Interval(np.nan, np.nan, np.nan, np.nan)
    estimate, shares = auc_shares(happened, score)
    error = float(np.sqrt(_variance(happened, shares)))
    reach = float(norm.ppf(0.975)) * error
    return Interval(estimate, error, max(estimate - reach, 0.0), min(estimate + reach, 1.0))


def delong_test(event: ArrayLike, first: ArrayLike, second: ArrayLike) -> Difference:
    """Compare two AUCs of the same patients: `first - second`, its 95 % interval and p value."""
    happened = events(event)
    n = len(happened)
    scores = [numbers(values, what="risk", n=n) for values in (first, second)]
    if not happened.any() or happened.all():
        return Difference(np.nan, np.nan, np.nan, np.nan, np.nan, np.nan)
    (a, shares_a), (b, shares_b) = (auc_shares(happened, score) for score in scores)
    error = float(np.sqrt(_variance(happened, shares_a - shares_b)))
    reach = float(norm.ppf(0.975)) * error
    p = 1.0 if error == 0 and a == b else float(2 * norm.sf(abs(a - b) / error)) if error > 0 else 0.0
    return Difference(a, b, a - b, a - b - reach, a - b + reach, p)


def auc_shares(event: Bools, score: Floats) -> tuple[float, Floats]:
    """AUC, and for each patient the share of patients of the other class whom the score orders rightly against it."""
    cases, others = int(event.sum()), int((~event).sum())
    everyone = rankdata(score)
    shares = np.empty(len(score))
    shares[event] = (everyone[event] - rankdata(score[event])) / others
    shares[~event] = 1 - (everyone[~event] - rankdata(score[~event])) / cases
    return float(shares[event].mean()), shares


def _variance(event: Bools, shares: Floats) -> float:
    total = 0.0
    for values in (shares[event], shares[~event]):
        if len(values) > 1:
            total += float(values.var(ddof=1)) / len(values)
    return total
