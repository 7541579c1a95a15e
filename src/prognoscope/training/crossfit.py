"""Repeated nested cross-validation: risks for patients that no step of the pipeline has seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prognoscope.core import hashing
from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.problems import refuse
from prognoscope.core.table import Table
from prognoscope.core.work import Mapper, serial_map
from prognoscope.training.conformal import calibrated, require_binary
from prognoscope.training.contract import Candidate, Score
from prognoscope.training.encoding import encode, features_of, with_levels
from prognoscope.training.importance import FeatureUse, Stability, feature_uses, stability
from prognoscope.training.pipeline import EVERYBODY, Choice, Cohort, Recipe, Rows, fit_pipeline
from prognoscope.training.preparation import PreparationSettings
from prognoscope.training.recalibration import Method, require_served
from prognoscope.training.repeatability import Ratings, rated, unrepeatable
from prognoscope.training.splits import require_events, strata_of
from prognoscope.training.threads import one_thread
from prognoscope.training.thresholds import Costs


@dataclass(frozen=True, slots=True)
class FoldTask:
    """One outer fold of one repeat: all that is needed to learn from the others and predict it.

    `numbers` tells its random numbers from those of other fits.
    """

    cohort: Cohort
    recipe: Recipe
    train: Rows
    held_out: Rows
    repeat: int
    fold: int
    numbers: tuple[int, int]

    def key(self) -> str:
        """Return the SHA-256 of everything that the result depends on, for a cache."""
        return hashing.of_value([identity(self.cohort, self.recipe), self.train, self.held_out, self.numbers])


@dataclass(frozen=True, slots=True, eq=False)
class FoldResult:
    """Risks of the held-out patients, and how they came about; `left_out` are columns found not repeatable."""

    held_out: Rows
    risk: NDArray[np.float64]
    choice: Choice
    used: tuple[FeatureUse, ...]
    dropped: Mapping[str, int]
    threshold: float | None
    p_values: NDArray[np.float64] | None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FoldChoice:
    """What the inner folds chose in one outer fold; `threshold` is None where no costs were stated."""

    repeat: int
    fold: int
    choice: Choice
    threshold: float | None = None


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
    alerts
        `(repeats, n)` whether the risk reached the threshold that the inner folds chose; None without costs.
    p_values
        `(repeats, n, 2)` cross-conformal p-values of no event and of the event, NaN for patients never held out; None
        where they were not wanted. See `conformal_sets`.
    calibrated_on
        Fewest patients that the p-values of a fold were calibrated on.
    left_out
        Columns that were found not repeatable by the training patients of at least one outer fold, with the share of
        the outer folds; most often left out first.
    """

    out_of_fold: OutOfFold
    choices: tuple[FoldChoice, ...]
    stability: tuple[Stability, ...]
    settings_tried: int
    dropped: Mapping[str, float] = field(default_factory=dict)
    alerts: NDArray[np.bool_] | None = None
    p_values: NDArray[np.float64] | None = None
    calibrated_on: int = 0
    left_out: Mapping[str, float] = field(default_factory=dict)


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
    recalibration: Method = "none",
    costs: Costs | None = None,
    conformal: bool = False,
    ratings: Sequence[Ratings] = (),
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
        `(repeats, n)` from `assign_folds` or another plan. Patients of fold -1 are only trained on; their risk is NaN.
    inner
        Number of inner folds.
    score
        What the inner folds maximise.
    groups
        Label per patient; patients of one label stay together in the inner folds too.
    recalibration
        How the risks of each fold are recalibrated by inner out-of-fold risks.
    costs
        What wrong decisions cost; with them the inner folds choose the threshold for alerts.
    conformal
        Whether to give cross-conformal p-values, for a binary outcome.
    ratings
        Of columns on other contours: in every fit those are left out that its own training patients show not to be
        repeatable.

    Returns
    -------
    The same, to the last bit, for any mapper and any order of the patients.

    Raises
    ------
    Refused
        `fewer-events-than-folds` when the inner folds could not be filled, `recalibration-outcome` and
        `conformal-outcome` for what the kind of outcome has not, and what `encode` refuses.
    """
    require_served(recalibration, outcome.kind)
    if conformal:
        require_binary(outcome.kind)
    recipe = Recipe(
        candidates=tuple(candidates),
        inner=inner,
        score=score,
        seed=seed,
        preparation=preparation or PreparationSettings(),
        recalibration=recalibration,
        costs=costs,
        conformal=conformal,
    )
    tasks = fold_tasks(predictors, outcome, folds=folds, recipe=recipe, groups=groups, ratings=ratings)
    results = list(mapper(run_fold, tasks, label="folds"))
    return _gathered(tasks, results, folds, in_order_of_patients(predictors))


def _gathered(
    tasks: Sequence[FoldTask], results: Sequence[FoldResult], folds: NDArray[np.int64], order: Rows
) -> CrossFit:
    """Put the results of all folds together, in the order of the table's rows."""
    recipe = tasks[0].recipe
    risk, p_values = np.full(folds.shape, np.nan), np.full((*folds.shape, 2), np.nan)
    alerts = np.zeros(folds.shape, dtype=bool)
    pairs = list(zip(tasks, results, strict=True))
    for task, result in pairs:
        place = (task.repeat, order[result.held_out])
        risk[place] = result.risk
        alerts[place] = result.risk >= result.threshold if result.threshold is not None else False
        if result.p_values is not None:
            p_values[place] = result.p_values
    return CrossFit(
        out_of_fold=OutOfFold(risk=risk, fold=folds.astype(np.int64)),
        choices=tuple(FoldChoice(task.repeat, task.fold, result.choice, result.threshold) for task, result in pairs),
        stability=stability([result.used for result in results]),
        settings_tried=recipe.settings_tried,
        dropped=_mean_counts([result.dropped for result in results]),
        alerts=None if recipe.costs is None else alerts,
        p_values=p_values if recipe.conformal else None,
        calibrated_on=min(len(task.train) for task in tasks) if recipe.conformal else 0,
        left_out=_shares([result.left_out for result in results]),
    )


