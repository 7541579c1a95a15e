"""Guard: may the study be trusted; which of its failures keep the bundle from being written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prognoscope import validation
from prognoscope.core.problems import refuse
from prognoscope.core.table import Table
from prognoscope.study.stages.learn import Learnt
from prognoscope.study.stages.select import Cohort
from prognoscope.study.stages.split import Split
from prognoscope.study.stages.tally import Tally
from prognoscope.validation import Guard

EXTERNAL_REUSED = "external-set-reused"
EXTERNAL_LEARNT_FROM = "external-set-learnt-from"


def study_guards(
    cohort: Cohort,
    predictors: Table,
    main: Learnt,
    folds: Split,
    fingerprints: Mapping[str, Sequence[str]],
    *,
    tally: Tally,
    seed: int,
) -> tuple[Guard, ...]:
    """Run every guard on a study, and those on the locked set where there is one."""
    guards = validation.study_guards(
        predictors,
        cohort.outcome,
        main.out_of_fold,
        metadata=cohort.circumstances,
        fingerprints=fingerprints,
        seed=seed,
    )
    known = tuple(_by_design(guard, folds) for guard in guards)
    if not folds.locked:
        return known
    return (*known, _used_before(folds, tally.external_uses), _learnt_from(folds, tally.external_learnt_from))


def _by_design(guard: Guard, folds: Split) -> Guard:
    """A split that is not by chance need not look like one."""
    if guard.name != "unbalanced-split" or folds.by_chance:
        return guard
    by = f" by the column {folds.column}" if folds.column else ""
    return Guard(guard.name, "passed", f"Patients are held out by design ({folds.title}{by}), so folds may differ.")


def _used_before(folds: Split, uses: int) -> Guard:
    """Warn when a set kept apart has given another result before."""
    n = len(folds.held_out)
    if uses <= 1:
        return Guard(EXTERNAL_REUSED, "passed", f"The {n} patients kept apart gave a result for the first time.")
    found = f"The {n} patients kept apart have given {uses} different results in this store"
    return Guard(
        EXTERNAL_REUSED,
        "warned",
        f"{found}: whatever was changed after the first may have been changed to please them.",
    )


def _learnt_from(folds: Split, before: int) -> Guard:
    """Warn when an earlier run in the same store learnt from patients who are kept apart now."""
    n = len(folds.held_out)
    if not before:
        found = f"No earlier run in this store learnt from any of the {n} patients kept apart, by their ID or an image."
        return Guard(EXTERNAL_LEARNT_FROM, "passed", found)
    return Guard(
        EXTERNAL_LEARNT_FROM,
        "warned",
        f"An earlier run in this store learnt from {before} of the {n} patients kept apart (the same ID, or the same "
        "image): what was chosen since, predictors, models or settings, may have been chosen to suit them.",
    )


def blocked_by(guards: Sequence[Guard], overrides: Mapping[str, str]) -> str:
    """Return why the bundle may not be written: the failed leakage guards that nobody has overridden in writing.

    Raises
    ------
    Refused
        `override-unknown` for an override of a guard that does not exist.
    """
    names = [guard.name for guard in guards]
    unknown = sorted(set(overrides) - set(names))
    if unknown:
        raise refuse(
            "override-unknown",
            subject=f"override {unknown[0]}",
            found=f"there is no guard of that name; there are: {', '.join(names)}",
            remedy="correct `validate: override:` in the study file",
        )
    failed = [guard for guard in guards if guard.status == "failed" and guard.blocks and guard.name not in overrides]
    return "; ".join(f"{guard.name}: {guard.evidence}" for guard in failed)
