"""Bootstrap validation: optimism, .632 and .632+."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from prognoscope.core.outcome import Binary
from prognoscope.training import Bootstrapped, bootstrap_fit, candidates, fit_predictor, headline_caution, optimism
from prognoscope.training.encoding import encode
from tests.make.training import auc, binary, clinical_and_imaging
from tests.training.test_crossfit import LOGISTIC

TABLE, TRUTH = clinical_and_imaging(patients=60, imaging=8, seed=1, signal=1.0)
OUTCOME = binary(TRUTH, seed=2)


def _fit(**options: Any) -> Bootstrapped:
    usual: dict[str, Any] = {"candidates": LOGISTIC, "inner": 3, "score": auc, "resamples": 12, "seed": 1}
    return bootstrap_fit(TABLE, OUTCOME, **(usual | options))


def test_every_refit_is_that_of_the_predictor_and_predicts_everybody() -> None:
    fit = _fit(resamples=3)
    predictor = fit_predictor(TABLE, OUTCOME, candidates=LOGISTIC, inner=3, score=auc, refits=3, seed=1)
    encoded = encode(TABLE.frame, predictor.columns)
    np.testing.assert_array_equal(fit.apparent, predictor.main.risk(encoded))
    for risk, refit in zip(fit.risk, predictor.refits, strict=True):
        np.testing.assert_array_equal(risk, refit.risk(encoded))
    assert (fit.drawn.sum(axis=1) == 60).all()


def test_the_order_of_the_patients_does_not_matter() -> None:
    order = np.random.default_rng(2).permutation(60)
    moved = bootstrap_fit(
        TABLE.take(list(TABLE.frame.index[order])),
        OUTCOME.take(order),
        candidates=LOGISTIC,
        inner=3,
        score=auc,
        resamples=3,
        seed=1,
    )
    usual = _fit(resamples=3)
    np.testing.assert_array_equal(moved.risk, usual.risk[:, order])
    np.testing.assert_array_equal(moved.drawn, usual.drawn[:, order])


def test_the_pipeline_is_fitted_once_for_all_patients_and_once_per_resample() -> None:
    labels = []

    def counting(function: Callable[[Any], Any], items: Sequence[Any], *, label: str) -> Iterator[Any]:
        labels.append((label, len(items)))
        return map(function, items)

    _fit(mapper=counting)
    assert labels == [("bootstraps", 13)]


def test_the_corrected_score_lies_below_the_apparent_one_and_the_left_out_below_both() -> None:
    figures = optimism(OUTCOME, _fit(resamples=25), auc, seed=1)
    assert figures.left_out < figures.corrected < figures.apparent
    assert figures.left_out < figures.point632plus <= figures.point632 < figures.apparent
    assert figures.no_information == pytest.approx(0.5, abs=0.02)
    assert figures.resamples == 25


def _by_hand() -> tuple[Binary, Bootstrapped]:
    outcome = Binary(np.array([True, True, False, False]))
    drawn = np.array([[2, 0, 2, 0], [0, 1, 1, 2]])
    risk = np.array([[0.9, 0.4, 0.1, 0.6], [0.2, 0.8, 0.3, 0.1]])
    return outcome, Bootstrapped(np.array([0.8, 0.7, 0.4, 0.2]), risk, drawn)


def test_the_figures_are_those_computed_by_hand() -> None:
    outcome, fit = _by_hand()
    figures = optimism(outcome, fit, auc, seed=1)
    # Refit 1: own 1, all 3/4, left out (0.4 against 0.6) 0. Refit 2: own 1, all 3/4, only an event left out: no score.
    assert figures.apparent == 1.0
    assert figures.optimism == pytest.approx(0.25)
    assert figures.corrected == pytest.approx(0.75)
    assert figures.left_out == 0.0
    assert figures.point632 == pytest.approx(0.368)
    # Left out worse than chance: held at chance, overfitting 1, weight 0.632 / 0.632 = 1.
    assert figures.point632plus == pytest.approx(figures.no_information, abs=1e-9)


def test_without_overfitting_point632plus_is_point632() -> None:
    outcome, fit = _by_hand()
    same = Bootstrapped(fit.apparent, np.tile(fit.apparent, (2, 1)), np.array([[2, 0, 2, 0], [0, 2, 0, 2]]))
    figures = optimism(outcome, same, auc, seed=1)
    assert figures.optimism == 0.0
    assert figures.point632plus == figures.point632 == 1.0


def test_a_forest_may_not_have_a_bootstrap_headline() -> None:
    caution = headline_caution(
        candidates(["elastic-net-logistic", "random-forest"], "binary"), predictors=5, patients=90
    )
    assert caution is not None
    assert caution.code == "optimism-headline"
    assert "random forest" in caution.found


def test_more_predictors_than_patients_may_not_have_a_bootstrap_headline() -> None:
    caution = headline_caution(LOGISTIC, predictors=300, patients=51)
    assert caution is not None
    assert "300 predictors for 51 patients" in caution.found


def test_penalised_regression_with_few_predictors_may() -> None:
    assert headline_caution(LOGISTIC, predictors=10, patients=200) is None