def fold_tasks(
    predictors: Table,
    outcome: Outcome,
    *,
    folds: NDArray[np.int64],
    recipe: Recipe,
    groups: Sequence[str] | None = None,
    ratings: Sequence[Ratings] = (),
) -> tuple[FoldTask, ...]:
    """Return the tasks of a cross-fitting, repeat by repeat and fold by fold."""
    cohort = cohort_of(predictors, outcome, groups=groups, ratings=ratings)
    assigned = folds[:, in_order_of_patients(predictors)]
    tasks = []
    for repeat, row in enumerate(assigned):
        for fold in np.unique(row[row >= 0]):
            train, held_out = np.flatnonzero(row != fold), np.flatnonzero(row == fold)
            require_inner(cohort, train, inner=recipe.inner)
            # What is learnt from all who are never held out is the predictor that is handed on: the same numbers.
            numbers = EVERYBODY if (row[train] < 0).all() else (repeat, int(fold))
            tasks.append(FoldTask(cohort, recipe, train, held_out, repeat, int(fold), numbers))
    return tuple(tasks)


def run_fold(task: FoldTask) -> FoldResult:
    """Learn from the training patients of one fold and predict the others. Pure: depends on the task alone."""
    cohort, recipe, key = task.cohort, task.recipe, task.numbers
    with one_thread():
        learnt = fit_pipeline(cohort, task.train, recipe, key=key)
        pipeline = learnt.pipeline
        new = cohort.encoded[task.held_out]
        return FoldResult(
            held_out=task.held_out,
            risk=pipeline.risk(new),
            choice=pipeline.choice,
            used=feature_uses(pipeline, cohort, recipe, train=task.train, held_out=task.held_out, key=key),
            dropped=pipeline.preparation.dropped,
            threshold=pipeline.threshold,
            p_values=calibrated(learnt, cohort.outcome.event[task.train]).p_values(new) if recipe.conformal else None,
            left_out=_left_out(cohort, task.train),
        )


def _left_out(cohort: Cohort, rows: Rows) -> tuple[str, ...]:
    barred = unrepeatable(cohort.ratings, rows, len(cohort.features))
    return tuple(cohort.features[place].column for place in np.flatnonzero(barred))


def cohort_of(
    predictors: Table, outcome: Outcome, *, groups: Sequence[str] | None = None, ratings: Sequence[Ratings] = ()
) -> Cohort:
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
    order = in_order_of_patients(predictors)
    columns = with_levels(predictors)
    patients = np.array(predictors.frame.index, dtype=str)
    labels = (patients if groups is None else np.array(groups, dtype=str))[order]
    features = features_of(columns)
    return Cohort(
        encoded=encode(predictors.frame.iloc[order], columns),
        features=features,
        outcome=outcome.take(order),
        groups=np.unique(labels, return_inverse=True)[1].astype(np.int64),
        ratings=rated(ratings, patients[order].tolist(), features),
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
            [recipe.preparation, recipe.inner, recipe.seed, recipe.recalibration, recipe.costs, recipe.conformal],
            [getattr(recipe.score, "__module__", ""), getattr(recipe.score, "__qualname__", repr(recipe.score))],
            *([one.places, hashing.of_bytes(one.values.tobytes()), one.rule] for one in cohort.ratings),
        ]
    )


def in_order_of_patients(predictors: Table) -> Rows:
    """Return the rows of a table in the order of the patients' identifiers, `(n,)`."""
    return np.argsort(np.array(predictors.frame.index, dtype=str), kind="stable")


def _mean_counts(counts: Sequence[Mapping[str, int]]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for entry in counts:
        total.update(entry)
    return {reason: number / len(counts) for reason, number in sorted(total.items())}


def _shares(named: Sequence[Sequence[str]]) -> dict[str, float]:
    """Return in what share of the lists each name occurs, the most frequent first, then by name."""
    counts = Counter(name for names in named for name in names)
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return {name: number / len(named) for name, number in ordered}
