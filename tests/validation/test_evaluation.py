"""The evaluation of a study, as its report and `evaluation.json` will hold it."""

from typing import Any

import numpy as np
import pytest

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.problems import Refused
from prognoscope.validation import (
    auc,
    brier,
    calibration_slope,
    delong_interval,
    delong_test,
    evaluate,
    net_benefit,
    too_few,
)
from tests.make.validation import binary_cohort, out_of_fold, survival_cohort


def _evaluate(outcome: Any, models: Any, *, resamples: int = 300, **more: Any) -> Any:
    return evaluate(outcome, models, titles={"all": "All predictors"}, resamples=resamples, seed=1, **more)


@pytest.fixture(scope="module")
def binary() -> Any:
    event, risk = binary_cohort(120, seed=1)
    main = out_of_fold(risk, repeats=3, folds=5)
    flat = out_of_fold(np.full(120, 0.3), repeats=3, folds=5, seed=1)
    return event, main, _evaluate(Binary(event), {"all": main, "clinical": flat})


@pytest.fixture(scope="module")
def survival() -> Any:
    outcome, risk = survival_cohort(120, seed=2)
    main = out_of_fold(risk.clip(1e-6, 1 - 1e-6), repeats=2, folds=4)
    return outcome, main, _evaluate(outcome, {"all": main})


def test_each_figure_is_the_mean_over_repeats_of_the_plain_function(binary: Any) -> None:
    event, main, evaluation = binary
    metrics = evaluation.model("all").metrics
    each = list(zip(main.risk, main.fold, strict=True))
    assert metrics["auc"].estimate == pytest.approx(np.mean([auc(event, r, fold=f) for r, f in each]), abs=1e-12)
    assert metrics["brier"].estimate == pytest.approx(np.mean([brier(event, r) for r, _ in each]), abs=1e-12)
    assert metrics["calibration_slope"].estimate == pytest.approx(
        np.mean([calibration_slope(event, r) for r, _ in each]), abs=1e-9
    )


def test_a_binary_outcome_has_these_figures(binary: Any) -> None:
    assert list(binary[2].model("all").metrics) == [
        "auc", "average_precision", "brier", "scaled_brier", "log_score",
        "calibration_intercept", "calibration_slope", "observed_expected",
        "ici", "e50", "e90", "emax",
    ]  # fmt: skip


