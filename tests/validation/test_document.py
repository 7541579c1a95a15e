"""An evaluation as JSON: what is not a number is null at any depth."""

import json
import math

import numpy as np

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.validation import evaluate, evaluation_document
from prognoscope.validation.document import without_nan
from tests.make.validation import out_of_fold


def test_what_is_not_finite_is_null_at_any_depth() -> None:
    nested = {"a": math.nan, "b": (1.0, math.nan), "c": [{"d": math.inf}], "e": {"f": [(-math.inf, 2)]}, "g": "nan"}
    assert without_nan(nested) == {"a": None, "b": (1.0, None), "c": [{"d": None}], "e": {"f": [(None, 2)]}, "g": "nan"}


def test_documents_of_degenerate_cohorts_hold_no_nan() -> None:
    risk = np.linspace(0.1, 0.9, 60)
    late = TimeToEvent(np.full(60, 500.0), np.arange(60) < 30, 730.0)
    early = TimeToEvent(np.where(np.arange(60) < 3, 10.0, 900.0), np.arange(60) < 3, 730.0)
    for outcome in (Binary(np.zeros(60, dtype=bool)), Binary(np.arange(60) < 3), late, early):
        for values in (risk, np.full(60, 0.3), np.round(risk)):
            models = {"all": out_of_fold(risk), "other": out_of_fold(risk)}
            models = {name: type(model)(values[None], model.fold) for name, model in models.items()}
            found = evaluate(outcome, models, titles={}, resamples=200, seed=1)
            assert "NaN" not in json.dumps(evaluation_document(found), allow_nan=False)
