"""What a table seems to hold, column by column: a start for a study file, never a decision."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from prognoscope.core.numbers import to_number
from prognoscope.sources.values import to_date

LikelyType = Literal["number", "category", "boolean", "date", "text"]
MISSING_WORDS = ("--", "-", "N/A", "n/a", "NA", "NaN", "nan", "NULL", "null", "None", "?", ".", "#N/A", "missing")
BOOLEANS = ({"0", "1"}, {"yes", "no"}, {"y", "n"}, {"true", "false"})
MOST_LEVELS = 20
LEADING_ZERO, COMPACT_DATE = re.compile(r"0\d+"), re.compile(r"(19|20)\d{6}")
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


def describe_table(table: pd.DataFrame) -> TableDescription:
    """Describe a table as `read_table` gives it."""
    present = {cell for name in table for cell in table[name].tolist() if cell is not None}
    words = tuple(word for word in MISSING_WORDS if word in present)
    frame = without_words(table, words)
    columns = tuple(_column(frame[name]) for name in frame)
    unique = [column.name for column in columns if column.unique]
    return TableDescription(len(frame), columns, words, tuple(sorted(unique, key=_id_rank)))


def without_words(table: pd.DataFrame, words: Sequence[str]) -> pd.DataFrame:
    """Return the table with None in place of each cell that holds one of the words."""
    return table.mask(table.isin(words), None) if words else table


def _column(column: pd.Series) -> ColumnDescription:
    cells = column.tolist()
    present = [str(cell) for cell in cells if isinstance(cell, str)]
    levels = tuple(sorted(set(present)))
    likely = _likely_type(len(present), levels)
    return ColumnDescription(
        name=str(column.name),
        type=likely,
        missing_share=(len(cells) - len(present)) / len(cells) if cells else 0.0,
        levels=levels if likely in ("category", "boolean") else (),
        unique=len(cells) > 0 and len(present) == len(cells) == len(levels),
    )


def _likely_type(number: int, levels: tuple[str, ...]) -> LikelyType:
    """By the different texts of a column and the number of its cells that hold one."""
    if not levels:
        return "text"
    distinct = pd.Series(levels, dtype=object)  # each text once tells as much, and sooner
    if len(levels) == 2 and {level.casefold() for level in levels} in BOOLEANS:
        return "boolean"
    zeros = any(map(LEADING_ZERO.fullmatch, levels))
    if not zeros and not to_number(distinct)[1]:
        compact = all(map(COMPACT_DATE.fullmatch, levels))
        return "date" if compact and not to_date(distinct)[1] else "number"
    if not to_date(distinct)[1]:
        return "date"
    few = len(levels) <= MOST_LEVELS and len(levels) <= max(2, number // 2)
    return "category" if few else "text"


def _id_rank(name: str) -> tuple[int, str]:
    lower = name.casefold()
    return next((rank for rank, word in enumerate(ID_WORDS) if word in lower), len(ID_WORDS)), name
