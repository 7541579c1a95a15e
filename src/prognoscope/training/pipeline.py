"""A whole pipeline: preparation, choice of model and setting in inner folds, and the fit with what was chosen.

Everything that is learnt from patients is learnt here, and only from the rows given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.outcome import Outcome
from prognoscope.core.seeds import generator, integer
from prognoscope.training.contract import Candidate, Fitted, Matrix, Model, Score, Setting
from prognoscope.training.encoding import Feature
from prognoscope.training.preparation import Preparation, PreparationSettings, fit_preparation
from prognoscope.training.recalibration import Method, Recalibration, fit_recalibration
from prognoscope.training.repeatability import Rated, unrepeatable
from prognoscope.training.splits import deal, strata_of
from prognoscope.training.thresholds import Costs, choose_threshold

Rows = NDArray[np.int64]
OF_REFITS = 2**31
"""A first number that no outer fold has keeps the random numbers of refits apart from those of the folds."""
EVERYBODY = (OF_REFITS, 0)
"""Random numbers of the pipeline that is learnt from all patients."""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """The patients of a study as the engine sees them, in the order of their identifiers.

    Attributes
    ----------
    encoded
        `(n, features)` from `encode`.
    features
        What its columns are.
    outcome
        Of the same patients.
    groups
        `(n,)` patients of one number are never split.
    ratings
        Of its features on other contours, by which features are left out.
    """

    encoded: Matrix
    features: tuple[Feature, ...]
    outcome: Outcome
    groups: Rows
    ratings: tuple[Rated, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a pipeline is learnt: the same for every fold and refit.

    Attributes
    ----------
    candidates
        Models and settings to choose from.
    inner
        Number of inner folds.
    score
        What the choice maximises.
    recalibration
        How risks are recalibrated by inner out-of-fold risks.
    costs
        What wrong decisions cost, to choose a threshold by inner out-of-fold risks; None for no threshold.
    conformal
        Whether cross-conformal p-values are wanted.
    """

    candidates: tuple[Candidate, ...]
    inner: int
    score: Score
    seed: int
    preparation: PreparationSettings
    recalibration: Method = "none"
    costs: Costs | None = None
    conformal: bool = False

    @property
    def settings_tried(self) -> int:
        """Number of model settings that each choice compares."""
        return sum(len(candidate.grid()) for candidate in self.candidates)

    @property
    def needs_inner(self) -> bool:
        """Whether inner folds are fitted: there is something to choose, recalibrate, decide or calibrate."""
        wanted = self.recalibration != "none" or self.costs is not None or self.conformal
        return wanted or self.settings_tried > 1


@dataclass(frozen=True, slots=True)
class Choice:
    """What the inner folds chose: the model, its setting, and the mean inner score (NaN if there was no choice)."""

    model: str
    setting: Setting
    inner_score: float


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """A fitted pipeline: from encoded rows to risks, and the threshold for alerts where costs were stated."""

    model: Model
    choice: Choice
    preparation: Preparation
    fitted: Fitted
    recalibration: Recalibration | None = None
    threshold: float | None = None

    def risk(self, encoded: Matrix) -> NDArray[np.float64]:
        """Return the probability of the event (by the horizon) for encoded rows `(n, features)`."""
        return self.risk_of_prepared(self.preparation.apply(encoded))

    def risk_of_prepared(self, x: Matrix) -> NDArray[np.float64]:
        """Return the risks of rows that the preparation has been applied to, `(n, features used)`."""
        risk = self.fitted.risk(x)
        return risk if self.recalibration is None else self.recalibration.apply(risk)


@dataclass(frozen=True, slots=True, eq=False)
class InnerFit:
    """Every option fitted without one inner fold.

    Attributes
    ----------
    held_out
        `(m,)` places among the rows given to `fit_pipeline`.
    risk
        `(options, m)` risks of those held out.
    """

    held_out: Rows
    risk: NDArray[np.float64]
    preparation: Preparation
    fits: tuple[tuple[Fitted, int], ...]

    def pipeline(self, chosen: Pipeline, option: int) -> Pipeline:
        """Return one option as a pipeline of its own; `chosen` is the one that was learnt from all with that option."""
        fitted, keep = self.fits[option]
        return Pipeline(chosen.model, chosen.choice, self.preparation.first(keep), fitted)


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """A fitted pipeline with the inner fits that it was chosen by (none where there was nothing to choose)."""

    pipeline: Pipeline
    option: int
    inner: tuple[InnerFit, ...]


