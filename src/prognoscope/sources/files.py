"""The files below a folder: sorted, without leaving it, whatever their names are."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from prognoscope.core.problems import Problem, refuse

MOST_FILES = 5_000_000
DEEPEST = 64


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file: its path relative to the folder (with `/`), its size in bytes and its time of change in ns."""

    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Listing:
    """The files below a folder, sorted by path, and what was not followed or could not be read, with the reason."""

    files: tuple[FoundFile, ...]
    problems: tuple[Problem, ...]


def list_files(root: Path) -> tuple[FoundFile, ...]:
    """Return the files of `list_folder`."""
    return list_folder(root).files


def list_folder(root: Path) -> Listing:
    """List a folder.

    Raises
    ------
    Refused
        `folder-missing` when there is no such folder.
    """
    if not root.is_dir():
        raise refuse(
            "folder-missing",
            subject=root.as_posix(),
            found="there is a file of that name" if root.exists() else "there is no such folder",
            remedy="check the path (and the variable it is made with)",
        )
    home = root.resolve()
    files: list[FoundFile] = []
    problems: list[Problem] = []
    waiting: list[tuple[Path, int]] = [(root, 0)]
    while waiting:
        folder, depth = waiting.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            problems.append(_left_out(folder, root, "folder-unreadable", f"cannot be read ({error.strerror})"))
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if depth >= DEEPEST:
                    problems.append(_left_out(folder, root, "folder-too-deep", f"lies more than {DEEPEST} deep"))
                    continue
                waiting.append((Path(entry.path), depth + 1))
                continue
            found = _file(Path(entry.path), root, home)
            if isinstance(found, FoundFile):
                files.append(found)
            elif found:
                problems.append(found)
    return Listing(
        tuple(sorted(files, key=lambda file: file.path)), tuple(sorted(problems, key=lambda problem: problem.subject))
    )


def _file(path: Path, root: Path, home: Path) -> FoundFile | Problem | None:
    name = path.relative_to(root).as_posix()
    if not _is_text(name):
        return _left_out(path, root, "file-name-not-text", "its name is not valid UTF-8")
    if path.is_symlink() and not path.resolve().is_relative_to(home):
        return _left_out(path, root, "link-leaves-folder", "it is a link to a place outside the folder")
    try:
        status = path.stat()
    except OSError as error:
        return _left_out(path, root, "file-unreadable", f"cannot be read ({error.strerror})")
    if stat.S_ISDIR(status.st_mode):
        return _left_out(path, root, "link-to-folder", "it is a link to a folder, which is read at its own place")
    if not stat.S_ISREG(status.st_mode):
        return _left_out(path, root, "not-a-file", "it is a pipe, socket or device")
    return FoundFile(name, status.st_size, status.st_mtime_ns)


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _left_out(path: Path, root: Path, code: str, found: str) -> Problem:
    name = path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode()
    return Problem(
        code=code, subject=name or ".", found=found, remedy="copy what you need into the folder under a plain name"
    )
