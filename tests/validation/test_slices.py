"""Slices of patients in whom a model fails, worst cases and nearest patients."""

import re

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.validation import failing_slices, nearest_patients, worst_cases
from tests.make.validation import binary_cohort, survival_cohort


def test_a_scanner_on_which_the_risks_are_turned_is_found_and_confirmed() -> None:
    event, risk = binary_cohort(600, seed=1)
    scanner = np.where(np.arange(600) % 4 == 0, "B", "A")
    turned = np.where(scanner == "B", 1 - risk, risk)
    table = pd.DataFrame({"scanner": scanner, "age": np.random.default_rng(2).uniform(30, 80, 600)})
    first = failing_slices(Binary(event), turned, table, seed=1)[0]
    assert "scanner" in first.rule
    assert first.error > first.elsewhere
    assert first.p < 0.01


def test_a_model_that_fails_nowhere_has_no_confirmed_slice() -> None:
    confirmed = 0
    for seed in range(30):
        event, risk = binary_cohort(200, seed=seed)
        table = pd.DataFrame({"x": np.random.default_rng(seed).normal(size=200)})
        confirmed += any(one.p < 0.05 for one in failing_slices(Binary(event), risk, table, seed=seed))
    assert confirmed <= 4


def test_too_few_patients_have_no_slices() -> None:
    event, risk = binary_cohort(30, seed=3)
    assert failing_slices(Binary(event), risk, pd.DataFrame({"x": np.arange(30.0)}), seed=1) == ()


def test_gaps_and_censoring_are_no_obstacle() -> None:
    outcome, risk = survival_cohort(300, seed=4)
    table = pd.DataFrame({"x": np.where(np.arange(300) % 3, np.arange(300.0), np.nan), "site": ["n", None, "s"] * 100})
    for one in failing_slices(outcome, risk, table, seed=1):
        assert one.n > 0
        assert one.rule


def test_the_worst_cases_are_those_furthest_from_what_happened() -> None:
    outcome = Binary(np.array([True, False, True, False]))
    assert worst_cases(outcome, [0.1, 0.3, 0.8, 0.95], number=2).tolist() == [3, 0]


def test_a_patient_lost_before_the_horizon_is_no_worst_case() -> None:
    outcome = TimeToEvent(np.array([10.0, 20.0, 800.0]), np.array([False, True, False]), 730.0)
    assert worst_cases(outcome, [0.99, 0.5, 0.1]).tolist() == [1, 2]


def test_the_nearest_training_patients_are_measured_in_standard_deviations() -> None:
    features = np.array([[0.0, 0.0], [1.0, 1000.0], [2.0, 0.0], [3.0, 1000.0]])
    order, distance = nearest_patients(features, [1.1, 900.0], number=2)
    assert order[0] == 1
    assert distance[0] == pytest.approx(np.sqrt(((0.1 / features[:, 0].std()) ** 2 + (100 / 500) ** 2) / 2))


def test_two_cuts_of_one_number_are_told_as_one_range() -> None:
    random = np.random.default_rng(6)
    age = random.uniform(20, 90, size=4000)
    wrong = (age > 45) & (age < 65)
    risk = np.where(wrong, 0.05, 0.3)
    event = random.random(4000) < 0.3
    found = failing_slices(Binary(event), risk, pd.DataFrame({"age": age}), seed=1)
    assert re.fullmatch(r"4\d\.?\d* < age ≤ 6\d\.?\d*", found[0].rule)
    assert all(one.rule.count("age") == 1 for one in found)


def test_risks_of_two_values_in_which_no_error_varies_have_no_slices_and_no_warning() -> None:
    event = np.arange(400) % 2 == 0
    risk = np.where(event, 0.05, 0.95)  # everybody errs as much
    table = pd.DataFrame({"age": np.random.default_rng(7).uniform(30, 80, 400), "event": event.astype(float)})
    assert all(one.p == 1.0 for one in failing_slices(Binary(event), risk, table, seed=1))
