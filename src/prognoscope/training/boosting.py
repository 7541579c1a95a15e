"""Random forest and gradient boosting by LightGBM, kept as arrays.

The forest is LightGBM's `rf` mode with squared error on the event as 0 and 1: splitting by variance is splitting by
Gini impurity, and a leaf says the share of events in it. Each tree sees 63.2 % of the patients, drawn without
replacement, which behaves as a bootstrap sample does (Bühlmann and Yu 2002), and tries a random third of the
predictors, at least their square root, at each node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from prognoscope.core.outcome import Outcome
from prognoscope.core.settings import Settings
from prognoscope.training.contract import Counts, Matrix, Setting, Shares
from prognoscope.training.trees import Link, Trees

if TYPE_CHECKING:
    import lightgbm

BAG = 0.632
BASE: dict[str, Any] = {
    "verbosity": -1,
    "num_threads": 1,
    "deterministic": True,
    "force_col_wise": True,
    "feature_pre_filter": False,
    "min_data_in_bin": 1,
    "max_bin": 255,
}


class RandomForestSettings(Settings):
    """Grid of a random forest. Each field takes one value or a list to choose from."""

    features: Counts = Field(default=(5, 15), description="how many of the ranked predictors it may use")
    leaf_share: Shares = Field(default=(0.05, 0.15), description="smallest share of the patients in a leaf")
    trees: Counts = Field(default=(100,), description="number of trees")


class GradientBoostingSettings(Settings):
    """Grid of gradient boosting. Each field takes one value or a list to choose from."""

    features: Counts = Field(default=(5, 15), description="how many of the ranked predictors it may use")
    leaf_share: Shares = Field(default=(0.1,), description="smallest share of the patients in a leaf")
    leaves: Counts = Field(default=(4,), description="largest number of leaves of a tree")
    learning_rate: Shares = Field(default=(0.1,), description="how far each tree moves the prediction")
    trees: Counts = Field(default=(25, 75), description="number of trees")


def fit_forest(x: Matrix, outcome: Outcome, settings: Sequence[Setting], *, seed: int) -> tuple[Trees, ...]:
    """Fit a random forest for each setting."""
    data, prior = _dataset(x, outcome), float(outcome.event.mean())
    return tuple(_forest(data, x, prior, setting, seed) for setting in settings)


def fit_boosting(x: Matrix, outcome: Outcome, settings: Sequence[Setting], *, seed: int) -> tuple[Trees, ...]:
    """Fit gradient boosting; settings that differ in the number of trees alone are read from one fit."""
    data = _dataset(x, outcome)
    most: dict[tuple[float, ...], int] = {}
    for setting in settings:
        key = _apart_from_trees(setting)
        most[key] = max(most.get(key, 0), int(setting["trees"]))
    grown = {key: _boosted(data, x, key, trees, seed) for key, trees in most.items()}
    return tuple(
        grown[_apart_from_trees(setting)].first(int(setting["trees"])).trees(x.shape[1], "logit")
        for setting in settings
    )


def _apart_from_trees(setting: Setting) -> tuple[float, ...]:
    return float(setting["leaf_share"]), float(setting["leaves"]), float(setting["learning_rate"])


def _dataset(x: Matrix, outcome: Outcome) -> lightgbm.Dataset:
    # Imported when needed: a stored predictor answers without it, in a fraction of the time.
    import lightgbm

    return lightgbm.Dataset(x, label=outcome.event.astype(float), params=BASE, free_raw_data=False)


def _forest(data: lightgbm.Dataset, x: Matrix, prior: float, setting: Setting, seed: int) -> Trees:
    n, features = x.shape
    smallest = max(1, round(float(setting["leaf_share"]) * n * BAG))
    parameters = BASE | {
        "objective": "regression",
        "boosting": "rf",
        "bagging_freq": 1,
        "bagging_fraction": BAG,
        "feature_fraction_bynode": max(1 / 3, features**-0.5),
        "num_leaves": max(2, int(n * BAG) // smallest),
        "min_data_in_leaf": smallest,
        "seed": seed,
    }
    grown = _trained(parameters, data, int(setting["trees"]))
    # LightGBM writes 0 into a tree of this mode that found no split; such a tree knows the frequency and no more.
    grown.value[grown.roots[grown.feature[grown.roots] < 0]] = prior
    return grown.trees(features, "mean").held_back(prevalence=prior, n=n)


def _boosted(data: lightgbm.Dataset, x: Matrix, key: tuple[float, ...], trees: int, seed: int) -> Grown:
    leaf_share, leaves, learning_rate = key
    parameters = BASE | {
        "objective": "binary",
        "num_leaves": max(2, int(leaves)),
        "min_data_in_leaf": max(1, round(leaf_share * len(x))),
        "learning_rate": learning_rate,
        "lambda_l2": 1.0,
        "seed": seed,
    }
    return _trained(parameters, data, trees)


def _trained(parameters: dict[str, Any], data: lightgbm.Dataset, trees: int) -> Grown:
    import lightgbm

    return _read(lightgbm.train(parameters, data, trees, keep_training_booster=True).model_to_string())


@dataclass(frozen=True, slots=True, eq=False)
class Grown:
    """Nodes of all trees as read from LightGBM's text, see `Trees`; `gain` is each split's improvement."""

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    gain: NDArray[np.float64]
    roots: NDArray[np.int32]

    def first(self, trees: int) -> Grown:
        """Return the first trees alone."""
        end = self.roots[trees] if trees < len(self.roots) else len(self.feature)
        return Grown(
            feature=self.feature[:end],
            threshold=self.threshold[:end],
            left=self.left[:end],
            right=self.right[:end],
            value=self.value[:end],
            gain=self.gain[:end],
            roots=self.roots[:trees],
        )

    def trees(self, features: int, link: Link) -> Trees:
        """Return the trees for use."""
        inner = self.feature >= 0
        gain = np.bincount(self.feature[inner], weights=self.gain[inner], minlength=features).astype(float)
        total = float(gain.sum())
        return Trees(
            feature=self.feature,
            threshold=self.threshold,
            left=self.left,
            right=self.right,
            value=self.value,
            roots=self.roots,
            gain=gain / total if total > 0 else gain,
            link=link,
        )


def _read(text: str) -> Grown:
    """Read the trees of LightGBM's text format; each tree's splits come first, then its leaves."""
    blocks = text.split("end of trees", 1)[0].split("\nTree=")[1:]
    entries = [dict(line.partition("=")[::2] for line in block.split("\n")) for block in blocks]

    def gathered(name: str) -> NDArray[np.float64]:
        return np.array(" ".join(entry.get(name, "") for entry in entries).split(), dtype=float)

    leaves = np.array([int(entry["num_leaves"]) for entry in entries])
    roots = np.concatenate([[0], np.cumsum(2 * leaves - 1)]).astype(np.int32)
    total, roots = int(roots[-1]), roots[:-1]
    # Where each split and each leaf goes, and the tree that it belongs to.
    tree = np.repeat(np.arange(len(leaves)), leaves - 1)
    first_leaf = roots + leaves - 1
    is_leaf = np.ones(total, dtype=bool)
    splits = roots[tree] + _counted(leaves - 1)
    is_leaf[splits] = False
    own = np.arange(total, dtype=np.int32)
    grown = Grown(
        feature=np.full(total, -1, dtype=np.int32),
        threshold=np.zeros(total),
        left=own.copy(),
        right=own.copy(),
        value=np.zeros(total),
        gain=np.zeros(total),
        roots=roots,
    )
    grown.feature[splits] = gathered("split_feature")
    grown.threshold[splits] = gathered("threshold")
    grown.gain[splits] = gathered("split_gain")
    grown.value[is_leaf] = gathered("leaf_value")
    for target, name in ((grown.left, "left_child"), (grown.right, "right_child")):
        child = gathered(name).astype(np.int64)
        # LightGBM counts splits from 0 up and leaves from -1 down.
        target[splits] = np.where(child >= 0, roots[tree] + child, first_leaf[tree] - child - 1)
    return grown


def _counted(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count 0, 1, … within each of several runs."""
    ends = np.cumsum(sizes)
    return np.arange(int(sizes.sum())) - np.repeat(ends - sizes, sizes)
