"""Ways to hold patients out that a study file names, from the file to evaluation, report and bundle."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
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

QUICK = {"inner": 2, "resamples": 200, "refits": 20}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table of 90 patients of three centres, one of them small, over nine years."""
    made = tmp_path_factory.mktemp("plans")
    frame = studies.table(made / "table.csv", patients=90)
    frame["centre"] = np.where(frame.index < 40, "Bern", np.where(frame.index < 78, "Graz", "Lyon"))
    frame["scanned"] = [f"{2011 + number // 10}-0{1 + number % 9}-15" for number in range(90)]
    frame.to_csv(made / "table.csv", index=False)
    return made


def run(folder: Path, validate: Mapping[str, object], *, name: str, store: str = "", **changes: object) -> RunResult:
    path = studies.write(folder, studies.binary(validate={**QUICK, **validate}, **changes), name=f"{name}.yaml")
    return run_study(path, out=folder / "out" / name, store=folder / "stores" / (store or name))


def document(result: RunResult) -> Any:
    return json.loads((result.out / "evaluation.json").read_text())


def predicted(result: RunResult) -> pd.DataFrame:
    return pd.read_csv(result.out / "predictions.csv", dtype={"patient_id": str})


@pytest.fixture(scope="module")
def by_site(folder: Path) -> RunResult:
    return run(folder, {"plan": {"leave-one-site-out": {"column": "centre"}}, "subgroups": ["grade"]}, name="site")


@pytest.fixture(scope="module")
def external(folder: Path) -> RunResult:
    """Forests, whose results depend on their random numbers."""
    forest = {"try": {"random-forest": {"trees": 10, "leaf_share": 0.1, "features": 3}}}
    return run(folder, {"plan": {"external": {"column": "centre", "value": "Graz"}}}, name="external", models=forest)


@pytest.fixture(scope="module")
def by_time(folder: Path) -> RunResult:
    return run(folder, {"plan": {"held-out-by-time": {"column": "scanned", "after": "2016-12-31"}}}, name="time")


def test_each_site_is_held_out_once_and_has_its_own_figures(by_site: RunResult) -> None:
    found = document(by_site)
    assert found["held_out"]["plan"] == "leave-one-site-out"
    assert [(fold["name"], fold["n"]) for fold in found["held_out"]["folds"]] == [
        ("Bern", 40),
        ("Graz", 38),
        ("Lyon", 12),
    ]
    assert [(site["level"], site["n"]) for site in found["sites"]] == [("Bern", 40), ("Graz", 38), ("Lyon", 12)]
    assert set(found["sites"][0]["metrics"]["auc"]) >= {"estimate", "low", "high", "n", "events"}
    assert found["outcome"]["n"] == found["models"]["all"]["metrics"]["auc"]["n"] == 90


def test_a_site_too_small_to_tell_has_a_reason_and_no_figure(by_site: RunResult) -> None:
    lyon = document(by_site)["sites"][2]
    assert lyon["reason"] == "suppressed: fewer than 20 patients"
    assert lyon["metrics"] == {}


def test_pooled_discrimination_is_the_mean_over_sites_by_pairs(by_site: RunResult, folder: Path) -> None:
    frame = predicted(by_site).merge(pd.read_csv(folder / "table.csv", dtype={"patient_id": str}), on="patient_id")
    right, pairs = 0.0, 0
    for _, site in frame.groupby("centre"):
        event, free = site[site["event_x"] == 1]["risk"].to_numpy(), site[site["event_x"] == 0]["risk"].to_numpy()
        right += float((np.sign(event[:, None] - free[None, :]) / 2 + 0.5).sum())
        pairs += len(event) * len(free)
    assert document(by_site)["models"]["all"]["metrics"]["auc"]["estimate"] == pytest.approx(right / pairs)


def test_two_sites_with_figures_cannot_tell_of_a_new_one(by_site: RunResult) -> None:
    auc = document(by_site)["over_sites"]["auc"]
    assert (auc["estimate"], auc["new_high"], auc["sites"]) == (None, None, 2)
    assert auc["reason"] == "fewer than 3 sites have it with an interval"


def test_folds_that_differ_by_design_are_no_warning(by_site: RunResult) -> None:
    guard = next(one for one in document(by_site)["guards"] if one["name"] == "unbalanced-split")
    assert guard["status"] == "passed"
    assert "by design" in guard["evidence"]


