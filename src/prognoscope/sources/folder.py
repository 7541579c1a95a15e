"""A folder in one call: list it, inspect each file, assemble what belongs together."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from prognoscope.core.images import ImageIndex
from prognoscope.core.problems import Problem
from prognoscope.core.work import Mapper, serial_map
from prognoscope.sources.dicom import Inspected, Located, inspect
from prognoscope.sources.files import list_folder
from prognoscope.sources.series import assemble


def scan(root: Path, *, mapper: Mapper = serial_map) -> ImageIndex:
    """Read every file below a folder once and group what is DICOM.

    What is not DICOM or cannot be read is in `set_aside` with its reason. A folder without any DICOM image gives an
    index without series; whether that is a problem is the caller's to say.
    """
    listing = list_folder(root)
    paths = [file.path for file in listing.files]
    located: list[Located] = []
    problems: list[Problem] = list(listing.problems)
    found = mapper(partial(_inspect_below, root), paths, label="reading files")
    for path, inspected in zip(paths, found, strict=True):
        if inspected.instance:
            located.append(Located(path, inspected.instance, inspected.sha256))
        elif inspected.problem:
            problems.append(inspected.problem)
    index = assemble(located)
    aside = sorted([*index.set_aside, *problems], key=lambda problem: (problem.subject, problem.code))
    return replace(index, set_aside=tuple(aside))


def _inspect_below(root: Path, path: str) -> Inspected:
    return inspect(root / path, subject=path)
