"""Trees as arrays give what the libraries give that grew them, or that grow such trees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import lightgbm
import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sksurv.ensemble import RandomSurvivalForest
from sksurv.metrics import concordance_index_censored
from sksurv.tree import SurvivalTree
from sksurv.util import Surv

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.training.boosting import BASE, fit_boosting, fit_forest
from prognoscope.training.survival_forest import fit_survival_forest, grow_trees
from prognoscope.training.trees import Trees, dump_trees, load_trees
from tests.make.training import Numbers


def _data(n: int, p: int = 6, seed: int = 1) -> tuple[Numbers, Numbers]:
    x = np.random.default_rng(seed).normal(size=(n, p)).astype(np.float32).astype(float)
    return x, x[:, 0] * x[:, 1] + x[:, 2]


def _binary(truth: Numbers, seed: int = 2) -> Binary:
    return Binary(np.random.default_rng(seed).random(len(truth)) < 1 / (1 + np.exp(-2 * truth)))


def _survival(truth: Numbers, seed: int = 2) -> TimeToEvent:
    draw = np.random.default_rng(seed)
    time = np.ceil(draw.exponential(600, len(truth)) * np.exp(-truth) / 30) * 30
    return TimeToEvent(time, draw.random(len(truth)) < 0.7, 730.0)


BOOSTING = {"leaf_share": 0.1, "leaves": 4, "learning_rate": 0.1}


def test_boosted_trees_predict_what_lightgbm_predicts_from_them() -> None:
    x, truth = _data(150)
    outcome = _binary(truth)
    settings = [BOOSTING | {"trees": trees} for trees in (10, 40)]
    few, many = fit_boosting(x, outcome, settings, seed=5)
    booster = lightgbm.train(
        BASE
        | {
            "objective": "binary",
            "num_leaves": 4,
            "min_data_in_leaf": 15,
            "learning_rate": 0.1,
            "lambda_l2": 1.0,
            "seed": 5,
        },
        lightgbm.Dataset(x, label=outcome.event.astype(float), params=BASE),
        40,
    )
    fresh, _ = _data(80, seed=9)
    np.testing.assert_allclose(many.risk(fresh), np.array(booster.predict(fresh)), rtol=1e-12)
    np.testing.assert_allclose(few.risk(fresh), np.array(booster.predict(fresh, num_iteration=10)), rtol=1e-12)
    gain = booster.feature_importance("gain")
    np.testing.assert_allclose(many.weight(), gain / gain.sum(), rtol=1e-4)


def test_forest_predicts_what_lightgbm_predicts_from_it() -> None:
    x, truth = _data(120)
    outcome = _binary(truth)
    (forest,) = fit_forest(x, outcome, [{"leaf_share": 0.05, "trees": 30}], seed=7)
    parameters = BASE | {
        "objective": "regression",
        "boosting": "rf",
        "bagging_freq": 1,
        "bagging_fraction": 0.632,
        "seed": 7,
        "feature_fraction_bynode": 6**-0.5,
        "num_leaves": 18,
        "min_data_in_leaf": 4,
    }
    booster = lightgbm.train(parameters, lightgbm.Dataset(x, outcome.event.astype(float), params=BASE), 30)
    said = np.clip(np.array(booster.predict(x)), 0, 1)
    # One pseudo-patient of the cohort's prevalence stands beside the 120 (Cestnik 1990).
    np.testing.assert_allclose(forest.risk(x), (120 * said + outcome.event.mean()) / 121, rtol=1e-7)


def test_a_forest_is_never_certain() -> None:
    x = np.repeat([[0.0], [1.0]], 40, axis=0)
    outcome = Binary(np.repeat([False, True], 40))
    (forest,) = fit_forest(x, outcome, [{"leaf_share": 0.05, "trees": 30}], seed=7)
    np.testing.assert_allclose(forest.risk(np.array([[0.0], [1.0]])), [0.5 / 81, 80.5 / 81], rtol=1e-6)


def test_forest_discriminates_as_scikit_learns_does() -> None:
    x, truth = _data(300)
    fresh, fresh_truth = _data(2000, seed=11)
    outcome, fresh_outcome = _binary(truth), _binary(fresh_truth, seed=12)
    (forest,) = fit_forest(x, outcome, [{"leaf_share": 0.02, "trees": 200}], seed=1)
    peer = RandomForestClassifier(200, min_samples_leaf=6, random_state=1).fit(x, outcome.event)
    ours = roc_auc_score(fresh_outcome.event, forest.risk(fresh))
    theirs = roc_auc_score(fresh_outcome.event, peer.predict_proba(fresh)[:, 1])
    assert ours > 0.7
    assert ours == pytest.approx(theirs, abs=0.03)


@pytest.mark.parametrize("n", [40, 250])
def test_one_survival_tree_without_chance_is_that_of_scikit_survival(n: int) -> None:
    x, truth = _data(n)
    outcome = _survival(truth)
    smallest = max(3, n // 20)
    tree = grow_trees(
        x, outcome, np.arange(n)[None], tried=x.shape[1], smallest=smallest, seeds=np.array([1], dtype=np.uint64)
    )
    peer = SurvivalTree(min_samples_leaf=smallest, min_samples_split=2 * smallest, random_state=0)
    peer.fit(x.astype(np.float32), Surv.from_arrays(outcome.event, outcome.time_days))
    survival = [curve(730.0) for curve in peer.predict_survival_function(x.astype(np.float32))]
    np.testing.assert_allclose(tree.risk(x), 1 - np.array(survival), atol=1e-12)
    assert len(tree.feature) == peer.tree_.node_count > 5


def test_survival_forest_discriminates_as_scikit_survivals_does() -> None:
    x, truth = _data(200)
    fresh, fresh_truth = _data(800, seed=21)
    outcome, later = _survival(truth), _survival(fresh_truth, seed=22)
    (forest,) = fit_survival_forest(x, outcome, [{"leaf_share": 0.03, "trees": 150}], seed=3)
    peer = RandomSurvivalForest(150, min_samples_leaf=6, random_state=3)
    peer.fit(x, Surv.from_arrays(outcome.event, outcome.time_days))
    ours = concordance_index_censored(later.event, later.time_days, forest.risk(fresh))[0]
    theirs = concordance_index_censored(later.event, later.time_days, peer.predict(fresh))[0]
    assert ours > 0.65
    assert ours == pytest.approx(theirs, abs=0.03)
    survival = np.array([curve(730.0) for curve in peer.predict_survival_function(fresh)])
    assert np.mean(forest.risk(fresh)) == pytest.approx(np.mean(1 - survival), abs=0.03)


def test_leaves_hold_at_least_the_share_of_patients_that_the_setting_says() -> None:
    x, truth = _data(100)
    outcome = _survival(truth)
    samples = np.sort(np.random.default_rng(4).integers(0, 100, (20, 100)), axis=1)
    trees = grow_trees(x, outcome, samples, tried=2, smallest=12, seeds=np.arange(1, 21, dtype=np.uint64))
    by_time = x[np.argsort(outcome.time_days, kind="stable")]
    for tree, rows in enumerate(samples):
        leaves = trees.leaves(by_time[rows])[:, tree]
        assert np.unique(leaves, return_counts=True)[1].min() >= 12


def test_the_same_seed_grows_the_same_forest_and_another_seed_another() -> None:
    x, truth = _data(60)
    settings = [{"leaf_share": 0.05, "trees": 10}]
    for fit, outcome in ((fit_forest, _binary(truth)), (fit_survival_forest, _survival(truth))):
        first, again, other = (fit(x, outcome, settings, seed=seed)[0] for seed in (1, 1, 2))
        np.testing.assert_array_equal(first.risk(x), again.risk(x))
        assert (first.risk(x) != other.risk(x)).any()


def test_predictors_that_do_not_vary_give_every_patient_the_frequency() -> None:
    x = np.zeros((40, 1))
    event = np.arange(40) < 10
    settings = [{"leaf_share": 0.05, "trees": 25} | BOOSTING]
    (boosted,) = fit_boosting(x, Binary(event), settings, seed=1)
    np.testing.assert_allclose(boosted.risk(x), 0.25, atol=1e-6)
    (forest,) = fit_forest(x, Binary(event), settings, seed=1)
    assert forest.risk(x)[0] == pytest.approx(0.25, abs=1e-6)
    time = np.arange(1.0, 41.0)
    (survival,) = fit_survival_forest(x, TimeToEvent(time, event, 100.0), settings, seed=1)
    assert survival.risk(x)[0] == pytest.approx(0.25, abs=0.1)


def test_trees_survive_the_way_through_arrays() -> None:
    x, truth = _data(60)
    (forest,) = fit_forest(x, _binary(truth), [{"leaf_share": 0.05, "trees": 10}], seed=1)
    np.testing.assert_array_equal(load_trees(dump_trees(forest)).risk(x), forest.risk(x))


def _small() -> Trees:
    return Trees(
        feature=np.array([0, -1, -1], dtype=np.int32),
        threshold=np.array([0.5, 0.0, 0.0]),
        left=np.array([1, 1, 2], dtype=np.int32),
        right=np.array([2, 1, 2], dtype=np.int32),
        value=np.array([0.0, 0.1, 0.9]),
        roots=np.array([0], dtype=np.int32),
        gain=np.array([1.0]),
        link="mean",
    )


def test_a_value_at_the_threshold_goes_left() -> None:
    np.testing.assert_array_equal(_small().risk(np.array([[0.5], [0.5000001]])), [0.1, 0.9])


@pytest.mark.parametrize(
    "fault",
    [
        {"left": np.array([0, 1, 2], dtype=np.int32)},
        {"right": np.array([7, 1, 2], dtype=np.int32)},
        {"left": np.array([-1, 1, 2], dtype=np.int32)},
        {"feature": np.array([3, -1, -1], dtype=np.int32)},
        {"roots": np.array([5], dtype=np.int32)},
        {"roots": np.array([], dtype=np.int32)},
        {"value": np.array([0.1, 0.9])},
    ],
    ids=["a circle", "beyond the end", "before the start", "no such feature", "no such root", "no tree", "short"],
)
def test_arrays_that_are_not_trees_are_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="not trees"):
        load_trees(dump_trees(replace(_small(), **fault)))
