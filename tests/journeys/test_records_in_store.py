"""Records of a hospital beside its images: FHIR calls a person by an ID of its own, the images by an identifier."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.quarantine import list_quarantine
from prognoscope.jobs.query import query
from prognoscope.sources import read_table
from prognoscope.store import Store
from tests.make.store import write_hospital

PERSON, SUBJECT = "f001-logical", {"reference": "Patient/f001-logical"}


def quantity(value: float, unit: str) -> dict[str, object]:
    return {"value": value, "code": unit, "unit": unit}


RESOURCES: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": PERSON, "gender": "female", "birthDate": "1960-08-01",
     "identifier": [{"system": "urn:insurance", "value": "X-17"}, {"system": "urn:mrn", "value": "P001"}]},
    {"resourceType": "Condition", "id": "c", "subject": SUBJECT, "recordedDate": "2019-11-03",
     "code": {"text": "Liposarcoma", "coding": [{"code": "8850/3"}]}},
    {"resourceType": "Observation", "id": "o", "subject": SUBJECT, "effectiveDateTime": "2019-12-01",
     "status": "final", "code": {"text": "C-reactive protein"}, "valueQuantity": quantity(12.5, "mg/L")},
    {"resourceType": "MedicationAdministration", "id": "m", "subject": SUBJECT, "status": "completed",
     "effectiveDateTime": "2020-02-01", "medicationCodeableConcept": {"text": "doxorubicin"},
     "dosage": {"dose": quantity(75, "mg")}},
    {"resourceType": "Procedure", "id": "p", "subject": SUBJECT, "status": "completed",
     "performedDateTime": "2020-03-01", "code": {"text": "Excision"}},
    {"resourceType": "DiagnosticReport", "id": "d", "subject": SUBJECT, "status": "final", "issued": "2020-03-09",
     "code": {"text": "Histology"}, "conclusion": "Margins are free."},
    {"resourceType": "ImagingStudy", "id": "i", "subject": SUBJECT, "status": "available", "started": "2020-01-02",
     "identifier": [{"value": "urn:oid:1.2.3"}], "series": [{"uid": "1.2.3.1", "modality": {"code": "CT"}}]},
    {"resourceType": "Claim", "id": "x"},
    {"resourceType": "Claim", "id": "y"},
]  # fmt: skip


def bundle(*resources: dict[str, Any]) -> str:
    return json.dumps({"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]})


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    write_hospital(tmp_path / "hospital")
    return tmp_path / "hospital"


def found(store: Path, text: str) -> list[str]:
    return sorted({hit.patient_id for hit in query(text, store=store, most=None).hits})


def test_each_kind_of_resource_becomes_typed_values_with_unit_and_time(hospital: Path, tmp_path: Path) -> None:
    (hospital / "records.json").write_text(bundle(*RESOURCES))
    assert dict(ingest(hospital, store=tmp_path / "store").new) == {"dicom": 15, "fhir": 1, "table": 1}
    query_all = sa.text(
        "SELECT name, text, number, unit, known_at FROM patient_values WHERE patient_id = :person ORDER BY row, name"
    )
    with Store(tmp_path / "store") as store, store.database.reading() as connection:
        rows = [tuple(row) for row in connection.execute(query_all, {"person": PERSON})]
        columns = json.loads(
            connection.execute(sa.text("SELECT columns FROM tables WHERE path = 'records.json'")).scalar_one()
        )
    assert rows == [
        ("sex", "female", None, "", ""),
        ("birth_date", "1960-08-01", None, "", ""),
        ("identifier", "X-17", None, "", ""),
        ("identifier", "P001", None, "", ""),
        ("condition", "Liposarcoma", None, "", "2019-11-03"),
        ("condition code", "8850/3", None, "", "2019-11-03"),
        ("C-reactive protein", "12.5", 12.5, "mg/L", "2019-12-01"),
        ("medication", "doxorubicin", None, "", "2020-02-01"),
        ("dose of doxorubicin", "75", 75.0, "mg", "2020-02-01"),
        ("procedure", "Excision", None, "", "2020-03-01"),
        ("report", "Histology", None, "", "2020-03-09"),
        ("conclusion", "Margins are free.", None, "", "2020-03-09"),
        ("imaging study", "1.2.3", None, "", "2020-01-02"),
        ("imaging series", "1.2.3.1", None, "", "2020-01-02"),
        ("imaging modality", "CT", None, "", "2020-01-02"),
    ]
    assert [(one["name"], one["resources"]) for one in columns if not one["understood"]] == [("Claim", 2)]


ASKED = 'modality = CT and "C-reactive protein" > 10 and condition ~ sarcoma and medication = doxorubicin'


@pytest.mark.parametrize("order", ["together", "records first", "images first"])
def test_records_are_found_with_the_images_that_bear_an_identifier_of_the_person(
    hospital: Path, tmp_path: Path, order: str
) -> None:
    """The Patient and the others may stand in files of their own; what came first does not matter."""
    records, store = tmp_path / "records", tmp_path / "store"
    records.mkdir()
    (records / "Patient.ndjson").write_text(json.dumps(RESOURCES[0]) + "\n")
    (records / "others.ndjson").write_text("".join(json.dumps(one) + "\n" for one in RESOURCES[1:]))
    if order == "together":
        records.rename(hospital / "records")
        sources = [hospital]
    else:
        sources = [records, hospital] if order == "records first" else [hospital, records]
    for source in sources:
        assert ingest(source, store=store).quarantined == ()
    assert found(store, ASKED) == ["P001"]
    frozen = query(ASKED, store=store, snapshot="cohort").snapshot
    assert frozen is not None
    with Store(store) as opened:
        tables = [one.path.rpartition("/")[2] for one in opened.snapshots.open(frozen).tables]
    assert sorted(tables) == ["Patient.ndjson", "clinical.csv", "others.ndjson"]


def test_a_person_whose_identifiers_are_two_patients_is_joined_to_neither(hospital: Path, tmp_path: Path) -> None:
    two = RESOURCES[0] | {"identifier": [{"value": "P001"}, {"value": "P002"}]}
    (hospital / "records.json").write_text(bundle(two, *RESOURCES[1:]))
    report = ingest(hospital, store=tmp_path / "store")
    assert [(one.code, one.subject) for one in report.quarantined] == [("identifier-ambiguous", f"person {PERSON}")]
    assert found(tmp_path / "store", "condition ~ sarcoma") == []
    assert ingest(hospital, store=tmp_path / "store").quarantined == ()  # told once, and held
    (hospital / "records.json").write_text(bundle(*RESOURCES))
    ingest(hospital, store=tmp_path / "store")
    assert found(tmp_path / "store", "condition ~ sarcoma") == ["P001"]
    assert list_quarantine(tmp_path / "store") == ()


@pytest.mark.parametrize(
    ("person", "patients"),
    [
        ({"id": "P000"}, ["P000"]),
        ({"id": "P000", "identifier": [{"value": "P001"}]}, ["P001"]),
        ({"id": "P000", "identifier": [{"value": "H-17"}]}, []),
        ({"id": "P000", "identifier": [{"value": "H-17"}], "birthDate": "1960-08-01"}, ["P000"]),
        ({"id": "x", "identifier": [{"value": "P000", "type": {"coding": [{"code": "VN"}]}}]}, []),
        ({"id": "x", "identifier": [{"value": "P000", "type": {"coding": [{"code": "MR"}]}}]}, ["P000"]),
    ],
    ids=["id alone", "identifier wins", "a server's number", "born on that day", "a visit's number", "record number"],
)
def test_whose_images_a_person_of_the_records_has(
    hospital: Path, tmp_path: Path, person: dict[str, Any], patients: list[str]
) -> None:
    subject = {"subject": {"reference": f"Patient/{person['id']}"}}
    told = {"resourceType": "Condition", "code": {"text": "ill"}} | subject
    (hospital / "records.json").write_text(bundle({"resourceType": "Patient"} | person, told))
    assert ingest(hospital, store=tmp_path / "store").quarantined == ()
    assert found(tmp_path / "store", "condition = ill") == patients


@pytest.mark.parametrize(
    ("who", "what"),
    [({"gender": "male"}, "sex"), ({"gender": "female", "birthDate": "1940-01-01"}, "birth date")],
    ids=["another sex", "born on another day"],
)
@pytest.mark.parametrize("identifier", [[{"value": "P000"}], []], ids=["an identifier", "the own ID"])
def test_who_differs_from_the_images_is_told_and_joined_to_nobody(
    hospital: Path, tmp_path: Path, who: dict[str, str], what: str, identifier: list[dict[str, str]]
) -> None:
    person = {"resourceType": "Patient", "id": "x" if identifier else "P000", "identifier": identifier} | who
    told = {"resourceType": "Condition", "code": {"text": "ill"}, "subject": {"reference": f"Patient/{person['id']}"}}
    (hospital / "records.json").write_text(bundle(person, told))
    (problem,) = ingest(hospital, store=tmp_path / "store").quarantined
    assert (problem.code, problem.subject) == ("identity-differs", f"person {person['id']}")
    assert f"whose {what} is another" in problem.found
    assert found(tmp_path / "store", "condition = ill") == []


def test_records_leave_images_that_turn_out_to_be_anothers(hospital: Path, tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    person = {"resourceType": "Patient", "id": "x", "identifier": [{"value": "P000"}]}
    (tmp_path / "records" / "patient.json").write_text(bundle(person))
    for source in (hospital, tmp_path / "records"):
        ingest(source, store=tmp_path / "store")
    assert found(tmp_path / "store", "identifier = P000") == ["P000"]
    (tmp_path / "records" / "sex.json").write_text(bundle(person | {"gender": "male"}))
    ingest(tmp_path / "records", store=tmp_path / "store")
    assert found(tmp_path / "store", "identifier = P000") == []


def test_equal_ids_of_two_sources_are_two_people(hospital: Path, tmp_path: Path) -> None:
    for name, mrn in (("north", "P000"), ("south", "P001")):
        (tmp_path / name).mkdir()
        person = {"resourceType": "Patient", "id": "1", "identifier": [{"value": mrn}]}
        told = {
            "resourceType": "Condition",
            "subject": {"reference": "Patient/1"},
            "code": {"text": f"ill in the {name}"},
        }
        (tmp_path / name / "records.json").write_text(bundle(person, told))
    for source in (hospital, tmp_path / "north", tmp_path / "south"):
        ingest(source, store=tmp_path / "store")
    assert found(tmp_path / "store", 'condition = "ill in the north"') == ["P000"]
    assert found(tmp_path / "store", 'condition = "ill in the south"') == ["P001"]


def test_what_records_and_tables_tell_of_a_cohort_becomes_the_table_of_a_study(hospital: Path, tmp_path: Path) -> None:
    """One value a line, under the patient's ID of the images, with unit and time: to be chosen from by date."""
    (hospital / "records.json").write_text(bundle(*RESOURCES))
    ingest(hospital, store=tmp_path / "store")
    query("condition ~ sarcoma", store=tmp_path / "store", records=tmp_path / "told.csv")
    told = read_table(tmp_path / "told.csv")
    assert set(told["patient_id"]) == {"P001"}
    (crp,) = told[told["name"] == "C-reactive protein"].to_dict("records")
    assert (crp["number"], crp["unit"], crp["known_at"], crp["path"]) == ("12.5", "mg/L", "2019-12-01", "records.json")
    (grade,) = told[told["name"] == "grade"].to_dict("records")
    assert (grade["text"], grade["path"]) == ("High", "clinical.csv")
