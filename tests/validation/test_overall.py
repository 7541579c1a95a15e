"""Brier and log scores beside scikit-learn and scikit-survival."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from prognoscope.core.outcome import Binary
from prognoscope.core.problems import Refused
from prognoscope.validation import (
    auc,
    brier,
    brier_at_horizon,
    c_index,
    log_likelihood,
    log_score,
    ranking,
    scaled_brier,
    scaled_brier_at_horizon,
)
from tests.make.validation import binary_cohort, survival_cohort


def test_brier_and_log_score_are_those_of_scikit_learn() -> None:
    event, risk = binary_cohort(100, seed=1)
    assert brier(event, risk) == pytest.approx(brier_score_loss(event, risk), abs=1e-12)
    assert log_likelihood(event, risk) == pytest.approx(-log_loss(event, risk), abs=1e-12)


def test_the_event_rate_for_everyone_has_a_scaled_brier_of_zero() -> None:
    event, _ = binary_cohort(100, seed=2)
    assert scaled_brier(event, np.full(100, event.mean())) == pytest.approx(0, abs=1e-12)
    assert scaled_brier(event, event.astype(float)) == 1.0


def test_brier_at_the_horizon_is_that_of_scikit_survival() -> None:
    from sksurv.metrics import brier_score
    from sksurv.util import Surv

    outcome, risk = survival_cohort(300, seed=3)
    y = Surv.from_arrays(outcome.event, outcome.time_days)
    expected = brier_score(y, y, (1 - risk)[:, None], [730.0])[1][0]
    assert brier_at_horizon(outcome, risk) == pytest.approx(expected, abs=1e-10)


def test_the_kaplan_meier_risk_for_everyone_has_a_scaled_brier_of_zero_at_the_horizon() -> None:
    from prognoscope.validation import kaplan_meier

    outcome, risk = survival_cohort(150, seed=4)
    same = np.full(150, 1 - kaplan_meier(outcome.time_days, outcome.event).at(730.0)[0])
    assert scaled_brier_at_horizon(outcome, same) == pytest.approx(0, abs=1e-12)
    assert scaled_brier_at_horizon(outcome, risk) > 0


def test_the_true_risks_score_higher_than_exaggerated_ones() -> None:
    outcome, risk = survival_cohort(2000, seed=5)
    extreme = risk**2 / (risk**2 + (1 - risk) ** 2)
    assert log_score(outcome, risk) > log_score(outcome, extreme)
    assert ranking(outcome, risk) == c_index(outcome.time_days, outcome.event, extreme)


def test_one_certain_error_is_punished_but_stays_comparable() -> None:
    outcome = Binary(np.array([True, False, True]))
    wrong = log_score(outcome, [0.0, 0.2, 0.9])
    assert np.isfinite(wrong)
    assert wrong < log_score(outcome, [0.01, 0.2, 0.9])
    assert log_likelihood(outcome.event, [0.0, 0.2, 0.9]) == -np.inf


def test_ranking_of_a_binary_outcome_is_the_auc() -> None:
    event, risk = binary_cohort(60, seed=6)
    assert ranking(Binary(event), risk) == auc(event, risk)


@pytest.mark.parametrize("risk", [[0.2, 1.2, 0.3], [-0.1, 0.2, 0.3]])
def test_a_risk_outside_zero_and_one_is_refused(risk: Any) -> None:
    with pytest.raises(Refused, match="risk-range"):
        brier([0, 1, 0], risk)
