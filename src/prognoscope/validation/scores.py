"""One number for a set of risks, higher is better: what tuning in inner folds maximises."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.validation.censoring import known_event, status_weights
from prognoscope.validation.checks import risks
from prognoscope.validation.discrimination import auc, c_index
from prognoscope.validation.overall import log_rows
from prognoscope.validation.resampling import once

SMALLEST_RISK = 1e-15


def log_score(outcome: Outcome, risk: ArrayLike) -> float:
    """Mean log-likelihood of the outcome (of the status at the horizon, with censoring weights).

    Proper: no other risks than the true ones score higher on average (Good 1952, J R Stat Soc B 14:107). Risks are
    held within [10⁻¹⁵, 1 - 10⁻¹⁵], so that one certain error is punished heavily and the score stays finite. NaN when
    nobody was followed to the horizon.
    """
    held = np.clip(risks(risk, n=len(outcome)), SMALLEST_RISK, 1 - SMALLEST_RISK)
    return float(log_rows(known_event(outcome), held, status_weights(outcome, once(len(outcome))))[0])


def ranking(outcome: Outcome, risk: ArrayLike) -> float:
    """AUC of a binary outcome, Harrell's C of a time to event; NaN when no pair can be compared."""
    if isinstance(outcome, Binary):
        return auc(outcome.event, risk)
    return c_index(outcome.time_days, outcome.event, risk)
