"""Whether acting on the risks would help: decision curves."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from prognoscope.report.figures.drawing import (
    CHANCE_DASH,
    INK,
    SOFT,
    Drawing,
    band,
    colour,
    draw,
    line,
    percent_axis,
    quiet_grid,
    shortened,
)
from prognoscope.report.sentences import benefit_added, benefit_in_words
from prognoscope.validation.results import Curve, Decision, Evaluation, ModelEvaluation

Rows = list[tuple[int, ModelEvaluation, Curve]]
LEAST_TOP = 5.0
"""Net benefit per 100 patients that the axis reaches at least, so that noise around 0 does not fill the figure."""


def net_benefit(evaluation: Evaluation) -> Drawing | None:
    """Draw the decision curves of all models beside treating everyone and treating nobody."""
    models = [(place, model) for place, model in enumerate(evaluation.models) if model.decision.model.x]
    if not models:
        return None
    smooth = all(model.decision.smoothed.x for _, model in models)
    rows = [
        (place, model, _per_hundred(model.decision.smoothed if smooth else model.decision.model))
        for place, model in models
    ]

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        _references(axes, rows[0][1].decision)
        for place, model, curve in reversed(rows):
            line(axes, curve, place, label=shortened(model.title, 26))
        band(axes, rows[0][2], rows[0][0])
        if smooth:
            steps = _per_hundred(rows[0][1].decision.model)
            axes.plot(steps.x, steps.y, color=colour(rows[0][0]), linewidth=0.7, alpha=0.55)
        _axes(axes, rows)
        axes.legend(loc="upper right", frameon=False, fontsize=9, reverse=True, handlelength=2.4)

    notes = " Bands are 95 % intervals: the main model's, grey that of treating everyone." if rows[0][2].low else ""
    if smooth:
        notes += " Lines are smoothed over thresholds (loess); the thin one is the main model's as computed."
    if any(math.isnan(y) for _, _, curve in rows for y in curve.y):
        notes += " Gaps: of those above that threshold nobody was followed to the horizon."
    return draw(
        paint,
        key="fig-net-benefit",
        title="Net benefit (decision curves)",
        description=" ".join(benefit_in_words(model) for _, model, _ in rows),
        caption="Of 100 patients, those with the event who would be treated, less those treated without it, weighed by "
        f"the threshold's odds.{notes}",
        size=(4.9, 4.0),
    )


def benefit_difference(evaluation: Evaluation) -> Drawing | None:
    """Draw the main model's net benefit less that of each model it is compared with."""
    rows = [
        (place, one, _per_hundred(one.net_benefit))
        for place, one in enumerate(evaluation.comparisons, start=1)
        if one.net_benefit.x
    ]
    if not rows:
        return None
    titles = {model.name: model.title for model in evaluation.models}

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        axes.axhline(0, color=INK, linewidth=1)
        for place, one, curve in reversed(rows):
            line(axes, curve, place, label=f"less {shortened(titles[one.reference], 22)}")
            band(axes, curve, place)
        ends = [abs(y) for _, _, curve in rows for y in (*curve.y, *curve.low, *curve.high) if math.isfinite(y)]
        reach = 1.15 * max(sorted(ends)[int(0.9 * (len(ends) - 1))] if ends else 0.0, 1.0)
        axes.set(ylim=(-reach, reach), xlim=(0, max(rows[0][2].x)))
        percent_axis(axes, x=True)
        quiet_grid(axes)
        axes.set_xlabel("Threshold: risk from which one would act")
        axes.set_ylabel("Difference per 100 patients")
        axes.legend(loc="best", frameon=False, fontsize=9, reverse=True, handlelength=2.4)

    return draw(
        paint,
        key="fig-benefit-difference",
        title="Difference in net benefit",
        description=" ".join(benefit_added(evaluation)) or "The main model less each other, without a band.",
        caption=f"{titles[rows[0][1].model]} less what it is compared with; bands are pointwise 95 % intervals, the "
        "patients being the same. At high thresholds a band may run out of the figure.",
        size=(4.9, 3.4),
    )


def _axes(axes: Axes, rows: Rows) -> None:
    top = max([LEAST_TOP, *(y for _, _, curve in rows for y in curve.y if math.isfinite(y))])
    axes.set_ylim(-0.3 * top, 1.2 * top)
    axes.set_xlim(0, max(rows[0][2].x))
    percent_axis(axes, x=True)
    quiet_grid(axes)
    axes.set_xlabel("Threshold: risk from which one would act")
    axes.set_ylabel("Net benefit per 100 patients")


def _references(axes: Axes, decision: Decision) -> None:
    """Draw treating everyone and treating nobody."""
    everyone = _per_hundred(
        Curve(decision.model.x, decision.treat_all, decision.treat_all_low, decision.treat_all_high)
    )
    axes.axhline(0, color=INK, linewidth=1, label="Treat nobody")
    if everyone.low:
        axes.fill_between(everyone.x, everyone.low, everyone.high, color=SOFT, alpha=0.12, linewidth=0)
    axes.plot(everyone.x, everyone.y, color=SOFT, linewidth=1.4, linestyle=CHANCE_DASH, label="Treat everyone")


def _per_hundred(curve: Curve) -> Curve:
    y, low, high = (tuple(100 * value for value in values) for values in (curve.y, curve.low, curve.high))
    return Curve(curve.x, y, low, high)
