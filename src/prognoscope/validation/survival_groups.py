"""Kaplan-Meier survival of patients grouped by predicted risk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.outcome import TimeToEvent
from prognoscope.validation.calibration import Z95
from prognoscope.validation.censoring import SurvivalCurve, kaplan_meier, number_at_risk
from prognoscope.validation.checks import Floats
from prognoscope.validation.results import Curve, RiskGroup

PATIENTS_FOR_THIRDS = 60
NAMES = {2: ("lower risk", "higher risk"), 3: ("low risk", "middle risk", "high risk")}


def risk_groups(outcome: TimeToEvent, risk: Floats) -> tuple[RiskGroup, ...]:
    """Survival by equal groups of risk: thirds from 60 patients on, else halves; none below 4 patients.

    Parameters
    ----------
    outcome
        Of `n` patients.
    risk
        `(n,)`, for cross-validation the mean over the repeats.
    """
    if len(outcome) < 4:
        return ()
    number = 3 if len(outcome) >= PATIENTS_FOR_THIRDS else 2
    members = np.array_split(np.argsort(risk, kind="stable"), number)
    ticks = _ticks(float(outcome.time_days.max()))
    return tuple(
        _group(name, outcome.take(np.sort(rows)), ticks) for name, rows in zip(NAMES[number], members, strict=True)
    )


def log_log_band(curve: SurvivalCurve) -> tuple[Floats, Floats]:
    """95 % band of a Kaplan-Meier curve on the log(-log) scale (Kalbfleisch and Prentice 1980); 1 at time 0."""
    survival = curve.survival
    low, high = np.ones_like(survival), np.ones_like(survival)
    inner = (survival > 0) & (survival < 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = Z95 * curve.standard_error / (survival * np.abs(np.log(survival)))
        low = np.where(inner, survival ** np.exp(spread), survival)
        high = np.where(inner, survival ** np.exp(-spread), survival)
    return low, high


def _group(name: str, outcome: TimeToEvent, ticks: NDArray[np.float64]) -> RiskGroup:
    curve = kaplan_meier(outcome.time_days, outcome.event)
    low, high = log_log_band(curve)
    # The last point carries the curve to the end of follow-up.
    x = (*curve.time_days.tolist(), curve.last_days)
    y, bottom, top = ((*values.tolist(), float(values[-1])) for values in (curve.survival, low, high))
    at_risk = tuple((float(tick), number_at_risk(outcome.time_days, tick)) for tick in ticks)
    return RiskGroup(name, Curve(x, y, bottom, top), len(outcome), outcome.events, at_risk)


def _ticks(longest_days: float) -> NDArray[np.float64]:
    """Up to seven round times from 0 within the follow-up."""
    rough = longest_days / 6
    magnitude = 10.0 ** np.floor(np.log10(rough))
    step = next(factor * magnitude for factor in (1.0, 2.0, 5.0, 10.0) if factor * magnitude >= rough)
    return np.arange(0.0, longest_days + step * 1e-9, step)
