"""Folds keep each patient whole and each fold like the cohort."""

from __future__ import annotations

import numpy as np
import pytest

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.core.problems import Refused
from prognoscope.training.splits import assign_folds, strata_of


def _binary(n: int, events: int) -> Binary:
    return Binary(np.arange(n) < events)


def test_each_patient_is_held_out_once_per_repeat() -> None:
    folds = assign_folds(_binary(51, 19), folds=5, repeats=4, seed=1)
    assert folds.shape == (4, 51)
    assert all(set(row) == {0, 1, 2, 3, 4} for row in folds)


def test_events_and_patients_are_spread_as_evenly_as_they_can_be() -> None:
    outcome = _binary(51, 19)
    for row in assign_folds(outcome, folds=5, repeats=6, seed=2):
        events = np.bincount(row[outcome.event], minlength=5)
        sizes = np.bincount(row, minlength=5)
        assert events.max() - events.min() <= 1
        assert sizes.max() - sizes.min() <= 1


def test_survival_strata_are_event_by_the_horizon_censored_before_it_and_neither() -> None:
    outcome = TimeToEvent(np.array([100.0, 100, 800, 800, 730, 730]), np.array([True, False] * 3), 730.0)
    assert strata_of(outcome).tolist() == [1, 2, 0, 0, 1, 0]


def test_events_by_the_horizon_and_early_censoring_are_spread_evenly() -> None:
    draw = np.random.default_rng(0)
    outcome = TimeToEvent(draw.uniform(1, 1500, 83), draw.random(83) < 0.5, 730.0)
    strata = strata_of(outcome)
    for row in assign_folds(outcome, folds=4, repeats=3, seed=3):
        for kind in range(3):
            counts = np.bincount(row[strata == kind], minlength=4)
            assert counts.max() - counts.min() <= 1


def test_repeats_differ_and_the_same_seed_gives_the_same_folds() -> None:
    first = assign_folds(_binary(60, 25), folds=5, repeats=2, seed=7)
    np.testing.assert_array_equal(first, assign_folds(_binary(60, 25), folds=5, repeats=2, seed=7))
    assert (first[0] != first[1]).any()
    assert (first != assign_folds(_binary(60, 25), folds=5, repeats=2, seed=8)).any()


def test_the_order_of_the_patients_does_not_matter_when_they_have_names() -> None:
    outcome = _binary(40, 15)
    names = [f"P{number:02d}" for number in range(40)]
    folds = assign_folds(outcome, folds=4, repeats=2, seed=1, patients=names)
    order = np.random.default_rng(1).permutation(40)
    moved = assign_folds(outcome.take(order), folds=4, repeats=2, seed=1, patients=[names[place] for place in order])
    np.testing.assert_array_equal(moved, folds[:, order])


def test_patients_of_one_group_stay_in_one_fold() -> None:
    draw = np.random.default_rng(4)
    groups = draw.integers(0, 25, 90).astype(str)
    outcome = Binary(draw.random(90) < 0.4)
    for row in assign_folds(outcome, folds=5, repeats=3, seed=5, groups=list(groups)):
        assert all(len(set(row[groups == group])) == 1 for group in set(groups))
        assert all(outcome.event[row == fold].any() for fold in range(5))


def test_nobody_with_the_event_is_refused() -> None:
    with pytest.raises(Refused, match=r"no one of 30 patients has the event.*one-class"):
        assign_folds(_binary(30, 0), folds=3, repeats=1, seed=1)


def test_everybody_with_the_event_is_refused() -> None:
    with pytest.raises(Refused, match=r"every one of 30 patients has the event.*one-class"):
        assign_folds(_binary(30, 30), folds=3, repeats=1, seed=1)


def test_fewer_events_than_folds_are_refused_with_both_numbers() -> None:
    with pytest.raises(Refused, match=r"4 events for 5 folds.*fewer-events-than-folds"):
        assign_folds(_binary(30, 4), folds=5, repeats=1, seed=1)


def test_fewer_patients_without_the_event_than_folds_are_refused() -> None:
    with pytest.raises(Refused, match=r"2 patients without the event for 5 folds.*fewer-events-than-folds"):
        assign_folds(_binary(30, 28), folds=5, repeats=1, seed=1)


def test_events_after_the_horizon_do_not_count() -> None:
    time = np.concatenate([np.full(4, 100.0), np.full(40, 900.0)])
    with pytest.raises(Refused, match="4 events for 5 folds"):
        assign_folds(TimeToEvent(time, np.ones(44, dtype=bool), 730.0), folds=5, repeats=1, seed=1)


def test_events_of_one_group_count_once() -> None:
    groups = ["family"] * 6 + [str(number) for number in range(30)]
    with pytest.raises(Refused, match="1 events for 3 folds"):
        assign_folds(_binary(36, 6), folds=3, repeats=1, seed=1, groups=groups)


@pytest.mark.parametrize(("folds", "repeats"), [(1, 1), (5, 0)])
def test_too_few_folds_or_repeats_are_refused(folds: int, repeats: int) -> None:
    with pytest.raises(Refused, match="fold-count"):
        assign_folds(_binary(30, 15), folds=folds, repeats=repeats, seed=1)
