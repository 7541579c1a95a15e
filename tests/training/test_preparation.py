"""What is learnt from the training patients before any model sees them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sksurv.linear_model.coxph import BreslowEstimator

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.training.encoding import Feature
from prognoscope.training.preparation import EDGE, Preparation, PreparationSettings, fit_preparation
from tests.make.training import Numbers


def _prepare(
    encoded: Numbers, event: np.ndarray, *, keep: int = 100, features: list[Feature] | None = None, **settings: float
) -> Preparation:
    names = features or [Feature(f"f{place}") for place in range(encoded.shape[1])]
    return fit_preparation(encoded, names, Binary(event), keep=keep, settings=PreparationSettings(**settings))


def _names(preparation: Preparation) -> list[str]:
    return [feature.name for feature in preparation.features]


def _noise(n: int, p: int, seed: int = 0) -> Numbers:
    return np.random.default_rng(seed).normal(size=(n, p))


EVENT = np.arange(40) % 2 == 0


def test_a_number_that_is_missing_gets_the_median_of_the_training_patients() -> None:
    encoded = _noise(40, 1)
    encoded[:3] = np.nan
    preparation = _prepare(encoded, EVENT)
    assert preparation.fill[0] == np.nanmedian(encoded)
    gap = preparation.apply(np.array([[np.nan]]))
    np.testing.assert_array_equal(gap, preparation.apply(np.array([[np.nanmedian(encoded)]])))


def test_a_feature_without_gaps_in_training_is_filled_by_its_median_in_a_new_patient() -> None:
    encoded = _noise(40, 2)
    preparation = _prepare(encoded, EVENT)
    assert sorted(preparation.fill) == sorted(np.median(encoded, axis=0))


def test_a_grade_that_is_missing_gets_the_most_frequent_one() -> None:
    encoded = np.array([0.0] * 12 + [1.0] * 8 + [2.0] * 17 + [np.nan] * 3)[:, None]
    assert _prepare(encoded, EVENT).fill[0] == 2.0


def test_a_category_that_is_missing_gets_its_most_frequent_level_in_all_its_features() -> None:
    level = np.array([0] * 10 + [1] * 16 + [2] * 11)
    encoded = np.vstack([(level[:, None] == np.arange(3)).astype(float), np.full((3, 3), np.nan)])
    features = [Feature("histology", level) for level in "ABC"]
    preparation = _prepare(encoded, EVENT, features=features, redundant_above=1.0)
    fill = {feature.level: value for feature, value in zip(preparation.features, preparation.fill, strict=True)}
    assert fill == {"A": 0.0, "B": 1.0, "C": 0.0}


def test_a_column_with_many_gaps_competes_with_an_indicator_that_it_is_missing() -> None:
    encoded = _noise(40, 2)
    encoded[EVENT, 1] = np.nan
    preparation = _prepare(encoded, EVENT)
    assert _names(preparation)[0] == "f1 is missing"
    gap = preparation.apply(np.array([[0.0, np.nan], [0.0, 0.3]]))
    assert gap[0, 0] > gap[1, 0]


def test_a_column_with_few_gaps_has_no_indicator() -> None:
    encoded = _noise(40, 2)
    encoded[:3, 1] = np.nan
    assert set(_names(_prepare(encoded, EVENT))) == {"f0", "f1"}


def test_constant_and_nearly_constant_features_are_set_aside_and_counted() -> None:
    encoded = _noise(40, 5)
    encoded[:, 1] = 7.0
    encoded[:, 2] = np.nan
    encoded[:, 3] = 0.0
    encoded[5, 3] = 1.0
    preparation = _prepare(encoded, EVENT)
    assert set(_names(preparation)) == {"f0", "f4"}
    # An empty column and its indicator are constant too.
    assert preparation.dropped["constant"] == 3
    assert preparation.dropped["nearly constant"] == 1


def test_a_value_that_three_of_forty_have_is_not_nearly_constant() -> None:
    encoded = np.zeros((40, 1))
    encoded[:3] = 1.0
    assert _prepare(encoded, EVENT).dropped["nearly constant"] == 0


def test_when_nothing_varies_one_constant_remains_so_that_a_model_can_still_learn_the_frequency() -> None:
    preparation = _prepare(np.ones((40, 3)), EVENT)
    assert preparation.apply(np.array([[1.0, 1.0, 1.0], [9.0, 9.0, 9.0]])).shape == (2, 1)
    assert preparation.apply(np.ones((1, 3)))[0, 0] == 0.0


def test_features_are_ranked_by_their_association_with_the_event() -> None:
    encoded = _noise(40, 30)
    encoded[:, 17] += 2.0 * EVENT
    encoded[:, 4] -= 1.2 * EVENT
    preparation = _prepare(encoded, EVENT)
    strength = [abs(spearmanr(encoded[:, place], EVENT).statistic) for place in preparation.source]
    assert _names(preparation)[0] == "f17"
    assert strength == sorted(strength, reverse=True)


def test_features_are_ranked_by_correlation_with_martingale_residuals_for_a_time_to_event() -> None:
    draw = np.random.default_rng(3)
    time, event = np.ceil(draw.exponential(100, 60)), draw.random(60) < 0.6
    encoded = draw.normal(size=(60, 20))
    outcome = TimeToEvent(time, event, 100.0)
    features = [Feature(f"f{place}") for place in range(20)]
    settings = PreparationSettings(redundant_above=1.0)
    preparation = fit_preparation(encoded, features, outcome, keep=20, settings=settings)
    # scikit-survival's Breslow estimator with a linear predictor of 0 is the Nelson-Aalen estimator.
    hazard = BreslowEstimator().fit(np.zeros(60), event, time).cum_baseline_hazard_
    residual = event - hazard(time)
    strength = [abs(np.corrcoef(encoded[:, place].argsort().argsort(), residual)[0, 1]) for place in preparation.source]
    np.testing.assert_array_less(np.diff(strength), 1e-9)


def test_of_two_features_that_say_the_same_only_the_better_ranked_is_kept() -> None:
    encoded = _noise(40, 3)
    encoded[:, 0] += 1.5 * EVENT
    encoded[:, 2] = encoded[:, 0] ** 3
    preparation = _prepare(encoded, EVENT)
    assert _names(preparation)[0] == "f0"
    assert "f2" not in _names(preparation)
    assert preparation.dropped["redundant"] == 1


def test_no_two_kept_features_are_more_correlated_than_allowed() -> None:
    encoded = _noise(40, 6) @ np.random.default_rng(5).normal(size=(6, 50)) + 0.3 * _noise(40, 50, seed=6)
    preparation = _prepare(encoded, EVENT, redundant_above=0.6)
    correlation = np.abs(spearmanr(encoded[:, preparation.source]).statistic)
    assert len(preparation.source) > 2
    assert (correlation[np.triu_indices(len(correlation), 1)] <= 0.6).all()


def test_only_as_many_as_the_models_can_use_are_kept_and_the_first_do_not_depend_on_it() -> None:
    encoded = _noise(40, 30)
    few, many = _prepare(encoded, EVENT, keep=4), _prepare(encoded, EVENT, keep=12)
    assert _names(few) == _names(many)[:4]
    np.testing.assert_array_equal(few.apply(encoded), many.apply(encoded)[:, :4])


def test_scaled_training_values_have_median_zero_and_the_spread_of_a_standard_normal() -> None:
    encoded = np.exp(_noise(4001, 1))
    scaled = _prepare(encoded, np.arange(4001) % 2 == 0).apply(encoded)
    low, middle, high = np.quantile(scaled, [0.25, 0.5, 0.75])
    assert middle == pytest.approx(0.0, abs=1e-12)
    assert high - low == pytest.approx(1.349, abs=1e-9)


def test_an_outlier_is_held_at_the_edge() -> None:
    preparation = _prepare(_noise(40, 1), EVENT)
    assert preparation.apply(np.array([[1e9]]))[0, 0] == EDGE
    assert preparation.apply(np.array([[-1e9]]))[0, 0] == -EDGE


def test_a_yes_or_no_is_scaled_by_mean_and_standard_deviation() -> None:
    encoded = (np.arange(40) < 8).astype(float)[:, None]
    scaled = _prepare(encoded, EVENT).apply(encoded)
    assert scaled.mean() == pytest.approx(0.0, abs=1e-12)
    assert scaled.std() == pytest.approx(1.0, abs=1e-12)
