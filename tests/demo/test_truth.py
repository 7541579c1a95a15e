"""The truth of a demo cohort: outcomes follow the generator's own parameters, and the best result is known."""

from __future__ import annotations

import numpy as np
import pytest

from prognoscope.demo.anatomy import Lesion
from prognoscope.demo.truth import (
    HORIZON_DAYS,
    Patient,
    best_auc,
    best_c_index,
    draw_patient,
    risk_by_horizon,
)


@pytest.fixture(scope="module")
def people() -> list[Patient]:
    return [draw_patient(7, number) for number in range(3000)]


def test_a_patient_does_not_depend_on_who_else_is_drawn() -> None:
    assert draw_patient(1, 5) == draw_patient(1, 5)
    assert draw_patient(1, 5) != draw_patient(2, 5)


def test_deaths_by_the_horizon_come_as_often_as_the_risks_say(people: list[Patient]) -> None:
    risks = np.array([patient.risk for patient in people])
    died = np.array([patient.death_days <= HORIZON_DAYS for patient in people])
    for low, high in ((0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0)):
        chosen = (risks >= low) & (risks < high)
        expected = risks[chosen].mean()
        error = np.sqrt(expected * (1 - expected) / chosen.sum())
        assert abs(died[chosen].mean() - expected) < 4 * error


def test_the_risk_grows_with_volume_heterogeneity_and_age(people: list[Patient]) -> None:
    causes = np.array(
        [[p.lesion.size_score, p.lesion.heterogeneity_score, (p.age_years - 61) / 12, 1.0] for p in people]
    )
    effects, *_ = np.linalg.lstsq(causes, np.array([p.linear_predictor for p in people]), rcond=None)
    np.testing.assert_allclose(effects[:3], [0.8, 0.8, 0.4], atol=0.02)


def test_the_scanner_has_nothing_to_do_with_the_outcome(people: list[Patient]) -> None:
    by_centre = {p.scanner.centre: [q.risk for q in people if q.scanner.centre == p.scanner.centre] for p in people}
    means = [np.mean(risks) for risks in by_centre.values()]
    assert len(means) == 3
    assert np.ptp(means) < 4 * 0.28 / np.sqrt(1000)


def test_the_treatment_tells_the_outcome_and_is_a_trap(people: list[Patient]) -> None:
    dead = {p.treatment: [q.dead_by_horizon for q in people if q.treatment == p.treatment] for p in people}
    assert all(value is not False for value in dead["Palliative"])


def test_follow_up_that_ends_before_the_horizon_leaves_the_outcome_open(people: list[Patient]) -> None:
    open_ended = [patient for patient in people if patient.dead_by_horizon is None]
    assert 0 < len(open_ended) < 0.1 * len(people)
    assert all(not patient.event and patient.time_days < HORIZON_DAYS for patient in open_ended)


def test_the_table_says_death_or_the_end_of_follow_up_whichever_is_first(people: list[Patient]) -> None:
    for patient in people:
        assert patient.time_days >= 1
        if patient.event:
            assert patient.time_days == max(int(patient.death_days), 1)
        else:
            assert patient.time_days < patient.death_days


def test_best_auc_of_two_patients_by_hand() -> None:
    """Risks 0.8 and 0.2: the first alone has the event with 0.64, the second alone with 0.04."""
    assert best_auc([0.8, 0.2]) == pytest.approx(0.64 / 0.68)
    assert best_auc([0.3, 0.3, 0.3]) == 0.5


def test_best_auc_is_what_drawn_outcomes_give_on_average(people: list[Patient]) -> None:
    risks = np.array([patient.risk for patient in people[:400]])
    rng = np.random.default_rng(0)
    found = []
    for _ in range(60):
        event = rng.uniform(size=len(risks)) < risks
        found.append((risks[event][:, None] > risks[~event][None, :]).mean())
    assert np.mean(found) == pytest.approx(best_auc(risks.tolist()), abs=0.004)


def test_best_c_index_is_what_drawn_times_give_on_average(people: list[Patient]) -> None:
    linear = np.array([patient.linear_predictor for patient in people[:300]])
    rng = np.random.default_rng(0)
    right = pairs = 0.0
    for _ in range(40):
        # Weibull times with the shape and scale of the module's text.
        times = 1500.0 * (-np.log(rng.uniform(size=len(linear))) * np.exp(-linear)) ** (1 / 1.2)
        usable = (times[:, None] < times[None, :]) & (times[:, None] <= HORIZON_DAYS)
        right += (usable & (linear[:, None] > linear[None, :])).sum()
        pairs += usable.sum()
    assert right / pairs == pytest.approx(best_c_index(linear.tolist()), abs=0.004)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_the_best_auc_of_a_cohort_leaves_something_to_find_and_something_to_miss(seed: int) -> None:
    risks = [draw_patient(seed, number).risk for number in range(120)]
    assert 0.78 < best_auc(risks) < 0.88
    assert 0.3 < np.mean(risks) < 0.55


def test_the_risk_of_the_average_patient_by_hand() -> None:
    # 1 - exp(-(730 / 1500) ** 1.2) = 1 - exp(-0.42138) = 0.34386
    assert risk_by_horizon(np.array([0.0]))[0] == pytest.approx(0.34386, abs=5e-6)


def test_the_volume_of_a_lesion_is_that_of_its_outline(people: list[Patient]) -> None:
    for patient in people[:6]:
        assert patient.lesion.volume_ml == pytest.approx(volume_by_sums(patient.lesion), rel=2e-3)


def volume_by_sums(lesion: Lesion) -> float:
    angles = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    heights = np.linspace(-lesion.half_height_mm, lesion.half_height_mm, 1001)
    squares = lesion.outline_mm(angles[None, :], heights[:, None]) ** 2
    return float(np.trapezoid(squares.mean(axis=1) * np.pi, heights) / 1000)