def test_a_time_to_event_has_these_figures(survival: Any) -> None:
    assert list(survival[2].model("all").metrics) == [
        "c_index", "uno_c", "auc_at_horizon", "brier", "scaled_brier", "log_score",
        "calibration_intercept", "calibration_slope", "observed_expected",
        "ici", "e50", "e90", "emax",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_every_estimate_lies_in_its_interval(kind: str, request: pytest.FixtureRequest) -> None:
    evaluation = request.getfixturevalue(kind)[2]
    for name, metric in evaluation.models[0].metrics.items():
        if name in ("ici", "e50", "e90", "emax"):
            assert 0 <= metric.low <= metric.estimate <= metric.high < 1
        else:
            assert metric.low < metric.estimate < metric.high, name
        assert metric.reason == ""
        assert metric.n == 120


def test_the_numbers_of_the_cohort_are_stated(survival: Any) -> None:
    outcome, _, evaluation = survival
    assert evaluation.n == 120
    assert evaluation.events == outcome.events_by_horizon
    assert evaluation.horizon_days == 730.0
    assert evaluation.censored_before_horizon == outcome.censored_before_horizon
    assert "conditional on the fitted models" in evaluation.interval
    assert evaluation.counts["resamples"] == 300


def test_differences_are_main_less_other_and_narrower_than_unpaired_ones(binary: Any) -> None:
    evaluation = binary[2]
    (comparison,) = evaluation.comparisons
    assert (comparison.model, comparison.reference) == ("all", "clinical")
    first, second = (evaluation.model(name).metrics["brier"] for name in ("all", "clinical"))
    difference = comparison.differences["brier"]
    assert difference.estimate == pytest.approx(first.estimate - second.estimate, abs=1e-12)
    assert difference.high - difference.low < (first.high - first.low) + (second.high - second.low)


def test_a_model_compared_with_itself_differs_by_exactly_nothing() -> None:
    event, risk = binary_cohort(60, seed=3)
    model = out_of_fold(risk, repeats=2, folds=5)
    evaluation = _evaluate(Binary(event), {"a": model, "b": model})
    for metric in evaluation.comparisons[0].differences.values():
        assert (metric.estimate, metric.low, metric.high) == (0.0, 0.0, 0.0)


def test_curves_have_bands_and_groups_hold_every_patient(binary: Any) -> None:
    entry = binary[2].model("all")
    curve = entry.calibration.curve
    assert len(curve.x) == len(curve.y) == len(curve.low) == len(curve.high) > 0
    assert sum(group.n for group in entry.calibration.groups) == 120
    assert all(group.low <= group.observed <= group.high for group in entry.calibration.groups)
    assert len(entry.decision.model.x) == len(entry.decision.treat_all) == 99
    assert entry.roc is not None
    assert entry.risk_groups == ()


def test_risk_groups_of_a_time_to_event_are_ordered_and_complete(survival: Any) -> None:
    _, _, evaluation = survival
    groups = evaluation.models[0].risk_groups
    assert [group.name for group in groups] == ["low risk", "middle risk", "high risk"]
    assert sum(group.n for group in groups) == 120
    assert groups[0].survival.y[-1] > groups[-1].survival.y[-1]
    assert all(group.at_risk[0] == (0.0, group.n) for group in groups)
    assert evaluation.models[0].roc is None


def test_the_same_seed_gives_the_same_evaluation_and_another_a_different_interval() -> None:
    event, risk = binary_cohort(50, seed=4)
    models = {"all": out_of_fold(risk, folds=5)}
    assert repr(_evaluate(Binary(event), models)) == repr(_evaluate(Binary(event), models))
    other = evaluate(Binary(event), models, titles={}, resamples=300, seed=2)
    assert other.models[0].metrics["auc"].low != _evaluate(Binary(event), models).models[0].metrics["auc"].low


@pytest.mark.parametrize("every", [True, False])
def test_one_class_gives_reasons_not_numbers(every: bool) -> None:
    outcome = Binary(np.full(20, every))
    metrics = _evaluate(outcome, {"all": out_of_fold(np.linspace(0.1, 0.9, 20), folds=2)}).models[0].metrics
    for name in ("auc", "scaled_brier", "calibration_intercept", "calibration_slope"):
        assert np.isnan(metrics[name].estimate)
        assert "patient had the event" in metrics[name].reason
    assert np.isfinite(metrics["brier"].estimate)


def test_all_lost_before_the_horizon_gives_reasons_not_numbers() -> None:
    outcome = TimeToEvent(np.arange(1.0, 21.0), np.zeros(20, dtype=bool), 730.0)
    metrics = _evaluate(outcome, {"all": out_of_fold(np.linspace(0.1, 0.9, 20), folds=2)}).models[0].metrics
    assert all(np.isnan(metric.estimate) for metric in metrics.values())
    assert all("730 days" in metric.reason for metric in metrics.values())


def test_leaving_one_out_has_no_auc_and_says_why_but_keeps_the_brier_score() -> None:
    event, risk = binary_cohort(30, seed=5)
    model = OutOfFold(risk[None], np.arange(30)[None])
    metrics = _evaluate(Binary(event), {"all": model}).models[0].metrics
    assert "no two patients of one fold" in metrics["auc"].reason
    assert np.isfinite(metrics["brier"].estimate)


def test_a_risk_of_exactly_zero_has_no_slope_and_says_why() -> None:
    event, risk = binary_cohort(60, seed=6)
    risk[7] = 0.0
    metric = _evaluate(Binary(event), {"all": OutOfFold(risk[None], np.zeros((1, 60), dtype=np.int64))})
    assert "1 of 60 risks are exactly 0 or 1" in metric.models[0].metrics["calibration_slope"].reason


@pytest.mark.parametrize(
    ("n", "events", "reason"),
    [
        (5, 1, "suppressed: fewer than 20 patients"),
        (19, 9, "suppressed: fewer than 20 patients"),
        (600, 3, "suppressed: fewer than 5 patients with or without the event"),
        (600, 597, "suppressed: fewer than 5 patients with or without the event"),
    ],
)
def test_too_few_patients_have_a_reason_in_place_of_every_figure_and_no_curve(n: int, events: int, reason: str) -> None:
    risk = np.linspace(0.1, 0.9, n)
    found = _evaluate(Binary(np.arange(n) < events), {"all": out_of_fold(risk), "other": out_of_fold(1 - risk)})
    assert {metric.reason for metric in found.models[0].metrics.values()} == {reason}
    assert all(np.isnan([metric.estimate, metric.low]).all() for metric in found.models[0].metrics.values())
    assert {one.reason for one in found.comparisons[0].differences.values()} == {reason}
    model = found.models[0]
    assert (model.roc, model.calibration.curve.x, model.decision.model.x) == (None, (), ())


def test_twenty_patients_of_whom_five_had_the_event_are_enough() -> None:
    found = _evaluate(Binary(np.arange(20) < 5), {"all": out_of_fold(np.linspace(0.2, 0.6, 20))})
    assert found.models[0].metrics["auc"].estimate == 0.0


def test_a_perfect_auc_of_given_risks_has_a_score_interval_and_says_so() -> None:
    event = np.arange(60) < 20
    risk = event * 0.5 + np.linspace(0.1, 0.3, 60)
    for analytic in (False, True):
        found = _evaluate(Binary(event), {"all": out_of_fold(risk)}, analytic=analytic).models[0].metrics["auc"]
        assert (found.estimate, found.high) == (1.0, 1.0)
        assert found.low == pytest.approx(delong_interval(event, risk).low, abs=1e-12)
        assert found.reason.startswith("score interval (Newcombe 2006)")
    folds = out_of_fold(risk, folds=3)
    assert np.isnan(_evaluate(Binary(event), {"all": folds}).models[0].metrics["auc"].low)


@pytest.mark.parametrize(("events", "given"), [(9, False), (10, True), (50, True), (51, False)])
def test_a_calibration_curve_asks_for_ten_patients_of_either_kind(events: int, given: bool) -> None:
    risk = np.random.default_rng(3).uniform(0.1, 0.9, 60)
    found = _evaluate(Binary(np.arange(60) < events), {"all": out_of_fold(risk)}).models[0]
    assert bool(found.calibration.curve.x) == given
    assert np.isfinite(found.metrics["ici"].estimate) == given
    assert ("fewer than 10 patients" in found.metrics["ici"].reason) == (not given)
    assert np.isfinite(found.metrics["calibration_slope"].estimate)


def test_those_lost_before_the_horizon_are_not_counted_as_without_the_event() -> None:
    time = np.concatenate([np.full(40, 100.0), np.full(16, 200.0), np.full(4, 900.0)])
    outcome = TimeToEvent(time, np.arange(60) < 40, 730.0)
    reason = too_few(outcome)
    assert reason == "suppressed: fewer than 5 patients with or without the event"
    assert too_few(TimeToEvent(np.where(time == 200.0, 800.0, time), np.arange(60) < 40, 730.0)) == ""


def test_every_patient_stands_once_in_the_histogram_of_risks_by_what_happened() -> None:
    outcome, risk = survival_cohort(150, seed=4)
    found = _evaluate(outcome, {"all": out_of_fold(risk)}).models[0].calibration.histogram
    known = outcome.event & (outcome.time_days <= 730)
    lost = ~known & (outcome.time_days < 730)
    assert [sum(part) for part in (found.with_event, found.without_event, found.unknown)] == [
        known.sum(),
        150 - known.sum() - lost.sum(),
        lost.sum(),
    ]
    assert found.with_event == tuple(np.histogram(risk[known], bins=100, range=(0, 1))[0].tolist())


def test_two_given_models_are_compared_by_delong_and_by_net_benefit() -> None:
    event, risk = binary_cohort(200, seed=5)
    other = risk.clip(0.2, 0.6)
    models = {"all": out_of_fold(risk), "other": out_of_fold(other)}
    found = _evaluate(Binary(event), models, thresholds=(0.1, 0.3, 0.5))
    one = found.comparisons[0]
    assert one.delong == delong_test(event, risk, other)
    apart = [net_benefit(event, values, thresholds=(0.1, 0.3, 0.5)) for values in (risk, other)]
    assert one.net_benefit.y == pytest.approx(apart[0] - apart[1], abs=1e-12)
    assert all(low <= y <= high for low, y, high in zip(*_band(one.net_benefit), strict=True))
    analytic = _evaluate(Binary(event), models, thresholds=(0.1, 0.3, 0.5), analytic=True).comparisons[0]
    assert analytic.net_benefit.y == pytest.approx(one.net_benefit.y, abs=1e-12)


def _band(curve: Any) -> tuple[Any, Any, Any]:
    return curve.low, curve.y, curve.high


@pytest.mark.parametrize("prevalence", [None, 0.1])
def test_analytic_bands_of_a_difference_and_of_treating_all_are_those_of_the_bootstrap(prevalence: Any) -> None:
    event, risk = binary_cohort(3000, seed=6)
    models = {"all": out_of_fold(risk), "other": out_of_fold(np.random.default_rng(6).permutation(risk))}
    points = (0.1, 0.2, 0.3)
    both = [
        _evaluate(Binary(event), models, thresholds=points, resamples=600, analytic=analytic, prevalence=prevalence)
        for analytic in (False, True)
    ]
    widths = [np.subtract(one.comparisons[0].net_benefit.high, one.comparisons[0].net_benefit.low) for one in both]
    assert widths[1] == pytest.approx(widths[0], rel=0.12)
    decisions = [one.models[0].decision for one in both]
    widths = [np.subtract(one.treat_all_high, one.treat_all_low) for one in decisions]
    assert widths[1] == pytest.approx(widths[0], rel=0.12, abs=1e-12)
    assert (widths[1] > 0).all() == (prevalence is None)


def test_several_fitted_models_have_no_test_of_one_ranking(binary: Any) -> None:
    assert binary[2].comparisons[0].delong is None
    assert len(binary[2].comparisons[0].net_benefit.low) == 99


def test_risks_of_another_cohort_are_refused() -> None:
    event, risk = binary_cohort(30, seed=7)
    with pytest.raises(Refused, match="values-shape"):
        _evaluate(Binary(event), {"all": out_of_fold(risk[:20])})
    with pytest.raises(Refused, match="no-model"):
        _evaluate(Binary(event), {})


def test_a_horizon_beyond_the_last_event_has_one_class_and_says_so() -> None:
    outcome, risk = survival_cohort(60, seed=9)
    last = outcome.time_days.argmax()
    outcome = TimeToEvent(outcome.time_days, outcome.event | (np.arange(60) == last), 99_999.0)
    metrics = _evaluate(outcome, {"all": out_of_fold(risk, repeats=1, folds=1)}).models[0].metrics
    for name in ("scaled_brier", "auc_at_horizon", "calibration_slope", "ici"):
        assert np.isnan(metrics[name].estimate), name
        assert metrics[name].reason == "nobody without the event was followed to the horizon", name
    assert np.isfinite(metrics["c_index"].estimate)


@pytest.mark.parametrize("analytic", [False, True])
def test_risks_of_exactly_0_and_1_leave_the_curve_and_give_reasons_without_a_warning(analytic: bool) -> None:
    event, risk = binary_cohort(200, seed=10)
    risk[:2] = 0.0, 1.0
    given = OutOfFold(risk[None], np.zeros((1, 200), dtype=np.int64))
    model = _evaluate(Binary(event), {"all": given}, analytic=analytic).models[0]
    assert "exactly 0 or 1" in model.metrics["ici"].reason
    assert np.isnan(model.metrics["ici"].estimate)
    assert np.isfinite(model.calibration.curve.y).all()
    assert np.isfinite(model.calibration.loess.y).all()
