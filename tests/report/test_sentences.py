"""The answer in plain sentences: what is said, and what is never said."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from prognoscope.report.calibration_words import calibration_in_words
from prognoscope.report.sentences import (
    added_value,
    answer,
    benefit_added,
    benefit_in_words,
    comparisons_in_words,
    integrated_in_words,
    lead,
    pairs_of_hundred,
    verdict_of,
    warnings_in_words,
)
from prognoscope.validation.results import (
    Calibration,
    Curve,
    Difference,
    Evaluation,
    Guard,
    LikelihoodRatio,
    Metric,
    TimeCourse,
)
from tests.make.evaluation import NO_SIGNAL, PASSED, SIGNAL, evaluation, not_computable, survival_evaluation
from tests.make.report import content, no_signal, survival

NAN = math.nan
LEAK = Guard("duplicate-patients", "failed", "A and B share pixels", blocks=True)


def with_main(base: Evaluation, **metrics: Metric) -> Evaluation:
    main = replace(base.models[0], metrics={**base.models[0].metrics, **metrics})
    return replace(base, models=(main, *base.models[1:]))


def without_curve(base: Evaluation) -> Evaluation:
    main = replace(base.models[0], calibration=Calibration(Curve((), ()), ()))
    return replace(base, models=(main, *base.models[1:]))


def at(estimate: float, low: float, high: float) -> Metric:
    return Metric(estimate, low, high, 180, 71)


def test_a_signal_is_told_in_pairs_with_its_interval_a_coin_and_the_clinic() -> None:
    assert lead(evaluation(), "signal") == (
        "Of 100 pairs of patients (one with the event, one without), the predictor gives the higher risk to the one "
        "with the event in 82 (AUC 0.82, 95 % interval 0.74 to 0.90), where a coin would be right in 50 and the "
        "clinical variables alone in 66."
    )


def test_no_signal_is_the_first_word() -> None:
    told = answer(no_signal())
    assert told.verdict == "no-signal"
    assert told.sentence == (
        "No signal: of 100 pairs of patients (one with the event, one without), the predictor gives the higher risk to "
        "the one with the event in 48 (AUC 0.48, 95 % interval 0.32 to 0.64), where a coin would be right in 50 and "
        "the clinical variables alone in 55."
    )


def test_a_survival_study_speaks_of_who_had_the_event_first() -> None:
    told = answer(survival())
    assert told.sentence == (
        "Of 100 pairs of patients (where it is known who had the event first), the predictor gives the higher risk to "
        "that patient in 66 (C-index 0.66, 95 % interval 0.53 to 0.79), where a coin would be right in 50 and the "
        "clinical variables alone in 61."
    )
    assert told.more[0] == (
        "The event, death within 730 days of the scans, happened in 19 of 51 patients; 6 patients were followed for "
        "less than 730 days (2.0 years) without it."
    )


def test_in_a_survival_study_without_censoring_nobody_was_lost() -> None:
    made = replace(survival(), evaluation=replace(survival_evaluation(), censored_before_horizon=0))
    assert answer(made).more[0].endswith("happened in 19 of 51 patients; nobody was lost before 730 days (2.0 years).")


def test_the_frequency_of_the_event_is_told_out_of_a_hundred() -> None:
    assert answer(content()).more[0] == (
        "The event, lung metastasis within 365 days of the scans, happened in 71 of 180 patients: 39 of 100 patients "
        "like these."
    )


@pytest.mark.parametrize(
    ("auc", "guards", "verdict"),
    [
        (at(0.82, 0.74, 0.90), (SIGNAL,), "clear"),
        (at(0.82, 0.74, 0.90), (), "clear"),
        (at(0.80, 0.70, 0.90), (), "clear"),
        (at(0.80, 0.699, 0.90), (SIGNAL,), "signal"),
        (at(0.65, 0.55, 0.75), (SIGNAL,), "signal"),
        (at(0.72, 0.549, 0.90), (SIGNAL,), "faint"),
        (at(0.60, 0.501, 0.72), (), "faint"),
        (at(0.60, 0.48, 0.72), (SIGNAL,), "unsure"),
        (at(0.60, 0.50, 0.72), (), "unsure"),
        (at(0.60, NAN, NAN), (), "unsure"),
        (at(0.60, 0.51, 0.72), (NO_SIGNAL,), "no-signal"),
        (at(0.50, 0.40, 0.60), (), "no-signal"),
        (at(0.45, 0.30, 0.60), (SIGNAL,), "no-signal"),
        (at(0.30, 0.20, 0.40), (NO_SIGNAL,), "reversed"),
        (at(1.0, NAN, NAN), (SIGNAL,), "too-good"),
        (at(0.99, 0.97, 1.00), (SIGNAL,), "too-good"),
        (at(0.98, 0.95, 1.00), (SIGNAL,), "clear"),
        (not_computable("suppressed: fewer than 20 patients", n=5, events=1), (), "too-few"),
        (not_computable("no patient had the event", n=180, events=0), (), "unknown"),
        (at(0.99, 0.97, 1.00), (SIGNAL, LEAK), "leaking"),
        (at(0.82, 0.74, 0.90), (*PASSED, SIGNAL), "clear"),
        (at(NAN, NAN, NAN), (LEAK,), "unknown"),
    ],
)
def test_the_verdict_never_says_more_than_guard_and_interval(
    auc: Metric, guards: tuple[Guard, ...], verdict: str
) -> None:
    assert verdict_of(replace(with_main(evaluation(), auc=auc), guards=guards)) == verdict


def test_a_failed_guard_that_does_not_block_is_no_leak() -> None:
    guard = Guard("folds-differ", "failed", "the folds differ")
    assert verdict_of(replace(evaluation(), guards=(guard,))) == "clear"


def test_a_leak_stands_before_the_figure() -> None:
    base = replace(evaluation(), guards=(LEAK,))
    told = answer(content(base))
    assert told.label == "A guard against leakage failed"
    assert told.sentence.startswith("Not to be believed: of 100 pairs")


def test_an_auc_that_cannot_be_computed_says_why_and_compares_nothing() -> None:
    told = answer(content(with_main(evaluation(), auc=not_computable("no event in fold 3", n=180, events=71))))
    assert told.sentence == "The AUC could not be computed: no event in fold 3."
    assert not any("better than" in sentence for sentence in told.more)


def test_an_evaluation_without_discrimination_says_so() -> None:
    base = evaluation()
    main = replace(base.models[0], metrics={"brier": at(0.2, 0.1, 0.3)})
    told = answer(content(replace(base, models=(main,), comparisons=())))
    assert told.verdict == "unknown"
    assert told.sentence == "The evaluation holds no measure of discrimination, so the question has no answer here."


def test_without_a_clinical_model_only_a_coin_is_compared() -> None:
    base = evaluation()
    alone = replace(base, models=base.models[:1], comparisons=())
    assert lead(alone, "signal").endswith("where a coin would be right in 50.")


def test_a_foreign_reference_is_named_by_its_title() -> None:
    base = evaluation()
    other = replace(base.models[1], name="euroscore", title="EuroSCORE II")
    pair = replace(
        base, models=(base.models[0], other), comparisons=(replace(base.comparisons[0], reference="euroscore"),)
    )
    assert lead(pair, "signal").endswith("a coin would be right in 50 and “EuroSCORE II” in 66.")
    assert added_value(pair).startswith("It does better than “EuroSCORE II”: difference in AUC 0.16")


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (
            at(0.16, 0.08, 0.24),
            "It does better than the clinical variables alone: difference in AUC 0.16 (95 % interval",
        ),
        (at(0.05, -0.04, 0.14), "It has not been shown to do better than the clinical variables alone: difference"),
        (at(0.05, 0.0, 0.14), "It has not been shown to do better than the clinical variables alone: difference"),
        (at(-0.1, -0.2, -0.01), "It does worse than the clinical variables alone: difference in AUC −0.10"),
        (at(0.2, NAN, NAN), "It has not been shown to do better than the clinical variables alone: difference"),
    ],
)
def test_added_value_is_only_claimed_when_its_interval_excludes_none(difference: Metric, words: str) -> None:
    base = evaluation()
    compared = replace(base.comparisons[0], differences={"auc": difference})
    assert added_value(replace(base, comparisons=(compared,))).startswith(words)


def test_the_wrong_way_round_is_told_with_what_to_look_for() -> None:
    told = answer(content(with_main(evaluation(), auc=at(0.26, 0.22, 0.30))))
    assert told.label == "Worse than a coin: the risks run the wrong way"
    assert "coin" in told.sentence
    assert "coded the wrong way round" in told.more[0]


def test_a_perfect_ranking_is_told_with_what_to_suspect() -> None:
    told = answer(content(with_main(evaluation(), auc=at(1.0, 0.99, 1.0))))
    assert told.label == "Too good to be true, until it is explained"
    assert "not ruled out" not in told.label
    assert "look for the outcome itself" in told.more[0]


def test_too_few_patients_get_the_minimum_and_no_figure() -> None:
    small = replace(
        with_main(evaluation(), auc=not_computable("suppressed: fewer than 20 patients", n=5, events=1)), n=5, events=1
    )
    told = answer(content(small))
    assert told.sentence == "5 patients, 1 of them with the event: too few for any figure."
    assert pairs_of_hundred(small) == ()
    assert told.more[0].startswith("No figure is given below 20 patients, or below 5 with or 5 without the event")


@pytest.mark.parametrize(("events", "verdict"), [(9, "few-events"), (10, "clear"), (170, "clear"), (171, "few-events")])
def test_fewer_than_ten_of_a_kind_give_no_verdict(events: int, verdict: str) -> None:
    base = replace(with_main(evaluation(), auc=at(0.82, 0.74, 0.90)), events=events)
    assert verdict_of(base) == verdict
    assert lead(base, verdict_of(base)).startswith("Of 100 pairs")


def test_tests_of_two_models_are_told_with_what_they_test() -> None:
    base = evaluation()
    tested = replace(
        base.comparisons[0],
        delong=Difference(0.82, 0.66, 0.16, 0.08, 0.24, 0.0004),
        likelihood_ratio=LikelihoodRatio(12.34, 1, 0.0004),
    )
    assert comparisons_in_words(replace(base, comparisons=(tested,))) == (
        "All predictors and Clinical variables only: DeLong's test of the AUCs, difference 0.160, 95 % interval 0.080 "
        "to 0.240, p below 0.001.",
        "All predictors added to Clinical variables only: likelihood ratio test, χ² 12.3, 1 degree of freedom, p below "
        "0.001.",
    )
    nothing = replace(
        tested,
        delong=Difference(1.0, 0.5, 0.5, NAN, NAN, NAN, "no variance"),
        likelihood_ratio=LikelihoodRatio(NAN, 1, NAN, "separation"),
    )
    assert comparisons_in_words(replace(base, comparisons=(nothing,))) == (
        "All predictors and Clinical variables only: no test of the AUCs (no variance).",
        "All predictors added to Clinical variables only: no likelihood ratio test (separation).",
    )


def test_a_band_that_holds_no_difference_says_so() -> None:
    base = evaluation()
    curve = Curve((0.1, 0.2), (0.0, 0.02), (-0.1, -0.01), (0.1, 0.03))
    told = benefit_added(replace(base, comparisons=(replace(base.comparisons[0], net_benefit=curve),)))
    assert told == (
        "All predictors against Clinical variables only: net benefit not shown to differ at any threshold (pointwise "
        "95 % bands of the difference).",
    )
    assert benefit_added(base) == ()


def test_the_integrated_score_is_told_with_its_days_and_what_everyone_s_risk_gives() -> None:
    base = survival_evaluation()
    curve = Curve((180.0, 730.0), (0.1, 0.2), (0.0, 0.1), (0.2, 0.3))
    course = TimeCourse(curve, curve, (0.2, 0.2), at(0.15, 0.1, 0.2), at(0.25, 0.05, 0.45))
    assert integrated_in_words(replace(base, models=(replace(base.models[0], over_time=course),))) == (
        "All predictors: integrated Brier score from day 180 to day 730 0.150 (95 % interval 0.100 to 0.200); "
        "improvement over the Kaplan-Meier risk for everyone 0.25 (95 % interval 0.05 to 0.45) (1 is perfect).",
    )
    assert integrated_in_words(base) == ()


def test_many_runs_of_thresholds_are_told_by_the_longest_three() -> None:
    base = evaluation().models[0]
    x = tuple(step / 100 for step in range(1, 15))
    better = {1, 2, 4, 6, 7, 8, 10, 12, 13}
    y = tuple(0.5 if round(100 * value) in better else -1.0 for value in x)
    decision = replace(base.decision, model=Curve(x, y), treat_all=(0.0,) * len(x))
    assert "at 9 of 14 thresholds (1 to 2 %, 6 to 8 % and 12 to 13 % and some others)." in benefit_in_words(
        replace(base, decision=decision)
    )


def test_added_value_that_cannot_be_computed_says_why() -> None:
    base = evaluation()
    compared = replace(
        base.comparisons[0], differences={"auc": not_computable("undefined for clinical", n=9, events=3)}
    )
    assert added_value(replace(base, comparisons=(compared,))) == (
        "What the predictor adds to the clinical variables alone could not be computed (undefined for clinical)."
    )


@pytest.mark.parametrize(
    ("intercept", "slope", "words"),
    [
        (at(0.0, -0.3, 0.3), at(1.0, 0.7, 1.3), "No miscalibration was shown, though with 71 events a moderate one"),
        (at(0.0, -0.3, 0.3), at(1.0, -0.1, 2.1), "Whether the risks are right cannot be told from 71 events:"),
        (at(0.5, 0.2, 0.8), at(1.0, 0.7, 1.3), "The risks cannot be taken at face value, they are too low on average:"),
        (
            at(-0.5, -0.8, -0.2),
            at(1.0, 0.7, 1.3),
            "The risks cannot be taken at face value, they are too high on average:",
        ),
        (
            at(0.0, -0.3, 0.3),
            at(0.5, 0.3, 0.8),
            "The risks cannot be taken at face value, they are too far apart (they",
        ),
        (
            at(0.0, -0.3, 0.3),
            at(1.6, 1.2, 2.1),
            "The risks cannot be taken at face value, they are too near to one",
        ),
        (
            at(0.5, 0.2, 0.8),
            at(0.5, 0.3, 0.8),
            "The risks cannot be taken at face value, they are too low on average and too far apart (they differ "
            "between patients more than what happens does): calibration intercept 0.50 (95 % interval 0.20 to 0.80), "
            "slope 0.50 (95 % interval 0.30 to 0.80).",
        ),
    ],
)
def test_calibration_is_told_by_what_the_intervals_exclude(intercept: Metric, slope: Metric, words: str) -> None:
    base = with_main(without_curve(evaluation()), calibration_intercept=intercept, calibration_slope=slope)
    assert calibration_in_words(base).startswith(words)


def test_calibration_that_cannot_be_computed_is_not_told() -> None:
    gone = not_computable("all risks are equal", n=180, events=71)
    assert calibration_in_words(with_main(evaluation(), calibration_slope=gone)) == ""


def test_calibration_without_interval_is_not_called_good() -> None:
    bare = {name: at(value, NAN, NAN) for name, value in (("calibration_intercept", 0.0), ("calibration_slope", 1.0))}
    assert "could not be judged" in calibration_in_words(with_main(evaluation(), **bare))


def test_guards_that_did_not_pass_are_named_in_the_answer() -> None:
    warned = Guard("sample-size", "warned", "too few")
    base = replace(evaluation(), guards=(*PASSED, LEAK, warned, NO_SIGNAL))
    assert warnings_in_words(base) == (
        "1 guard failed (one patient under two names) and 2 guards warned (sample size and no signal); read the "
        "evidence before using any figure of this page."
    )
    assert warnings_in_words(replace(base, guards=PASSED)) == ""


def test_pairs_out_of_a_hundred_stand_for_every_model_and_the_coin() -> None:
    rows = pairs_of_hundred(evaluation())
    assert [(row.title, row.right) for row in rows] == [
        ("All predictors", 82),
        ("Clinical variables only", 66),
        ("Imaging only", 79),
        ("A coin", 50),
    ]
    assert rows[0].note == "interval 74 to 90"


def test_a_model_without_the_metric_has_no_pairs() -> None:
    base = evaluation()
    bare = replace(base.models[1], metrics={})
    assert pairs_of_hundred(replace(base, models=(base.models[0], bare)))[1].right is None


def test_net_benefit_is_told_by_where_it_is_highest() -> None:
    base = evaluation().models[0]
    decision = replace(
        base.decision, model=Curve((0.1, 0.2, 0.3, 0.4), (0.3, 0.25, NAN, -0.1)), treat_all=(0.3, 0.2, 0.1, 0.0)
    )
    model = replace(base, decision=decision)
    assert benefit_in_words(model) == (
        "All predictors: better than treating everyone and than treating nobody at 1 of 3 thresholds at which it can "
        "be computed (20 %)."
    )


def test_net_benefit_that_is_nowhere_highest_says_so() -> None:
    base = evaluation().models[0]
    decision = replace(base.decision, model=Curve((0.1, 0.2), (0.1, -0.1)), treat_all=(0.3, 0.2))
    assert benefit_in_words(replace(base, decision=decision)) == (
        "All predictors: better than treating everyone or nobody at none of 2 thresholds."
    )
