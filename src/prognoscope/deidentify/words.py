"""The word lists of `words.toml`: what looks like a name and is none, and what introduces a name."""

from __future__ import annotations

import tomllib
from importlib import resources

_LISTS: dict[str, str] = tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))
EPONYMS = frozenset(_LISTS["eponyms"].split())
CLINICAL_NOUNS = frozenset(_LISTS["clinical_nouns"].split())
ORDINARY = frozenset(_LISTS["ordinary"].split())
ABBREVIATIONS = frozenset(_LISTS["abbreviations"].split())
SURNAMES = frozenset(_LISTS["surnames"].split())
PLACES = frozenset(_LISTS["places"].split())
NO_SURNAMES = frozenset(_LISTS["no_surnames"].split())
IMAGING = frozenset(_LISTS["imaging"].split())
NO_NAMES = frozenset(_LISTS["no_names"].split())
FUNCTION_WORDS = frozenset(_LISTS["function_words"].split())
# For each month its names, in one order of languages and lengths.
MONTHS = tuple(tuple(line.split()) for line in _LISTS["months"].strip().splitlines())
ORDINALS = tuple(_LISTS["ordinals"].split())
ON_SCREEN = frozenset(_LISTS["on_screen"].split())


def alternatives(name: str) -> str:
    """Return a regular expression for any word of a list."""
    return "(?:" + "|".join(sorted(_LISTS[name].split(), key=lambda word: (-len(word), word))) + ")"
