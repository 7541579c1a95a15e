"""What a table seems to hold, column by column: a start for a study file, never a decision."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from prognoscope.core.numbers import to_number
from prognoscope.sources.tables import read_table
from prognoscope.sources.values import to_date

LikelyType = Literal["number", "category", "boolean", "date", "text"]
MISSING_WORDS = ("--", "-", "N/A", "n/a", "NA", "NaN", "nan", "NULL", "null", "None", "?", ".", "#N/A", "missing")
BOOLEANS = ({"0", "1"}, {"yes", "no"}, {"y", "n"}, {"true", "false"})
MOST_LEVELS = 20
ID_WORDS = ("patient", "subject", "case", "participant", "mrn", "id")


@dataclass(frozen=True, slots=True)
class ColumnDescription:
    """What a column seems to hold.

    Attributes
    ----------
    name, type
        Its name and its likely type.
    missing_share
        Share of rows without a value, in [0, 1], the table's missing words counted as missing.
    levels
        Distinct values of a category or boolean, sorted; empty for other types.
    unique
        Whether no two rows share a value and none is missing.
    """

    name: str
    type: LikelyType
    missing_share: float
    levels: tuple[str, ...]
    unique: bool


@dataclass(frozen=True, slots=True)
class TableDescription:
    """A table as it looks.

    Attributes
    ----------
    rows, columns
        Number of rows, and the columns in the file's order.
    missing_words
        Texts found that probably mean "not recorded".
    id_candidates
        Columns that may identify the patient, the likeliest first.
    """

    rows: int
    columns: tuple[ColumnDescription, ...]
    missing_words: tuple[str, ...]
    id_candidates: tuple[str, ...]


def describe_table(path: Path) -> TableDescription:
    """Describe a table; refuses what `read_table` refuses."""
    raw = read_table(path)
    present = {str(cell) for name in raw for cell in raw[name].dropna().unique()}
    words = tuple(word for word in MISSING_WORDS if word in present)
    frame = raw.mask(raw.isin(words), None) if words else raw
    columns = tuple(_column(frame[name]) for name in frame)
    unique = [column.name for column in columns if column.unique]
    return TableDescription(len(frame), columns, words, tuple(sorted(unique, key=_id_rank)))


def _column(column: pd.Series) -> ColumnDescription:
    present = column.dropna().astype(str)
    levels = tuple(sorted(present.unique()))
    likely = _likely_type(present, levels)
    return ColumnDescription(
        name=str(column.name),
        type=likely,
        missing_share=float(column.isna().mean()) if len(column) else 0.0,
        levels=levels if likely in ("category", "boolean") else (),
        unique=len(column) > 0 and len(present) == len(column) == len(levels),
    )


def _likely_type(present: pd.Series, levels: tuple[str, ...]) -> LikelyType:
    if present.empty:
        return "text"
    distinct = pd.Series(levels, name=present.name, dtype=object)  # each text once tells as much, and sooner
    if len(levels) == 2 and {level.casefold() for level in levels} in BOOLEANS:
        return "boolean"
    zeros = distinct.str.fullmatch(r"0\d+").any()
    if not zeros and not to_number(distinct)[1]:
        compact = distinct.str.fullmatch(r"(19|20)\d{6}").all()
        return "date" if compact and not to_date(distinct)[1] else "number"
    if not to_date(distinct)[1]:
        return "date"
    few = len(levels) <= MOST_LEVELS and len(levels) <= max(2, len(present) // 2)
    return "category" if few else "text"


def _id_rank(name: str) -> tuple[int, str]:
    lower = name.casefold()
    return next((rank for rank, word in enumerate(ID_WORDS) if word in lower), len(ID_WORDS)), name
