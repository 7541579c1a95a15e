"""Zip archives of files → plain files in a folder of our own choosing.

Names within an archive choose nothing: members are written under running numbers, so `../` and absolute paths lead
nowhere. Sizes are what comes out, never what the archive claims, and an archive within an archive is opened too.
"""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from prognoscope.core.problems import Problem, Refused, refuse

MOST_MEMBERS = 1_000_000
MEMBER_BYTES, TOTAL_BYTES = 4 << 30, 256 << 30
DEEPEST = 4
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came out of an archive.

    Attributes
    ----------
    names
        `(file written, name within the archive)`, in the archive's order; `!` stands between an archive and a member
        of an archive within it.
    problems
        Members that were left out, each with its reason.
    """

    names: tuple[tuple[str, str], ...]
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class _Budget:
    """How much may still be written; shared by an archive and those within it."""

    folder: Path
    members: int
    bytes: int

    def next_path(self) -> Path:
        self.members -= 1
        return self.folder / f"{MOST_MEMBERS - self.members:07d}"


def unpack(archive: Path, folder: Path) -> Unpacked:
    """Write every member of a zip archive as a file of its own into a new or empty folder.

    Raises
    ------
    Refused
        `archive-unreadable` for what is no zip archive, `archive-too-large` beyond a million members or 256 GiB;
        `folder-in-use` when the folder has files.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise refuse(
            "folder-in-use",
            subject=folder.as_posix(),
            found="it holds files already",
            remedy="name a new or empty folder",
        )
    found = list(_members(archive, archive.name, _Budget(folder, MOST_MEMBERS, TOTAL_BYTES), 1))
    return Unpacked(
        tuple(entry for entry in found if isinstance(entry, tuple)),
        tuple(entry for entry in found if isinstance(entry, Problem)),
    )


def _members(archive: Path, subject: str, budget: _Budget, depth: int) -> Iterator[tuple[str, str] | Problem]:
    try:
        with zipfile.ZipFile(archive) as opened:
            for entry in opened.infolist():
                if not entry.is_dir():
                    yield from _member(opened, entry, subject, budget, depth)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        problem = Problem(
            "archive-unreadable", subject, f"it is no readable zip archive ({error})", "copy it again from its source"
        )
        if depth == 1:
            raise Refused(problem) from error
        yield problem


def _member(
    opened: zipfile.ZipFile, entry: zipfile.ZipInfo, subject: str, budget: _Budget, depth: int
) -> Iterator[tuple[str, str] | Problem]:
    name = f"{subject}!{entry.filename}"
    reason = _why_not(entry)
    if reason:
        yield _left_out(name, reason)
        return
    if budget.members <= 0:
        raise _too_large(subject, f"more than {MOST_MEMBERS:,} members")
    path = budget.next_path()
    try:
        with opened.open(entry) as source, path.open("xb") as target:
            _copy(source, target, name, budget)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        path.unlink()
        yield _left_out(name, f"it cannot be unpacked ({error})")
        return
    except Refused:
        path.unlink()
        raise
    if depth < DEEPEST and _is_archive(path):
        yield from _members(path, name, budget, depth + 1)
        path.unlink()
    else:
        yield path.name, name.partition("!")[2]


def _is_archive(path: Path) -> bool:
    """Whether a file is a zip archive and not a document that is stored as one, such as a workbook."""
    with path.open("rb") as stream:
        if stream.read(4) != b"PK\x03\x04":
            return False
    try:
        with zipfile.ZipFile(path) as opened:
            return "[Content_Types].xml" not in opened.namelist()
    except zipfile.BadZipFile:
        return False


def _why_not(entry: zipfile.ZipInfo) -> str:
    if entry.flag_bits & 1:
        return "it is encrypted"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "it is a link"
    return ""


def _copy(source: IO[bytes], target: IO[bytes], name: str, budget: _Budget) -> None:
    size = 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        budget.bytes -= len(chunk)
        if size > MEMBER_BYTES or budget.bytes < 0:
            limit = MEMBER_BYTES if size > MEMBER_BYTES else TOTAL_BYTES
            raise _too_large(name, f"more than {limit >> 30} GiB come out")
        target.write(chunk)


def _left_out(name: str, reason: str) -> Problem:
    return Problem("archive-member-left-out", name, reason, "unpack it by hand if it is needed")


def _too_large(subject: str, found: str) -> Refused:
    return refuse("archive-too-large", subject=subject, found=found, remedy="unpack it by hand if you trust it")
