"""How well risks order patients: AUC, concordance, ROC.

Where risks come from cross-validation only pairs within one fold are compared (`fold`): risks of different folds come
from different models, and pooling them biases the AUC downwards (Airola et al. 2011, Comput Stat Data Anal 55:1828).
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import ArrayLike

from prognoscope.core.outcome import TimeToEvent
from prognoscope.validation.censoring import known_event, status_weights
from prognoscope.validation.checks import Bools, Floats, Ints, events, folds, numbers
from prognoscope.validation.resampling import Counts, once


def auc(event: ArrayLike, risk: ArrayLike, *, fold: ArrayLike | None = None) -> float:
    """Area under the ROC curve: the share of (event, no event) pairs ordered rightly, ties count half.

    Hanley and McNeil 1982, Radiology 143:29. With `fold`, pairs within one fold only, all pairs weighing the same.

    Parameters
    ----------
    event
        `(n,)` 0 or 1.
    risk
        `(n,)` any score, higher for more likely.
    fold
        `(n,)` the fold that held the patient out.

    Returns
    -------
    In [0, 1]; NaN when no pair can be compared.
    """
    happened = events(event)
    score = numbers(risk, what="risk", n=len(happened))
    weights = np.ones((1, len(happened)))
    return float(auc_rows(happened, score, folds(fold, n=len(happened)), weights)[0])


def auc_at_horizon(outcome: TimeToEvent, risk: ArrayLike, *, fold: ArrayLike | None = None) -> float:
    """Cumulative/dynamic AUC at the horizon with inverse probability of censoring weights.

    Event by the horizon against followed beyond it without: Uno et al. 2007, JASA 102:527; Hung and Chiang 2010.
    """
    score = numbers(risk, what="risk", n=len(outcome))
    weights = status_weights(outcome, once(len(outcome)))
    return float(auc_rows(known_event(outcome), score, folds(fold, n=len(outcome)), weights)[0])


def c_index(time_days: ArrayLike, event: ArrayLike, risk: ArrayLike, *, fold: ArrayLike | None = None) -> float:
    """Harrell's concordance: of the pairs whose order of events is known, the share with the higher risk first.

    Harrell et al. 1982, JAMA 247:2543. A pair counts when the shorter time is an event, or when an event and a
    censoring share a time (the censored one lived longer); tied risks count half. With `fold`, pairs within one
    fold only.
    """
    happened = events(event)
    n = len(happened)
    time = numbers(time_days, what="time", n=n)
    score = numbers(risk, what="risk", n=n)
    return float(concordance_rows(time, happened, score, folds(fold, n=n), once(n))[0])


def uno_c(
    time_days: ArrayLike,
    event: ArrayLike,
    risk: ArrayLike,
    *,
    horizon_days: float = np.inf,
    fold: ArrayLike | None = None,
) -> float:
    """Uno's concordance up to a horizon, free of the censoring pattern (Uno et al. 2011, Stat Med 30:1105).

    Pairs as in `c_index` with the event before the horizon, weighted by the inverse square of the probability of
    being followed beyond the event's time, estimated from all patients given.
    """
    happened = events(event)
    n = len(happened)
    time = numbers(time_days, what="time", n=n)
    score = numbers(risk, what="risk", n=n)
    return float(concordance_rows(time, happened, score, folds(fold, n=n), once(n), uno_horizon=horizon_days)[0])


def roc_points(event: Bools, risk: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Corners of the ROC curve from (0, 0) to (1, 1): false positive rate and sensitivity; NaN without a class."""
    order = np.argsort(-risk, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(risk[order]) != 0, True))
    hits = np.cumsum(np.where(event, weights, 0.0)[order])[ends]
    alarms = np.cumsum(np.where(event, 0.0, weights)[order])[ends]
    with np.errstate(invalid="ignore", divide="ignore"):
        sensitivity = np.concatenate([[0.0], hits]) / hits[-1]
        false_positive = np.concatenate([[0.0], alarms]) / alarms[-1]
    return false_positive, sensitivity


def mean_roc(event: Bools, risk: Floats, fold: Ints, *, points: int = 101) -> tuple[Floats, Floats]:
    """ROC curve over cross-validation: the folds' sensitivities at each false positive rate, weighted by their pairs.

    The area below it is the AUC of pairs within folds, up to the width of the grid.

    Parameters
    ----------
    event
        `(n,)`.
    risk, fold
        `(repeats, n)`.

    Returns
    -------
    False positive rates from 0 to 1 and mean sensitivity, each `(points,)`; NaN when no fold has both classes.
    """
    grid = np.linspace(0, 1, points)
    total = np.zeros(points)
    pairs = 0.0
    for repeat in range(len(risk)):
        for number in np.unique(fold[repeat]):
            held = fold[repeat] == number
            weight = float(event[held].sum() * (~event[held]).sum())
            if weight:
                false_positive, sensitivity = roc_points(event[held], risk[repeat][held], np.ones(held.sum()))
                total += weight * _sensitivity_at(grid, false_positive, sensitivity)
                pairs += weight
    return grid, total / pairs if pairs else np.full(points, np.nan)


def sensitivity_rows(event: Bools, risk: Floats, weights: Floats, *, points: int) -> Floats:
    """Sensitivity at even false positive rates from 0 to 1 under weights `(rows, n)`; `(rows, points)`."""
    grid = np.linspace(0, 1, points)
    return np.array([_sensitivity_at(grid, *roc_points(event, risk, row)) for row in weights])


