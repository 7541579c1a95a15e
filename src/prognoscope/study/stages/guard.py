"""Guard: may the study be trusted; which of its failures keep the bundle from being written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prognoscope import validation
from prognoscope.core.problems import refuse
from prognoscope.core.table import Table
from prognoscope.study.stages.learn import Learnt
from prognoscope.study.stages.select import Cohort
from prognoscope.validation import Guard


def study_guards(
    cohort: Cohort, predictors: Table, main: Learnt, fingerprints: Mapping[str, Sequence[str]], *, seed: int
) -> tuple[Guard, ...]:
    """Run every guard on a study."""
    return validation.study_guards(
        predictors,
        cohort.outcome,
        main.out_of_fold,
        metadata=cohort.circumstances,
        fingerprints=fingerprints,
        seed=seed,
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
