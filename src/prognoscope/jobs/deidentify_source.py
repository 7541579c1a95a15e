"""What is to be de-identified as files to read: a folder as it lies, archives unpacked while a run lasts.

Archives are unpacked, and what a PACS or a server sends is put down, below the private folder, where identified data
may be; nothing of it is left after the run. Names in archives are labels: none of them leads out of that place.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.jobs.addresses import is_address
from prognoscope.sources.archives import WITHIN, read_members
from prognoscope.sources.files import FoundFile, Listing, list_folder

ARRIVING = "arriving"
ARCHIVES = (".zip",)
LONGEST_PART = 120  # characters of one part of a path


@dataclass(frozen=True, slots=True)
class Arrived:
    """Files to read, below a folder, and what could not be listed or unpacked, by path."""

    folder: Path
    files: tuple[FoundFile, ...]
    problems: tuple[tuple[str, Problem], ...]


@contextmanager
def arrived(source: Path | str, private: Path) -> Iterator[Arrived]:
    """Open a folder, an archive, one file, a PACS or a DICOMweb server for reading.

    Parameters
    ----------
    source
        A folder is read where it lies; archives in it (by name, `.zip`), or a source that is one, are unpacked first.
        What an address answers is fetched whole before anything is done with it.
    private
        Folder for identified data; what is unpacked or fetched lies in it while the block runs.

    Raises
    ------
    Refused
        `folder-missing` when there is nothing of that name; what a PACS or server refuses.
    """
    if is_address(source):
        from prognoscope.jobs.network import fetch_from_network  # and with it a network and a store

        with emptied(private / ARRIVING) as place:
            lacking = tuple((problem.subject, problem) for problem in fetch_from_network(str(source), place))
            yield Arrived(place, list_folder(place).files, lacking)
        return
    folder, listing = _listed(Path(source))
    problems = tuple((problem.subject, problem) for problem in listing.problems)
    packed = [file for file in listing.files if file.path.lower().endswith(ARCHIVES)]
    if not packed:
        yield Arrived(folder, listing.files, problems)
        return
    with emptied(private / ARRIVING) as place:
        for file in listing.files:
            if file not in packed:
                _put(folder / file.path, place / file.path)
        broken = [problem for file in packed for problem in _unpack(folder, file, place)]
        yield Arrived(place, list_folder(place).files, (*problems, *broken))


@contextmanager
def emptied(place: Path) -> Iterator[Path]:
    """Give an empty folder, and take it away with all that is in it."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True, mode=0o700)
    try:
        yield place
    finally:
        shutil.rmtree(place)


def _listed(source: Path) -> tuple[Path, Listing]:
    if not source.is_file():
        return source, list_folder(source)
    status = source.stat()
    return source.parent, Listing((FoundFile(source.name, status.st_size, status.st_mtime_ns),), ())


def _unpack(folder: Path, file: FoundFile, place: Path) -> list[tuple[str, Problem]]:
    problems: list[tuple[str, Problem]] = []
    taken: set[Path] = set()
    try:
        for member in read_members(folder / file.path, subject=file.path):
            if member.problem:
                problems.append((member.name, replace(member.problem, subject="file")))
                continue
            target = _free(place / f"{file.path}!", member.name.removeprefix(f"{file.path}{WITHIN}"), taken)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(member.data)
            os.utime(target, ns=(file.mtime_ns, file.mtime_ns))  # as old as its archive: an unchanged one is done
    except Refused as refused:
        problems.append((file.path, replace(refused.problem, subject="file")))
    except OSError as error:
        raise refuse(
            "cannot-write",
            subject=str(place),
            found=f"an archive can't be unpacked there ({error.strerror})",
            remedy="make room on that disk, or name another private folder",
        ) from error
    return problems


def _free(place: Path, name: str, taken: set[Path]) -> Path:
    """Place of a member below a folder, whatever its name is; another one where a member has it already."""
    parts = [_plain(part) for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")] or ["member"]
    target, count = place.joinpath(*parts), 1
    while target in taken or target.is_dir() or not taken.isdisjoint(target.parents):
        count += 1
        target = place.joinpath(str(count), *parts)
    taken.add(target)
    return target


def _plain(part: str) -> str:
    kept = "".join(sign for sign in part if sign.isprintable())
    return kept[-LONGEST_PART:] or "member"


def _put(file: Path, target: Path) -> None:
    """Give a file a second name, or a copy where the disk is another one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, target)
    except OSError:
        shutil.copy2(file, target)
