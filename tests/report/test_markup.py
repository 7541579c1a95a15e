"""The page is sound HTML, needs nothing from elsewhere, and can be used without eyes or mouse."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import pytest

from tests.make.report import STUDIES
from tests.report.pages import elements, page

EVERY = pytest.mark.parametrize("study", STUDIES)


@EVERY
def test_every_element_is_closed_in_its_place(study: str) -> None:
    assert elements(study)[0].tag == "html"


@EVERY
def test_no_name_is_given_twice(study: str) -> None:
    names = Counter(element.attributes["id"] for element in elements(study) if "id" in element.attributes)
    assert [name for name, number in names.items() if number > 1] == []


@EVERY
def test_every_reference_inside_the_page_has_its_target(study: str) -> None:
    names = {element.attributes["id"] for element in elements(study) if "id" in element.attributes}
    wanted = set(re.findall(r"url\(#([^)]+)\)", page(study)))
    for element in elements(study):
        wanted |= {value[1:] for key, value in element.attributes.items() if key.endswith("href") and value[:1] == "#"}
        for key in ("aria-labelledby", "aria-describedby"):
            wanted |= set(element.attributes.get(key, "").split())
    assert wanted - names == set()


@EVERY
def test_nothing_is_fetched_and_no_script_runs(study: str) -> None:
    tags = {element.tag for element in elements(study)}
    assert not tags & {"script", "iframe", "object", "embed", "img", "base", "form", "input", "foreignobject"}
    for element in elements(study):
        for key, value in element.attributes.items():
            assert not key.startswith("on"), (element.tag, key)
            assert key not in {"src", "srcset", "action", "background", "poster"}, (element.tag, key)
            if key.endswith("href"):
                assert value.startswith("#") or value == "data:,", value
            if key == "style":
                assert "url(" not in value.replace("url(#", "")
    style = next(element for element in elements(study) if element.tag == "style")
    assert "url(" not in style.text
    assert "@import" not in style.text


@EVERY
def test_a_policy_forbids_what_a_later_fault_could_let_in(study: str) -> None:
    policies = [
        element.attributes["content"]
        for element in elements(study)
        if element.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


@EVERY
def test_there_is_one_style_sheet_and_it_is_the_pages_own(study: str) -> None:
    assert [element.parents for element in elements(study) if element.tag == "style"] == [("html", "head")]


@EVERY
def test_every_figure_tells_in_words_what_it_shows(study: str) -> None:
    texts = {element.attributes["id"]: element.text for element in elements(study) if "id" in element.attributes}
    pictures = [element for element in elements(study) if element.tag == "svg"]
    assert pictures
    for picture in pictures:
        if picture.attributes.get("aria-hidden") == "true":
            continue  # repeats the numbers beside it
        assert picture.attributes["role"] == "img"
        labels = picture.attributes.get("aria-labelledby", "").split()
        told = [texts[label] for label in labels] or [picture.attributes["aria-label"]]
        assert all(text.strip() for text in told)


@EVERY
def test_the_text_alternative_of_a_figure_holds_its_numbers(study: str) -> None:
    told = {element.attributes["id"]: element.text for element in elements(study) if element.tag == "desc"}
    for key, text in told.items():
        assert re.search(r"\d", text) or "at none of" in text, key


@EVERY
def test_every_table_has_a_caption_and_every_heading_cell_its_scope(study: str) -> None:
    tables = [element for element in elements(study) if element.tag == "table"]
    assert tables
    for table in tables:
        assert table.children[0].tag == "caption"
        assert table.children[0].text.strip()
    for cell in (element for element in elements(study) if element.tag == "th"):
        assert cell.attributes["scope"] in {"col", "row"}


@EVERY
def test_rows_have_as_many_cells_as_the_head_has_columns(study: str) -> None:
    for table in (element for element in elements(study) if element.tag == "table"):
        head = next(part for part in table.children if part.tag == "thead")
        body = next(part for part in table.children if part.tag == "tbody")
        columns = len(head.children[0].children)
        assert {len(row.children) for row in body.children} <= {columns}


@EVERY
def test_headings_never_skip_a_level_and_the_question_is_the_first(study: str) -> None:
    levels = [int(element.tag[1]) for element in elements(study) if re.fullmatch(r"h[1-6]", element.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


@EVERY
def test_the_language_the_charset_and_a_title_are_declared(study: str) -> None:
    assert elements(study)[0].attributes["lang"] == "en"
    assert any(element.attributes.get("charset") == "utf-8" for element in elements(study))
    assert next(element for element in elements(study) if element.tag == "title").text.strip()


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours by WCAG 2.1."""

    def luminance(colour: str) -> float:
        digits = colour.lstrip("#")
        parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_colours_of_text_stand_out_as_wcag_asks() -> None:
    style = next(element for element in elements("strong") if element.tag == "style").text
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", style))
    for name in ("ink", "soft", "link", "blue", "green", "amber", "red"):
        for ground in ("#ffffff", colours["tint"]):
            assert contrast(colours[name], ground) >= 4.5, name


def test_the_example_of_wcag_has_its_published_contrast() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # W3C's example of just too little
