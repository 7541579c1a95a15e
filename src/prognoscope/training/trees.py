"""An ensemble of decision trees as flat arrays: one form for forests and boosted trees, on disk and in memory.

Nothing of the library that grew the trees is needed to use them, so a stored forest holds no code and needs no parser.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from prognoscope.training.contract import Arrays, Matrix

Link = Literal["mean", "logit"]


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Trees one after the other: node `i` sends a row left where `x[feature[i]] <= threshold[i]`.

    Attributes
    ----------
    feature
        `(nodes,)` int32; -1 marks a leaf.
    threshold
        `(nodes,)` float64.
    left, right
        `(nodes,)` int32: places of the children; a leaf points to itself.
    value
        `(nodes,)` float64: what a leaf says.
    roots
        `(trees,)` int32.
    gain
        `(features,)` float64: total improvement by splits on each feature, as a share of all.
    link
        `mean`: the risk is the leaves' mean; `logit`: it is the logistic function of `offset` plus their sum.
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    roots: NDArray[np.int32]
    gain: NDArray[np.float64]
    link: Link
    offset: float = 0.0

    def risk(self, x: Matrix) -> NDArray[np.float64]:
        """Return the probability of the event, `(n,)`."""
        leaves = self.value[self.leaves(x)]
        if self.link == "mean":
            return np.asarray(np.clip(leaves.mean(axis=1), 0.0, 1.0))
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * (self.offset + leaves.sum(axis=1)))))

    def held_back(self, *, prevalence: float, n: int) -> Trees:
        """Return the same trees with one pseudo-patient of the cohort's prevalence added to the `n` behind each risk.

        `n` patients support no risk of exactly 0 or 1: `(n risk + prevalence) / (n + 1)`, the m-estimate with m = 1
        (Cestnik 1990, Proc ECAI: 147). The order of the risks does not change.
        """
        return replace(self, value=(n * self.value + prevalence) / (n + 1))

    def leaves(self, x: Matrix) -> NDArray[np.int32]:
        """Return the place of the leaf that each row reaches in each tree, `(n, trees)`."""
        place = np.broadcast_to(self.roots, (len(x), len(self.roots))).copy()
        rows = np.arange(len(x))[:, None]
        while True:
            feature = self.feature[place]
            inner = feature >= 0
            if not inner.any():
                return place
            goes_left = x[rows, np.maximum(feature, 0)] <= self.threshold[place]
            place = np.where(goes_left, self.left[place], self.right[place])

    def weight(self) -> NDArray[np.float64]:
        """Return each feature's share of the improvement by splits."""
        return self.gain


def dump_trees(fitted: Trees) -> Arrays:
    """Return fitted trees as arrays."""
    return {
        "feature": fitted.feature.astype(np.int16) if len(fitted.gain) < 2**15 else fitted.feature,
        "threshold": fitted.threshold,
        "left": fitted.left,
        "right": fitted.right,
        "value": fitted.value,
        "roots": fitted.roots,
        "gain": fitted.gain,
        "logit": np.array(fitted.link == "logit"),
        "offset": np.array(fitted.offset),
    }


def load_trees(arrays: Arrays) -> Trees:
    """Return the trees that `dump_trees` gave.

    Raises
    ------
    ValueError
        When a place points outside of the arrays or backwards, so that no row could end in a leaf.
    """
    trees = Trees(
        feature=arrays["feature"].astype(np.int32),
        threshold=arrays["threshold"],
        left=arrays["left"].astype(np.int32),
        right=arrays["right"].astype(np.int32),
        value=arrays["value"],
        roots=arrays["roots"].astype(np.int32),
        gain=arrays["gain"],
        link="logit" if bool(arrays["logit"]) else "mean",
        offset=float(arrays["offset"]),
    )
    _check(trees)
    return trees


def _check(trees: Trees) -> None:
    nodes = len(trees.feature)
    lengths = {len(array) for array in (trees.threshold, trees.left, trees.right, trees.value)}
    inner = trees.feature >= 0
    own = np.arange(nodes)
    children = np.stack([trees.left, trees.right])
    forward = (children > own) & (children < nodes)
    sound = (
        lengths == {nodes}
        and bool((trees.feature < len(trees.gain)).all())
        and bool(forward[:, inner].all())
        and bool(((trees.roots >= 0) & (trees.roots < nodes)).all())
        and len(trees.roots) > 0
    )
    if not sound:
        raise ValueError("the arrays are not trees")
