"""Who takes part, from when, with which outcome."""

from prognoscope.cohort.characteristics import Characteristic, characteristics
from prognoscope.cohort.columns import category_column, number_column, text_column
from prognoscope.cohort.eligibility import Filter, ineligible
from prognoscope.cohort.outcome import BinaryOutcome, EventRule, SurvivalOutcome, read_outcome, refuse_one_class
from prognoscope.cohort.predictors import ClinicalPredictor, clinical_table
from prognoscope.cohort.records import INDEX, Pivot, Records, pivot
from prognoscope.cohort.time_zero import time_zero_days

__all__ = [
    "INDEX",
    "BinaryOutcome",
    "Characteristic",
    "ClinicalPredictor",
    "EventRule",
    "Filter",
    "Pivot",
    "Records",
    "SurvivalOutcome",
    "category_column",
    "characteristics",
    "clinical_table",
    "ineligible",
    "number_column",
    "pivot",
    "read_outcome",
    "refuse_one_class",
    "text_column",
    "time_zero_days",
]
