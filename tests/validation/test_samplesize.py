"""Riley's criteria one by one, and what makes no sense."""

import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from prognoscope.core.problems import Refused
from prognoscope.jobs.samplesize import sample_size
from prognoscope.validation import for_binary, for_continuous, for_survival
from prognoscope.validation.samplesize import expected_shrinkage, max_r2_binary, r2_from_c_statistic


def test_the_largest_criterion_decides() -> None:
    found = for_binary(parameters=24, prevalence=0.174, r2_cox_snell=0.288)
    assert [criterion.n for criterion in found.criteria] == [623, 662, 221]
    assert found.n == 662
    assert found.events_per_parameter == pytest.approx(662 * 0.174 / 24)


def test_the_largest_r2_of_rare_and_common_events() -> None:
    # Riley et al. 2020, BMJ 368:m441, box: 0.33 for 5 %, 0.48 for 10 %, 0.75 for 50 %.
    assert max_r2_binary(0.05) == pytest.approx(0.33, abs=0.005)
    assert max_r2_binary(0.1) == pytest.approx(0.48, abs=0.005)
    assert max_r2_binary(0.5) == pytest.approx(0.75, abs=0.005)


def test_a_c_statistic_implies_an_r2() -> None:
    # pmsampsize's simulation gives 0.291 for C = 0.89 at 17.4 %.
    assert r2_from_c_statistic(0.89, prevalence=0.174) == pytest.approx(0.291, abs=5e-4)


def test_nagelkerke_is_a_share_of_the_largest() -> None:
    by_share = for_binary(parameters=10, prevalence=0.1, r2_nagelkerke=0.15)
    by_value = for_binary(parameters=10, prevalence=0.1, r2_cox_snell=0.15 * max_r2_binary(0.1))
    assert by_share == by_value


def test_more_parameters_need_more_patients_and_fewer_shrink_more() -> None:
    assert for_survival(parameters=60, rate=0.065, horizon=2, mean_follow_up=2.07, r2_cox_snell=0.051).n > 10_000
    few, many = (expected_shrinkage(n, parameters=24, r2_cox_snell=0.288) for n in (100, 623))
    assert few < many
    assert many == pytest.approx(0.9, abs=1e-3)


def test_a_continuous_outcome_has_four_criteria() -> None:
    found = for_continuous(parameters=25, r2=0.2, mean=1.9, standard_deviation=0.6)
    assert [criterion.name for criterion in found.criteria] == ["shrinkage", "optimism", "residual", "mean"]
    assert [criterion.n for criterion in found.criteria] == [918, 401, 259, 38]
    assert math.isnan(found.events)


@pytest.mark.parametrize(
    "wrong",
    [
        {"r2_cox_snell": 0.9},
        {"r2_cox_snell": 0.1, "c_statistic": 0.8},
        {},
        {"c_statistic": 0.5},
        {"r2_cox_snell": 0.1, "prevalence": 1.0},
        {"r2_cox_snell": 0.1, "parameters": 0},
        {"r2_cox_snell": 1e-300},
        {"r2_cox_snell": math.nan},
        {"r2_nagelkerke": 0.0},
        {"c_statistic": 0.5 + 1e-9},
        {"r2_cox_snell": 0.1, "prevalence": 1e-300},
        {"r2_cox_snell": 0.5, "shrinkage": 0.45},
    ],
)
def test_impossible_assumptions_are_refused(wrong: Any) -> None:
    with pytest.raises(Refused, match="sample-size"):
        for_binary(**{"parameters": 10, "prevalence": 0.2} | wrong)


def test_impossible_rates_and_means_are_refused() -> None:
    with pytest.raises(Refused, match="rate"):
        for_survival(parameters=10, rate=0, horizon=2, mean_follow_up=2, r2_cox_snell=0.05)
    with pytest.raises(Refused, match="events a patient"):
        for_survival(parameters=30, rate=1e9, horizon=2, mean_follow_up=2, r2_cox_snell=0.05)


@pytest.mark.parametrize(
    "wrong", [{"r2": 1.2}, {"r2": 1e-300}, {"mean": 0.0}, {"mean": math.inf}, {"standard_deviation": -1.0}]
)
def test_impossible_continuous_outcomes_are_refused(wrong: Any) -> None:
    with pytest.raises(Refused, match="continuous"):
        for_continuous(**{"parameters": 10, "r2": 0.2, "mean": 1.0, "standard_deviation": 1.0} | wrong)


def test_one_or_two_parameters_of_a_continuous_outcome_have_no_shrinkage_criterion() -> None:
    found = for_continuous(parameters=2, r2=0.2, mean=1.9, standard_deviation=0.6)
    assert [criterion.name for criterion in found.criteria] == ["optimism", "residual", "mean"]
    assert all(math.isnan(criterion.shrinkage) for criterion in found.criteria)


@pytest.mark.parametrize(
    ("kind", "stated", "named"),
    [
        ("binary", {"prevalence": 0.2, "r2": 0.1, "rate": 3.0}, "--rate"),
        ("survival", {"rate": 0.1, "horizon": 2.0, "follow_up": 2.0, "r2": 0.1, "c_statistic": 0.8}, "--c-statistic"),
        ("continuous", {"r2": 0.2, "mean": 1.0, "standard_deviation": 1.0, "nagelkerke_r2": 0.1}, "--nagelkerke-r2"),
        ("binary", {"r2": 0.1}, "--prevalence"),
    ],
)
def test_what_another_kind_of_outcome_needs_is_refused_and_what_this_one_lacks_is_named(
    kind: Any, stated: Any, named: str
) -> None:
    with pytest.raises(Refused, match=f"{named} (says nothing|is not given)"):
        sample_size(kind, parameters=10, **stated)


@given(
    parameters=st.integers(1, 500),
    prevalence=st.floats(0.001, 0.999),
    share=st.floats(0.001, 0.99),
    shrinkage=st.floats(0.8, 0.99),
)
def test_with_the_patients_asked_for_shrinkage_and_margin_are_kept(
    parameters: int, prevalence: float, share: float, shrinkage: float
) -> None:
    r2 = share * max_r2_binary(prevalence)
    assume(1e-5 <= r2 < max_r2_binary(prevalence))
    found = for_binary(parameters=parameters, prevalence=prevalence, r2_cox_snell=r2, shrinkage=shrinkage)
    assert expected_shrinkage(found.n, parameters=parameters, r2_cox_snell=r2) >= shrinkage - 1e-6
    assert 1.96 * math.sqrt(prevalence * (1 - prevalence) / found.n) <= 0.05 + 1e-9
