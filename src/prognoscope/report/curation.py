"""The page of a curation: every series that failed, with a picture of it and the reason; and who got which role."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass

from prognoscope.core.problems import Problem


@dataclass(frozen=True, slots=True)
class FailedSeries:
    """A series that failed: whose, what it is, its picture (PNG, or none), its problems, and the key that releases it
    (empty where it is not in quarantine)."""

    patient_id: str
    modality: str
    description: str
    uid: str
    picture: bytes
    problems: tuple[Problem, ...]
    release: str

    @property
    def code(self) -> str:
        """The first reason, under which it stands on the page."""
        return self.problems[0].code

    @property
    def source(self) -> str:
        """The picture as an address that needs no other file."""
        return f"data:image/png;base64,{base64.b64encode(self.picture).decode()}" if self.picture else ""


@dataclass(frozen=True, slots=True)
class RoleChoice:
    """A series considered for a role: chosen or not, and why."""

    patient_id: str
    role: str
    uid: str
    chosen: bool
    reason: str


@dataclass(frozen=True, slots=True)
class CurationContent:
    """All that the page shows: how many series were looked at, what is wrong with which, and the choices for roles."""

    store: str
    made_on: str
    version: str
    looked_at: int
    failed: tuple[FailedSeries, ...]
    roles: tuple[RoleChoice, ...]

    @property
    def out_of_use(self) -> int:
        """How many series failed so that they are in quarantine; of the others something is told only."""
        return sum(bool(one.release) for one in self.failed)

    def tally(self) -> tuple[tuple[str, int], ...]:
        """Number of series by their first reason: those out of use before the others, the most frequent first."""
        counts = Counter(one.code for one in self.failed)
        held = {one.code for one in self.failed if one.release}
        return tuple(sorted(counts.items(), key=lambda entry: (entry[0] not in held, -entry[1], entry[0])))


def render_curation(content: CurationContent) -> str:
    """Return the page as one self-contained HTML document, the same for the same content."""
    from prognoscope.report.templating import environment  # Jinja takes half a second to import

    return environment().get_template("curation.html.j2").render(content=content)
