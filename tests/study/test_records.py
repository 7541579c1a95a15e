"""A study whose table is made from FHIR records: real ones by another pivot, small ones beside a table and images."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from prognoscope.core.problems import Refused
from prognoscope.jobs.ingest import ingest
from prognoscope.store import Store
from prognoscope.study.file import StudyFile, read_study
from prognoscope.study.run import run_study
from prognoscope.study.stages.recorded import documents_below, documents_of, table_with_records
from tests.make.store import write_patient

NEEDED = ("MimicPatient", "MimicEncounter", "MimicObservationVitalSignsED", "MimicProcedure")
MIMIC = """
question: Who dies within a year of the first stay?
data:
  records:
    from: records
    index: {record: encounter, is: ["inpatient*", emergency, "observation*", "acute*"]}
    columns:
      - {column: age, record: birth_date, take: last time, unit: year}
      - {column: sex, record: sex, undated: true}
      - {column: systolic, record: Systolic blood pressure, unit: kPa, within: 30 day}
      - {column: procedures, record: procedure, take: count}
      - {column: died, record: deceased, when: after, within: 365 day, take: any}
outcome: {column: died, event: "true", no_event: ["false"]}
predictors:
  - {column: age, unit: year, known_at: time_zero}
  - {column: sex, known_at: time_zero}
  - {column: systolic, unit: kPa, known_at: time_zero}
  - {column: procedures, unit: "1", known_at: time_zero}
models: {try: [elastic-net-logistic]}
validate: {folds: 5, repeats: 5, inner: 3, resamples: 2000}
"""


def write_study(folder: Path, text: str) -> StudyFile:
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return read_study(folder / "study.yaml")


def rows_of(file: StudyFile, table: Path | None = None) -> tuple[dict[str, dict[str, str]], list[str]]:
    assert file.records is not None
    data, notes = table_with_records(file.study, table, documents_below(file.records), None)
    return {row["patient_id"]: row for row in csv.DictReader(io.StringIO(data.decode()))}, [str(one) for one in notes]


def resources(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.open(path, "rt")]


@pytest.mark.real_data
def test_real_records_by_another_pivot(real_data: Path, tmp_path: Path) -> None:
    """The same columns with pandas from the raw JSON: each day as it is written, the last value by time."""
    (tmp_path / "records").mkdir()
    for name in NEEDED:
        shutil.copy(real_data / f"fhir/mimic-iv-demo/{name}.ndjson.gz", tmp_path / "records")
    rows, _ = rows_of(write_study(tmp_path, MIMIC))
    raw = {name: resources(tmp_path / f"records/{name}.ndjson.gz") for name in NEEDED}
    stays = [
        (one["subject"]["reference"].split("/")[1], one["period"]["start"][:10])
        for one in raw["MimicEncounter"]
        if one["class"].get("display", one["class"]["code"]).split()[0]
        in ("inpatient", "emergency", "observation", "acute")
    ]
    day0 = pd.DataFrame(stays, columns=["who", "day"]).groupby("who")["day"].min()
    pressure = pd.DataFrame(
        [
            (one["subject"]["reference"].split("/")[1], one["effectiveDateTime"], part["valueQuantity"]["value"])
            for one in raw["MimicObservationVitalSignsED"]
            for part in one.get("component", ())
            if part["code"]["coding"][0]["display"] == "Systolic blood pressure" and "valueQuantity" in part
        ],
        columns=["who", "when", "value"],
    )
    assert len(rows) == 100
    assert {name for name, row in rows.items() if row["index"] == "0"} == set(day0.index)
    for person in raw["MimicPatient"]:
        row, zero = rows[person["id"]], date.fromisoformat(day0.get(person["id"], "9999-01-01"))
        if person["id"] not in day0.index:
            continue
        days = (zero - date.fromisoformat(person["birthDate"])).days
        died = person.get("deceasedDateTime", "")[:10]
        assert float(row["age"]) == pytest.approx(days / 365.25)
        assert row["sex"] == person["gender"]
        assert row["died"] == str(bool(died) and 0 < (date.fromisoformat(died) - zero).days <= 365).lower()
        mine = pressure[pressure["who"] == person["id"]]
        ago = mine["when"].str[:10].map(lambda day, zero=zero: (zero - date.fromisoformat(day)).days)
        last = mine[(ago >= 0) & (ago <= 30)].sort_values("when")["value"]
        assert float(row["systolic"] or "nan") == pytest.approx(
            last.iloc[-1] * 0.133322387415 if len(last) else float("nan"), nan_ok=True
        )
        mine_done = [one for one in raw["MimicProcedure"] if one["subject"]["reference"].endswith(person["id"])]
        done = [one.get("performedDateTime") or one["performedPeriod"]["start"] for one in mine_done]
        assert row["procedures"] == str(sum(when[:10] <= zero.isoformat() for when in done))


@pytest.mark.real_data
@pytest.mark.slow
def test_a_study_of_real_records_from_the_file_to_the_report(real_data: Path, tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    for name in NEEDED:
        shutil.copy(real_data / f"fhir/mimic-iv-demo/{name}.ndjson.gz", tmp_path / "records")
    write_study(tmp_path, MIMIC)
    result = run_study(tmp_path / "study.yaml", out=tmp_path / "out")
    told = [str(note) for note in result.notes]
    assert any("systolic" in note and "not surely known by day 0" in note for note in told)
    assert len(result.flow.included) + len(result.flow.exclusions) == 100
    assert {one.problem.code for one in result.flow.exclusions} <= {"time-zero-unknown"}
    assert "systolic" in (tmp_path / "out/report.html").read_text(encoding="utf-8")


def bundle(*people: tuple[str, str, float, str]) -> bytes:
    """FHIR patients (own ID, identifier) with a creatinine each and the day when it was issued."""
    entries: list[dict[str, Any]] = []
    for own, identifier, value, when in people:
        entries += [
            {"resourceType": "Patient", "id": own, "gender": "female", "identifier": [{"value": identifier}]},
            {
                "resourceType": "Observation", "id": f"o{own}{when}", "status": "final", "issued": f"{when}T08:00:00Z",
                "code": {"text": "Creatinine"}, "subject": {"reference": f"Patient/{own}"},
                "valueQuantity": {"value": value, "code": "mg/dL"},
            },
        ]  # fmt: skip
    return json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in entries]}
    ).encode()


BESIDE = """
question: Who dies?
data:
  table: clinical.csv
  records:
    from: records
    index: {column: scan}
    columns:
      - {column: crea, record: creatinine, unit: mg/L}
