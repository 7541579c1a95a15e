"""Whether more patients would help: discrimination by number of patients learnt from."""

from __future__ import annotations

import math

from matplotlib.figure import Figure as Canvas

from prognoscope.report.figures.drawing import CHANCE_DASH, SOFT, Drawing, draw, line, quiet_grid
from prognoscope.report.rounding import figure
from prognoscope.validation.internal import LearningCurve
from prognoscope.validation.results import Curve


def learning(curve: LearningCurve | None, metric: str) -> Drawing | None:
    """Draw the learning curve of the main model; None without one."""
    if curve is None or not curve.n:
        return None
    n = tuple(float(size) for size in curve.n)

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        axes.axhline(0.5, color=SOFT, linewidth=1, linestyle=CHANCE_DASH)
        line(axes, Curve(n, curve.score), 0)
        axes.plot(n, curve.score, "o", color="#0072B2", markersize=4.5)
        if curve.flat_at is not None and math.isfinite(curve.plateau):
            axes.axhline(curve.plateau, color=SOFT, linewidth=1)
        axes.set_xlim(0, 1.06 * max(n))
        axes.set_ylim(min(0.45, *curve.score) - 0.02, max(0.75, *curve.score) + 0.03)
        quiet_grid(axes)
        axes.set_xlabel("Patients learnt from")
        axes.set_ylabel(metric)

    told = "; ".join(f"{size} patients {figure(score)}" for size, score in zip(curve.n, curve.score, strict=True))
    return draw(
        paint,
        key="fig-learning",
        title="Learning curve",
        description=f"{metric} by number of patients learnt from: {told}.",
        caption="The main model learnt from fewer of the training patients, tested on the same patients held out. The "
        "dashed line is a coin.",
        size=(4.9, 3.4),
    )
