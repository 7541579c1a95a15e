"""`prognoscope predict`: the risk of new patients, by a bundle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from prognoscope.cli.door import AsJson, Jobs, cores, door, mapper
from prognoscope.cli.summary import show_predictions


@door(example="prognoscope predict results/sts-survival/bundle /data/new-patient --out predictions")
def predict(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle that `run` wrote.", show_default=False)],
    source: Annotated[
        Path,
        typer.Argument(help="One patient's folder, or a source laid out like the study's own.", show_default=False),
    ],
    table: Annotated[
        Path | None, typer.Option("--table", help="Clinical table; found in SOURCE by the study's name by default.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for predictions.csv and predictions.json.")
    ] = None,
    jobs: Jobs = cores(),
    json: AsJson = False,
) -> None:
    """Give each patient's risk with its interval, and say where the bundle abstains and why."""
    from prognoscope.study.predict import predict_source

    with mapper(jobs=jobs) as chosen:
        predictions = predict_source(bundle, source, table=table, out=out, mapper=chosen)
    show_predictions(predictions, as_json=json)
