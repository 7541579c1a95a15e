"""Flexible calibration curves: loess and spline, and the distances from the diagonal."""

from typing import Any

import numpy as np
import pytest

from prognoscope.core.outcome import Binary
from prognoscope.core.problems import Refused
from prognoscope.validation import calibration_curve, calibration_errors
from prognoscope.validation.flexible import loess_smoother
from tests.make.validation import binary_cohort, survival_cohort


def test_loess_reproduces_a_parabola_exactly() -> None:
    x = np.sort(np.random.default_rng(1).uniform(size=60))
    rows = loess_smoother(x, np.array([0.2, 0.5, 0.9]), np.ones(60))
    np.testing.assert_allclose(rows @ (1 + x - 2 * x**2), 1 + np.array([0.2, 0.5, 0.9]) * (1 - 2 * np.array([0.2, 0.5, 0.9])), atol=1e-8)  # fmt: skip # noqa: E501


def test_loess_is_a_weighted_fit_of_the_nearest_three_quarters() -> None:
    x = np.sort(np.random.default_rng(2).uniform(size=40))
    y = np.random.default_rng(3).normal(size=40)
    at = 0.4
    near = np.sort(np.abs(x - at))[29]
    weight = np.clip(1 - (np.abs(x - at) / near) ** 3, 0, None) ** 3
    expected = np.polyval(np.polyfit(x - at, y, 2, w=np.sqrt(weight)), 0.0)
    assert (loess_smoother(x, np.array([at]), np.ones(40)) @ y)[0] == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("smoother", ["loess", "spline"])
def test_true_risks_lie_near_the_diagonal_and_within_the_band(smoother: Any) -> None:
    event, risk = binary_cohort(4000, seed=4)
    curve = calibration_curve(Binary(event), risk, smoother=smoother, at=np.linspace(0.1, 0.7, 13))
    assert np.abs(np.subtract(curve.y, curve.x)).max() < 0.06
    inside = (np.array(curve.low) <= curve.x) & (np.array(curve.high) >= curve.x)
    assert inside.mean() > 0.7


@pytest.mark.parametrize("smoother", ["loess", "spline"])
def test_halved_risks_are_seen_as_twice_too_low(smoother: Any) -> None:
    event, risk = binary_cohort(4000, seed=5)
    errors = calibration_errors(Binary(event), risk / 2, smoother=smoother)
    assert errors.ici == pytest.approx(float((risk / 2).mean()), abs=0.02)
    assert errors.e50 <= errors.e90 <= errors.emax


@pytest.mark.parametrize("smoother", ["loess", "spline"])
def test_censored_true_risks_lie_near_the_diagonal(smoother: Any) -> None:
    outcome, risk = survival_cohort(4000, seed=6)
    assert calibration_errors(outcome, risk, smoother=smoother).ici < 0.03


def test_many_patients_are_smoothed_at_quantiles_with_the_same_result() -> None:
    event, risk = binary_cohort(2500, seed=7)
    binned = calibration_curve(Binary(event), risk, at=np.linspace(0.1, 0.8, 8))
    rows = loess_smoother(risk, np.linspace(0.1, 0.8, 8), np.ones(2500))
    np.testing.assert_allclose(binned.y, rows @ event, atol=2e-3)


def test_few_different_risks_have_no_curve() -> None:
    errors = calibration_errors(Binary(np.arange(20) % 2 == 0), np.where(np.arange(20) < 10, 0.2, 0.6))
    assert np.isnan(errors.ici)
    assert "fewer than five" in errors.reason


def test_a_certain_risk_has_no_spline() -> None:
    event, risk = binary_cohort(100, seed=8)
    risk[0] = 1.0
    assert "exactly 0 or 1" in calibration_errors(Binary(event), risk, smoother="spline").reason


def test_an_unknown_smoother_is_refused() -> None:
    event, risk = binary_cohort(50, seed=9)
    with pytest.raises(Refused, match="smoother-unknown"):
        calibration_curve(Binary(event), risk, smoother="kernel")  # type: ignore[arg-type]
