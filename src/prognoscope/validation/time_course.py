"""How a model of a time to event does by each time, with bands: AUC, Brier score, and the Brier score integrated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from prognoscope.core.outcome import TimeToEvent
from prognoscope.validation.censoring import known_event, status_weights
from prognoscope.validation.checks import Bools, Floats, risks
from prognoscope.validation.discrimination import auc_rows
from prognoscope.validation.influence import half_width, of_auc, of_brier
from prognoscope.validation.metrics import too_few
from prognoscope.validation.over_time import checked_over_time, until
from prognoscope.validation.overall import brier_rows, event_rate_rows
from prognoscope.validation.resampling import once
from prognoscope.validation.results import Curve, Metric, TimeCourse

EIGHTHS = 8


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A figure at each time `(k,)` and its influences `(k, n)`; NaN where too few had, or escaped, the event."""

    value: Floats
    influence: Floats


def times_until(horizon_days: float) -> Floats:
    """Eight even times up to a horizon, for a ranking that is of all of them."""
    return horizon_days * np.arange(1, EIGHTHS + 1) / EIGHTHS


def time_course(outcome: TimeToEvent, risk: ArrayLike, times_days: ArrayLike) -> TimeCourse:
    """AUC by each time, and the Brier score where risks are given for each, with censoring weights and 95 % bands.

    Cumulative/dynamic AUC (Uno et al. 2007, JASA 102:527); Brier score (Graf et al. 1999, Stat Med 18:2529), its mean
    over the times by the trapezoidal rule, and one minus its ratio to that of the Kaplan-Meier risk for everyone
    (Kattan and Gerds 2018, Diagn Progn Res 2:7). Bands are from influence functions; weights taken as known make
    them a little too wide (Blanche, Dartigues and Jacqmin-Gadda 2013, Stat Med 32:5381).

    Parameters
    ----------
    outcome
        Of `n` patients; its horizon is not used.
    risk
        `(n, k)`: probability of the event by each time; `(n,)`: one ranking for all times, which has no Brier score.
    times_days
        `(k,)` increasing.
    """
    single = np.ndim(risk) == 1
    times = np.atleast_1d(np.asarray(times_days, dtype=float))
    table = np.repeat(np.asarray(risk, dtype=float)[:, None], len(times), axis=1) if single else np.asarray(risk)
    times, table = checked_over_time(outcome, table, times)
    areas, scores, nulls = _parts(outcome, table, times)
    auc = _banded(times, areas, most=1.0)
    if single:
        return TimeCourse(auc)
    return TimeCourse(auc, _banded(times, scores), _plain(nulls.value), *_integrated(outcome, times, scores, nulls))


def _parts(outcome: TimeToEvent, table: Floats, times: Floats) -> tuple[_Part, _Part, _Part]:
    found: list[list[tuple[float, Floats]]] = [[], [], []]
    for index, at in enumerate(times):
        part = until(outcome, at)
        event, weights = known_event(part), status_weights(part, once(len(part)))[0]
        risk = risks(table[:, index], n=len(part))
        if too_few(part) or not event.any() or event[weights > 0].all():
            missing = (math.nan, np.full(len(part), np.nan))
            three: tuple[tuple[float, Floats], ...] = (missing, missing, missing)
        else:
            three = _at(event, risk, weights)
        for one, value in zip(found, three, strict=True):
            one.append(value)
    parts = (_Part(np.array([value for value, _ in one]), np.array([moves for _, moves in one])) for one in found)
    areas, scores, nulls = parts
    return areas, scores, nulls


def _at(event: Bools, risk: Floats, weights: Floats) -> tuple[tuple[float, Floats], ...]:
    rate = float(event_rate_rows(event, weights[None])[0])
    null = (rate * (1 - rate), (1 - 2 * rate) * (weights * event - rate))
    score = float(brier_rows(event, risk, weights[None])[0])
    area = float(auc_rows(event, risk, np.zeros(len(risk), dtype=np.int64), weights[None])[0])
    return (area, of_auc(event, risk, weights)), (score, of_brier(event, risk, weights)), null


def _banded(times: Floats, part: _Part, *, most: float = math.inf) -> Curve:
    reach = np.array([half_width(row) for row in part.influence])
    ends = np.clip(part.value - reach, 0.0, None), np.clip(part.value + reach, None, most)
    return Curve(_plain(times), _plain(part.value), *(_plain(end) for end in ends))


def _integrated(outcome: TimeToEvent, times: Floats, scores: _Part, nulls: _Part) -> tuple[Metric, Metric]:
    n, happened = len(outcome), int(known_event(until(outcome, times[-1])).sum())
    gone = int(np.isnan(scores.value).sum())
    if gone or len(times) < 2:
        reason = "one time has no range" if len(times) < 2 else f"undefined at {gone} of {len(times)} times"
        missing = Metric(math.nan, math.nan, math.nan, n, happened, reason)
        return missing, missing
    score, null = (_over_range(part, times) for part in (scores, nulls))
    ratio = score.value / null.value
    scaled = _Part(1 - ratio, (ratio * null.influence - score.influence) / null.value)
    return _metric(score, n, happened), _metric(scaled, n, happened)


def _over_range(part: _Part, times: Floats) -> _Part:
    """The mean over the times, `(1,)`, with its influences `(1, n)`."""
    width = times[-1] - times[0]
    value, moves = (np.trapezoid(values, times, axis=0) / width for values in (part.value, part.influence))
    return _Part(np.atleast_1d(value), np.atleast_2d(moves))


def _metric(part: _Part, n: int, happened: int) -> Metric:
    value, reach = float(part.value[0]), half_width(part.influence[0])
    return Metric(value, value - reach, value + reach, n, happened)


def _plain(values: Sequence[float] | Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
