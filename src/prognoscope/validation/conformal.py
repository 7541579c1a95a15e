"""Sets and intervals with a guarantee, from how wrong risks were in patients whose outcome is known.

Split conformal (one calibration set, one model) covers with probability at least 1 - α on average over patients and
calibration sets, and at most 1 - α + 1/(n+1) without ties (Vovk et al. 2005; Lei et al. 2018, JASA 113:1094).
Cross-conformal (out-of-fold risks and the folds' models) is only guaranteed 1 - 2α - 2(1-1/K)/(n/K+1) (Barber et al.
2021, Ann Stat 49:486, theorem 4), though it usually covers about 1 - α. Both need exchangeable patients: the guarantee
is for patients like these, and not within a subgroup unless it is calibrated by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prognoscope.core.problems import refuse
from prognoscope.validation.calibration import wilson_interval
from prognoscope.validation.checks import Bools, Floats, events, folds, numbers, risks
from prognoscope.validation.results import MIN_PATIENTS


@dataclass(frozen=True, slots=True, eq=False)
class PredictionSets:
    """Which outcomes each patient's set holds.

    Attributes
    ----------
    without_event, with_event
        `(m,)`: whether "no event" and "event" are in the set. Both: the model cannot tell, it abstains. None: the
        patient is unlike those it was calibrated on.
    guarantee
        In words, with the probability it holds for.
    """

    without_event: Bools
    with_event: Bools
    guarantee: str

    @property
    def abstained(self) -> Bools:
        """Whether the set is not one outcome."""
        return np.asarray(self.without_event == self.with_event)


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share of sets that hold the true outcome, with Wilson's interval, over `n` patients, and their mean size."""

    level: str
    covered: float
    low: float
    high: float
    size: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class AbstentionCurve:
    """Share of patients who get an answer, and the share of right answers among them, from the surest on; `(n,)`.

    The accuracy of fewer than 20 patients answered is NaN: that of single patients says nothing.
    """

    answered: Floats
    accuracy: Floats


def needed_to_calibrate(alpha: float) -> int:
    """Smallest calibration set for which a set at level 1 - α is not everything: `⌈1/α⌉ - 1`."""
    _check(alpha)
    return math.ceil(1 / alpha - 1e-9) - 1


def split_conformal_sets(event: ArrayLike, risk: ArrayLike, new_risk: ArrayLike, *, alpha: float) -> PredictionSets:
    """Sets for new patients from a calibration set that the model has not seen (scores 1 - p of the true outcome).

    Parameters
    ----------
    event, risk
        `(n,)`: outcomes and risks of the calibration patients.
    new_risk
        `(m,)`.
    alpha
        Accepted share of sets that miss the outcome, in (0, 1).

    Raises
    ------
    Refused
        `too-few-to-calibrate` below `needed_to_calibrate(alpha)` patients, with that number.
    """
    happened = events(event)
    known = risks(risk, n=len(happened))
    _enough(len(happened), alpha)
    limit = _conformal_quantile(np.where(happened, 1 - known, known), alpha)
    new = risks(new_risk)
    guarantee = (
        f"holds the outcome in at least {1 - alpha:.0%} of patients like the {len(happened)} it was calibrated on"
    )
    return PredictionSets(np.asarray(new <= limit), np.asarray(1 - new <= limit), guarantee)


def cross_conformal_sets(
    event: ArrayLike, risk: ArrayLike, fold: ArrayLike, new_risk: ArrayLike, *, alpha: float
) -> PredictionSets:
    """Sets for new patients from out-of-fold risks and the risks that each fold's model gives the new patients.

    Parameters
    ----------
    event, risk, fold
        `(n,)`: outcomes, out-of-fold risks, and the fold that held each patient out.
    new_risk
        `(folds, m)`: row k is by the model that was trained without fold k, in the order of the sorted folds.
    alpha
        As in `split_conformal_sets`; the guarantee is for 2α.
    """
    happened = events(event)
    known = risks(risk, n=len(happened))
    held = folds(fold, n=len(happened))
    _enough(len(happened), alpha)
    new = np.atleast_2d(np.asarray(new_risk, dtype=float))
    if new.shape[0] != held.max() + 1:
        raise refuse(
            "values-shape",
            subject="risks of new patients",
            found=f"there are {new.shape[0]} rows for {held.max() + 1} folds",
            remedy="give one row per fold, by the model trained without it",
        )
    scores = np.where(happened, 1 - known, known)
    n, k = len(happened), int(held.max()) + 1
    kept = [_as_strange(scores, held, strangeness, alpha) for strangeness in (new, 1 - new)]
    promised = max(0.0, 1 - 2 * alpha - 2 * (1 - 1 / k) / (n / k + 1))
    guarantee = (
        f"holds the outcome in at least {1 - 2 * alpha:.0%} (1 - 2α; {promised:.0%} with the correction for {k} folds) "
        f"of patients like the {n} it was calibrated on, usually in about {1 - alpha:.0%}"
    )
    return PredictionSets(kept[0], kept[1], guarantee)


