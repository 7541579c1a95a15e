"""`prognoscope run`: from a study file to a report and a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prognoscope.cli.door import AsJson, Cluster, Jobs, StoreFolder, cores, door, mapper
from prognoscope.cli.summary import show_run


@door(example="prognoscope run studies/sts-survival.yaml --out results/sts-survival")
def run(
    study: Annotated[Path, typer.Argument(help="Study file (YAML).", show_default=False)],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the results; results/NAME by default.")
    ] = None,
    store: StoreFolder = None,
    jobs: Jobs = cores(),
    cluster: Cluster = "",
    verify: Annotated[
        bool, typer.Option("--verify", help="Hash every file again instead of trusting size and time.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Answer a study's question: read the images, measure, learn, validate, and leave a report and a bundle."""
    from prognoscope.study.run import run_study

    arguments = {"study": study, "out": out, "store": store, "jobs": jobs, "cluster": cluster, "verify": verify}
    with mapper(jobs=jobs, cluster=cluster) as chosen:
        result = run_study(study, out=out, store=store, mapper=chosen, verify=verify, arguments=arguments)
    show_run(result, as_json=json)
