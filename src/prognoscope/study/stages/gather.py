"""Gather: find every series and region of interest below a folder, reading each file once in its life."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from prognoscope.core import hashing
from prognoscope.core.files import FileState
from prognoscope.core.images import ImageIndex
from prognoscope.core.problems import Problem, refuse
from prognoscope.core.work import Mapper
from prognoscope.sources import FoundFile, Instance, Located, assemble, inspect, list_files
from prognoscope.study.cache import Memory

if TYPE_CHECKING:  # see prognoscope.study.cache
    from prognoscope.store import Artefacts, FrozenTable, Snapshot

VERSION = 3
FILES_PER_ITEM = 64


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a study works on.

    Attributes
    ----------
    root
        The folder, or the artefacts of the store, that the index's files are relative to.
    index
        Its series and regions, and what was refused.
    notes
        What the report must tell: files that changed although size and time did not, files in quarantine.
    news
        What only whoever runs the study is told: how the store has moved on from the snapshot.
    snapshot
        The snapshot of the store that was read, if one was.
    members
        Its patients; None for a folder, whose table says who takes part.
    table, external_table
        The study's table and that of a second source, where they come from the store.
    records
        All tables and FHIR documents of the snapshot.
    """

    root: Path | Artefacts
    index: ImageIndex
    notes: tuple[Problem, ...] = ()
    news: tuple[Problem, ...] = ()
    snapshot: Snapshot | None = None
    members: frozenset[str] | None = None
    table: FrozenTable | None = None
    external_table: FrozenTable | None = None
    records: tuple[FrozenTable, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """What one file says, by content: the instance, or the problem that keeps it from being one."""

    sha256: str
    instance: Instance | None
    problem: Problem | None

    def to_json(self) -> str:
        """One line that `from_json` reads back."""
        problem = [self.problem.code, self.problem.found, self.problem.remedy] if self.problem else None
        return json.dumps([self.instance.to_json() if self.instance else None, problem])

    @staticmethod
    def from_json(sha256: str, path: str, text: str) -> Header:
        """Read what `to_json` wrote, naming the file as it is called now."""
        instance, problem = json.loads(text)
        return Header(
            sha256,
            Instance.from_json(instance) if instance else None,
            Problem(problem[0], path, problem[1], problem[2]) if problem else None,
        )


def gather(
    folder: Path, *, cache: Memory, mapper: Mapper, verify: bool = False, images_needed: bool = True
) -> Gathered:
    """Find the series and regions below a folder.

    A file whose size and modification time are those of the last time is not read again; `verify` reads all and
    names those whose bytes changed all the same.

    Raises
    ------
    Refused
        `folder-missing`; `no-dicom` when nothing below it is an image, unless none is needed.
    """
    if not folder.is_dir():
        raise refuse(
            "folder-missing",
            subject=str(folder),
            found="it is not a folder",
            remedy="give a folder that exists (in a study file: `images:`, or the environment variable in it)",
        )
    files = list_files(folder)
    before = cache.store.known_files(f"{folder}/")
    trusted = {} if verify else {file.path: state for file in files if (state := _trusted(folder, file, before))}
    headers = _known_headers(trusted, cache)
    headers |= _read(folder, [file for file in files if file.path not in headers], cache, mapper)
    index = _assemble(headers)
    if images_needed and not index.series and not index.refused:
        raise refuse(
            "no-dicom",
            subject=str(folder),
            found=f"none of its {len(files)} files belongs to an image series"
            + (f"; for instance {index.set_aside[0]}" if index.set_aside else ""),
            remedy="give the folder that holds the series (any nesting, any file names)",
        )
    return Gathered(folder, index, _silent_changes(folder, files, before, headers) if verify else ())


def beside(own: Gathered, other: Gathered) -> Gathered:
    """Return what two folders hold together; the files of the second as they are found from the first.

    Raises
    ------
    Refused
        `patient-in-both` when both have images of a patient.
    """
    twice = sorted(set(own.index.patients) & set(other.index.patients))
    if twice:
        raise refuse(
            "patient-in-both",
            subject=f"patient {twice[0]}",
            found=f"the folder of the external images has this ID too, and {len(twice) - 1} more",
            remedy="leave whoever is in both out of one of them; where two hospitals number alike, give IDs a prefix",
        )
    assert isinstance(own.root, Path)
    assert isinstance(other.root, Path)
    way = PurePath(os.path.relpath(other.root, own.root))
    series = [replace(one, files=tuple((way / file).as_posix() for file in one.files)) for one in other.index.series]
    regions = [replace(one, file=(way / one.file).as_posix()) for one in other.index.region_sets]
    index = ImageIndex(
        tuple(sorted((*own.index.series, *series), key=lambda one: (one.patient_id, one.modality, one.uid))),
        tuple(sorted((*own.index.region_sets, *regions), key=lambda one: (one.patient_id, one.uid))),
        (*own.index.refused, *other.index.refused),
        (*own.index.set_aside, *other.index.set_aside),
    )
    return replace(own, index=index, notes=(*own.notes, *other.notes), news=(*own.news, *other.news))


def inspect_files(folder: Path, paths: tuple[str, ...]) -> list[Header]:
    """Read some files below a folder, once each."""
    headers = []
    for path in paths:
        found = inspect(folder / path)
        headers.append(Header(found.sha256, found.instance, found.problem))
    return headers


def _trusted(folder: Path, file: FoundFile, before: dict[str, FileState]) -> str:
    state = before.get(f"{folder}/{file.path}")
    return state.sha256 if state and (state.size, state.mtime_ns) == (file.size, file.mtime_ns) else ""


def _known_headers(hashes: dict[str, str], cache: Memory) -> dict[str, Header]:
    keys = {path: _key(sha256, cache) for path, sha256 in hashes.items()}
    known = cache.store.memos(sorted(set(keys.values())))
    return {
        path: Header.from_json(hashes[path], path, known[key].decode()) for path, key in keys.items() if key in known
    }


def _read(folder: Path, files: Sequence[FoundFile], cache: Memory, mapper: Mapper) -> dict[str, Header]:
    chunks = [files[start : start + FILES_PER_ITEM] for start in range(0, len(files), FILES_PER_ITEM)]
    paths = [tuple(file.path for file in chunk) for chunk in chunks]
    headers: dict[str, Header] = {}
    results = mapper(partial(inspect_files, folder), paths, label="read headers") if paths else iter(())
    for chunk, found in zip(chunks, results, strict=True):
        cache.store.remember("header", {_key(header.sha256, cache): header.to_json().encode() for header in found})
        cache.store.remember_files(
            {
                f"{folder}/{file.path}": FileState(file.size, file.mtime_ns, header.sha256)
                for file, header in zip(chunk, found, strict=True)
            }
        )
        headers |= {
            file.path: Header.from_json(header.sha256, file.path, header.to_json())
            for file, header in zip(chunk, found, strict=True)
        }
    return headers


def _assemble(headers: dict[str, Header]) -> ImageIndex:
    located = [
        Located(path, header.instance, header.sha256) for path, header in sorted(headers.items()) if header.instance
    ]
    index = assemble(located)
    problems: Iterable[Problem] = (header.problem for _, header in sorted(headers.items()) if header.problem)
    return ImageIndex(index.series, index.region_sets, index.refused, (*index.set_aside, *problems))


def _silent_changes(
    folder: Path, files: Sequence[FoundFile], before: dict[str, FileState], headers: dict[str, Header]
) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            "file-changed-silently",
            file.path,
            "its bytes are not those of the last run, though size and time are; its patient was computed again",
            "find out what changed it (a failing disk, a copy that keeps times)",
        )
        for file in files
        if (sha256 := _trusted(folder, file, before)) and sha256 != headers[file.path].sha256
    )


def _key(sha256: str, cache: Memory) -> str:
    return hashing.of_value(["header", VERSION, cache.program, sha256])
