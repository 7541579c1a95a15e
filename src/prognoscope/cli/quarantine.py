"""`prognoscope quarantine`: what is kept aside, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from prognoscope.cli.door import AsJson, door, put, put_json
from prognoscope.cli.ingest import DEFAULT_STORE, StoreOption

SHOWN = 12

quarantine = typer.Typer(no_args_is_help=True, help="See what is kept aside and why, and release it with a reason.")


@door(example="prognoscope quarantine list --store hospital")
def list_held(
    store: StoreOption = DEFAULT_STORE,
    released: Annotated[bool, typer.Option("--released", help="Show what was released too.")] = False,
    json: AsJson = False,
) -> None:
    """List what is kept aside: its key, the reason, what was found and what to do."""
    from prognoscope.jobs.quarantine import list_quarantine

    held = list_quarantine(store, released=released)
    if json:
        rows = [
            {
                "key": one.key,
                "what": one.what,
                "code": one.problem.code,
                "subject": one.subject,
                "found": one.problem.found,
                "remedy": one.problem.remedy,
                "source": one.source,
                "released": one.released,
                "reason": one.reason,
            }
            for one in held
        ]
        put_json({"schema": 1, "held": rows})
        return
    for one in held:
        let_go = f"; released by {one.released_by}: {one.reason}" if one.released else ""
        put(f"{one.key[:SHOWN]}  {one.problem.code}  {one.subject}: {one.problem.found}{let_go}")
    put(f"{sum(not one.released for one in held)} things are held")


@door(example="prognoscope quarantine release 3f2a9c41d0aa --reason 'seen by Dr. Ode: the cut is outside the lesion'")
def release(
    key: Annotated[str, typer.Argument(help="Key, at least 8 characters of it.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", help="Why it may be used.")],
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Release one thing; the reason and the name of whoever gives it stay in the audit log."""
    from prognoscope.jobs.quarantine import release as let_go

    held = let_go(key, reason=reason, store=store)
    put(f"released {held.what} {held.subject} ({held.problem.code})")


quarantine.command("list", epilog=f"Example: {list_held.example}")(list_held)
quarantine.command("release", epilog=f"Example: {release.example}")(release)
