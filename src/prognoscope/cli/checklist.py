"""`prognoscope checklist`: a reporting checklist, filled with what a folder of results proves."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from prognoscope.cli.door import AsJson, door, put, put_json

if TYPE_CHECKING:
    from prognoscope.jobs.checklist import Checklist

MARKS = {"shown": "✓", "in part": "◐", "attest": "□", "not applicable": "–"}


class Name(StrEnum):
    """Checklists that can be filled."""

    tripod_ai = "tripod-ai"


@door(example="prognoscope checklist tripod-ai results/sarcoma")
def checklist(
    name: Annotated[Name, typer.Argument(help="Which checklist.", show_default=False)],  # noqa: ARG001 - there is one
    out: Annotated[Path, typer.Argument(help="Folder of results, of `run` or `validate`.", show_default=False)],
    json: AsJson = False,
) -> None:
    """Fill a reporting checklist with what the results prove, and list what a person must still attest."""
    from prognoscope.jobs.checklist import tripod_ai

    found = tripod_ai(out)
    if json:
        put_json(found.document)
    else:
        _show(found)


def _show(found: Checklist) -> None:
    section = ""
    for row in found.rows:
        if row.section != section:
            section = row.section
            put(f"\n{section}" if row is not found.rows[0] else section)
        put(f"  {MARKS[row.status]} {row.number:<4}{row.subject}")
        if row.found:
            put(f"         {row.found}")
        for one in row.evidence:
            put(f"         → {one}")
        if row.person:
            put(f"         to state: {row.person}")
    put(
        f"\n✓ {found.count('shown')} shown, ◐ {found.count('in part')} in part, □ {found.count('attest')} to attest, "
        f"– {found.count('not applicable')} not applicable"
    )
    put(f"page: {found.page}")
