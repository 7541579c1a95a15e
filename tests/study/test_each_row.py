"""A table without patient IDs: each row is a patient, told by the table's name and the line."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from prognoscope.core.problems import Refused
from prognoscope.study.file import read_study
from prognoscope.study.init import init_study
from prognoscope.study.predict import predict_source
from prognoscope.study.run import RunResult, run_study
from tests.make import studies

QUICK = {"inner": 2, "resamples": 200, "refits": 20}
FEW_FOLDS = {"folds": 3, "repeats": 1}
EACH_ROW = {"each": "row"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of 60 patients, and of 40 others, with and without their IDs; those with IDs lie in the order of the IDs."""
    made = tmp_path_factory.mktemp("rows")
    for name, patients, seed in (("named", 60, 1), ("other", 40, 2)):
        table = studies.table(made / f"{name}.csv", patients=patients, seed=seed).sort_values("patient_id")
        table.to_csv(made / f"{name}.csv", index=False)
        table.drop(columns="patient_id").to_csv(made / f"{name}_nameless.csv", index=False)
    return made


def run(folder: Path, name: str, **data: Any) -> RunResult:
    path = studies.write(
        folder,
        studies.binary(data=data, validate=QUICK | ({} if "external" in data else FEW_FOLDS)),
        name=f"{name}.yaml",
    )
    return run_study(path, out=folder / "out" / name, store=folder / "store")


@pytest.fixture(scope="module")
def nameless(folder: Path) -> RunResult:
    return run(folder, "nameless", table="named_nameless.csv", patient=EACH_ROW)


def test_every_row_takes_part_under_its_line_in_the_file(nameless: RunResult) -> None:
    risks = pd.read_csv(nameless.out / "predictions.csv")
    assert set(risks["patient_id"]) == {f"named_nameless:{line}" for line in range(2, 62)}


def test_the_outcome_stays_with_its_row(folder: Path, nameless: RunResult) -> None:
    table = pd.read_csv(folder / "named.csv")
    risks = pd.read_csv(nameless.out / "predictions.csv").drop_duplicates("patient_id").set_index("patient_id")
    rows = [f"named_nameless:{line}" for line in range(2, 62)]
    assert risks.loc[rows, "event"].tolist() == table["dead"].tolist()


def test_new_patients_are_answered_by_their_line_too(folder: Path, nameless: RunResult) -> None:
    answered = predict_source(nameless.out / "bundle", folder, table=folder / "other_nameless.csv")
    assert sorted(one.patient_id for one in answered.rows) == sorted(f"other_nameless:{n}" for n in range(2, 42))
    assert all(math.isfinite(one.risk) for one in answered.rows)


def test_a_second_source_of_nameless_rows_is_told_apart(folder: Path) -> None:
    result = run(
        folder, "external", table="named_nameless.csv", patient=EACH_ROW, external={"table": "other_nameless.csv"}
    )
    risks = pd.read_csv(result.out / "predictions.csv")
    assert set(risks["patient_id"]) == {f"other_nameless:{line}" for line in range(2, 42)}


@pytest.mark.parametrize("where", [{"images": "scans"}, {"query": "modality = CT"}])
def test_images_need_ids_to_find_their_rows(folder: Path, where: dict[str, str]) -> None:
    data = {"table": "named_nameless.csv", "patient": EACH_ROW} | where
    path = studies.write(folder, studies.binary(data=data), name="images.yaml")
    with pytest.raises(Refused, match="joined to the table by the patients' IDs"):
        read_study(path)


def test_a_missing_id_column_names_this_way_out(folder: Path) -> None:
    with pytest.raises(Refused, match=r"column patient_id: .*`patient: \{each: row\}`"):
        run(folder, "forgotten", table="named_nameless.csv")


def test_init_offers_it_where_no_column_looks_like_ids(folder: Path, tmp_path: Path) -> None:
    written = init_study(folder / "named_nameless.csv", out=tmp_path / "study.yaml")
    assert read_study(written.path).study.data.model_dump()["patient"] == EACH_ROW
