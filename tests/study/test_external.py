"""A set kept apart in a source of its own: another hospital's table and images beside the study's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from prognoscope.core.problems import Refused
from prognoscope.study.file import read_study
from prognoscope.study.predict import predict_source
from prognoscope.study.run import RunResult, run_study
from tests.make import studies

QUICK = {"inner": 2, "resamples": 200, "refits": 20}
HOSPITAL = {"name": "Hospital B", "table": "other.csv"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of 60 patients, and one of 40 patients of another hospital, with IDs of its own."""
    made = tmp_path_factory.mktemp("external")
    studies.table(made / "table.csv", patients=60)
    other = studies.table(made / "other.csv", patients=40, seed=2)
    other.assign(patient_id="B" + other["patient_id"]).to_csv(made / "other.csv", index=False)
    return made


def run(folder: Path, name: str, *, store: str = "", external: object = None, **changes: Any) -> RunResult:
    data = {"table": "table.csv"} | ({"external": external} if external else {})
    study = studies.binary(data=data, validate=QUICK) | changes
    path = studies.write(folder, study, name=f"{name}.yaml")
    return run_study(path, out=folder / "out" / name, store=folder / "stores" / (store or name))


def document(result: RunResult) -> Any:
    return json.loads((result.out / "evaluation.json").read_text())


def guard(result: RunResult, name: str) -> Any:
    return next(one for one in document(result)["guards"] if one["name"] == name)


@pytest.fixture(scope="module")
def tested(folder: Path) -> RunResult:
    return run(folder, "tested", external=HOSPITAL)


def test_figures_are_of_the_other_hospital_and_the_bundle_of_the_own_patients(tested: RunResult) -> None:
    found = document(tested)
    assert found["held_out"]["plan"] == "external"
    assert (found["outcome"]["n"], found["held_out"]["only_learnt_from"]) == (40, 60)
    risks = pd.read_csv(tested.out / "predictions.csv", dtype={"patient_id": str})
    assert set(risks["patient_id"]) == {f"B{number:03}" for number in range(1, 41)}
    assert json.loads((tested.out / "bundle/predictor/predictor.json").read_text())["n"] == 60
    assert found["flow"]["included"] == 100


def test_the_bundle_predicts_the_other_hospital_as_it_was_tested_on_it(tested: RunResult, folder: Path) -> None:
    answers = predict_source(tested.out / "bundle", folder, table=folder / "other.csv").rows
    told = pd.read_csv(tested.out / "predictions.csv", dtype={"patient_id": str}).set_index("patient_id")["risk"]
    assert {row.patient_id: pytest.approx(row.risk, abs=1e-12) for row in answers} == told.to_dict()


def test_the_patients_learnt_from_stand_beside_those_held_out(tested: RunResult, folder: Path) -> None:
    own, other = (pd.read_csv(folder / name) for name in ("table.csv", "other.csv"))
    page = (tested.out / "report.html").read_text()
    assert ">Only learnt from</th>" in page
    for frame in (own, other):
        share = f"{(frame['grade'] == 'High').sum()} ({(frame['grade'] == 'High').mean() * 100:.0f} %)"
        assert share in page


def test_the_sample_size_is_that_of_those_learnt_from(tested: RunResult) -> None:
    assert guard(tested, "sample-size")["evidence"].startswith("60 patients with ")
    assert guard(tested, "no-signal")["evidence"].startswith("The AUC is ")
    page = (tested.out / "report.html").read_text()
    assert "Repeats of the cross-validation" not in page


def test_it_is_the_same_as_one_table_with_a_column_that_marks_them(tested: RunResult, folder: Path) -> None:
    own, other = (pd.read_csv(folder / name, dtype={"patient_id": str}) for name in ("table.csv", "other.csv"))
    pd.concat([own.assign(hospital="A"), other.assign(hospital="B")]).to_csv(folder / "both.csv", index=False)
    plan = {"plan": {"external": {"column": "hospital", "value": "B"}}}
    one_table = run(folder, "one table", data={"table": "both.csv"}, validate=QUICK | plan)
    assert document(one_table)["models"] == document(tested)["models"]


def test_the_run_records_both_tables_and_the_page_names_the_hospital(tested: RunResult, folder: Path) -> None:
    from prognoscope.core.hashing import of_file

    record = json.loads((tested.out / "run.json").read_text())
    assert record["data"]["external_table"] == of_file(folder / "other.csv")
    assert record["as_used"]["data"]["external"] == HOSPITAL | {"images": ""}
    page = (tested.out / "report.html").read_text()
    assert "Hospital B" in page
    assert "there is no external validation" not in page