def _sensitivity_at(grid: Floats, false_positive: Floats, sensitivity: Floats) -> Floats:
    # At a vertical step the curve takes its upper end: the best that this false positive rate allows.
    last = np.searchsorted(false_positive, grid, side="right") - 1
    following = np.minimum(last + 1, len(false_positive) - 1)
    width = false_positive[following] - false_positive[last]
    share = np.divide(grid - false_positive[last], width, out=np.zeros_like(grid), where=width > 0)
    return np.asarray(sensitivity[last] + share * (sensitivity[following] - sensitivity[last]))


def auc_rows(event: Bools, risk: Floats, fold: Ints, weights: Floats) -> Floats:
    """AUC within folds under weights `(rows, n)`, one value a row; NaN where no pair can be compared."""
    order = np.lexsort((risk, fold))
    result: Floats = _auc_rows(order, event[order], risk[order], fold[order], weights)
    return result


@numba.njit(cache=True, nogil=True)
def _auc_rows(order, event, risk, fold, weights):  # type: ignore[no-untyped-def]
    rows, n = weights.shape
    result = np.empty(rows)
    for row in range(rows):
        right = 0.0
        pairs = 0.0
        start = 0
        while start < n:
            below = 0.0
            cases = 0.0
            place = start
            while place < n and fold[place] == fold[start]:
                tie = place
                tied_cases = 0.0
                tied_others = 0.0
                while tie < n and fold[tie] == fold[start] and risk[tie] == risk[place]:
                    weight = weights[row, order[tie]]
                    if event[tie]:
                        tied_cases += weight
                    else:
                        tied_others += weight
                    tie += 1
                right += tied_cases * (below + 0.5 * tied_others)
                below += tied_others
                cases += tied_cases
                place = tie
            pairs += cases * below
            start = place
        result[row] = right / pairs if pairs > 0 else np.nan
    return result


def concordance_rows(
    time_days: Floats, event: Bools, risk: Floats, fold: Ints, counts: Counts, *, uno_horizon: float | None = None
) -> Floats:
    """Concordance within folds under counts `(rows, n)`, one value a row: Harrell's, or Uno's up to a horizon."""
    if uno_horizon is None:
        event_weights = np.ones((1, 1))
    else:
        order = np.argsort(time_days, kind="stable")
        event_weights = _uno_weights(order, time_days[order], event[order], uno_horizon, counts)
    order = np.lexsort((event, -time_days, fold))  # within a fold from late to early, the censored first
    rank = np.empty(len(risk), dtype=np.int64)
    for held in (fold == number for number in np.unique(fold)) if fold.any() else (slice(None),):
        rank[held] = np.unique(risk[held], return_inverse=True)[1].reshape(-1)
    result: Floats = _concordance_rows(
        order, time_days[order], event[order], rank[order], fold[order], counts, event_weights
    )
    return result


@numba.njit(cache=True, nogil=True)
def _concordance_rows(order, time, event, rank, fold, counts, event_weights):  # type: ignore[no-untyped-def]
    # A Fenwick tree over ranks of risk counts those who lived longer, so a fold of m patients costs m log m.
    rows, n = counts.shape
    result = np.empty(rows)
    tree = np.zeros(n + 2)
    weighted = event_weights.shape[1] == n
    for row in range(rows):
        right = 0.0
        pairs = 0.0
        start = 0
        while start < n:
            stop = start
            ranks = 0
            while stop < n and fold[stop] == fold[start]:
                ranks = max(ranks, rank[stop] + 1)
                stop += 1
            tree[: ranks + 1] = 0.0
            longer = 0.0
            place = start
            while place < stop:
                tie = place
                while tie < stop and time[tie] == time[place]:
                    copies = float(counts[row, order[tie]])
                    if event[tie] and copies > 0:
                        below = 0.0
                        index = rank[tie]
                        while index > 0:
                            below += tree[index]
                            index -= index & -index
                        up_to = 0.0
                        index = rank[tie] + 1
                        while index > 0:
                            up_to += tree[index]
                            index -= index & -index
                        weight = copies * event_weights[row, order[tie]] if weighted else copies
                        right += weight * 0.5 * (below + up_to)
                        pairs += weight * longer
                    elif copies > 0:
                        longer += copies
                        index = rank[tie] + 1
                        while index <= ranks:
                            tree[index] += copies
                            index += index & -index
                    tie += 1
                while place < tie:
                    if event[place] and counts[row, order[place]] > 0:
                        copies = float(counts[row, order[place]])
                        longer += copies
                        index = rank[place] + 1
                        while index <= ranks:
                            tree[index] += copies
                            index += index & -index
                    place += 1
            start = stop
        result[row] = right / pairs if pairs > 0 else np.nan
    return result


@numba.njit(cache=True, nogil=True)
def _uno_weights(order, time, event, horizon, counts):  # type: ignore[no-untyped-def]
    rows, n = counts.shape
    weights = np.zeros((rows, n))
    for row in range(rows):
        at_risk = 0.0
        for position in range(n):
            at_risk += counts[row, order[position]]
        followed = 1.0
        start = 0
        while start < n and time[start] < horizon and at_risk > 0:
            end = start
            died = 0.0
            lost = 0.0
            while end < n and time[end] == time[start]:
                copies = counts[row, order[end]]
                if event[end]:
                    died += copies
                else:
                    lost += copies
                end += 1
            if lost > 0:
                followed *= 1 - lost / (at_risk - died)
            at_risk -= died + lost
            for position in range(start, end):
                if event[position] and followed > 0:
                    weights[row, order[position]] = 1 / (followed * followed)
            start = end
    return weights
