"""A folder of results, read back: what a run or `validate` wrote, and whether it is still what was written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prognoscope.core.hashing import of_file
from prognoscope.core.problems import refuse

EVALUATION, RUN, CARD = "evaluation.json", "run.json", "bundle/card.json"
NEEDED = ("outcome", "counts", "models", "interval", "guards")
LARGEST_BYTES = 500_000_000


@dataclass(frozen=True, slots=True)
class Results:
    """Documents of one folder.

    Attributes
    ----------
    folder
        Where they lie.
    evaluation
        `evaluation.json`.
    run
        `run.json`; empty for the results of `validate`, which evaluates predictions made elsewhere.
    card
        `bundle/card.json`; empty without a bundle.
    """

    folder: Path
    evaluation: Mapping[str, Any]
    run: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)

    @property
    def develops(self) -> bool:
        """Whether a study made the model; else given predictions were evaluated."""
        return bool(self.run)

    @property
    def plan(self) -> str:
        """How patients were held out (`cross-validation`, `external`, …); empty where predictions were given."""
        held_out = self.evaluation.get("held_out") or {}
        return str(held_out.get("plan") or "cross-validation") if self.develops else ""

    @property
    def evaluates(self) -> bool:
        """Whether a model was evaluated on other patients than those it was learnt from."""
        return not self.develops or self.plan == "external"

    @property
    def used(self) -> Mapping[str, Any]:
        """The study file with every default written out; empty without a study."""
        used: Mapping[str, Any] = self.run.get("as_used", {})
        return used

    def has(self, name: str) -> bool:
        """Whether a file of this name is in the folder."""
        return (self.folder / name).is_file()


def read_results(folder: Path) -> Results:
    """Read the documents of a folder of results.

    Raises
    ------
    Refused
        `results-missing` without `evaluation.json`, `results-unreadable` for a file that is not such a document,
        `results-changed` when a file is not what its run wrote.
    """
    if not (folder / EVALUATION).is_file():
        raise refuse(
            "results-missing",
            subject=str(folder),
            found=f"it holds no {EVALUATION}",
            remedy="give the output folder of `prognoscope run` or of `prognoscope validate --out`",
        )
    evaluation = _document(folder / EVALUATION)
    missing = [key for key in NEEDED if key not in evaluation]
    if missing or not isinstance(evaluation["models"], dict) or not evaluation["models"]:
        raise _unreadable(folder / EVALUATION, f"it lacks {', '.join(missing) or 'models'}")
    run = _document(folder / RUN) if (folder / RUN).is_file() else {}
    if run:
        _unchanged(folder, run)
    card = _document(folder / CARD) if (folder / CARD).is_file() else {}
    return Results(folder, evaluation, run, card)


def _document(file: Path) -> Mapping[str, Any]:
    if file.stat().st_size > LARGEST_BYTES:
        raise _unreadable(file, f"it has {file.stat().st_size:,} bytes")
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as cause:
        raise _unreadable(file, f"it cannot be read ({cause})") from None
    if not isinstance(document, dict) or document.get("schema", 1) != 1:
        raise _unreadable(file, "it is not a document of schema 1")
    return document


def _unchanged(folder: Path, run: Mapping[str, Any]) -> None:
    """Refuse when a file that the run wrote is gone or has other bytes: it would prove nothing."""
    outputs = run.get("outputs")
    if not isinstance(outputs, dict):
        raise _unreadable(folder / RUN, "it lists no outputs")
    for name, written in outputs.items():
        file = folder / name
        if not file.is_file() or of_file(file) != written:
            raise refuse(
                "results-changed",
                subject=str(file),
                found="it is not the file that the run wrote" if file.is_file() else "the run wrote it, and it is gone",
                remedy="run the study again; what is done is kept",
            )


def _unreadable(file: Path, found: str) -> Exception:
    return refuse(
        "results-unreadable",
        subject=str(file),
        found=found,
        remedy="run the study or `prognoscope validate` again with this version",
    )
