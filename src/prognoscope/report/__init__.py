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
from prognoscope.report.curation import CurationContent, FailedSeries, RoleChoice, render_curation
from prognoscope.report.page import render, render_validation

__all__ = [
    "CohortRow",
    "CurationContent",
    "FailedSeries",
    "Importance",
    "PredictorUsed",
    "ReportContent",
    "RoleChoice",
    "Subgroup",
    "Success",
    "Truth",
    "render",
    "render_curation",
    "render_validation",
]
