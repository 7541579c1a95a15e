"""Columns of text → dates."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from prognoscope.core.problems import Problem
from prognoscope.sources import to_date


def dates(*texts: str | None) -> tuple[list[date | None], tuple[Problem, ...]]:
    values, problems = to_date(pd.Series(list(texts), name="day", dtype=object))
    return values.tolist(), problems


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
