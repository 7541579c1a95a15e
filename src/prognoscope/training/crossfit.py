"""Repeated nested cross-validation: risks for patients that no step of the pipeline has seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from prognoscope.core import hashing
from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.problems import refuse
from prognoscope.core.seeds import generator
from prognoscope.core.table import Table
from prognoscope.core.work import Mapper, serial_map
from prognoscope.training.candidates import Candidate, Score
from prognoscope.training.encoding import Feature, encode, features_of, with_levels
from prognoscope.training.pipeline import Choice, Cohort, Pipeline, Recipe, Rows, fit_pipeline
from prognoscope.training.preparation import PreparationSettings
from prognoscope.training.splits import require_events, strata_of

SHUFFLES = 5


@dataclass(frozen=True, slots=True)
class FeatureUse:
    """What one fitted pipeline makes of one feature.

    Attributes
    ----------
    feature
        The feature that it uses.
    weight
        Size of the coefficient per standard deviation, or share of the improvement by splits; by model.
    importance
        Mean loss of score on held-out patients when the feature's values are shuffled among them; NaN if not scored.
    direction
        1 where higher values go with higher risk among the training patients, -1 with lower, 0 for neither.
    """

    feature: Feature
    weight: float
    importance: float
    direction: int


@dataclass(frozen=True, slots=True)
class FoldTask:
    """One outer fold of one repeat: all that is needed to learn from the others and predict it."""

    cohort: Cohort
    recipe: Recipe
    train: Rows
    held_out: Rows
    repeat: int
    fold: int

    def key(self) -> str:
        """Return the SHA-256 of everything that the result depends on, for a cache."""
        return hashing.of_value([identity(self.cohort, self.recipe), self.train, self.held_out, self.repeat, self.fold])


@dataclass(frozen=True, slots=True, eq=False)
class FoldResult:
    """Risks of the held-out patients, and how they came about."""

    held_out: Rows
    risk: NDArray[np.float64]
    choice: Choice
    used: tuple[FeatureUse, ...]
    dropped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FoldChoice:
    """What the inner folds chose in one outer fold."""

    repeat: int
    fold: int
    choice: Choice


@dataclass(frozen=True, slots=True)
class Stability:
    """How a feature fared over all outer folds.

    Attributes
    ----------
    feature
        The feature.
    selected
        Share of the outer folds whose fitted pipeline used it.
    importance
        Mean permutation importance over all outer folds, 0 where it was not used.
    direction
        Mean direction over the folds that used it: 1 always with higher risk, -1 always with lower.
    """

    feature: Feature
    selected: float
    importance: float
    direction: float


@dataclass(frozen=True, slots=True, eq=False)
class CrossFit:
    """The result of cross-fitting.

    Attributes
    ----------
    out_of_fold
        Risks, in the order of the rows of the table.
    choices
        Per repeat and fold, in that order.
    stability
        One entry per feature that any fold used, most often used first.
    settings_tried
        Number of settings that the inner folds compared in each outer fold.
    dropped
        Mean number of features set aside per outer fold, by reason.
    """

    out_of_fold: OutOfFold
    choices: tuple[FoldChoice, ...]
    stability: tuple[Stability, ...]
    settings_tried: int
    dropped: Mapping[str, float] = field(default_factory=dict)


def cross_fit(
    predictors: Table,
    outcome: Outcome,
    *,
    candidates: Sequence[Candidate],
    folds: NDArray[np.int64],
    inner: int,
    score: Score,
    seed: int,
    mapper: Mapper = serial_map,
    preparation: PreparationSettings | None = None,
    groups: Sequence[str] | None = None,
) -> CrossFit:
    """Predict each patient by pipelines that were learnt without the patient.

    Parameters
    ----------
    predictors
        One row per patient.
    outcome
        Of the same patients in the same order.
    candidates
        Models and settings among which the inner folds choose; one candidate with one setting leaves no choice.
    folds
        `(repeats, n)` from `assign_folds`.
    inner
        Number of inner folds.
    score
        What the inner folds maximise.
    groups
        Label per patient; patients of one label stay together in the inner folds too.

    Returns
    -------
    The same, to the last bit, for any mapper and any order of the patients.

    Raises
    ------
    Refused
        `fewer-events-than-folds` when the inner folds could not be filled, and what `encode` refuses.
    """
    recipe = Recipe(tuple(candidates), preparation or PreparationSettings(), inner, score, seed)
    tasks = fold_tasks(predictors, outcome, folds=folds, recipe=recipe, groups=groups)
    results = list(mapper(run_fold, tasks, label="folds"))
    order = _order(predictors)
    risk = np.full(folds.shape, np.nan)
    for task, result in zip(tasks, results, strict=True):
        risk[task.repeat, order[result.held_out]] = result.risk
    return CrossFit(
        out_of_fold=OutOfFold(risk=risk, fold=folds.astype(np.int64)),
        choices=tuple(
            FoldChoice(task.repeat, task.fold, result.choice) for task, result in zip(tasks, results, strict=True)
        ),
        stability=_stability([result.used for result in results]),
        settings_tried=recipe.settings_tried,
        dropped=_mean_counts([result.dropped for result in results]),
    )


def fold_tasks(
    predictors: Table,
    outcome: Outcome,
    *,
    folds: NDArray[np.int64],
    recipe: Recipe,
    groups: Sequence[str] | None = None,
) -> tuple[FoldTask, ...]:
    """Return the tasks of a cross-fitting, repeat by repeat and fold by fold."""
    cohort = cohort_of(predictors, outcome, groups=groups)
    assigned = folds[:, _order(predictors)]
    tasks = []
    for repeat, row in enumerate(assigned):
        for fold in np.unique(row):
            train, held_out = np.flatnonzero(row != fold), np.flatnonzero(row == fold)
            require_inner(cohort, train, inner=recipe.inner)
            tasks.append(FoldTask(cohort, recipe, train, held_out, repeat, int(fold)))
    return tuple(tasks)


def run_fold(task: FoldTask) -> FoldResult:
    """Learn from the training patients of one fold and predict the others. Pure: depends on the task alone."""
    with threadpool_limits(1):
        key = (task.repeat, task.fold)
        pipeline = fit_pipeline(task.cohort, task.train, task.recipe, key=key)
        x = pipeline.preparation.apply(task.cohort.encoded[task.held_out])
        return FoldResult(
            held_out=task.held_out,
            risk=pipeline.fitted.risk(x),
            choice=pipeline.choice,
            used=_used(pipeline, task, x),
            dropped=pipeline.preparation.dropped,
        )


def cohort_of(predictors: Table, outcome: Outcome, *, groups: Sequence[str] | None = None) -> Cohort:
    """Return the cohort that the engine works on, its rows in the order of the patients' identifiers."""
    if len(predictors) != len(outcome):
        raise refuse(
            "outcome-length",
            subject="outcome",
            found=f"{len(outcome)} outcomes for {len(predictors)} patients",
            remedy="give one outcome per row of the table",
        )
    if not predictors.columns:
        raise refuse("no-predictor", subject="predictors", found="the table has no column", remedy="name some")
    order = _order(predictors)
    columns = with_levels(predictors)
    labels = np.array(predictors.frame.index if groups is None else groups, dtype=str)[order]
    return Cohort(
        encoded=encode(predictors.frame.iloc[order], columns),
        features=features_of(columns),
        outcome=outcome.take(order),
        groups=np.unique(labels, return_inverse=True)[1].astype(np.int64),
    )


