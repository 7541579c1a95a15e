"""`prognoscope samplesize`: how many patients a study needs before it begins."""

from __future__ import annotations

import math
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from prognoscope.cli.door import AsJson, door, put, put_json


class OutcomeKind(StrEnum):
    """Kinds of outcome that the criteria cover."""

    binary = "binary"
    survival = "survival"
    continuous = "continuous"


@door(example="prognoscope samplesize binary --parameters 24 --prevalence 0.174 --r2 0.288")
def samplesize(
    kind: Annotated[OutcomeKind, typer.Argument(help="Kind of outcome.", show_default=False)],
    parameters: Annotated[int, typer.Option("--parameters", min=1, help="Candidate parameters.", show_default=False)],
    prevalence: Annotated[float | None, typer.Option("--prevalence", help="Share with the event (binary).")] = None,
    rate: Annotated[float | None, typer.Option("--rate", help="Events per unit of time (survival).")] = None,
    horizon: Annotated[float | None, typer.Option("--horizon", help="Time of the risks (survival).")] = None,
    follow_up: Annotated[float | None, typer.Option("--follow-up", help="Mean follow-up (survival).")] = None,
    r2: Annotated[float | None, typer.Option("--r2", help="Expected Cox-Snell R²; adjusted R² if continuous.")] = None,
    nagelkerke_r2: Annotated[
        float | None, typer.Option("--nagelkerke-r2", help="Expected Nagelkerke R² instead (0.15 is cautious).")
    ] = None,
    c_statistic: Annotated[
        float | None, typer.Option("--c-statistic", help="Expected C statistic instead (binary).")
    ] = None,
    mean: Annotated[float | None, typer.Option("--mean", help="Expected mean (continuous).")] = None,
    sd: Annotated[float | None, typer.Option("--sd", help="Expected standard deviation (continuous).")] = None,
    shrinkage: Annotated[float, typer.Option("--shrinkage", help="Global shrinkage to aim at.")] = 0.9,
    json: AsJson = False,
) -> None:
    """Say how many patients a prediction model needs before it is developed, by Riley's criteria."""
    from prognoscope.jobs.samplesize import sample_size

    found = sample_size(
        kind.value,
        parameters=parameters,
        prevalence=prevalence,
        rate=rate,
        horizon=horizon,
        follow_up=follow_up,
        r2=r2,
        nagelkerke_r2=nagelkerke_r2,
        c_statistic=c_statistic,
        mean=mean,
        standard_deviation=sd,
        shrinkage=shrinkage,
    )
    if json:
        document = {name: None if value != value else value for name, value in asdict(found).items()}
        put_json({"schema": 1, "outcome": kind.value, **document})
        return
    events = "" if math.isnan(found.events) else f", {math.ceil(found.events)} of them with the event"
    put(f"{found.n} patients{events}, for {found.parameters} candidate parameters")
    for criterion in found.criteria:
        put(f"  {criterion.n:>6}  {criterion.name}: {criterion.meaning}")
