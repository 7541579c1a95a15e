"""What goes to the processes that read files, and what comes back; light, since an ingest may have nothing to read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prognoscope.core.problems import Problem, refuse
from prognoscope.sources import FoundFile
from prognoscope.store import Arrival

LONGEST_PATH = 2000
WITHIN = "!/"  # between an archive and its member
SIDECAR = ".columns.json"  # what its owner says of a table's columns lies beside it
SIDECAR_KEYS = ("unit", "known_at", "meaning")
NIFTI = (".nii", ".nii.gz")


@dataclass(frozen=True, slots=True)
class Parcel:
    """Files of a folder, or entries of an archive in it, and the tray that their bytes go to."""

    root: Path
    files: tuple[FoundFile, ...]
    tray: Path
    positions: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """What a parcel held: arrivals, and the archives that are to be opened next."""

    arrivals: tuple[Arrival, ...]
    archives: tuple[FoundFile, ...] = ()
    problems: tuple[Problem, ...] = ()


def printable(path: str) -> str:
    """A path as it may stand in a message: control characters as escapes."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in path)


def read_description(data: bytes, *, subject: str) -> dict[str, dict[str, str]]:
    """Read what a table's owner says of its columns: column → what is said of its unit, known_at and meaning.

    Raises
    ------
    Refused
        `columns-unreadable`.
    """
    try:
        document: Any = json.loads(data)
        return {
            str(name): {key: str(entry[key]) for key in SIDECAR_KEYS if key in entry.keys()}  # noqa: SIM118 - a text has none
            for name, entry in document.items()
        }
    except (ValueError, AttributeError, TypeError, RecursionError) as cause:
        raise refuse(
            "columns-unreadable",
            subject=subject,
            found=f"it does not say of columns what they are ({cause})",
            remedy='write {"age": {"unit": "year", "known_at": "time_zero"}}',
        ) from cause
