"""`prognoscope verify`: is the store as it was written."""

from __future__ import annotations

from typing import Annotated

import typer

from prognoscope.cli.door import AsJson, Jobs, cores, door, mapper, put, put_json, tell
from prognoscope.cli.ingest import DEFAULT_STORE, StoreOption


@door(example="prognoscope verify --store hospital")
def verify(
    store: StoreOption = DEFAULT_STORE,
    sources: Annotated[
        bool, typer.Option("--sources", help="Hash the source files too, where they still lie where they came from.")
    ] = False,
    jobs: Jobs = cores(),
    json: AsJson = False,
) -> None:
    """Hash everything in the store again, follow the audit log, and say what changed or is missing."""
    from prognoscope.jobs.verify import verify as check

    with mapper(jobs=jobs) as chosen:
        report = check(store, sources=sources, mapper=chosen)
    if json:
        problems = [
            {"code": one.code, "subject": one.subject, "found": one.found, "remedy": one.remedy}
            for one in report.problems
        ]
        put_json(
            {
                "schema": 1,
                "artefacts": report.artefacts,
                "source_files": report.source_files,
                "audit_entries": report.audit_entries,
                "problems": problems,
                "orphans": list(report.orphans),
            }
        )
    else:
        for problem in report.problems:
            tell(problem)
        for name in report.orphans:
            put(f"orphan: artefact {name} is named by nothing")
        state = "all as it was written" if not report.problems else f"{len(report.problems)} problems"
        checked = f"{report.artefacts} artefacts, {report.audit_entries} entries of the audit log"
        put(f"{checked}{f', {report.source_files} source files' if sources else ''}: {state}")
    if report.problems:
        raise typer.Exit(1)
