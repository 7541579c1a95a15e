"""A table as a matrix of numbers. Depends on the schema only: nothing is fitted to patients here.

Numbers stay as they are, booleans become 0 and 1, ordered categories the place of their level (0, 1, …), other
categories one 0/1 feature per level. Missing values are NaN in every feature of their column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prognoscope.core.problems import Refused, refuse
from prognoscope.core.table import Column, Table
from prognoscope.training.contract import Matrix


@dataclass(frozen=True, slots=True)
class Feature:
    """One column of the matrix: the table's column it comes from, and the level it stands for (else empty)."""

    column: str
    level: str = ""
    indicates_missing: bool = False

    @property
    def name(self) -> str:
        """Name for people: `age`, `histology = Liposarcoma`, `grade is missing`."""
        if self.indicates_missing:
            return f"{self.column} is missing"
        return f"{self.column} = {self.level}" if self.level else self.column


def with_levels(table: Table) -> tuple[Column, ...]:
    """Return the schema of a table where each category lists its levels.

    Declared levels stay in their order; a category without any gets the sorted values that the table holds.

    Raises
    ------
    Refused
        `text-predictor` when a column is free text.
    """
    return tuple(_leveled(column, table.frame[column.name]) for column in table.columns)


def _leveled(column: Column, values: pd.Series) -> Column:
    if column.type == "text":
        raise refuse(
            "text-predictor",
            subject=f"column {column.name}",
            found="it is free text, which no model can use",
            remedy="declare it as a category with `levels:` or leave it out",
        )
    if column.type != "category" or column.levels:
        return column
    return replace(column, levels=tuple(sorted({str(value) for value in values.dropna()})))


def features_of(columns: Sequence[Column]) -> tuple[Feature, ...]:
    """Return the features that columns with levels become, in order."""
    features: list[Feature] = []
    for column in columns:
        if one_hot(column):
            features.extend(Feature(column.name, level) for level in column.levels)
        else:
            features.append(Feature(column.name))
    return tuple(features)


def one_hot(column: Column) -> bool:
    """Whether a column becomes one feature per level: a category without order and with more than two levels."""
    return column.type == "category" and not column.ordered and len(column.levels) > 2


def encode(frame: pd.DataFrame, columns: Sequence[Column]) -> Matrix:
    """Turn the rows of a frame into a matrix `(n, features)`; levels that `columns` does not list become NaN.

    Raises
    ------
    Refused
        `predictor-missing` when a column is absent, `predictor-type` when a number or boolean column holds others.
    """
    blocks = [_block(_series(frame, column), column) for column in columns]
    return np.ascontiguousarray(np.concatenate(blocks, axis=1)) if blocks else np.empty((len(frame), 0))


def unknown_levels(values: pd.Series, column: Column) -> pd.Series:
    """Return, for each row, whether a category has a value that is not among its levels (False where missing)."""
    return values.notna() & ~values.astype(str).isin(column.levels)


def _series(frame: pd.DataFrame, column: Column) -> pd.Series:
    if column.name not in frame.columns:
        raise refuse(
            "predictor-missing",
            subject=f"column {column.name}",
            found="the predictor was trained with it, and the data has no such column",
            remedy="give the same columns and images as the study did",
        )
    return frame[column.name]


def _block(values: pd.Series, column: Column) -> Matrix:
    if column.type == "category":
        return _category_block(values, column)
    numbers = _numbers(values, column)
    if np.isinf(numbers).any():
        raise _not_a_number(column, numbers[np.isinf(numbers)][0])
    return numbers[:, None]


def _numbers(values: pd.Series, column: Column) -> NDArray[np.float64]:
    if values.dtype.kind in "fiub":
        return values.to_numpy(dtype=float)
    try:
        return values.astype(object).where(values.notna(), np.nan).to_numpy(dtype=float)
    except (TypeError, ValueError):
        odd = next(value for value in values.dropna() if not _numeric(value))
        raise _not_a_number(column, odd) from None


def _not_a_number(column: Column, found: object) -> Refused:
    return refuse(
        "predictor-type",
        subject=f"column {column.name}",
        found=f"it is declared as {column.type} and holds {found!s}",
        remedy="correct the value, name it under `missing:`, or declare the column as a category",
    )


def _numeric(value: object) -> bool:
    try:
        float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False
    return True


def _category_block(values: pd.Series, column: Column) -> Matrix:
    places = {level: place for place, level in enumerate(column.levels)}
    place = np.array([places.get(str(value), np.nan) if known else np.nan for value, known in _pairs(values)])
    if not one_hot(column):
        return place.reshape(-1, 1)
    block: Matrix = (place[:, None] == np.arange(len(column.levels))).astype(float)
    block[np.isnan(place)] = np.nan
    return block


def _pairs(values: pd.Series) -> zip[tuple[object, bool]]:
    return zip(values.to_numpy(dtype=object), values.notna().to_numpy(), strict=True)
