"""`prognoscope keys`: the key from which a project's pseudonyms follow."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from prognoscope.cli.door import AsJson, door, put, put_json


class What(StrEnum):
    """What to do with a key."""

    new = "new"
    show = "show"
    people = "people"


@door(example="prognoscope keys new project.key")
def keys(
    what: Annotated[
        What,
        typer.Argument(
            help="new: make one; show: its fingerprint; people: whose the pseudonyms are.", show_default=False
        ),
    ],
    file: Annotated[
        Path | None,
        typer.Argument(help="Key file; by default PROGNOSCOPE_KEY_FILE or the user's own.", show_default=False),
    ] = None,
    table: Annotated[Path, typer.Option("--table", help="Encrypted pseudonym table, for `people`.")] = Path(
        "pseudonyms.enc"
    ),
    json: AsJson = False,
) -> None:
    """Make, name or use the key that pseudonyms, UIDs and date shifts follow from; keep it apart from all data."""
    from prognoscope.jobs.keys import default_key_path, new_key, show_key, show_people

    place = file or default_key_path()
    if what is What.people:
        found = show_people(place, table)
    else:
        found = new_key(place) if what is What.new else show_key(place)
    if json:
        put_json({"schema": 1, what.value: found})
        return
    for name, value in found.items():
        put(f"{name}\t{value}")
