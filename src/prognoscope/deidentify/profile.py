"""The standard's table: which action each attribute gets under a profile and its options.

`standard/profile.json` is Table E.1-1 of DICOM PS3.15, `standard/types.json` the attribute types of PS3.3 that decide
between the actions of a compound rule such as X/Z/D (Table E.1-1a: remove unless the object needs the attribute to
be present or to have a value). Both name their edition and source.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from pydantic import Field
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag

from prognoscope.core.settings import Settings

Action = Literal["D", "Z", "X", "K", "C", "U"]
ProfileName = Literal["basic", "research"]

# (key in our settings, column of the table, code and meaning in CID 7050, and whether `research` has it on)
_OPTIONS: tuple[tuple[str, str, str, str], ...] = (
    ("clean_pixels", "", "113101", "Clean Pixel Data Option"),
    ("clean_faces", "", "113102", "Clean Recognizable Visual Features Option"),
    ("clean_structured_content", "clean_structured_content", "113104", "Clean Structured Content Option"),
    ("clean_descriptors", "clean_descriptors", "113105", "Clean Descriptors Option"),
    (
        "retain_dates",
        "retain_modified_dates",
        "113107",
        "Retain Longitudinal Temporal Information Modified Dates Option",
    ),
    ("retain_characteristics", "retain_characteristics", "113108", "Retain Patient Characteristics Option"),
    ("retain_device", "retain_device", "113109", "Retain Device Identity Option"),
    ("retain_safe_private", "retain_safe_private", "113111", "Retain Safe Private Option"),
)
BASIC_CODE = ("113100", "Basic Application Confidentiality Profile")


class Options(Settings):
    """What is done beyond the Basic Application Level Confidentiality Profile, each an option of PS3.15 Annex E."""

    clean_pixels: bool = Field(
        default=True, description="read pixels where text may be burned in, black out identifiers"
    )
    clean_faces: bool = Field(default=False, description="mask the space before the face in head CT and MR")
    clean_structured_content: bool = Field(default=False, description="keep the content of reports, cleaned")
    clean_descriptors: bool = Field(default=False, description="keep descriptions and comments, cleaned")
    retain_dates: bool = Field(default=False, description="keep dates, shifted by one number of days per patient")
    retain_characteristics: bool = Field(default=False, description="keep age, sex, size, weight and the like")
    retain_device: bool = Field(default=False, description="keep what identifies the machine")
    retain_safe_private: bool = Field(default=False, description="keep private elements the standard calls safe")

    def codes(self) -> tuple[tuple[str, str], ...]:
        """Code values and meanings (DCM, CID 7050) of the profile and the options in force."""
        chosen = tuple((code, meaning) for key, _, code, meaning in _OPTIONS if getattr(self, key))
        return (BASIC_CODE, *chosen)


PROFILES: dict[ProfileName, Options] = {
    "basic": Options(),
    "research": Options(
        clean_structured_content=True,
        clean_descriptors=True,
        retain_dates=True,
        retain_characteristics=True,
        retain_device=True,
        retain_safe_private=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of Table E.1-1: the attribute, its basic action as printed, and its action under each option."""

    tag: str
    name: str
    basic: str
    options: tuple[tuple[str, Action], ...]


@dataclass(frozen=True, slots=True)
class Standard:
    """Table E.1-1 as published: its edition, its source and its rows."""

    table: str
    edition: str
    source: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class _Types:
    """PS3.3 type (1 or 2) of one attribute, at the root of objects of a class and within named sequences."""

    root: dict[str, int]
    within: dict[str, int]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Table E.1-1 under one set of options, ready to be asked element by element."""

    actions: dict[int, str]

    def action(self, tag: int, *, sop_class: str, within: str) -> Action | None:
        """Return the action for a standard attribute, or None where the table has no row for it.

        Parameters
        ----------
        tag
            The attribute, group and element in one number.
        sop_class
            SOP Class UID of the object.
        within
            Keyword of the sequence that holds the attribute; empty at the root.
        """
        printed = self.actions.get(tag)
        if printed is None or len(printed) == 1:
            return printed  # type: ignore[return-value]
        return resolve(printed, required_type(tag, sop_class=sop_class, within=within))


@functools.cache
def standard() -> Standard:
    """Table E.1-1 of PS3.15 as committed with this package."""
    data = _read("profile.json")
    columns = [column for _, column, _, _ in _OPTIONS if column]
    rules = tuple(
        Rule(row["tag"], row["name"], row["basic"], tuple((name, row[name]) for name in columns if name in row))
        for row in data["attributes"]
    )
    return Standard(data["table"], data["edition"], data["source"], rules)


@functools.cache
def rulebook(options: Options) -> Rulebook:
    """Combine basic actions and options; where an option speaks it overrides the profile (PS3.15 E.3)."""
    chosen = [column for key, column, _, _ in _OPTIONS if column and getattr(options, key)]
    actions: dict[int, str] = {}
    for rule in standard().rules:
        if "X" in rule.tag or rule.tag == "private":
            continue  # repeating groups and private blocks have their own files
        said = dict(rule.options)
        spoken = [said[column] for column in chosen if column in said]
        # Keep wins over clean: a retained device value is asked for as it is. But a day that two options speak of
        # moves with all others: one that stays (a calibration) tells by how much they moved.
        day = int(rule.tag, 16) if dictionary_has_tag(int(rule.tag, 16)) else 0
        kept = "K" in spoken and not ("C" in spoken and day and dictionary_VR(day) in ("DA", "DT"))
        actions[int(rule.tag, 16)] = ("K" if kept else "C" if "K" in spoken else spoken[0]) if spoken else rule.basic
    return Rulebook(actions)


def resolve(printed: str, required: int) -> Action:
    """Choose from a compound action by the attribute's type in the object (PS3.15 Table E.1-1a).

    Parameters
    ----------
    printed
        The action as printed, for instance `X/Z/D`.
    required
        1 where the object needs a value, 2 where it needs the attribute, 3 where it needs neither.
    """
    if printed == "X/Z/U*":
        return "U"  # references are kept with their UIDs replaced, so that they still resolve
    wanted: tuple[Action, ...] = {1: ("D", "Z", "X"), 2: ("Z", "D", "X"), 3: ("X", "Z", "D")}[required]  # type: ignore[assignment]
    return next(action for action in wanted if action in printed.split("/"))


def required_type(tag: int, *, sop_class: str, within: str) -> int:
    """PS3.3 type of an attribute (1, 2 or 3; conditional ones count as required where they are present).

    An object of an unknown class counts as needing a value.
    """
    types, classes = _types()
    known = types.get(tag)
    if known is None:
        return 3
    if within:
        return known.within.get(within, 3)
    return known.root.get(sop_class, 3) if sop_class in classes else 1


@functools.cache
def _types() -> tuple[dict[int, _Types], frozenset[str]]:
    data = _read("types.json")
    prefix = "1.2.840.10008.5.1.4."
    types = {
        int(row["tag"], 16): _Types(
            root={prefix + uid: kind for kind in (2, 1) for uid in row[f"type{kind}"]},
            within={keyword: kind for kind in (2, 1) for keyword in row[f"within{kind}"]},
        )
        for row in data["attributes"]
    }
    return types, frozenset(data["classes"])


@functools.lru_cache(maxsize=8192)
def keyword(tag: int) -> str:
    """Keyword of a standard attribute; empty where the data dictionary has none."""
    return keyword_for_tag(tag)


def _read(name: str) -> Any:
    return json.loads(resources.files(__package__).joinpath("standard", name).read_text(encoding="utf-8"))
