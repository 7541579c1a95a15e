"""Cohorts with a known truth, written as real DICOM files and tables."""

from prognoscope.demo.truth import Truth
from prognoscope.demo.write import write_cohort

__all__ = ["Truth", "write_cohort"]
