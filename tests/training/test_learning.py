"""The learning curve."""

from __future__ import annotations

import numpy as np
import pytest

from prognoscope.core.problems import Refused
from prognoscope.training import LearningPoint, assign_folds, cross_fit, learning_curve
from tests.make.training import auc, binary, clinical_and_imaging
from tests.training.test_crossfit import LOGISTIC

TABLE, TRUTH = clinical_and_imaging(patients=160, imaging=8, seed=4, signal=1.5)
OUTCOME = binary(TRUTH, seed=5)
FOLDS = assign_folds(OUTCOME, folds=4, repeats=1, seed=1, patients=list(TABLE.frame.index))


def _curve(sizes: list[int]) -> tuple[LearningPoint, ...]:
    return learning_curve(TABLE, OUTCOME, sizes=sizes, candidates=LOGISTIC, folds=FOLDS, inner=3, score=auc, seed=1)


def _score(point: LearningPoint) -> float:
    risk = point.out_of_fold.risk[0]
    return float(np.mean([auc(OUTCOME.take(FOLDS[0] == k), risk[FOLDS[0] == k]) for k in range(4)]))


def test_more_patients_give_better_risks() -> None:
    few, many = _curve([15, 120])
    assert (few.patients, many.patients) == (15, 120)
    assert _score(many) > _score(few) + 0.03


def test_with_all_training_patients_it_is_the_cross_validation() -> None:
    (point,) = _curve([120])
    whole = cross_fit(TABLE, OUTCOME, candidates=LOGISTIC, folds=FOLDS, inner=3, score=auc, seed=1)
    np.testing.assert_array_equal(point.out_of_fold.risk, whole.out_of_fold.risk)


def test_more_patients_than_a_fold_can_learn_from_are_refused() -> None:
    with pytest.raises(Refused, match=r"121 patients asked for, a fold has 120.*learning-size"):
        _curve([121])


def test_too_few_to_fill_the_inner_folds_are_refused() -> None:
    with pytest.raises(Refused, match="fewer-events-than-folds"):
        _curve([4])
