"""No leak: outcomes permuted before every learned step give chance.

The features that `prognoscope demo` extracted from its scans, with age, sex and grade, and the demo's outcomes dealt to
the patients anew 20 times; every model of the demo, tuning, selection and scaling is learnt again each time. The mean
AUC over folds, repeats and permutations must lie within 0.5 ± 0.05. Beside it: the AUC with the true outcomes, and what
the common mistake gives, choosing predictors on all patients before the folds are made.

    python benchmarks/permuted_labels.py [PERMUTATIONS] [JOBS] [DEMO]

DEMO is a folder of `prognoscope demo` (`build/demo`), made where it is absent.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prognoscope.core.outcome import Binary
from prognoscope.core.table import Table
from prognoscope.core.work import Mapper
from prognoscope.store import from_parquet
from prognoscope.study.demo import run_demo
from prognoscope.training import PreparationSettings, assign_folds, candidates, cross_fit
from prognoscope.training.crossfit import cohort_of
from prognoscope.training.preparation import fit_preparation
from prognoscope.validation import log_score, ranking_within_folds
from prognoscope.work.local import local_map

TRIED = candidates(["elastic-net-logistic", "random-forest", "gradient-boosting"], "binary")


def cohort_of_the_demo(folder: Path, mapper: Mapper) -> tuple[Table, Binary]:
    """Return predictors and outcome of the demo's participants, running the demo where it has not run."""
    results = folder / "results"
    if not (results / "features.parquet").is_file():
        run_demo(folder, mapper=mapper)
    table = from_parquet((results / "features.parquet").read_bytes())
    told = pd.read_csv(results / "predictions.csv", dtype={"patient_id": str}).drop_duplicates("patient_id")
    event = told.set_index("patient_id")["event"].reindex(table.frame.index)
    return table, Binary(event.to_numpy() == 1)


def fold_auc(table: Table, outcome: Binary, mapper: Mapper, seed: int) -> float:
    """Mean AUC within the folds of two repeats of five."""
    folds = assign_folds(outcome, folds=5, repeats=2, seed=seed, patients=list(table.frame.index))
    fit = cross_fit(table, outcome, candidates=TRIED, folds=folds, inner=3, score=log_score, seed=seed, mapper=mapper)
    return within_folds(outcome, fit.out_of_fold.risk, folds)


def within_folds(outcome: Binary, risk: NDArray[np.float64], folds: NDArray[np.int64]) -> float:
    """Return the mean over repeats of the AUC of pairs within a fold."""
    return float(np.mean([ranking_within_folds(outcome, *pair) for pair in zip(risk, folds, strict=True)]))


def chosen_before(table: Table, outcome: Binary) -> Table:
    """Make the common mistake: keep the ten predictors that rank first on all patients."""
    cohort = cohort_of(table, outcome)
    preparation = fit_preparation(
        cohort.encoded, cohort.features, cohort.outcome, keep=10, settings=PreparationSettings()
    )
    kept = {feature.column for feature in preparation.features}
    return table.select(column.name for column in table.columns if column.name in kept)


def main() -> None:
    permutations = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    mapper = local_map(jobs=int(sys.argv[2]) if len(sys.argv) > 2 else 2)
    table, outcome = cohort_of_the_demo(Path(sys.argv[3] if len(sys.argv) > 3 else "build/demo"), mapper)
    began = time.perf_counter()
    print(f"{len(outcome)} patients of the demo, {outcome.events} events, {len(table.columns)} predictors")
    print(f"true outcomes: AUC {fold_auc(table, outcome, mapper, 0):.3f}")
    draw = np.random.default_rng(3)
    right, wrong = [], []
    for number in range(1, permutations + 1):
        shuffled = Binary(draw.permutation(outcome.event))
        right.append(fold_auc(table, shuffled, mapper, number))
        wrong.append(fold_auc(chosen_before(table, shuffled), shuffled, mapper, number))
    for words, scores in (("everything inside the folds", right), ("predictors chosen before the folds", wrong)):
        error = np.std(scores, ddof=1) / np.sqrt(len(scores))
        print(f"{permutations} permutations, {words}: mean AUC {np.mean(scores):.3f} (standard error {error:.3f})")
    print(f"{time.perf_counter() - began:.0f} s")
    sys.exit(0 if abs(np.mean(right) - 0.5) <= 0.05 else 1)


if __name__ == "__main__":
    main()
