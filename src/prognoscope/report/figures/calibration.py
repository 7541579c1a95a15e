"""Whether predicted risks agree with what happened: the calibration plot of one model."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from prognoscope.report.figures.drawing import (
    INK,
    SOFT,
    Drawing,
    band,
    chance_diagonal,
    colour,
    draw,
    line,
    shortened,
    unit_square,
)
from prognoscope.report.rounding import count, of_hundred, sentence, with_interval
from prognoscope.validation.results import CalibrationGroup, Evaluation, ModelEvaluation, RiskHistogram

LOESS_DASH = (0.0, (1.0, 1.6))


def calibration(model: ModelEvaluation, place: int, *, reach: float) -> Drawing | None:
    """Draw observed against predicted risk: smooth curve with band, groups of similar risk with intervals.

    Both axes end at `reach`, the same for all models; below the curve stand the risks by what happened.
    """
    curve, groups, loess = model.calibration.curve, model.calibration.groups, model.calibration.loess
    if not curve.x and not groups:
        return None

    histogram = model.calibration.histogram

    def paint(canvas: Canvas) -> None:
        axes, below = _axes_of(canvas, histogram)
        chance_diagonal(axes)
        if curve.x:
            line(axes, curve, place)
            band(axes, curve, place)
        if loess.x:
            axes.plot(loess.x, loess.y, color=INK, linewidth=1, linestyle=LOESS_DASH)
        for group in groups:
            if math.isfinite(group.low):
                axes.plot([group.predicted] * 2, [group.low, group.high], color=INK, linewidth=1)
            axes.plot([group.predicted], [group.observed], "o", markersize=5.5, color="white", markeredgecolor=INK)
        unit_square(axes, reach)
        axes.set_title(shortened(model.title, 30), color=colour(place))
        axes.set_ylabel("Observed share with the event")
        if below is not None and histogram is not None:
            _bars(below, histogram, place, reach)
        (below or axes).set_xlabel("Predicted risk")

    told = "; ".join(_group_in_words(group) for group in groups)
    told = f"{told}." if told else "A smooth curve without groups."
    return draw(
        paint,
        key=f"fig-calibration-{place}",
        title=f"Calibration: {model.title}",
        description=f"{told} {_bars_in_words(histogram)}" if histogram else told,
        caption=_caption(model),
        size=(3.15, 3.9 if histogram else 3.3),
    )


REACHES = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Where the axes may end: rare events are not drawn into a corner."""


def reach_of(evaluation: Evaluation) -> float:
    """Return where the axes of all calibration plots of an evaluation end."""
    shown: list[float] = []
    for model in evaluation.models:
        curve, groups = model.calibration.curve, model.calibration.groups
        shown += [*curve.x, *curve.y, *(end for group in groups for end in (group.predicted, group.observed))]
    most = max([value for value in shown if math.isfinite(value)], default=1.0)
    return next((reach for reach in REACHES if reach >= most), 1.0)


def _axes_of(canvas: Canvas, histogram: RiskHistogram | None) -> tuple[Axes, Axes | None]:
    if histogram is None:
        return canvas.add_subplot(), None
    axes, below = canvas.subplots(2, 1, sharex=True, height_ratios=(4.6, 1))
    return axes, below


BARS = 25
"""Bars of a histogram of risks, at most."""


def _bars(axes: Axes, histogram: RiskHistogram, place: int, reach: float) -> None:
    """Draw the risks of those with the event upward and of those without downward, each as shares of theirs."""
    bins = len(histogram.with_event)
    together = max(1, round(reach * bins / BARS))
    edges = [first / bins for first in range(0, bins, together)]
    most = 0.0
    for counts, sign, shade in ((histogram.with_event, 1, colour(place)), (histogram.without_event, -1, SOFT)):
        parts = [sum(counts[first : first + together]) for first in range(0, bins, together)]
        shares = [number / max(sum(counts), 1) for number in parts]
        most = max([most, *shares])
        axes.bar(
            edges,
            [sign * share for share in shares],
            width=0.92 * together / bins,
            align="edge",
            color=shade,
            linewidth=0,
        )
    axes.axhline(0, color=INK, linewidth=0.6)
    most = most or 1.0
    axes.set_ylim(-1.1 * most, 1.1 * most)
    axes.set_yticks([0.5 * most, -0.5 * most], ["with", "without"], fontsize=8)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def _bars_in_words(histogram: RiskHistogram) -> str:
    high = [
        of_hundred(sum(counts[len(counts) // 2 :]) / max(sum(counts), 1))
        for counts in (histogram.with_event, histogram.without_event)
    ]
    return f"Of those with the event {high[0]} %, of those without {high[1]} % have a risk of 50 % or more."


def _caption(model: ModelEvaluation) -> str:
    parts = [
        f"{words} {with_interval(model.metrics[name])}"
        for name, words in (("calibration_slope", "slope"), ("calibration_intercept", "intercept"))
        if name in model.metrics
    ]
    return sentence("; ".join(parts))


def _group_in_words(group: CalibrationGroup) -> str:
    happened = "not computable" if math.isnan(group.observed) else f"{group.observed * 100:.0f} %"
    return (
        f"{count(group.n, 'patient')} with a mean predicted risk of {group.predicted * 100:.0f} %: observed {happened}"
    )
