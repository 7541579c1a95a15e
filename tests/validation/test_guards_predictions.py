"""Guards on predictions of any origin: each catches its fault, and leaves honest predictions alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.core.predictions import OutOfFold
from prognoscope.validation import equal_rows, prediction_guards, too_good
from tests.make.validation import binary_cohort, out_of_fold, survival_cohort


def table_of(event: np.ndarray, risk: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"y": event, "p": risk})


def test_one_patient_in_ten_rows_warns_with_the_number() -> None:
    event, risk = binary_cohort(60, seed=1)
    found = equal_rows(table_of(np.repeat(event, 10), np.repeat(risk, 10)))
    assert found.status == "warned"
    assert "600 of 600 rows equal another" in found.evidence


def test_a_single_doubled_row_is_found_among_many() -> None:
    event, risk = binary_cohort(500, seed=2)
    rows = [*range(500), 17]
    other = np.random.default_rng(2).normal(size=500)
    found = equal_rows(table_of(event[rows], risk[rows]).assign(age=other[rows]))
    assert found.status == "warned"
    assert "2 of 501 rows" in found.evidence


def test_rows_that_few_different_risks_make_equal_prove_nothing() -> None:
    event, risk = binary_cohort(500, seed=3)
    found = equal_rows(table_of(event, risk.round(1)))
    assert found.status == "passed"
    assert "no more than chance" in found.evidence


@pytest.mark.parametrize("kind", ["binary", "survival"])
def test_risks_that_hold_the_outcome_are_too_good(kind: str) -> None:
    outcome: Outcome
    if kind == "binary":
        event, _ = binary_cohort(200, seed=4)
        outcome, leaking = Binary(event), np.where(event, 0.9, 0.1)
    else:
        outcome, _ = survival_cohort(200, seed=4)
        leaking = 1 - outcome.time_days / (outcome.time_days.max() + 1)
    found = too_good(outcome, out_of_fold(leaking.clip(0.001, 0.999)))
    assert found.status == "warned"
    assert "hold the outcome itself" in found.evidence


def test_risks_without_relation_to_the_outcome_are_no_signal_in_plain_words() -> None:
    event, _ = binary_cohort(200, seed=5)
    model = out_of_fold(np.random.default_rng(6).uniform(0.1, 0.9, 200))
    guard = prediction_guards(Binary(event), model, table_of(event, model.risk[0]), seed=1)[-1]
    assert (guard.name, guard.status) == ("no-signal", "warned")
    assert "cross-validated" not in guard.evidence
    assert "fitted models kept" not in guard.evidence


def test_honest_predictions_of_a_hundred_cohorts_meet_no_warning_but_of_chance() -> None:
    warned = 0
    for seed in range(100):
        event, risk = binary_cohort(150, seed=seed)
        guards = prediction_guards(Binary(event), out_of_fold(risk), table_of(event, risk), seed=seed)
        warned += any(guard.status != "passed" for guard in guards)
    assert warned <= 5


def test_a_handful_of_patients_pass_untested() -> None:
    guards = prediction_guards(
        Binary(np.array([True, False, True])), out_of_fold(np.array([0.9, 0.1, 0.8])),
        pd.DataFrame({"y": [1, 0, 1], "p": [0.9, 0.1, 0.8]}), seed=1,
    )  # fmt: skip
    assert [guard.name for guard in guards] == ["equal-rows", "too-good"]
    assert {guard.status for guard in guards} == {"passed"}


def test_a_fold_whose_model_runs_the_wrong_way_is_told() -> None:
    event, risk = binary_cohort(400, seed=12)
    fold = np.arange(400) % 4
    turned = np.where(fold == 0, 1 - risk, risk)
    model = OutOfFold(turned[None], fold[None])
    guards = prediction_guards(Binary(event), model, table_of(event, turned), seed=1)
    assert (guards[-1].name, guards[-1].status) == ("folds-differ", "warned")
