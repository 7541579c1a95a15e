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
from prognoscope.report.page import render, render_validation

__all__ = [
    "ChecklistRow",
    "ChecklistStatus",
    "CohortRow",
    "Importance",
    "PredictorUsed",
    "ReportContent",
    "Subgroup",
    "Success",
    "Truth",
    "render",
    "render_checklist",
    "render_validation",
]
