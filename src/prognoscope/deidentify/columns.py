"""What an owner says of a table's columns (`TABLE.columns.json`: unit, known_at, meaning) goes with the clean table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from prognoscope.core.problems import refuse
from prognoscope.deidentify.identity import Identity, merged
from prognoscope.deidentify.text import Cleaner, tidy

SIDECAR = ".columns.json"
LARGEST_BYTES = 1 << 20
_TOLD = ("unit", "known_at", "meaning")


def clean_columns(path: Path, *, people: Mapping[str, Identity]) -> bytes:
    """Return the descriptions of columns under the names that the clean table gives them, as JSON.

    Parameters
    ----------
    people
        What the images know, by patient ID.

    Raises
    ------
    Refused
        `record-unreadable` when it is no JSON of columns, or larger than a megabyte.
    """
    cleaner = Cleaner(merged(people.values()))
    try:
        told = json.loads(path.read_bytes()) if path.stat().st_size <= LARGEST_BYTES else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or not all(isinstance(one, dict) for one in told.values()):
        raise refuse(
            "record-unreadable",
            subject="file",
            found="it describes no columns of a table",
            remedy="write it as JSON: column, then unit, known_at or meaning",
        )
    clean = {
        tidy(cleaner.clean(name, free=False), mark=False): {
            key: tidy(cleaner.clean(one[key], free=True), mark=True) for key in _TOLD if isinstance(one.get(key), str)
        }
        for name, one in told.items()
    }
    return (json.dumps(clean, ensure_ascii=False, indent=1) + "\n").encode()
