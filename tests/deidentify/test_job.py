"""The whole job over a folder: places, resuming, what is held back, the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from prognoscope.core.problems import Refused
from prognoscope.deidentify import PROFILES, Options, load_table
from prognoscope.jobs.deidentify import Deidentified, deidentify, options_of
from prognoscope.work import local_map
from tests.make.deidentify import BASIC, PROJECT, RESEARCH, US, an_object, save, with_pixels


def run(folder: Path, options: Options = BASIC, *, jobs: int = 1) -> Deidentified:
    mapper = local_map(jobs=jobs)
    return deidentify(folder / "in", folder / "out", options=options, project=PROJECT, mapper=mapper)


def fill(folder: Path, patients: int = 2, objects: int = 3) -> None:
    for patient in range(patients):
        for number in range(objects):
            uid = f"1.2.826.0.1.3680043.10.{patient + 1}.{number + 1}"
            study = f"1.2.826.0.1.3680043.10.{patient + 1}.99"
            dataset = an_object(
                PatientID=f"MRN-{patient}77", SOPInstanceUID=uid, StudyInstanceUID=study, InstanceNumber=number,
                SeriesDescription="chest", PatientAge=f"04{patient}Y", PatientSex="F",
            )  # fmt: skip
            save(dataset, folder / "in" / f"DOE{patient}" / f"jane_doe_{number}.dcm")


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_every_object_comes_out_under_a_name_that_says_nothing(tmp_path: Path) -> None:
    fill(tmp_path)
    done = run(tmp_path)
    assert done.report["written"] == {"files": 6, "patients": 2, "by_modality": {"CT": 6}}
    names = [name for name in contents(tmp_path / "out") if name.endswith(".dcm")]
    assert len(names) == 6
    assert not [name for name in names if "doe" in name.lower() or "MRN" in name]
    for name in names:
        dataset = dcmread(tmp_path / "out" / name)
        assert name.startswith(f"{dataset.PatientID}/")
        assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID


def test_the_preamble_and_the_file_meta_information_are_new(tmp_path: Path) -> None:
    path = save(an_object(), tmp_path / "in" / "a.dcm")
    data = bytearray(path.read_bytes())
    data[:8] = b"DOE^JANE"
    path.write_bytes(bytes(data))
    done = run(tmp_path)
    (written,) = (tmp_path / "out").rglob("*.dcm")
    assert written.read_bytes()[:128] == b"\0" * 128
    assert done.report["held_back"]["files"] == 0


@pytest.mark.parametrize("options", [BASIC, RESEARCH])
def test_run_twice_it_gives_the_same_bytes(tmp_path: Path, options: Options) -> None:
    for attempt in ("one", "two"):
        fill(tmp_path / attempt)
        run(tmp_path / attempt, options)
    assert contents(tmp_path / "one" / "out") == contents(tmp_path / "two" / "out")


def test_two_processes_give_the_same_bytes_as_one(tmp_path: Path) -> None:
    for attempt, jobs in (("one", 1), ("two", 2)):
        fill(tmp_path / attempt, patients=3)
        run(tmp_path / attempt, jobs=jobs)
    assert contents(tmp_path / "one" / "out") == contents(tmp_path / "two" / "out")


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    fill(tmp_path)
    assert run(tmp_path).reused == 0
    again = run(tmp_path)
    assert again.reused == 6
    assert again.report["written"]["files"] == 6


def test_after_an_interruption_only_the_rest_is_done(tmp_path: Path) -> None:
    fill(tmp_path)
    whole = run(tmp_path)
    before = contents(tmp_path / "out")
    lost = next(name for name in before if name.endswith(".dcm"))
    (tmp_path / "out" / lost).unlink()
    again = run(tmp_path)
    assert again.reused == 3
    assert contents(tmp_path / "out") == before
    assert again.report == whole.report


def test_other_options_are_another_run(tmp_path: Path) -> None:
    fill(tmp_path)
    run(tmp_path)
    assert run(tmp_path, RESEARCH).reused == 0


def test_what_is_no_image_is_held_back_with_its_reason_and_not_copied(tmp_path: Path) -> None:
    fill(tmp_path, patients=1)
    (tmp_path / "in" / "letter about Jane Doe.txt").write_text("Dear Jane Doe")
    done = run(tmp_path)
    assert done.report["held_back"] == {"files": 1, "by_reason": {"dicom-unreadable": 1}}
    assert not [data for data in contents(tmp_path / "out").values() if b"Jane" in data]
    listed = json.loads((tmp_path / "out.private" / "quarantine.json").read_text())
    assert [entry["file"] for entry in listed] == ["letter about Jane Doe.txt"]


def test_nothing_that_goes_out_names_a_patient_or_a_source_file(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "in" / "DOE_letter.txt").write_text("x")
    run(tmp_path)
    for name, data in contents(tmp_path / "out").items():
        assert b"DOE" not in data, name
        assert b"MRN-" not in data, name


def test_the_pseudonym_table_leads_back_to_patients_and_files(tmp_path: Path) -> None:
    fill(tmp_path)
    run(tmp_path)
    table = load_table(tmp_path / "out.private" / "pseudonyms.enc", PROJECT)
    assert sorted(table.patients.values()) == ["MRN-077", "MRN-177"]
    assert "DOE0/jane_doe_0.dcm" in table.files.values()


def test_objects_of_one_patient_in_different_encodings_can_all_be_read(tmp_path: Path) -> None:
    syntaxes = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
    for number, syntax in enumerate(syntaxes):
        dataset = an_object(SOPInstanceUID=f"1.2.826.0.1.3680043.10.{number}", SeriesDescription="chest of Doe")
        save(dataset, tmp_path / "in" / f"{number}.dcm", syntax)
    run(tmp_path, RESEARCH)
    written = [dcmread(path) for path in (tmp_path / "out").rglob("*.dcm")]
    assert sorted(str(dataset.file_meta.TransferSyntaxUID) for dataset in written) == sorted(map(str, syntaxes))
    assert {dataset.SeriesDescription for dataset in written} == {"chest of"}
    assert len({dataset.StudyDate for dataset in written}) == 1


def test_two_objects_with_one_uid_are_both_kept(tmp_path: Path) -> None:
    save(an_object(InstanceNumber=1), tmp_path / "in" / "a.dcm")
    save(an_object(InstanceNumber=2), tmp_path / "in" / "b.dcm")
    run(tmp_path)
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 2


@pytest.mark.parametrize("places", [("in", "in/out"), ("in", "in"), ("in/deep", "in")])
def test_folders_within_each_other_are_refused(tmp_path: Path, places: tuple[str, str]) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    with pytest.raises(Refused, match="folders-overlap"):
        deidentify(tmp_path / places[0], tmp_path / places[1], options=BASIC, project=PROJECT)


def test_pixels_that_nobody_can_read_are_held_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prognoscope.deidentify.ocr.can_read", lambda: False)
    from prognoscope.deidentify.ocr import open_reader

    open_reader.cache_clear()
    save(with_pixels(an_object(US), np.zeros((8, 8, 3), np.uint8)), tmp_path / "in" / "us.dcm")
    save(an_object(), tmp_path / "in" / "ct.dcm")
    done = run(tmp_path, PROFILES["basic"])
    assert done.report["held_back"]["by_reason"] == {"ocr-missing": 1}
    assert done.report["written"]["files"] == 1
    assert "prognoscope[ocr]" in done.held_back[0][1].remedy


def test_pictures_nifti_and_tables_get_the_pseudonyms_of_the_images(tmp_path: Path) -> None:
    fill(tmp_path, patients=1)
    Image.new("RGB", (8, 8)).save(tmp_path / "in" / "MRN-077_photo.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "in" / "other.png")
    (tmp_path / "in" / "t.csv").write_text("id,name,file\nMRN-077,Doe,MRN-077_photo.png\nX9,Roe,other.png\n")
    run(tmp_path)
    pseudonym = PROJECT.patient("MRN-077")
    (table,) = (tmp_path / "out" / "tables").glob("*.csv")
    frame = pd.read_csv(table, dtype=str, keep_default_na=False)
    assert frame["id"].tolist() == [pseudonym, PROJECT.patient("X9")]
    assert frame["name"].tolist() == ["", ""]
    assert frame["file"][0].startswith(f"{pseudonym}/")
    assert frame["file"][1].startswith(f"{PROJECT.patient('X9')}/")
    assert all((tmp_path / "out" / name).is_file() for name in frame["file"])


def test_the_report_counts_whom_age_and_sex_single_out(tmp_path: Path) -> None:
    fill(tmp_path, patients=3)
    report = run(tmp_path, RESEARCH).report
    alone = {tuple(row["values"]): (row["alone"], row["people"]) for row in report["residual_risk"]["singled_out"]}
    assert alone["PatientSex",] == (0, 3)
    assert alone["PatientAge", "PatientSex"] == (3, 3)
    assert report["residual_risk"]["text_kept"] == [
        {"name": "SeriesDescription", "text": "chest", "files": 9, "people": 3}
    ]


def test_the_report_names_standard_options_codes_and_every_action(tmp_path: Path) -> None:
    fill(tmp_path, patients=1)
    report = json.loads((run(tmp_path).target / "deidentification.json").read_text())
    assert report["standard"]["edition"] == "2024b"
    assert report["options"]["retain_dates"] is False
    assert {
        "tag": "(0010,0010)",
        "name": "PatientName",
        "action": "Z",
        "meaning": "emptied or replaced",
        "count": 3,
    } in (report["actions"])


def test_options_are_a_profile_and_changes() -> None:
    changed = options_of("research", {"retain_dates": False, "clean_faces": None})
    assert (changed.retain_dates, changed.retain_device, changed.clean_faces) == (False, True, False)
