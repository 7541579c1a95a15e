"""The report: an evaluation in, one page out. It computes no statistic."""

from prognoscope.report.checklist import ChecklistRow, ChecklistStatus, render_checklist
from prognoscope.report.content import (
    CohortRow,
    Importance,
    LeftOut,
    PredictorUsed,
    Repeatability,
    ReportContent,
    Subgroup,
    Success,
    Truth,
)
from prognoscope.report.curation import CurationContent, FailedSeries, RoleChoice, render_curation
from prognoscope.report.deidentification import Deidentification, Shown, render_deidentification
from prognoscope.report.failures import Failures, Neighbour, Thumbnail, WorstCase, thumbnail
from prognoscope.report.page import render, render_validation
from prognoscope.report.scrutiny import SITE_METRICS, OptimismShown, Scrutiny, SetsShown

__all__ = [
    "SITE_METRICS",
    "ChecklistRow",
    "ChecklistStatus",
    "CohortRow",
    "CurationContent",
    "Deidentification",
    "FailedSeries",
    "Failures",
    "Importance",
    "LeftOut",
    "Neighbour",
    "OptimismShown",
    "PredictorUsed",
    "Repeatability",
    "ReportContent",
    "RoleChoice",
    "Scrutiny",
    "SetsShown",
    "Shown",
    "Subgroup",
    "Success",
    "Thumbnail",
    "Truth",
    "WorstCase",
    "render",
    "render_checklist",
    "render_curation",
    "render_deidentification",
    "render_validation",
    "thumbnail",
]
