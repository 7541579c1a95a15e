"""What was tried on a cohort over all runs that the store knows, and whether a locked set was looked at before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prognoscope.core import hashing
from prognoscope.store import Store
from prognoscope.study.file import StudyFile
from prognoscope.study.stages.learn import Learnt
from prognoscope.study.stages.select import Cohort
from prognoscope.study.stages.split import Split, snapshot_of

SETTINGS, MODELS, EXTERNAL = "settings tried", "models tried", "external set used"
LEARNT_FROM, BEFORE = "learnt from", "learnt from before the external set was used"


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts over all runs on the same participants and outcomes, this one included.

    Attributes
    ----------
    models, settings
        Kinds of models, and model settings over all sets of predictors.
    external_uses
        Different results that a locked set has given; 0 where the plan has none. The same result again is no new look.
    external_learnt_from
        Patients of a locked set whom an earlier run had learnt from, by their ID or by an image, when they first gave
        this result.
    """

    models: int
    settings: int
    external_uses: int = 0
    external_learnt_from: int = 0


def count(
    cohort: Cohort,
    study: StudyFile,
    learnt: Sequence[Learnt],
    folds: Split,
    *,
    fingerprints: Mapping[str, Sequence[str]],
    store: Store,
) -> Tally:
    """Note what this run tried, looked at and learnt from, once for each result, and return the counts.

    `fingerprints` are those of the images by patient, by which one is known under another ID.
    """
    snapshot = cohort.snapshot()
    for one in learnt:
        store.count(snapshot, SETTINGS, one.hash, one.tried)
    for candidate in study.candidates:
        store.count(snapshot, MODELS, candidate.model.name, 1)
    uses = before = 0
    marks = [_marks(patient, fingerprints) for patient in cohort.patients]
    if folds.locked:
        locked = snapshot_of(cohort.patients, cohort.outcome, folds.held_out)
        result = hashing.of_value([one.hash for one in learnt])
        store.count(locked, EXTERNAL, result, 1)
        uses = store.counted(locked, EXTERNAL)
        before = _learnt_from(hashing.of_value([locked, result]), [marks[row] for row in folds.held_out], store)
    store.remember(LEARNT_FROM, {mark: b"" for row in folds.for_the_bundle for mark in marks[row]})
    return Tally(store.counted(snapshot, MODELS), store.counted(snapshot, SETTINGS), uses, before)


def _marks(patient: str, fingerprints: Mapping[str, Sequence[str]]) -> list[str]:
    """By what a patient is known again: the ID, and each image."""
    known = [["ID", patient], *(["image", one] for one in fingerprints.get(patient, ()))]
    return [hashing.of_value([LEARNT_FROM, *one]) for one in known]


def _learnt_from(use: str, marks: Sequence[Sequence[str]], store: Store) -> int:
    """Of how many patients a run had learnt before this use; as it was then, whatever was learnt since."""
    key = hashing.of_value([BEFORE, use])
    if key not in (told := store.memos([key])):
        known = store.memos([mark for own in marks for mark in own])
        told = {key: str(sum(any(mark in known for mark in own) for own in marks)).encode()}
        store.remember(BEFORE, told)
    return int(told[key])
