"""`prognoscope demo`: the whole way on a small cohort with a known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prognoscope.cli.door import AsJson, Cluster, Jobs, cores, door, mapper
from prognoscope.cli.summary import show_run


@door(example="prognoscope demo --out demo-study")
def demo(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the cohort and the results.")] = Path(
        "demo-study"
    ),
    patients: Annotated[int, typer.Option("--patients", min=40, max=2000, help="Size of the cohort.")] = 120,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the cohort and the study.")] = 1,
    jobs: Jobs = cores(),
    cluster: Cluster = "",
    json: AsJson = False,
) -> None:
    """Write a cohort of CT scans whose outcome has a known truth, run a study on it, and compare with the truth."""
    from prognoscope.study.demo import run_demo

    with mapper(jobs=jobs, cluster=cluster) as chosen:
        result = run_demo(out, patients=patients, seed=seed, mapper=chosen)
    show_run(result, as_json=json)
