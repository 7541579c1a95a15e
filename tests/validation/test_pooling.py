"""Figures of several sites together."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit, logit

from prognoscope.validation.pooling import pooled_figures, random_effects
from prognoscope.validation.results import Metric

# Colditz et al. 1994, JAMA 271:698: tuberculosis with and without BCG in 13 trials, as `dat.bcg` of R's metafor.
TRIALS = np.array(
    [
        [4, 119, 11, 128], [6, 300, 29, 274], [3, 228, 11, 209], [62, 13536, 248, 12619], [33, 5036, 47, 5761],
        [180, 1361, 372, 1079], [8, 2537, 10, 619], [505, 87886, 499, 87892], [29, 7470, 45, 7232],
        [17, 1699, 65, 1600], [186, 50448, 141, 27197], [5, 2493, 3, 2338], [27, 16886, 29, 17825],
    ]
)  # fmt: skip


def metric(estimate: float, low: float, high: float) -> Metric:
    return Metric(estimate, low, high, 100, 30)


def test_mean_and_heterogeneity_are_those_that_metafor_publishes() -> None:
    """`rma(yi, vi, data = dat)` (Viechtbauer 2010, J Stat Softw 36:3); the error is Hartung and Knapp's formula."""
    treated, free, control, control_free = TRIALS.T
    log_ratio = np.log(treated / (treated + free)) - np.log(control / (control + control_free))
    variance = 1 / treated - 1 / (treated + free) + 1 / control - 1 / (control + control_free)
    mean, error, between = random_effects(log_ratio, np.sqrt(variance))
    assert mean == pytest.approx(-0.7145, abs=5e-5)
    assert between**2 == pytest.approx(0.3132, abs=5e-5)
    weight = 1 / (variance + between**2)
    spread = np.sum(weight * (log_ratio - mean) ** 2) / (len(TRIALS) - 1)
    assert error == pytest.approx(np.sqrt(spread / weight.sum()), rel=1e-9)


def test_sites_that_agree_have_no_spread_between_them() -> None:
    mean, _, between = random_effects([0.5, 0.5, 0.5], [0.1, 0.2, 0.1])
    assert mean == pytest.approx(0.5)
    assert between == 0.0


def test_a_new_site_is_less_certain_than_the_mean_of_sites() -> None:
    found = pooled_figures([{"auc": metric(value, value - 0.05, value + 0.05)} for value in (0.6, 0.7, 0.8, 0.85)])[
        "auc"
    ]
    assert 0 < found.new_low < found.low < found.estimate < found.high < found.new_high < 1
    assert found.sites == 4


def test_concordance_is_pooled_as_its_logit() -> None:
    sites = [{"auc": metric(float(expit(m)), float(expit(m - 0.4)), float(expit(m + 0.4)))} for m in (0.2, 0.8, 1.4)]
    found = pooled_figures(sites)["auc"]
    assert logit(found.estimate) == pytest.approx(0.8, abs=1e-6)


def test_two_sites_cannot_tell_of_a_third() -> None:
    nothing = Metric(math.nan, math.nan, math.nan, 10, 0, "one class")
    found = pooled_figures([{"auc": metric(0.7, 0.6, 0.8)}, {"auc": metric(0.8, 0.7, 0.9)}, {"auc": nothing}, {}])[
        "auc"
    ]
    assert math.isnan(found.estimate)
    assert math.isnan(found.new_high)
    assert found.reason == "fewer than 3 sites have it with an interval"


def test_a_perfect_site_has_no_logit_and_is_left_out() -> None:
    sites = [{"auc": metric(1.0, 0.9, 1.0)}, *({"auc": metric(value, 0.5, 0.9)} for value in (0.7, 0.75, 0.8))]
    assert pooled_figures(sites)["auc"].sites == 3
