"""Patterns of names as people write them: `*` and `?`, and every other character means itself."""

from __future__ import annotations

import re


def matches(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern of `*` (any characters) and `?` (one); upper and lower case count."""
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in re.split(r"([*?])", pattern))
    return re.fullmatch("".join(parts), name, re.DOTALL) is not None
