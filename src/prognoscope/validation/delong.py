"""AUC with its exact large-sample variance, and the test of two AUCs on the same patients.

DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837, in n log n by mid-ranks (Sun and Xu 2014, IEEE Signal
Process Lett 21:1389).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import norm, rankdata

from prognoscope.validation.checks import Bools, Floats, events, numbers
from prognoscope.validation.results import Difference

Z95 = float(norm.ppf(0.975))
FEWEST_OF_A_CLASS = 2
TOO_FEW_OF_A_CLASS = "a variance needs two patients with and two without the event"
SEPARATED = "score interval (Newcombe 2006): the risks separate the two classes, so no resample differs"


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, its standard error and its 95 % interval; what is undefined is NaN, and `reason` says why."""

    estimate: float
    standard_error: float
    low: float
    high: float
    reason: str = ""


def delong_interval(event: ArrayLike, risk: ArrayLike) -> Interval:
    """AUC with DeLong's 95 % interval, cut off at 0 and 1.

    Where the score separates the two classes (AUC 0 or 1) DeLong's variance is 0 and means nothing: the interval is
    that of `separated_interval`. There is none where all scores are equal or a class has one patient.

    Parameters
    ----------
    event
        `(n,)` 0 or 1.
    risk
        `(n,)` any score.
    """
    happened = events(event)
    score = numbers(risk, what="risk", n=len(happened))
    reason = _why_no_variance(happened, score)
    if not happened.any() or happened.all():
        return Interval(np.nan, np.nan, np.nan, np.nan, reason)
    estimate, shares = auc_shares(happened, score)
    if reason:
        return Interval(estimate, np.nan, np.nan, np.nan, reason)
    if estimate in (0.0, 1.0):
        ends = separated_interval(estimate, int(happened.sum()), int((~happened).sum()))
        return Interval(estimate, np.nan, *ends, SEPARATED)
    error = float(np.sqrt(_variance(happened, shares)))
    reach = Z95 * error
    return Interval(estimate, error, max(estimate - reach, 0.0), min(estimate + reach, 1.0))


def separated_interval(estimate: float, cases: int, others: int) -> tuple[float, float]:
    """95 % interval of an AUC of 0 or 1, the score interval of Newcombe 2006, Stat Med 25:559 (method 5).

    The AUCs θ at most 1.96 standard errors `sqrt(V(θ))` from the estimate, `V(θ) = θ (1 - θ) (1 + k ((1 - θ) / (2 - θ)
    + θ / (1 + θ))) / (cases · others)` with `k = (cases + others) / 2 - 1`.
    """
    half = (cases + others) / 2 - 1

    def beyond(area: float) -> float:
        pairs = 1 + half * ((1 - area) / (2 - area) + area / (1 + area))
        return (1 - area) - Z95**2 * area * pairs / (cases * others)  # both sides divided by 1 - area

    low = float(brentq(beyond, 0.0, 1.0))
    return (low, 1.0) if estimate == 1 else (0.0, 1 - low)


def delong_test(event: ArrayLike, first: ArrayLike, second: ArrayLike) -> Difference:
    """Compare two AUCs of the same patients: `first - second`, its 95 % interval and p value.

    Both scores must be fixed before these patients: of nested models fitted to them the p value is wrong (Demler,
    Pencina and D'Agostino 2012, Stat Med 31:2577).
    """
    happened = events(event)
    n = len(happened)
    scores = [numbers(values, what="risk", n=n) for values in (first, second)]
    if not happened.any() or happened.all():
        nothing = (np.nan,) * 6
        return Difference(*nothing, _why_no_variance(happened, scores[0]))
    (a, shares_a), (b, shares_b) = (auc_shares(happened, score) for score in scores)
    few = min(happened.sum(), n - happened.sum()) < FEWEST_OF_A_CLASS
    error = np.nan if few else float(np.sqrt(_variance(happened, shares_a - shares_b)))
    if few or (error == 0 and a != b):
        reason = TOO_FEW_OF_A_CLASS if few else "each score is constant or separates the classes: no variance"
        return Difference(a, b, a - b, np.nan, np.nan, np.nan, reason)
    reach = Z95 * error
    p = float(2 * norm.sf(abs(a - b) / error)) if error > 0 else 1.0
    return Difference(a, b, a - b, a - b - reach, a - b + reach, p)


def _why_no_variance(event: Bools, score: Floats) -> str:
    cases, others = int(event.sum()), int((~event).sum())
    if not cases or not others:
        return "no patient had the event" if not cases else "every patient had the event"
    if min(cases, others) < FEWEST_OF_A_CLASS:
        return TOO_FEW_OF_A_CLASS
    return "all scores are equal" if np.ptp(score) == 0 else ""


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
        total += float(values.var(ddof=1)) / len(values)
    return total
