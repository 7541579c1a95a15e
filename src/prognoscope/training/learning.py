"""The learning curve: how the risks get better as the pipeline learns from more patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.outcome import Outcome
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.problems import refuse
from prognoscope.core.seeds import generator
from prognoscope.core.table import Table
from prognoscope.core.work import Mapper, serial_map
from prognoscope.training.contract import Candidate, Score
from prognoscope.training.crossfit import FoldTask, fold_tasks, in_order_of_patients, require_inner, run_fold
from prognoscope.training.pipeline import Recipe, Rows
from prognoscope.training.preparation import PreparationSettings
from prognoscope.training.recalibration import Method, require_served
from prognoscope.training.repeatability import Ratings
from prognoscope.training.splits import strata_of


@dataclass(frozen=True, slots=True, eq=False)
class LearningPoint:
    """Out-of-fold risks by pipelines that were learnt from `patients` of the training patients of each fold."""

    patients: int
    out_of_fold: OutOfFold


def learning_curve(
    predictors: Table,
    outcome: Outcome,
    *,
    sizes: Sequence[int],
    candidates: Sequence[Candidate],
    folds: NDArray[np.int64],
    inner: int,
    score: Score,
    seed: int,
    mapper: Mapper = serial_map,
    preparation: PreparationSettings | None = None,
    groups: Sequence[str] | None = None,
    recalibration: Method = "none",
    ratings: Sequence[Ratings] = (),
) -> tuple[LearningPoint, ...]:
    """Cross-fit with fewer training patients than there are, the held-out patients staying the same.

    Smaller training sets are parts of larger ones and hold the same share of events.

    Parameters
    ----------
    sizes
        Numbers of training patients, from small to large. Other parameters are those of `cross_fit`.

    Raises
    ------
    Refused
        `learning-size` for more patients than a fold has to train on, `fewer-events-than-folds` for too few to fill
        the inner folds.
    """
    require_served(recalibration, outcome.kind)
    settings = preparation or PreparationSettings()
    recipe = Recipe(tuple(candidates), inner, score, seed, settings, recalibration)
    whole = fold_tasks(predictors, outcome, folds=folds, recipe=recipe, groups=groups, ratings=ratings)
    tasks = [_with_fewer(task, size) for size in sizes for task in whole]
    results = list(mapper(run_fold, tasks, label="learning curve"))
    order = in_order_of_patients(predictors)
    points = []
    for number, size in enumerate(sizes):
        risk = np.full(folds.shape, np.nan)
        for place in range(number * len(whole), (number + 1) * len(whole)):
            risk[tasks[place].repeat, order[results[place].held_out]] = results[place].risk
        points.append(LearningPoint(size, OutOfFold(risk, folds.astype(np.int64))))
    return tuple(points)


def _with_fewer(task: FoldTask, size: int) -> FoldTask:
    if size > len(task.train):
        raise refuse(
            "learning-size",
            subject="learning curve",
            found=f"{size} patients asked for, a fold has {len(task.train)} to learn from",
            remedy=f"ask for at most {len(task.train)}",
        )
    rows = np.sort(_stratified_order(task)[:size])
    require_inner(task.cohort, rows, inner=task.recipe.inner)
    return replace(task, train=rows)


def _stratified_order(task: FoldTask) -> Rows:
    """Training rows in an order of chance of which every first part holds the same share of each stratum."""
    draw = generator(task.recipe.seed, "learning curve", task.repeat, task.fold)
    strata = strata_of(task.cohort.outcome)[task.train]
    position = np.empty(len(strata))
    for kind in np.unique(strata):
        own = draw.permutation(np.flatnonzero(strata == kind))
        position[own] = (np.arange(len(own)) + 0.5) / len(own)
    return task.train[np.argsort(position, kind="stable")]