def require_inner(cohort: Cohort, rows: Rows, *, inner: int) -> None:
    """Refuse (`fewer-events-than-folds`) rows whose events cannot fill the inner folds."""
    groups = np.unique(cohort.groups[rows], return_inverse=True)[1].astype(np.int64)
    require_events(strata_of(cohort.outcome)[rows], groups, folds=inner)


def identity(cohort: Cohort, recipe: Recipe) -> str:
    """Return the SHA-256 of a cohort and a recipe."""
    outcome = cohort.outcome
    times = [outcome.time_days, outcome.horizon_days] if isinstance(outcome, TimeToEvent) else []
    arrays = [hashing.of_bytes(np.ascontiguousarray(array).tobytes()) for array in (cohort.encoded, cohort.groups)]
    return hashing.of_value(
        [
            arrays,
            [feature.name for feature in cohort.features],
            [outcome.kind, outcome.event, *times],
            [[c.model.name, c.model.version, c.settings] for c in recipe.candidates],
            [recipe.preparation, recipe.inner, recipe.seed],
            [getattr(recipe.score, "__module__", ""), getattr(recipe.score, "__qualname__", repr(recipe.score))],
        ]
    )


def _order(predictors: Table) -> Rows:
    return np.argsort(np.array(predictors.frame.index, dtype=str), kind="stable")


def _used(pipeline: Pipeline, task: FoldTask, x: NDArray[np.float64]) -> tuple[FeatureUse, ...]:
    weight = pipeline.fitted.weight()
    x_train = pipeline.preparation.apply(task.cohort.encoded[task.train])
    directions = np.sign(np.round((x_train - x_train.mean(axis=0)).T @ pipeline.fitted.risk(x_train), 12))
    truth = task.cohort.outcome.take(task.held_out)
    usual = task.recipe.score(truth, pipeline.fitted.risk(x))
    uses = []
    for place in np.flatnonzero(weight > 0):
        draw = generator(task.recipe.seed, "importance", task.repeat, task.fold, int(place))
        shuffled = np.repeat(x[None], SHUFFLES, axis=0)
        for copy in shuffled:
            copy[:, place] = draw.permutation(copy[:, place])
        risks = pipeline.fitted.risk(shuffled.reshape(-1, x.shape[1])).reshape(SHUFFLES, -1)
        loss = usual - float(np.mean([task.recipe.score(truth, risk) for risk in risks]))
        uses.append(
            FeatureUse(
                feature=pipeline.preparation.features[place],
                weight=float(weight[place]),
                importance=loss,
                direction=int(directions[place]),
            )
        )
    return tuple(uses)


def _stability(uses: Sequence[Sequence[FeatureUse]]) -> tuple[Stability, ...]:
    found: dict[Feature, list[FeatureUse]] = {}
    for fold in uses:
        for use in fold:
            found.setdefault(use.feature, []).append(use)
    table = [
        Stability(
            feature=feature,
            selected=len(entries) / len(uses),
            importance=float(np.nansum([use.importance for use in entries])) / len(uses),
            direction=float(np.mean([use.direction for use in entries])),
        )
        for feature, entries in found.items()
    ]
    return tuple(sorted(table, key=lambda entry: (-entry.selected, -entry.importance, entry.feature.name)))


def _mean_counts(counts: Sequence[Mapping[str, int]]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for entry in counts:
        total.update(entry)
    return {reason: number / len(counts) for reason, number in sorted(total.items())}
