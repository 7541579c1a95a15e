"""What goes to the processes that read files, and what comes back; light, since an ingest may have nothing to read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from prognoscope.core.problems import Problem
from prognoscope.sources import FoundFile
from prognoscope.store import Arrival

LONGEST_PATH = 2000
SIDECAR = ".columns.json"  # what its owner says of a table's columns lies beside it
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
