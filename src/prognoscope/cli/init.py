"""`prognoscope init`: look at a folder or a table and write a study file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prognoscope.cli.door import Jobs, cores, door, mapper, put, say


@door(example="prognoscope init /data/sarcoma --out study.yaml")
def init(
    source: Annotated[
        Path, typer.Argument(help="Folder with a table and, if there are any, images; or a table.", show_default=False)
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Study file to write.")] = Path("study.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the study file if it exists.")] = False,
    jobs: Jobs = cores(),
) -> None:
    """Look at a folder (series, regions, tables, columns) or at one table, and write a commented study file."""
    from prognoscope.study.init import init_study

    with mapper(jobs=jobs) as chosen:
        written = init_study(source, out=out, force=force, mapper=chosen)
    for line in written.found:
        say(line)
    for line in written.missing:
        say(f"still to write: {line}")
    put(str(written.path))
