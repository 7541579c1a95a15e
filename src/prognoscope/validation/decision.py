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
from prognoscope.validation.checks import Floats, events, risks
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
        Of the event in the population, for a case-control study, whose own proportion of events says nothing: NaN
        without both classes.
    """
    happened = events(event)
    return _once(Binary(happened), risks(risk, n=len(happened)), thresholds, prevalence)


def net_benefit_at_horizon(
    outcome: TimeToEvent, risk: ArrayLike, *, thresholds: ArrayLike = THRESHOLDS, prevalence: float | None = None
) -> Floats:
    """Net benefit at the horizon; NaN where those above a threshold were not followed to it."""
    return _once(outcome, risks(risk, n=len(outcome)), thresholds, prevalence)


def treat_all(outcome: Outcome, *, thresholds: ArrayLike = THRESHOLDS, prevalence: float | None = None) -> Floats:
    """Net benefit of treating everyone, at each threshold (treating no one is 0)."""
    at = _checked(thresholds, prevalence)
    return np.asarray(treat_all_rows(outcome, at, once(len(outcome)), prevalence=prevalence)[0])


def net_benefit_rows(
    outcome: Outcome, risk: Floats, thresholds: Floats, counts: Counts, *, prevalence: float | None = None
) -> Floats:
    """Net benefit under counts `(rows, n)` at thresholds `(k,)`; `(rows, k)`."""
    treated = treated_rows(outcome, risk, thresholds, counts)
    everyone = treated if prevalence is None else treated_rows(outcome, np.ones(len(outcome)), thresholds[:1], counts)
    return _gain(treated, everyone, thresholds, prevalence)


def treat_all_rows(outcome: Outcome, thresholds: Floats, counts: Counts, *, prevalence: float | None = None) -> Floats:
    """Net benefit of treating everyone under counts `(rows, n)`; `(rows, k)`."""
    everyone = treated_rows(outcome, np.ones(len(outcome)), thresholds[:1], counts)
    return _gain(everyone, everyone, thresholds, prevalence)


def _gain(
    treated: tuple[Floats, Floats], everyone: tuple[Floats, Floats], thresholds: Floats, prevalence: float | None
) -> Floats:
    right, vain = treated
    if prevalence is not None:
        shares = zip(treated, everyone, (prevalence, 1 - prevalence), strict=True)
        right, vain = (
            np.divide(part * share, whole, out=np.full(part.shape, np.nan), where=whole > 0)
            for part, whole, share in shares
        )
    return np.asarray(right - vain * (thresholds / (1 - thresholds)))


def treated_rows(outcome: Outcome, risk: Floats, thresholds: Floats, counts: Counts) -> tuple[Floats, Floats]:
    """Shares of all patients treated who do and do not have the event, under counts `(rows, n)`; each `(rows, k)`."""
    if isinstance(outcome, Binary):
        order = np.argsort(-risk, kind="stable")
        above = np.searchsorted(-risk[order], -thresholds, side="right")
        right, vain = _binary_rows(order, outcome.event[order], above, counts)
    else:
        order = np.argsort(outcome.time_days, kind="stable")
        times = outcome.time_days[order], outcome.event[order], outcome.horizon_days
        right, vain = _survival_rows(order, *times, risk[order], thresholds, counts)
    return right, vain


def _once(outcome: Outcome, risk: Floats, thresholds: ArrayLike, prevalence: float | None) -> Floats:
    at = _checked(thresholds, prevalence)
    return np.asarray(net_benefit_rows(outcome, risk, at, once(len(outcome)), prevalence=prevalence)[0])


def checked_prevalence(prevalence: float | None) -> None:
    """Refuse a proportion that is none; None is the study's own."""
    if prevalence is not None and not 0 < prevalence < 1:
        raise refuse(
            "prevalence-range",
            subject="prevalence",
            found=f"it is {prevalence:g}",
            remedy="give the proportion with the event in the clinic, between 0 and 1",
        )


def _checked(thresholds: ArrayLike, prevalence: float | None) -> Floats:
    checked_prevalence(prevalence)
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
def _binary_rows(order, event, above, counts):  # type: ignore[no-untyped-def]
    rows, n = counts.shape
    right = np.empty((rows, len(above)))
    vain = np.empty((rows, len(above)))
    hits = np.zeros(n + 1)
    alarms = np.zeros(n + 1)
    for row in range(rows):
        for place in range(n):
            copies = float(counts[row, order[place]])
            hits[place + 1] = hits[place] + (copies if event[place] else 0.0)
            alarms[place + 1] = alarms[place] + (0.0 if event[place] else copies)
        total = hits[n] + alarms[n]
        for k in range(len(above)):
            right[row, k] = hits[above[k]] / total
            vain[row, k] = alarms[above[k]] / total
    return right, vain


@numba.njit(cache=True, nogil=True)
def _survival_rows(order, time, event, horizon, risk, thresholds, counts):  # type: ignore[no-untyped-def]
    rows, n = counts.shape
    right = np.zeros((rows, len(thresholds)))
    vain = np.zeros((rows, len(thresholds)))
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
            if treated > 0:
                right[row, k] = (1 - alive) * treated / total
                vain[row, k] = alive * treated / total
    return right, vain
