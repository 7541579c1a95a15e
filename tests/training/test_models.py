"""The models on offer and what a study file may say about them."""

from __future__ import annotations

import numpy as np
import pytest

from prognoscope.core.problems import Refused
from prognoscope.core.settings import Settings
from prognoscope.training import MODELS, Candidate, Model, Setting, assign_folds, candidates, cross_fit
from prognoscope.training.contract import Arrays, Counts, Matrix
from prognoscope.training.linear import ElasticNetSettings
from tests.make.training import auc, binary, clinical_and_imaging, concordance, survival

NAMES = [model.name for model in MODELS]


def test_the_names_of_the_models_are_those_of_the_study_file() -> None:
    assert NAMES == [
        "elastic-net-logistic",
        "random-forest",
        "gradient-boosting",
        "elastic-net-cox",
        "survival-forest",
    ]


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_each_model_tries_at_least_four_settings_and_forests_grow_100_trees(model: Model) -> None:
    grid = Candidate(model, model.settings()).grid()
    assert len(grid) >= 4
    assert len({tuple(setting.items()) for setting in grid}) == len(grid)
    if "forest" in model.name:
        assert {setting["trees"] for setting in grid} == {100}


def test_a_grid_is_every_combination_and_a_single_value_is_a_grid_of_one() -> None:
    (candidate,) = candidates(
        {"elastic-net-logistic": {"features": [3, 8], "l1_ratio": 0.5, "penalty": [0.4, 0.1]}}, "binary"
    )
    assert candidate.grid() == (
        {"features": 3, "l1_ratio": 0.5, "penalty": 0.4},
        {"features": 3, "l1_ratio": 0.5, "penalty": 0.1},
        {"features": 8, "l1_ratio": 0.5, "penalty": 0.4},
        {"features": 8, "l1_ratio": 0.5, "penalty": 0.1},
    )


def test_names_alone_take_the_settings_of_the_house() -> None:
    first, second = candidates(["random-forest", "elastic-net-logistic"], "binary")
    assert [first.model.name, second.model.name] == ["random-forest", "elastic-net-logistic"]
    assert second.settings == ElasticNetSettings()


def test_a_name_that_nobody_has_is_refused_with_the_nearest() -> None:
    with pytest.raises(Refused, match=r"random_forest.*did you mean random-forest.*unknown-model"):
        candidates(["random_forest"], "binary")


def test_a_model_for_another_outcome_is_refused_with_those_that_serve_it() -> None:
    with pytest.raises(Refused, match=r"elastic-net-cox, survival-forest.*model-outcome"):
        candidates(["random-forest"], "time-to-event")


@pytest.mark.parametrize(
    "settings", [{"leaf_share": 0}, {"leaf_share": []}, {"tress": 100}, {"trees": "many"}, {"features": 0}]
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(settings: dict[str, object]) -> None:
    with pytest.raises(Refused, match=rf"random-forest.*{next(iter(settings))}.*model-settings"):
        candidates({"random-forest": settings}, "binary")


def test_no_model_is_refused() -> None:
    with pytest.raises(Refused, match="no-model-named"):
        candidates([], "binary")


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_each_model_finds_a_strong_signal_gives_probabilities_and_is_deterministic(model: Model) -> None:
    table, truth = clinical_and_imaging(patients=80, imaging=8, seed=1, signal=3.0)
    kind = next(iter(model.serves))
    outcome = binary(truth, seed=2) if kind == "binary" else survival(truth, seed=2)
    score = auc if kind == "binary" else concordance
    folds = assign_folds(outcome, folds=4, repeats=1, seed=1)
    first, again = (
        cross_fit(
            table, outcome, candidates=[Candidate(model, model.settings())], folds=folds, inner=3, score=score, seed=1
        )
        for _ in range(2)
    )
    risk = first.out_of_fold.risk[0]
    np.testing.assert_array_equal(risk, again.out_of_fold.risk[0])
    assert ((risk >= 0) & (risk <= 1)).all()
    by_fold = [score(outcome.take(folds[0] == fold), risk[folds[0] == fold]) for fold in range(4)]
    assert np.mean(by_fold) > 0.7


class ThresholdSettings(Settings):
    """Settings of a model that another package brings."""

    features: Counts = (1,)
    steepness: tuple[float, ...] = (1.0, 4.0)


class Threshold:
    """Risk rises with the first feature."""

    def __init__(self, steepness: float) -> None:
        self.steepness = steepness

    def risk(self, x: Matrix) -> Matrix:
        return np.asarray(1 / (1 + np.exp(-self.steepness * x[:, 0])))

    def weight(self) -> Matrix:
        return np.ones(1)


def fit_threshold(x: Matrix, outcome: object, settings: tuple[Setting, ...], *, seed: int) -> list[Threshold]:
    return [Threshold(float(setting["steepness"])) for setting in settings]


def _dump(fitted: Threshold) -> Arrays:
    return {"steepness": np.array(fitted.steepness)}


def _load(arrays: Arrays) -> Threshold:
    return Threshold(float(arrays["steepness"]))


OTHERS = Model(
    name="threshold",
    title="a threshold",
    settings=ThresholdSettings,
    serves=frozenset({"binary"}),
    version=1,
    fit=fit_threshold,  # type: ignore[arg-type]
    dump=_dump,
    load=_load,
)


def test_other_peoples_models_are_tried_like_ours() -> None:
    table, truth = clinical_and_imaging(patients=60, imaging=4, seed=3)
    outcome = binary(truth, seed=4)
    tried = candidates(["threshold"], "binary", models=(*MODELS, OTHERS))
    fit = cross_fit(
        table,
        outcome,
        candidates=tried,
        folds=assign_folds(outcome, folds=3, repeats=1, seed=1),
        inner=3,
        score=auc,
        seed=1,
    )
    assert fit.settings_tried == 2
    assert {choice.choice.model for choice in fit.choices} == {"threshold"}
