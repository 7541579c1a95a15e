"""Figures over time and along a ranking, beside scikit-survival and scikit-learn."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from prognoscope.core.problems import Refused
from prognoscope.validation import (
    auc_over_time,
    average_precision,
    brier_over_time,
    integrated_brier,
    precision_recall,
    resample_counts,
)
from prognoscope.validation.precision_recall import average_precision_rows
from tests.make.validation import binary_cohort, survival_cohort

TIMES = np.array([200.0, 400.0, 730.0, 1200.0])


def risk_by_time(risk: Any) -> Any:
    rate = -np.log1p(-risk) / 730
    return 1 - np.exp(-rate[:, None] * TIMES)


def test_brier_and_its_integral_are_those_of_scikit_survival() -> None:
    from sksurv.metrics import brier_score, integrated_brier_score
    from sksurv.util import Surv

    outcome, risk = survival_cohort(300, seed=1)
    y = Surv.from_arrays(outcome.event, outcome.time_days)
    table = risk_by_time(risk)
    np.testing.assert_allclose(brier_over_time(outcome, table, TIMES), brier_score(y, y, 1 - table, TIMES)[1])
    assert integrated_brier(outcome, table, TIMES) == pytest.approx(integrated_brier_score(y, y, 1 - table, TIMES))


def test_auc_by_time_is_that_of_scikit_survival() -> None:
    from sksurv.metrics import cumulative_dynamic_auc
    from sksurv.util import Surv

    outcome, risk = survival_cohort(300, seed=2)
    y = Surv.from_arrays(outcome.event, outcome.time_days)
    np.testing.assert_allclose(auc_over_time(outcome, risk, TIMES), cumulative_dynamic_auc(y, y, risk, TIMES)[0])


@pytest.mark.parametrize(
    ("shape", "times", "code"), [((10, 3), TIMES, "values-shape"), ((10, 2), [5.0, 2.0], "times-range")]
)
def test_risks_and_times_that_do_not_fit_are_refused(shape: Any, times: Any, code: Any) -> None:
    outcome, _ = survival_cohort(10, seed=3)
    with pytest.raises(Refused, match=code):
        brier_over_time(outcome, np.full(shape, 0.5), times)


def test_one_time_has_no_integral() -> None:
    outcome, _ = survival_cohort(10, seed=3)
    with pytest.raises(Refused, match="at least two"):
        integrated_brier(outcome, np.full((10, 1), 0.5), [100.0])


@pytest.mark.parametrize("ties", [False, True])
def test_average_precision_is_that_of_scikit_learn(ties: bool) -> None:
    event, risk = binary_cohort(150, seed=4, ties=ties)
    assert average_precision(event, risk) == pytest.approx(average_precision_score(event, risk), abs=1e-12)


def test_precision_at_another_prevalence() -> None:
    event, risk = binary_cohort(150, seed=5)
    own = average_precision(event, risk, prevalence=float(event.mean()))
    assert own == pytest.approx(average_precision(event, risk), abs=1e-12)
    assert average_precision(event, risk, prevalence=0.01) < own


def test_everyone_alarmed_has_the_prevalence_as_precision() -> None:
    recall, precision = precision_recall([1, 0, 0, 1], [0.5, 0.5, 0.5, 0.5])
    assert (recall.tolist(), precision.tolist()) == ([1.0], [0.5])
    assert np.isnan(average_precision([0, 0], [0.1, 0.2]))


def test_average_precision_over_folds_weighs_each_as_its_events() -> None:
    event, risk = binary_cohort(90, seed=12, ties=True)
    fold = np.arange(90) % 3
    counts = np.concatenate([np.ones((1, 90)), resample_counts(90, resamples=4, seed=1)])
    found = average_precision_rows(event, risk, fold, counts)
    for row, drawn in zip(found, counts.astype(int), strict=True):
        rows = np.repeat(np.arange(90), drawn)
        each = [rows[fold[rows] == number] for number in range(3)]
        own = [average_precision_score(event[part], risk[part]) for part in each]
        assert row == pytest.approx(np.average(own, weights=[event[part].sum() for part in each]), abs=1e-12)


def test_average_precision_under_weights_is_stated_for_the_clinic_s_prevalence() -> None:
    event, risk = binary_cohort(90, seed=13)
    one_fold = np.zeros(90, dtype=np.int64)
    found = average_precision_rows(event, risk, one_fold, np.ones((1, 90)), prevalence=0.05)
    assert found[0] == pytest.approx(average_precision(event, risk, prevalence=0.05), abs=1e-12)
    assert np.isnan(average_precision_rows(np.zeros(90, dtype=bool), risk, one_fold, np.ones((1, 90)))[0])
