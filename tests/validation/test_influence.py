"""Influences against the derivative that they are, and intervals of large cohorts."""

from typing import Any

import numpy as np
import pytest

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.validation import delong_interval, evaluate
from prognoscope.validation.decision import net_benefit
from prognoscope.validation.decision_bands import decision_reach
from prognoscope.validation.discrimination import auc_rows
from prognoscope.validation.influence import INFLUENCES, half_width
from prognoscope.validation.metrics import METRICS, Sample
from tests.make.validation import binary_cohort, survival_cohort

STEP = 1e-5


@pytest.mark.parametrize("name", sorted(set(INFLUENCES) - {"auc_at_horizon"}))
def test_the_influence_is_how_much_a_little_more_of_a_patient_moves_the_figure(name: Any) -> None:
    event, risk = binary_cohort(60, seed=1, ties=True)
    kind = next(metric for metric in METRICS if metric.name == name)

    def value(weights: Any) -> Any:
        rows = weights[None]
        return kind.rows(Sample(Binary(event), event, rows, rows), risk, np.zeros(60, dtype=np.int64))[0]

    ones = np.ones(60)
    # A little more of patient i, a little less of all: the derivative along (e_i - 1/n).
    derivative = [60 * (value(ones + STEP * (np.eye(60)[i] - 1 / 60)) - value(ones)) / STEP for i in (0, 7, 23, 59)]
    found = INFLUENCES[name](event, risk, ones)
    assert found.sum() == pytest.approx(0, abs=1e-6)
    np.testing.assert_allclose(found[[0, 7, 23, 59]], derivative, rtol=2e-3, atol=2e-3)


def test_the_interval_of_the_auc_is_delongs() -> None:
    event, risk = binary_cohort(3000, seed=2)
    found = half_width(INFLUENCES["auc"](event, risk, np.ones(3000)))
    interval = delong_interval(event, risk)
    assert found == pytest.approx((interval.high - interval.low) / 2, rel=2e-3)


def test_net_benefit_is_a_mean_of_patients() -> None:
    event, risk = binary_cohort(500, seed=3)
    each = np.where(risk >= 0.3, np.where(event, 1, -0.3 / 0.7), 0)
    assert each.mean() == pytest.approx(net_benefit(event, risk, thresholds=[0.3])[0])
    (reach,), (apart,) = decision_reach(event, risk[None], np.ones(500), np.array([0.3]))
    assert reach == pytest.approx(1.959964 * each.std(ddof=1) / np.sqrt(500), rel=1e-6)
    gained = each - np.where(event, 1, -0.3 / 0.7)
    assert apart == pytest.approx(1.959964 * gained.std(ddof=1) / np.sqrt(500), rel=1e-6)


@pytest.mark.parametrize("prevalence", [None, 0.05])
def test_bands_of_net_benefit_are_as_wide_as_the_derivative_by_patients_says(prevalence: float | None) -> None:
    """With two repeats, censoring weights and the clinic's proportion: each patient's influence by differences."""
    event, risk = binary_cohort(80, seed=6)
    two = np.stack([risk, np.clip(risk + np.random.default_rng(1).normal(scale=0.1, size=80), 0.01, 0.99)])
    weights = np.random.default_rng(2).uniform(0.5, 2, size=80)
    at = np.array([0.2, 0.5])
    odds = at / (1 - at)

    def value(more: Any, *, everyone: bool = False) -> Any:
        w = weights * more
        total = more.sum() if prevalence is None else None
        found = []
        for row in two:
            acted = np.ones((2, 80)) if everyone else row >= at[:, None]
            right, vain = acted @ (w * event), acted @ (w * ~event)
            if total is None:
                assert prevalence is not None
                right, vain = prevalence * right / (w @ event), (1 - prevalence) * vain / (w @ ~event)
            else:
                right, vain = right / total, vain / total
            found.append(right - odds * vain)
        return np.mean(found, axis=0)

    def width(figure: Any) -> Any:
        ones = np.ones(80)
        moved = [80 * (figure(ones + STEP * (np.eye(80)[i] - 1 / 80)) - figure(ones)) / STEP for i in range(80)]
        return 1.959964 * np.std(moved, axis=0, ddof=1) / np.sqrt(80)

    reach, apart = decision_reach(event, two, weights, at, prevalence=prevalence)
    np.testing.assert_allclose(reach, width(value), rtol=1e-3)
    np.testing.assert_allclose(apart, width(lambda more: value(more) - value(more, everyone=True)), rtol=1e-3)


def test_weighted_auc_influences_average_to_nothing() -> None:
    outcome, risk = survival_cohort(200, seed=4)
    from prognoscope.validation import known_event, status_weights
    from prognoscope.validation.resampling import once

    weights = status_weights(outcome, once(200))[0]
    assert INFLUENCES["auc_at_horizon"](known_event(outcome), risk, weights).mean() == pytest.approx(0, abs=1e-9)
    assert auc_rows(known_event(outcome), risk, np.zeros(200, dtype=np.int64), weights[None])[0] > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_many_patients_get_analytic_intervals_near_the_bootstrap_s(kind: str) -> None:
    outcome: Binary | TimeToEvent
    if kind == "binary":
        event, risk = binary_cohort(6000, seed=5)
        outcome = Binary(event)
    else:
        outcome, risk = survival_cohort(6000, seed=5)
    models = {"model": OutOfFold(risk.clip(1e-6, 1 - 1e-6)[None], np.zeros((1, 6000), dtype=np.int64))}
    resampled = evaluate(outcome, models, titles={}, resamples=1000, seed=1, thresholds=[0.2])
    analytic = evaluate(outcome, models, titles={}, resamples=1000, seed=1, thresholds=[0.2], analytic=True)
    assert "analytic" in analytic.interval
    assert analytic.counts["resamples"] == 0
    for name, metric in resampled.models[0].metrics.items():
        other = analytic.models[0].metrics[name]
        assert other.estimate == pytest.approx(metric.estimate, abs=1e-12), name
        if np.isfinite(metric.low):
            assert other.high - other.low == pytest.approx(metric.high - metric.low, rel=0.2), name