def fit_pipeline(cohort: Cohort, rows: Rows, recipe: Recipe, *, key: Sequence[int]) -> Learnt:
    """Learn a pipeline from some rows of a cohort; a row may come more than once.

    `key` tells this fit from others, for its random numbers.
    """
    options = [(candidate, setting) for candidate in recipe.candidates for setting in candidate.grid()]
    outcome = cohort.outcome.take(rows)
    inner = _inner_fits(cohort, rows, recipe, key) if recipe.needs_inner else ()
    option, inner_score = _best(inner, outcome, recipe.score) if len(options) > 1 else (0, math.nan)
    candidate, setting = options[option]
    keep = _features_wanted(setting, len(cohort.features))
    preparation = _prepared(cohort, rows, keep, recipe.preparation)
    x = preparation.apply(cohort.encoded[rows])
    (fitted,) = candidate.model.fit(x, outcome, [setting], seed=integer(recipe.seed, "model", *key))
    recalibration, threshold = _after(inner, option, outcome, recipe)
    choice = Choice(candidate.model.name, setting, inner_score)
    pipeline = Pipeline(candidate.model, choice, preparation, fitted, recalibration, threshold)
    return Learnt(pipeline, option, inner)


def inner_risk(inner: Sequence[InnerFit], option: int) -> NDArray[np.float64]:
    """Return the risk that each row got from the inner fit that had not seen it, `(rows,)`."""
    risk = np.empty(sum(len(fit.held_out) for fit in inner))
    for fit in inner:
        risk[fit.held_out] = fit.risk[option]
    return risk


def _after(
    inner: Sequence[InnerFit], option: int, outcome: Outcome, recipe: Recipe
) -> tuple[Recalibration | None, float | None]:
    """Learn what comes after the model, from risks that it gave to patients it had not seen."""
    if not inner:
        return None, None
    risk = inner_risk(inner, option)
    recalibration = fit_recalibration(recipe.recalibration, outcome, risk)
    if recipe.costs is None:
        return recalibration, None
    return recalibration, choose_threshold(
        outcome, risk if recalibration is None else recalibration.apply(risk), recipe.costs
    )


def _best(inner: Sequence[InnerFit], outcome: Outcome, score: Score) -> tuple[int, float]:
    """Return the option with the best mean score over the inner folds, the first of equals, and that mean."""
    scores = np.array([[score(outcome.take(fit.held_out), risk) for risk in fit.risk] for fit in inner])
    known = ~np.isnan(scores)
    count = known.sum(axis=0)
    mean = np.where(count > 0, np.where(known, scores, 0.0).sum(axis=0) / np.maximum(count, 1), -np.inf)
    # Rounding makes equal means equal, whatever the order of the sums.
    best = int(np.argmax(np.round(mean, 12)))
    return best, float(mean[best]) if count[best] else math.nan


def _inner_fits(cohort: Cohort, rows: Rows, recipe: Recipe, key: Sequence[int]) -> tuple[InnerFit, ...]:
    groups = np.unique(cohort.groups[rows], return_inverse=True)[1].astype(np.int64)
    strata = strata_of(cohort.outcome)[rows]
    assigned = deal(strata, groups, recipe.inner, generator(recipe.seed, "inner folds", *key))
    return tuple(
        _inner_fit(cohort, rows, assigned == fold, recipe, integer(recipe.seed, "model", *key, fold))
        for fold in range(recipe.inner)
    )


def _inner_fit(cohort: Cohort, rows: Rows, held_out: NDArray[np.bool_], recipe: Recipe, seed: int) -> InnerFit:
    train = rows[~held_out]
    grids = [candidate.grid() for candidate in recipe.candidates]
    most = max(_features_wanted(setting, len(cohort.features)) for grid in grids for setting in grid)
    preparation = _prepared(cohort, train, most, recipe.preparation)
    x, x_new = (preparation.apply(cohort.encoded[part]) for part in (train, rows[held_out]))
    outcome = cohort.outcome.take(train)
    fits: list[tuple[Fitted, int]] = []
    for candidate, grid in zip(recipe.candidates, grids, strict=True):
        fits.extend(_fit_grid(candidate.model, grid, x, outcome, seed))
    risk = np.array([fitted.risk(np.ascontiguousarray(x_new[:, :keep])) for fitted, keep in fits])
    return InnerFit(np.flatnonzero(held_out), risk, preparation, tuple(fits))


def _fit_grid(
    model: Model, grid: Sequence[Setting], x: Matrix, outcome: Outcome, seed: int
) -> list[tuple[Fitted, int]]:
    """Fit every setting, those with one number of features together; with that number."""
    keeps = [min(_features_wanted(setting, x.shape[1]), x.shape[1]) for setting in grid]
    fits: dict[int, Fitted] = {}
    for keep in sorted(set(keeps)):
        places = [place for place, own in enumerate(keeps) if own == keep]
        part = np.ascontiguousarray(x[:, :keep])
        fits.update(zip(places, model.fit(part, outcome, [grid[place] for place in places], seed=seed), strict=True))
    return [(fits[place], keep) for place, keep in enumerate(keeps)]


def _features_wanted(setting: Setting, available: int) -> int:
    return int(setting.get("features", available))


def _prepared(cohort: Cohort, rows: Rows, keep: int, settings: PreparationSettings) -> Preparation:
    left_out = unrepeatable(cohort.ratings, rows, len(cohort.features)) if cohort.ratings else None
    return fit_preparation(
        cohort.encoded[rows], cohort.features, cohort.outcome.take(rows), keep=keep, settings=settings, barred=left_out
    )
