"""Read one column of a table of text: numbers, and the problem that names the first cell that is none."""

from __future__ import annotations

import pandas as pd

from prognoscope.core.problems import refuse
from prognoscope.core.settings import nearest

MOSTLY = 0.5


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
    """Return a column as float64, NaN where missing; a decimal comma is read.

    Raises
    ------
    Refused
        `column-missing`; `not-a-number`, naming patient and cell.
    """
    text = text_column(frame, name)
    numbers = pd.to_numeric(text.str.replace(",", ".", regex=False), errors="coerce").astype(float)
    bad = text[text.notna() & ~numbers.abs().lt(float("inf"))]
    if len(bad):
        raise refuse(
            "not-a-number",
            subject=f"column {name}, patient {bad.index[0]}",
            found=f"“{bad.iloc[0]}” is not a number" + (f" (and {len(bad) - 1} more cells)" if len(bad) > 1 else ""),
            remedy="correct the cell, or list the text under `data: missing:` if it means unknown",
        )
    return numbers


def looks_numeric(text: pd.Series) -> bool:
    """Whether most known cells of a text column read as numbers, so that the others are mistakes and not levels."""
    known = text.dropna()
    numbers = pd.to_numeric(known.str.replace(",", ".", regex=False), errors="coerce")
    return len(known) > 0 and bool(numbers.notna().mean() > MOSTLY)


def same_value(cell: str, wanted: str) -> bool:
    """Whether two cells mean one value: equal text, or equal numbers (`1`, `1.0`)."""
    if cell == wanted:
        return True
    try:
        return float(cell) == float(wanted)
    except ValueError:
        return False
