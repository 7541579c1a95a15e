"""Whether predicted risks agree with what happened: the calibration plot of one model."""

from __future__ import annotations

import math

from matplotlib.figure import Figure as Canvas

from prognoscope.report.figures.drawing import (
    INK,
    Drawing,
    band,
    chance_diagonal,
    colour,
    draw,
    line,
    shortened,
    unit_square,
)
from prognoscope.report.rounding import count, sentence, with_interval
from prognoscope.validation.results import CalibrationGroup, ModelEvaluation

LOESS_DASH = (0.0, (1.0, 1.6))


def calibration(model: ModelEvaluation, place: int) -> Drawing | None:
    """Draw observed against predicted risk: smooth curve with band, groups of similar risk with intervals."""
    curve, groups, loess = model.calibration.curve, model.calibration.groups, model.calibration.loess
    if not curve.x and not groups:
        return None

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
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
        unit_square(axes)
        axes.set_title(shortened(model.title, 30), color=colour(place))
        axes.set_xlabel("Predicted risk")
        axes.set_ylabel("Observed share with the event")

    told = "; ".join(_group_in_words(group) for group in groups)
    return draw(
        paint,
        key=f"fig-calibration-{place}",
        title=f"Calibration: {model.title}",
        description=f"{told}." if told else "A smooth curve without groups.",
        caption=_caption(model),
        size=(3.15, 3.3),
    )


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
