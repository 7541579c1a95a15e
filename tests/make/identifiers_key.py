"""The answer key: questions to a result, and the standard's table from which most of the answers follow.

Imports nothing from the de-identifier: `standard/profile.json` (PS3.15 Table E.1-1) is read as data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydicom.datadict import dictionary_VR, keyword_for_tag

from tests.make.invented import Person

TABLE = Path(__file__).parents[2] / "src/prognoscope/deidentify/standard/profile.json"
Action = Literal[
    "tag retained",
    "text not null",
    "text retained",
    "text removed",
    "date shifted",
    "UID changed",
    "UID consistent",
    "patient ID consistent",
    "pixels hidden",
    "pixels retained",
]


@dataclass(frozen=True)
class Check:
    """One question to the result.

    `where` is the path of keywords from the root, `text` what was planted or must be found.
    """

    instance: int
    action: Action
    surface: str
    where: tuple[str, ...]
    text: str = ""
    box: tuple[int, ...] = (0, 0, 0, 0)


@dataclass
class AnswerKey:
    """All questions, the strings to search for by instance, and the originals by instance number."""

    checks: list[Check] = field(default_factory=list)
    secrets: dict[int, set[str]] = field(default_factory=dict)
    originals: dict[int, Path] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)

    def ask(self, instance: int, action: Action, surface: str, *where: str, text: str = "") -> None:
        self.checks.append(Check(instance, action, surface, where, text))

    def hide(self, instance: int, *texts: str) -> None:
        self.secrets.setdefault(instance, set()).update(texts)


@dataclass(frozen=True)
class Row:
    """A row of the table for one attribute, and the action expected under the chosen options."""

    tag: int
    keyword: str
    vr: str
    expected: str


def rows(options: frozenset[str]) -> tuple[Row, ...]:
    """Read the standard's table under some of its option columns; repeating groups and commands left out."""
    found = []
    for entry in json.loads(TABLE.read_text(encoding="utf-8"))["attributes"]:
        if "X" in entry["tag"] or entry["tag"] == "private" or int(entry["tag"][:4], 16) < 8:
            continue
        tag = int(entry["tag"], 16)
        if tag == 0xFFFAFFFA or not keyword_for_tag(tag):
            continue
        said = [entry[option] for option in sorted(options) if option in entry]
        expected = ("K" if "K" in said else said[0]) if said else entry["basic"]
        if "C" in said and dictionary_VR(tag) in ("DA", "DT"):
            expected = "C"  # one day that stays where all others move would tell by how much they moved
        found.append(Row(tag, keyword_for_tag(tag), dictionary_VR(tag).split(" or ")[0], expected))
    return tuple(found)


def all_secrets(key: AnswerKey) -> Iterator[str]:
    """Every planted string, once."""
    yield from sorted({secret for some in key.secrets.values() for secret in some})