def test_a_file_as_used_means_the_same_when_read_again(tested: RunResult, folder: Path) -> None:
    used = json.loads((tested.out / "run.json").read_text())["as_used"]
    again = read_study(studies.write(folder, used, name="again.yaml"))
    assert again.as_used() == used
    assert again.held_out.plan.name == "external"


def test_a_set_that_an_earlier_run_learnt_from_is_told(tested: RunResult, folder: Path) -> None:
    assert guard(tested, "external-set-learnt-from")["status"] == "passed"
    own, other = (pd.read_csv(folder / name, dtype={"patient_id": str}) for name in ("table.csv", "other.csv"))
    pd.concat([own, other.head(15)]).to_csv(folder / "partly.csv", index=False)
    run(folder, "partly", store="seen", data={"table": "partly.csv"}, validate=QUICK | {"folds": 2, "repeats": 1})
    found = guard(run(folder, "seen", store="seen", external=HOSPITAL), "external-set-learnt-from")
    assert found["status"] == "warned"
    assert "learnt from 15 of the 40 patients kept apart" in found["evidence"]
    assert json.loads((folder / "out/seen/bundle/card.json").read_text())["research_only"] is True


def test_what_is_learnt_after_the_first_look_does_not_change_what_that_look_was(folder: Path) -> None:
    first = run(folder, "clean", store="later", external=HOSPITAL)
    run(folder, "learns", store="later", data={"table": "other.csv"}, validate=QUICK | {"folds": 2, "repeats": 1})
    again = run(folder, "clean", store="later", external=HOSPITAL)
    assert guard(first, "external-set-learnt-from") == guard(again, "external-set-learnt-from")
    other_settings = run(folder, "new look", store="later", external=HOSPITAL, seed=9, models={
        "try": {"elastic-net-logistic": {"penalty": 0.2}}
    })  # fmt: skip
    assert guard(other_settings, "external-set-learnt-from")["status"] == "warned"
    assert guard(other_settings, "external-set-reused")["status"] == "warned"


def test_a_patient_in_both_tables_is_refused(folder: Path) -> None:
    other = pd.read_csv(folder / "other.csv", dtype={"patient_id": str})
    other.loc[3, "patient_id"] = "007"
    other.to_csv(folder / "mixed.csv", index=False)
    with pytest.raises(Refused, match=r"patient 007: table.csv and mixed.csv both have this ID.*patient-in-both"):
        run(folder, "mixed", external={"table": "mixed.csv"})


def test_a_twin_in_the_other_hospital_under_another_name_blocks_the_bundle(folder: Path) -> None:
    own, other = (pd.read_csv(folder / name, dtype={"patient_id": str}) for name in ("table.csv", "other.csv"))
    twin = own[own["patient_id"] == "011"].assign(patient_id="B999")
    pd.concat([other, twin]).to_csv(folder / "twin.csv", index=False)
    result = run(folder, "twin", external={"table": "twin.csv"})
    assert "011 and B999: equal predictors and outcome" in guard(result, "duplicate-patients")["evidence"]
    assert result.blocked
    assert not (result.out / "bundle" / "card.json").exists()


@pytest.mark.parametrize(
    ("data", "validate", "told"),
    [
        ({"external": {"name": "B"}}, {}, "data: external: table: this key is missing"),
        ({"external": {"tabel": "b.csv"}}, {}, "did you mean “table”?"),
        ({"external": {"table": "b.csv", "name": "development"}}, {}, "development is what the other patients"),
        ({"external": {"table": "b.csv"}}, {"plan": "bootstrap"}, "says who is held out, external; leave one"),
        ({"external": {"table": "b.csv"}}, {"plan": {"external": {"column": "centre", "value": "B"}}}, "leave one"),
        ({"external": {"table": "b.csv"}}, {"folds": 3}, "folds: it belongs to the plan cross-validation"),
        ({"external": {"table": "store:b.csv"}}, {}, "the external table store:b.csv lies in the store"),
        ({"query": "", "external": {"table": "b.csv", "images": "b"}}, {}, "takes no `images:`"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_line(
    tmp_path: Path, data: dict[str, object], validate: dict[str, object], told: str
) -> None:
    study = studies.binary(data={"table": "table.csv"} | data, validate=validate)
    with pytest.raises(Refused, match=r"study.yaml, line \d+") as refused:
        read_study(studies.write(tmp_path, study))
    assert told in str(refused.value)


def test_a_table_that_has_the_reserved_column_is_refused(folder: Path) -> None:
    other = pd.read_csv(folder / "other.csv", dtype={"patient_id": str})
    other.assign(**{"data source": "x"}).to_csv(folder / "reserved.csv", index=False)
    with pytest.raises(Refused, match=r"column data source: reserved.csv has it.*column-reserved"):
        run(folder, "reserved", external={"table": "reserved.csv"})
