"""AUC and concordance beside scikit-learn, lifelines, scikit-survival and pair counting."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from prognoscope.core.outcome import Binary
from prognoscope.core.problems import Refused
from prognoscope.validation import (
    auc,
    auc_at_horizon,
    average_precision,
    brier,
    c_index,
    calibration_slope,
    mean_roc,
    net_benefit,
    ranking_within_folds,
    roc_points,
    uno_c,
)
from prognoscope.validation.discrimination import auc_rows, concordance_rows
from prognoscope.validation.resampling import resample_counts
from tests.make.validation import binary_cohort, survival_cohort


@pytest.mark.parametrize("ties", [False, True])
def test_auc_is_that_of_scikit_learn(ties: bool) -> None:
    event, risk = binary_cohort(200, seed=1, ties=ties)
    assert auc(event, risk) == pytest.approx(roc_auc_score(event, risk), abs=1e-12)


def test_auc_within_folds_counts_each_pair_of_a_fold_once() -> None:
    event, risk = binary_cohort(60, seed=2, ties=True)
    fold = np.arange(60) % 7
    right = pairs = 0.0
    for i in range(60):
        for j in range(60):
            if fold[i] == fold[j] and event[i] and not event[j]:
                pairs += 1
                right += 1.0 if risk[i] > risk[j] else 0.5 if risk[i] == risk[j] else 0.0
    assert auc(event, risk, fold=fold) == pytest.approx(right / pairs, abs=1e-12)


def test_a_constant_within_each_fold_has_auc_one_half_although_pooling_the_folds_gives_less() -> None:
    event, _ = binary_cohort(100, seed=3)
    fold = np.arange(100) % 5
    rate_of_others = np.array([event[fold != number].mean() for number in fold])
    assert auc(event, rate_of_others, fold=fold) == 0.5
    assert auc(event, rate_of_others) < 0.5


def test_leaving_one_out_has_no_pair_within_a_fold() -> None:
    event, risk = binary_cohort(20, seed=4)
    assert np.isnan(auc(event, risk, fold=np.arange(20)))


def test_auc_under_counts_is_that_of_the_repeated_rows() -> None:
    event, risk = binary_cohort(80, seed=5, ties=True)
    counts = resample_counts(80, resamples=20, seed=1)
    found = auc_rows(event, risk, np.zeros(80, dtype=np.int64), counts.astype(float))
    expected = [roc_auc_score(np.repeat(event, row), np.repeat(risk, row)) for row in counts]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_harrells_c_is_that_of_lifelines_and_scikit_survival(ties: bool) -> None:
    from lifelines.utils import concordance_index
    from sksurv.metrics import concordance_index_censored

    outcome, risk = survival_cohort(150, seed=6, ties=ties)
    risk = np.round(risk, 1) if ties else risk
    found = c_index(outcome.time_days, outcome.event, risk)
    assert found == pytest.approx(concordance_index_censored(outcome.event, outcome.time_days, risk)[0], abs=1e-12)
    if not ties:  # lifelines also counts two events at one time as a pair
        assert found == pytest.approx(concordance_index(outcome.time_days, -risk, outcome.event), abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_unos_c_is_that_of_scikit_survival(ties: bool) -> None:
    from sksurv.metrics import concordance_index_ipcw
    from sksurv.util import Surv

    outcome, risk = survival_cohort(200, seed=7, ties=ties)
    y = Surv.from_arrays(outcome.event, outcome.time_days)
    found = uno_c(outcome.time_days, outcome.event, risk, horizon_days=1000.0)
    assert found == pytest.approx(concordance_index_ipcw(y, y, risk, tau=1000.0)[0], abs=1e-10)


def test_concordance_within_folds_under_counts_is_pair_counting_of_the_repeated_rows() -> None:
    outcome, risk = survival_cohort(40, seed=8, ties=True)
    risk = np.round(risk, 1)
    fold = np.arange(40) % 3
    counts = resample_counts(40, resamples=5, seed=2)
    found = concordance_rows(outcome.time_days, outcome.event, risk, fold, counts)
    for row, value in zip(counts, found, strict=True):
        chosen = np.repeat(np.arange(40), row)
        time, event, score, held = outcome.time_days[chosen], outcome.event[chosen], risk[chosen], fold[chosen]
        right = pairs = 0.0
        for i in range(len(chosen)):
            for j in range(len(chosen)):
                later = time[j] > time[i] or (time[j] == time[i] and not event[j])
                if held[i] == held[j] and event[i] and later:
                    pairs += 1
                    right += 1.0 if score[i] > score[j] else 0.5 if score[i] == score[j] else 0.0
        assert value == pytest.approx(right / pairs, abs=1e-12)


def test_auc_at_the_horizon_is_that_of_scikit_survival() -> None:
    from sksurv.metrics import cumulative_dynamic_auc
    from sksurv.util import Surv

    outcome, risk = survival_cohort(300, seed=9)
    y = Surv.from_arrays(outcome.event, outcome.time_days)
    assert auc_at_horizon(outcome, risk) == pytest.approx(cumulative_dynamic_auc(y, y, risk, [730.0])[0][0], abs=1e-10)


def test_the_area_under_the_mean_roc_is_the_auc_of_pairs_within_folds() -> None:
    event, risk = binary_cohort(500, seed=10)
    fold = (np.arange(500) % 5)[None]
    x, y = mean_roc(event, risk[None], fold, points=5001)
    assert np.trapezoid(y, x) == pytest.approx(auc(event, risk, fold=fold[0]), abs=2e-3)
    assert y[-1] == 1.0


def test_roc_corners_run_from_nothing_to_everything() -> None:
    event, risk = binary_cohort(30, seed=11, ties=True)
    x, y = roc_points(event, risk, np.ones(30))
    assert (x[0], y[0], x[-1], y[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert (np.diff(x) >= 0).all()
    assert (np.diff(y) >= 0).all()


@pytest.mark.parametrize("event", [[0, 0, 0], [1, 1, 1]])
def test_one_class_has_no_auc(event: Any) -> None:
    assert np.isnan(auc(event, [0.1, 0.2, 0.3]))


def test_all_censored_has_no_concordance() -> None:
    assert np.isnan(c_index([1.0, 2.0, 3.0], [0, 0, 0], [0.1, 0.2, 0.3]))


def test_a_missing_risk_is_refused_with_its_place() -> None:
    with pytest.raises(Refused, match=r"patient 2 of 3.*values-missing"):
        auc([0, 1, 1], [0.1, np.nan, 0.3])


def test_an_outcome_of_three_values_is_refused() -> None:
    with pytest.raises(Refused, match="outcome-values"):
        auc([0, 1, 2], [0.1, 0.2, 0.3])


def test_ranking_within_folds_is_the_auc_of_an_event_and_harrells_c_of_a_time_to_event() -> None:
    fold = np.arange(90) % 3
    event, risk = binary_cohort(90, seed=11)
    assert ranking_within_folds(Binary(event), risk, fold) == auc(event, risk, fold=fold)
    outcome, later = survival_cohort(90, seed=12)
    assert ranking_within_folds(outcome, later, fold) == c_index(outcome.time_days, outcome.event, later, fold=fold)


@pytest.mark.parametrize("figure", [auc, average_precision, brier, calibration_slope, net_benefit])
def test_text_and_nothing_are_refused_by_every_figure(figure: Any) -> None:
    with pytest.raises(Refused, match="number-expected"):
        figure(np.array([0, 1, 0]), np.array(["a", "b", "c"]))
    with pytest.raises(Refused, match="number-expected"):
        figure(np.array(["a", "b", "a"]), np.array([0.1, 0.2, 0.3]))
    with pytest.raises(Refused, match="there is no patient"):
        figure(np.array([]), np.array([]))
