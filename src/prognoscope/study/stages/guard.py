"""Guard: may the study be trusted; which of its failures keep the bundle from being written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prognoscope.core.table import Table
from prognoscope.study.file import StudyFile
from prognoscope.study.stages.learn import Learnt
from prognoscope.study.stages.select import Cohort
from prognoscope.validation import Guard


def study_guards(study: StudyFile, cohort: Cohort, predictors: Table, learnt: Sequence[Learnt]) -> tuple[Guard, ...]:
    """Run every guard on a study."""
    return ()


def blocked_by(guards: Sequence[Guard], overrides: Mapping[str, str]) -> str:
    """Return why the bundle may not be written: the failed leakage guards that nobody has overridden in writing."""
    failed = [guard for guard in guards if guard.status == "failed" and guard.blocks and guard.name not in overrides]
    return "; ".join(f"{guard.name}: {guard.evidence}" for guard in failed)
