"""Columns of text → dates, by one rule for the whole column; a cell that does not fit is a problem."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date

import pandas as pd

from prognoscope.core.problems import Problem

ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})([T ].*)?")
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


def to_date(column: pd.Series) -> tuple[pd.Series, tuple[Problem, ...]]:
    """Read a column of text as dates: ISO, `YYYYMMDD`, `D.M.YYYY`, and `D/M/YYYY` or `M/D/YYYY` where a day tells.

    Returns
    -------
    `datetime.date` objects with None where the text is missing or no date; one problem per kind of trouble.
    """
    present = column.notna().tolist()
    texts = [str(text) for text, there in zip(column.tolist(), present, strict=True) if there]
    slashed = [found for text in texts if (found := SLASHED.fullmatch(text))]
    day_first = any(int(found[1]) > 12 for found in slashed)
    month_first = any(int(found[2]) > 12 for found in slashed)
    if slashed and day_first == month_first:
        return _filled(column, [None] * len(column)), (_ambiguous_date(str(column.name), slashed[0][0]),)
    read = [_date(text, day_first=day_first) for text in texts]
    following = iter(read)
    odd = [text for text, day in zip(texts, read, strict=True) if day is None]
    values = _filled(column, [next(following) if there else None for there in present])
    return values, (_not_all(str(column.name), odd),) if odd else ()


def _filled(column: pd.Series, values: list[date | None]) -> pd.Series:
    return pd.Series(values, index=column.index, dtype=object, name=column.name)


def _date(text: str, *, day_first: bool) -> date | None:
    orders: Sequence[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[str, str, str]]]] = (
        (ISO, lambda m: (m[1], m[2], m[3])),
        (COMPACT, lambda m: (m[1], m[2], m[3])),
        (DOTTED, lambda m: (m[3], m[2], m[1])),
        (SLASHED, lambda m: (m[3], m[2], m[1]) if day_first else (m[3], m[1], m[2])),
    )
    for pattern, order in orders:
        if match := pattern.fullmatch(text):
            try:
                year, month, day = (int(part) for part in order(match))
                return date(year, month, day)
            except ValueError:
                return None
    return None


def _ambiguous_date(name: str, example: str) -> Problem:
    return Problem(
        code="date-ambiguous",
        subject=f"column {name}",
        found=f"{example!r} may begin with the day or the month, and the other values do not tell",
        remedy="write dates as YYYY-MM-DD",
    )


def _not_all(name: str, odd: Sequence[str]) -> Problem:
    shown = ", ".join(repr(text) for text in dict.fromkeys(odd[:5]))
    return Problem(
        code="date-unreadable",
        subject=f"column {name}",
        found=f"{len(odd)} of its cells hold no value that is a date (such as {shown})",
        remedy="list these texts under `missing:` if they mean not recorded, or correct them",
    )
