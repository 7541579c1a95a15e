"""A hospital's folder is taken in, found again, frozen, handed out and verified, as a user does it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from prognoscope.core.problems import Refused
from prognoscope.jobs.audit import verify_log
from prognoscope.jobs.history import as_lines, history
from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.quarantine import list_quarantine, release
from prognoscope.jobs.query import difference, query
from prognoscope.jobs.verify import verify
from prognoscope.sources import read_volume
from prognoscope.store import Store
from tests.make.store import directory, hostile_files, slice_bytes, write_hospital, write_patient, zipped


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
        volume = read_volume(store.artefacts.folder, index.series[0])
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


def test_two_contents_under_one_instance_uid(hospital: Path, tmp_path: Path) -> None:
    ingest(hospital, store=tmp_path / "store")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/0").write_bytes(slice_bytes("P000", 0, value=77))
    report = ingest(tmp_path / "other", store=tmp_path / "store")
    assert [one.code for one in report.quarantined] == ["instance-differs"]
    assert query("patient = P000", store=tmp_path / "store").counts.instances == 5


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


def test_source_files_that_changed_are_named_on_request(hospital: Path, tmp_path: Path) -> None:
    ingest(hospital, store=tmp_path / "store")
    (hospital / "P000/1/0").unlink()
    (hospital / "P000/1/1").write_bytes(b"else")
    found = verify(tmp_path / "store", sources=True)
    assert sorted(problem.code for problem in found.problems) == ["source-changed", "source-gone"]


def test_release_needs_a_reason_and_stays_in_the_log(hospital: Path, tmp_path: Path) -> None:
    (hospital / "note.txt").write_text("hello")
    ingest(hospital, store=tmp_path / "store")
    (held,) = list_quarantine(tmp_path / "store")
    with pytest.raises(Refused) as refused:
        release(held.key, reason=" ", store=tmp_path / "store")
    assert refused.value.problem.code == "reason-missing"
    release(held.key[:12], reason="a note of the ward", store=tmp_path / "store")
    assert list_quarantine(tmp_path / "store") == ()
    (kept,) = list_quarantine(tmp_path / "store", released=True)
    assert kept.reason == "a note of the ward"
    assert verify_log(tmp_path / "store").problems == ()


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        query("", store=tmp_path / "nowhere")
    assert refused.value.problem.code == "store-missing"
