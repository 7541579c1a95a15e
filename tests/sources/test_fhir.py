"""FHIR R4: what a hospital's records say of a patient, when it was known, and what they do not say."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from prognoscope.core.facts import Fact
from prognoscope.core.problems import Refused
from prognoscope.sources.fhir import FhirDocument, looks_like_fhir, read_fhir

P = {"reference": "Patient/p1"}


def read(*resources: dict[str, Any]) -> FhirDocument:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in resources]}
    return read_fhir(json.dumps(bundle).encode(), subject="bundle.json")


def test_a_result_below_the_limit_of_detection_is_no_number() -> None:
    quantity = {"value": 0.5, "comparator": "<", "unit": "ng/mL", "code": "ng/mL"}
    found = read({"resourceType": "Observation", "subject": P, "code": {"text": "PSA"}, "valueQuantity": quantity,
                  "effectiveDateTime": "2020-01-02"})  # fmt: skip
    assert found.facts == (Fact("p1", "PSA", "<0.5", None, "ng/mL", "2020-01-02"),)


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Procedure", "status": "not-done", "code": {"text": "resection"}},
        {"resourceType": "MedicationAdministration", "status": "entered-in-error",
         "medicationCodeableConcept": {"text": "cisplatin"}},
        {"resourceType": "Condition", "code": {"text": "metastasis"},
         "verificationStatus": {"coding": [{"code": "refuted"}]}},
        {"resourceType": "Observation", "status": "cancelled", "code": {"text": "CRP"}, "valueInteger": 3},
        {"resourceType": "Procedure", "status": "preparation", "code": {"text": "resection"}},
        {"resourceType": "Condition", "code": {"text": "stroke"},
         "verificationStatus": {"coding": [{"code": "differential"}]}},
        {"resourceType": "MedicationRequest", "status": "active", "intent": "plan",
         "medicationCodeableConcept": {"text": "cisplatin"}},
        {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "doNotPerform": True,
         "medicationCodeableConcept": {"text": "cisplatin"}},
        {"resourceType": "MedicationStatement", "status": "intended",
         "medicationCodeableConcept": {"text": "cisplatin"}},
    ],
)  # fmt: skip
def test_what_did_not_happen_is_no_fact_but_is_counted(resource: dict[str, Any]) -> None:
    found = read(resource | {"subject": P})
    assert found.facts == ()
    assert found.silent == ((f"{resource['resourceType']}: void", 1),)


def test_a_value_that_is_absent_is_counted_and_not_invented() -> None:
    absent = {"dataAbsentReason": {"coding": [{"code": "unknown"}]}}
    found = read({"resourceType": "Observation", "subject": P, "code": {"text": "weight"}} | absent)
    assert (found.facts, found.silent) == ((), (("Observation: no value", 1),))


def test_a_result_is_known_when_it_was_issued_not_when_the_specimen_was_taken() -> None:
    culture = {"resourceType": "Observation", "subject": P, "code": {"text": "culture"}, "valueString": "E. coli"}
    times = {"effectiveDateTime": "2020-01-01", "issued": "2020-01-05T08:00:00Z"}
    (fact,) = read(culture | times).facts
    assert fact.known_at == "2020-01-05T08:00:00Z"
    (fact,) = read(culture | {"effectivePeriod": {"start": "2020-01-01", "end": "2020-01-02"}}).facts
    assert fact.known_at == "2020-01-02"


def test_a_bundle_within_a_bundle_is_read_in_its_place() -> None:
    def condition(text: str) -> dict[str, Any]:
        return {"resourceType": "Condition", "subject": P, "code": {"text": text}}

    inner = {"resourceType": "Bundle", "entry": [{"resource": condition("second")}, {"resource": condition("third")}]}
    found = read(condition("first"), inner, condition("fourth"))
    assert [fact.text for fact in found.facts] == ["first", "second", "third", "fourth"]
    assert found.counts == (("Condition", 4),)


def test_who_has_no_id_yet_is_called_by_the_full_url() -> None:
    url = "urn:uuid:5f2c0c3e-0000-4000-8000-000000000001"
    entries = [
        {"fullUrl": url, "resource": {"resourceType": "Patient", "gender": "female"}},
        {"resource": {"resourceType": "Condition", "subject": {"reference": url}, "code": {"text": "Sarcoma"}}},
    ]
    found = read_fhir(json.dumps({"resourceType": "Bundle", "entry": entries}).encode(), subject="bundle.json")
    assert {fact.patient_id for fact in found.facts} == {"5f2c0c3e-0000-4000-8000-000000000001"}


def test_a_subject_may_be_told_by_its_identifier_alone() -> None:
    subject = {"identifier": {"system": "urn:mrn", "value": "P001"}}
    (fact,) = read({"resourceType": "Condition", "subject": subject, "code": {"text": "Sarcoma"}}).facts
    assert (fact.patient_id, fact.text) == ("P001", "Sarcoma")


def test_identifiers_of_visits_are_not_those_of_the_person() -> None:
    visit = {"value": "V9", "type": {"coding": [{"code": "VN"}]}}
    found = read({"resourceType": "Patient", "id": "p1", "identifier": [{"value": "P001"}, visit]})
    assert [(fact.name, fact.text) for fact in found.facts] == [("identifier", "P001"), ("identifier VN", "V9")]


@pytest.mark.parametrize("value", ["1e400", "1" + 400 * "0"], ids=["exponent", "digits"])
def test_a_number_beyond_all_measure_is_no_number(value: str) -> None:
    text = '{"resourceType": "Observation", "subject": {"reference": "Patient/p1"}, "code": {"text": "CRP"}, '
    found = read_fhir((text + f'"valueQuantity": {{"value": {value}}}}}').encode(), subject="one.json")
    assert all(fact.number is None for fact in found.facts)


def test_a_condition_is_known_when_it_was_recorded_not_when_it_began() -> None:
    concept = {"text": "Sarcoma", "coding": [{"code": "C49.2", "display": "Malignant neoplasm"}]}
    found = read({"resourceType": "Condition", "subject": P, "code": concept, "onsetDateTime": "2011",
                  "recordedDate": "2012-05-01"})  # fmt: skip
    assert found.facts == (
        Fact("p1", "condition", "Sarcoma", known_at="2012-05-01"),
        Fact("p1", "condition code", "C49.2", known_at="2012-05-01"),
    )


def test_a_medication_elsewhere_in_the_document() -> None:
    found = read(
        {"resourceType": "Medication", "id": "m1", "code": {"text": "doxorubicin"}},
        {"resourceType": "MedicationAdministration", "subject": P, "effectivePeriod": {"start": "2020-01-02"},
         "medicationReference": {"reference": "Medication/m1"}, "dosage": {"dose": {"value": 75, "unit": "mg"}}},
    )  # fmt: skip
    assert found.facts == (
        Fact("p1", "medication", "doxorubicin", known_at="2020-01-02"),
        Fact("p1", "dose of doxorubicin", "75", 75.0, "mg", "2020-01-02"),
    )
    assert found.not_understood == (("Medication", 1),)


def test_one_odd_resource_spoils_no_other() -> None:
    found = read(
        {"resourceType": "Observation", "subject": P, "code": {"text": "a"}, "component": [3]},
        {"resourceType": "Observation", "subject": "p1", "code": {"text": "b"}, "valueInteger": 1},
        {"resourceType": "Observation", "subject": P, "code": {"text": "c"}, "valueInteger": 7},
    )
    assert found.facts == (Fact("p1", "c", "7", 7.0),)
    assert dict(found.silent) == {"Observation: malformed": 1, "Observation: no patient": 1}


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[1]", b'{"a": 1}', b'{"resourceType": "Bundle"}', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000,
     b"\x1f\x8bnothing", b'3\n{"resourceType": "Patient"}'],
)  # fmt: skip
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_fhir(data, subject="some.json")
    assert refused.value.problem.code == "fhir-unreadable"
    assert refused.value.problem.subject == "some.json"


def test_a_broken_line_among_others_is_counted_and_the_others_are_read() -> None:
    lines = [b'{"resourceType": "Patient", "id": "a", "gender": "male"}', b'{"resourceType": "Pat', b"3"]
    found = read_fhir(b"\n".join([*lines, lines[0].replace(b'"a"', b'"b"')]), subject="some.ndjson")
    assert [(fact.patient_id, fact.text) for fact in found.facts] == [("a", "male"), ("b", "male")]
    assert found.silent == (("line: malformed", 2),)


@pytest.mark.parametrize("field", ['"gender": ["male"]', '"birthDate": {"a": 1}', '"identifier": [{"value": 7}]'])
def test_a_value_of_the_wrong_type_is_malformed_and_no_fact(field: str) -> None:
    found = read_fhir(f'{{"resourceType": "Patient", "id": "a", {field}}}'.encode(), subject="some.json")
    assert found.facts == ()
    assert found.silent == (("Patient: malformed", 1),)


def test_a_megabyte_does_not_become_a_gigabyte() -> None:
    bomb = gzip.compress(b'{"resourceType": "Patient", "id": "a"' + b" " * (200 << 20) + b"}")
    assert len(bomb) < 1 << 20
    with pytest.raises(Refused) as refused:
        read_fhir(bomb, subject="bomb.json.gz")
    assert refused.value.problem.code == "fhir-too-large"


def test_a_document_that_inflates_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prognoscope.sources.fhir.INFLATED_BYTES", 1 << 16)
    bomb = gzip.compress(b'{"resourceType": "Patient", "id": "' + b"a" * (1 << 20) + b'"}')
    assert looks_like_fhir(bomb)
    with pytest.raises(Refused) as refused:
        read_fhir(bomb, subject="bomb.json.gz")
    assert refused.value.problem.code == "fhir-too-large"


def of_file(path: Path) -> FhirDocument:
    return read_fhir(path.read_bytes(), subject=path.name)


@pytest.mark.real_data
def test_hl7s_own_examples(real_data: Path) -> None:
    """Numbers and words as the specification's pages show them (hl7.org/fhir/R4, the resources' examples)."""
    examples = real_data / "fhir/hl7-r4-examples"
    pressure = {
        fact.name: (fact.number, fact.unit) for fact in of_file(examples / "Observation-blood-pressure.json").facts
    }
    assert pressure["Systolic blood pressure"] == (107.0, "mm[Hg]")
    assert pressure["Diastolic blood pressure"] == (60.0, "mm[Hg]")
    given = of_file(examples / "MedicationAdministration-medadmin0301.json").facts
    assert given[0].text == "Vancomycin Hydrochloride (VANCOMYCIN HYDROCHLORIDE)"
    assert ("dose of Vancomycin Hydrochloride (VANCOMYCIN HYDROCHLORIDE)", 500.0, "mg") in {
        (fact.name, fact.number, fact.unit) for fact in given
    }
    images = {fact.name: fact.text for fact in of_file(examples / "ImagingStudy-example.json").facts}
    assert images["imaging study"] == "2.16.124.113543.6003.1154777499.30246.19789.3503430045"
    assert images["imaging series"] == "2.16.124.113543.6003.2588828330.45298.17418.2723805630"
    assert (images["imaging modality"], images["imaging body site"]) == ("CT", "Upper Trunk Structure")
    report = {(fact.name, fact.text) for fact in of_file(examples / "DiagnosticReport-f201.json").facts}
    assert ("conclusion", "CT brains: large tumor sphenoid/clivus.") in report
    assert of_file(examples / "Procedure-appendectomy-narrative.json").silent == (("Procedure: no value", 1),)


@pytest.mark.real_data
def test_every_example_of_the_seven_types_speaks_or_says_why_not(real_data: Path) -> None:
    wanted = ("Patient", "Condition", "Observation", "MedicationAdministration", "Procedure", "DiagnosticReport",
              "ImagingStudy")  # fmt: skip
    speaking: Counter[str] = Counter()
    for path in sorted((real_data / "fhir/hl7-r4-examples").glob("*.json")):
        kind = path.name.partition("-")[0]
        if kind in wanted:
            found = of_file(path)
            assert bool(found.facts) != bool(found.silent), path.name
            assert "malformed" not in str(found.silent), path.name
            speaking[kind] += bool(found.facts)
    assert set(speaking) == set(wanted)
    assert speaking["Observation"] == 46  # of 64: 18 are void, panels, of no patient, or pictures of genes


@pytest.mark.real_data
def test_bundles_whose_references_are_urns(real_data: Path) -> None:
    files = sorted((real_data / "fhir/synthea").glob("*_*.json"))
    assert len(files) == 7
    studies = 0
    for path in files:
        found = of_file(path)
        assert len({fact.patient_id for fact in found.facts}) == 1, path.name
        assert {"sex", "birth_date", "condition", "procedure", "report"} <= {fact.name for fact in found.facts}
        studies += sum(fact.name == "imaging study" for fact in found.facts)
    assert studies == 11


@pytest.mark.real_data
def test_a_hundred_real_patients(real_data: Path) -> None:
    """Counts as the publisher's and the data's README state them."""
    home = real_data / "fhir/mimic-iv-demo"
    patients = of_file(home / "MimicPatient.ndjson.gz").facts
    assert len({fact.patient_id for fact in patients}) == 100
    assert sum(fact.name == "deceased" for fact in patients) == 31
    conditions = of_file(home / "MimicCondition.ndjson.gz")
    assert sum(fact.name == "condition" for fact in conditions.facts) == 4506
    procedures = of_file(home / "MimicProcedure.ndjson.gz").facts
    assert sum(fact.name == "procedure" and bool(fact.known_at) for fact in procedures) == 722
    exams = of_file(home / "MimicObservationED.ndjson.gz")
    assert exams.silent == (("Observation: no value", 1343),)
    vital = of_file(home / "MimicObservationVitalSignsED.ndjson.gz")
    assert sum(fact.number is not None for fact in vital.facts) > 4339
    assert all(fact.unit for fact in vital.facts if fact.number is not None)
    given = of_file(home / "MimicMedicationAdministrationICU.ndjson.gz").facts
    assert sum(fact.name == "medication" and bool(fact.known_at) for fact in given) == 20_404
