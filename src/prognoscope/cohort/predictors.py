"""Clinical predictors: columns of text become typed, described columns."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
from pydantic import Field, field_validator

from prognoscope.cohort.columns import looks_numeric, number_column, text_column
from prognoscope.core.problems import Problem, refuse
from prognoscope.core.settings import Settings
from prognoscope.core.table import Column, KnownAt, Table

MOST_LEVELS = 12
MOST_LEVELS_SHARE = 0.5
_SAME_WORD = {"before": "time_zero", "after": "later"}


class ClinicalPredictor(Settings):
    """A column of the table that may predict."""

    column: str = Field(description="column of the table")
    name: str = Field("", description="its name in the results; the column's own by default")
    type: Literal["number", "category"] | None = Field(
        None, description="`number` or `category`; told from unit, levels and cells where it is not given"
    )
    unit: str = Field("", description="unit of a number: `year`, `mm`, `1` for none")
    levels: tuple[str, ...] = Field((), description="the values of a category with an order, from low to high")
    known_at: KnownAt = Field(
        "undeclared",
        description="`time_zero` (or `before`): known when predicting; `later` (or `after`): never a predictor",
    )
    meaning: str = Field("", description="one sentence for the report")

    @field_validator("known_at", mode="before")
    @classmethod
    def _one_word(cls, value: Any) -> Any:
        return _SAME_WORD.get(value, value) if isinstance(value, str) else value

    @property
    def result_name(self) -> str:
        """Name of the predictor in tables, bundle and report."""
        return self.name or self.column


def clinical_table(frame: pd.DataFrame, predictors: tuple[ClinicalPredictor, ...]) -> tuple[Table, tuple[Problem, ...]]:
    """Return the clinical predictors of all patients of a table of text, and notes about undeclared ones.

    Raises
    ------
    Refused
        `column-missing`, `not-a-number`; `known-too-late` for a predictor known only after time zero;
        `unknown-level` for a cell that is not among the levels given; `text-predictor` for free text.
    """
    notes = []
    columns = []
    values = {}
    for predictor in predictors:
        if predictor.known_at == "later":
            raise refuse(
                "known-too-late",
                subject=f"column {predictor.column}",
                found="it is known only after time zero, so no prediction can use it",
                remedy="remove it from `predictors:`",
            )
        if predictor.known_at == "undeclared":
            notes.append(
                Problem(
                    "known-at-undeclared",
                    f"column {predictor.column}",
                    "the study file does not say when it is known",
                    "add `known_at: time_zero` if it is known when the prediction is made",
                )
            )
        values[predictor.result_name], column = _read(frame, predictor)
        columns.append(column)
        notes += _constant(values[predictor.result_name], predictor)
    return Table(pd.DataFrame(values, index=frame.index), tuple(columns)), tuple(notes)


def _read(frame: pd.DataFrame, predictor: ClinicalPredictor) -> tuple[pd.Series, Column]:
    text = text_column(frame, predictor.column)
    kind = predictor.type or _guess(text, predictor)
    described = Column(
        name=predictor.result_name,
        type=kind,
        unit=predictor.unit or ("1" if kind == "number" else ""),
        meaning=predictor.meaning,
        origin="clinical",
        known_at=predictor.known_at,
        levels=predictor.levels or (() if kind == "number" else tuple(sorted(text.dropna().unique()))),
        ordered=bool(predictor.levels),
    )
    if kind == "number":
        return number_column(frame, predictor.column), described
    _refuse_free_text(text, predictor)
    strange = text[text.notna() & ~text.isin(described.levels)]
    if len(strange):
        raise refuse(
            "unknown-level",
            subject=f"column {predictor.column}, patient {strange.index[0]}",
            found=f"“{strange.iloc[0]}” is not among the levels {', '.join(described.levels)}",
            remedy="add it to `levels:`, or list it under `data: missing:` if it means unknown",
        )
    return pd.Series(
        [cell if isinstance(cell, str) else None for cell in text], index=text.index, dtype=object
    ), described


def _constant(values: pd.Series, predictor: ClinicalPredictor) -> list[Problem]:
    known = values.dropna().unique()
    if len(known) > 1:
        return []
    told = f"every participant has {known[0]}" if len(known) else "no participant has a value"
    return [
        Problem(
            "constant-predictor", f"column {predictor.column}", f"{told}, so it cannot predict", "nothing, or remove it"
        )
    ]


def _refuse_free_text(text: pd.Series, predictor: ClinicalPredictor) -> None:
    known = text.dropna()
    levels = known.nunique()
    if predictor.levels or levels <= MOST_LEVELS or levels <= len(known) * MOST_LEVELS_SHARE:
        return
    raise refuse(
        "text-predictor",
        subject=f"column {predictor.column}",
        found=f"{len(known)} known cells have {levels} different values (“{known.iloc[0]}”, …): text, not a category",
        remedy="use a column with few values, or list them with `levels:`",
    )


def _guess(text: pd.Series, predictor: ClinicalPredictor) -> Literal["number", "category"]:
    if predictor.levels:
        return "category"
    return "number" if predictor.unit or looks_numeric(text) else "category"
