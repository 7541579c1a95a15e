"""AUC and Brier score by time: the plain functions' values, with bands, and a reason where too few had the event."""

from __future__ import annotations

import numpy as np
import pytest

from prognoscope.core.outcome import TimeToEvent
from prognoscope.core.problems import Refused
from prognoscope.validation import auc_over_time, brier_over_time, evaluate, integrated_brier, kaplan_meier, time_course
from tests.make.validation import out_of_fold, survival_cohort

TIMES = np.array([250.0, 500.0, 730.0])


def by_each(risk: np.ndarray) -> np.ndarray:
    """Risks by each of the times, of patients whose hazard does not change."""
    return 1 - (1 - risk[:, None]) ** (TIMES / 730)


def test_values_are_those_of_the_plain_functions() -> None:
    outcome, risk = survival_cohort(300, seed=1)
    table = by_each(risk)
    found = time_course(outcome, table, TIMES)
    assert found.auc.x == tuple(TIMES)
    assert found.auc.y == pytest.approx(auc_over_time(outcome, table, TIMES), abs=1e-12)
    assert found.brier.y == pytest.approx(brier_over_time(outcome, table, TIMES), abs=1e-12)
    assert found.integrated_brier is not None
    assert found.integrated_brier.estimate == pytest.approx(integrated_brier(outcome, table, TIMES), abs=1e-12)


def test_everyone_s_brier_score_is_that_of_kaplan_meier_and_the_scaled_one_compares_with_it() -> None:
    outcome, risk = survival_cohort(300, seed=2)
    found = time_course(outcome, by_each(risk), TIMES)
    survival = np.array([kaplan_meier(outcome.time_days, outcome.event).at(time)[0] for time in TIMES])
    null = survival * (1 - survival)
    assert found.null_brier == pytest.approx(null, abs=1e-9)
    assert found.integrated_brier is not None
    assert found.integrated_scaled_brier is not None
    whole = np.trapezoid(null, TIMES) / (TIMES[-1] - TIMES[0])
    assert found.integrated_scaled_brier.estimate == pytest.approx(1 - found.integrated_brier.estimate / whole)


def test_bands_hold_their_values_and_narrow_with_the_number_of_patients() -> None:
    widths = []
    for n in (200, 3200):
        outcome, risk = survival_cohort(n, seed=3)
        found = time_course(outcome, by_each(risk), TIMES)
        for curve in (found.auc, found.brier):
            assert all(low < y < high for low, y, high in zip(curve.low, curve.y, curve.high, strict=True))
        assert found.integrated_brier is not None
        widths.append(found.integrated_brier.high - found.integrated_brier.low)
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.25)


def test_the_interval_of_the_integrated_score_is_about_the_spread_over_cohorts() -> None:
    estimates, reaches = [], []
    for seed in range(120):
        outcome, risk = survival_cohort(250, seed=100 + seed)
        one = time_course(outcome, by_each(risk), TIMES).integrated_brier
        assert one is not None
        estimates.append(one.estimate)
        reaches.append((one.high - one.low) / 2)
    assert np.mean(reaches) == pytest.approx(1.96 * np.std(estimates), rel=0.2)


def test_one_ranking_has_an_auc_by_each_time_and_no_brier_score() -> None:
    outcome, risk = survival_cohort(200, seed=4)
    found = time_course(outcome, risk, TIMES)
    assert found.auc.y == pytest.approx(auc_over_time(outcome, risk, TIMES), abs=1e-12)
    assert (found.brier.x, found.null_brier, found.integrated_brier) == ((), (), None)


def test_a_time_by_which_too_few_had_the_event_is_unknown_and_so_is_the_integral() -> None:
    time = np.concatenate([np.full(3, 50.0), np.full(40, 500.0), np.full(57, 900.0)])
    outcome = TimeToEvent(time, np.arange(100) < 43, 730.0)
    risk = np.linspace(0.9, 0.1, 100)
    found = time_course(outcome, np.column_stack([risk / 2, risk]), [100.0, 730.0])
    assert np.isnan([found.auc.y[0], found.auc.low[0], found.brier.y[0]]).all()
    assert np.isfinite(found.auc.y[1])
    assert found.integrated_brier is not None
    assert found.integrated_brier.reason == "undefined at 1 of 2 times"


def test_times_out_of_order_and_risks_of_another_shape_are_refused() -> None:
    outcome, risk = survival_cohort(40, seed=5)
    with pytest.raises(Refused, match="times-range"):
        time_course(outcome, risk, [500.0, 250.0])
    with pytest.raises(Refused, match="values-shape"):
        time_course(outcome, np.column_stack([risk, risk]), TIMES)
    with pytest.raises(Refused, match="risk-range"):
        time_course(outcome, 2 * by_each(risk), TIMES)


def test_an_evaluation_has_the_main_model_s_scores_and_the_others_ranking_by_the_same_days() -> None:
    outcome, risk = survival_cohort(150, seed=6)
    models = {"all": out_of_fold(risk), "other": out_of_fold(risk[::-1].copy())}
    given = evaluate(outcome, models, titles={}, resamples=200, seed=1, over_time=(list(TIMES), by_each(risk)))
    main, other = (model.over_time for model in given.models)
    assert main is not None
    assert other is not None
    assert main.brier.x == other.auc.x == tuple(TIMES)
    assert other.brier.x == ()
    alone = evaluate(outcome, models, titles={}, resamples=200, seed=1).models[0].over_time
    assert alone is not None
    assert alone.auc.x == pytest.approx(730 * np.arange(1, 9) / 8)
    folds = {"all": out_of_fold(risk, folds=3)}
    assert evaluate(outcome, folds, titles={}, resamples=200, seed=1).models[0].over_time is None
