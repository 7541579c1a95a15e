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
from prognoscope.report.deidentification import Deidentification, Shown, render_deidentification
from prognoscope.report.page import render, render_validation
from prognoscope.report.scrutiny import OptimismShown, Scrutiny, SetsShown

__all__ = [
    "ChecklistRow",
    "ChecklistStatus",
    "CohortRow",
    "Deidentification",
    "Importance",
    "OptimismShown",
    "PredictorUsed",
    "ReportContent",
    "Scrutiny",
    "SetsShown",
    "Shown",
    "Subgroup",
    "Success",
    "Truth",
    "render",
    "render_checklist",
    "render_deidentification",
    "render_validation",
]