def split_conformal_interval(residual: ArrayLike, prediction: ArrayLike, *, alpha: float) -> tuple[Floats, Floats, str]:
    """Intervals for a continuous outcome: prediction ± the conformal quantile of absolute residuals, and the guarantee.

    Parameters
    ----------
    residual
        `(n,)`: outcome less prediction of calibration patients.
    prediction
        `(m,)` of new patients.
    """
    distance = np.abs(numbers(residual, what="residual"))
    _enough(len(distance), alpha)
    reach = _conformal_quantile(distance, alpha)
    centre = numbers(prediction, what="prediction")
    guarantee = (
        f"holds the outcome in at least {1 - alpha:.0%} of patients like the {len(distance)} it was calibrated on"
    )
    return centre - reach, centre + reach, guarantee


def coverage(event: ArrayLike, sets: PredictionSets, groups: ArrayLike | None = None) -> tuple[Coverage, ...]:
    """How often sets held the outcome: over all patients, and within each group (which nothing guarantees)."""
    happened = events(event)
    hit = np.where(happened, sets.with_event, sets.without_event)
    size = sets.with_event.astype(int) + sets.without_event
    rows = [("all", np.ones(len(hit), dtype=bool))]
    if groups is not None:
        labels = np.asarray(groups).astype(str)
        rows += [(str(level), labels == level) for level in np.unique(labels)]
    found = []
    for level, chosen in rows:
        share, n = float(hit[chosen].mean()), int(chosen.sum())
        found.append(Coverage(level, share, *wilson_interval(share, n), float(size[chosen].mean()), n))
    return tuple(found)


def abstention_curve(event: ArrayLike, risk: ArrayLike, *, threshold: float = 0.5) -> AbstentionCurve:
    """Accuracy of "event when the risk is at or above the threshold" if only the surest patients get an answer.

    Sure is far from the threshold, in log odds.
    """
    happened = events(event)
    known = risks(risk, n=len(happened))
    with np.errstate(divide="ignore"):
        odds = np.log(known) - np.log1p(-known) - math.log(threshold / (1 - threshold))
    order = np.argsort(-np.abs(odds), kind="stable")
    right = ((known >= threshold) == happened)[order]
    number = np.arange(1, len(happened) + 1)
    accuracy = np.where(number < MIN_PATIENTS, np.nan, np.cumsum(right) / number)
    return AbstentionCurve(number / len(happened), accuracy)


def _split_guarantee(n: int, alpha: float) -> str:
    return f"holds the outcome in at least {1 - alpha:.0%} of patients like the {n} it was calibrated on"


def _conformal_quantile(scores: Floats, alpha: float) -> float:
    """The ⌈(n+1)(1-α)⌉-th smallest score."""
    place = math.ceil((len(scores) + 1) * (1 - alpha) - 1e-9)
    return float(np.sort(scores)[place - 1])


def _as_strange(scores: Floats, held: NDArray[np.int64], strangeness: Floats, alpha: float) -> Bools:
    """Whether more than α (n+1) calibration patients, and the new one itself, are at least as strange."""
    at_least = (scores[:, None] >= strangeness[held]).sum(axis=0)
    return np.asarray(at_least + 1 > alpha * (len(scores) + 1))


def _check(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise refuse("alpha-range", subject="alpha", found=f"it is {alpha:g}", remedy="give one between 0 and 1")


def _enough(n: int, alpha: float) -> None:
    needed = needed_to_calibrate(alpha)
    if n < needed:
        raise refuse(
            "too-few-to-calibrate",
            subject="calibration patients",
            found=f"there are {n}; below {needed} every set at level {1 - alpha:.0%} holds both outcomes",
            remedy=f"calibrate on at least {needed} patients, or accept a larger alpha",
        )
