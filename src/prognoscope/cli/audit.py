"""`prognoscope audit`: who did what to which record."""

from __future__ import annotations

from typing import Annotated

import typer

from prognoscope.cli.door import AsJson, door, put, put_json, tell
from prognoscope.cli.ingest import DEFAULT_STORE, StoreOption

audit = typer.Typer(no_args_is_help=True, help="Read and check the log of who did what to which record.")


@door(example="prognoscope audit verify --store hospital")
def verify(
    store: StoreOption = DEFAULT_STORE,
    head: Annotated[str, typer.Option("--head", help="NUMBER:HASH that an earlier check printed.")] = "",
    json: AsJson = False,
) -> None:
    """Check the log for edits, deletions, exchanged entries and a cut-off end; print its head to write down."""
    from prognoscope.jobs.audit import verify_log

    found = verify_log(store, head=head)
    if json:
        problems = [{"code": one.code, "subject": one.subject, "found": one.found} for one in found.problems]
        put_json({"schema": 1, "entries": found.entries, "head": found.head, "problems": problems})
    else:
        for problem in found.problems:
            tell(problem)
        put(f"{found.entries} entries: {'whole' if not found.problems else 'NOT whole'}")
        put(f"head {found.head}")
    if found.problems:
        raise typer.Exit(1)


@door(example="prognoscope audit show --record STS_001 --store hospital")
def show(
    store: StoreOption = DEFAULT_STORE,
    record: Annotated[str, typer.Option("--record", help="Only entries that name this hash, key or query.")] = "",
    newest: Annotated[int, typer.Option("--newest", min=1, help="How many entries.")] = 20,
    json: AsJson = False,
) -> None:
    """Show the newest entries of the log."""
    from prognoscope.jobs.audit import read_log

    entries = read_log(store, record=record, newest=newest)
    if json:
        rows = [{name: getattr(one, name) for name in type(one).__slots__} for one in entries]
        put_json({"schema": 1, "entries": rows})
        return
    for one in entries:
        put(f"{one.number}  {one.at}  {one.who}  {one.action}  {one.record}  {one.detail[:100]}")


for _command in (verify, show):
    audit.command(epilog=f"Example: {_command.example}")(_command)
