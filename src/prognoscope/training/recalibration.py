"""Recalibration: a map from risks to better risks, fitted to inner out-of-fold risks of the training patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.outcome import Outcome, OutcomeKind, TimeToEvent
from prognoscope.core.problems import refuse
from prognoscope.training.linear import breslow_hazard

Method = Literal["none", "intercept", "slope", "platt", "isotonic"]
Risks = NDArray[np.float64]

# Risks are held so far from 0 and 1 that their logit and complementary log-log stay finite.
MARGIN = 1e-6
# A trace of ridge keeps the slope finite where the risks separate the classes.
RIDGE = 1e-4


@dataclass(frozen=True, slots=True)
class Line:
    """Risk `g⁻¹(intercept + slope g(risk))`, `g` the logit or the complementary log-log."""

    link: Literal["logit", "cloglog"]
    intercept: float
    slope: float

    def apply(self, risk: Risks) -> Risks:
        """Return the recalibrated risks."""
        if self.link == "logit":
            return np.asarray(0.5 * (1.0 + np.tanh(0.5 * (self.intercept + self.slope * _logit(risk)))))
        return np.asarray(-np.expm1(-np.exp(np.minimum(self.intercept + self.slope * _cloglog(risk), 700.0))))


@dataclass(frozen=True, slots=True)
class Steps:
    """Risk by linear interpolation between points of a rising curve, level beyond its ends."""

    x: tuple[float, ...]
    y: tuple[float, ...]

    def apply(self, risk: Risks) -> Risks:
        """Return the recalibrated risks."""
        return np.asarray(np.interp(risk, self.x, self.y))


Recalibration = Line | Steps


def require_served(method: Method, outcome_kind: OutcomeKind) -> None:
    """Refuse (`recalibration-outcome`, `recalibration-method`) a method that the outcome has not."""
    if method not in get_args(Method):
        raise refuse(
            "recalibration-method",
            subject=f"recalibration {method}",
            found="there is no such method",
            remedy=f"name one of {', '.join(get_args(Method))}",
        )
    if outcome_kind == "time-to-event" and method in ("platt", "isotonic"):
        raise refuse(
            "recalibration-outcome",
            subject=f"recalibration {method}",
            found="it does not know about censored times",
            remedy="use intercept or slope for a time to event",
        )


def fit_recalibration(method: Method, outcome: Outcome, risk: Risks) -> Recalibration | None:
    """Fit a map to risks that the patients got from models which had not seen them.

    Parameters
    ----------
    method
        `intercept` moves all risks on the logit scale so that their mean is the frequency; `slope` fits intercept and
        slope on that scale (Cox 1958; Steyerberg 2019, chapter 15); `platt` does so with targets drawn in from 0 and 1
        (Platt 1999); `isotonic` fits a rising step curve (Zadrozny and Elkan 2002). For a time to event, `intercept`
        and `slope` work on the complementary log-log scale by Breslow's hazard and a Cox model of one predictor.
    risk
        `(n,)`.

    Returns
    -------
    None for `none`.
    """
    if method == "none":
        return None
    # Imported when needed: a stored predictor answers without it, in a fraction of the time.
    from scipy.optimize import brentq
    from sklearn.isotonic import IsotonicRegression

    from prognoscope.training.elastic_net import elastic_net

    if isinstance(outcome, TimeToEvent):
        return _survival_line(method, outcome, risk)
    event = outcome.event.astype(float)
    if method == "isotonic":
        fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(risk, event)
        return Steps(tuple(fitted.X_thresholds_.tolist()), tuple(fitted.y_thresholds_.tolist()))
    if method == "intercept":
        shift = brentq(lambda a: float(np.mean(Line("logit", a, 1.0).apply(risk)) - event.mean()), -40.0, 40.0)
        return Line("logit", float(shift), 1.0)
    if method == "platt":
        positives = event.sum()
        negatives = len(event) - positives
        event = np.where(event > 0, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    intercepts, slopes = elastic_net(_logit(risk)[:, None], event, np.array([RIDGE]), l1_ratio=0.0)
    return Line("logit", float(intercepts[0]), float(slopes[0, 0]))


def _survival_line(method: Method, outcome: TimeToEvent, risk: Risks) -> Line:
    from prognoscope.training.elastic_net import elastic_net

    scale = _cloglog(risk)
    slope = 1.0
    if method == "slope":
        _, slopes = elastic_net(
            scale[:, None], outcome.event, np.array([RIDGE]), l1_ratio=0.0, time_days=outcome.time_days
        )
        slope = float(slopes[0, 0])
    hazard = max(breslow_hazard(slope * scale, outcome), MARGIN)
    return Line("cloglog", float(np.log(hazard)), slope)


def _logit(risk: Risks) -> Risks:
    held = np.clip(risk, MARGIN, 1 - MARGIN)
    return np.asarray(np.log(held) - np.log1p(-held))


def _cloglog(risk: Risks) -> Risks:
    held = np.clip(risk, MARGIN, 1 - MARGIN)
    return np.asarray(np.log(-np.log1p(-held)))
