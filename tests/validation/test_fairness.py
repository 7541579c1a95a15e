"""Figures by group, gaps between groups, and labels that stand for different things."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.outcome import Binary
from prognoscope.core.predictions import OutOfFold
from prognoscope.validation import auc, group_figures, group_gaps, proxy_check
from tests.make.validation import binary_cohort, out_of_fold, survival_cohort


def one_fold(risk: Any) -> Any:
    return OutOfFold(risk[None], np.zeros((1, len(risk)), dtype=np.int64))


@pytest.fixture(scope="module")
def cohort() -> Any:
    event, risk = binary_cohort(300, seed=1)
    random = np.random.default_rng(2)
    groups = pd.DataFrame({"sex": random.choice(["F", "M"], 300), "site": random.choice(["north", "south"], 300)})
    return event, risk, groups


def test_a_group_s_figures_are_those_of_its_patients_alone(cohort: Any) -> None:
    event, risk, groups = cohort
    found = {(one.attribute, one.level): one for one in group_figures(Binary(event), one_fold(risk), groups, resamples=200, seed=1)}  # fmt: skip # noqa: E501
    women = (groups.sex == "F").to_numpy()
    entry = found["sex", "F"]
    assert (entry.n, entry.events) == (women.sum(), event[women].sum())
    assert entry.metrics["auc"].estimate == pytest.approx(auc(event[women], risk[women]))
    assert entry.metrics["auc"].low < entry.metrics["auc"].estimate < entry.metrics["auc"].high


def test_intersections_of_two_attributes_hold_every_patient(cohort: Any) -> None:
    event, risk, groups = cohort
    found = group_figures(Binary(event), one_fold(risk), groups, resamples=0, seed=1)
    crossed = [one for one in found if one.attribute == "sex × site"]
    assert [one.level for one in crossed] == ["F × north", "F × south", "M × north", "M × south"]
    assert sum(one.n for one in crossed) == 300


def test_small_groups_and_groups_without_events_are_suppressed_with_the_reason() -> None:
    event, risk = binary_cohort(100, seed=3)
    groups = pd.DataFrame({"ward": ["one"] + ["two"] * 30 + [None] * 69})
    event[1:31] = False
    found = {one.level: one for one in group_figures(Binary(event), one_fold(risk), groups, resamples=0, seed=1)}
    assert found["one"].metrics == {}
    assert "fewer than 20 patients" in found["one"].reason
    assert "fewer than 5 patients with or without the event" in found["two"].reason
    assert found["missing"].metrics


def test_groups_without_meaning_have_no_gap(cohort: Any) -> None:
    event, risk, groups = cohort
    gaps = group_gaps(Binary(event), one_fold(risk), groups, seed=1)
    assert {gap.metric for gap in gaps} == {
        "auc", "brier", "calibration_intercept", "calibration_slope", "observed_expected",
    }  # fmt: skip
    assert min(gap.p for gap in gaps) > 0.01


def test_a_group_in_which_the_model_guesses_has_a_gap_in_auc() -> None:
    event, risk = binary_cohort(400, seed=4)
    groups = pd.DataFrame({"device": np.where(np.arange(400) % 2, "old", "new")})
    old = (groups.device == "old").to_numpy()
    guess = risk.copy()
    guess[old] = np.random.default_rng(5).permutation(risk[old])
    gap = next(gap for gap in group_gaps(Binary(event), one_fold(guess), groups, seed=1) if gap.metric == "auc")
    assert (gap.lowest, gap.highest) == ("old", "new")
    assert gap.p < 0.01
    assert gap.gap == pytest.approx(auc(event[~old], guess[~old]) - auc(event[old], guess[old]))


def test_censored_groups_over_repeated_cross_validation_have_figures_and_gaps() -> None:
    outcome, risk = survival_cohort(200, seed=6)
    model = out_of_fold(risk.clip(1e-6, 1 - 1e-6), repeats=2, folds=4)
    groups = pd.DataFrame({"sex": np.where(np.arange(200) % 2, "F", "M")})
    assert all("c_index" in one.metrics for one in group_figures(outcome, model, groups, resamples=200, seed=1))
    assert {gap.metric for gap in group_gaps(outcome, model, groups, seed=1)} >= {"c_index", "brier"}


def test_a_cost_that_understates_one_group_s_illness_is_flagged() -> None:
    random = np.random.default_rng(7)
    group = random.choice(["a", "b"], 600)
    illness = random.gamma(2, size=600)
    cost = illness * np.where(group == "b", 0.6, 1.0) + random.normal(scale=0.2, size=600)
    found = proxy_check(cost, illness, list(group))
    assert found.flagged
    assert found.shifts["b"] > found.shifts["a"]
    assert "not a fair stand-in" in found.evidence


def test_a_fair_label_is_flagged_rarely() -> None:
    flagged = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        illness = random.gamma(2, size=200)
        label = illness + random.normal(size=200)
        flagged += proxy_check(label, illness, list(random.choice(["a", "b", "c"], 200))).flagged
    assert flagged <= 2


def test_one_group_cannot_be_compared() -> None:
    assert not proxy_check(np.arange(50.0), np.arange(50.0), ["a"] * 50).flagged
