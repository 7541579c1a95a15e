"""Conformal sets: coverage that was promised, and refusals where it cannot be."""

from typing import Any

import numpy as np
import pytest

from prognoscope.core.problems import Refused
from prognoscope.validation import (
    abstention_curve,
    coverage,
    cross_conformal_sets,
    needed_to_calibrate,
    split_conformal_interval,
    split_conformal_sets,
)
from tests.make.validation import binary_cohort


def test_split_sets_are_those_of_mapie() -> None:
    from mapie.classification import SplitConformalClassifier  # type: ignore[import-untyped]
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Given(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
        """A classifier whose risk is its only feature."""

        classes_ = np.array([0, 1])
        n_features_in_ = 1

        def fit(self, x: Any, y: Any) -> Any:
            return self

        def predict_proba(self, x: Any) -> Any:
            return np.column_stack([1 - x[:, 0], x[:, 0]])

        def predict(self, x: Any) -> Any:
            return (x[:, 0] > 0.5).astype(int)

        def __sklearn_is_fitted__(self) -> Any:
            return True

    event, risk = binary_cohort(150, seed=1)
    _, new = binary_cohort(100, seed=2)
    mapie = SplitConformalClassifier(Given(), confidence_level=0.9, conformity_score="lac", prefit=True)
    mapie.conformalize(risk[:, None], event.astype(int))
    _, expected = mapie.predict_set(new[:, None])
    found = split_conformal_sets(event, risk, new, alpha=0.1)
    np.testing.assert_array_equal(found.without_event, expected[:, 0, 0])
    np.testing.assert_array_equal(found.with_event, expected[:, 1, 0])


def test_split_sets_cover_between_what_is_promised_and_one_in_n_more() -> None:
    n, covered = 49, []
    for seed in range(2000):
        event, risk = binary_cohort(n + 20, seed=seed)
        sets = split_conformal_sets(event[:n], risk[:n], risk[n:], alpha=0.1)
        covered.append(np.where(event[n:], sets.with_event, sets.without_event).mean())
    error = np.std(covered) / np.sqrt(len(covered))
    assert 0.9 - 3 * error <= np.mean(covered) <= 0.9 + 1 / (n + 1) + 3 * error


def test_cross_sets_cover_more_than_one_less_twice_alpha() -> None:
    covered = []
    for seed in range(400):
        event, risk = binary_cohort(80, seed=seed)
        fold = np.arange(60) % 5
        sets = cross_conformal_sets(event[:60], risk[:60], fold, np.tile(risk[60:], (5, 1)), alpha=0.1)
        covered.append(np.where(event[60:], sets.with_event, sets.without_event).mean())
    assert np.mean(covered) > 0.85
    assert "at least 80%" in sets.guarantee


def test_one_model_for_all_folds_makes_cross_sets_of_the_split_ones() -> None:
    event, risk = binary_cohort(60, seed=3)
    _, new = binary_cohort(30, seed=4)
    split = split_conformal_sets(event, risk, new, alpha=0.1)
    cross = cross_conformal_sets(event, risk, np.arange(60) % 4, np.tile(new, (4, 1)), alpha=0.1)
    np.testing.assert_array_equal(split.with_event, cross.with_event)
    np.testing.assert_array_equal(split.without_event, cross.without_event)


@pytest.mark.parametrize(("alpha", "needed"), [(0.1, 9), (0.05, 19), (0.2, 4), (0.3, 3)])
def test_too_few_patients_are_refused_with_the_number_needed(alpha: Any, needed: Any) -> None:
    assert needed_to_calibrate(alpha) == needed
    event, risk = binary_cohort(needed, seed=5)
    split_conformal_sets(event, risk, [0.5], alpha=alpha)
    with pytest.raises(Refused, match=f"at least {needed} patients"):
        split_conformal_sets(event[1:], risk[1:], [0.5], alpha=alpha)


def test_both_outcomes_in_the_set_mean_the_model_abstains() -> None:
    event, risk = binary_cohort(200, seed=6)
    sets = split_conformal_sets(event, risk, [0.01, 0.5], alpha=0.1)
    assert sets.abstained.tolist() == [False, True]
    assert (sets.without_event[0], sets.with_event[0]) == (True, False)


def test_coverage_within_groups_is_reported_beside_the_whole() -> None:
    event, risk = binary_cohort(300, seed=7)
    sets = split_conformal_sets(event[:100], risk[:100], risk[100:], alpha=0.1)
    groups = np.where(np.arange(200) % 2, "a", "b")
    rows = {row.level: row for row in coverage(event[100:], sets, groups)}
    assert rows["all"].n == 200
    assert rows["a"].n + rows["b"].n == 200
    assert rows["a"].low <= rows["a"].covered <= rows["a"].high
    assert 0 <= rows["all"].size <= 2


def test_intervals_of_a_continuous_outcome_reach_as_far_as_the_residuals() -> None:
    residual = np.arange(-9, 11)  # 20 of them; the 19th smallest absolute value is 9
    low, high, guarantee = split_conformal_interval(residual, [100.0], alpha=0.1)
    assert (low[0], high[0]) == (91.0, 109.0)
    assert "90%" in guarantee


def test_answering_only_the_surest_is_more_accurate() -> None:
    event, risk = binary_cohort(2000, seed=8)
    curve = abstention_curve(event, risk)
    assert curve.answered[-1] == 1.0
    assert curve.accuracy[-1] == pytest.approx(((risk >= 0.5) == event).mean())
    assert curve.accuracy[199] > curve.accuracy[-1]


def test_the_accuracy_of_a_few_patients_is_not_told() -> None:
    event, risk = binary_cohort(100, seed=3)
    accuracy = abstention_curve(event, risk).accuracy
    assert np.isnan(accuracy[:19]).all()
    assert np.isfinite(accuracy[19:]).all()
    assert np.isnan(abstention_curve(event[:5], risk[:5]).accuracy).all()


def test_a_row_of_risks_per_fold_is_asked_for() -> None:
    event, risk = binary_cohort(40, seed=9)
    with pytest.raises(Refused, match="3 rows for 4 folds"):
        cross_conformal_sets(event, risk, np.arange(40) % 4, np.full((3, 2), 0.5), alpha=0.1)


def test_alpha_of_one_is_refused() -> None:
    with pytest.raises(Refused, match="alpha-range"):
        needed_to_calibrate(1.0)
