"""Cross-conformal prediction."""

from __future__ import annotations

import numpy as np
import pytest

from prognoscope.core.problems import Refused
from prognoscope.training.conformal import conformal_sets, p_values


def test_p_values_are_those_counted_by_hand() -> None:
    # Calibration: non-conformity of fold 0 is 0.2, 0.7; of fold 1 is 0.4.
    risk, event, fold = np.array([0.8, 0.7, 0.6]), np.array([True, False, True]), np.array([0, 0, 1])
    # New patient: risk 0.5 by the first model, 0.7 by the second.
    values = p_values(risk, event, fold, np.array([[0.5], [0.7]]))
    # No event: 0.5 and 0.7: one of two, none of one. Event: 0.5 and 0.3: one of two, one of one.
    np.testing.assert_allclose(values, [[2 / 4, 3 / 4]])


def test_sets_of_a_perfectly_known_model_miss_as_often_as_allowed() -> None:
    draw = np.random.default_rng(1)
    missed = []
    for _ in range(300):
        risk = draw.beta(0.7, 0.7, 60)
        event = draw.random(60) < risk
        new = draw.beta(0.7, 0.7, 1)
        values = p_values(risk, event, np.arange(60) % 3, np.tile(new, (3, 1)))
        sets = conformal_sets(values, alpha=0.2, calibrated_on=60)
        happened = draw.random() < new[0]
        missed.append(not (sets.event[0] if happened else sets.no_event[0]))
    # 300 draws of a share of 0.2 have a standard error of 0.023.
    assert np.mean(missed) == pytest.approx(0.2, abs=0.07)


def test_too_few_patients_are_refused_with_the_number_needed() -> None:
    with pytest.raises(
        Refused, match=r"18 patients calibrate it, an error rate of 0\.05 needs 19.*too-few-to-calibrate"
    ):
        conformal_sets(np.full((1, 2), 0.5), alpha=0.05, calibrated_on=18)
    assert conformal_sets(np.full((1, 2), 0.5), alpha=0.05, calibrated_on=19).guarantee == pytest.approx(0.9)
