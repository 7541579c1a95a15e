"""Average precision: how clean a list from the highest risk down is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from prognoscope.validation.checks import Floats, events, numbers


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
