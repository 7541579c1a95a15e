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
from prognoscope.report.page import render, render_validation
from prognoscope.report.scrutiny import SITE_METRICS, OptimismShown, Scrutiny, SetsShown

__all__ = [
    "SITE_METRICS",
    "CohortRow",
    "Importance",
    "OptimismShown",
    "PredictorUsed",
    "ReportContent",
    "Scrutiny",
    "SetsShown",
    "Subgroup",
    "Success",
    "Truth",
    "render",
    "render_validation",
]
