"""Random survival forest, kept as arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.seeds import generator
from prognoscope.core.settings import Settings
from prognoscope.training.contract import Counts, Matrix, Setting, Shares
from prognoscope.training.trees import Trees


class SurvivalForestSettings(Settings):
    """Grid of a random survival forest. Each field takes one value or a list to choose from."""

    features: Counts = Field(default=(5, 15), description="how many of the ranked predictors it may use")
    leaf_share: Shares = Field(default=(0.05, 0.15), description="smallest share of the patients in a leaf")
    trees: Counts = Field(default=(100,), description="number of trees")


def fit_survival_forest(x: Matrix, outcome: Outcome, settings: Sequence[Setting], *, seed: int) -> tuple[Trees, ...]:
    """Fit a random survival forest for each setting (Ishwaran et al. 2008).

    Each tree sees a bootstrap of the patients and splits by the log-rank statistic, trying the square root of the
    number of predictors at each node. A leaf says one minus the Kaplan-Meier survival at the horizon of the patients
    in it; the risk is the leaves' mean over the trees.
    """
    assert isinstance(outcome, TimeToEvent)
    return tuple(_forest(x, outcome, setting, seed) for setting in settings)


def _forest(x: Matrix, outcome: TimeToEvent, setting: Setting, seed: int) -> Trees:
    n, features = x.shape
    trees = int(setting["trees"])
    draw = generator(seed, "survival forest")
    samples = np.sort(draw.integers(0, n, (trees, n)), axis=1)
    grown = grow_trees(
        x,
        outcome,
        samples,
        tried=max(1, round(features**0.5)),
        smallest=max(1, round(float(setting["leaf_share"]) * n)),
        seeds=draw.integers(1, 2**63, trees, dtype=np.uint64),
    )
    return grown.held_back(prevalence=_risk_at_horizon(outcome), n=n)


def _risk_at_horizon(outcome: TimeToEvent) -> float:
    """One minus the Kaplan-Meier survival of all patients at the horizon."""
    times = np.unique(outcome.time_days[outcome.event & (outcome.time_days <= outcome.horizon_days)])
    at_risk = (outcome.time_days[:, None] >= times).sum(axis=0)
    died = ((outcome.time_days[:, None] == times) & outcome.event[:, None]).sum(axis=0)
    return float(1.0 - np.prod(1.0 - died / at_risk))


def grow_trees(
    x: Matrix,
    outcome: TimeToEvent,
    samples: np.ndarray[tuple[int, int], np.dtype[np.int64]],
    *,
    tried: int,
    smallest: int,
    seeds: np.ndarray[tuple[int], np.dtype[np.uint64]],
) -> Trees:
    """Grow one tree per row of `samples` `(trees, m)`, places in the order of the patients' times; see `grow`."""
    # Imported when needed: a stored predictor answers without it, in a fraction of the time.
    from prognoscope.training.survival_trees import grow

    by_time = np.argsort(outcome.time_days, kind="stable")
    columns = np.ascontiguousarray(x[by_time].T)
    features, m = x.shape[1], samples.shape[1]
    most = len(samples) * max(1, 2 * (m // smallest) - 1)
    feature, children = np.empty(most, dtype=np.int32), np.empty((2, most), dtype=np.int32)
    threshold, value = np.empty(most), np.empty(most)
    roots, gain = np.empty(len(samples), dtype=np.int32), np.zeros(features)
    nodes = grow(
        columns,
        np.argsort(columns, axis=1, kind="stable"),
        outcome.time_days[by_time],
        outcome.event[by_time],
        samples,
        tried,
        smallest,
        float(outcome.horizon_days),
        seeds,
        feature,
        threshold,
        children,
        value,
        roots,
        gain,
    )
    total = float(gain.sum())
    return Trees(
        feature=feature[:nodes].copy(),
        threshold=threshold[:nodes].copy(),
        left=children[0, :nodes].copy(),
        right=children[1, :nodes].copy(),
        value=value[:nodes].copy(),
        roots=roots,
        gain=gain / total if total > 0 else gain,
        link="mean",
    )
