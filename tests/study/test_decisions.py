"""What a study file says of decisions: costs, thresholds, the clinic's prevalence, recalibration, prediction sets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.problems import Refused
from prognoscope.study.file import read_study
from prognoscope.study.predict import predict_source
from prognoscope.study.run import RunResult, run_study
from tests.make import studies
from tests.make.training import in_processes

QUICK = {"folds": 3, "repeats": 2, "inner": 2, "resamples": 200, "refits": 20}
ONE = {"try": {"elastic-net-logistic": {"features": 3, "l1_ratio": 0.2, "penalty": [0.3, 0.05]}}}


def run(folder: Path, *, name: str, **changes: object) -> RunResult:
    path = studies.write(folder, studies.binary(**({"validate": QUICK, "models": ONE} | changes)), name=f"{name}.yaml")
    return run_study(path, out=folder / "out" / name, store=folder / "stores" / name)


def document(result: RunResult) -> Any:
    return json.loads((result.out / "evaluation.json").read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("decisions")
    studies.table(made / "table.csv", patients=90)
    return made


@pytest.fixture(scope="module")
def plain(folder: Path) -> RunResult:
    return run(folder, name="plain")


@pytest.fixture(scope="module")
def decided(folder: Path) -> RunResult:
    """Costs, thresholds, prevalence, sets, recalibration and a learning curve in one study."""
    decision = {"missed_event": 4, "thresholds": [0.2, 0.5], "prevalence": 0.05, "set_error": 0.2}
    return run(
        folder,
        name="decided",
        decision=decision,
        models=ONE | {"recalibrate": "slope"},
        validate=QUICK | {"learning_curve": True, "subgroups": ["grade"]},
    )


def test_nothing_is_said_of_what_was_not_asked(plain: RunResult) -> None:
    found = document(plain)
    assert (found["thresholds"], found["alerts"], found["prediction_sets"], found["learning_curve"]) == (
        [],
        None,
        None,
        None,
    )
    assert (found["sites"], found["groups"], found["gaps"], found["optimism"]) == ([], [], [], {})
    assert found["held_out"]["plan"] == "cross-validation"
    assert json.loads((plain.out / "bundle/predictor/predictor.json").read_text())["sets"] is None


def test_each_threshold_is_described_and_averaged_over_repeats(decided: RunResult) -> None:
    rows = {row["threshold"]: row for row in document(decided)["thresholds"]}
    assert set(rows) == {0.2, 0.5}
    told = pd.read_csv(decided.out / "predictions.csv")
    alert = told["risk"] >= 0.5
    assert rows[0.5]["sensitivity"]["estimate"] == pytest.approx(alert[told["event"] == 1].mean())
    assert rows[0.5]["specificity"]["estimate"] == pytest.approx((~alert[told["event"] == 0]).mean())


def test_predictive_values_are_those_of_the_clinic_by_bayes(decided: RunResult) -> None:
    row = document(decided)["thresholds"][1]
    told = pd.read_csv(decided.out / "predictions.csv")
    each = []
    for _, repeat in told.groupby("repeat"):
        alert, event = repeat["risk"] >= 0.5, repeat["event"] == 1
        hit, false = alert[event].mean() * 0.05, alert[~event].mean() * 0.95
        each.append(hit / (hit + false))
    assert row["prevalence"] == 0.05
    assert row["ppv"]["estimate"] == pytest.approx(np.mean(each))


def test_the_threshold_of_the_costs_is_chosen_in_each_fold_and_kept_in_the_bundle(decided: RunResult) -> None:
    alerts = document(decided)["alerts"]
    assert 0 < alerts["threshold"] < 0.5  # a missed event costs four false alerts: the ideal is 0.2
    assert alerts["sensitivity"]["estimate"] > alerts["specificity"]["estimate"]
    page = json.loads((decided.out / "bundle/predictor/predictor.json").read_text())
    assert 0 < page["pipelines"][0]["threshold"] < 0.5
    card = json.loads((decided.out / "bundle/card.json").read_text())
    assert (card["alert_threshold"], card["set_error"]) == (page["pipelines"][0]["threshold"], 0.2)
    shown = (decided.out / "report.html").read_text()
    assert "A missed event was said to cost as much as 4.0 false alerts" in shown
    assert "carried over to a clinic in which 5 of 100 have the event" in shown


def test_recalibration_changes_risks_in_the_folds_and_in_the_bundle(plain: RunResult, decided: RunResult) -> None:
    first, second = (pd.read_csv(one.out / "predictions.csv")["risk"] for one in (plain, decided))
    assert (first - second).abs().max() > 0.01
    page = json.loads((decided.out / "bundle/predictor/predictor.json").read_text())
    assert page["pipelines"][0]["recalibration"]["kind"] == "Line"
    assert "Risks were recalibrated inside the folds" in (decided.out / "report.html").read_text()


def test_sets_hold_the_outcome_as_often_as_they_should(decided: RunResult) -> None:
    sets = document(decided)["prediction_sets"]
    assert sets["guarantee"] == pytest.approx(0.6)
    assert sets["calibrated_on"] == 60
    assert sets["one"] + sets["both"] + sets["neither"] == pytest.approx(1)
    levels = {one["level"]: one for one in sets["coverage"]}
    assert set(levels) == {"all", "outcome: event", "outcome: no event", "grade: High", "grade: Low"}
    assert 0.7 <= levels["all"]["covered"] <= 0.95
    assert sets["answered"][-1] == 1.0
    told = pd.read_csv(decided.out / "predictions.csv")
    right = (told["risk"] >= 0.2) == (told["event"] == 1)  # 0.2: the threshold that the costs imply
    assert sets["accuracy"][-1] == pytest.approx(right.mean())
    assert "Cross-conformal sets, calibrated on at least 60 patients" in (decided.out / "report.html").read_text()


def test_the_bundle_abstains_where_it_cannot_say_one_outcome(decided: RunResult, folder: Path) -> None:
    rows = predict_source(decided.out / "bundle", folder, table=folder / "table.csv").rows
    undecided = [row for row in rows if "plausible at the accepted error of 20% (cross-conformal)" in row.reason]
    assert 0 < len(undecided) < len(rows)
    assert all(row.abstained and 0 <= row.risk <= 1 for row in undecided)
    middle = np.mean([abs(row.risk - 0.5) for row in undecided])
    assert middle < np.mean([abs(row.risk - 0.5) for row in rows if not row.abstained])


def test_more_patients_are_learnt_from_along_the_curve(decided: RunResult) -> None:
    curve = document(decided)["learning_curve"]
    assert len(curve["n"]) == 6
    assert curve["n"] == sorted(curve["n"])
    assert curve["n"][-1] == 60
    assert all(0 <= score <= 1 for score in curve["score"])
    assert (curve["flat_at"] is None) == bool(curve["reason"])
    page = (decided.out / "report.html").read_text()
    assert "Would more patients help?" in page
    assert "fig-learning" in page


def test_the_last_point_of_the_curve_is_the_study_itself(decided: RunResult) -> None:
    found = document(decided)
    assert found["learning_curve"]["score"][-1] == pytest.approx(found["models"]["all"]["metrics"]["auc"]["estimate"])


def test_too_few_patients_to_calibrate_are_refused_with_the_number_needed(folder: Path) -> None:
    with pytest.raises(
        Refused, match=r"60 patients calibrate it, an error rate of 0\.01 needs 99.*too-few-to-calibrate"
    ):
        run(folder, name="few", decision={"set_error": 0.01})


@pytest.mark.parametrize(
    ("study", "told"),
    [
        (studies.survival(decision={"set_error": 0.1}), "prediction sets are for a binary outcome"),
        (studies.survival(models={"recalibrate": "platt"}), "platt does not know about censored times"),
        (studies.binary(models={"recalibrate": "plat"}), "recalibrate: input should be"),
        (studies.binary(decision={"thresholds": [0.2, 1.5]}), "thresholds: input should be less than 1"),
        (studies.binary(decision={"cost": 3}), "unknown key “cost”"),
        (studies.binary(decision={"missed_event": 0}), "missed_event: input should be greater than 0"),
    ],
)
def test_what_cannot_be_decided_by_is_refused_with_its_line(
    tmp_path: Path, study: dict[str, object], told: str
) -> None:
    with pytest.raises(Refused, match=r"study.yaml, line \d+") as refused:
        read_study(studies.write(tmp_path, study))
    assert told in str(refused.value)


def test_two_processes_give_the_same_bytes(decided: RunResult, folder: Path) -> None:
    again = run_study(
        folder / "decided.yaml", out=folder / "out" / "again", store=folder / "another store", mapper=in_processes
    )
    for name in ("evaluation.json", "predictions.csv", "bundle/predictor/arrays.npz"):
        assert (again.out / name).read_bytes() == (decided.out / name).read_bytes(), name
