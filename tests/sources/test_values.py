"""Columns of text → numbers and dates."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.problems import Problem
from prognoscope.sources import to_date, to_number


def numbers(*texts: str | None) -> tuple[list[float], tuple[Problem, ...]]:
    values, problems = to_number(pd.Series(list(texts), name="size", dtype=object))
    return values.tolist(), problems


def dates(*texts: str | None) -> tuple[list[date | None], tuple[Problem, ...]]:
    values, problems = to_date(pd.Series(list(texts), name="day", dtype=object))
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
    values, problems = numbers("1", "unknown", "> 5", "nan", "inf", "1_000")
    assert values[0] == 1
    assert np.isnan(values[1:]).all()
    assert problems[0].subject == "column size"
    assert "5 of its cells" in problems[0].found
    assert "'unknown', '> 5', 'nan', 'inf', '1_000'" in problems[0].found


def test_an_empty_column_is_no_problem() -> None:
    values, problems = numbers(None, None)
    assert np.isnan(values).all()
    assert problems == ()


@pytest.mark.parametrize("text", ["2024-01-31", "2024-01-31 08:30:00", "20240131", "31.1.2024", "31.01.2024"])
def test_dates_that_leave_no_doubt(text: str) -> None:
    assert dates(text, None) == ([date(2024, 1, 31), None], ())


def test_one_day_above_twelve_settles_the_order() -> None:
    assert dates("1/2/2024", "31/1/2024")[0] == [date(2024, 2, 1), date(2024, 1, 31)]
    assert dates("1/2/2024", "1/31/2024")[0] == [date(2024, 1, 2), date(2024, 1, 31)]


@pytest.mark.parametrize("texts", [("1/2/2024", "3/4/2024"), ("31/1/2024", "1/31/2024")])
def test_an_order_that_nothing_settles_is_refused(texts: tuple[str, str]) -> None:
    values, problems = dates(*texts)
    assert values == [None, None]
    assert [problem.code for problem in problems] == ["date-ambiguous"]


def test_days_that_do_not_exist_are_named() -> None:
    values, problems = dates("2024-02-30", "2024-02-28")
    assert values == [None, date(2024, 2, 28)]
    assert problems[0].code == "date-unreadable"
    assert "'2024-02-30'" in problems[0].found
