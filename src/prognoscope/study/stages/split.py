"""Split: who is held out when. Made once for a cohort and kept; every later stage takes the folds as they are."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prognoscope.core import hashing
from prognoscope.core.outcome import Outcome
from prognoscope.study.appraisal import BOOTSTRAP, BY_CHANCE
from prognoscope.study.cache import Cache
from prognoscope.study.file import StudyFile
from prognoscope.study.stages.select import Cohort
from prognoscope.training import Assignment, together

VERSION = 1


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Who is held out when.

    Attributes
    ----------
    plan, title, column
        Name of the plan, what it is in words, and the column that it goes by (empty for none).
    folds
        `(repeats, n)`: the fold that holds each participant out; -1 for one who is only learnt from.
    names
        Name of each fold (a site, `year later than 2019`); empty where it has none.
    locked
        Whether those held out are kept apart for good.
    together
        Group of each participant, whose members stay in one fold, inner folds too; None where each stands alone.
    hash
        SHA-256 of the artefact that keeps the folds.
    """

    plan: str
    title: str
    column: str
    folds: NDArray[np.int64]
    names: tuple[str, ...]
    locked: bool
    together: tuple[str, ...] | None
    hash: str

    @property
    def held_out(self) -> NDArray[np.int64]:
        """Rows of the participants that are held out in any repeat: those whom the figures are of."""
        return Assignment(self.folds).held_out

    @property
    def only_learnt_from(self) -> NDArray[np.int64]:
        """Rows of the participants that are never held out."""
        return Assignment(self.folds).only_learnt_from

    @property
    def for_the_bundle(self) -> NDArray[np.int64]:
        """Rows that the predictor for new patients is learnt from: everybody, but never a locked set."""
        return self.only_learnt_from if self.locked else np.arange(self.folds.shape[1])

    @property
    def by_chance(self) -> bool:
        """Whether patients were dealt to folds by chance, so that folds should be alike."""
        return self.plan == BY_CHANCE

    @property
    def is_bootstrap(self) -> bool:
        """Whether nobody is held out but by bootstraps."""
        return self.plan == BOOTSTRAP


def split(cohort: Cohort, study: StudyFile, *, cache: Cache) -> Split:
    """Return the folds of a cohort: those that were made when it was first split by this plan and seed.

    Raises
    ------
    Refused
        What the plan refuses: too few events for the folds, sites or moments that are missing, a held out set of one
        class.
    """
    held, seed = study.held_out, study.study.seed
    values = cohort.attributes[held.column] if held.column else None

    def compute() -> dict[str, bytes]:
        assignment = held.plan.assign(cohort.outcome, held.settings, values, cohort.patients, seed)
        data = io.BytesIO()
        np.save(data, assignment.folds, allow_pickle=False)
        names = json.dumps({"patients": list(cohort.patients), "names": list(assignment.names)}, ensure_ascii=False)
        return {"folds": data.getvalue(), "names": names.encode()}

    outputs = cache.stage(
        "split",
        version=VERSION,
        settings=[held.plan.name, held.settings, seed],
        inputs={
            "participants and outcome": cohort.snapshot(),
            "horizon": hashing.of_value(getattr(cohort.outcome, "horizon_days", None)),
            "column": _hash(values),
        },
        compute=compute,
    )
    return Split(
        plan=held.plan.name,
        title=held.plan.title,
        column=held.column,
        folds=np.load(io.BytesIO(outputs["folds"]), allow_pickle=False),
        names=tuple(json.loads(outputs["names"])["names"]),
        locked=held.plan.locked,
        together=together(values, cohort.patients) if values is not None and held.plan.name == BY_CHANCE else None,
        hash=outputs.names["folds"],
    )


def snapshot_of(patients: tuple[str, ...], outcome: Outcome, rows: NDArray[np.int64]) -> str:
    """SHA-256 of some participants and their outcome: what the uses of a locked set are counted under."""
    part = outcome.take(rows)
    return hashing.of_value([[patients[row] for row in rows], part.event, getattr(part, "time_days", [])])


def _hash(values: pd.Series | None) -> str:
    return "" if values is None else hashing.of_value([cell if isinstance(cell, str) else None for cell in values])
