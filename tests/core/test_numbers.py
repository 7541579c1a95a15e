"""Columns of text → numbers, by one rule for every room."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.numbers import equal_number, to_number
from prognoscope.core.problems import Problem


def numbers(*texts: str | None) -> tuple[list[float], tuple[Problem, ...]]:
    values, problems = to_number(pd.Series(list(texts), name="size", dtype=object))
    return values.tolist(), problems


def test_numbers_as_they_are_usually_written() -> None:
    assert numbers("1", "-2.5", "+3", ".5", "1e-3", "007") == ([1, -2.5, 3, 0.5, 0.001, 7], ())


def test_a_missing_number_is_nan() -> None:
    values, problems = numbers("1", None)
    assert values[0] == 1
    assert np.isnan(values[1])
    assert problems == ()


def test_decimal_commas_where_the_whole_column_has_them() -> None:
    assert numbers("1,5", "2", "-0,25") == ([1.5, 2, -0.25], ())


def test_three_digits_after_every_comma_are_ambiguous() -> None:
    values, problems = numbers("1,234", "5,678")
    assert np.isnan(values).all()
    assert [problem.code for problem in problems] == ["number-ambiguous"]
    assert "'1,234'" in problems[0].found


def test_one_other_value_settles_the_comma() -> None:
    assert numbers("1,234", "5,6") == ([1.234, 5.6], ())


def test_commas_among_points_are_no_numbers() -> None:
    values, problems = numbers("1.5", "1,5")
    assert values[0] == 1.5
    assert np.isnan(values[1])
    assert problems[0].code == "number-unreadable"


def test_cells_that_are_no_number_are_named() -> None:
    values, problems = numbers("1", "unknown", "> 5", "nan", "inf", "1e999", "1_000")
    assert values[0] == 1
    assert np.isnan(values[1:]).all()
    assert problems[0].subject == "column size"
    assert "6 of its cells" in problems[0].found
    assert "'unknown', '> 5', 'nan', 'inf'" in problems[0].found


def test_an_empty_column_is_no_problem() -> None:
    values, problems = numbers(None, None)
    assert np.isnan(values).all()
    assert problems == ()


@pytest.mark.parametrize(
    ("text", "other", "equal"),
    [
        ("-9", "-9.0", True),
        ("1e3", "1000", True),
        ("7", "8", False),
        ("007", "7", False),  # an identifier keeps its zeros
        ("007", "007", True),
        ("0", "0.0", True),
        ("nan", "nan", False),
        ("NA", "NA", False),
    ],
)
def test_two_texts_are_one_number_or_not(text: str, other: str, equal: bool) -> None:
    assert equal_number(text, other) is equal
