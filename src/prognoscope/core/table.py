"""Tables whose columns say what they are: a pandas frame with a schema.

The index is `patient_id`, always text. Parquet is the form on disk, with the schema in the file's metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from prognoscope.core.problems import refuse

ColumnType = Literal["number", "category", "boolean", "text"]
KnownAt = Literal["time_zero", "later", "undeclared"]
Origin = Literal["clinical", "imaging"]
PATIENT = "patient_id"


@dataclass(frozen=True, slots=True)
class Column:
    """What a column of a table means.

    Attributes
    ----------
    name
        Its name in the frame.
    type
        `number` (float64, NaN missing), `category` (text, None missing), `boolean` or `text`.
    unit
        Unit of a number (UCUM-like: `mm`, `mm3`, `year`, `HU`, `1` for none); empty for others.
    meaning
        One sentence for the report.
    origin
        `clinical` or `imaging`: which predictors a clinical-only model may use.
    known_at
        `time_zero` (known when the prediction is made), `later` (may never be a predictor) or `undeclared`.
    levels
        The values of a category in their order; empty where it has none.
    ordered
        Whether the order of `levels` has a meaning (a grade has, a histology has not).
    """

    name: str
    type: ColumnType
    unit: str = ""
    meaning: str = ""
    origin: Origin = "clinical"
    known_at: KnownAt = "undeclared"
    levels: tuple[str, ...] = ()
    ordered: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A frame indexed by `patient_id` (text, unique) and a schema with one entry per column, in the frame's order."""

    frame: pd.DataFrame
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if list(self.frame.columns) != names:
            raise refuse(
                "table-schema",
                subject="table",
                found=f"its columns are {list(self.frame.columns)}, its schema says {names}",
                remedy="describe each column once, in the order of the table",
            )
        if self.frame.index.has_duplicates:
            twice = self.frame.index[self.frame.index.duplicated()][0]
            raise refuse(
                "patient-twice",
                subject=f"patient {twice}",
                found="the table has more than one row",
                remedy="keep one row per patient",
            )

    def __len__(self) -> int:
        return len(self.frame)

    def column(self, name: str) -> Column:
        """Return the description of a column; KeyError when there is none of that name."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def select(self, names: Iterable[str]) -> Table:
        """Return the table of some columns, in the order given."""
        wanted = list(names)
        return Table(self.frame[wanted], tuple(self.column(name) for name in wanted))

    def of_origin(self, origin: Origin) -> Table:
        """Return the table of the clinical or the imaging columns."""
        return self.select(column.name for column in self.columns if column.origin == origin)

    def take(self, patients: Sequence[str]) -> Table:
        """Return the rows of some patients, in the order given."""
        return Table(self.frame.loc[list(patients)], self.columns)


def join(tables: Sequence[Table]) -> Table:
    """Put tables of the same patients side by side; rows in the order of the first table.

    Raises
    ------
    Refused
        `column-twice` when two tables have a column of one name.
    """
    columns = tuple(column for table in tables for column in table.columns)
    names = [column.name for column in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise refuse(
            "column-twice",
            subject=f"column {twice[0]}",
            found="two tables have it",
            remedy="rename one of them with `name:` in the study file",
        )
    index = tables[0].frame.index
    return Table(pd.concat([table.frame.reindex(index) for table in tables], axis=1), columns)


def renamed(column: Column, name: str) -> Column:
    """Return the same description under another name."""
    return replace(column, name=name)
