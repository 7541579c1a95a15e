"""Parquet tables among the images: the same pseudonyms and shifts as in CSV, numbers that stay numbers, no metadata."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from prognoscope.core.problems import Refused
from prognoscope.deidentify.parquet import read_parquet
from prognoscope.jobs.deidentify import Deidentified, deidentify
from tests.make.deidentify import PROJECT, RESEARCH, an_object, save


def write(path: Path) -> Path:
    frame = pd.DataFrame(
        {
            "patient_id": ["4711-8", "0815"],
            "name": ["Doe, Jane", "Roe, John"],
            "scan": [dt.datetime(2020, 1, 31), dt.datetime(2019, 5, 4, 10, 30)],
            "age": [93, 41],
            "dose": [1.5, None],
            "note": ["seen with Jane Doe", "no lesion"],
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(frame)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"author": b"Dr. Quistgaard"}), path)
    return path


def run(folder: Path) -> Deidentified:
    save(an_object(), folder / "in" / "a.dcm")
    return deidentify(folder / "in", folder / "out", options=RESEARCH, project=PROJECT)


def test_a_table_comes_out_clean_with_numbers_as_numbers(tmp_path: Path) -> None:
    write(tmp_path / "in" / "clinic.parquet")
    run(tmp_path)
    (path,) = (tmp_path / "out" / "tables").iterdir()
    clean = pd.read_parquet(path)
    shift = dt.timedelta(days=PROJECT.shift_days("4711-8"))
    assert clean["patient_id"].tolist() == [PROJECT.patient("4711-8"), PROJECT.patient("0815")]
    assert clean["name"].isna().all()
    assert clean["scan"].iloc[0] == f"{dt.datetime(2020, 1, 31) + shift:%Y-%m-%d}"
    assert clean["age"].tolist() == [90, 41]
    assert clean["dose"].iloc[0] == 1.5
    assert clean["dose"].isna().tolist() == [False, True]
    assert clean["note"].tolist() == ["seen with [removed]", "no lesion"]


def test_what_the_writer_put_beside_the_table_does_not_travel(tmp_path: Path) -> None:
    write(tmp_path / "in" / "clinic.parquet")
    run(tmp_path)
    (path,) = (tmp_path / "out" / "tables").iterdir()
    assert set(pq.read_schema(path).metadata) == {b"pandas"}
    assert b"Quistgaard" not in path.read_bytes()
    assert path.suffix == ".parquet"


def test_a_named_index_is_a_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"stage": [1, 2]}, index=pd.Index(["007", "008"], name="patient_id"))
    frame.to_parquet(tmp_path / "a.parquet")
    assert read_parquet(tmp_path / "a.parquet").frame.to_dict("list") == {
        "patient_id": ["007", "008"],
        "stage": ["1", "2"],
    }


@pytest.mark.parametrize("cell", [b"bytes", ["a", "list"], {"a": "record"}])
def test_cells_that_are_no_plain_values_are_refused(tmp_path: Path, cell: object) -> None:
    pd.DataFrame({"x": [cell]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(Refused) as refused:
        read_parquet(tmp_path / "a.parquet")
    assert refused.value.problem.code == "table-unreadable"


@pytest.mark.parametrize("data", [b"", b"PAR1", b"PAR1" + b"\0" * 40 + b"PAR1"])
def test_what_is_no_parquet_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(data)
    with pytest.raises(Refused) as refused:
        read_parquet(tmp_path / "a.parquet")
    assert refused.value.problem.code == "table-unreadable"
