"""Eligibility as column, operator and value: no code in a study file."""

from __future__ import annotations

from typing import Self

import pandas as pd
from pydantic import Field, model_validator

from prognoscope.cohort.columns import number_column, same_value, text_column, word_of
from prognoscope.core.flow import Exclusion
from prognoscope.core.problems import Problem
from prognoscope.core.settings import Settings

Value = str | int | float | bool


class Filter(Settings):
    """One rule that a participant must fulfil: a column and at least one operator."""

    column: str = Field(description="column of the table")
    at_least: float | None = Field(None, description="the number is this or more")
    at_most: float | None = Field(None, description="the number is this or less")
    above: float | None = Field(None, description="the number is more than this")
    below: float | None = Field(None, description="the number is less than this")
    is_: Value | tuple[Value, ...] | None = Field(
        None, alias="is", description="the cell is this value, or one of them"
    )
    is_not: Value | tuple[Value, ...] | None = Field(None, description="the cell is none of these values")
    unit: str = Field("", description="unit of the numbers, for the report")
    missing: str = Field(
        "exclude", pattern="^(exclude|keep)$", description="what a missing cell means: `exclude` (default) or `keep`"
    )

    @model_validator(mode="after")
    def _has_operator(self) -> Self:
        if all(value is None for value in (self.at_least, self.at_most, self.above, self.below, self.is_, self.is_not)):
            raise ValueError("a rule needs an operator: at_least, at_most, above, below, is or is_not")
        return self

    def words(self) -> str:
        """Return the rule as a person would say it: `age at least 18 year`."""
        parts = [
            f"{name.replace('_', ' ')} {value:g}"
            for name in ("at_least", "at_most", "above", "below")
            if (value := getattr(self, name)) is not None
        ]
        parts += [f"is {' or '.join(_texts(self.is_))}"] if self.is_ is not None else []
        parts += [f"is not {' or '.join(_texts(self.is_not))}"] if self.is_not is not None else []
        return " ".join(filter(None, [self.column, " and ".join(parts), self.unit]))


def ineligible(frame: pd.DataFrame, filters: tuple[Filter, ...]) -> tuple[Exclusion, ...]:
    """Return one exclusion for each patient who fails a rule, by the first rule failed.

    Parameters
    ----------
    frame
        Cells as text (None missing), indexed by `patient_id`.
    filters
        Rules, applied in their order.

    Raises
    ------
    Refused
        `column-missing`, `not-a-number`.
    """
    excluded: dict[str, Exclusion] = {}
    for rule in filters:
        cells = text_column(frame, rule.column)
        fails = _fails(frame, rule, cells)
        for patient in frame.index[fails]:
            found = "unknown" if pd.isna(cells[patient]) else f"“{cells[patient]}”"
            problem = Problem(
                "not-eligible",
                f"patient {patient}",
                f"{rule.column} is {found}, the study asks for {rule.words()}",
                "nothing, if the rule is meant so",
            )
            excluded.setdefault(patient, Exclusion(patient, "eligibility", problem))
    return tuple(excluded[patient] for patient in frame.index if patient in excluded)


def _fails(frame: pd.DataFrame, rule: Filter, cells: pd.Series) -> pd.Series:
    fails = pd.Series(False, index=frame.index)
    bounds = (rule.at_least, rule.at_most, rule.above, rule.below)
    if any(bound is not None for bound in bounds):
        numbers = number_column(frame, rule.column)
        for bound, wrong in zip(bounds, (numbers.lt, numbers.gt, numbers.le, numbers.ge), strict=True):
            if bound is not None:
                fails |= wrong(bound)
    if rule.is_ is not None:
        fails |= cells.notna() & ~_one_of(cells, rule.is_)
    if rule.is_not is not None:
        fails |= _one_of(cells, rule.is_not)
    return fails | cells.isna() if rule.missing == "exclude" else fails


def _one_of(cells: pd.Series, values: Value | tuple[Value, ...]) -> pd.Series:
    wanted = _texts(values)
    return cells.map(lambda cell: isinstance(cell, str) and any(same_value(cell, value) for value in wanted)).astype(
        bool
    )


def _texts(values: Value | tuple[Value, ...]) -> list[str]:
    return [word_of(value) for value in (values if isinstance(values, tuple) else (values,))]
