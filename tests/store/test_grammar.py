"""A query is read as it is meant, and a wrong one points at the character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prognoscope.core.problems import Refused
from prognoscope.store.grammar import Combined, Comparison, Negated, parse


def test_and_binds_more_tightly_than_or() -> None:
    node = parse("a = 1 or b = 2 and not c = 3")
    assert isinstance(node, Combined)
    assert node.how == "or"
    second = node.parts[1]
    assert isinstance(second, Combined)
    assert second.how == "and"
    assert isinstance(second.parts[1], Negated)


def test_parentheses_lists_quotes_and_keywords_in_capitals() -> None:
    node = parse('(modality IN (PT, "CT") AND description = "venous and late") OR age is unknown')
    assert isinstance(node, Combined)
    first = node.parts[0]
    assert isinstance(first, Combined)
    assert [part.values for part in first.parts if isinstance(part, Comparison)] == [("PT", "CT"), ("venous and late",)]


def test_blanks_around_operators_do_not_matter() -> None:
    assert parse("age>=18") == Comparison("age", ">=", ("18",), 0, (5,))


def test_nothing_is_everything() -> None:
    assert parse("  ") is None


@pytest.mark.parametrize(
    ("query", "character"),
    [
        ("modality", 9),
        ("modality =", 11),
        ("modality = PT and", 18),
        ("modality = PT age = 3", 15),
        ("(modality = PT", 15),
        ("modality = PT)", 14),
        ("modality = and", 12),
        ('modality = "PT', 12),
        ("age is old", 8),
        ("age in 3", 8),
        ("= 3", 1),
        ("modality == PT", 11),
    ],
)
def test_the_problem_points_at_the_character(query: str, character: int) -> None:
    with pytest.raises(Refused) as refused:
        parse(query)
    problem = refused.value.problem
    assert problem.code == "query-syntax"
    assert f"at character {character}\n" in problem.found
    assert problem.found.splitlines()[-1].index("^") == 4 + character - 1


def test_a_query_that_is_nested_too_deep() -> None:
    with pytest.raises(Refused):
        parse("(" * 5000 + "a = 1" + ")" * 5000)


def code(query: str) -> str:
    """The code of the problem that a query is, or nothing."""
    try:
        parse(query)
    except Refused as refused:
        return refused.problem.code
    return ""


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_a_problem(text: str) -> None:
    assert code(text) in ("", "query-syntax")


@given(st.lists(st.sampled_from(["a", "=", "~", "(", ")", "and", "or", "not", "in", ",", "1", "is", "known", "'x y'"])))
def test_any_words_are_a_query_or_a_problem(words: list[str]) -> None:
    assert code(" ".join(words)) in ("", "query-syntax")
