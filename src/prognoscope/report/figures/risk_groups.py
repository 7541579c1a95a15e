"""How patients of low and high predicted risk fared: Kaplan-Meier curves with the numbers at risk."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from prognoscope.report.figures.drawing import (
    CHANCE_DASH,
    DASHES,
    SOFT,
    Drawing,
    draw,
    percent_axis,
    quiet_grid,
    wrapped,
)
from prognoscope.report.rounding import count
from prognoscope.validation.results import Evaluation, RiskGroup

# Low risk to high risk: a ramp that stays in order for the colour-blind and in grey.
RAMP = ("#56A0CE", "#0072B2", "#8A3A00", "#D55E00", "#1C2127")
LABEL_GAP = 0.08
SHADES = {2: (RAMP[1], RAMP[3]), 3: ("#3D8FC2", "#6B5B95", RAMP[3])}


def risk_groups(evaluation: Evaluation) -> Drawing | None:
    """Draw the main model's risk groups, from the lowest risk to the highest."""
    groups = evaluation.models[0].risk_groups
    if not groups:
        return None
    shades = SHADES.get(len(groups), RAMP)

    def paint(canvas: Canvas) -> None:
        axes, table = canvas.subplots(2, 1, sharex=True, height_ratios=(3.6, 0.3 * len(groups) + 0.15))
        _curves(axes, groups, shades)
        if evaluation.horizon_days:
            axes.axvline(evaluation.horizon_days, color=SOFT, linewidth=1, linestyle=CHANCE_DASH, zorder=0)
            above = axes.get_xaxis_transform()
            axes.text(evaluation.horizon_days, 1.01, "horizon", transform=above, ha="center", color=SOFT, fontsize=9)
        _numbers_at_risk(table, groups, shades)

    return draw(
        paint,
        key="fig-risk-groups",
        title="Kaplan-Meier curves by predicted risk",
        description="; ".join(_in_words(group) for group in groups),
        caption="Groups by the main model's risk; bands are 95 % intervals.",
        size=(4.9, 4.5),
    )


def _curves(axes: Axes, groups: Sequence[RiskGroup], shades: Sequence[str]) -> None:
    for place, group in enumerate(groups):
        shade, curve = shades[place % len(shades)], group.survival
        axes.step(curve.x, curve.y, where="post", color=shade, linestyle=DASHES[place % len(DASHES)])
        if curve.low:
            axes.fill_between(curve.x, curve.low, curve.high, step="post", color=shade, alpha=0.12, linewidth=0)
    axes.set_ylim(0, 1.03)
    percent_axis(axes, y=True)
    quiet_grid(axes)
    axes.set_ylabel("Share without the event")
    _name_ends(axes, groups, shades)


def _name_ends(axes: Axes, groups: Sequence[RiskGroup], shades: Sequence[str]) -> None:
    """Write each group's name right of its curve's end, moved down where two would touch."""
    drawn = [(group, shades[place % len(shades)]) for place, group in enumerate(groups) if group.survival.x]
    height = 1.0 + LABEL_GAP
    for group, shade in sorted(drawn, key=lambda pair: -pair[0].survival.y[-1]):
        height = min(group.survival.y[-1], height - LABEL_GAP)
        axes.annotate(
            wrapped(group.name, 14),
            (group.survival.x[-1], max(height, 0.03)),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            color=shade,
            fontsize=9,
            fontweight="bold",
            annotation_clip=False,
        )


def _numbers_at_risk(axes: Axes, groups: Sequence[RiskGroup], shades: Sequence[str]) -> None:
    for place, group in enumerate(groups):
        for time, number in group.at_risk:
            height, shade = len(groups) - 1 - place, shades[place % len(shades)]
            axes.text(time, height, str(number), ha="center", va="center", color=shade, fontsize=9)
    axes.set_ylim(-0.6, len(groups) - 0.4)
    axes.set_yticks(range(len(groups)), [wrapped(group.name, 14) for group in reversed(groups)])
    times = sorted({time for group in groups for time, _ in group.at_risk})
    if times:
        axes.set_xticks(times, [f"{time:.0f}" for time in times])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("Number at risk", fontsize=9, fontweight="normal", color=SOFT, pad=2)
    axes.set_xlabel("Days since time zero")


def _in_words(group: RiskGroup) -> str:
    told = f"{group.name}: {count(group.n, 'patient')}, {group.events} with the event"
    if not group.survival.y:
        return told
    return f"{told}, {100 * group.survival.y[-1]:.0f} % without it at the end of the curve"
