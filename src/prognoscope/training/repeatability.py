"""Which features a model may use: those that agree when the contour of the same patient is drawn again.

One-way random intraclass correlation of single measurements, ICC(1,1) of Shrout and Fleiss (Psychological Bulletin 86,
1979, 420-428), as the contours of a patient are a sample of their own. By default its lower 95 % bound decides, as Koo
and Li (Journal of Chiropractic Medicine 15, 2016, 155-163) and Zwanenburg et al. (Scientific Reports 9, 2019, 614) ask:
with few patients a high estimate proves little. Only `fit_pipeline` asks, with the patients that it may learn from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from prognoscope.core import hashing
from prognoscope.core.settings import Settings
from prognoscope.training.agreement import Agreement, intraclass_correlation
from prognoscope.training.encoding import Feature

Rows = NDArray[np.int64]


class KeepRule(Settings):
    """Which features are kept for their agreement between contours of the same patients."""

    icc_at_least: float = Field(
        gt=0, lt=1, description="least intraclass correlation, ICC(1,1), over the perturbed contours; 0.75 is good"
    )
    by: Literal["low", "estimate"] = Field(
        "low", description="what must reach it: the low end of its 95 % interval, or the estimate"
    )


@dataclass(frozen=True, slots=True, eq=False)
class Ratings:
    """Features measured on several contours of the same region.

    Attributes
    ----------
    patients, columns
        What the axes stand for.
    values
        `(patients, columns, contours)`, at least two contours; NaN where a feature could not be measured.
    rule
        Which of the columns may be used; None where nothing is selected by them.
    """

    patients: tuple[str, ...]
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    rule: KeepRule | None

    def hash(self) -> str:
        """Return the SHA-256 of everything."""
        return hashing.of_value([self.patients, self.columns, hashing.of_bytes(self.values.tobytes()), self.rule])

    def agreement(self) -> Agreement:
        """Return the agreement of each column over all patients, for a description: no selection may use it."""
        return _agreement(self.values)


@dataclass(frozen=True, slots=True, eq=False)
class Rated:
    """As the engine sees them: `places` `(m,)` of features, `values` `(n, m, contours)` by row of the cohort."""

    places: Rows
    values: NDArray[np.float64]
    rule: KeepRule


def rated(ratings: Sequence[Ratings], patients: Sequence[str], features: Sequence[Feature]) -> tuple[Rated, ...]:
    """Return the ratings of some patients' features, in the order of both; who has no ratings has NaN."""
    found = []
    for one in ratings:
        columns = {column: place for place, column in enumerate(one.columns)}
        places = np.array([place for place, feature in enumerate(features) if feature.column in columns], dtype=int)
        if one.rule is None or not len(places):
            continue
        rows = {patient: row for row, patient in enumerate(one.patients)}
        values = np.full((len(patients), len(places), one.values.shape[2]), np.nan)
        own = [columns[features[place].column] for place in places]
        for row, patient in enumerate(patients):
            if patient in rows:
                values[row] = one.values[rows[patient], own]
        found.append(Rated(places, values, one.rule))
    return tuple(found)


def unrepeatable(ratings: Sequence[Rated], rows: Rows, features: int) -> NDArray[np.bool_]:
    """Return which of the features do not agree enough among the patients in `rows` alone, `(features,)`.

    A feature whose correlation cannot be computed (fewer than two patients with all contours, no variation) has not
    shown any agreement, and is left out too.
    """
    left_out = np.zeros(features, dtype=bool)
    for one in ratings:
        found = _agreement(one.values[rows])
        reached = found.low if one.rule.by == "low" else found.icc
        # A comparison with NaN is false.
        left_out[one.places] = ~(reached >= one.rule.icc_at_least)
    return left_out


def _agreement(values: NDArray[np.float64]) -> Agreement:
    """Agreement of each feature over the patients in whom it was measured on every contour."""
    complete = np.isfinite(values).all(axis=2)
    ends = np.full((3, values.shape[1]), np.nan)
    patterns, pattern = np.unique(complete, axis=1, return_inverse=True)
    for number, known in enumerate(patterns.T):
        if known.sum() >= 2:
            own = np.flatnonzero(pattern.ravel() == number)
            found = intraclass_correlation(values[np.ix_(known, own)].transpose(1, 0, 2), form="1,1")
            ends[:, own] = found.icc, found.low, found.high
    return Agreement(*ends)
