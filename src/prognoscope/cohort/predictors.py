"""Clinical predictors: columns of text become typed, described columns."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BeforeValidator, Field, field_validator

from prognoscope.cohort.columns import category_column, looks_numeric, number_column, text_column, word_of
from prognoscope.core.numbers import to_number
from prognoscope.core.problems import Problem, refuse
from prognoscope.core.settings import Settings
from prognoscope.core.table import Column, KnownAt, Table

MOST_LEVELS = 12
MOST_LEVELS_SHARE = 0.5
UNKNOWN_WORDS = (
    "na",
    "n/a",
    "#n/a",
    "nan",
    "null",
    "none",
    "unknown",
    "unk",
    "missing",
    "not known",
    "?",
    "-",
    "--",
    ".",
)
UNKNOWN_NUMBERS = (-9, -99, -999, -9999, 99, 999, 9999)
_SAME_WORD = {"before": "time_zero", "after": "later"}


def _words(value: Any) -> Any:
    plain = isinstance(value, list | tuple) and all(isinstance(one, str | int | float) for one in value)
    return tuple(word_of(one) for one in value) if plain else value


class ClinicalPredictor(Settings):
    """A column of the table that may predict."""

    column: str = Field(description="column of the table")
    name: str = Field("", description="its name in the results; the column's own by default")
    type: Literal["number", "category"] | None = Field(
        None, description="`number` or `category`; told from unit, levels and cells where it is not given"
    )
    unit: str = Field("", description="unit of a number: `year`, `mm`, `1` for none")
    levels: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        (), description="the values of a category with an order, from low to high"
    )
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
        notes += _doubtful(frame, column, predictor)
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
    cells = category_column(frame, predictor.column, described.levels)
    strange = cells[cells.notna() & ~cells.isin(described.levels)]
    if len(strange):
        raise refuse(
            "unknown-level",
            subject=f"column {predictor.column}, patient {strange.index[0]}",
            found=f"“{strange.iloc[0]}” is not among the levels {', '.join(described.levels)}",
            remedy="add it to `levels:`, or list it under `data: missing:` if it means unknown",
        )
    return cells, described


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


def _doubtful(frame: pd.DataFrame, column: Column, predictor: ClinicalPredictor) -> list[Problem]:
    """Notes on what reads as a value and may be none: two spellings of one level, and words that mean unknown."""
    subject = f"column {predictor.column}"
    notes = []
    spellings: dict[str, list[str]] = {}
    for level in column.levels:
        spellings.setdefault("".join(level.split()).casefold(), []).append(level)
    for alike in (levels for levels in spellings.values() if len(levels) > 1):
        found = f"{' and '.join(f'“{level}”' for level in alike)} differ only in case or blanks and count as two values"
        notes.append(Problem("levels-alike", subject, found, "write them alike in the table if they mean one thing"))
    cells = text_column(frame, predictor.column).dropna()
    unknown = cells[_unknown_numbers(cells) if column.type == "number" else cells.map(_is_unknown).astype(bool)]
    if len(unknown) and not predictor.levels:
        found = f"“{unknown.iloc[0]}” counts as a value in {len(unknown)} of {len(cells)} known cells"
        remedy = "list it under `data: missing:` if it means unknown"
        notes.append(Problem("unknown-as-value", subject, found, remedy))
    return notes


def _is_unknown(cell: str) -> bool:
    return cell.casefold() in UNKNOWN_WORDS


def _unknown_numbers(cells: pd.Series) -> pd.Series:
    """Whether each cell holds a number that codes often use for unknown and that lies far from all others."""
    numbers, _ = to_number(cells)
    others = numbers[~numbers.isin(UNKNOWN_NUMBERS)]
    far = numbers.lt(0) & bool(others.ge(0).all()) | numbers.gt(2 * others.max())
    return numbers.isin(UNKNOWN_NUMBERS) & far & (len(others) > 0)


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
