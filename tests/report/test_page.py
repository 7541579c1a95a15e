"""The page holds everything that the study found, in the order in which a reader asks."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from prognoscope.core.flow import Flow
from prognoscope.report import (
    LeftOut,
    Repeatability,
    ReportContent,
    Subgroup,
    Success,
    render,
    render_validation,
)
from prognoscope.report.glossary import metric_words
from prognoscope.report.rounding import figure, interval
from prognoscope.validation.results import Guard, Metric
from tests.make.evaluation import NO_SIGNAL, evaluation, without_curves
from tests.make.report import STUDIES, content, generated, survival
from tests.report.pages import elements, page, read, section

ORDER = ["answer", "trust", "participants", "cohort", "performance", "scrutiny", "importance", "subgroups", "methods"]


def text_of(made: ReportContent) -> str:
    """All text of a page, without its curves."""
    return words_of(render(replace(made, evaluation=without_curves(made.evaluation))))


def words_of(html: str) -> str:
    return " ".join(read(html)[0].text.split())


@pytest.mark.parametrize("study", ["strong", "survival", "hostile"])
def test_two_renderings_of_one_content_are_equal_byte_for_byte(study: str) -> None:
    assert render(STUDIES[study]()).encode() == page(study).encode()


@pytest.mark.parametrize("study", STUDIES)
def test_the_sections_come_in_the_order_in_which_a_reader_asks(study: str) -> None:
    assert [element.attributes["id"] for element in elements(study) if element.tag == "section"] == ORDER


@pytest.mark.parametrize("study", STUDIES)
def test_the_table_of_contents_leads_to_every_section(study: str) -> None:
    links = [
        element.attributes["href"] for element in elements(study) if element.tag == "a" and "ol" in element.parents
    ]
    assert links == [f"#{anchor}" for anchor in ORDER]


@pytest.mark.parametrize("study", ["strong", "no-signal", "survival", "tiny", "not-a-number"])
def test_every_metric_of_every_model_stands_on_the_page_with_interval_or_reason(study: str) -> None:
    shown = section(study, "performance")
    for model in STUDIES[study]().evaluation.models:
        for name, metric in model.metrics.items():
            words = metric_words(name)
            assert words.title in shown
            for expected in expected_cell(metric, words.decimals):
                assert expected in shown, (model.name, name, expected)


def expected_cell(metric: Metric, decimals: int) -> list[str]:
    if math.isnan(metric.estimate):
        return ["not computable", metric.reason]
    ends = interval(metric.low, metric.high, decimals)
    return [figure(metric.estimate, decimals), ends or metric.reason]


def test_a_metric_that_the_glossary_does_not_know_is_shown_under_its_own_name() -> None:
    base = evaluation()
    main = replace(base.models[0], metrics={**base.models[0].metrics, "odd_ratio": Metric(1.2345, 1.0, 1.5, 180, 71)})
    text = text_of(content(replace(base, models=(main, *base.models[1:]))))
    assert "Odd ratio" in text
    assert "1.234" in text


def test_every_difference_between_models_stands_on_the_page() -> None:
    shown = section("strong", "performance")
    assert "All predictors − Clinical variables only" in shown
    assert "All predictors − Imaging only" in shown
    assert "0.16" in shown
    assert "0.08 to 0.24" in shown


def test_net_benefit_is_told_in_numbers_at_round_thresholds() -> None:
    base = evaluation()
    decision = base.models[0].decision
    assert 0.31 in decision.model.x
    assert 0.3 not in decision.model.x
    shown = section("strong", "performance")
    assert "Net benefit per 100 patients at some thresholds" not in shown
    x = tuple(round(value + 0.01, 2) for value in decision.model.x)
    models = tuple(
        replace(bare, decision=replace(model.decision, model=replace(model.decision.model, x=x)))
        for bare, model in zip(without_curves(base).models, base.models, strict=True)
    )
    text = words_of(render(content(replace(base, models=models))))
    assert "Net benefit per 100 patients at some thresholds" in text
    place = x.index(0.3)
    assert figure(100 * decision.model.y[place], 1) in text
    assert figure(100 * decision.treat_all[place], 1) in text


@pytest.mark.parametrize("study", ["strong", "forty-exclusions", "tiny"])
def test_every_excluded_patient_stands_on_the_page_with_the_problem(study: str) -> None:
    shown = section(study, "participants")
    flow = STUDIES[study]().flow
    assert flow is not None
    assert flow.exclusions
    for exclusion in flow.exclusions:
        problem = exclusion.problem
        for text in (exclusion.patient_id, problem.subject, problem.found, problem.remedy, problem.code):
            assert text in shown


def test_the_flow_counts_patients_step_by_step() -> None:
    shown = section("forty-exclusions", "participants")
    assert "220 patients found" in shown
    assert "10 excluded: Eligibility Not eligible: 10" in shown
    assert "210 patients remained" in shown
    assert "20 excluded: Images No images: 10 Slices missing: 10" in shown
    assert "190 patients remained" in shown
    assert "10 excluded: Regions of interest" in shown
    assert "180 patients took part: 71 with the event, 109 without" in shown


def test_the_flow_of_a_survival_study_tells_who_was_lost_before_the_horizon() -> None:
    shown = section("survival", "participants")
    assert "51 patients took part: 19 with the event by the horizon, 26 without, 6 censored before it" in shown


def test_nobody_excluded_is_said() -> None:
    assert "Nobody was excluded." in section("no-signal", "participants")


def test_notes_that_exclude_nobody_are_listed_once() -> None:
    base = content()
    assert base.flow is not None
    text = text_of(replace(base, notes=base.flow.notes))
    assert text.count("an SH value is longer than its 16 characters") == 1
    assert "value-too-long" in text


def test_an_unknown_flow_is_said_to_be_unknown() -> None:
    assert "Not known: the flow of participants was not given." in text_of(replace(content(), flow=None))


def test_guards_stand_failed_first_with_their_evidence() -> None:
    guards = (
        Guard("shortcut", "passed", "scanner alone: AUC 0.52"),
        Guard("sample-size", "warned", "0.05 events per candidate"),
        Guard("duplicate-patients", "failed", "patients A and B share pixels", blocks=True),
    )
    made = content(replace(evaluation(), guards=guards))
    shown = text_of(replace(made, overrides={"duplicate-patients": "A and B are twins, checked by M. Curie"}))
    assert "1 passed, 1 warned, 1 failed" in shown
    places = [shown.index(text) for text in ("Patients A and B share pixels.", "0.05 events per", "Scanner alone")]
    assert places == sorted(places)
    assert "blocks the bundle" in shown
    assert "Overridden in writing: A and B are twins, checked by M. Curie" in shown


def test_no_guard_run_is_said() -> None:
    assert "No guard was run." in text_of(content(replace(evaluation(), guards=())))


@pytest.mark.parametrize(
    ("met", "words"),
    [(True, "criterion met:"), (False, "criterion not met:"), (None, "criterion could not be judged:")],
)
def test_a_success_criterion_opens_the_page_as_met_or_not(met: bool | None, words: str) -> None:
    success = Success("AUC of at least 0.70", met, "AUC 0.82 (0.74 to 0.90)", "recorded on 2026-11-20 as 1f0c")
    text = text_of(replace(content(), success=success))
    assert f"Success {words} AUC of at least 0.70. AUC 0.82 (0.74 to 0.90). Recorded on 2026-11-20 as 1f0c." in text
    assert text.index("Success criterion") < text.index("Of 100 pairs")


def test_of_a_generated_cohort_the_best_achievable_figure_stands_beside_the_one_reached() -> None:
    text = text_of(generated())
    assert (
        "The best AUC that any predictor could reach is 0.86; this one reached 0.82 (95 % interval 0.74 to 0.90)."
        in text
    )


def test_a_bundle_that_was_not_written_says_why() -> None:
    assert "No bundle was written. The guard duplicate-patients failed." in section("tiny", "answer")


def test_research_only_stands_with_its_reasons() -> None:
    assert "For research only. The predictor is marked so: sample size and no signal." in section("no-signal", "answer")


def test_a_guard_named_as_a_reason_is_told_in_its_words() -> None:
    made = replace(
        content(), research_only=True, research_reasons=("duplicate-patients", "the table has 3 days missing")
    )
    assert "marked so: one patient under two names and the table has 3 days missing." in text_of(made)


def test_what_mattered_stands_with_how_often_it_was_selected() -> None:
    shown = section("strong", "importance")
    assert "Volume of the lesion in PET (mm³) PT.GTV_Mass.morph_volume 92 % 0.061 0.020 to 0.113" in shown
    assert "PT.GTV_Mass.fbn32.szm_sze 16 %" in shown
    assert "Elastic net in 17 folds" in shown
    assert "Importances of the predictors were not computed." in section("tiny", "importance")


def test_groups_of_patients_stand_with_figures_or_the_reason_why_not() -> None:
    shown = section("survival", "subgroups")
    assert "Sex: female 24 9 0.70 0.52 to 0.88" in shown
    assert "suppressed: fewer than 10 patients" in shown
    assert "Not examined" in section("strong", "subgroups")


def test_groups_with_different_metrics_are_aligned() -> None:
    at = Metric(0.5, 0.4, 0.6, 9, 3)
    groups = (Subgroup("Site", "A", 9, 3, {"brier": at}), Subgroup("Site", "B", 9, 3, {"auc": at}))
    text = text_of(replace(content(), subgroups=groups))
    assert "Site: A 9 3 not given 0.500" in text
    assert "Site: B 9 3 0.50 0.40 to 0.60 not given" in text


def test_every_setting_version_and_hash_stands_on_the_page() -> None:
    made, shown = content(), section("strong", "methods")
    for text in ("days_mri_to_pet", "region: GTV_Mass*", "resamples: 2000", "choose: inner", "seed: 1"):
        assert text in shown
    for name, version in made.versions.items():
        assert f"{name} {version}" in shown
    for name, digest in made.hashes.items():
        assert f"{name} {digest}" in shown
    assert "PT.GTV_Mass.morph_volume Volume of the lesion in PET mm³ imaging Time zero" in shown


def test_the_counts_stand_with_what_was_ever_tried_on_the_cohort() -> None:
    shown = section("survival", "trust")
    for text in ("Outer folds 5", "Inner folds, for tuning and choice 3", "each interval 2,000", "cohort 96"):
        assert text in shown
    assert "Patients censored before the horizon 6" in shown


def test_no_signal_is_said_before_anything_else() -> None:
    shown = section("no-signal", "answer")
    assert shown.startswith("1 The answer No better than a coin, as far as this study can tell No signal: of 100 pairs")


def test_a_validation_of_foreign_predictions_has_no_flow_and_no_importances() -> None:
    text = render_validation(
        replace(without_curves(evaluation()), guards=(NO_SIGNAL,)),
        study="predictions.csv",
        outcome="death in hospital",
        made_on="2026-11-25",
        version="0.1.0",
        hashes={"predictions.csv": "ab" * 32},
    )
    found = read(text)
    anchors = [element.attributes["id"] for element in found if element.tag == "section"]
    assert anchors == ["answer", "trust", "performance", "scrutiny", "subgroups", "methods"]
    whole = words_of(text)
    assert "How well do these predictions foretell the event (death in hospital)?" in whole
    assert "Whether these patients are others than those from whom the predictor was learnt was not stated" in whole
    assert "ab" * 32 in whole
    for metric in evaluation().models[0].metrics.values():
        assert figure(metric.estimate) in whole


def test_a_validation_can_state_its_question_and_that_it_is_external() -> None:
    text = render_validation(
        without_curves(evaluation()), study="x", outcome="y", question="Does it travel?", external_validation=True
    )
    assert "<h1>Does it travel?</h1>" in text
    assert "was not stated" not in text
    assert "no external validation" not in text


def test_a_survival_study_shows_kaplan_meier_and_no_roc() -> None:
    keys = [element.attributes.get("id", "") for element in elements("survival")]
    assert "fig-risk-groups-title" in keys
    assert "fig-roc-title" not in keys
    assert "fig-roc-title" in [element.attributes.get("id", "") for element in elements("strong")]


def test_a_study_with_one_model_is_compared_with_nothing() -> None:
    base = evaluation()
    alone = replace(base, models=base.models[:1], comparisons=())
    text = text_of(content(alone))
    assert "clinical variables alone" not in text
    assert "Differences between models" not in text


def test_an_empty_flow_and_no_settings_leave_no_empty_headings() -> None:
    made = ReportContent("bare", "Is it so?", "the event", evaluation(), flow=Flow(()))
    shown = text_of(made)
    for heading in ("Settings, as used", "Versions", "Data, by SHA-256", "Time by stage", "Predictors offered"):
        assert heading not in shown


def test_subgroups_given_are_no_longer_a_limit() -> None:
    assert "Whether it does worse in some groups of patients was not examined." not in text_of(survival())


REPEATABLE = Repeatability(
    rules=("PT: a feature is used where ICC(1,1) is at least 0.75",),
    rated=40,
    always=3,
    sometimes=2,
    counted=True,
    rows=(LeftOut("PT.GTV.<stat>_min", "minimum <b>intensity</b>", 0.36), LeftOut("PT.GTV.stat_kurt", "kurtosis", 1.0)),
)


def test_features_left_out_for_the_contour_are_told_with_rule_count_and_share() -> None:
    text = text_of(replace(content(), repeatability=REPEATABLE))
    assert "PT: a feature is used where ICC(1,1) is at least 0.75." in text
    assert "Of 40 features judged in each of the outer folds anew, 3 were left out in every fold and 2 in some." in text
    assert "The first 2 of the features left out, those of some folds before those of all" in text
    assert "Minimum <b>intensity</b>" in text, "a name is text, whatever it holds"
    assert "36 % of the folds" in text
    assert "100 % of the folds" in text


def test_with_bootstraps_no_share_of_folds_is_claimed() -> None:
    text = text_of(replace(content(), repeatability=replace(REPEATABLE, counted=False, rows=(), always=0, sometimes=0)))
    assert "40 features were judged, in each bootstrap anew." in text
    assert "left out in every fold" not in text


def test_where_no_feature_had_to_be_repeatable_nothing_is_said_of_it() -> None:
    assert "another contour" not in text_of(content())
