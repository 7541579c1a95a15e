"""How well each model of a time to event does by each time: AUC and Brier score."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from prognoscope.report.figures.drawing import (
    CHANCE_DASH,
    SOFT,
    Drawing,
    band,
    colour,
    draw,
    line,
    quiet_grid,
    shortened,
)
from prognoscope.report.rounding import figure, joined
from prognoscope.validation.results import Curve, Evaluation, ModelEvaluation, TimeCourse

Rows = list[tuple[int, ModelEvaluation, TimeCourse]]


def time_course(evaluation: Evaluation) -> Drawing | None:
    """Draw AUC by time and, where risks were given for several times, the Brier score beside Kaplan-Meier's."""
    rows = [(place, model, model.over_time) for place, model in enumerate(evaluation.models) if model.over_time]
    if not any(math.isfinite(y) for _, _, course in rows for y in course.auc.y):
        return None
    scored = [row for row in rows if row[2].brier.x]

    def paint(canvas: Canvas) -> None:
        if not scored:
            _areas(canvas.add_subplot(), rows)
            return
        left, right = canvas.subplots(2, 1, sharex=True)
        _areas(left, rows)
        _scores(right, scored)
        left.set_xlabel("")

    notes = " Dashed below: the Kaplan-Meier risk for everyone." if scored else ""
    return draw(
        paint,
        key="fig-time-course",
        title="Over time",
        description=" ".join(_in_words(model, course.auc) for _, model, course in rows),
        caption="AUC of those with the event by each day against those without it then; bands are pointwise 95 % "
        f"intervals from influence functions.{notes}",
        size=(4.9, 5.4 if scored else 3.4),
    )


def _areas(axes: Axes, rows: Rows) -> None:
    axes.axhline(0.5, color=SOFT, linewidth=1, linestyle=CHANCE_DASH)
    for place, model, course in reversed(rows):
        line(axes, course.auc, place, label=shortened(model.title, 26))
        axes.plot(course.auc.x, course.auc.y, "o", color=colour(place), markersize=4)
        band(axes, course.auc, place)
    known = [end for _, _, course in rows for end in (*course.auc.low, *course.auc.high) if math.isfinite(end)]
    axes.set_ylim(min([0.4, *known]) - 0.02, 1.02)
    quiet_grid(axes)
    axes.set_ylabel("AUC")
    axes.set_xlabel("Days since time zero")
    axes.legend(loc="lower right", frameon=False, fontsize=9, reverse=True, handlelength=2.4)


def _scores(axes: Axes, rows: Rows) -> None:
    for place, _, course in rows:
        line(axes, course.brier, place)
        band(axes, course.brier, place)
    first = rows[0][2]
    axes.plot(first.brier.x, first.null_brier, color=SOFT, linewidth=1.4, linestyle=CHANCE_DASH)
    axes.set_ylim(bottom=0)
    quiet_grid(axes)
    axes.set_ylabel("Brier score")
    axes.set_xlabel("Days since time zero")


def _in_words(model: ModelEvaluation, auc: Curve) -> str:
    told = [f"{figure(y)} by day {day:g}" for day, y in zip(auc.x, auc.y, strict=True) if math.isfinite(y)]
    return f"{model.title}: AUC {joined(told) if told else 'not computable'}."
