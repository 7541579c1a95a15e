"""`prognoscope curate`: roles by rules, and checks of quality."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prognoscope.cli.door import Jobs, cores, door, mapper, put
from prognoscope.cli.ingest import DEFAULT_STORE, StoreOption


@door(example="prognoscope curate --rules roles.toml --out curation --store hospital")
def curate(
    store: StoreOption = DEFAULT_STORE,
    rules: Annotated[Path | None, typer.Option("--rules", help="File of rules (TOML) that give roles.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder for the page curation.html, with pictures of what failed, and curation.json."
        ),
    ] = None,
    jobs: Jobs = cores(),
) -> None:
    """Check every series of the store, quarantine what fails, and give roles by rules with the reason of each."""
    from prognoscope.jobs.curate import curate as look

    with mapper(jobs=jobs) as chosen:
        report = look(store, rules=rules, out=out, mapper=chosen)
    for _, problem in report.failed:
        put(f"{problem.code}: {problem.subject}: {problem.found}")
    for _, verdict in report.roles:
        if verdict.chosen:
            put(f"{verdict.role}: {verdict.uid}: {verdict.reason}")
    for name in report.unfilled:
        put(f"{name}: no series of any patient fits the rule")
    put(f"{report.series} series looked at, {report.out_of_use} failed")
    if report.refused:
        put(f"{report.refused} series could not be put together: prognoscope quarantine list")
