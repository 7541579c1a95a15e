"""How well each model ranks patients: AUC or C-index with intervals, and ROC curves."""

from __future__ import annotations

import math
from dataclasses import replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from prognoscope.report.figures.drawing import (
    CHANCE_DASH,
    SOFT,
    Drawing,
    band,
    chance_diagonal,
    colour,
    draw,
    line,
    quiet_grid,
    shortened,
    unit_square,
    wrapped,
)
from prognoscope.report.glossary import metric_words
from prognoscope.report.rounding import figure, interval, joined, sentence, with_interval
from prognoscope.report.sentences import headline_metric
from prognoscope.validation.results import Curve, Evaluation, Metric, ModelEvaluation

FALSE_ALARMS_TOLD = (0.1, 0.2, 0.5)
"""False positive rates at which the ROC curve's text alternative tells the sensitivity."""


def discrimination(evaluation: Evaluation) -> Drawing | None:
    """Draw each model's AUC or C-index with its interval on one scale, beside a coin's 0.5."""
    found = headline_metric(evaluation.models[0])
    if found is None:
        return None
    title = metric_words(found[0]).title
    figures = [(place, model, model.metrics.get(found[0])) for place, model in enumerate(evaluation.models)]
    rows = [
        (place, model.title, metric) for place, model, metric in figures if metric and math.isfinite(metric.estimate)
    ]
    if not rows:
        return None

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        for height, (place, _, metric) in enumerate(reversed(rows)):
            _dot_and_interval(axes, height, metric, colour(place))
        _forest_axes(axes, [(name, metric) for _, name, metric in reversed(rows)])
        axes.set_xlabel(f"{title}: 0.5 is a coin, 1 is perfect")

    told = "; ".join(f"{name}: {with_interval(metric)}" for _, name, metric in rows)
    return draw(
        paint,
        key="fig-discrimination",
        title=f"{title} of each model",
        description=f"{told}; a coin: 0.50.",
        caption="Dots are estimates, lines 95 % intervals, the dashed line is a coin.",
        size=(4.6, 0.72 * len(rows) + 0.85),
    )


def _dot_and_interval(axes: Axes, height: int, metric: Metric, shade: str) -> None:
    if math.isfinite(metric.low):
        axes.plot([metric.low, metric.high], [height, height], color=shade, linewidth=2.4, solid_capstyle="butt")
    axes.plot([metric.estimate], [height], "o", color=shade, markersize=8)
    ends = interval(metric.low, metric.high)
    axes.text(
        metric.estimate,
        height + 0.2,
        f"{figure(metric.estimate)} ({ends})" if ends else figure(metric.estimate),
        ha="center",
        va="bottom",
        color=shade,
        fontsize=9,
        fontweight="bold",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
    )


def _forest_axes(axes: Axes, rows: list[tuple[str, Metric]]) -> None:
    axes.axvline(0.5, color=SOFT, linewidth=1, linestyle=CHANCE_DASH, zorder=0)
    ends = [end for _, metric in rows for end in (metric.low, metric.high, metric.estimate) if math.isfinite(end)]
    axes.set_xlim(min(0.4, min(ends) - 0.05), max(1.0, *ends))
    axes.set_ylim(-0.5, len(rows) - 0.35)
    axes.set_yticks(range(len(rows)), [wrapped(name, 17) for name, _ in rows])
    quiet_grid(axes)
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def roc(evaluation: Evaluation) -> Drawing | None:
    """Draw the mean ROC curve of each model that has one."""
    rows = [(place, model, model.roc) for place, model in enumerate(evaluation.models) if model.roc and model.roc.x]
    if not rows:
        return None

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        chance_diagonal(axes)
        for place, model, curve in reversed(rows):
            # A curve starts where nobody is called, at the origin, also when its first point is higher.
            from_origin = replace(curve, x=(0.0, *curve.x), y=(0.0, *curve.y), low=(), high=())
            line(axes, from_origin, place, label=shortened(model.title, 26))
        band(axes, rows[0][2], rows[0][0])
        unit_square(axes)
        axes.set_xlabel("False alarms among those without the event")
        axes.set_ylabel("Found among those with the event")
        axes.legend(loc="lower right", frameon=False, fontsize=9, reverse=True, handlelength=2.4)

    return draw(
        paint,
        key="fig-roc",
        title="ROC curves",
        description=" ".join(_roc_in_words(model, curve) for _, model, curve in rows),
        caption=sentence(f"{_made_from(evaluation)}{_band(rows[0][2])}the dashed diagonal is a coin"),
        size=(4.2, 4.1),
    )


def _made_from(evaluation: Evaluation) -> str:
    if "bootstraps" in evaluation.counts:
        return "as promised, less the mean optimism at each rate of false alarms; "
    return "mean over the repeats; " if evaluation.counts.get("repeats", 1) > 1 else ""


def _band(curve: Curve) -> str:
    return "with the main model's 95 % band; " if curve.low else ""


def _roc_in_words(model: ModelEvaluation, curve: Curve) -> str:
    points = [f"{at * 100:.0f} % false alarms find {100 * _height(curve, at):.0f} %" for at in FALSE_ALARMS_TOLD]
    return f"{model.title}: {joined(points)} of the events."


def _height(curve: Curve, x: float) -> float:
    return max((y for at, y in zip(curve.x, curve.y, strict=True) if at <= x), default=0.0)
