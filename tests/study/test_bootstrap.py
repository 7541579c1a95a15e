"""A study whose figures come from bootstraps: corrected for optimism, and refused where that is known to fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.problems import Refused
from prognoscope.study.file import read_study
from prognoscope.study.run import RunResult, run_study
from tests.make import studies

QUICK = {"plan": {"bootstrap": {"resamples": 60}}, "inner": 2, "resamples": 200, "refits": 20}
ONE = {"try": {"elastic-net-logistic": {"features": 8, "l1_ratio": 0.2, "penalty": 0.05}}}


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    folder = tmp_path_factory.mktemp("bootstrap")
    path = studies.write(folder, studies.binary(validate=QUICK, models=ONE))
    return run_study(path, out=folder / "out", store=folder / "store")


def document(result: RunResult) -> Any:
    return json.loads((result.out / "evaluation.json").read_text())


def test_the_headline_is_the_apparent_figure_less_its_optimism(corrected: RunResult) -> None:
    found = document(corrected)
    auc, told = found["models"]["all"]["metrics"]["auc"], found["optimism"]["auc"]
    assert told["resamples"] == 60
    assert told["optimism"] > 0
    assert auc["estimate"] == pytest.approx(told["apparent"] - told["optimism"])
    assert auc["estimate"] == pytest.approx(told["corrected"])
    assert auc["low"] < auc["estimate"] < auc["high"]
    assert told["left_out"] < told["point632"] < told["apparent"]
    assert abs(told["no_information"] - 0.5) < 0.05


def test_risks_are_those_of_the_bootstraps_that_did_not_draw_the_patient(corrected: RunResult) -> None:
    told = pd.read_csv(corrected.out / "predictions.csv")
    assert len(told) == 60
    apparent = document(corrected)["optimism"]["auc"]["apparent"]
    event, free = (told[told["event"] == value]["risk"].to_numpy() for value in (1, 0))
    assert float((np.sign(event[:, None] - free[None, :]) / 2 + 0.5).mean()) < apparent


def test_calibration_errors_are_the_distance_of_the_corrected_curve(corrected: RunResult) -> None:
    model = document(corrected)["models"]["all"]
    curve, emax = model["calibration_curve"], model["metrics"]["emax"]
    assert 0 < emax["estimate"] <= max(abs(np.array(curve["observed"]) - np.array(curve["predicted"]))) + 1e-3
    assert (emax["low"], emax["high"]) == (None, None)
    assert emax["reason"].startswith("no interval: it is the distance of the corrected calibration curve")


def test_the_area_below_the_corrected_roc_curve_is_the_corrected_auc(corrected: RunResult) -> None:
    model = document(corrected)["models"]["all"]
    area = np.trapezoid(model["roc"]["sensitivity"], model["roc"]["false_positive_rate"])
    assert area == pytest.approx(model["metrics"]["auc"]["estimate"], abs=0.01)
    assert (np.diff(model["roc"]["sensitivity"]) >= 0).all()


def test_net_benefit_smoothed_and_avoided_interventions_are_corrected_alike(corrected: RunResult) -> None:
    curve = document(corrected)["models"]["all"]["decision_curve"]
    at = curve["threshold"].index(0.3)
    gained = (curve["net_benefit"][at] - curve["treat_all"][at]) / (0.3 / 0.7)
    assert curve["interventions_avoided"]["per_patient"][at] == pytest.approx(gained)
    assert curve["smoothed"]["net_benefit"][at] == pytest.approx(curve["net_benefit"][at], abs=0.02)


def test_what_mattered_comes_from_the_patients_whom_a_bootstrap_had_not_drawn(corrected: RunResult) -> None:
    page = (corrected.out / "report.html").read_text()
    assert "mean loss of log score on the participants that a bootstrap had not drawn" in page
    assert "in 60 bootstraps" in page
    marker, grade = (page.index(name) for name in ("marker", "grade"))
    assert marker < grade


def test_the_page_says_how_much_was_optimism(corrected: RunResult) -> None:
    page = (corrected.out / "report.html").read_text()
    assert "How much was optimism" in page
    assert "less its mean optimism over 60 bootstraps" in page


def test_curves_are_corrected_too(corrected: RunResult) -> None:
    model = document(corrected)["models"]["all"]
    assert len(model["decision_curve"]["net_benefit"]) == 99
    assert all(0 <= value <= 1 for value in model["calibration_curve"]["observed"] if value is not None)


def test_a_model_that_learns_by_heart_is_refused_before_any_work(tmp_path: Path) -> None:
    study = studies.binary(validate=QUICK, models={"try": ["elastic-net-logistic", "random-forest"]})
    with pytest.raises(Refused, match=r"line \d+: .*random-forest can learn its patients by heart.*optimism-headline"):
        read_study(studies.write(tmp_path, study))


def test_more_predictors_than_patients_are_refused(tmp_path: Path) -> None:
    frame = studies.table(tmp_path / "table.csv", patients=60)
    noise = pd.DataFrame(np.random.default_rng(1).normal(size=(60, 70)), columns=[f"x{n}" for n in range(70)])
    pd.concat([frame, noise], axis=1).to_csv(tmp_path / "table.csv", index=False)
    predictors = [{"column": name, "unit": "1", "known_at": "time_zero"} for name in noise.columns]
    path = studies.write(tmp_path, studies.binary(validate=QUICK, models=ONE, predictors=predictors))
    with pytest.raises(Refused, match=r"70 predictors for 60 patients.*optimism-headline"):
        run_study(path, out=tmp_path / "out", store=tmp_path / "store")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"decision": {"missed_event": 3}}, "decision: missed_event: it is learnt and tested in folds"),
        ({"decision": {"set_error": 0.1}}, "decision: set_error: it is learnt and tested in folds"),
        ({"validate": QUICK | {"learning_curve": True}}, "validate: learning_curve: it is learnt and tested in folds"),
    ],
)
def test_what_needs_folds_is_refused_with_its_line(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    with pytest.raises(Refused) as refused:
        read_study(studies.write(tmp_path, studies.binary(**({"validate": QUICK, "models": ONE} | changes))))
    assert told in str(refused.value)


def test_a_time_to_event_is_corrected_as_well(tmp_path: Path) -> None:
    one = {"try": {"elastic-net-cox": {"features": 3, "l1_ratio": 0.2, "penalty": 0.1}}}
    study = studies.survival(validate=QUICK | {"plan": {"bootstrap": {"resamples": 30}}}, models=one)
    result = run_study(studies.write(tmp_path, study), out=tmp_path / "out", store=tmp_path / "store")
    found = document(result)
    assert found["models"]["all"]["metrics"]["c_index"]["estimate"] == pytest.approx(
        found["optimism"]["c_index"]["corrected"]
    )
