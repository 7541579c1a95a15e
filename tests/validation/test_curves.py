"""Curves of an evaluation: smoothed decision curves, interventions avoided, case-control studies, errors."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from prognoscope.core.outcome import Binary
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.problems import Refused
from prognoscope.validation import (
    THRESHOLDS,
    ModelEvaluation,
    evaluate,
    flexible,
    net_benefit,
    net_benefit_at_horizon,
    net_interventions_avoided,
    resample_counts,
    treat_all,
)
from prognoscope.validation.calibration import fit_curves
from prognoscope.validation.calibration_errors import departure, error_interval, error_rows
from prognoscope.validation.curves import _smoothed, threshold_smoother
from prognoscope.validation.decision import net_benefit_rows
from prognoscope.validation.flexible import spline_information
from tests.make.validation import binary_cohort, survival_cohort

AT = np.array(THRESHOLDS)


def evaluated(
    n: int = 300, *, seed: int = 1, **options: object
) -> tuple[NDArray[np.bool_], NDArray[np.float64], ModelEvaluation]:
    event, risk = binary_cohort(n, seed=seed)
    models = {"model": OutOfFold(risk[None], np.zeros((1, n), dtype=np.int64))}
    chosen = {"titles": {}, "resamples": 300, "seed": 1} | options
    return event, risk, evaluate(Binary(event), models, **chosen).models[0]  # type: ignore[arg-type]


def test_smoothing_leaves_a_parabola_as_it_is() -> None:
    smoother = threshold_smoother(AT)
    assert smoother is not None
    np.testing.assert_allclose(smoother @ (0.3 - AT + 2 * AT**2), 0.3 - AT + 2 * AT**2, atol=1e-9)


def test_what_is_unknown_at_one_threshold_is_unknown_around_it_and_nowhere_else() -> None:
    values = np.tile(0.3 - AT, (2, 1))
    values[1, 50] = np.nan
    smoother = threshold_smoother(AT)
    assert smoother is not None
    found = _smoothed(values, smoother)
    np.testing.assert_allclose(found[0], 0.3 - AT, atol=1e-9)
    assert np.isnan(found[1, 45:56]).all()
    np.testing.assert_allclose(found[1, :35], found[0, :35])


def test_the_smoothed_curve_follows_the_steps_and_its_band_holds_it() -> None:
    _, _, model = evaluated()
    raw, smooth = model.decision.model, model.decision.smoothed
    assert smooth.x == raw.x
    low = np.array(raw.x) < 0.6
    assert np.abs(np.subtract(smooth.y, raw.y))[low].max() < 0.02
    assert np.abs(np.diff(smooth.y, 2))[low[2:]].mean() < np.abs(np.diff(raw.y, 2))[low[2:]].mean() / 3
    inside = np.array(smooth.low) <= smooth.y
    assert (inside & (np.array(smooth.high) >= smooth.y))[low].all()


def test_few_thresholds_are_not_smoothed() -> None:
    _, _, model = evaluated(thresholds=[0.1, 0.2, 0.3])
    assert model.decision.smoothed.x == ()


@pytest.mark.parametrize("analytic", [False, True])
def test_interventions_avoided_are_the_gain_over_treating_all_at_the_threshold_s_odds(analytic: bool) -> None:
    event, risk, model = evaluated(analytic=analytic)
    gain, everyone = net_benefit(event, risk), treat_all(Binary(event))
    expected = net_interventions_avoided(gain, everyone, AT)
    np.testing.assert_allclose(model.decision.avoided.y, expected, atol=1e-9)
    assert (np.array(model.decision.avoided.low) <= expected).all()
    assert (np.array(model.decision.avoided.high) >= expected).all()


def test_bands_for_many_patients_are_about_as_wide_as_the_bootstrap_s() -> None:
    widths = []
    for analytic in (False, True):
        _, _, model = evaluated(3000, analytic=analytic, prevalence=0.1)
        curves = (model.decision.model, model.decision.avoided, model.calibration.curve)
        widths.append([np.subtract(one.high, one.low)[10:30].mean() for one in curves])
    assert widths[1] == pytest.approx(widths[0], rel=0.15)


@pytest.mark.parametrize("prevalence", [0.02, 0.5])
def test_in_a_case_control_study_cases_and_controls_weigh_as_in_the_population(prevalence: float) -> None:
    event, risk, model = evaluated(prevalence=prevalence)
    weight = np.where(event, prevalence / event.mean(), (1 - prevalence) / (1 - event.mean()))
    treated = risk[:, None] >= AT
    each = weight[:, None] * treated * np.where(event[:, None], 1.0, -AT / (1 - AT))
    np.testing.assert_allclose(model.decision.model.y, each.mean(axis=0), atol=1e-12)
    expected = prevalence - (1 - prevalence) * AT / (1 - AT)
    np.testing.assert_allclose(model.decision.treat_all, expected, atol=1e-12)
    assert model.decision.prevalence == prevalence


def test_at_the_study_s_own_proportion_nothing_changes_also_with_censoring() -> None:
    outcome, risk = survival_cohort(200, seed=2)
    rate = float(treat_all(outcome, thresholds=[0.5])[0] / 2 + 0.5)  # at odds of 1 it is rate - (1 - rate)
    own = net_benefit_at_horizon(outcome, risk, prevalence=rate)
    np.testing.assert_allclose(own, net_benefit_at_horizon(outcome, risk), atol=1e-12)
    rarer = net_benefit_at_horizon(outcome, risk, prevalence=rate / 2, thresholds=[0.2])
    assert rarer[0] < net_benefit_at_horizon(outcome, risk, thresholds=[0.2])[0]


def test_every_resample_of_a_case_control_study_has_the_same_prevalence() -> None:
    event, risk = binary_cohort(100, seed=3)
    counts = resample_counts(100, resamples=5, seed=1)
    found = net_benefit_rows(Binary(event), risk, AT, counts, prevalence=0.1)
    for row, drawn in enumerate(counts):
        rows = np.repeat(np.arange(100), drawn)
        np.testing.assert_allclose(found[row], net_benefit(event[rows], risk[rows], prevalence=0.1), atol=1e-12)


def test_net_benefit_at_a_prevalence_is_unknown_without_cases() -> None:
    assert np.isnan(net_benefit(np.zeros(5), np.linspace(0.1, 0.9, 5), prevalence=0.1)).all()


@pytest.mark.parametrize("prevalence", [0.0, 1.0, float("nan"), 3.0])
def test_a_prevalence_that_is_no_proportion_is_refused(prevalence: float) -> None:
    with pytest.raises(Refused, match="prevalence-range"):
        evaluated(prevalence=prevalence)


def test_calibration_errors_under_counts_are_those_of_the_repeated_patients() -> None:
    event, risk = binary_cohort(80, seed=4)
    counts = resample_counts(80, resamples=6, seed=2)
    fit = fit_curves(event, risk, counts.astype(float))
    assert fit is not None
    found = error_rows(fit, risk, counts)
    for row, drawn in enumerate(counts):
        distance = np.repeat(np.abs(fit.at(risk)[row] - risk), drawn)
        expected = [distance.mean(), np.median(distance), np.quantile(distance, 0.9), distance.max()]
        np.testing.assert_allclose(found[row], expected, atol=1e-12)


def test_the_interval_of_an_error_takes_off_what_resampling_adds() -> None:
    replicates = np.linspace(0.04, 0.12, 401)  # 2.5 and 97.5 percentiles 0.042 and 0.118
    assert error_interval(0.08, replicates, departs=True)[:2] == pytest.approx((0.042, 0.118))
    assert error_interval(0.08, replicates, departs=False)[:2] == pytest.approx((0.0, 0.118))
    assert error_interval(0.05, replicates, departs=True)[:2] == pytest.approx((0.0, 0.058))
    assert error_interval(0.03, replicates, departs=True) == (0.0, 0.03, "")
    assert "at least 200" in error_interval(0.05, replicates[:100], departs=True)[2]


def test_departure_from_the_diagonal_is_a_wald_test_of_the_spline() -> None:
    # Among calibrated cohorts its p values are uniform; halved risks are seen in every one.
    p = []
    for seed in range(200):
        event, risk = binary_cohort(400, seed=seed)
        fit = fit_curves(event, risk, np.ones((1, 400)))
        assert fit is not None
        p.append(departure([fit], [spline_information(fit, risk, np.ones(400))]))
        wrong = fit_curves(event, risk / 2, np.ones((1, 400)))
        assert wrong is not None
        assert departure([wrong], [spline_information(wrong, risk / 2, np.ones(400))]) < 1e-4
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.06)
    assert np.mean(p) == pytest.approx(0.5, abs=0.06)


def test_groups_of_many_patients_give_the_loess_curve_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    event, risk = binary_cohort(20_000, seed=5)
    at = np.linspace(0.05, 0.7, 14)
    whole = flexible.calibration_curve(Binary(event), risk, at=at)
    monkeypatch.setattr(flexible, "RESAMPLED_UP_TO", 10_000)
    grouped = flexible.calibration_curve(Binary(event), risk, at=at)
    np.testing.assert_allclose(grouped.y, whole.y, atol=1e-3)
    np.testing.assert_allclose(np.subtract(grouped.high, grouped.low), np.subtract(whole.high, whole.low), rtol=0.02)


@pytest.mark.parametrize("prevalence", [None, 0.1])
def test_a_survival_decision_curve_has_bands_smoothing_and_avoided_interventions_at_any_prevalence(
    prevalence: float | None,
) -> None:
    outcome, risk = survival_cohort(300, seed=21)
    model = OutOfFold(risk.clip(1e-6, 1 - 1e-6)[None], np.zeros((1, 300), dtype=np.int64))
    found = evaluate(outcome, {"m": model}, titles={}, resamples=300, seed=1, prevalence=prevalence).models[0].decision
    expected = net_benefit_at_horizon(outcome, model.risk[0], prevalence=prevalence)
    np.testing.assert_allclose(found.model.y, expected)
    known = np.isfinite(found.model.low)
    assert known[:50].all()
    assert (np.array(found.model.low)[known] <= expected[known] + 1e-12).all()
    assert (np.array(found.model.high)[known] >= expected[known] - 1e-12).all()
    assert np.nanmax(np.abs(np.array(found.smoothed.y) - expected)) < 0.03
    at = 19  # threshold 0.20
    gained = (expected[at] - treat_all(outcome, prevalence=prevalence)[at]) / (0.2 / 0.8)
    assert found.avoided.y[at] == pytest.approx(gained)
    assert found.avoided.low[at] < gained < found.avoided.high[at]
