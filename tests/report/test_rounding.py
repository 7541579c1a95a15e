"""Numbers are written as a person reads them aloud, and always in the same way."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prognoscope.report.rounding import (
    capital,
    count,
    figure,
    interval,
    joined,
    of_hundred,
    sentence,
    span,
    unit,
    with_interval,
)
from prognoscope.validation.results import Metric

NAN = math.nan


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.7149, 2, "0.71"),
        (-0.1, 2, "−0.10"),
        (-0.001, 2, "0.00"),
        (0.1, 3, "0.100"),
        (12.0, 0, "12"),
        (NAN, 2, "not computable"),
        (math.inf, 2, "∞"),
        (-math.inf, 2, "−∞"),
    ],
)
def test_a_figure_has_fixed_decimals_and_a_true_minus(value: float, decimals: int, text: str) -> None:
    assert figure(value, decimals) == text


def test_a_metric_stands_with_its_interval() -> None:
    assert with_interval(Metric(0.71, 0.56, 0.84, 51, 19)) == "0.71 (95 % interval 0.56 to 0.84)"
    assert with_interval(Metric(0.1924, 0.1601, 0.22, 51, 19), 3) == "0.192 (95 % interval 0.160 to 0.220)"


def test_a_metric_that_is_not_computable_says_why() -> None:
    assert with_interval(Metric(NAN, NAN, NAN, 8, 0, "no event")) == "not computable (no event)"
    assert with_interval(Metric(NAN, NAN, NAN, 8, 0)) == "not computable"


def test_a_metric_without_interval_says_why() -> None:
    assert with_interval(Metric(0.5, NAN, NAN, 8, 2, "too few resamples")) == "0.50 (no interval: too few resamples)"
    assert with_interval(Metric(0.5, NAN, NAN, 8, 2)) == "0.50 (no interval)"


def test_half_an_interval_is_none() -> None:
    assert interval(0.1, NAN) == ""
    assert interval(NAN, 0.1) == ""


@given(st.floats(-10, 10), st.floats(0, 5), st.floats(0, 5))
def test_rounding_never_puts_an_estimate_outside_its_interval(value: float, below: float, above: float) -> None:
    texts = (figure(value - below), figure(value), figure(value + above))
    low, middle, high = (float(text.replace("−", "-")) for text in texts)
    assert low <= middle <= high


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0"),
        (0.0001, "fewer than 1"),
        (0.005, "1"),
        (0.225, "23"),
        (0.3725, "37"),
        (0.996, "more than 99"),
        (1.0, "100"),
        (NAN, "not computable"),
    ],
)
def test_a_share_is_told_out_of_a_hundred(share: float, text: str) -> None:
    assert of_hundred(share) == text


def test_a_number_agrees_with_its_noun() -> None:
    assert count(1, "patient") == "1 patient"
    assert count(0, "patient") == "0 patients"
    assert count(1204, "patient") == "1,204 patients"
    assert count(2, "person", "people") == "2 people"


@pytest.mark.parametrize(
    ("days", "text"),
    [(30.0, "30 days"), (183.0, "183 days (6 months)"), (730.0, "730 days (2.0 years)"), (45.5, "45.5 days")],
)
def test_a_span_of_days_is_also_told_in_months_or_years(days: float, text: str) -> None:
    assert span(days) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mm3", "mm³"),
        ("mm2", "mm²"),
        ("1", ""),
        ("", ""),
        ("intensity2", "intensity²"),
        ("HU", "HU"),
        ("SUV^2", "SUV²"),
        ("g.mm3", "g·mm³"),
        ("1/mm", "1/mm"),
    ],
)
def test_a_unit_is_printed_with_its_power_and_none_is_nothing(name: str, text: str) -> None:
    assert unit(name) == text


def test_a_list_reads_like_a_sentence() -> None:
    assert joined([]) == ""
    assert joined(["a"]) == "a"
    assert joined(("a", "b")) == "a and b"
    assert joined(["a", "b", "c"]) == "a, b and c"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("age, year", "Age, year"),
        ("pH of blood", "pH of blood"),
        ("mRNA", "mRNA"),
        ("", ""),
        ("18F uptake", "18F uptake"),
    ],
)
def test_a_name_gets_a_capital_unless_it_has_its_own(text: str, shown: str) -> None:
    assert capital(text) == shown


@pytest.mark.parametrize(
    ("text", "whole"),
    [("", ""), ("  ", ""), ("one word", "One word."), ("Done.", "Done."), ("AUC 0.7", "AUC 0.7."), ("why?", "Why?")],
)
def test_a_text_becomes_a_sentence(text: str, whole: str) -> None:
    assert sentence(text) == whole
