"""Time zero: the day on which the last predictor became known, and from which the outcome is counted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from prognoscope.cohort.columns import number_column
from prognoscope.core.flow import Exclusion
from prognoscope.core.problems import Problem


def time_zero_days(frame: pd.DataFrame, columns: tuple[str, ...]) -> tuple[pd.Series, tuple[Exclusion, ...]]:
    """Return the day of time zero for each patient, counted in days from the table's day 0.

    Each column counts on from the one before it (`days_diagnosis_to_mri`, `days_mri_to_pet`). Time zero is the latest
    day on that chain, day 0 included: a scan made before the diagnosis does not make the diagnosis known earlier.

    Parameters
    ----------
    frame
        Cells as text (None missing), indexed by `patient_id`.
    columns
        Names of the columns in the order of the chain; empty: time zero is the table's day 0.

    Returns
    -------
    Days (NaN where unknown), and an exclusion for each patient of whom a column is missing.

    Raises
    ------
    Refused
        `column-missing`, `not-a-number`.
    """
    if not columns:
        return pd.Series(0.0, index=frame.index), ()
    steps = np.column_stack([number_column(frame, name).to_numpy() for name in columns])
    days = pd.Series(np.maximum(np.cumsum(steps, axis=1).max(axis=1), 0.0), index=frame.index)
    exclusions = tuple(
        Exclusion(
            patient,
            "time zero",
            Problem(
                "time-zero-unknown",
                f"patient {patient}",
                f"a value of {', '.join(columns)} is missing, so the day of the prediction is not known",
                "fill in the days",
            ),
        )
        for patient in frame.index[days.isna()]
    )
    return days, exclusions
