"""The figures of an evaluation. They draw what was computed elsewhere; nothing is fitted, smoothed or averaged here."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from prognoscope.report.drawing import (
    INK,
    MODEL_COLOURS,
    MODEL_DASHES,
    SOFT,
    Drawing,
    draw,
    percent_axis,
    quiet_grid,
    shortened,
)
from prognoscope.report.glossary import metric_words
from prognoscope.report.rounding import figure, joined, with_interval
from prognoscope.report.sentences import headline_metric
from prognoscope.validation.results import Curve, Evaluation, ModelEvaluation

SQUARE = (4.3, 4.1)


def discrimination(evaluation: Evaluation) -> Drawing | None:
    """Draw each model's AUC or C-index with its interval on one scale, beside a coin's 0.5."""
    found = headline_metric(evaluation.models[0])
    if found is None:
        return None
    name, words = found[0], metric_words(found[0])
    rows = [(model.title, model.metrics[name]) for model in evaluation.models if name in model.metrics]
    rows = [(title, metric) for title, metric in rows if not math.isnan(metric.estimate)]
    if not rows:
        return None

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        for place, (title, metric) in enumerate(rows):
            colour, height = MODEL_COLOURS[place % len(MODEL_COLOURS)], len(rows) - 1 - place
            if not math.isnan(metric.low):
                axes.plot(
                    [metric.low, metric.high], [height, height], color=colour, linewidth=2.4, solid_capstyle="butt"
                )
            axes.plot([metric.estimate], [height], "o", color=colour, markersize=8)
            axes.text(0.0, height + 0.24, shortened(title, 46), transform=axes.get_yaxis_transform(), fontsize=9.5)
            axes.text(
                1.0,
                height + 0.24,
                figure(metric.estimate, words.decimals),
                transform=axes.get_yaxis_transform(),
                ha="right",
                fontweight="bold",
                color=colour,
            )
        axes.axvline(0.5, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(0.5, -0.62, " a coin", color=SOFT, fontsize=8.5, va="bottom")
        ends = [end for _, metric in rows for end in (metric.low, metric.high, metric.estimate) if not math.isnan(end)]
        axes.set_xlim(min(0.4, min(ends) - 0.03), max(1.0, max(ends)))
        axes.set_ylim(-0.65, len(rows) - 0.35)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        quiet_grid(axes)
        axes.set_xlabel(f"{words.title} (0.5 is chance, 1 perfect)")

    told = "; ".join(f"{title}: {with_interval(metric, words.decimals)}" for title, metric in rows)
    return draw(
        paint,
        key="fig-discrimination",
        title=f"{words.title} of each model",
        description=f"{told}; a coin: 0.50.",
        caption="Dot: estimate; line: 95 % interval.",
        size=(5.6, 0.62 * len(rows) + 0.95),
    )


def roc(evaluation: Evaluation) -> Drawing | None:
    """Draw the mean ROC curve of each model that has one."""
    rows = [(place, model) for place, model in enumerate(evaluation.models) if model.roc is not None and model.roc.x]
    if not rows:
        return None

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        for place, model in reversed(rows):
            if model.roc is not None:
                _line(axes, model.roc, place, model.title, band=place == 0)
        _unit_square(axes)
        axes.set_xlabel("False alarms among patients without the event")
        axes.set_ylabel("Found among patients with the event")
        axes.legend(loc="lower right", frameon=False, fontsize=8.5, reverse=True)

    told = " ".join(_roc_in_words(model) for _, model in rows)
    return draw(
        paint,
        key="fig-roc",
        title="ROC curves",
        description=told,
        size=SQUARE,
        caption="Mean over the repeats. The dashed diagonal is a coin.",
    )


def _roc_in_words(model: ModelEvaluation) -> str:
    curve = model.roc
    assert curve is not None
    points = [f"{at * 100:.0f} % false alarms find {100 * _value_at(curve, at):.0f} %" for at in (0.1, 0.2, 0.5)]
    return f"{model.title}: {joined(points)} of the events."


def _value_at(curve: Curve, x: float) -> float:
    return max((y for at, y in zip(curve.x, curve.y, strict=True) if at <= x), default=0.0)


def calibration(model: ModelEvaluation, place: int) -> Drawing | None:
    """Draw observed against predicted risk of one model: smooth curve with band, and groups with intervals."""
    curve, groups = model.calibration.curve, model.calibration.groups
    if not curve.x and not groups:
        return None
    colour = MODEL_COLOURS[place % len(MODEL_COLOURS)]

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        if curve.x:
            _line(axes, curve, place, "", band=True)
        for group in groups:
            if not math.isnan(group.low):
                axes.plot([group.predicted] * 2, [group.low, group.high], color=INK, linewidth=1)
            axes.plot([group.predicted], [group.observed], "o", markersize=5.5, color="white", markeredgecolor=INK)
        _unit_square(axes)
        axes.set_title(shortened(model.title, 40), color=colour)
        axes.set_xlabel("Predicted risk")
        axes.set_ylabel("Observed share with the event")

    told = "; ".join(
        f"{group.n} patients with a mean predicted risk of {group.predicted * 100:.0f} %: {_observed(group.observed)}"
        for group in groups
    )
    return draw(
        paint,
        key=f"fig-calibration-{place}",
        title=f"Calibration: {model.title}",
        description=told or "Curve only.",
        size=(3.9, 3.9),
    )


def _observed(share: float) -> str:
    return "observed share not computable" if math.isnan(share) else f"{share * 100:.0f} % had the event"


def net_benefit(evaluation: Evaluation) -> Drawing | None:
    """Draw the decision curves of all models beside treating all and treating none."""
    rows = [(place, model) for place, model in enumerate(evaluation.models) if model.decision.model.x]
    if not rows:
        return None
    everyone = rows[0][1].decision

    def paint(canvas: Canvas) -> None:
        axes = canvas.add_subplot()
        axes.axhline(0, color=INK, linewidth=1)
        axes.plot(
            everyone.model.x,
            [100 * value for value in everyone.treat_all],
            color=SOFT,
            linewidth=1.2,
            linestyle=(0, (4, 3)),
            label="Treat everyone",
        )
        for place, model in reversed(rows):
            _line(axes, _times_hundred(model.decision.model), place, model.title, band=place == 0)
        top = max(
            (value for _, model in rows for value in model.decision.model.y if not math.isnan(value)), default=0.1
        )
        axes.set_ylim(-30 * max(top, 0.05), 125 * max(top, 0.05))
        axes.set_xlim(0, max(everyone.model.x))
        percent_axis(axes, x=True)
        quiet_grid(axes)
        axes.set_xlabel("Threshold: risk at which one would act")
        axes.set_ylabel("Net benefit per 100 patients")
        axes.text(axes.get_xlim()[1], 0, "treat nobody", ha="right", va="bottom", fontsize=8.5, color=SOFT)
        axes.legend(loc="upper right", frameon=False, fontsize=8.5, reverse=True)

    told = " ".join(_benefit_in_words(model) for _, model in rows)
    return draw(
        paint,
        key="fig-net-benefit",
        title="Net benefit (decision curves)",
        description=told,
        size=(6.4, 4.0),
        caption="True positives per 100 patients, less false ones at the exchange rate of the threshold. "
        "The band is the main model's 95 % interval.",
    )


def _benefit_in_words(model: ModelEvaluation) -> str:
    curve, everyone = model.decision.model, model.decision.treat_all
    better = [x for x, y, all_ in zip(curve.x, curve.y, everyone, strict=True) if y > max(all_, 0.0)]
    if not better:
        return f"{model.title}: at no threshold above both treating everyone and treating nobody."
    return (
        f"{model.title}: above both treating everyone and treating nobody at {len(better)} of {len(curve.x)} "
        f"thresholds, between {min(better) * 100:.0f} % and {max(better) * 100:.0f} %."
    )


def risk_groups(evaluation: Evaluation) -> Drawing | None:
    """Draw Kaplan-Meier curves of the main model's risk groups, with the numbers at risk beneath."""
    groups = evaluation.models[0].risk_groups
    if not groups:
        return None
    times = sorted({time for group in groups for time, _ in group.at_risk})
    colours = ("#0072B2", "#8A6D00", "#D55E00") if len(groups) == 3 else MODEL_COLOURS

    def paint(canvas: Canvas) -> None:
        axes, table = canvas.subplots(2, 1, sharex=True, height_ratios=(4, 0.32 * len(groups) + 0.25))
        for place, group in enumerate(groups):
            colour, curve = colours[place % len(colours)], group.survival
            axes.step(curve.x, curve.y, where="post", color=colour, linestyle=MODEL_DASHES[place % len(MODEL_DASHES)])
            if curve.low:
                axes.fill_between(curve.x, curve.low, curve.high, step="post", color=colour, alpha=0.13, linewidth=0)
            if curve.x:
                axes.text(
                    curve.x[-1],
                    curve.y[-1],
                    f" {shortened(group.name, 22)}",
                    color=colour,
                    va="center",
                    fontsize=9,
                    fontweight="bold",
                )
            for time, number in group.at_risk:
                table.text(
                    time, len(groups) - 1 - place, str(number), ha="center", va="center", color=colour, fontsize=9
                )
        if evaluation.horizon_days:
            axes.axvline(evaluation.horizon_days, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
            axes.text(evaluation.horizon_days, 1.03, "horizon", ha="center", color=SOFT, fontsize=8.5)
        axes.set_ylim(0, 1.02)
        percent_axis(axes, y=True)
        quiet_grid(axes)
        axes.set_ylabel("Without the event")
        table.set_ylim(-0.6, len(groups) - 0.4)
        table.set_yticks(range(len(groups)), [shortened(group.name, 16) for group in reversed(groups)])
        table.tick_params(length=0)
        table.set_title("Number at risk", fontsize=9, fontweight="normal", color=SOFT, pad=2)
        for spine in table.spines.values():
            spine.set_visible(False)
        if times:
            table.set_xticks(times, [f"{time:.0f}" for time in times])
        table.set_xlabel("Days since time zero")

    told = "; ".join(
        f"{group.name}: {group.n} patients, {group.events} with the event, at the end of the curve "
        f"{100 * group.survival.y[-1]:.0f} % without it"
        for group in groups
        if group.survival.y
    )
    return draw(
        paint,
        key="fig-risk-groups",
        title="Kaplan-Meier curves by predicted risk",
        description=told,
        size=(6.4, 4.8),
        caption="Groups by the risk given out of fold. The band is the 95 % interval.",
    )


def _line(axes: Axes, curve: Curve, place: int, label: str, *, band: bool) -> None:
    colour = MODEL_COLOURS[place % len(MODEL_COLOURS)]
    axes.plot(
        curve.x,
        curve.y,
        color=colour,
        linestyle=MODEL_DASHES[place % len(MODEL_DASHES)],
        label=shortened(label, 38) or None,
    )
    if band and curve.low:
        axes.fill_between(curve.x, curve.low, curve.high, color=colour, alpha=0.14, linewidth=0)


def _times_hundred(curve: Curve) -> Curve:
    return Curve(
        curve.x,
        tuple(100 * value for value in curve.y),
        tuple(100 * value for value in curve.low),
        tuple(100 * value for value in curve.high),
    )


def _unit_square(axes: Axes) -> None:
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_aspect("equal")
    percent_axis(axes, x=True, y=True)
    quiet_grid(axes)
