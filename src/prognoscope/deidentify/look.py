"""The first look at a file: what it is, whose it is, and whom it names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.deidentify.dicom import Described, describe
from prognoscope.deidentify.identity import Said
from prognoscope.deidentify.others import Other, kind_of
from prognoscope.deidentify.profile import Options
from prognoscope.deidentify.quiet import quiet


def look_at(paths: Sequence[str], *, root: Path, options: Options) -> tuple[Described | Other | Problem, ...]:
    """Look at each of some files, in their order; a file that can't be understood gives its problem.

    Parameters
    ----------
    paths
        Relative to `root`.
    """
    said: Said = {}
    with quiet():
        return tuple(_look(root / path, options, said) for path in paths)


def _look(path: Path, options: Options, said: Said) -> Described | Other | Problem:
    try:
        kind = kind_of(path)
        return Other(kind) if kind else describe(path, options, said)
    except Refused as refused:
        return refused.problem
    except OSError as error:
        return refuse(
            "file-unreadable",
            subject="file",
            found=f"it can't be read ({error.strerror})",
            remedy="check its rights and the disk",
        ).problem
