"""The figures of an evaluation: they draw what was computed elsewhere; nothing is fitted, smoothed or averaged."""

from __future__ import annotations

from dataclasses import dataclass

from prognoscope.report.figures.calibration import calibration, reach_of
from prognoscope.report.figures.decision import benefit_difference, net_benefit
from prognoscope.report.figures.discrimination import discrimination, roc
from prognoscope.report.figures.drawing import Drawing
from prognoscope.report.figures.risk_groups import risk_groups
from prognoscope.report.figures.time_course import time_course
from prognoscope.validation.results import Evaluation

__all__ = ["Drawing", "Figures", "draw_figures"]


@dataclass(frozen=True, slots=True)
class Figures:
    """The drawings of a page; None or empty where the evaluation has nothing to draw."""

    discrimination: Drawing | None
    roc: Drawing | None
    risk_groups: Drawing | None
    time_course: Drawing | None
    calibration: tuple[Drawing, ...]
    net_benefit: Drawing | None
    benefit_difference: Drawing | None


def draw_figures(evaluation: Evaluation) -> Figures:
    """Draw every figure that the evaluation has numbers for."""
    reach = reach_of(evaluation)
    panels = (calibration(model, place, reach=reach) for place, model in enumerate(evaluation.models))
    return Figures(
        discrimination=discrimination(evaluation),
        roc=roc(evaluation),
        risk_groups=risk_groups(evaluation),
        time_course=time_course(evaluation),
        calibration=tuple(panel for panel in panels if panel is not None),
        net_benefit=net_benefit(evaluation),
        benefit_difference=benefit_difference(evaluation),
    )
