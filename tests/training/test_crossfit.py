"""Risks for patients that no step of the pipeline has seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.core.problems import Refused
from prognoscope.core.table import Column, Table
from prognoscope.training import (
    Candidate,
    Costs,
    CrossFit,
    PreparationSettings,
    Recipe,
    assign_folds,
    candidates,
    conformal_sets,
    cross_fit,
    fold_tasks,
    run_fold,
)
from tests.make.training import auc, binary, clinical_and_imaging, concordance, in_processes, survival

TABLE, TRUTH = clinical_and_imaging(patients=60, imaging=12, seed=1, signal=2.0)
OUTCOME = binary(TRUTH, seed=2)
TIMES = survival(TRUTH, seed=3)
FAST: dict[str, dict[str, object]] = {
    "elastic-net-logistic": {"features": [3, 8], "l1_ratio": 0.5, "penalty": [0.4, 0.1]},
    "random-forest": {"features": 5, "trees": 10},
}
LOGISTIC = candidates({"elastic-net-logistic": FAST["elastic-net-logistic"]}, "binary")
BOTH = candidates(FAST, "binary")
SURVIVAL = candidates(
    {"elastic-net-cox": FAST["elastic-net-logistic"], "survival-forest": FAST["random-forest"]}, "time-to-event"
)


def _fit(
    table: Table = TABLE,
    outcome: Outcome = OUTCOME,
    *,
    tried: Sequence[Candidate] = BOTH,
    folds: np.ndarray | None = None,
    **options: Any,
) -> CrossFit:
    if folds is None:
        folds = assign_folds(outcome, folds=3, repeats=2, seed=1, patients=list(table.frame.index))
    score = auc if outcome.kind == "binary" else concordance
    return cross_fit(table, outcome, candidates=tried, folds=folds, inner=3, score=score, seed=1, **options)


@pytest.mark.parametrize(("outcome", "tried"), [(OUTCOME, BOTH), (TIMES, SURVIVAL)], ids=["binary", "time to event"])
def test_every_patient_gets_a_risk_in_every_repeat(outcome: Outcome, tried: Sequence[Candidate]) -> None:
    fit = _fit(outcome=outcome, tried=tried)
    assert fit.out_of_fold.risk.shape == (2, 60)
    assert ((fit.out_of_fold.risk >= 0) & (fit.out_of_fold.risk <= 1)).all()
    assert [(choice.repeat, choice.fold) for choice in fit.choices] == [(r, f) for r in range(2) for f in range(3)]
    assert fit.settings_tried == 6


def test_other_processes_give_the_same_risks_to_the_last_bit() -> None:
    np.testing.assert_array_equal(_fit().out_of_fold.risk, _fit(mapper=in_processes).out_of_fold.risk)


@pytest.mark.parametrize(("outcome", "tried"), [(OUTCOME, BOTH), (TIMES, SURVIVAL)], ids=["binary", "time to event"])
def test_the_order_of_the_patients_does_not_matter(outcome: Outcome, tried: Sequence[Candidate]) -> None:
    usual = _fit(outcome=outcome, tried=tried)
    order = np.random.default_rng(5).permutation(60)
    names = list(TABLE.frame.index[order])
    moved = _fit(TABLE.take(names), outcome.take(order), tried=tried)
    np.testing.assert_array_equal(moved.out_of_fold.risk, usual.out_of_fold.risk[:, order])
    assert moved.stability == usual.stability


def test_a_held_out_patients_own_values_change_nothing_but_his_own_risk() -> None:
    folds = assign_folds(OUTCOME, folds=3, repeats=1, seed=1)
    usual = _fit(folds=folds).out_of_fold.risk[0]
    victim = int(np.flatnonzero(folds[0] == 1)[0])
    frame = TABLE.frame.copy()
    frame.loc[frame.index[victim], [column.name for column in TABLE.columns if column.type == "number"]] = 1e6
    changed = _fit(Table(frame, TABLE.columns), folds=folds).out_of_fold.risk[0]
    same = folds[0] == 1
    same[victim] = False
    # The pipeline of his fold has never seen him: the others of the fold get what they got.
    np.testing.assert_array_equal(changed[same], usual[same])
    assert changed[victim] != usual[victim]
    assert (changed[folds[0] != 1] != usual[folds[0] != 1]).any()


def test_a_held_out_patients_outcome_does_not_reach_the_risks_of_his_fold() -> None:
    folds = assign_folds(OUTCOME, folds=3, repeats=1, seed=1)
    flipped = OUTCOME.event.copy()
    held_out = np.flatnonzero(folds[0] == 0)
    flipped[held_out] = ~flipped[held_out]
    usual, other = (_fit(outcome=Binary(event), folds=folds).out_of_fold.risk[0] for event in (OUTCOME.event, flipped))
    np.testing.assert_array_equal(usual[held_out], other[held_out])


def test_labels_without_relation_to_many_predictors_give_chance() -> None:
    draw = np.random.default_rng(7)
    frame = pd.DataFrame(draw.normal(size=(60, 150)), index=TABLE.frame.index)
    frame.columns = pd.Index([f"f{number}" for number in range(150)])
    table = Table(frame, tuple(Column(name, "number") for name in frame.columns))
    scores = []
    for number in range(12):
        outcome = Binary(draw.permutation(np.arange(60) < 25))
        folds = assign_folds(outcome, folds=5, repeats=1, seed=number)
        risk = _fit(table, outcome, tried=LOGISTIC, folds=folds).out_of_fold.risk[0]
        scores.append(np.mean([auc(outcome.take(folds[0] == k), risk[folds[0] == k]) for k in range(5)]))
    # Selection outside of the folds would give above 0.9 here; twelve means of 0.5 spread by about 0.03.
    assert np.mean(scores) == pytest.approx(0.5, abs=0.08)


def _the_lower_the_better(outcome: Outcome, risk: np.ndarray) -> float:
    return -auc(outcome, risk)


def test_the_inner_folds_choose_by_the_score_given() -> None:
    options = {"elastic-net-logistic": {"features": 3, "l1_ratio": 0.5, "penalty": [1.0, 0.1]}}
    tried = candidates(options, "binary")
    folds = assign_folds(OUTCOME, folds=3, repeats=1, seed=1)
    for score, penalty in ((auc, 0.1), (_the_lower_the_better, 1.0)):
        fit = cross_fit(TABLE, OUTCOME, candidates=tried, folds=folds, inner=3, score=score, seed=1)
        assert {choice.choice.setting["penalty"] for choice in fit.choices} == {penalty}


def test_one_setting_is_taken_without_inner_folds() -> None:
    tried = candidates({"elastic-net-logistic": {"features": 3, "l1_ratio": 0.5, "penalty": 0.2}}, "binary")
    fit = _fit(tried=tried)
    assert fit.settings_tried == 1
    assert all(np.isnan(choice.choice.inner_score) for choice in fit.choices)


def test_the_features_that_carry_the_signal_are_the_stable_ones() -> None:
    fit = _fit(tried=LOGISTIC)
    first = fit.stability[0]
    # Features 0, 3, 6 and 9 share the block that the outcome was drawn from.
    assert first.feature.column in {"PT.f0", "PT.f3", "PT.f6", "PT.f9", "age"}
    assert first.selected == 1.0
    assert first.importance > 0.02
    assert first.direction == 1.0
    assert [entry.selected for entry in fit.stability] == sorted((e.selected for e in fit.stability), reverse=True)


def test_a_constant_feature_is_handled_quietly_and_counted() -> None:
    frame = TABLE.frame.assign(empty=3.0)
    fit = _fit(Table(frame, (*TABLE.columns, Column("empty", "number"))), tried=LOGISTIC)
    assert fit.dropped["constant"] == 1.0


def test_when_every_predictor_is_constant_the_risk_is_the_frequency_among_the_training_patients() -> None:
    table = Table(pd.DataFrame({"x": np.ones(60)}, index=TABLE.frame.index), (Column("x", "number"),))
    fit = _fit(table, tried=LOGISTIC)
    for row, folds in zip(fit.out_of_fold.risk, fit.out_of_fold.fold, strict=True):
        for fold in range(3):
            assert row[folds == fold] == pytest.approx(OUTCOME.event[folds != fold].mean(), abs=1e-6)


def test_patients_of_fold_minus_one_are_only_trained_on() -> None:
    folds = np.full((1, 60), -1)
    folds[0, 40:] = 0
    fit = _fit(folds=folds, tried=LOGISTIC)
    assert np.isnan(fit.out_of_fold.risk[0, :40]).all()
    assert not np.isnan(fit.out_of_fold.risk[0, 40:]).any()
    assert len(fit.choices) == 1


def test_too_few_events_for_the_inner_folds_are_refused() -> None:
    outcome = Binary(np.arange(60) < 3)
    folds = assign_folds(outcome, folds=3, repeats=1, seed=1)
    with pytest.raises(Refused, match=r"2 events for 3 folds.*fewer-events-than-folds"):
        _fit(outcome=outcome, folds=folds)


def test_another_number_of_outcomes_than_patients_is_refused() -> None:
    with pytest.raises(Refused, match=r"59 outcomes for 60 patients.*outcome-length"):
        _fit(outcome=OUTCOME.take(np.arange(59)), folds=np.zeros((1, 60), dtype=int))


def test_no_predictor_is_refused() -> None:
    with pytest.raises(Refused, match="no-predictor"):
        _fit(Table(TABLE.frame[[]], ()))


def _recipe(**changes: Any) -> Recipe:
    usual: dict[str, Any] = {
        "candidates": LOGISTIC,
        "inner": 3,
        "score": auc,
        "seed": 1,
        "preparation": PreparationSettings(),
    }
    return Recipe(**(usual | changes))


def _keys(table: Table = TABLE, outcome: Outcome = OUTCOME, **changes: Any) -> list[str]:
    folds = assign_folds(OUTCOME, folds=3, repeats=1, seed=1)
    return [task.key() for task in fold_tasks(table, outcome, folds=folds, recipe=_recipe(**changes))]


def test_the_key_of_a_fold_changes_with_all_that_its_result_depends_on_and_with_nothing_else() -> None:
    usual = _keys()
    assert len(set(usual)) == 3
    assert _keys() == usual
    frame = TABLE.frame.copy()
    frame.iloc[3, 0] = 33.0
    flipped = OUTCOME.event.copy()
    flipped[0] = ~flipped[0]
    others = [
        _keys(Table(frame, TABLE.columns)),
        _keys(outcome=Binary(flipped)),
        _keys(candidates=BOTH),
        _keys(candidates=candidates(["elastic-net-logistic"], "binary")),
        _keys(inner=2),
        _keys(seed=2),
        _keys(score=_the_lower_the_better),
        _keys(preparation=PreparationSettings(redundant_above=0.9)),
        _keys(recalibration="slope"),
        _keys(costs=Costs(missed_event=4)),
        _keys(conformal=True),
    ]
    for other in others:
        assert not set(other) & set(usual)


def test_a_fold_run_alone_gives_what_it_gives_among_the_others() -> None:
    folds = assign_folds(OUTCOME, folds=3, repeats=2, seed=1, patients=list(TABLE.frame.index))
    tasks = fold_tasks(TABLE, OUTCOME, folds=folds, recipe=_recipe())
    whole = _fit(tried=LOGISTIC, folds=folds).out_of_fold.risk
    result = run_fold(tasks[4])
    np.testing.assert_array_equal(whole[1, result.held_out], result.risk)


def test_a_threshold_is_chosen_in_each_fold_and_follows_the_costs() -> None:
    cheap, dear = (_fit(tried=LOGISTIC, costs=Costs(missed_event=cost)) for cost in (0.2, 8.0))
    for fit in (cheap, dear):
        assert fit.alerts is not None
        for choice in fit.choices:
            held_out = fit.out_of_fold.fold[choice.repeat] == choice.fold
            risk, alert = fit.out_of_fold.risk[choice.repeat, held_out], fit.alerts[choice.repeat, held_out]
            assert choice.threshold is not None
            np.testing.assert_array_equal(alert, risk >= choice.threshold)
    assert cheap.alerts is not None
    assert dear.alerts is not None
    assert dear.alerts.mean() > OUTCOME.event.mean() > cheap.alerts.mean()


def test_conformal_sets_hold_the_truth_as_often_as_they_guarantee() -> None:
    fit = _fit(tried=LOGISTIC, conformal=True)
    assert fit.p_values is not None
    sets = conformal_sets(fit.p_values, alpha=0.2, calibrated_on=fit.calibrated_on)
    covered = np.where(OUTCOME.event, sets.event, sets.no_event)
    assert covered.mean() >= sets.guarantee == pytest.approx(0.6)
    assert not (sets.event & sets.no_event).all()


def test_conformal_sets_for_a_time_to_event_are_refused() -> None:
    with pytest.raises(Refused, match="conformal-outcome"):
        _fit(outcome=TIMES, tried=SURVIVAL, conformal=True)
