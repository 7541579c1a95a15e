"""Sections of a page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: its anchor, heading and template."""

    anchor: str
    heading: str
