"""Resamples as counts, and the intervals made from them."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import bootstrap

from prognoscope.validation import bca_interval, jackknife_counts, percentile_interval, resample_counts


def test_each_resample_has_as_many_patients_as_the_cohort() -> None:
    counts = resample_counts(37, resamples=50, seed=1)
    assert counts.shape == (50, 37)
    assert (counts.sum(axis=1) == 37).all()
    assert counts.var() > 0.5


def test_a_patient_is_left_out_of_about_37_percent() -> None:
    counts = resample_counts(200, resamples=500, seed=2)
    assert (counts == 0).mean() == pytest.approx((1 - 1 / 200) ** 200, abs=0.005)


def test_the_jackknife_leaves_out_each_patient_once() -> None:
    counts = jackknife_counts(30, seed=1)
    assert counts.shape == (30, 30)
    assert (counts.sum(axis=1) == 29).all()
    assert (counts.sum(axis=0) == 29).all()
    assert jackknife_counts(1200, seed=1).shape == (500, 1200)


def test_the_bca_interval_of_a_mean_is_scipys() -> None:
    values = np.random.default_rng(3).exponential(size=40)
    counts = resample_counts(40, resamples=20_000, seed=1)
    low, high, reason = bca_interval(values.mean(), counts @ values / 40, jackknife_counts(40, seed=1) @ values / 39)
    expected = bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=1).confidence_interval
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert reason == ""


def test_symmetric_replicates_need_no_correction() -> None:
    replicates = np.linspace(-1, 1, 2001)
    assert bca_interval(0.0, replicates, np.array([-1.0, 1.0]))[:2] == pytest.approx((-0.95, 0.95), abs=1e-6)


def test_a_figure_that_never_varies_has_no_interval() -> None:
    low, high, reason = bca_interval(1.0, np.ones(500), np.ones(30))
    assert np.isnan([low, high]).all()
    assert "same value in every resample" in reason


@pytest.mark.parametrize(("undefined", "given"), [(50, True), (51, False)])
def test_up_to_one_in_twenty_undefined_resamples_are_left_out(undefined: Any, given: Any) -> None:
    replicates = np.concatenate([np.linspace(0, 1, 1000 - undefined), np.full(undefined, np.nan)])
    low, _, reason = percentile_interval(replicates)
    assert np.isfinite(low) == given
    assert ("undefined in 51 of 1000" in reason) != given


def test_too_few_resamples_give_no_interval() -> None:
    assert "at least 200" in percentile_interval(np.arange(100.0))[2]
