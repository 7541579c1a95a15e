"""Average precision: how clean a list from the highest risk down is."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import ArrayLike

from prognoscope.validation.checks import Bools, Floats, Ints, events, numbers


def average_precision(event: ArrayLike, risk: ArrayLike, *, prevalence: float | None = None) -> float:
    """Mean precision over the events, each at its own risk; ties together (no interpolation).

    `Σ (R_k - R_{k-1}) P_k`, as in scikit-learn. Its value depends on the proportion of events: with `prevalence` the
    precision is that of a population with this proportion.

    Returns
    -------
    In [0, 1]; the prevalence for a model that guesses; NaN without both classes.
    """
    recall, precision = precision_recall(event, risk, prevalence=prevalence)
    return float((np.diff(recall, prepend=0.0) * precision).sum()) if len(recall) else float("nan")


def precision_recall(event: ArrayLike, risk: ArrayLike, *, prevalence: float | None = None) -> tuple[Floats, Floats]:
    """Recall and precision from the highest risk down, one point per distinct risk; empty without both classes."""
    happened = events(event)
    score = numbers(risk, what="risk", n=len(happened))
    if not happened.any() or happened.all():
        return np.empty(0), np.empty(0)
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    recall = np.cumsum(happened[order])[ends] / happened.sum()
    alarms = np.cumsum(~happened[order])[ends] / (~happened).sum()
    rate = float(happened.mean()) if prevalence is None else prevalence
    return recall, np.asarray(recall * rate / (recall * rate + alarms * (1 - rate)))


def average_precision_rows(
    event: Bools, risk: Floats, fold: Ints, weights: Floats, *, prevalence: float | None = None
) -> Floats:
    """Average precision of each fold under weights `(rows, n)`, the folds weighing as their events; one value a row.

    A fold with one class has none and is left out; NaN where no fold has both.
    """
    order = np.lexsort((-risk, fold))
    rate = np.nan if prevalence is None else prevalence
    result: Floats = _average_precision(order, event[order], risk[order], fold[order], weights, rate)
    return result


@numba.njit(cache=True, nogil=True)
def _average_precision(order, event, risk, fold, weights, rate):  # type: ignore[no-untyped-def]
    rows, n = weights.shape
    result = np.empty(rows)
    for row in range(rows):
        found = 0.0
        counted = 0.0
        start = 0
        while start < n:
            stop = start
            cases = 0.0
            others = 0.0
            while stop < n and fold[stop] == fold[start]:
                if event[stop]:
                    cases += weights[row, order[stop]]
                else:
                    others += weights[row, order[stop]]
                stop += 1
            if cases > 0 and others > 0:
                at = rate if not np.isnan(rate) else cases / (cases + others)
                hits = 0.0
                alarms = 0.0
                place = start
                while place < stop:
                    before = hits
                    tie = place
                    while tie < stop and risk[tie] == risk[place]:
                        if event[tie]:
                            hits += weights[row, order[tie]]
                        else:
                            alarms += weights[row, order[tie]]
                        tie += 1
                    if hits > before:
                        right = hits / cases * at
                        found += (hits - before) * right / (right + alarms / others * (1 - at))
                    place = tie
                counted += cases
            start = stop
        result[row] = found / counted if counted > 0 else np.nan
    return result
