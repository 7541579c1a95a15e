"""The report: an evaluation in, one page out. It computes no statistic.

A name is imported when it is asked for: the page of a de-identification needs nothing of an evaluation.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

_HOMES = {
    "prognoscope.report.checklist": ("ChecklistRow", "ChecklistStatus", "render_checklist"),
    "prognoscope.report.content": (
        "CohortRow",
        "Importance",
        "LeftOut",
        "PredictorUsed",
        "Repeatability",
        "ReportContent",
        "Subgroup",
        "Success",
        "Truth",
    ),
    "prognoscope.report.curation": ("CurationContent", "FailedSeries", "RoleChoice", "render_curation"),
    "prognoscope.report.deidentification": ("Deidentification", "Shown", "render_deidentification"),
    "prognoscope.report.failures": ("Failures", "Neighbour", "Thumbnail", "WorstCase", "thumbnail"),
    "prognoscope.report.page": ("render", "render_validation"),
    "prognoscope.report.scrutiny": ("SITE_METRICS", "OptimismShown", "Scrutiny", "SetsShown"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
