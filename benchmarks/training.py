"""How long learning takes for a study of the sarcoma cohort's size, and how large and quick its predictor is.

51 patients, 4 clinical and 350 imaging predictors; three sets of predictors (all, clinical, imaging), 5 repeats of 5
outer folds, 3 inner folds, every model with the settings of the house, 100 refits of the main pipeline.

    python benchmarks/training.py [JOBS]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from prognoscope.core.outcome import Outcome
from prognoscope.core.table import Table
from prognoscope.training import (
    MODELS,
    assign_folds,
    candidates,
    cross_fit,
    fit_predictor,
    save_predictor,
)
from prognoscope.validation import log_score
from prognoscope.work.local import local_map
from tests.make.training import binary, clinical_and_imaging, survival

PREDICT = """
import pathlib, sys, time
began = time.perf_counter()
import numpy, pandas
from prognoscope.core.table import Table
from prognoscope.training import load_predictor
predictor = load_predictor(pathlib.Path(sys.argv[1]))
row = {c.name: [1.0] if c.type != "category" else [c.levels[0]] for c in predictor.columns}
predictor.predict(Table(pandas.DataFrame(row, index=["new"]), predictor.columns))
print(f"{time.perf_counter() - began:.2f}")
"""


def learn(table: Table, outcome: Outcome, jobs: int, folder: Path) -> None:
    mapper = local_map(jobs=jobs)
    tried = candidates([model.name for model in MODELS if outcome.kind in model.serves], outcome.kind)
    folds = assign_folds(outcome, folds=5, repeats=5, seed=1, patients=list(table.frame.index))
    total = 0.0
    for name, part in {
        "all": table,
        "clinical": table.of_origin("clinical"),
        "imaging": table.of_origin("imaging"),
    }.items():
        began = time.perf_counter()
        fit = cross_fit(part, outcome, candidates=tried, folds=folds, inner=3, score=log_score, seed=1, mapper=mapper)
        total += time.perf_counter() - began
        print(
            f"  {name:9} {time.perf_counter() - began:6.1f} s, {fit.settings_tried} settings in each of 25 outer folds"
        )
    began = time.perf_counter()
    predictor = fit_predictor(table, outcome, candidates=tried, inner=3, score=log_score, seed=1, mapper=mapper)
    total += time.perf_counter() - began
    print(f"  refits    {time.perf_counter() - began:6.1f} s, {len(predictor.refits)}")
    save_predictor(predictor, folder)
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    answer = subprocess.run([sys.executable, "-c", PREDICT, str(folder)], check=True, capture_output=True, text=True)
    print(f"  together  {total:6.1f} s; bundle {size:.2f} MB; a fresh process answers in {answer.stdout.strip()} s")


def main() -> None:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    table, truth = clinical_and_imaging(patients=51, imaging=350, seed=1)
    keep = [column.name for column in table.columns if column.name != "smoker"]
    table = table.select(keep)
    for outcome in (binary(truth, seed=2), survival(truth, seed=2)):
        print(f"{outcome.kind}: {len(outcome)} patients, {outcome.events} events, {len(keep)} predictors, {jobs} jobs")
        with tempfile.TemporaryDirectory() as folder:
            learn(table, outcome, jobs, Path(folder))
    print(f"numpy {np.__version__}")


if __name__ == "__main__":
    main()