def test_the_page_shows_every_site(by_site: RunResult) -> None:
    page = (by_site.out / "report.html").read_text()
    assert "Site by site" in page
    for site in ("Bern", "Graz", "Lyon"):
        assert f'<th scope="row">{site}' in page
    assert "internal-external" in page


def test_figures_are_of_the_latest_patients_and_the_bundle_of_all(by_time: RunResult) -> None:
    found = document(by_time)
    assert (found["outcome"]["n"], found["held_out"]["only_learnt_from"]) == (30, 60)
    assert found["held_out"]["folds"] == [{"name": "scanned later than 2016-12-31", "n": 30}]
    assert set(predicted(by_time)["patient_id"]) == {f"{number:03}" for number in range(61, 91)}
    card = json.loads((by_time.out / "bundle/card.json").read_text())
    assert (card["participants"], card["tested_on"], card["tested_by"]) == (90, 30, "held-out-by-time")
    assert "60 patients were only learnt from" in (by_time.out / "report.html").read_text()


def test_the_figures_of_a_locked_set_are_those_of_the_bundle_itself(external: RunResult, folder: Path) -> None:
    bundle = external.out / "bundle"
    assert json.loads((bundle / "predictor/predictor.json").read_text())["n"] == 52
    answers = {row.patient_id: row.risk for row in predict_source(bundle, folder, table=folder / "table.csv").rows}
    told = predicted(external)
    assert len(told) == 38
    for patient, risk in zip(told["patient_id"], told["risk"], strict=True):
        assert answers[patient] == pytest.approx(risk, abs=1e-12)


def test_every_use_of_a_locked_set_is_counted_and_the_same_result_is_no_new_use(folder: Path) -> None:
    plan = {"plan": {"external": {"column": "centre", "value": ["Graz"]}}}

    def uses(name: str, **changes: object) -> tuple[int, str]:
        found = document(run(folder, plan, name=name, store="locked", **changes))
        guard = next(one for one in found["guards"] if one["name"] == "external-set-reused")
        return found["counts"]["uses_of_this_external_set_ever"], guard["status"]

    assert uses("first") == (1, "passed")
    assert uses("again") == (1, "passed")
    assert uses("seed", seed=7, models={"try": {"elastic-net-logistic": {"penalty": 0.2}}}) == (2, "warned")
    page = (folder / "out" / "seed" / "report.html").read_text()
    assert "38 patients kept apart have given 2 different results in this store" in page
    assert "there is no external validation" not in page


def test_kinds_of_models_and_settings_tried_are_counted_over_runs(folder: Path) -> None:
    quick = {"folds": 2, "repeats": 1}
    one = {"try": {"elastic-net-logistic": {"features": 3}}}
    two = {"try": {"random-forest": {"trees": 5, "features": 3, "leaf_share": [0.1, 0.2]}}}
    first = document(run(folder, quick, name="tried", store="tried", models=one))["counts"]
    second = document(run(folder, quick, name="tried2", store="tried", models=two))["counts"]
    assert (first["models_tried_on_this_cohort_ever"], first["settings_tried_on_this_cohort_ever"]) == (1, 10)
    assert (second["models_tried_on_this_cohort_ever"], second["settings_tried_on_this_cohort_ever"]) == (2, 10 + 2)
    assert "Kinds of models ever tried on this cohort" in (folder / "out/tried2/report.html").read_text()


def test_folds_are_made_once_and_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = {"folds": 2, "repeats": 1}
    first = document(run(folder, quick, name="kept"))
    monkeypatch.setattr("prognoscope.training.splits.deal", None)  # whoever deals again fails
    monkeypatch.setattr("prognoscope.training.plans.assign_folds", None)
    other = document(run(folder, quick | {"resamples": 300}, name="kept again", store="kept"))
    assert other["held_out"]["folds_sha256"] == first["held_out"]["folds_sha256"]


