"""Figures of survival functions over a range of times: integrated Brier score, AUC by time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from prognoscope.core.outcome import TimeToEvent
from prognoscope.core.problems import refuse
from prognoscope.validation.checks import Floats
from prognoscope.validation.discrimination import auc_at_horizon
from prognoscope.validation.overall import brier_at_horizon


def brier_over_time(outcome: TimeToEvent, risk: ArrayLike, times_days: ArrayLike) -> Floats:
    """Brier score at each time with inverse probability of censoring weights (Graf et al. 1999).

    Parameters
    ----------
    outcome
        Of `n` patients; its horizon is not used.
    risk
        `(n, k)`: probability of the event by each time.
    times_days
        `(k,)` increasing.
    """
    times, table = checked_over_time(outcome, risk, times_days)
    return np.array([brier_at_horizon(until(outcome, at), table[:, index]) for index, at in enumerate(times)])


def integrated_brier(outcome: TimeToEvent, risk: ArrayLike, times_days: ArrayLike) -> float:
    """Mean of the Brier score over the times by the trapezoidal rule, divided by their range."""
    times, table = checked_over_time(outcome, risk, times_days)
    if len(times) < 2:
        raise refuse(
            "times-range",
            subject="integrated Brier score",
            found=f"there are {len(times)} times",
            remedy="give at least two",
        )
    score = brier_over_time(outcome, table, times)
    return float(np.trapezoid(score, times) / (times[-1] - times[0]))


def auc_over_time(outcome: TimeToEvent, risk: ArrayLike, times_days: ArrayLike) -> Floats:
    """Cumulative/dynamic AUC at each time; `risk` is `(n, k)`, or `(n,)` for one ranking at all times."""
    single = np.asarray(risk, dtype=float)
    spread = (
        np.repeat(single[:, None], len(np.atleast_1d(np.asarray(times_days))), axis=1) if single.ndim == 1 else risk
    )
    times, table = checked_over_time(outcome, spread, times_days)
    return np.array([auc_at_horizon(until(outcome, at), table[:, index]) for index, at in enumerate(times)])


def until(outcome: TimeToEvent, horizon_days: float) -> TimeToEvent:
    """The same outcome with another horizon."""
    return TimeToEvent(outcome.time_days, outcome.event, float(horizon_days))


def checked_over_time(outcome: TimeToEvent, risk: ArrayLike, times_days: ArrayLike) -> tuple[Floats, Floats]:
    """Times `(k,)` and risks `(n, k)`, or `values-shape` and `times-range`."""
    times = np.atleast_1d(np.asarray(times_days, dtype=float))
    table = np.asarray(risk, dtype=float)
    if table.shape != (len(outcome), len(times)):
        raise refuse(
            "values-shape",
            subject="risks over time",
            found=f"shape is {table.shape} for {len(outcome)} patients and {len(times)} times",
            remedy="give one row per patient and one column per time",
        )
    if not ((np.diff(times) > 0).all() and (times > 0).all()):
        raise refuse(
            "times-range", subject="times", found="they are not positive and increasing", remedy="sort them from 0 on"
        )
    return times, table
