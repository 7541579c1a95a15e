"""Put the page together that a privacy officer signs: the report, the files held back, and pictures of what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from prognoscope.core.problems import Problem
from prognoscope.deidentify import Project
from prognoscope.deidentify.batch import Outcome, thumbnail_of
from prognoscope.report import Deidentification, Shown, render_deidentification

MOST_PICTURES = 48  # on the page; the others lie in the private folder


def page(
    report: Mapping[str, Any],
    outcomes: Sequence[Outcome],
    held_back: Sequence[tuple[str, Problem]],
    private: Path,
    project: Project,
) -> str:
    """Return the page of a run as HTML. It names files and shows identified pictures: it stays private."""
    changed = [
        (private / thumbnail_of(outcome.source, project), f"{outcome.pseudonym or 'nobody known'}, {outcome.modality}")
        for outcome in outcomes
        if outcome.pixels in ("covered", "face masked")
    ]
    doubtful = [
        (private / thumbnail_of(path, project, folder="quarantine"), f"{path}: {problem.found}")
        for path, problem in held_back
    ]
    there = [[(path, words) for path, words in some if path.is_file()] for some in (changed, doubtful)]
    shown = [[Shown(words, path.read_bytes()) for path, words in some[:MOST_PICTURES]] for some in there]
    return render_deidentification(
        Deidentification(
            report=report,
            held_back=held_back,
            changed=shown[0],
            doubtful=shown[1],
            pictures_left_out=len(there[0]) - len(shown[0]),
            made_on=date.today().isoformat(),
            version=version("prognoscope"),
        )
    )
