"""Text → numbers, by one rule for a whole column: every room that reads a table reads its numbers alike."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prognoscope.core.problems import Problem

AMBIGUOUS = "number-ambiguous"
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
COMMA_NUMBER = re.compile(r"[+-]?\d+(,\d+)?([eE][+-]?\d+)?")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
IDENTIFIER = re.compile(r"0\d+")


def to_number(column: pd.Series) -> tuple[pd.Series, tuple[Problem, ...]]:
    """Read a column of text as numbers.

    A decimal comma is read where the whole column is written with it. `1,234` alone may be a thousand or a fraction:
    a column with nothing else to decide it by is a problem.

    Returns
    -------
    float64 with NaN where the text is missing or no finite number, in the column's index; one problem per kind of
    trouble (`number-ambiguous`, `number-unreadable`).
    """
    name, present = str(column.name), column.notna().to_numpy()
    texts = [str(text) for text, there in zip(column.tolist(), present, strict=True) if there]
    values = np.full(len(column), np.nan)
    with_comma = [text for text in texts if "," in text]
    if with_comma and all(map(COMMA_NUMBER.fullmatch, texts)):
        if all(map(THOUSANDS.fullmatch, with_comma)):
            return _filled(column, values), (_ambiguous(name, with_comma[0]),)
        values[present] = [float(text.replace(",", ".")) for text in texts]
        return _filled(column, values), ()
    values[present] = [float(text) if _is_number(text) else np.nan for text in texts]
    odd = [text for text in texts if not _is_number(text)]
    return _filled(column, values), (_not_all(name, odd),) if odd else ()


def _filled(column: pd.Series, values: NDArray[np.float64]) -> pd.Series:
    return pd.Series(values, index=column.index, name=column.name)


def equal_number(text: str, other: str) -> bool:
    """Whether two texts are one number (`-9`, `-9.0`); `007` is an identifier and equals only itself."""
    if IDENTIFIER.fullmatch(text) or IDENTIFIER.fullmatch(other):
        return text == other
    return _is_number(text) and _is_number(other) and float(text) == float(other)


def _is_number(text: str) -> bool:
    return bool(NUMBER.fullmatch(text)) and math.isfinite(float(text))


def _ambiguous(name: str, example: str) -> Problem:
    return Problem(
        code=AMBIGUOUS,
        subject=f"column {name}",
        found=f"{example!r} may be a thousand or a decimal fraction, and no other value tells",
        remedy="write the column with a decimal point and without separators of thousands",
    )


def _not_all(name: str, odd: Sequence[str]) -> Problem:
    shown = ", ".join(repr(text) for text in dict.fromkeys(odd[:5]))
    return Problem(
        code="number-unreadable",
        subject=f"column {name}",
        found=f"{len(odd)} of its cells hold no value that is a number (such as {shown})",
        remedy="list these texts under `missing:` if they mean not recorded, or correct them",
    )