@pytest.mark.parametrize(
    ("validate", "told"),
    [
        ({"plan": "leave-one-site"}, "unknown plan “leave-one-site”; did you mean “leave-one-site-out”?"),
        ({"plan": "leave-one-site-out"}, "plan: column: this key is missing"),
        ({"plan": {"external": {"column": "centre", "valeu": "A"}}}, "did you mean “value”?"),
        ({"plan": {"held-out-by-time": {"column": "scanned"}}}, "give either `after` or `share`"),
        ({"plan": {"external": {}, "bootstrap": {}}}, "plan: dictionary should have at most 1 item"),
        (
            {"plan": {"leave-one-site-out": {"column": "centre"}}, "folds": 3},
            "folds: it belongs to the plan cross-validation, and this study's plan is leave-one-site-out",
        ),
        ({"plan": {"cross-validation": {"folds": 3}}, "folds": 4}, "it stands below `plan:` too; write it once"),
        ({"subgroups": [{"column": "age", "cut_at": [70, 60]}]}, "numbers in rising order"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused_with_its_line(
    tmp_path: Path, validate: dict[str, object], told: str
) -> None:
    with pytest.raises(Refused, match=r"study.yaml, line \d+") as refused:
        read_study(studies.write(tmp_path, studies.binary(validate=validate)))
    assert told in str(refused.value)


def test_a_plan_is_written_down_in_full_and_read_again(tmp_path: Path) -> None:
    plan = {"plan": {"held-out-by-time": {"column": "time", "share": 0.25}}}
    used = read_study(studies.write(tmp_path, studies.binary(validate=plan))).as_used()
    assert used["validate"]["plan"] == {"held-out-by-time": {"column": "time", "after": None, "share": 0.25}}
    assert "folds" not in used["validate"]
    assert read_study(studies.write(tmp_path, used, name="again.yaml")).as_used() == used


def test_folds_may_stand_below_the_plan_as_well(tmp_path: Path) -> None:
    plan = {"plan": {"cross-validation": {"folds": 4, "repeats": 2}}}
    used = read_study(studies.write(tmp_path, studies.binary(validate=plan))).as_used()
    assert (used["validate"]["folds"], used["validate"]["repeats"]) == (4, 2)


def test_a_column_of_the_plan_that_the_table_lacks_is_named_with_the_nearest(folder: Path) -> None:
    with pytest.raises(Refused, match=r"column center.*has centre.*column-missing"):
        run(folder, {"plan": {"leave-one-site-out": {"column": "center"}}}, name="misspelt")


def test_subgroups_are_compared_with_small_ones_suppressed(folder: Path) -> None:
    asked = {"folds": 2, "repeats": 1, "subgroups": ["grade", {"column": "age", "cut_at": [60]}, "centre"]}
    result = run(folder, asked, name="groups")
    found = document(result)
    levels = {(one["attribute"], one["level"]): one for one in found["groups"]}
    assert {("grade", "Low"), ("age", "below 60"), ("age", "60 and above")} <= set(levels)
    assert any(attribute == "grade × age" for attribute, _ in levels)
    assert levels["centre", "Lyon"]["reason"].startswith("suppressed")
    assert (levels["centre", "Lyon"]["metrics"], levels["centre", "Lyon"]["events"]) == ({}, None)
    sizes = pd.read_csv(folder / "table.csv")["age"]
    assert levels["age", "below 60"]["n"] == int((sizes < 60).sum())
    assert {gap["attribute"] for gap in found["gaps"]} == {"grade", "age", "centre"}
    assert all(0 < gap["p"] <= 1 for gap in found["gaps"])
    page = (result.out / "report.html").read_text()
    assert "How far groups lie apart" in page
    assert "of two columns with too few patients" in page
    assert "× Lyon" not in page  # a handful of patients are easily known
    assert "was not examined" not in page


def test_a_table_of_text_is_no_ground_for_bands(folder: Path) -> None:
    with pytest.raises(Refused, match=r"column centre.*not-a-number"):
        run(folder, {"folds": 2, "repeats": 1, "subgroups": [{"column": "centre", "cut_at": [1]}]}, name="text")


def test_a_column_of_a_hundred_values_makes_no_subgroups(folder: Path) -> None:
    with pytest.raises(Refused, match=r"column marker.*it has \d\d different values among 90.*too-many-groups"):
        run(folder, {"folds": 2, "repeats": 1, "subgroups": ["marker"]}, name="many")


def test_members_of_a_family_stay_in_one_fold(folder: Path) -> None:
    result = run(
        folder, {"plan": {"cross-validation": {"column": "scanned", "folds": 3, "repeats": 2}}}, name="families"
    )
    told = predicted(result).merge(
        pd.read_csv(folder / "table.csv", dtype={"patient_id": str})[["patient_id", "scanned"]]
    )
    assert told.groupby(["repeat", "scanned"])["fold"].nunique().max() == 1
    assert told["fold"].nunique() == 3


def test_predictions_hold_nobody_who_was_only_learnt_from(external: RunResult) -> None:
    with (external.out / "predictions.csv").open() as stream:
        assert all(row["fold"] == "0" and 0 <= float(row["risk"]) <= 1 for row in csv.DictReader(stream))
