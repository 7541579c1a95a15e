"""The project's key: where it is by default, and how it comes to be."""

from __future__ import annotations

import os
from pathlib import Path

from prognoscope.deidentify import Project, create_key, fingerprint, load_table, read_key

KEY_VARIABLE = "PROGNOSCOPE_KEY_FILE"


def default_key_path() -> Path:
    """Where the key is looked for: the file named by `PROGNOSCOPE_KEY_FILE`, else in the user's configuration."""
    named = os.environ.get(KEY_VARIABLE)
    if named:
        return Path(named)
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "prognoscope" / "project.key"


def open_project(path: Path | None) -> tuple[Project, bool]:
    """Read the project's key; without a path, the user's default one, which is made at its first use.

    Returns
    -------
    The project, and whether its key is new.
    """
    if path is not None:
        return read_key(path), False
    place = default_key_path()
    if place.exists():
        return read_key(place), False
    return create_key(place), True


def new_key(path: Path) -> dict[str, str]:
    """Make a key file, and name it; `key-exists` when there is one."""
    return _named(path, create_key(path))


def show_key(path: Path) -> dict[str, str]:
    """Name a key: where it is, and its public fingerprint."""
    return _named(path, read_key(path))


def show_people(path: Path, table: Path) -> dict[str, str]:
    """Open a pseudonym table: the original patient ID of each pseudonym."""
    return dict(load_table(table, read_key(path)).patients)


def _named(path: Path, project: Project) -> dict[str, str]:
    return {"file": str(path), "fingerprint": fingerprint(project)}
