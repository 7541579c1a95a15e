"""Read one column of a table of text: numbers, and the problem that names the first cell that is none."""

from __future__ import annotations

import pandas as pd

from prognoscope.core.numbers import AMBIGUOUS, equal_number, to_number
from prognoscope.core.problems import Refused, refuse
from prognoscope.core.settings import nearest

MOSTLY = 0.5
BOOLEANS = ("true", "false")


def text_column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column of text (None where missing), outer blanks removed.

    Raises
    ------
    Refused
        `column-missing` when the table has none of that name, with the nearest one.
    """
    if name not in frame.columns:
        near = nearest(name, [str(column) for column in frame.columns])
        raise refuse(
            "column-missing",
            subject=f"column {name}",
            found="the table has no such column" + (f", but has {near}" if near else ""),
            remedy="correct the name in the study file, or choose one of: " + ", ".join(map(str, frame.columns)),
        )
    return frame[name].map(lambda cell: cell.strip() or None, na_action="ignore")


def number_column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a column as float64, NaN where missing; a decimal comma is read where the whole column has it.

    Raises
    ------
    Refused
        `column-missing`; `number-ambiguous` where `1,234` may be a thousand or a fraction; `not-a-number`, naming
        patient and cell.
    """
    text = text_column(frame, name)
    numbers, problems = to_number(text)
    if any(problem.code == AMBIGUOUS for problem in problems):
        raise Refused(problems[0])
    bad = text[text.notna() & numbers.isna()]
    if len(bad):
        among = " where other cells have no comma" if "," in bad.iloc[0] and numbers.notna().any() else ""
        more = f" (and {len(bad) - 1} more cells)" if len(bad) > 1 else ""
        raise refuse(
            "not-a-number",
            subject=f"column {name}, patient {bad.index[0]}",
            found=f"“{bad.iloc[0]}” is not a number{among}{more}",
            remedy="correct the cell, or list the text under `data: missing:` if it means unknown",
        )
    return numbers


def category_column(frame: pd.DataFrame, name: str, levels: tuple[str, ...]) -> pd.Series:
    """Return a column as text, each cell spelt as the level that it equals (`1.0` as `1`, `True` as `true`).

    None where missing; a cell that equals no level stays as it is.

    Raises
    ------
    Refused
        `column-missing`.
    """
    text = text_column(frame, name)
    spelt = {
        cell: cell if cell in levels else next((level for level in levels if same_value(cell, level)), cell)
        for cell in text.dropna().unique()
    }
    return pd.Series([spelt.get(cell) for cell in text], index=text.index, dtype=object)


def looks_numeric(text: pd.Series) -> bool:
    """Whether most known cells of a text column read as numbers, so that the others are mistakes and not levels."""
    known = text.dropna()
    numbers, problems = to_number(known)
    ambiguous = any(problem.code == AMBIGUOUS for problem in problems)
    return len(known) > 0 and (ambiguous or bool(numbers.notna().mean() > MOSTLY))


def word_of(value: str | float | bool) -> str:
    """Return a value of a study file as a cell would hold it: `true` is no `True`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def same_value(cell: str, wanted: str) -> bool:
    """Whether two cells mean one value: equal text, equal numbers (`1`, `1.0`), equal booleans (`True`, `true`)."""
    booleans = cell.lower() in BOOLEANS and cell.lower() == wanted.lower()
    return cell == wanted or booleans or equal_number(cell, wanted)
