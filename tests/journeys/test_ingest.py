"""A hospital's folder is taken in, found again, frozen, handed out and verified, as a user does it."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from prognoscope.core import hashing
from prognoscope.core.problems import Refused
from prognoscope.jobs.audit import read_log, verify_log
from prognoscope.jobs.curate import curate
from prognoscope.jobs.history import as_lines, history
from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.quarantine import list_quarantine, release
from prognoscope.jobs.query import difference, query
from prognoscope.jobs.verify import verify
from prognoscope.sources import read_mask, read_volume
from prognoscope.store import Store
from tests.make.store import SOP_CLASS, directory, hostile_files, slice_bytes, write_hospital, write_patient, zipped


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    write_hospital(tmp_path / "hospital")
    return tmp_path / "hospital"


def test_a_folder_comes_in_whole_and_a_second_time_not_at_all(hospital: Path, tmp_path: Path) -> None:
    first = ingest(hospital, store=tmp_path / "store")
    assert (first.files, dict(first.new), first.patients) == (16, {"dicom": 15, "table": 1}, 3)
    again = ingest(hospital, store=tmp_path / "store")
    assert (again.unchanged, dict(again.new), again.quarantined) == (16, {}, ())
    read_anew = ingest(hospital, store=tmp_path / "store", verify=True)
    assert (read_anew.known, dict(read_anew.new), read_anew.totals["dicom"]) == (16, {}, 15)


def test_a_copy_of_the_folder_elsewhere_brings_nothing_new(hospital: Path, tmp_path: Path) -> None:
    ingest(hospital, store=tmp_path / "store")
    write_hospital(tmp_path / "copy")
    report = ingest(tmp_path / "copy", store=tmp_path / "store")
    assert (report.known, dict(report.new)) == (16, {})


def test_the_study_reads_the_very_volume_from_the_store(hospital: Path, tmp_path: Path) -> None:
    ingest(hospital, store=tmp_path / "store")
    with Store(tmp_path / "store") as store:
        found = store.search.hits("patient = P001")
        index = store.volumes.index([hit.key for hit in found])
        volume = read_volume(tmp_path / "store/artefacts", index.series[0])
    assert volume.voxels.shape == (5, 4, 4)
    assert volume.voxels[2, 0, :].tolist() == [1032.0, 1033.0, 1034.0, 1035.0]


def test_a_slice_that_comes_later_mends_the_series(hospital: Path, tmp_path: Path) -> None:
    (hospital / "P000/1/2").rename(tmp_path / "late")
    ingest(hospital, store=tmp_path / "store")
    held = list_quarantine(tmp_path / "store")
    assert [(one.what, one.problem.code, one.patient_id) for one in held] == [("series", "missing-slices", "P000")]
    assert query("", store=tmp_path / "store").counts.series == 2
    (tmp_path / "late").rename(hospital / "P000/1/2")
    ingest(hospital, store=tmp_path / "store")
    assert list_quarantine(tmp_path / "store") == ()
    assert query("patient = P000", store=tmp_path / "store").counts.instances == 5


def test_archives_in_archives_are_opened_and_remembered(tmp_path: Path) -> None:
    inner = zipped({f"deep/{number}": slice_bytes("Z1", number) for number in range(4)})
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "all").write_bytes(zipped({"inner.zip": inner, "readme.txt": b"hello"}))
    report = ingest(folder, store=tmp_path / "store")
    assert report.new["dicom"] == 4
    assert [one.code for one in report.quarantined] == ["not-dicom"]
    again = ingest(folder, store=tmp_path / "store")
    assert (again.unchanged, dict(again.new)) == (1, {})
    step = history("Z1", store=tmp_path / "store")
    assert any("all!/inner.zip!/deep/0" in line for line in as_lines(step, all_files=True))


def test_a_dicomdir_is_compared_with_its_folder_and_never_followed_out_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "disc"
    write_patient(folder, "D1")
    (tmp_path / "secret").write_bytes(slice_bytes("SECRET", 0))
    (folder / "DICOMDIR").write_bytes(directory([["D1", "1", "0"], ["..", "secret"], ["D1", "1", "9"]]))
    report = ingest(folder, store=tmp_path / "store")
    assert [one.code for one in report.quarantined] == ["dicomdir-leaves-folder"]
    assert query("patient = SECRET", store=tmp_path / "store").counts.series == 0
    (folder / "DICOMDIR").write_bytes(directory([["D1", "1", "9"]]))
    assert [one.code for one in ingest(folder, store=tmp_path / "store").quarantined] == ["dicomdir-files-missing"]


def test_bad_files_are_told_one_by_one_and_stop_nothing(hospital: Path, tmp_path: Path) -> None:
    for name, data in hostile_files().items():
        (hospital / name).write_bytes(data)
    (hospital / "link").symlink_to("/etc/hostname")
    report = ingest(hospital, store=tmp_path / "store")
    codes = {one.subject: one.code for one in report.quarantined}
    assert query("patient = LIE or patient = PE", store=tmp_path / "store").counts.series == 0
    assert codes["deep"] == "dicom-too-deep"
    assert codes["bomb.zip!/zeros"] == "archive-bomb"
    assert codes["broken.zip"] == "archive-damaged"
    assert codes["link"] == "link-leaves-folder"
    assert codes["program.exe"] == codes["program.elf"] == codes["empty"] == "not-dicom"
    assert codes["name\\nwith newline.txt"] == "not-dicom"
    assert query("", store=tmp_path / "store").counts.patients == 3
    assert verify(tmp_path / "store").problems == ()


def test_a_sound_file_takes_the_place_of_its_damaged_copy(tmp_path: Path) -> None:
    """In whatever order they come; the damaged one stays in quarantine, and without the sound one the series is out."""
    write_patient(tmp_path / "in", "P1")
    last = tmp_path / "in/P1/1/4"
    sound = last.read_bytes()
    last.write_bytes(sound[:-9])
    report = ingest(tmp_path / "in", store=tmp_path / "store")
    assert [one.code for one in report.quarantined] == [
        "dicom-truncated",
        "dicom-truncated",
    ]  # the file, and its series
    assert query("", store=tmp_path / "store").counts.series == 0
    (tmp_path / "in/0-again").write_bytes(sound)
    ingest(tmp_path / "in", store=tmp_path / "store")
    (tmp_path / "in/z-again").write_bytes(sound[:-5])
    ingest(tmp_path / "in", store=tmp_path / "store")
    assert query("", store=tmp_path / "store").counts.instances == 5
    held = [(one.what, one.problem.code, one.subject) for one in list_quarantine(tmp_path / "store")]
    assert held == [("file", "dicom-truncated", "P1/1/4"), ("file", "dicom-truncated", "z-again")]
    assert verify(tmp_path / "store").problems == ()


def test_two_contents_under_one_instance_uid(hospital: Path, tmp_path: Path) -> None:
    ingest(hospital, store=tmp_path / "store")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/0").write_bytes(slice_bytes("P000", 0, value=77))
    report = ingest(tmp_path / "other", store=tmp_path / "store")
    assert [one.code for one in report.quarantined] == ["instance-differs"]
    assert query("patient = P000", store=tmp_path / "store").counts.instances == 5


def test_an_element_that_nobody_groups_by_is_part_of_an_instance_too(hospital: Path, tmp_path: Path) -> None:
    """The corrected copy is kept aside with its bytes, whatever was corrected; the same data set is known."""
    ingest(hospital, store=tmp_path / "store")
    (tmp_path / "sent").mkdir()
    (tmp_path / "sent/corrected").write_bytes(slice_bytes("P000", 0, age="060Y"))
    (tmp_path / "sent/same").write_bytes(b"\1" * 128 + slice_bytes("P000", 1)[128:])
    report = ingest(tmp_path / "sent", store=tmp_path / "store")
    assert [(one.code, one.subject) for one in report.quarantined] == [("instance-differs", "corrected")]
    assert dict(report.new) == {"quarantined": 1}
    with Store(tmp_path / "store") as store:
        assert store.artefacts.get(hashing.of_file(tmp_path / "sent/corrected"))


@pytest.mark.parametrize("name", ["undefined", "zlib", "raw_unicode_escape", "idna"])
def test_a_character_set_that_is_one_of_python_and_none_of_dicom(tmp_path: Path, name: str) -> None:
    write_patient(tmp_path / "in", "P000")
    words = name.encode() + b" " * (len(name) % 2)
    told = b"\x08\x00\x05\x00CS" + struct.pack("<H", len(words)) + words + SOP_CLASS
    odd = slice_bytes("P000", 7, body_part="THIGH").replace(b"venous", b"\xe9\\ud80").replace(SOP_CLASS, told)
    (tmp_path / "in/odd").write_bytes(odd)
    report = ingest(tmp_path / "in", store=tmp_path / "store")
    assert report.totals["dicom"] == 6


def test_a_series_has_the_licence_of_its_own_source(tmp_path: Path) -> None:
    """And of each, where its files came from several."""
    write_patient(tmp_path / "open", "P1", series=1)
    write_patient(tmp_path / "secret", "P1", series=2)
    write_patient(tmp_path / "secret", "P1", series=3, slices=2)
    write_patient(tmp_path / "late", "P1", series=3)
    for name, licence in (("open", "CC BY 4.0"), ("secret", "none of yours"), ("late", "")):
        ingest(tmp_path / name, store=tmp_path / "store", licence=licence)
    hits = query("", store=tmp_path / "store", most=None).hits
    assert [hit.licence for hit in hits] == ["CC BY 4.0", "none of yours", "not stated; none of yours"]
    assert [hit.series_uid[-1] for hit in query("source ~ secret", store=tmp_path / "store", most=None).hits] == [
        "2",
        "3",
    ]


def test_a_query_counts_lists_and_explains_why_it_finds_nothing(hospital: Path, tmp_path: Path) -> None:
    ingest(hospital, store=tmp_path / "store", licence="CC BY 3.0")
    found = query(
        "modality = CT and body_part ~ thigh and age >= 51 and grade = high", store=tmp_path / "store", most=None
    )
    assert [hit.patient_id for hit in found.hits] == ["P001"]
    assert found.hits[0].licence == "CC BY 3.0"
    nothing = query("modality = MR", store=tmp_path / "store")
    assert (nothing.counts.series, nothing.hints) == (0, ("modality is “CT” (3 series)",))


def test_an_export_carries_licence_and_provenance(hospital: Path, tmp_path: Path) -> None:
    ingest(hospital, store=tmp_path / "store", licence="CC BY 3.0")
    query("patient = P002", store=tmp_path / "store", export=tmp_path / "out")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    (series,) = manifest["series"]
    assert (series["licence"], len(series["files"])) == ("CC BY 3.0", 5)
    first = series["files"][0]
    assert first["source"] == str(hospital.resolve())
    assert (tmp_path / "out" / first["exported"]).read_bytes() == (hospital / first["path"]).read_bytes()
    with pytest.raises(Refused) as refused:
        query("patient = P002", store=tmp_path / "store", export=tmp_path / "out")
    assert refused.value.problem.code == "export-not-empty"


def test_a_snapshot_stays_and_diff_tells_what_came_since(hospital: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    ingest(hospital, store=store)
    frozen = query("modality = CT", store=store, snapshot="first").snapshot
    assert frozen is not None
    assert (frozen.patients, frozen.series, frozen.instances) == (3, 3, 15)
    assert difference("first", "", store=store).empty
    write_patient(hospital, "P100")
    ingest(hospital, store=store)
    found = difference("first", "", store=store)
    assert (found.added_patients, [name[0] for name in found.added], found.removed) == (("P100",), ["P100"], ())
    with Store(store) as opened:
        assert len(opened.snapshots.open(opened.snapshots.find("first")).index.series) == 3


def test_history_leads_from_a_snapshot_to_the_files(hospital: Path, tmp_path: Path) -> None:
    ingest(hospital, store=tmp_path / "store")
    frozen = query("", store=tmp_path / "store", snapshot="all").snapshot
    assert frozen is not None
    step = history(frozen.id, store=tmp_path / "store", patient="P001")
    assert len(list(step.leaves())) == 5
    assert {dict(leaf.facts)["source"].partition(", ")[2][:6] for leaf in step.leaves()} == {"P001/1"}


def test_what_changed_or_went_in_the_store_is_named(hospital: Path, tmp_path: Path) -> None:
    ingest(hospital, store=tmp_path / "store")
    files = sorted(path for path in (tmp_path / "store/artefacts").rglob("*") if path.is_file())
    assert verify(tmp_path / "store").artefacts == len(files) == 16
    files[0].write_bytes(files[0].read_bytes()[:-1] + b"!")
    files[1].unlink()
    (tmp_path / "store/artefacts/ab").mkdir(exist_ok=True)
    (tmp_path / "store/artefacts/ab" / ("0" * 62)).write_bytes(b"from nowhere")
    found = verify(tmp_path / "store")
    assert sorted(problem.code for problem in found.problems) == ["artefact-changed", "artefact-missing"]
    assert found.orphans == ("ab" + "0" * 62,)


def test_what_the_store_has_lost_comes_back_with_the_file_it_came_from(hospital: Path, tmp_path: Path) -> None:
    ingest(hospital, store=tmp_path / "store")
    changed, lost = sorted(path for path in (tmp_path / "store/artefacts").rglob("*") if path.is_file())[:2]
    changed.write_bytes(b"!" + changed.read_bytes()[1:])
    lost.unlink()
    report = ingest(hospital, store=tmp_path / "store", verify=True)
    assert (report.restored, report.known, dict(report.new)) == (2, 16, {})
    assert (verify(tmp_path / "store").problems, verify_log(tmp_path / "store").problems) == ((), ())
    with Store(tmp_path / "store") as store:
        (entry,) = [one for one in store.audit.entries() if one.action == "restore"]
    assert (changed.parent.name + changed.name) in entry.detail


def test_source_files_that_changed_are_named_on_request(hospital: Path, tmp_path: Path) -> None:
    ingest(hospital, store=tmp_path / "store")
    (hospital / "P000/1/0").unlink()
    (hospital / "P000/1/1").write_bytes(b"else")
    found = verify(tmp_path / "store", sources=True)
    assert sorted(problem.code for problem in found.problems) == ["source-changed", "source-gone"]


def test_a_series_that_failed_a_check_is_released_with_a_reason_that_stays_in_the_log(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(0, 1, (8, 8, 9))
    nifti(noise, tmp_path / "in/P01_MR_image.nii")
    ingest(tmp_path / "in", store=tmp_path / "store")
    curate(tmp_path / "store")
    (held,) = list_quarantine(tmp_path / "store")
    assert (held.what, held.problem.code) == ("quality", "image-noisy")
    with pytest.raises(Refused) as refused:
        release(held.key, reason=" ", store=tmp_path / "store")
    assert refused.value.problem.code == "reason-missing"
    assert query("", store=tmp_path / "store").counts.series == 0
    release(held.key[:12], reason="a phantom of noise", store=tmp_path / "store")
    assert query("state = released", store=tmp_path / "store").counts.series == 1
    (kept,) = list_quarantine(tmp_path / "store", released=True)
    assert kept.reason == "a phantom of noise"
    assert verify_log(tmp_path / "store").problems == ()


def test_what_a_word_cannot_make_usable_is_not_released(hospital: Path, tmp_path: Path) -> None:
    """A release that changed nothing would be a way to drop a thing in silence."""
    (hospital / "note.txt").write_text("hello")
    (hospital / "P000/1/2").unlink()
    ingest(hospital, store=tmp_path / "store")
    held = list_quarantine(tmp_path / "store")
    assert {one.problem.code for one in held} == {"not-dicom", "missing-slices"}
    for one in held:
        with pytest.raises(Refused) as refused:
            release(one.key, reason="I know better", store=tmp_path / "store")
        assert refused.value.problem.code == "quarantine-unusable"
    assert list_quarantine(tmp_path / "store") == held


def test_the_summary_tells_what_could_not_be_put_together_once(hospital: Path, tmp_path: Path) -> None:
    (hospital / "P000/1/2").unlink()
    report = ingest(hospital, store=tmp_path / "store")
    assert [one.code for one in report.quarantined] == ["missing-slices"]
    assert report.totals["quarantined"] == 1
    (hospital / "P000/1/0").unlink()
    write_patient(hospital, "P000", series=2)
    assert "missing-slices" not in [one.code for one in ingest(hospital, store=tmp_path / "store").quarantined]


def test_archives_that_cannot_be_read_through_are_kept_whole(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    whole = zipped({f"{number}": slice_bytes("Z1", number) for number in range(4)})
    (folder / "cut.zip").write_bytes(whole[: len(whole) // 2])
    (folder / "bomb.zip").write_bytes(zipped({"zeros": bytes(80 << 20), "note": slice_bytes("Z2", 0)}))
    report = ingest(folder, store=tmp_path / "store")
    codes = {
        one.subject: one.code for one in report.quarantined if "!/" not in one.subject and "series" not in one.subject
    }
    assert codes == {"cut.zip": "archive-damaged", "bomb.zip": "archive-kept"}
    with Store(tmp_path / "store") as store:
        for path in folder.iterdir():
            assert store.artefacts.get(hashlib.sha256(path.read_bytes()).hexdigest()) == path.read_bytes()
    assert all(one.found.endswith("it is kept whole") for one in report.quarantined if one.subject in codes)
    assert ingest(folder, store=tmp_path / "store").unchanged == 2
    assert verify(tmp_path / "store").orphans == ()


def test_a_program_in_the_preamble_keeps_its_series_out_until_the_honest_file_comes(tmp_path: Path) -> None:
    write_patient(tmp_path / "in", "P1")
    honest = (tmp_path / "in/P1/1/2").read_bytes()
    (tmp_path / "in/P1/1/2").write_bytes(b"\x7fELF" + honest[4:])
    report = ingest(tmp_path / "in", store=tmp_path / "store")
    assert [one.code for one in report.quarantined] == ["dicom-program", "dicom-program"]  # the file, and its series
    (tmp_path / "in/P1/1/2").write_bytes(honest)
    ingest(tmp_path / "in", store=tmp_path / "store")
    assert query("", store=tmp_path / "store").counts.instances == 5


def test_another_preamble_is_another_envelope_of_the_same_instance(tmp_path: Path) -> None:
    write_patient(tmp_path / "in", "P1")
    plain = (tmp_path / "in/P1/1/2").read_bytes()
    (tmp_path / "in/tiff").write_bytes(b"II*\0" + plain[4:])
    report = ingest(tmp_path / "in", store=tmp_path / "store")
    assert (dict(report.new), report.known, report.quarantined) == ({"dicom": 5}, 1, ())


LESION = np.pad(np.ones((2, 2, 2)), 2)


def nifti(voxels: NDArray[Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made: Any = nib.Nifti1Image
    nib.save(made(voxels.astype(np.float32), np.diag([1.0, 1.0, 3.0, 1.0])), path)


def test_nifti_images_and_masks_are_linked_by_their_names(tmp_path: Path) -> None:
    image = np.random.default_rng(1).normal(0, 1, LESION.shape)
    nifti(image, tmp_path / "in/P01_PET_image.nii.gz")
    nifti(LESION, tmp_path / "in/P01_PET_mask.nii.gz")
    nifti(image + 1, tmp_path / "in/whose.nii")
    report = ingest(tmp_path / "in", store=tmp_path / "store", licence="CC0")
    assert [(one.code, one.subject) for one in report.quarantined] == [("owner-unknown", "whose.nii")]
    (hit,) = query("modality = PT and roi = mask", store=tmp_path / "store", most=None).hits
    assert (hit.patient_id, hit.licence) == ("P01", "CC0")
    with Store(tmp_path / "store") as store:
        index = store.volumes.index([hit.key])
        volume = read_volume(tmp_path / "store/artefacts", index.series[0])
        mask = read_mask(tmp_path / "store/artefacts", index.region_sets[0], "mask", index.series[0])
    assert volume.grid.spacing == (3.0, 1.0, 1.0)
    assert (mask.count, mask.grid) == (8, volume.grid)


def test_a_table_with_columns_of_files_says_whose_they_are_and_what_they_show(tmp_path: Path) -> None:
    image = np.random.default_rng(1).normal(0, 1, LESION.shape)
    nifti(image, tmp_path / "in/one/image.nii.gz")
    nifti(LESION + 2 * np.roll(LESION, 2, 0), tmp_path / "in/one/GTV.nii.gz")
    nifti(image + 1, tmp_path / "in/two/image.nii.gz")
    table = "subject,modality,scan,gtv_mask,date\n007,MRI,one/image.nii.gz,one/GTV.nii.gz,2020-01-02\n"
    (tmp_path / "in/list.csv").write_text(table + "008,MRI,image.nii.gz,,\n009,MRI,absent.nii.gz,,\n")
    report = ingest(tmp_path / "in", store=tmp_path / "store")
    assert {(one.code, one.subject) for one in report.quarantined} == {
        ("named-files-missing", "list.csv, column scan"),
        ("owner-unknown", "two/image.nii.gz"),
    }
    (hit,) = query("modality = MR", store=tmp_path / "store", most=None).hits
    assert (hit.patient_id, hit.date) == ("007", "2020-01-02")
    with Store(tmp_path / "store") as store:
        (regions,) = store.volumes.index([hit.key]).region_sets
    assert regions.regions == ("gtv_mask 1", "gtv_mask 2")


def test_a_table_that_comes_later_frees_the_pictures_from_quarantine(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.new("L", (9, 7)).save(tmp_path / "in/a.png")
    assert [one.code for one in ingest(tmp_path / "in", store=tmp_path / "store").quarantined] == ["owner-unknown"]
    table = "patientid,view,modality,filename,license\n7,AP Supine,X-ray,a.png,CC BY\n"
    (tmp_path / "in/metadata.csv").write_text(table)
    ingest(tmp_path / "in", store=tmp_path / "store")
    assert list_quarantine(tmp_path / "store") == ()
    (hit,) = query('view = "ap supine"', store=tmp_path / "store", most=None, snapshot="xray").hits
    assert (hit.patient_id, hit.photometric, hit.licence) == ("7", "MONOCHROME2", "CC BY")
    query("", store=tmp_path / "store", export=tmp_path / "out")
    (exported,) = (tmp_path / "out").rglob("*.png")
    assert exported.read_bytes() == (tmp_path / "in/a.png").read_bytes()
    step = history("7", store=tmp_path / "store")
    assert [dict(leaf.facts)["source"].partition(", ")[2] for leaf in step.leaves()] == ["a.png"]


@pytest.mark.real_data
def test_the_chest_radiographs_and_their_table(real_data: Path, tmp_path: Path) -> None:
    """Counts from the data's README, and of the table's rows by patient and picture with the csv module alone."""
    report = ingest(real_data / "covid-cxr", store=tmp_path / "store")
    (missing,) = report.quarantined
    assert missing.found.startswith("9 of the files that it names")
    counts = query("", store=tmp_path / "store").counts
    assert (counts.patients, counts.instances) == (194, 388)
    views = {"PA": 190, '"AP Supine"': 72, "AP": 45, "L": 43}
    assert {name: query(f"view = {name}", store=tmp_path / "store").counts.series for name in views} == views
    assert query("view = L or view != L", store=tmp_path / "store").counts.series == 388


def test_a_region_that_reaches_the_last_slice_is_told_and_keeps_no_series_out(tmp_path: Path) -> None:
    nifti(np.random.default_rng(1).normal(0, 1, (8, 8, 9)).cumsum(0), tmp_path / "in/P01_MR_image.nii")
    nifti(np.pad(np.ones((3, 3, 7)), ((2, 3), (2, 3), (2, 0))), tmp_path / "in/P01_MR_mask.nii")
    ingest(tmp_path / "in", store=tmp_path / "store")
    report = curate(tmp_path / "store")
    assert "region-at-edge" in {problem.code for _, problem in report.failed}
    held = [one.problem.code for one in list_quarantine(tmp_path / "store")]
    assert "region-at-edge" not in held


ROLES = '[[role]]\nname = "main"\nmodality = "MR"\n[[role]]\nname = "early"\nmodality = "CT"\n'


def test_a_role_goes_to_a_series_in_use_and_the_log_says_what_became_of_which(tmp_path: Path) -> None:
    noise, sound = np.random.default_rng(1).normal(0, 1, (8, 8, 19)), np.random.default_rng(1).normal(0, 1, (8, 8, 9))
    nifti(noise, tmp_path / "in/P01_MR_T1_image.nii")
    nifti(sound.cumsum(0), tmp_path / "in/P01_MR_T2_image.nii")
    ingest(tmp_path / "in", store=tmp_path / "store")
    (tmp_path / "roles.toml").write_text(ROLES)
    report = curate(tmp_path / "store", rules=tmp_path / "roles.toml")
    (hit,) = query("role = main", store=tmp_path / "store", most=None).hits
    assert hit.slices == 9
    assert report.unfilled == ("early",)
    (entry,) = [one for one in read_log(tmp_path / "store", newest=None) if one.action == "curate"]
    detail = json.loads(entry.detail)
    assert detail["roles"] == {hit.key: "main"}
    assert list(detail["states"].values()) == ["quarantined"]
    assert len(detail["rules"]) == 64


@pytest.mark.parametrize("name", ["absent.toml", "."])
def test_rules_that_are_not_there_are_told_before_a_series_is_read(hospital: Path, tmp_path: Path, name: str) -> None:
    ingest(hospital, store=tmp_path / "store")
    with pytest.raises(Refused, match="cannot be read"):
        curate(tmp_path / "store", rules=tmp_path / name, mapper=None)  # type: ignore[arg-type]


def test_the_page_of_a_curation_shows_what_failed(hospital: Path, tmp_path: Path) -> None:
    (hospital / "P000/1/2").unlink()
    write_patient(hospital, "P002", value=1000)  # the pixels of P001
    ingest(hospital, store=tmp_path / "store")
    report = curate(tmp_path / "store", out=tmp_path / "out")
    assert "pixels-of-two-patients" in {problem.code for _, problem in report.failed}
    assert (report.series, report.refused) == (2, 1)
    page = (tmp_path / "out/curation.html").read_text()
    assert "3 of 3 series failed" in page
    assert page.count("data:image/png;base64,") == 3
    assert "missing-slices" in page
    keys = {one.key[:12] for one in list_quarantine(tmp_path / "store")}
    assert len(keys) == 3
    assert all(key in page for key in keys)
    assert query("", store=tmp_path / "store").counts.series == 0


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        query("", store=tmp_path / "nowhere")
    assert refused.value.problem.code == "store-missing"
