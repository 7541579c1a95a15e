"""Rendered pages, each made once, and a strict reader of HTML that knows what a page must not do."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser

from prognoscope.report import render
from tests.make.report import STUDIES

WITHIN_WORDS = {"b", "a", "time"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@dataclass
class Element:
    """An element of a page: its name, attributes, and the text inside it and its children."""

    tag: str
    attributes: dict[str, str]
    parents: tuple[str, ...]
    text: str = ""
    children: list[Element] = field(default_factory=list)


class Reader(HTMLParser):
    """Reads a page and refuses what is not balanced."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice in <{tag}>: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(parent.tag for parent in self.open))
        self.elements.append(element)
        if self.open:
            self.open[-1].children.append(element)
        self._blank(tag)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag not in VOID, f"</{tag}> is no end of anything"
        assert self.open, f"</{tag}> after the end"
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}> at line {self.getpos()[0]}"
        self.open.pop()
        self._blank(tag)

    def _blank(self, tag: str) -> None:
        """Keep words of two elements apart, as a browser does for all but a few kinds of element."""
        if tag not in WITHIN_WORDS:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


@cache
def page(study: str) -> str:
    """The report of one of the made studies."""
    return render(STUDIES[study]())


def read(text: str) -> tuple[Element, ...]:
    """All elements of a page in their order, once it is known to be balanced."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open, f"never closed: {[element.tag for element in reader.open]}"
    return tuple(reader.elements)


@cache
def elements(study: str) -> tuple[Element, ...]:
    """The elements of one study's report."""
    return read(page(study))


def section(study: str, anchor: str) -> str:
    """The text of one section, blanks run together."""
    found = [element for element in elements(study) if element.attributes.get("id") == anchor]
    assert len(found) == 1, f"{len(found)} sections {anchor}"
    return " ".join(found[0].text.split())
