"""Text from data is shown as it is written, and never becomes markup, formula, template or control sequence."""

from __future__ import annotations

import pytest

from prognoscope.report.legible import REPLACEMENT, legible, one_line
from tests.make.report import HOSTILE, STUDIES
from tests.report.pages import elements, page


def test_no_text_becomes_an_element() -> None:
    tags = {element.tag for element in elements("hostile")}
    assert tags == {element.tag for element in elements("survival")} | {"b", "br"}


def test_the_text_is_shown_in_every_place_it_was_given() -> None:
    shown = HOSTILE.replace("\x00", REPLACEMENT).replace("\u202e", REPLACEMENT).replace("\ud800", REPLACEMENT)
    whole = elements("hostile")[0].text
    # Study, question, outcome, flow, notes, cohort, importances, predictors, settings, versions, hashes and the rest.
    assert whole.count(shown) >= 50


def test_a_template_in_a_text_is_not_filled_in() -> None:
    assert "{{ 7*7 }}" in page("hostile")
    assert "&amp;49" not in page("hostile")


def test_a_formula_in_a_name_is_drawn_as_its_letters() -> None:
    drawn = [element.text for element in elements("hostile") if "svg" in element.parents and element.tag == "text"]
    assert any("<script>" in text for text in drawn)


def test_a_formula_that_cannot_be_parsed_does_not_stop_the_figure() -> None:
    assert r"$\frac{1}{0}$" in HOSTILE
    assert "fig-risk-groups" in page("hostile")


@pytest.mark.parametrize("study", STUDIES)
def test_the_page_can_be_written_as_utf8_and_holds_no_control_character(study: str) -> None:
    text = page(study).encode("utf-8").decode("utf-8")
    assert not [char for char in text if ord(char) < 32 and char not in "\n\t"]
    assert "\u202e" not in text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Grade II–III, µm², 腫瘍, é", "Grade II–III, µm², 腫瘍, é"),
        ("a\r\nb\tc", "a\nb\tc"),
        ("a\x00b\x1b[31mc", f"a{REPLACEMENT}b{REPLACEMENT}[31mc"),
        ("safe\u202egnp.exe", f"safe{REPLACEMENT}gnp.exe"),
        ("zero\u200bwidth", f"zero{REPLACEMENT}width"),
        ("half \ud83d", f"half {REPLACEMENT}"),
        ("whole 🩻", "whole 🩻"),
    ],
)
def test_what_cannot_be_seen_becomes_a_visible_mark(given: str, shown: str) -> None:
    assert legible(given) == shown


def test_a_label_stays_on_one_line() -> None:
    assert one_line("  two\n lines\tand a tab ") == "two lines and a tab"
