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
from prognoscope.training.candidates import Candidate, Fitted, Matrix, Model, Score, Setting
from prognoscope.training.encoding import Feature
from prognoscope.training.preparation import Preparation, PreparationSettings, fit_preparation
from prognoscope.training.splits import deal, strata_of

Rows = NDArray[np.int64]


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
    """

    encoded: Matrix
    features: tuple[Feature, ...]
    outcome: Outcome
    groups: Rows


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a pipeline is learnt: the same for every fold and refit."""

    candidates: tuple[Candidate, ...]
    preparation: PreparationSettings
    inner: int
    score: Score
    seed: int

    @property
    def settings_tried(self) -> int:
        """Number of model settings that each choice compares."""
        return sum(len(candidate.grid()) for candidate in self.candidates)


@dataclass(frozen=True, slots=True)
class Choice:
    """What the inner folds chose: the model, its setting, and the mean inner score (NaN if there was no choice)."""

    model: str
    setting: Setting
    inner_score: float


@dataclass(frozen=True, slots=True, eq=False)
class Pipeline:
    """A fitted pipeline: from encoded rows to risks."""

    model: Model
    choice: Choice
    preparation: Preparation
    fitted: Fitted

    def risk(self, encoded: Matrix) -> NDArray[np.float64]:
        """Return the probability of the event (by the horizon) for encoded rows `(n, features)`."""
        return self.fitted.risk(self.preparation.apply(encoded))


def fit_pipeline(cohort: Cohort, rows: Rows, recipe: Recipe, *, key: Sequence[int]) -> Pipeline:
    """Learn a pipeline from some rows of a cohort; a row may come more than once.

    `key` tells this fit from others, for its random numbers.
    """
    candidate, setting, inner_score = _choose(cohort, rows, recipe, key)
    outcome = cohort.outcome.take(rows)
    keep = _features_wanted(setting, len(cohort.features))
    preparation = _prepared(cohort, rows, keep, recipe.preparation)
    x = preparation.apply(cohort.encoded[rows])
    seed = integer(recipe.seed, "model", *key)
    (fitted,) = candidate.model.fit(x, outcome, [setting], seed=seed)
    return Pipeline(candidate.model, Choice(candidate.model.name, setting, inner_score), preparation, fitted)


def _choose(cohort: Cohort, rows: Rows, recipe: Recipe, key: Sequence[int]) -> tuple[Candidate, Setting, float]:
    """Return the candidate and setting with the best mean score over the inner folds; the first of equals."""
    options = [(candidate, setting) for candidate in recipe.candidates for setting in candidate.grid()]
    if len(options) == 1:
        return *options[0], math.nan
    inner = _inner_folds(cohort, rows, recipe, key)
    scores = np.array(
        [
            _scores(cohort, rows[inner != fold], rows[inner == fold], recipe, (*key, fold))
            for fold in range(recipe.inner)
        ]
    )
    known = ~np.isnan(scores)
    count = known.sum(axis=0)
    mean = np.where(count > 0, np.where(known, scores, 0.0).sum(axis=0) / np.maximum(count, 1), -np.inf)
    best = int(np.argmax(mean))
    return *options[best], float(mean[best]) if count[best] else math.nan


def _inner_folds(cohort: Cohort, rows: Rows, recipe: Recipe, key: Sequence[int]) -> Rows:
    groups = np.unique(cohort.groups[rows], return_inverse=True)[1].astype(np.int64)
    strata = strata_of(cohort.outcome)[rows]
    return deal(strata, groups, recipe.inner, generator(recipe.seed, "inner folds", *key))


def _scores(cohort: Cohort, train: Rows, held_out: Rows, recipe: Recipe, key: Sequence[int]) -> list[float]:
    """Score every option on held-out rows, in the order of candidates and their grids."""
    outcome, truth = cohort.outcome.take(train), cohort.outcome.take(held_out)
    grids = [candidate.grid() for candidate in recipe.candidates]
    most = max(_features_wanted(setting, len(cohort.features)) for grid in grids for setting in grid)
    preparation = _prepared(cohort, train, most, recipe.preparation)
    x, x_new = preparation.apply(cohort.encoded[train]), preparation.apply(cohort.encoded[held_out])
    seed = integer(recipe.seed, "model", *key)
    scores: list[float] = []
    for candidate, grid in zip(recipe.candidates, grids, strict=True):
        for fitted, keep in _fit_grid(candidate.model, grid, x, outcome, seed):
            scores.append(float(recipe.score(truth, fitted.risk(np.ascontiguousarray(x_new[:, :keep])))))
    return scores


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
    return fit_preparation(
        cohort.encoded[rows], cohort.features, cohort.outcome.take(rows), keep=keep, settings=settings
    )
