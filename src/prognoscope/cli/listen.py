"""`prognoscope listen`: take what modalities and PACS send."""

from __future__ import annotations

import signal
import time
from typing import Annotated

import typer

from prognoscope.cli.door import door, put, say, tell
from prognoscope.cli.ingest import DEFAULT_STORE, StoreOption

# What was sent can be found when nothing more has come for a while, and at the latest after a minute.
QUIET_SECONDS, LONGEST_WAIT_SECONDS = 3.0, 60.0


@door(example="prognoscope listen --port 11112 --title PROGNOSCOPE --store hospital")
def listen(
    store: StoreOption = DEFAULT_STORE,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 11112,
    title: Annotated[str, typer.Option("--title", help="Our application entity title.")] = "PROGNOSCOPE",
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; 0.0.0.0 lets other machines in.")
    ] = "127.0.0.1",
    seconds: Annotated[float, typer.Option("--seconds", help="Stop after this time; 0 for until Ctrl-C.")] = 0.0,
) -> None:
    """Take DICOM files that are sent to us; a sender gets its receipt when the file is kept."""
    from prognoscope.jobs.ingest import assemble_store
    from prognoscope.jobs.listener import listening

    counted, came_in = [0], [0.0]

    def told(new: int) -> None:
        counted[0] += new
        came_in[0] = time.monotonic()

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service is stopped so: it ends as by Ctrl-C
    with listening(store, port=port, title=title, host=host, told=told, refused=tell) as chosen:
        say(f"listening as {title} on {host}:{chosen}; Ctrl-C ends it")
        began = time.monotonic()
        assembled = began
        try:
            while not seconds or time.monotonic() - began < seconds:
                time.sleep(0.2)
                quiet = time.monotonic() - came_in[0] > QUIET_SECONDS
                if came_in[0] > assembled and (quiet or time.monotonic() - assembled > LONGEST_WAIT_SECONDS):
                    assembled = time.monotonic()
                    assemble_store(store)
        except KeyboardInterrupt:
            say("ending")
    assemble_store(store)
    put(f"{counted[0]} new files")
