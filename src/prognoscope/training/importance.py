"""What a fitted pipeline makes of its features, and how stable that is over the folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from prognoscope.core.seeds import generator
from prognoscope.training.contract import Matrix
from prognoscope.training.encoding import Feature
from prognoscope.training.pipeline import Cohort, Pipeline, Recipe, Rows

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


def feature_uses(
    pipeline: Pipeline, cohort: Cohort, recipe: Recipe, *, train: Rows, held_out: Rows, key: Sequence[int]
) -> tuple[FeatureUse, ...]:
    """Rate each feature that a pipeline uses, by shuffling it among held-out patients; see `FeatureUse`."""
    weight = pipeline.fitted.weight()
    x_train, x = (pipeline.preparation.apply(cohort.encoded[rows]) for rows in (train, held_out))
    directions = np.sign(np.round((x_train - x_train.mean(axis=0)).T @ pipeline.risk_of_prepared(x_train), 12))
    truth = cohort.outcome.take(held_out)
    usual = recipe.score(truth, pipeline.risk_of_prepared(x))
    uses = []
    for place in np.flatnonzero(weight > 0):
        risks = _shuffled_risks(pipeline, x, int(place), recipe.seed, key)
        loss = usual - float(np.mean([recipe.score(truth, risk) for risk in risks]))
        feature = pipeline.preparation.features[place]
        uses.append(FeatureUse(feature, float(weight[place]), loss, int(directions[place])))
    return tuple(uses)


def _shuffled_risks(pipeline: Pipeline, x: Matrix, place: int, seed: int, key: Sequence[int]) -> Matrix:
    """Risks of the same patients with one feature shuffled among them, `(shuffles, n)`."""
    draw = generator(seed, "importance", *key, place)
    shuffled = np.repeat(x[None], SHUFFLES, axis=0)
    for copy in shuffled:
        copy[:, place] = draw.permutation(copy[:, place])
    return pipeline.risk_of_prepared(shuffled.reshape(-1, x.shape[1])).reshape(SHUFFLES, -1)


def stability(uses: Sequence[Sequence[FeatureUse]]) -> tuple[Stability, ...]:
    """Summarise the uses of all folds by feature, the most often used first."""
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
