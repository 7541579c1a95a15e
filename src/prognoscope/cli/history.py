"""`prognoscope history`: where something came from."""

from __future__ import annotations

from typing import Annotated

import typer

from prognoscope.cli.door import AsJson, door, put, put_json
from prognoscope.cli.ingest import DEFAULT_STORE, StoreOption


@door(example="prognoscope history results/sts-survival/predictions.csv --patient STS_001 --store .prognoscope")
def history(
    wanted: Annotated[
        str, typer.Argument(metavar="ID", help="Hash, UID, patient ID, snapshot or file.", show_default=False)
    ],
    store: StoreOption = DEFAULT_STORE,
    patient: Annotated[str, typer.Option("--patient", help="Follow only what concerns this patient.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Show every file of every series.")] = False,
    json: AsJson = False,
) -> None:
    """Draw the chain from a result, a series or a file back to the source files."""
    from prognoscope.jobs.history import as_json, as_lines
    from prognoscope.jobs.history import history as chain

    step = chain(wanted, store=store, patient=patient)
    if json:
        put_json({"schema": 1, "chain": as_json(step)})
        return
    for line in as_lines(step, all_files=everything):
        put(line)
