"""Risks that a model gave to patients it had not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class OutOfFold:
    """Out-of-fold risks of one model over repeated cross-validation.

    Attributes
    ----------
    risk
        `(repeats, n)`: probability of the event (by the horizon, for a time to event), each in [0, 1], given by a model
        that was trained without the patient.
    fold
        `(repeats, n)` integers: the fold that held the patient out. Only risks of one repeat and one fold come from
        one fitted model.
    """

    risk: NDArray[np.float64]
    fold: NDArray[np.int64]

    @property
    def repeats(self) -> int:
        """Number of repeats of the cross-validation."""
        return int(self.risk.shape[0])

    def mean(self) -> NDArray[np.float64]:
        """Mean risk of each patient over the repeats, `(n,)`: for display, not for metrics."""
        return np.asarray(self.risk.mean(axis=0))
