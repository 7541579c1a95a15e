"""What was tried on a cohort over all runs that the store knows, and how often a locked set was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prognoscope.core import hashing
from prognoscope.store import Store
from prognoscope.study.file import StudyFile
from prognoscope.study.stages.learn import Learnt
from prognoscope.study.stages.select import Cohort
from prognoscope.study.stages.split import Split, snapshot_of

SETTINGS, MODELS, EXTERNAL = "settings tried", "models tried", "external set used"


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over all runs on the same participants and outcomes, this one included.

    Attributes
    ----------
    models, settings
        Kinds of models, and model settings over all sets of predictors.
    external_uses
        Different results that a locked set has given; 0 where the plan has none. The same result again is no new look.
    """

    models: int
    settings: int
    external_uses: int = 0


def count(cohort: Cohort, study: StudyFile, learnt: Sequence[Learnt], folds: Split, *, store: Store) -> Tally:
    """Note what this run tried and looked at, once for each result, and return the counts."""
    snapshot = cohort.snapshot()
    for one in learnt:
        store.count(snapshot, SETTINGS, one.hash, one.tried)
    for candidate in study.candidates:
        store.count(snapshot, MODELS, candidate.model.name, 1)
    uses = 0
    if folds.locked:
        locked = snapshot_of(cohort.patients, cohort.outcome, folds.held_out)
        store.count(locked, EXTERNAL, hashing.of_value([one.hash for one in learnt]), 1)
        uses = store.counted(locked, EXTERNAL)
    return Tally(store.counted(snapshot, MODELS), store.counted(snapshot, SETTINGS), uses)
