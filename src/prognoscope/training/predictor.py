"""A predictor for new patients: the pipeline learnt from all patients, and its refits on patient bootstraps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from prognoscope.core import hashing
from prognoscope.core.outcome import Outcome, OutcomeKind, TimeToEvent
from prognoscope.core.seeds import generator
from prognoscope.core.table import PATIENT, Column, Table
from prognoscope.core.work import Mapper, serial_map
from prognoscope.training.conformal import Calibrated, calibrated, require_binary, require_calibration
from prognoscope.training.contract import Candidate, Score
from prognoscope.training.crossfit import cohort_of, identity, require_inner
from prognoscope.training.encoding import encode, with_levels
from prognoscope.training.limits import Limits, limits_of
from prognoscope.training.pipeline import EVERYBODY, OF_REFITS, Cohort, Pipeline, Recipe, Rows, fit_pipeline
from prognoscope.training.preparation import PreparationSettings
from prognoscope.training.recalibration import Method, require_served
from prognoscope.training.repeatability import Ratings
from prognoscope.training.splits import strata_of
from prognoscope.training.threads import one_thread
from prognoscope.training.thresholds import Costs

INTERVAL = (2.5, 97.5)


@dataclass(frozen=True, slots=True, eq=False)
class Predictor:
    """A fitted predictor.

    Attributes
    ----------
    limits
        The predictors it needs and what it knows of their ranges.
    main
        The pipeline learnt from all patients: gives the risk.
    refits
        Pipelines learnt, tuning included, from bootstraps of the patients: give the interval.
    outcome_kind, horizon_days
        What the risk is the probability of; the horizon is None for a binary outcome.
    n, events
        Patients it was trained on, and how many had the event (by the horizon).
    calibrated
        What tells which outcomes are plausible for a patient; None where no prediction sets were asked for.
    """

    limits: Limits
    main: Pipeline
    refits: tuple[Pipeline, ...]
    outcome_kind: OutcomeKind
    horizon_days: float | None
    n: int
    events: int
    calibrated: Calibrated | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """The predictors it needs, with units and levels."""
        return self.limits.columns

    def predict(self, table: Table) -> pd.DataFrame:
        """Predict patients.

        Parameters
        ----------
        table
            One row per patient with at least the predictor's columns; numbers in the same units.

        Returns
        -------
        Indexed by `patient_id`, in the order of the table: `risk`; `low` and `high`, the 2.5 and 97.5 percentile of the
        risk over the refits (NaN without refits); `abstained`, and the `reason` in words (empty if not): unlike the
        training patients, or both outcomes (or none) plausible. A patient abstained from keeps risk and interval.

        Raises
        ------
        Refused
            `predictor-missing` and `predictor-type`, see `encode`.
        """
        with one_thread():
            encoded = encode(table.frame, self.columns)
            low, high = self._interval(encoded)
            risk = self.main.risk(encoded)
            undecided = self.calibrated.reasons(encoded) if self.calibrated else [""] * len(encoded)
        unlike = self.limits.reasons(table.frame)
        reasons = ["; ".join(filter(None, told)) for told in zip(unlike, undecided, strict=True)]
        return pd.DataFrame(
            {
                "risk": risk,
                "low": low,
                "high": high,
                "abstained": [bool(reason) for reason in reasons],
                "reason": reasons,
            },
            index=pd.Index(table.frame.index.astype(str), name=PATIENT),
        )

    def _interval(self, encoded: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> np.ndarray:
        if not self.refits:
            return np.full((2, len(encoded)), np.nan)
        return np.percentile([refit.risk(encoded) for refit in self.refits], INTERVAL, axis=0)


@dataclass(frozen=True, slots=True)
class RefitTask:
    """One fit of the whole pipeline: number 0 on all patients, the others on a bootstrap of them."""

    cohort: Cohort
    recipe: Recipe
    number: int

    def key(self) -> str:
        """Return the SHA-256 of everything that the result depends on, for a cache."""
        return hashing.of_value([identity(self.cohort, self.recipe), "refit", self.number])


def fit_predictor(
    predictors: Table,
    outcome: Outcome,
    *,
    candidates: Sequence[Candidate],
    inner: int,
    score: Score,
    refits: int = 100,
    seed: int,
    mapper: Mapper = serial_map,
    preparation: PreparationSettings | None = None,
    groups: Sequence[str] | None = None,
    recalibration: Method = "none",
    costs: Costs | None = None,
    set_error: float | None = None,
    ratings: Sequence[Ratings] = (),
) -> Predictor:
    """Learn a predictor from all patients, and its interval from refits of the whole pipeline.

    Parameters are those of `cross_fit`; `set_error` is the accepted share of prediction sets that miss the outcome, by
    which the predictor abstains (None for no sets). The result is the same for any mapper and any order of the
    patients.
    """
    require_served(recalibration, outcome.kind)
    if set_error is not None:
        require_binary(outcome.kind)
        require_calibration(len(outcome), alpha=set_error)
    recipe = Recipe(
        candidates=tuple(candidates),
        inner=inner,
        score=score,
        seed=seed,
        preparation=preparation or PreparationSettings(),
        recalibration=recalibration,
        costs=costs,
    )
    cohort = cohort_of(predictors, outcome, groups=groups, ratings=ratings)
    require_inner(cohort, np.arange(len(outcome)), inner=inner)
    tasks = [RefitTask(cohort, recipe, number) for number in range(refits + 1)]
    main, *others = mapper(run_refit, tasks, label="refits")
    used = frozenset(
        feature.column
        for feature, weight in zip(main.preparation.features, main.fitted.weight(), strict=True)
        if weight > 0
    )
    return Predictor(
        limits=limits_of(predictors, with_levels(predictors), used),
        main=main,
        refits=tuple(others),
        outcome_kind=outcome.kind,
        horizon_days=outcome.horizon_days if isinstance(outcome, TimeToEvent) else None,
        n=len(outcome),
        events=outcome.events_by_horizon if isinstance(outcome, TimeToEvent) else outcome.events,
        calibrated=None if set_error is None else _calibrated(tasks[0], set_error),
    )


def _calibrated(task: RefitTask, error: float) -> Calibrated:
    """Learn the main pipeline once more, keeping the inner fits, which a refit lets go."""
    rows = np.arange(len(task.cohort.outcome))
    with one_thread():
        learnt = fit_pipeline(task.cohort, rows, replace(task.recipe, conformal=True), key=EVERYBODY)
    return calibrated(learnt, task.cohort.outcome.event, error=error)


def run_refit(task: RefitTask) -> Pipeline:
    """Learn one pipeline. Pure: depends on the task alone."""
    with one_thread():
        rows = np.arange(len(task.cohort.outcome)) if task.number == 0 else bootstrap_rows(task)
        return fit_pipeline(task.cohort, rows, task.recipe, key=(OF_REFITS, task.number)).pipeline


def bootstrap_rows(task: RefitTask) -> Rows:
    """Return the rows of a refit: groups drawn with replacement until they can fill the inner folds."""
    groups = task.cohort.groups
    members = np.split(np.argsort(groups, kind="stable"), np.cumsum(np.bincount(groups))[:-1])
    strata = strata_of(task.cohort.outcome)
    draw = generator(task.recipe.seed, "refit", task.number)
    while True:
        rows = np.concatenate([members[group] for group in draw.integers(0, len(members), len(members))])
        event, free = rows[strata[rows] == 1], rows[strata[rows] != 1]
        if min(len(np.unique(groups[event])), len(np.unique(groups[free]))) >= task.recipe.inner:
            return np.sort(rows)
