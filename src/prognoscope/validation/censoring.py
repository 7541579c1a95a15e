"""Censored follow-up: Kaplan-Meier, and weights for patients whose status at the horizon is known.

The weight of a patient with an event at time T by the horizon h is 1 / G(T-), of one followed to h without the event
1 / G(h-), of one lost before h 0, with G the Kaplan-Meier estimate of still being followed (Graf et al. 1999, Stat
Med 18:2529). Where an event and a censoring share a time, the event comes first. With these conventions the weights
sum to n, and the weighted proportion of events is one minus the Kaplan-Meier survival at h.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.validation.checks import Bools, Floats, events, numbers
from prognoscope.validation.resampling import Counts


def known_event(outcome: Outcome) -> Bools:
    """Whether each patient had the event (by the horizon, for a time to event); `(n,)`."""
    if isinstance(outcome, Binary):
        return outcome.event
    return np.asarray(outcome.event & (outcome.time_days <= outcome.horizon_days))


def status_weights(outcome: Outcome, counts: Counts) -> Floats:
    """Weight of each patient in each resample when only known statuses are used; `(rows, n)`.

    For a binary outcome these are the counts themselves. For a time to event they are multiplied by the inverse
    probability of being followed, estimated anew in each resample; a row is NaN when nobody in it was followed to
    the horizon and the last of them was lost.
    """
    if isinstance(outcome, Binary):
        return counts.astype(float)
    order = np.argsort(outcome.time_days, kind="stable")
    weights: Floats = _status_weights(
        order, outcome.time_days[order], outcome.event[order], outcome.horizon_days, np.ascontiguousarray(counts)
    )
    return weights


@numba.njit(cache=True, nogil=True)
def _status_weights(order, time, event, horizon, counts):  # type: ignore[no-untyped-def]
    rows, n = counts.shape
    weights = np.zeros((rows, n))
    for row in range(rows):
        at_risk = 0.0
        for position in range(n):
            at_risk += counts[row, order[position]]
        followed = 1.0
        lost_last = False
        start = 0
        while start < n and time[start] < horizon and at_risk > 0:
            end = start
            died = 0.0
            lost = 0.0
            while end < n and time[end] == time[start]:
                copies = counts[row, order[end]]
                if event[end]:
                    died += copies
                    weights[row, order[end]] = copies / followed
                else:
                    lost += copies
                end += 1
            if lost > 0:
                followed *= 1 - lost / (at_risk - died)
            if died + lost > 0:
                lost_last = lost > 0
            at_risk -= died + lost
            start = end
        if at_risk > 0:
            for position in range(start, n):
                weights[row, order[position]] = counts[row, order[position]] / followed
        elif lost_last:
            weights[row, :] = np.nan
    return weights


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalCurve:
    """Kaplan-Meier survival just after each distinct event time, with Greenwood's standard error.

    Attributes
    ----------
    time_days, survival, standard_error
        `(k,)`; a first point at time 0 has survival 1.
    last_days
        End of the longest follow-up; the curve says nothing after it.
    """

    time_days: Floats
    survival: Floats
    standard_error: Floats
    last_days: float

    def at(self, time_days: float) -> tuple[float, float]:
        """Survival and its standard error at a time; NaN after the last follow-up unless all have died."""
        if time_days > self.last_days and self.survival[-1] > 0:
            return np.nan, np.nan
        place = int(np.searchsorted(self.time_days, time_days, side="right")) - 1
        return float(self.survival[place]), float(self.standard_error[place])


def kaplan_meier(time_days: ArrayLike, event: ArrayLike) -> SurvivalCurve:
    """Kaplan-Meier estimate (Kaplan and Meier 1958, JASA 53:457) with Greenwood's variance (1926).

    Parameters
    ----------
    time_days
        `(n,)` times to event or end of follow-up.
    event
        `(n,)` 0 or 1.
    """
    happened = events(event)
    time = numbers(time_days, what="time", n=len(happened))
    distinct, died = np.unique(time[happened], return_counts=True)
    ordered = np.sort(time)
    at_risk = len(time) - np.searchsorted(ordered, distinct, side="left")
    survival = np.cumprod(1 - died / at_risk)
    left = np.where(at_risk > died, at_risk - died, np.nan)
    with np.errstate(invalid="ignore"):
        spread = survival * np.sqrt(np.cumsum(died / (at_risk * left)))
    spread = np.where(survival == 0, 0.0, spread)
    return SurvivalCurve(
        np.concatenate([[0.0], distinct]),
        np.concatenate([[1.0], survival]),
        np.concatenate([[0.0], spread]),
        float(ordered[-1]) if len(ordered) else 0.0,
    )


def number_at_risk(time_days: NDArray[np.float64], at_days: float) -> int:
    """How many patients are still followed just before a time."""
    return int((np.asarray(time_days) >= at_days).sum())


def survives(outcome: TimeToEvent) -> float:
    """Kaplan-Meier survival at the outcome's horizon."""
    return kaplan_meier(outcome.time_days, outcome.event).at(outcome.horizon_days)[0]
