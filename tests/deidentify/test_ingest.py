"""`ingest --deidentify`: what enters the store carries no identity, and what is in doubt does not enter."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from prognoscope.core.problems import Refused
from prognoscope.jobs.deidentified import ingest_deidentified
from prognoscope.jobs.ingest import IngestReport
from tests.make.deidentify import CT, PROJECT, an_object, save, with_pixels

PIXELS = np.arange(64, dtype=np.uint16).reshape(8, 8)


def write(folder: Path) -> None:
    for number in range(3):
        one = an_object(
            CT, SOPInstanceUID=f"1.2.826.0.1.3680043.10.1.9.{number}", InstanceNumber=number,
            ImagePositionPatient=[0, 0, number], ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=[1, 1],
            RescaleSlope=1, RescaleIntercept=0, FrameOfReferenceUID="1.2.826.0.1.3680043.10.1.4",
        )  # fmt: skip
        save(with_pixels(one, PIXELS), folder / "DOE_JANE" / f"{number}.dcm")
    cut = with_pixels(an_object(CT, SOPInstanceUID="1.2.826.0.1.3680043.10.1.8"), PIXELS)
    cut.Rows = 9
    save(cut, folder / "DOE_JANE" / "cut.dcm")
    (folder / "DOE_JANE" / "letter.pdf").write_bytes(b"%PDF Dear Jane Doe")
    (folder / "patients.csv").write_text("patient_id,name,grade\n4711-8,Jane Doe,2\n", encoding="utf-8")


def take_in(folder: Path) -> IngestReport:
    report, _ = ingest_deidentified(folder / "in", store=folder / "store", profile="research", project=PROJECT)
    return report


def test_nothing_in_the_store_names_the_patient(tmp_path: Path) -> None:
    write(tmp_path / "in")
    report = take_in(tmp_path)
    assert report.totals["dicom"] == 3
    assert report.totals["table"] == 1
    everything = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
    assert PROJECT.patient("4711-8").encode() in everything
    assert not [word for word in (b"DOE", b"JANE", b"Jane", b"4711-8", b"letter") if word in everything]


def test_what_is_in_doubt_is_quarantined_under_a_name_that_says_nothing(tmp_path: Path) -> None:
    write(tmp_path / "in")
    report = take_in(tmp_path)
    assert sorted(problem.code for problem in report.quarantined) == ["dicom-pixels", "dicom-unreadable"]
    assert all(problem.subject.startswith("held back: ") for problem in report.quarantined)
    listed = (tmp_path / "store.private" / "quarantine.json").read_text(encoding="utf-8")
    assert "DOE_JANE/letter.pdf" in listed


def test_a_second_ingest_finds_everything_there(tmp_path: Path) -> None:
    write(tmp_path / "in")
    first = take_in(tmp_path)
    again = take_in(tmp_path)
    assert again.new == {}
    assert again.unchanged + again.known == 4  # tables are written again, with the same content
    assert again.totals == first.totals


def test_a_source_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="source-missing"):
        ingest_deidentified(tmp_path / "nowhere", store=tmp_path / "store", profile="basic", project=PROJECT)


def test_what_is_said_of_a_tables_columns_goes_with_it(tmp_path: Path) -> None:
    write(tmp_path / "in")
    (tmp_path / "in" / "labs.csv").write_text("patient_id,crp\n4711-8,12\n", encoding="utf-8")
    told = {"crp": {"unit": "mg/L", "known_at": "time_zero", "meaning": "asked for by Jane Doe", "by": "Jane Doe"}}
    (tmp_path / "in" / "labs.csv.columns.json").write_text(json.dumps(told), encoding="utf-8")
    (tmp_path / "in" / "other.columns.json").write_text("[]", encoding="utf-8")
    _, done = ingest_deidentified(tmp_path / "in", store=tmp_path / "store", profile="research", project=PROJECT)
    (sidecar,) = (done.target / "tables").glob("*.columns.json")
    assert sidecar.with_name(sidecar.name.removesuffix(".columns.json")).is_file()
    assert json.loads(sidecar.read_text(encoding="utf-8")) == {
        "crp": {"unit": "mg/L", "known_at": "time_zero", "meaning": "asked for by [removed]"}
    }
    assert ("other.columns.json", "record-unreadable") in [(path, problem.code) for path, problem in done.held_back]
