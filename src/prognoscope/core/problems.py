"""One kind of problem for the whole house, and one exception that carries it.

A problem says what is wrong (`found`), with what (`subject`) and what to do (`remedy`). Where it is raised it stops
the command; where it is returned beside a value it excludes a participant or is a note for the report. Codes are
stable and listed with cause and cure in `docs/problems.md`; a code is never used again for something else.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where, and what to do about it.

    Attributes
    ----------
    code
        Stable kebab-case name, listed in `docs/problems.md`.
    subject
        The file, series, patient, column or line concerned, as the user knows it.
    found
        What was found, with numbers and both sides of a comparison.
    remedy
        What the user can do, as an imperative sentence without its full stop.
    """

    code: str
    subject: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.found}; {self.remedy} [{self.code}]"


class Refused(Exception):  # noqa: N818 - a refusal is an answer, not an error of the program
    """Raised when a problem stops the work. Carries the problem and nothing else."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)

    @property
    def problem(self) -> Problem:
        """The problem that stopped the work."""
        problem: Problem = self.args[0]
        return problem

    def __str__(self) -> str:
        return str(self.problem)


def refuse(code: str, *, subject: str, found: str, remedy: str) -> Refused:
    """Make the exception for a problem: `raise refuse("empty-mask", subject=…, found=…, remedy=…)`."""
    return Refused(Problem(code=code, subject=subject, found=found, remedy=remedy))
