"""Net benefit: what acting on a risk above a threshold gains, in true positives per patient.

Vickers and Elkin 2006, Med Decis Making 26:565; censored outcomes by Kaplan-Meier among those above the threshold:
Vickers et al. 2008, BMC Med Inform Decis Mak 8:53. A patient is treated when the risk is at or above the threshold.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import ArrayLike

from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.core.problems import refuse
from prognoscope.validation.checks import Bools, Floats, events, risks
from prognoscope.validation.resampling import Counts, once

THRESHOLDS: tuple[float, ...] = tuple(float(value) for value in np.round(np.arange(0.01, 1.0, 0.01), 2))


def net_benefit(
    event: ArrayLike, risk: ArrayLike, *, thresholds: ArrayLike = THRESHOLDS, prevalence: float | None = None
) -> Floats:
    """Net benefit at each threshold probability.

    `NB(t) = TP/n - FP/n · t/(1-t)` with the patients whose risk is at least t treated; for a case-control study
    `sensitivity · π - (1 - specificity) · (1-π) · t/(1-t)` with the prevalence π of the population.

    Parameters
    ----------
    event
        `(n,)` 0 or 1.
    risk
        `(n,)` in [0, 1].
    thresholds
        `(k,)` in (0, 1); the odds of a threshold are what one treated in vain costs in treated with the event.
    prevalence
        Of the event in the population, for a case-control study, whose own proportion of events says nothing.
    """
    happened = events(event)
    if prevalence is not None:
        return _at_prevalence(happened, risks(risk, n=len(happened)), _checked(thresholds), prevalence)
    return _once(Binary(happened), risks(risk, n=len(happened)), thresholds)


def net_benefit_at_horizon(outcome: TimeToEvent, risk: ArrayLike, *, thresholds: ArrayLike = THRESHOLDS) -> Floats:
    """Net benefit at the horizon; NaN where those above a threshold were not followed to it."""
    return _once(outcome, risks(risk, n=len(outcome)), thresholds)


def treat_all(outcome: Outcome, *, thresholds: ArrayLike = THRESHOLDS) -> Floats:
    """Net benefit of treating everyone, at each threshold (treating no one is 0)."""
    return _once(outcome, np.ones(len(outcome)), thresholds)


def net_benefit_rows(outcome: Outcome, risk: Floats, thresholds: Floats, counts: Counts) -> Floats:
    """Net benefit under counts `(rows, n)` at thresholds `(k,)`; `(rows, k)`."""
    odds = thresholds / (1 - thresholds)
    result: Floats
    if isinstance(outcome, Binary):
        order = np.argsort(-risk, kind="stable")
        above = np.searchsorted(-risk[order], -thresholds, side="right")
        result = _binary_rows(order, outcome.event[order], above, odds, counts)
    else:
        order = np.argsort(outcome.time_days, kind="stable")
        result = _survival_rows(
            order,
            outcome.time_days[order],
            outcome.event[order],
            outcome.horizon_days,
            risk[order],
            thresholds,
            odds,
            counts,
        )
    return result


def _at_prevalence(event: Bools, risk: Floats, thresholds: Floats, prevalence: float) -> Floats:
    if not event.any() or event.all():
        return np.full(len(thresholds), np.nan)
    treated = risk[:, None] >= thresholds
    sensitivity, false_positive = treated[event].mean(axis=0), treated[~event].mean(axis=0)
    return np.asarray(sensitivity * prevalence - false_positive * (1 - prevalence) * thresholds / (1 - thresholds))


def _once(outcome: Outcome, risk: Floats, thresholds: ArrayLike) -> Floats:
    return np.asarray(net_benefit_rows(outcome, risk, _checked(thresholds), once(len(outcome)))[0])


def _checked(thresholds: ArrayLike) -> Floats:
    values = np.atleast_1d(np.asarray(thresholds, dtype=float))
    if not ((values > 0) & (values < 1)).all():
        raise refuse(
            "threshold-range",
            subject="decision curve",
            found=f"thresholds run from {values.min():g} to {values.max():g}",
            remedy="give threshold probabilities above 0 and below 1",
        )
    return values


@numba.njit(cache=True, nogil=True)
def _binary_rows(order, event, above, odds, counts):  # type: ignore[no-untyped-def]
    rows, n = counts.shape
    result = np.empty((rows, len(above)))
    hits = np.zeros(n + 1)
    alarms = np.zeros(n + 1)
    for row in range(rows):
        for place in range(n):
            copies = float(counts[row, order[place]])
            hits[place + 1] = hits[place] + (copies if event[place] else 0.0)
            alarms[place + 1] = alarms[place] + (0.0 if event[place] else copies)
        total = hits[n] + alarms[n]
        for k in range(len(above)):
            result[row, k] = (hits[above[k]] - alarms[above[k]] * odds[k]) / total
    return result


@numba.njit(cache=True, nogil=True)
def _survival_rows(order, time, event, horizon, risk, thresholds, odds, counts):  # type: ignore[no-untyped-def]
    rows, n = counts.shape
    result = np.empty((rows, len(thresholds)))
    for row in range(rows):
        total = 0.0
        for place in range(n):
            total += counts[row, order[place]]
        for k in range(len(thresholds)):
            treated = 0.0
            for place in range(n):
                if risk[place] >= thresholds[k]:
                    treated += counts[row, order[place]]
            at_risk = treated
            alive = 1.0
            start = 0
            while start < n and time[start] <= horizon and at_risk > 0:
                end = start
                died = 0.0
                lost = 0.0
                while end < n and time[end] == time[start]:
                    if risk[end] >= thresholds[k]:
                        if event[end]:
                            died += counts[row, order[end]]
                        else:
                            lost += counts[row, order[end]]
                    end += 1
                alive *= 1 - died / at_risk
                at_risk -= died + lost
                if at_risk == 0 and alive > 0 and time[start] < horizon:
                    alive = np.nan
                start = end
            share = treated / total
            result[row, k] = 0.0 if treated == 0 else ((1 - alive) - alive * odds[k]) * share
    return result
