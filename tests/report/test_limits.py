"""The limits of a study in plain words, each made from a number of the study."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prognoscope.report.content import ReportContent
from prognoscope.report.limits import limits
from prognoscope.validation.results import Metric
from tests.make.evaluation import evaluation, not_computable, survival_evaluation
from tests.make.report import content, no_signal, survival


def sentence(made: ReportContent, beginning: str) -> str:
    """The one limit that begins so; an empty text for none."""
    found = [text for text in limits(made) if text.startswith(beginning)]
    assert len(found) <= 1
    return "".join(found)


def test_the_sarcoma_study_says_its_limits_from_its_numbers() -> None:
    assert limits(no_signal()) == (
        "51 patients, 19 of them with the event: a small study. A validation should have at least 100 patients with "
        "and 100 without the event (Collins 2016); here there are 19 with it.",
        "The interval of the AUC is wide: from 32 to 64 of 100 pairs ranked rightly. A coin lies within it, so the "
        "study cannot tell a useful predictor from a useless one.",
        "19 events for 354 candidate parameters, 0.05 each (a rule of thumb asks for 10 or more): which predictors "
        "were chosen is largely luck, and another sample would choose others.",
        "All patients come from one source (McGill University Health Centre); there is no external validation, so "
        "how it does elsewhere or later is not known.",
        "96 model settings have been tried on this cohort so far, other runs included; the more are tried, the more a "
        "good figure is luck.",
        "Whether it does worse in some groups of patients was not examined.",
        "Intervals are the 2.5 and 97.5 percentiles over 2,000 resamples of the patients' out-of-fold risks; they are "
        "conditional on the fitted models and do not contain the uncertainty of fitting them.",
    )


def test_patients_lost_before_the_horizon_are_counted() -> None:
    assert sentence(survival(), "6 patients") == (
        "6 patients were followed for less than 730 days (2.0 years) without the event (12 of 100): what happened to "
        "them is weighted for, not known."
    )


def test_one_patient_lost_is_told_in_the_singular() -> None:
    made = replace(survival(), evaluation=replace(survival_evaluation(), censored_before_horizon=1))
    assert sentence(made, "1 patient").startswith("1 patient was followed for less than 730 days")


def test_nobody_lost_is_no_limit() -> None:
    made = replace(survival(), evaluation=replace(survival_evaluation(), censored_before_horizon=0))
    assert not [text for text in limits(made) if "followed for less" in text]


def test_a_large_study_is_not_called_small() -> None:
    made = content(evaluation(n=900, events=300))
    assert sentence(made, "900 patients") == (
        "900 patients, 300 of them with the event: enough to estimate discrimination, yet only of patients like these."
    )


def test_a_common_event_makes_those_without_it_the_few() -> None:
    made = content(evaluation(n=300, events=260))
    assert sentence(made, "300 patients").endswith("here there are 40 without it.")


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [(0.80, 0.84, False), (0.74, 0.90, True), (0.45, 0.55, True), (float("nan"), float("nan"), False)],
)
def test_only_a_wide_interval_is_a_limit(low: float, high: float, told: bool) -> None:
    base = evaluation()
    main = replace(
        base.models[0], metrics={"auc": Metric(0.5 * (low + high) if low == low else 0.8, low, high, 180, 71)}
    )
    assert bool(sentence(content(replace(base, models=(main,))), "The interval of")) is told


@pytest.mark.parametrize(
    ("candidates", "told"), [(None, ""), (0, ""), (7, ""), (8, "8.9 each"), (354, "0.2 each"), (1000, "0.07 each")]
)
def test_events_for_each_candidate_parameter_are_told_when_few(candidates: int | None, told: str) -> None:
    text = sentence(replace(content(), candidate_parameters=candidates), "71 events for")
    assert told in text
    assert bool(text) is bool(told)


def test_several_sources_are_still_no_external_validation() -> None:
    made = replace(content(), sources=("A", "B", "C"))
    assert sentence(made, "The patients come from 3 sources") == (
        "The patients come from 3 sources, and each helped to make the predictor; there is no external validation, so "
        "how it does elsewhere or later is not known."
    )
    assert sentence(replace(content(), sources=()), "Where the patients come from was not given; there is no external")


def test_an_external_validation_is_not_called_missing() -> None:
    assert not [text for text in limits(replace(content(), external_validation=True)) if "external" in text]


def test_predictions_of_unknown_origin_say_that_it_was_not_stated() -> None:
    made = replace(content(), external_validation=None)
    assert sentence(made, "Whether these patients are others than those from whom the predictor was learnt")


def test_who_did_not_take_part_is_counted() -> None:
    assert sentence(content(excluded=40), "40 of 220") == (
        "40 of 220 patients considered did not take part (18 of 100); the result holds for patients like those who did."
    )
    assert not [text for text in limits(replace(content(), flow=None)) if "did not take part" in text]


@pytest.mark.parametrize(("tried", "told"), [(None, False), (0, False), (1, False), (2, True)])
def test_settings_tried_on_the_cohort_are_a_limit_from_the_second_on(tried: int | None, told: bool) -> None:
    made = replace(content(), tried_ever=tried)
    assert any("been tried on this cohort" in text for text in limits(made)) is told


def test_figures_that_cannot_be_computed_are_named() -> None:
    base = evaluation()
    gone = not_computable("no event", n=180, events=71)
    main = replace(base.models[0], metrics={**base.models[0].metrics, "brier": gone, "calibration_slope": gone})
    made = content(replace(base, models=(main,)))
    assert sentence(made, "Not computable") == (
        "Not computable for the main model: Brier score and Calibration slope (reasons stand in the table of figures)."
    )


def test_an_evaluation_without_a_word_on_intervals_adds_no_empty_limit() -> None:
    assert all(limits(content(replace(evaluation(), interval=""))))
