"""Random survival forest by scikit-survival (the optional extra `survival`, under the GPL), kept as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.settings import Settings
from prognoscope.training.candidates import Counts, Matrix, Setting, Shares
from prognoscope.training.trees import Tree, Trees, join


class SurvivalForestSettings(Settings):
    """Grid of a random survival forest. Each field takes one value or a list to choose from."""

    features: Counts = Field(default=(5, 15), description="how many of the ranked predictors it may use")
    leaf_share: Shares = Field(default=(0.05, 0.15), description="smallest share of the patients in a leaf")
    trees: Counts = Field(default=(100,), description="number of trees")


def fit_survival_forest(x: Matrix, outcome: Outcome, settings: Sequence[Setting], *, seed: int) -> tuple[Trees, ...]:
    """Fit a random survival forest for each setting (Ishwaran et al. 2008; log-rank splits, bootstrapped trees).

    A leaf says one minus the Kaplan-Meier survival at the horizon of the training patients in it, so the risk is one
    minus the forest's mean survival function there.
    """
    assert isinstance(outcome, TimeToEvent)
    return tuple(_forest(x, outcome, setting, seed) for setting in settings)


def _forest(x: Matrix, outcome: TimeToEvent, setting: Setting, seed: int) -> Trees:
    ensemble = import_module("sksurv.ensemble")
    truth = np.array(list(zip(outcome.event, outcome.time_days, strict=True)), dtype=[("event", bool), ("time", float)])
    smallest = max(1, round(float(setting["leaf_share"]) * len(x)))
    forest = ensemble.RandomSurvivalForest(
        n_estimators=int(setting["trees"]),
        min_samples_leaf=smallest,
        min_samples_split=2 * smallest,
        max_features="sqrt",
        n_jobs=1,
        random_state=seed,
    ).fit(x.astype(np.float32), truth)
    reached = int(np.searchsorted(forest.unique_times_, outcome.horizon_days, side="right")) - 1
    trees = [_tree(estimator.tree_, reached) for estimator in forest.estimators_]
    return join(trees, gain=_use(trees, x.shape[1]), link="mean")


def _tree(grown: Any, reached: int) -> Tree:
    """Copy a grown tree; its survival curves are cut down to their value at the horizon."""
    left, right = grown.children_left, grown.children_right
    own = np.arange(len(left))
    leaf = left < 0
    survival = grown.value[:, reached, 1] if reached >= 0 else np.ones(len(left))
    return Tree(
        feature=np.where(leaf, -1, grown.feature).astype(np.int32),
        threshold=np.where(leaf, 0.0, grown.threshold),
        left=np.where(leaf, own, left).astype(np.int32),
        right=np.where(leaf, own, right).astype(np.int32),
        value=np.where(leaf, 1.0 - survival, 0.0),
    )


def _use(trees: Sequence[Tree], features: int) -> NDArray[np.float64]:
    """How often each feature splits: scikit-survival keeps no improvement by split."""
    splits = np.concatenate([tree.feature[tree.feature >= 0] for tree in trees])
    return np.bincount(splits, minlength=features).astype(float)
