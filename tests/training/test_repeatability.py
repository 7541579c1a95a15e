"""Features that another contour changes are left out, and only the patients learnt from have a say in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from prognoscope.core.table import Table
from prognoscope.training import (
    CrossFit,
    KeepRule,
    Ratings,
    assign_folds,
    bootstrap_fit,
    candidates,
    cross_fit,
    fit_predictor,
    fold_from_bytes,
    fold_tasks,
    fold_to_bytes,
    learning_curve,
    run_fold,
)
from prognoscope.training.crossfit import cohort_of
from prognoscope.training.encoding import Feature
from prognoscope.training.pipeline import Recipe
from prognoscope.training.preparation import PreparationSettings
from prognoscope.training.repeatability import rated, unrepeatable
from tests.make.training import auc, binary, clinical_and_imaging

TABLE, TRUTH = clinical_and_imaging(patients=60, imaging=8, seed=1, signal=2.0)
OUTCOME = binary(TRUTH, seed=2)
LOGISTIC = candidates({"elastic-net-logistic": {"features": [3, 8], "l1_ratio": 0.5, "penalty": [0.4, 0.1]}}, "binary")
FOLDS = assign_folds(OUTCOME, folds=3, repeats=2, seed=1, patients=list(TABLE.frame.index))
IMAGING = tuple(column.name for column in TABLE.columns if column.origin == "imaging")
LOW, ESTIMATE = KeepRule(icc_at_least=0.75), KeepRule(icc_at_least=0.75, by="estimate")


def ratings(
    table: Table = TABLE,
    *,
    noisy: Sequence[str] = (),
    contours: int = 5,
    rule: KeepRule | None = LOW,
    noise: float = 9.0,
) -> Ratings:
    """Return the imaging features of a table on several contours; those of `noisy` columns are mostly chance."""
    draw = np.random.default_rng(7)
    own = table.frame[list(IMAGING)].to_numpy()
    spread = np.where(np.isin(IMAGING, noisy), noise, 0.02) * own.std(axis=0)
    values = own[:, :, None] + spread[:, None] * draw.normal(size=(*own.shape, contours))
    return Ratings(tuple(table.frame.index), IMAGING, values, rule)


def fit(table: Table = TABLE, *, folds: np.ndarray = FOLDS, **options: Any) -> CrossFit:
    return cross_fit(table, OUTCOME, candidates=LOGISTIC, folds=folds, inner=3, score=auc, seed=1, **options)


def barred(values: np.ndarray, rule: KeepRule = LOW) -> list[bool]:
    """Return which features of `(patients, features, contours)` are left out."""
    names = tuple(f"f{number}" for number in range(values.shape[1]))
    patients = [str(number) for number in range(len(values))]
    found = rated([Ratings(tuple(patients), names, values, rule)], patients, [Feature(name) for name in names])
    return [bool(one) for one in unrepeatable(found, np.arange(len(values)), len(names))]


def test_the_low_end_of_the_interval_decides_unless_the_estimate_is_asked_for() -> None:
    # Shrout and Fleiss 1979, table 2, form 1,1: 0.17 with interval -0.13 to 0.72 (psych::ICC of R).
    published = np.array(
        [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float
    )[:, None, :]
    assert barred(published, KeepRule(icc_at_least=0.16, by="estimate")) == [False]
    assert barred(published, KeepRule(icc_at_least=0.18, by="estimate")) == [True]
    assert barred(published, KeepRule(icc_at_least=0.01, by="low")) == [True]


def test_what_was_not_measured_on_every_contour_of_a_patient_is_judged_by_the_other_patients() -> None:
    values = np.array(ratings().values)
    values[0, 0, 0], values[1, 0, 3] = np.nan, np.inf
    assert barred(values) == [False] * len(IMAGING)
    assert barred(values) == barred(np.where(np.isfinite(values), values, 1e9)[2:])


@pytest.mark.parametrize(
    "values",
    [
        np.full((6, 1, 3), np.nan),
        np.ones((6, 1, 3)),
        np.where(np.arange(6)[:, None, None] < 1, 1.0, np.nan * np.ones(3)),
    ],
    ids=["nothing measured", "no variation", "one patient"],
)
def test_a_feature_that_cannot_show_its_agreement_is_left_out(values: np.ndarray) -> None:
    assert barred(values) == [True]


def test_a_noisy_feature_is_used_by_no_fold_and_told_with_its_share() -> None:
    noisy = ("PT.f0", "PT.f4")  # those of the first block carry the signal
    free, bound = fit(), fit(ratings=[ratings(noisy=noisy)])
    assert set(noisy) & {one.feature.column for one in free.stability}, "without ratings they are used"
    assert not set(noisy) & {one.feature.column for one in bound.stability}
    assert bound.left_out == {"PT.f0": 1.0, "PT.f4": 1.0}
    assert bound.dropped["not repeatable"] == 2
    assert free.left_out == {}


def test_ratings_of_what_is_repeatable_change_nothing() -> None:
    assert fit(ratings=[ratings()]).out_of_fold.risk.tobytes() == fit().out_of_fold.risk.tobytes()


def test_ratings_without_a_rule_select_nothing() -> None:
    described = fit(ratings=[ratings(noisy=IMAGING, rule=None)])
    assert described.out_of_fold.risk.tobytes() == fit().out_of_fold.risk.tobytes()
    assert described.left_out == {}


def test_contours_of_test_patients_never_influence_what_a_fold_learns() -> None:
    """Poison the ratings of exactly those who are held out: not one bit of their fold may change."""
    honest = ratings(noisy=("PT.f0",))
    for fold in range(3):
        held_out = FOLDS[0] == fold
        values = np.array(honest.values)
        # Feature 0 would look perfect and all others hopeless, if these patients had a say.
        values[held_out] = np.random.default_rng(fold).normal(0, 1e6, values[held_out].shape)
        values[held_out, 0] = 1e9 * np.arange(held_out.sum())[:, None]
        poisoned = replace(honest, values=values)
        clean, spoilt = (fit(folds=FOLDS[:1], ratings=[one]) for one in (honest, poisoned))
        own = clean.out_of_fold.risk[0, held_out]
        assert own.tobytes() == spoilt.out_of_fold.risk[0, held_out].tobytes()
        assert spoilt.out_of_fold.risk.tobytes() != clean.out_of_fold.risk.tobytes(), "the other folds learn from them"


def test_the_inner_folds_do_not_see_the_contours_of_those_they_hold_out() -> None:
    """A feature whose agreement rests on one patient is barred exactly where that patient is not learnt from."""
    cohort = cohort_of(TABLE, OUTCOME, ratings=[ratings()])
    values = np.random.default_rng(3).normal(size=(60, 1, 4))
    values[0] = 1e6
    names = [feature.column for feature in cohort.features]
    one = Ratings(tuple(TABLE.frame.index), ("PT.f3",), values, ESTIMATE)
    found = rated([one], list(TABLE.frame.index), cohort.features)
    place = names.index("PT.f3")
    assert not unrepeatable(found, np.arange(60), len(names))[place]
    assert unrepeatable(found, np.arange(1, 60), len(names))[place]


def test_where_nothing_is_repeatable_the_risk_is_the_frequency_of_the_event() -> None:
    imaging = TABLE.of_origin("imaging")
    found = fit(imaging, ratings=[ratings(noisy=IMAGING)])
    for fold in range(3):
        inside = FOLDS[0] == fold
        assert np.ptp(found.out_of_fold.risk[0, inside]) == 0
        assert found.out_of_fold.risk[0, inside][0] == pytest.approx(OUTCOME.event[~inside].mean(), abs=0.02)
    assert not found.stability


def test_any_order_of_patients_gives_the_same_bytes() -> None:
    given = ratings(noisy=("PT.f0",))
    order = np.random.default_rng(1).permutation(60)
    shuffled = Ratings(tuple(np.array(given.patients)[order]), given.columns, given.values[order], given.rule)
    expected = fit(ratings=[given]).out_of_fold.risk.tobytes()
    assert fit(ratings=[shuffled]).out_of_fold.risk.tobytes() == expected


def test_a_patient_without_ratings_takes_part_all_the_same() -> None:
    given = ratings(noisy=("PT.f0",))
    fewer = Ratings(given.patients[3:], given.columns, given.values[3:], given.rule)
    found = fit(ratings=[fewer])
    assert np.isfinite(found.out_of_fold.risk).all()
    assert found.left_out == {"PT.f0": 1.0}


def test_predictor_bootstraps_and_learning_curve_leave_the_same_features_out() -> None:
    options: dict[str, Any] = {"candidates": LOGISTIC, "inner": 3, "score": auc, "seed": 1}
    noisy = ("PT.f0", "PT.f4")
    bound = [ratings(noisy=noisy)]
    predictor = fit_predictor(TABLE, OUTCOME, refits=3, ratings=bound, **options)
    for one in (predictor.main, *predictor.refits):
        assert not set(noisy) & {feature.column for feature in one.preparation.features}
    free, kept = (bootstrap_fit(TABLE, OUTCOME, resamples=3, ratings=given, **options) for given in ([], bound))
    assert (free.apparent != kept.apparent).any()
    curves = [
        learning_curve(TABLE, OUTCOME, sizes=[30], folds=FOLDS[:1], ratings=given, **options) for given in ([], bound)
    ]
    assert (curves[0][0].out_of_fold.risk != curves[1][0].out_of_fold.risk).any()


def test_the_result_of_a_fold_is_kept_with_what_it_left_out() -> None:
    recipe = Recipe(tuple(LOGISTIC), 3, auc, 1, PreparationSettings())
    tasks = [
        fold_tasks(TABLE, OUTCOME, folds=FOLDS, recipe=recipe, ratings=given)[0]
        for given in ([ratings(noisy=("PT.f0",))], [ratings(noisy=("PT.f1",))], [])
    ]
    assert len({task.key() for task in tasks}) == 3, "other ratings, another key"
    assert fold_from_bytes(fold_to_bytes(run_fold(tasks[0]))).left_out == ("PT.f0",)


@pytest.mark.parametrize(
    "changes", [{"icc_at_least": 1.0}, {"icc_at_least": 0}, {"icc_at_least": 0.5, "by": "high"}, {}]
)
def test_a_rule_that_cannot_be_met_or_decides_nothing_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        KeepRule.model_validate(changes)
