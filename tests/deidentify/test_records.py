"""FHIR records with the images' pseudonyms and date shifts."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from prognoscope.core.problems import Refused
from prognoscope.deidentify import Identity
from prognoscope.deidentify.records import Community, clean_record, meet
from prognoscope.jobs.deidentify import deidentify
from tests.make.deidentify import BASIC, PROJECT, RESEARCH

NOBODY = Community({}, {})
NESTED = '{"resourceType": "Patient", "x": ' + '{"a": ' * 450 + "1" + "}" * 451  # a parser takes it
PATIENT = {
    "resourceType": "Patient",
    "id": "4711-8",
    "name": [{"family": "Doe", "given": ["Jane"]}],
    "identifier": [{"system": "urn:mrn", "value": "998877"}],
    "telecom": [{"value": "555-123-4567"}],
    "address": [{"line": ["12 Elm Street"], "city": "Springfield"}],
    "gender": "female",
    "birthDate": "1956-03-12",
    "text": {"status": "generated", "div": "<div>Jane Doe</div>"},
}
REPORT = {
    "resourceType": "DiagnosticReport",
    "id": "r1",
    "subject": {"reference": "Patient/4711-8", "display": "Jane Doe"},
    "effectiveDateTime": "2020-01-31T10:15:00+01:00",
    "conclusion": "Jane Doe has Hodgkin lymphoma since 2020-01-31, call 555-123-4567",
    "code": {"coding": [{"system": "http://loinc.org", "code": "24627-2", "display": "CT chest"}]},
    "presentedForm": [{"contentType": "text/plain", "data": "SmFuZSBEb2U="}],
}


def clean(folder: Path, *resources: dict[str, Any], name: str = "a.ndjson", dates: bool = True) -> list[dict[str, Any]]:
    (folder / name).write_text("".join(json.dumps(one) + "\n" for one in resources), encoding="utf-8")
    people = {"4711-8": Identity(frozenset({"DOE^JANE"}))}
    options = RESEARCH if dates else BASIC
    record = clean_record(folder / name, community=meet([folder / name], people), project=PROJECT, options=options)
    return [json.loads(line) for line in record.data.decode().splitlines()]


def test_a_patient_keeps_the_pseudonym_of_the_images_and_nothing_that_names(tmp_path: Path) -> None:
    (patient,) = clean(tmp_path, PATIENT)
    assert patient == {
        "resourceType": "Patient",
        "id": PROJECT.patient("4711-8"),
        "gender": "female",
    }


def test_a_report_refers_to_the_pseudonym_and_its_dates_move_with_the_images(tmp_path: Path) -> None:
    _, report = clean(tmp_path, PATIENT, REPORT)
    moved = dt.date(2020, 1, 31) + dt.timedelta(days=PROJECT.shift_days("4711-8"))
    assert report["subject"] == {"reference": f"Patient/{PROJECT.patient('4711-8')}"}
    assert report["effectiveDateTime"] == f"{moved}T10:15:00+01:00"
    assert report["conclusion"] == f"[removed] has Hodgkin lymphoma since {moved}, call [removed]"
    assert report["code"] == REPORT["code"]
    assert "data" not in report["presentedForm"][0]


def test_without_the_option_dates_go(tmp_path: Path) -> None:
    (report,) = clean(tmp_path, REPORT, dates=False)
    assert "effectiveDateTime" not in report
    assert "2020" not in json.dumps(report)


def test_resources_within_a_bundle_are_cleaned(tmp_path: Path) -> None:
    entries = [{"fullUrl": "urn:uuid:1", "resource": PATIENT}, {"resource": REPORT}]
    (cleaned,) = clean(tmp_path, {"resourceType": "Bundle", "entry": entries}, name="a.json")
    assert cleaned["entry"][1]["resource"] == clean(tmp_path, PATIENT, REPORT)[1]
    text = json.dumps(cleaned)
    assert not [word for word in ("Doe", "Jane", "998877", "Elm", "1956", "4711-8") if word in text]


@pytest.mark.parametrize("data", ["", "{", "[]", '{"a": 1}', "[" * 100_000, NESTED])
def test_what_is_no_record_is_refused(tmp_path: Path, data: str) -> None:
    (tmp_path / "a.json").write_text(data)
    with pytest.raises(Refused, match="record-unreadable"):
        clean_record(tmp_path / "a.json", community=meet([tmp_path / "a.json"], {}), project=PROJECT, options=BASIC)


def test_names_of_others_and_extensions_of_people_go(tmp_path: Path) -> None:
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {
                "resource": {
                    "resourceType": "Patient", "id": "4711-8",
                    "extension": [
                        {"url": "http://hl7.org/patient-mothersMaidenName", "valueString": "Zorvak"},
                        {"url": "http://hl7.org/patient-animal", "valueBoolean": False},
                    ],
                }
            },
            {
                "resource": {
                    "resourceType": "Observation", "id": "o1", "subject": {"reference": "Patient/4711-8"},
                    "performer": [{"display": "Dr. Lunmir Tejpol"}],
                    "note": [{"text": "called Tejpol", "authorString": "Gry"}],
                    "code": {"coding": [{"system": "http://loinc.org", "code": "2339-0", "display": "Glucose"}]},
                }
            },
        ],
    }  # fmt: skip
    (tmp_path / "r.json").write_text(json.dumps(bundle), encoding="utf-8")
    community = meet([tmp_path / "r.json"], {})
    text = clean_record(tmp_path / "r.json", community=community, project=PROJECT, options=RESEARCH).data.decode()
    assert not [word for word in ("Zorvak", "Lunmir", "Tejpol", "Gry", "mothersMaidenName") if word in text]
    assert "Glucose" in text
    assert "patient-animal" in text


def test_a_patient_who_has_the_images_number_among_others_gets_their_pseudonym_and_shift(tmp_path: Path) -> None:
    numbered = PATIENT | {"id": "f-1", "identifier": [{"value": "77"}, {"value": "4711-8"}]}
    report = REPORT | {"subject": {"reference": "Patient/f-1"}}
    patient, cleaned = clean(tmp_path, numbered, report)
    moved = dt.date(2020, 1, 31) + dt.timedelta(days=PROJECT.shift_days("4711-8"))
    assert patient["id"] == PROJECT.patient("4711-8")
    assert cleaned["subject"] == {"reference": f"Patient/{PROJECT.patient('4711-8')}"}
    assert cleaned["effectiveDateTime"].startswith(str(moved))


def test_a_name_that_only_another_file_holds_is_taken_out(tmp_path: Path) -> None:
    named = PATIENT | {"id": "f-2", "name": [{"family": "Zorvakis", "given": ["Ilmari"]}]}
    noted = {
        "resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/f-2"},
        "note": [{"text": "Ilmari Zorvakis was seen by Tejpol"}],
    }  # fmt: skip
    paths = [tmp_path / "a.ndjson", tmp_path / "b.ndjson", tmp_path / "c.ndjson"]
    practitioner = {"resourceType": "Practitioner", "id": "p", "name": [{"family": "Tejpol"}]}
    for path, resource in zip(paths, (named, practitioner, noted), strict=True):
        path.write_text(json.dumps(resource) + "\n", encoding="utf-8")
    record = clean_record(paths[2], community=meet(paths, {}), project=PROJECT, options=RESEARCH)
    assert json.loads(record.data)["note"] == [{"text": "[removed] was seen by [removed]"}]


def test_free_text_that_stays_is_told_so_that_somebody_reads_it(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text(json.dumps(REPORT) + "\n", encoding="utf-8")
    record = clean_record(tmp_path / "a.ndjson", community=NOBODY, project=PROJECT, options=BASIC)
    assert record.texts == (
        ("DiagnosticReport.conclusion", "Jane Doe has Hodgkin lymphoma since [removed], call [removed]"),
    )


def test_packed_records_are_cleaned_and_packed_again(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    packed = gzip.compress((json.dumps(PATIENT) + "\n").encode())
    (tmp_path / "in" / "Patient.ndjson.gz").write_bytes(packed)
    (tmp_path / "in" / "cut.ndjson.gz").write_bytes(packed[:40])
    done = deidentify(tmp_path / "in", tmp_path / "out", options=BASIC, project=PROJECT)
    (path,) = (tmp_path / "out").rglob("*.ndjson.gz")
    assert json.loads(gzip.decompress(path.read_bytes())) == {
        "resourceType": "Patient",
        "id": PROJECT.patient("4711-8"),
        "gender": "female",
    }
    assert [(name, problem.code) for name, problem in done.held_back] == [("cut.ndjson.gz", "record-unreadable")]


def test_an_id_that_is_a_number_becomes_a_pseudonym_too(tmp_path: Path) -> None:
    (patient,) = clean(tmp_path, PATIENT | {"id": 47118802})
    assert patient["id"] == PROJECT.patient("47118802")
