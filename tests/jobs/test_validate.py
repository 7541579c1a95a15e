"""Validating predictions of any origin: what is read, refused, computed and written."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.problems import Refused
from prognoscope.jobs.samplesize import sample_size
from prognoscope.jobs.validate import (
    Columns,
    Costs,
    costs_named,
    over_time_named,
    thresholds_named,
    validate_predictions,
)
from prognoscope.validation import auc, average_precision, brier, c_index
from tests.make.validation import binary_cohort, survival_cohort

N = 150


@pytest.fixture
def table(tmp_path: Path) -> Any:
    event, risk = binary_cohort(N, seed=1)
    outcome, later = survival_cohort(N, seed=2)
    random = np.random.default_rng(3)
    frame = pd.DataFrame(
        {
            "patient": [f"{number:04d}" for number in range(N)],
            "died": event.astype(int),
            "p": risk,
            "clinic": np.full(N, 0.3),
            "days": outcome.time_days,
            "event": np.where(outcome.event, "yes", "no"),
            "risk_2y": later,
            "sex": random.choice(["F", "M"], N),
            "site": ["small"] * 3 + ["large"] * (N - 3),
        }
    )
    path = tmp_path / "predictions.csv"
    frame.to_csv(path, index=False)
    return path, frame


def validated(table: Any, *, resamples: int = 200, **columns: Any) -> Any:
    return validate_predictions(table[0], Columns(**columns), resamples=resamples)


def test_a_binary_outcome_gives_the_plain_functions_figures(table: Any) -> None:
    found = validated(table, risk="p", outcome="died")
    metrics = found.evaluation.models[0].metrics
    assert metrics["auc"].estimate == pytest.approx(auc(table[1].died, table[1].p))
    assert metrics["brier"].estimate == pytest.approx(brier(table[1].died, table[1].p))
    assert found.document["models"]["p"]["metrics"]["auc"]["estimate"] == metrics["auc"].estimate
    assert [row.threshold for row in found.thresholds] == [0.05, 0.1, 0.2, 0.3, 0.4, 0.5]


def test_a_time_to_event_gives_concordance_and_who_was_lost(table: Any) -> None:
    found = validated(table, risk="risk_2y", time="days", event="event", horizon_days=730.0)
    frame = table[1]
    expected = c_index(frame.days, frame.event == "yes", frame.risk_2y)
    assert found.evaluation.models[0].metrics["c_index"].estimate == pytest.approx(expected)
    assert found.document["outcome"]["censored_before_horizon"] == ((frame.event == "no") & (frame.days < 730)).sum()


def test_another_model_is_compared_on_the_same_resamples(table: Any) -> None:
    found = validated(table, risk="p", outcome="died", reference="clinic")
    (comparison,) = found.evaluation.comparisons
    assert (comparison.model, comparison.reference) == ("p", "clinic")
    assert comparison.differences["auc"].estimate > 0
    assert "undefined for clinic" in comparison.differences["calibration_slope"].reason


def test_groups_and_intersections_are_given_and_small_ones_suppressed(table: Any) -> None:
    found = validated(table, risk="p", outcome="died", groups=("sex", "site"))
    by_level = {(one["attribute"], one["level"]): one for one in found.document["groups"]}
    assert "fewer than 20" in by_level["site", "small"]["reason"]
    assert by_level["site", "small"]["metrics"] == {}
    assert by_level["sex", "F"]["metrics"]["auc"]["estimate"] is not None
    assert ("sex × site", "F × large") in by_level
    assert {gap["attribute"] for gap in found.document["gaps"]} == {"sex"}


def test_files_are_written_and_read_back(table: Any, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "validation"
    found = validate_predictions(table[0], Columns(risk="p", outcome="died"), out=out, resamples=200)
    assert json.loads((out / "evaluation.json").read_text()) == json.loads(json.dumps(found.document))
    assert found.report == out / "report.html"
    page = (out / "report.html").read_text()
    assert "<!doctype html>" in page[:100].lower()
    assert "conditional on the fitted models" in page
    assert sorted(path.name for path in out.iterdir()) == ["evaluation.json", "report.html"]


def test_every_figure_that_is_null_says_why(table: Any) -> None:
    document = validated(table, risk="clinic", outcome="died").document
    nulls = {name: metric for name, metric in document["models"]["clinic"]["metrics"].items() if metric["low"] is None}
    assert "calibration_slope" in nulls
    assert all(metric["reason"] for metric in nulls.values())


def test_the_clinic_s_prevalence_moves_the_predictive_values(table: Any) -> None:
    own = validated(table, risk="p", outcome="died").thresholds[2]
    rare = validate_predictions(table[0], Columns(risk="p", outcome="died"), prevalence=0.05, resamples=0).thresholds[2]
    assert rare.sensitivity == own.sensitivity
    assert rare.ppv.estimate < own.ppv.estimate


def test_risks_of_cross_validation_are_compared_within_folds(table: Any, tmp_path: Path) -> None:
    frame = table[1].assign(fold=np.arange(N) % 5)
    path = tmp_path / "cv.csv"
    frame.to_csv(path, index=False)
    found = validated((path, frame), risk="p", outcome="died", fold="fold")
    assert found.evaluation.models[0].metrics["auc"].estimate == pytest.approx(
        auc(frame.died, frame.p, fold=frame.fold)
    )


@pytest.mark.parametrize(
    ("change", "columns", "code"),
    [
        ({}, {"risk": "P_", "outcome": "died"}, "column-missing"),
        ({}, {"risk": "p"}, "outcome-unstated"),
        ({}, {"risk": "p", "time": "days", "event": "event"}, "horizon-missing"),
        ({"p": 1.2}, {"risk": "p", "outcome": "died"}, "risk-range"),
        ({"p": "high"}, {"risk": "p", "outcome": "died"}, "number-expected"),
        ({"p": ""}, {"risk": "p", "outcome": "died"}, "values-missing"),
        ({"died": "2"}, {"risk": "p", "outcome": "died"}, "outcome-values"),
        ({"died": ""}, {"risk": "p", "outcome": "died"}, "outcome-values"),
        ({"days": -3}, {"risk": "p", "time": "days", "event": "event", "horizon_days": 730.0}, "outcome-time"),
    ],
)
def test_bad_input_is_refused_with_its_place(table: Any, tmp_path: Path, change: Any, columns: Any, code: Any) -> None:
    frame = table[1].astype(object)
    for name, value in change.items():
        frame.loc[6, name] = value
    path = tmp_path / "bad.csv"
    frame.to_csv(path, index=False)
    with pytest.raises(Refused) as caught:
        validate_predictions(path, Columns(**columns), resamples=0)
    assert caught.value.problem.code == code
    if change:
        assert "7" in caught.value.problem.subject


def test_a_misspelt_column_is_met_with_the_nearest(table: Any) -> None:
    with pytest.raises(Refused, match="did you mean died"):
        validated(table, risk="p", outcome="dies")


def test_five_patients_have_figures_or_reasons(tmp_path: Path) -> None:
    path = tmp_path / "five.csv"
    pd.DataFrame({"y": [0, 0, 1, 0, 1], "p": [0.1, 0.4, 0.35, 0.8, 0.7], "g": list("abcde")}).to_csv(path, index=False)
    found = validate_predictions(path, Columns(risk="p", outcome="y", groups=("g",)), resamples=200, out=tmp_path / "o")
    assert all(one.reason for one in found.groups)
    assert found.gaps == ()


def test_riley_s_example_by_the_words_of_the_command() -> None:
    assert sample_size("binary", parameters=24, prevalence=0.174, r2=0.288).n == 662
    assert sample_size("survival", parameters=30, rate=0.065, horizon=2, follow_up=2.07, r2=0.051).n == 5143
    assert sample_size("continuous", parameters=25, r2=0.2, mean=1.9, standard_deviation=0.6).n == 918


@pytest.mark.parametrize("kind", ["binary", "survival", "continuous"])
def test_what_is_not_given_is_asked_for_by_its_option(kind: Any) -> None:
    with pytest.raises(Refused, match="sample-size-input"):
        sample_size(kind, parameters=10)


def test_thresholds_can_be_named_and_implied_by_costs(table: Any) -> None:
    assert thresholds_named("") == (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
    assert thresholds_named("0.25, 0.1") == (0.1, 0.25)
    costs = costs_named("1:4")
    assert costs == Costs(1.0, 4.0)
    found = validate_predictions(
        table[0], Columns(risk="p", outcome="died"), thresholds=(0.25,), costs=costs, resamples=200
    )
    assert [row["threshold"] for row in found.document["thresholds"]] == [0.2, 0.25]  # 1 / (1 + 4)
    assert found.document["settings"]["costs"] == {"false_alarm": 1.0, "missed_event": 4.0, "threshold": 0.2}


@pytest.mark.parametrize(
    ("given", "costs", "code"),
    [("0.1,x", "", "threshold-range"), ("20", "", "threshold-range"), ("nan", "", "threshold-range"),
     ("", "1", "cost-range"), ("", "0:5", "cost-range"), ("", "a:b", "cost-range"), ("", "1:2:3", "cost-range")],
)  # fmt: skip
def test_what_is_no_threshold_and_no_cost_is_refused(given: str, costs: str, code: str) -> None:
    read, text = (costs_named, costs) if costs else (thresholds_named, given)
    with pytest.raises(Refused, match=code):
        read(text)


def test_a_label_that_means_more_illness_in_one_group_is_flagged(table: Any, tmp_path: Path) -> None:
    _, frame = table
    random = np.random.default_rng(4)
    more = np.where(frame.sex == "F", 1.0, 0.0) + frame.died + 0.5 * random.normal(size=N)
    frame.assign(need=more, none=random.normal(size=N)).to_csv(tmp_path / "need.csv", index=False)
    columns: dict[str, Any] = {"risk": "p", "outcome": "died", "groups": ("sex",)}
    flagged = validated((tmp_path / "need.csv", frame), **columns, reference_outcome="need").document["guards"][-1:]
    assert (flagged[0]["name"], flagged[0]["status"]) == ("proxy-outcome", "warned")
    assert "F has a reference outcome" in flagged[0]["evidence"]
    assert "p < 0.001" in flagged[0]["evidence"]
    fair = validated((tmp_path / "need.csv", frame), **columns, reference_outcome="none").document["guards"][-1:]
    assert fair[0]["status"] == "passed"
    with pytest.raises(Refused, match="groups-missing"):
        validated((tmp_path / "need.csv", frame), risk="p", outcome="died", reference_outcome="need")


def test_a_group_that_the_model_serves_worse_is_found_and_the_largest_errors_named(tmp_path: Path) -> None:
    event, risk = binary_cohort(600, seed=5)
    age = np.random.default_rng(6).uniform(20, 90, 600)
    old = age > 60
    event = np.where(old, np.random.default_rng(7).random(600) < 1 - risk, event)
    frame = pd.DataFrame({"id": [f"A{row}" for row in range(600)], "died": event.astype(int), "p": risk, "age": age})
    frame.to_csv(tmp_path / "old.csv", index=False)
    found = validated((tmp_path / "old.csv", frame), risk="p", outcome="died", slices=("age",), patient="id")
    worst = found.document["slices"][0]
    assert re.match(r"age > [56]|[56]\d\.?\d* < age", worst["rule"])
    assert worst["p"] < 0.001
    distance = np.abs(risk - event)
    assert found.document["worst"][0]["patient"] == f"A{distance.argmax()}"
    assert len(found.document["worst"]) == 10


def test_few_patients_are_not_searched_for_groups(table: Any, tmp_path: Path) -> None:
    table[1].head(60).to_csv(tmp_path / "few.csv", index=False)
    found = validated((tmp_path / "few.csv", None), risk="p", outcome="died", slices=("sex",))
    assert found.document["slices"] == []


def test_the_clinic_s_prevalence_reaches_net_benefit_and_precision(table: Any) -> None:
    rare = validate_predictions(table[0], Columns(risk="p", outcome="died"), resamples=0, prevalence=0.02)
    model = rare.document["models"]["p"]
    assert model["decision_curve"]["prevalence"] == 0.02
    assert model["decision_curve"]["net_benefit"][0] <= 0.02
    assert model["metrics"]["average_precision"]["estimate"] == pytest.approx(
        average_precision(table[1].died, table[1].p, prevalence=0.02)
    )
    assert "stated for a prevalence of 2 %" in rare.document["interval"]


def test_groups_are_compared_at_the_same_prevalence(table: Any) -> None:
    columns = Columns(risk="p", outcome="died", groups=("sex",))
    found = validate_predictions(table[0], columns, resamples=0, prevalence=0.02)
    women = table[1][table[1].sex == "F"]
    expected = average_precision(women.died, women.p, prevalence=0.02)
    assert found.groups[0].metrics["average_precision"].estimate == pytest.approx(expected)


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "header.csv").write_text("died,p\n")
    with pytest.raises(Refused, match="rows-missing"):
        validated((tmp_path / "header.csv", None), risk="p", outcome="died")


def test_a_place_that_cannot_be_written_is_a_problem(table: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="cannot-write"):
        validate_predictions(table[0], Columns(risk="p", outcome="died"), resamples=0, out=tmp_path / "file" / "out")


def test_one_patient_gives_reasons_and_no_warning(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("died,p\n1,0.4\n")
    found = validated((tmp_path / "one.csv", None), risk="p", outcome="died")
    metrics = found.evaluation.models[0].metrics
    assert {metric.reason for metric in metrics.values()} == {"suppressed: fewer than 20 patients"}
    assert all(np.isnan(metric.estimate) for metric in metrics.values())
    assert found.thresholds == ()


def test_risks_in_per_cent_are_recognised(table: Any, tmp_path: Path) -> None:
    table[1].assign(p=table[1].p * 100).to_csv(tmp_path / "per_cent.csv", index=False)
    with pytest.raises(Refused, match="divide them by 100 if they are per cent"):
        validated((tmp_path / "per_cent.csv", None), risk="p", outcome="died")
    table[1].assign(p=np.log(table[1].p)).to_csv(tmp_path / "scores.csv", index=False)
    with pytest.raises(Refused, match="not scores or linear predictors"):
        validated((tmp_path / "scores.csv", None), risk="p", outcome="died")


def test_a_model_is_not_compared_with_itself(table: Any) -> None:
    with pytest.raises(Refused, match="reference-same"):
        validated(table, risk="p", outcome="died", reference="p")


def test_risks_by_several_days_give_brier_scores_over_time(table: Any) -> None:
    path, frame = table
    frame.assign(risk_1y=1 - (1 - frame.risk_2y) ** 0.5).to_csv(path, index=False)
    survival: Any = {"risk": "risk_2y", "time": "days", "event": "event", "horizon_days": 730.0}
    found = validated(table, **survival, over_time=over_time_named("365:risk_1y, 730:risk_2y"))
    course = found.document["models"]["risk_2y"]["over_time"]
    assert course["days"] == [365.0, 730.0]
    assert course["brier"]["estimate"][1] == pytest.approx(found.evaluation.models[0].metrics["brier"].estimate)
    assert course["integrated"]["brier"]["low"] < course["integrated"]["brier"]["estimate"]
    assert found.document["table"]["columns"]["over_time"] == ((365.0, "risk_1y"), (730.0, "risk_2y"))
    alone = validated(table, **survival).document["models"]["risk_2y"]["over_time"]
    assert len(alone["days"]) == 8
    assert alone["brier"]["estimate"] == []


@pytest.mark.parametrize("text", ["365", "365:", "0:p", "730:p,365:q", "365:p,365:q", "soon:p", "inf:p"])
def test_days_without_columns_or_out_of_order_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="times-range"):
        over_time_named(text)


def test_risks_over_time_of_a_binary_outcome_are_refused(table: Any) -> None:
    with pytest.raises(Refused, match="time-missing"):
        validated(table, risk="p", outcome="died", over_time=((365.0, "p"),))
    with pytest.raises(Refused, match="column-missing"):
        validated(table, risk="p", outcome="died", over_time=((365.0, "q"),))


def test_the_page_of_given_predictions_speaks_of_no_study_and_of_no_folds(table: Any, tmp_path: Path) -> None:
    columns = Columns(risk="p", outcome="died", reference="clinic", groups=("sex",))
    page = validate_predictions(table[0], columns, out=tmp_path / "out", resamples=200).report
    assert page is not None
    text = re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]+>", " ", page.read_text(), flags=re.DOTALL)
    for words in ("cross-validation", "out-of-fold", "study file", "Repeats", "inner fold", "this study"):
        assert words not in text, words
    for words in ("DeLong", "likelihood ratio test", "net benefit", "seed: 1", "resamples: 200", "level: 0.95"):
        assert words in text, words
