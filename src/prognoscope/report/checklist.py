"""A filled reporting checklist as one page, to be kept beside the report and printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

ChecklistStatus = Literal["shown", "in part", "attest", "not applicable"]


@dataclass(frozen=True, slots=True)
class ChecklistRow:
    """One item of a checklist as filled.

    Attributes
    ----------
    number, section, subject
        Of the item.
    status
        `shown` by the results, `in part`, only a person can `attest` it, or `not applicable` to this kind of study.
    found
        What the results show, or why it does not apply.
    evidence
        Where that stands: a file beside the page, with `#anchor` or `: keys` behind its name.
    person
        What a person must still state; empty when nothing is left.
    """

    number: str
    section: str
    subject: str
    status: ChecklistStatus
    found: str = ""
    evidence: tuple[str, ...] = ()
    person: str = ""


def render_checklist(rows: Sequence[ChecklistRow], *, name: str, source: str, study: str, kind: str) -> str:
    """Return the page: how much is shown, every item in its order, and room to attest the rest by hand.

    `name` and `source` are those of the checklist, `study` is what it was filled for and `kind` what that is.
    """
    from prognoscope.report.templating import environment

    statuses = ("shown", "in part", "attest", "not applicable")
    tally = [(status, sum(row.status == status for row in rows)) for status in statuses]
    sections = {row.section: [one for one in rows if one.section == row.section] for row in rows}
    return (
        environment()
        .get_template("checklist.html.j2")
        .render(name=name, source=source, study=study, kind=kind, tally=tally, sections=sections)
    )
