"""Text from data, made safe to show: what cannot be seen or turns the line around becomes a visible mark."""

from __future__ import annotations

import re

REPLACEMENT = "\ufffd"
_ILLEGIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, which HTML and SVG forbid
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"  # what UTF-8 cannot write or Unicode never assigns
    "\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"  # unseen, or reverses the direction of reading
)


def legible(text: str) -> str:
    """Return text in which every character is one that a reader sees; line breaks and tabs stay."""
    return _ILLEGIBLE.sub(REPLACEMENT, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """Return legible text on one line."""
    return " ".join(legible(text).split())
