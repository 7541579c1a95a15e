"""Bootstrap optimism correction against known truth: where it works, and where it fails.

For each cohort the whole pipeline is learnt from all patients and from bootstraps of them; its AUC is corrected, and
the truth is the AUC of the same pipeline on 20,000 new patients. Three cells: penalised logistic regression with 10
predictors and 200 patients, where the mean corrected AUC must be within 0.01 of the mean true one; the same with 300
predictors and 60 patients, and a random forest, where the correction is too small and is refused as a headline.

    python benchmarks/splits_optimism.py [COHORTS [RESAMPLES [JOBS [WORD]]]]     # 500 50 2; cells whose name has WORD

The two cells that fail are run on a fifth of the cohorts.
"""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.core.table import Column, Table
from prognoscope.training import PreparationSettings, bootstrap_fit, candidates, headline_caution, optimism
from prognoscope.training.encoding import encode
from prognoscope.training.predictor import fit_predictor
from prognoscope.work.local import local_map


@dataclass(frozen=True)
class Cell:
    """One setting of the simulation."""

    name: str
    models: Mapping[str, Mapping[str, object]]
    patients: int
    predictors: int
    share: float


LOGISTIC = {"elastic-net-logistic": {"features": 1000, "l1_ratio": 0.5, "penalty": [0.3, 0.1, 0.03]}}
FOREST = {"random-forest": {"features": 1000, "leaf_share": 0.01, "trees": 100}}
CELLS = (
    Cell("penalised logistic, 10 predictors, 200 patients", LOGISTIC, 200, 10, 1.0),
    Cell("penalised logistic, 300 predictors, 60 patients", LOGISTIC, 60, 300, 0.2),
    Cell("random forest, 10 predictors, 200 patients", FOREST, 200, 10, 0.2),
)


def rank_auc(outcome: Outcome, risk: NDArray[np.float64]) -> float:
    event = outcome.event
    positives = int(event.sum())
    if positives in (0, len(event)):
        return float("nan")
    ranks = rankdata(risk)[event].sum()
    return float((ranks - positives * (positives + 1) / 2) / (positives * (len(event) - positives)))


def draw_patients(n: int, predictors: int, draw: np.random.Generator) -> tuple[Table, Binary]:
    x = draw.normal(size=(n, predictors)) + 0.6 * draw.normal(size=(n, 1))
    truth = x[:, :5] @ np.array([0.7, -0.5, 0.4, 0.3, -0.2]) - 0.6
    names = [f"x{number}" for number in range(predictors)]
    frame = pd.DataFrame(x, columns=names, index=[f"P{number:06d}" for number in range(n)])
    event = draw.random(n) < 1 / (1 + np.exp(-truth))
    return Table(frame, tuple(Column(name, "number") for name in names)), Binary(event)


def one_cohort(number: int, *, cell: Cell, resamples: int) -> tuple[float, float, float, float, float]:
    """True AUC, then apparent, corrected, .632 and .632+ of one cohort."""
    draw = np.random.default_rng([number, cell.patients, cell.predictors])
    table, outcome = draw_patients(cell.patients, cell.predictors, draw)
    tried = candidates(cell.models, "binary")
    settings = PreparationSettings(redundant_above=1.0)
    fit = bootstrap_fit(
        table,
        outcome,
        candidates=tried,
        inner=3,
        score=rank_auc,
        resamples=resamples,
        seed=number,
        preparation=settings,
    )
    figures = optimism(outcome, fit, rank_auc, seed=number)
    predictor = fit_predictor(
        table, outcome, candidates=tried, inner=3, score=rank_auc, refits=0, seed=number, preparation=settings
    )
    new, later = draw_patients(20_000, cell.predictors, draw)
    true = rank_auc(later, predictor.main.risk(encode(new.frame, predictor.columns)))
    return true, figures.apparent, figures.corrected, figures.point632, figures.point632plus


def main() -> None:
    cohorts = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    resamples = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    mapper = local_map(jobs=int(sys.argv[3]) if len(sys.argv) > 3 else 2)
    word = sys.argv[4] if len(sys.argv) > 4 else ""
    kept = True
    for cell in (one for one in CELLS if word in one.name):
        began = time.perf_counter()
        number = max(2, round(cohorts * cell.share))
        run = functools.partial(one_cohort, cell=cell, resamples=resamples)
        rows = np.array(list(mapper(run, range(number), label=cell.name)))
        mean, error = rows.mean(axis=0), (rows - rows[:, :1]).std(axis=0, ddof=1) / np.sqrt(number)
        print(f"{cell.name}: {number} cohorts, {resamples} resamples, {time.perf_counter() - began:.0f} s")
        print(f"  true AUC {mean[0]:.4f}")
        for name, value, spread in zip(("apparent", "corrected", ".632", ".632+"), mean[1:], error[1:], strict=True):
            print(f"  {name:9} {value:.4f}, off by {value - mean[0]:+.4f} (standard error {spread:.4f})")
        caution = headline_caution(
            candidates(cell.models, "binary"), predictors=cell.predictors, patients=cell.patients
        )
        print(f"  as a headline: {'refused: ' + caution.found if caution else 'allowed'}")
        if caution is None:
            kept = kept and abs(mean[2] - mean[0]) <= 0.01
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
