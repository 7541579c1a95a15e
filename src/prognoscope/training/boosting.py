"""Random forest and gradient boosting by LightGBM, kept as arrays.

The forest is LightGBM's `rf` mode with squared error on the event as 0 and 1: splitting by variance is splitting by
Gini impurity, and a leaf says the share of events in it. Each tree sees 63.2 % of the patients, drawn without
replacement, which behaves as a bootstrap sample does (Bühlmann and Yu 2002), and tries a random third of the
predictors, at least their square root, at each node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from prognoscope.core.outcome import Outcome
from prognoscope.core.settings import Settings
from prognoscope.training.candidates import Counts, Matrix, Setting, Shares
from prognoscope.training.trees import Link, Tree, Trees, join

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
    data = _dataset(x, outcome)
    return tuple(_forest(data, x, setting, seed) for setting in settings)


def fit_boosting(x: Matrix, outcome: Outcome, settings: Sequence[Setting], *, seed: int) -> tuple[Trees, ...]:
    """Fit gradient boosting; settings that differ in the number of trees alone are read from one fit."""
    data = _dataset(x, outcome)
    most: dict[tuple[float, ...], int] = {}
    for setting in settings:
        key = _apart_from_trees(setting)
        most[key] = max(most.get(key, 0), int(setting["trees"]))
    grown = {key: _boosted(data, x, key, trees, seed) for key, trees in most.items()}
    return tuple(
        _joined(grown[_apart_from_trees(setting)][: int(setting["trees"])], x.shape[1], "logit") for setting in settings
    )


def _apart_from_trees(setting: Setting) -> tuple[float, ...]:
    return float(setting["leaf_share"]), float(setting["leaves"]), float(setting["learning_rate"])


def _dataset(x: Matrix, outcome: Outcome) -> lightgbm.Dataset:
    return lightgbm.Dataset(x, label=outcome.event.astype(float), params=BASE, free_raw_data=False)


def _forest(data: lightgbm.Dataset, x: Matrix, setting: Setting, seed: int) -> Trees:
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
    booster = lightgbm.train(parameters, data, int(setting["trees"]))
    return _joined(_read_trees(booster.model_to_string()), features, "mean")


def _boosted(
    data: lightgbm.Dataset, x: Matrix, key: tuple[float, ...], trees: int, seed: int
) -> list[tuple[Tree, NDArray[np.float64]]]:
    leaf_share, leaves, learning_rate = key
    parameters = BASE | {
        "objective": "binary",
        "num_leaves": max(2, int(leaves)),
        "min_data_in_leaf": max(1, round(leaf_share * len(x))),
        "learning_rate": learning_rate,
        "lambda_l2": 1.0,
        "seed": seed,
    }
    return _read_trees(lightgbm.train(parameters, data, trees).model_to_string())


def _joined(grown: Sequence[tuple[Tree, NDArray[np.float64]]], features: int, link: Link) -> Trees:
    gain = np.zeros(features)
    for tree, gains in grown:
        inner = tree.feature >= 0
        np.add.at(gain, tree.feature[inner], gains)
    return join([tree for tree, _ in grown], gain=gain, link=link)


def _read_trees(text: str) -> list[tuple[Tree, NDArray[np.float64]]]:
    """Read the trees of LightGBM's text format, and the gain of each of their splits."""
    blocks = text.split("end of trees", 1)[0].split("\nTree=")[1:]
    return [_read_tree(dict(line.split("=", 1) for line in block.split("\n") if "=" in line)) for block in blocks]


def _read_tree(entries: Mapping[str, str]) -> tuple[Tree, NDArray[np.float64]]:
    leaves = np.array(entries["leaf_value"].split(), dtype=float)
    splits = entries.get("split_feature", "").split()
    inner = len(splits)

    def children(name: str) -> NDArray[np.int32]:
        # LightGBM counts leaves as -1, -2, …; here they follow the inner nodes.
        places = np.array(entries.get(name, "").split()[:inner], dtype=np.int32)
        places = np.where(places < 0, inner + ~places, places)
        return np.concatenate([places, inner + np.arange(len(leaves))]).astype(np.int32)

    return (
        Tree(
            feature=np.concatenate([np.array(splits, dtype=np.int32), np.full(len(leaves), -1, dtype=np.int32)]),
            threshold=np.concatenate(
                [np.array(entries.get("threshold", "").split()[:inner], float), np.zeros(len(leaves))]
            ),
            left=children("left_child"),
            right=children("right_child"),
            value=np.concatenate([np.zeros(inner), leaves]),
        ),
        np.array(entries.get("split_gain", "").split()[:inner], dtype=float),
    )
