"""What a clean table still tells: people whom a combination of values singles out, rare values, free text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from prognoscope.deidentify.keptext import FREE
from prognoscope.deidentify.tables import CleanSheet

RARE = 5  # a value, or a combination, that fewer people share
MOST_VALUES = 50  # a column with more different values is no category
MOST_LISTED = 200
_SEX = re.compile(r"(?:.*[ _.\-])?(?:sex|gender|geschlecht)(?:[ _.\-].*)?", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d*[.,]?\d+")


def risk_of(sheet: CleanSheet) -> dict[str, Any]:
    """Count what in a clean table may lead back to people.

    Returns
    -------
    `rows`; `singled_out`, one entry a combination of columns (age, sex, both, and both with the category that singles
    out most): how many rows have all of them, how many are alone with theirs, and how many share theirs with fewer
    than five; `rare_values` of categories; `texts`, cells of three words and more.
    """
    columns = {name: sheet.frame[name].tolist() for name, _, _ in sheet.columns}
    roles = {name: role for name, role, _ in sheet.columns}
    age = [name for name, role in roles.items() if role == "age"][:1]
    sex = [name for name, role in roles.items() if role == "text" and _SEX.fullmatch(name)][:1]
    categories = [name for name, role in roles.items() if role == "text" and _is_category(columns[name])]
    combinations = [tuple(names) for names in (sex, age, [*age, *sex]) if names]
    more = [(*age, *sex, name) for name in categories if name not in sex]
    counted = [_singled_out(columns, names) for names in dict.fromkeys(combinations)]
    worst = max((_singled_out(columns, names) for names in more), key=lambda entry: entry["alone"], default=None)
    return {
        "rows": len(sheet.frame),
        "singled_out": [*counted, *([worst] if worst else [])],
        "rare_values": _rare({name: columns[name] for name in categories}),
        "texts": _texts({name: columns[name] for name, role in roles.items() if role == "text"}),
    }


def _is_category(cells: Sequence[str]) -> bool:
    different = {cell.strip() for cell in cells if cell.strip()}
    if not 1 < len(different) <= MOST_VALUES or any(FREE.search(cell) and len(cell) > 60 for cell in different):
        return False
    return sum(bool(_NUMBER.fullmatch(cell)) for cell in different) < len(different) / 2  # else a measured number


def _singled_out(columns: dict[str, list[str]], names: tuple[str, ...]) -> dict[str, Any]:
    rows = [row for row in zip(*(columns[name] for name in names), strict=True) if all(cell.strip() for cell in row)]
    sizes = Counter(rows)
    return {
        "values": list(names),
        "people": len(rows),
        "alone": sum(1 for row in rows if sizes[row] == 1),
        "fewer_than_5": sum(1 for row in rows if sizes[row] < RARE),
    }


def _rare(categories: dict[str, list[str]]) -> list[dict[str, Any]]:
    counts = Counter((name, cell) for name, cells in categories.items() for cell in cells if cell.strip())
    rare = sorted(entry for entry, count in counts.items() if count < RARE)
    return [{"name": name, "value": value, "people": counts[name, value]} for name, value in rare[:MOST_LISTED]]


def _texts(columns: dict[str, list[str]]) -> list[dict[str, Any]]:
    counts = Counter((name, cell) for name, cells in columns.items() for cell in cells if FREE.search(cell))
    order = sorted(counts, key=lambda entry: (counts[entry], entry))
    return [{"name": name, "text": text, "rows": counts[name, text]} for name, text in order[:MOST_LISTED]]
