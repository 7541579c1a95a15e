"""No leak: outcomes permuted before every learned step give chance.

A cohort like the demo's (100 patients, clinical and radiomics-like predictors, a strong true signal), its outcomes
dealt to the patients anew 20 times; every model, tuning, selection and scaling is learnt again each time. The mean AUC
over folds, repeats and permutations must lie within 0.5 ± 0.05. Beside it: the AUC with the true outcomes, and what the
common mistake gives, choosing predictors on all patients before the folds are made.

    python benchmarks/permuted_labels.py [PERMUTATIONS] [JOBS]
"""

from __future__ import annotations

import sys
import time

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.outcome import Binary
from prognoscope.core.table import Table
from prognoscope.core.work import Mapper
from prognoscope.training import PreparationSettings, assign_folds, candidates, cross_fit
from prognoscope.training.crossfit import cohort_of
from prognoscope.training.preparation import fit_preparation
from prognoscope.validation import log_score
from prognoscope.work.local import local_map
from tests.make.training import auc, binary, clinical_and_imaging

TRIED = candidates(["elastic-net-logistic", "random-forest", "gradient-boosting"], "binary")


def fold_auc(table: Table, outcome: Binary, mapper: Mapper, seed: int) -> float:
    """Mean AUC within the folds of two repeats of five."""
    folds = assign_folds(outcome, folds=5, repeats=2, seed=seed, patients=list(table.frame.index))
    fit = cross_fit(table, outcome, candidates=TRIED, folds=folds, inner=3, score=log_score, seed=seed, mapper=mapper)
    return within_folds(outcome, fit.out_of_fold.risk, folds)


def within_folds(outcome: Binary, risk: NDArray[np.float64], folds: NDArray[np.int64]) -> float:
    scores = [
        auc(outcome.take(fold == number), row[fold == number])
        for row, fold in zip(risk, folds, strict=True)
        for number in np.unique(fold)
    ]
    return float(np.mean(scores))


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
    table, truth = clinical_and_imaging(patients=100, imaging=300, seed=1)
    outcome = binary(truth, seed=2)
    began = time.perf_counter()
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
