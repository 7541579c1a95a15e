"""Who takes part and who does not, with the reason of each: the participant flow."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from prognoscope.core.problems import Problem

Step = Literal["table", "eligibility", "time zero", "outcome", "images", "regions", "measurement"]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A patient who does not take part: the first step that excluded, and the problem found there."""

    patient_id: str
    step: Step
    problem: Problem


@dataclass(frozen=True, slots=True)
class Flow:
    """The participant flow: every patient found anywhere is either included or excluded once.

    `notes` are problems that exclude nobody.
    """

    included: tuple[str, ...]
    exclusions: tuple[Exclusion, ...] = ()
    notes: tuple[Problem, ...] = ()

    @property
    def considered(self) -> int:
        """Number of patients found in the table or among the images."""
        return len(self.included) + len(self.exclusions)

    def counts(self) -> tuple[tuple[Step, str, int], ...]:
        """Return `(step, problem code, number of patients)` in the order in which the steps came."""
        tally = Counter((exclusion.step, exclusion.problem.code) for exclusion in self.exclusions)
        return tuple((step, code, number) for (step, code), number in tally.items())

    def without(self, exclusions: tuple[Exclusion, ...]) -> Flow:
        """Return the flow after a further step has excluded some of the included."""
        gone = {exclusion.patient_id for exclusion in exclusions}
        kept = tuple(patient for patient in self.included if patient not in gone)
        return Flow(kept, self.exclusions + exclusions, self.notes)
