"""The report: an evaluation in, one page out. It computes no statistic."""

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

__all__ = [
    "CohortRow",
    "Deidentification",
    "Importance",
    "PredictorUsed",
    "ReportContent",
    "Shown",
    "Subgroup",
    "Success",
    "Truth",
    "render",
    "render_deidentification",
    "render_validation",
]
