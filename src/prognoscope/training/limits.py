"""When a predictor should not be trusted for a patient: unlike the patients it was trained on, or too little known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prognoscope.core.table import Column, Table
from prognoscope.training.encoding import unknown_levels

# A number further outside than this share of the training range is extrapolation by itself; many numbers outside at
# all are so together.
FAR = 0.1
MANY = 0.2
TOO_FEW_KNOWN = 1 / 3


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """Ranges of the training patients.

    Attributes
    ----------
    columns
        Predictors with their levels.
    low, high
        `(columns,)` smallest and largest number among the training patients; NaN for a category.
    watched
        `(columns,)` which predictors count: every clinical one, and the imaging ones that the main pipeline uses.
    """

    columns: tuple[Column, ...]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    watched: NDArray[np.bool_]

    def reasons(self, frame: pd.DataFrame) -> list[str]:
        """Return, for each row, why nobody should rely on its risk; empty where there is no reason."""
        watched = [column for column, counts in zip(self.columns, self.watched, strict=True) if counts]
        reasons = [[] for _ in range(len(frame))]  # type: list[list[str]]
        outside = np.zeros(len(frame), dtype=int)
        missing = np.zeros(len(frame), dtype=int)
        for column in watched:
            values = frame[column.name]
            missing += values.isna().to_numpy().astype(int)
            if column.type == "category":
                self._note_unknown(column, values, reasons)
            elif column.type == "number":
                outside += self._note_far(column, values.to_numpy(dtype=float), reasons)
        for row, (gaps, beyond) in enumerate(zip(missing, outside, strict=True)):
            if gaps > TOO_FEW_KNOWN * len(watched):
                reasons[row].insert(0, f"{gaps} of {len(watched)} predictors are missing")
            if beyond >= 2 and beyond > MANY * len(watched) and not reasons[row]:
                reasons[row].append(
                    f"{beyond} of {len(watched)} predictors lie outside the range of the training patients"
                )
        return ["; ".join(texts) for texts in reasons]

    def _note_unknown(self, column: Column, values: pd.Series, reasons: list[list[str]]) -> None:
        for row in np.flatnonzero(unknown_levels(values, column).to_numpy()):
            reasons[row].append(f"{column.name} is {values.iloc[row]!r}, which no training patient had")

    def _note_far(self, column: Column, values: NDArray[np.float64], reasons: list[list[str]]) -> NDArray[np.int64]:
        place = [own.name for own in self.columns].index(column.name)
        low, high = self.low[place], self.high[place]
        slack = FAR * (high - low)
        unit = f" {column.unit}" if column.unit not in ("", "1") else ""
        for row in np.flatnonzero((values < low - slack) | (values > high + slack)):
            reasons[row].append(
                f"{column.name} is {values[row]:.4g}{unit}, the training patients had {low:.4g} to {high:.4g}{unit}"
            )
        return np.asarray((values < low) | (values > high), dtype=np.int64)


def limits_of(table: Table, columns: Sequence[Column], used: frozenset[str]) -> Limits:
    """Return the limits that a training table sets; `used` names the columns that the main pipeline uses."""
    low, high = np.full(len(columns), np.nan), np.full(len(columns), np.nan)
    for place, column in enumerate(columns):
        if column.type == "number":
            values = table.frame[column.name].to_numpy(dtype=float)
            known = values[~np.isnan(values)]
            low[place], high[place] = (known.min(), known.max()) if len(known) else (np.nan, np.nan)
    watched = np.array([column.origin == "clinical" or column.name in used for column in columns])
    return Limits(tuple(columns), low, high, watched)
