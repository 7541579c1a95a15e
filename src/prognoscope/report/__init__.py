"""The report: an evaluation in, one page out. It computes no statistic."""

from prognoscope.report.checklist import ChecklistRow, ChecklistStatus, render_checklist
from prognoscope.report.content import (
    CohortRow,
    Importance,
    PredictorUsed,
    ReportContent,
    Subgroup,
    Success,
    Truth,
)
from prognoscope.report.failures import Failures, Neighbour, Thumbnail, WorstCase, thumbnail
from prognoscope.report.page import render, render_validation
from prognoscope.report.scrutiny import OptimismShown, Scrutiny, SetsShown

__all__ = [
    "ChecklistRow",
    "ChecklistStatus",
    "CohortRow",
    "Failures",
    "Importance",
    "Neighbour",
    "OptimismShown",
    "PredictorUsed",
    "ReportContent",
    "Scrutiny",
    "SetsShown",
    "Subgroup",
    "Success",
    "Thumbnail",
    "Truth",
    "WorstCase",
    "render",
    "render_checklist",
    "render_validation",
    "thumbnail",
]
