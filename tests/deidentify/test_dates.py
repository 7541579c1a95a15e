"""Dates in DICOM's forms and in people's, moved by a number of days."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prognoscope.deidentify.dates import replace_known_days, replace_written, shift_da, shift_dt


def written(text: str, days: int | None) -> str:
    return replace_written(text, days, moved=str, removed=lambda _: "…")


@pytest.mark.parametrize(
    ("before", "days", "after"),
    [
        ("20200301", -1, "20200229"),  # a leap day
        ("19000101", -1, "18991231"),
        ("2020.03.01", -1, "20200229"),  # the form of ACR-NEMA
        (" 20200301 ", 1, "20200302"),
    ],
)
def test_a_date_element_moves(before: str, days: int, after: str) -> None:
    assert shift_da(before, days) == after


@pytest.mark.parametrize("nonsense", ["20201301", "DOE^JANE", "202003", "", "00010101"])
def test_what_is_no_date_can_not_be_moved(nonsense: str) -> None:
    assert shift_da(nonsense, -400) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("20200301120000.123456+0100", "20200229120000.123456+0100"),
        ("20200301", "20200229"),
        ("202003", "202002"),
        ("2020", "2020"),
    ],
)
def test_a_date_time_keeps_its_precision_time_and_zone(before: str, after: str) -> None:
    assert shift_dt(before, -1) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("seen 2020-03-01.", "seen 2020-02-29."),
        ("seen 03/01/2020", "seen 02/29/2020"),
        ("seen 3/1/20", "seen 2/29/20"),
        ("am 01.03.2020", "am 29.02.2020"),
        ("20200301", "20200229"),
        ("T_20200301_120000", "T_20200229_120000"),
        ("on 1 March 2020", "on 29 February 2020"),
        ("on Mar 1, 2020", "on Feb 29, 2020"),
        ("31/12/2020", "30/12/2020"),  # only day first makes a date of it
        ("January the 1st, 2020", "December 31, 2019"),
        ("the first of March 2020", "the 29 February 2020"),
        ("thirty-first of December 2020", "30 December 2020"),
        ("am 1. März 2020", "am 29 Februar 2020"),
        ("le 1er mars 2020", "le 29 février 2020"),
        ("1 de enero de 2020", "31 diciembre 2019"),
        ("1 gennaio 2020", "31 dicembre 2019"),
        ("2020年3月1日", "2020年2月29日"),
        ("2020년 3월 1일", "2020년 2월 29일"),
        ("02 01 2020", "01 31 2020"),
        ("on 31 Jan", "on 30 Jan"),
        ("since May 5", "since May 4"),
    ],
)
def test_a_date_that_people_write_keeps_its_form(before: str, after: str) -> None:
    assert written(before, -1) == after


@pytest.mark.parametrize(
    "text",
    ["TE 102.5", "512 x 512", "version 4.7.1.2", "SUV 12.3 at 3/4", "L4/5", "1.2.840.10008.1.2.1", "b1000 3.5.7"],
)
def test_numbers_of_imaging_are_no_dates(text: str) -> None:
    assert written(text, -400) == text


def test_years_of_japanese_reigns_are_taken_out() -> None:
    assert written("令和2年3月1日 検査", -1) == "… 検査"


@pytest.mark.parametrize("text", ["stage 3 may progress", "20 mar", "first post contrast", "Dec 5 mm"])
def test_words_that_are_months_too_are_no_dates(text: str) -> None:
    assert written(text, -400) == text


def test_without_a_shift_dates_are_taken_out() -> None:
    assert written("born 1956-03-12, seen May 2019", None) == "born …, seen …"


def test_what_looks_like_a_date_and_is_none_is_taken_out() -> None:
    assert written("2020-13-45", -1) == "…"


@given(st.dates(dt.date(1902, 1, 1), dt.date(2100, 1, 1)), st.integers(-3650, -365))
def test_moving_is_exact_for_any_date(day: dt.date, days: int) -> None:
    moved = shift_da(f"{day:%Y%m%d}", days)
    assert moved is not None
    assert dt.datetime.strptime(moved, "%Y%m%d").date() - day == dt.timedelta(days=days)


STUDY = frozenset({"20190304", "20190305", "19531117"})


def without_year(text: str, days: int | None = -400) -> str:
    return replace_known_days(text, STUDY, days, moved=str, removed=lambda _: "#")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seen on 3/4", "seen on 1/28"),  # 4 March 2019 less 400 days is 28 January 2018
        ("seen 04/03", "seen 28/01"),
        ("am 4.3. Kontrolle", "am 28.1. Kontrolle"),
        ("11/17 and 3/5", "10/13 and 1/29"),
    ],
)
def test_a_day_of_the_study_without_its_year_moves_with_the_study(text: str, expected: str) -> None:
    assert without_year(text) == expected
    assert "/" not in without_year(text, None) or "#" in without_year(text, None)


@pytest.mark.parametrize(
    "text",
    [
        "T3/4",
        "L3/4 disc",
        "grade 3/4",
        "series 3/4",
        "3/4 of the lobe",
        "3/4 mm",
        "4.3 cm",
        "1/2",
        "5/6",
        "3/4/5",
        "12.3.4",
    ],
)
def test_parts_grades_and_shares_stay(text: str) -> None:
    assert without_year(text) == text


def test_what_may_be_two_days_of_the_study_is_taken_out() -> None:
    known = frozenset({"20190304", "20190403"})
    assert replace_known_days("on 3/4", known, -400, moved=str, removed=lambda _: "#") == "on #"


def test_dates_without_any_mark_between_move_too() -> None:
    assert replace_written("17NOV1953", -400, moved=str, removed=lambda _: "#") == "13Oct1952"