outcome: {column: died, event: "1", no_event: ["0"]}
predictors: [{column: crea, unit: mg/L, known_at: time_zero}]
"""


def write_beside(folder: Path) -> StudyFile:
    (folder / "records").mkdir()
    people = (("x1", "P000", 1.0, "2020-01-01"), ("x1", "P000", 9.0, "2020-01-05"), ("P001", "else", 5.0, "2020-01-01"))
    (folder / "records/bundle.json").write_bytes(bundle(*people))
    (folder / "clinical.csv").write_text("patient_id,scan,died\nP000,2020-01-02,1\nP001,2020-01-02,0\nP002,,0\n")
    return write_study(folder, BESIDE)


def test_records_beside_a_table_are_joined_by_the_persons_identifiers_alone(tmp_path: Path) -> None:
    file = write_beside(tmp_path)
    rows, notes = rows_of(file, file.table)
    assert {name: (row["index"], row["crea"], row["died"]) for name, row in rows.items()} == {
        "P000": ("0", "10", "1"),
        "P001": ("0", "", "0"),  # the record's own ID is no identifier
        "P002": ("", "", "0"),
    }
    assert len(notes) == 2
    assert "1 people of the records bear no identifier" in notes[0]
    assert "1 values were not surely known by day 0" in notes[1]


def test_records_of_a_store(tmp_path: Path) -> None:
    file = write_beside(tmp_path)
    write_patient(tmp_path / "in", "P000")
    shutil.copytree(tmp_path / "records", tmp_path / "in/records")
    ingest(tmp_path / "in", store=tmp_path / "store")
    with Store(tmp_path / "store") as store:
        data, _ = table_with_records(file.study, file.table, documents_of(store, None), None)
        frozen = store.snapshots.open(store.snapshots.freeze("", name="first"))
        assert [one.path for one in frozen.tables] == ["records/bundle.json"]
    assert b"P000,2020-01-02,1,0,10\n" in data


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "column: crea, record: creatinine, unit: mg/L",
            "column: crea, record: creatinine, when: after",
            "known-too-late",
        ),
        ("  table: clinical.csv\n", "", "it needs `table:`"),
        ("from: records", "from: elsewhere", "no such file or folder"),
        ("record: creatinine", "record: kreatinin", "“creatinine” is like it"),
        ("unit: mg/L}\noutcome", "unit: mmol/L}\noutcome", "does not become mmol/L"),
        ("column: scan", "column: scam", "column-missing"),
        ("{column: crea, record", "{column: died, record", "column-reserved"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    write_beside(tmp_path)
    assert old in BESIDE
    (tmp_path / "study.yaml").write_text(BESIDE.replace(old, new), encoding="utf-8")
    with pytest.raises(Refused) as refused:
        run_study(tmp_path / "study.yaml", out=tmp_path / "out")
    assert told in f"{refused.value} {refused.value.problem.code}"
