"""Whether risks can be taken at face value, in words: intercept, slope, and where the curve leaves the diagonal.

A slope below 1 says that risks differ between patients more than what happens does, not which of them are too high:
when all are too high on average, low ones may be too high as well. Which ones is read off the curve and its band.
"""

from __future__ import annotations

import itertools
import math

from prognoscope.report.rounding import count, joined, with_interval
from prognoscope.validation.results import Curve, Evaluation, Metric

FLEXIBLE = 200
"""Patients with, and patients without the event, that a flexible curve asks for (Van Calster et al. 2016)."""


def calibration_in_words(evaluation: Evaluation) -> str:
    """Return whether the main model's risks can be taken at face value; empty without intercept and slope."""
    main = evaluation.models[0]
    intercept, slope = main.metrics.get("calibration_intercept"), main.metrics.get("calibration_slope")
    if intercept is None or slope is None or math.isnan(intercept.estimate) or math.isnan(slope.estimate):
        return ""
    faults = [*_level_fault(intercept), *_spread_fault(slope)]
    figures = f"calibration intercept {with_interval(intercept)}, slope {with_interval(slope)}"
    departs = curve_in_words(main.calibration.curve)
    if faults:
        return _told(f"The risks cannot be taken at face value, they are {' and '.join(faults)}: {figures}.", departs)
    if any(math.isnan(end) for metric in (intercept, slope) for end in (metric.low, metric.high)):
        return f"Whether the risks are right on average could not be judged without intervals: {figures}."
    seen = count(evaluation.events, "event")
    if slope.low <= 0:
        return _told(f"Whether the risks are right cannot be told from {seen}: {figures}.", departs)
    if departs:
        return _told(f"On average the risks and their spread may be right: {figures}.", departs)
    return f"No miscalibration was shown, though with {seen} a moderate one can go unseen: {figures}."


def curve_in_words(curve: Curve) -> str:
    """Return between which risks the band of the calibration curve leaves the diagonal out; empty where it does not."""
    if not curve.low:
        return ""
    sides = [_side(*point) for point in zip(curve.x, curve.low, curve.high, strict=True)]
    if sides[0] and all(side == sides[0] for side in sides):
        return f"By the curve, risks are {sides[0]} throughout, the lowest and the highest alike."
    runs = [(side, [x for _, x in run]) for side, run in itertools.groupby(zip(sides, curve.x, strict=True), _first)]
    found = [f"{side} {_between(points[0], points[-1])}" for side, points in runs if side]
    return f"By the curve, risks are {joined(found)}." if found else ""


def flexible_note(evaluation: Evaluation) -> str:
    """Return that there are too few patients for a curve that may bend as it will; empty where there are enough."""
    without = evaluation.n - evaluation.events - (evaluation.censored_before_horizon or 0)
    fewer = min(evaluation.events, without)
    if fewer >= FLEXIBLE:
        return ""
    which = "with" if evaluation.events <= without else "without"
    return (
        f"A curve that may bend as it will asks for at least {FLEXIBLE} patients with and {FLEXIBLE} without the event "
        f"(Van Calster 2016); here there are {fewer} {which} it, so its bends are to be read with care."
    )


def _told(first: str, then: str) -> str:
    return f"{first} {then}" if then else first


def _first(pair: tuple[str, float]) -> str:
    return pair[0]


def _side(risk: float, low: float, high: float) -> str:
    if high < risk:
        return "too high"
    return "too low" if low > risk else ""


def _between(first: float, last: float) -> str:
    ends = [f"{100 * value:.0f} %" if value >= 0.01 else f"{100 * value:.1g} %" for value in (first, last)]
    return f"around {ends[0]}" if ends[0] == ends[1] else f"between {ends[0]} and {ends[1]}"


def _level_fault(intercept: Metric) -> list[str]:
    if intercept.low > 0:
        return ["too low on average"]
    return ["too high on average"] if intercept.high < 0 else []


def _spread_fault(slope: Metric) -> list[str]:
    if slope.high < 0:
        return ["turned round (the event is more frequent where they are lower)"]
    if slope.high < 1:
        return ["too far apart (they differ between patients more than what happens does)"]
    return ["too near to one another"] if slope.low > 1 else []
