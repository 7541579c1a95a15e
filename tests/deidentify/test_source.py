"""What may be de-identified: folders, archives in them and within each other, single files, and what is fetched."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from prognoscope.core.problems import Problem
from prognoscope.deidentify import PROFILES
from prognoscope.jobs import network
from prognoscope.jobs.deidentified import ingest_deidentified
from prognoscope.jobs.deidentify import Deidentified, deidentify
from prognoscope.jobs.deidentify_source import arrived
from tests.make.deidentify import BASIC, CT, PROJECT, an_object, save, with_pixels

PIXELS = np.arange(64, dtype=np.uint16).reshape(8, 8)


def ct(folder: Path, number: int = 0) -> bytes:
    one = with_pixels(an_object(CT, SOPInstanceUID=f"1.2.826.0.1.3680043.10.1.9.{number}"), PIXELS)
    return save(one, folder / f"made{number}.dcm").read_bytes()


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def run(source: Path | str, folder: Path) -> Deidentified:
    return deidentify(source, folder / "out", options=BASIC, project=PROJECT)


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder / "out").as_posix() for path in (folder / "out").rglob("*.dcm"))


@pytest.mark.parametrize("within", [False, True])
def test_an_archive_gives_what_its_folder_would_give(tmp_path: Path, within: bool) -> None:
    files = {"DOE_JANE/a": ct(tmp_path / "made", 0), "DOE_JANE/b": ct(tmp_path / "made", 1)}
    for name, data in files.items():
        (tmp_path / "plain" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "plain" / name).write_bytes(data)
    run(tmp_path / "plain", tmp_path)
    expected = written(tmp_path)
    (tmp_path / "in").mkdir()
    archive = tmp_path / "in" / "doe.zip"
    archive.write_bytes(zipped({"inner.zip": zipped(files)} if within else files))
    for source in (archive, tmp_path / "in"):
        done = deidentify(source, tmp_path / "again", options=BASIC, project=PROJECT)
        assert done.report["written"]["files"] == 2
        found = sorted(path.relative_to(tmp_path / "again").as_posix() for path in (tmp_path / "again").rglob("*.dcm"))
        assert found == expected
        assert not (tmp_path / "again.private" / "arriving").exists()
    assert done.reused == 2  # the same archive again


def test_one_file_is_a_source(tmp_path: Path) -> None:
    ct(tmp_path / "in", 0)
    ct(tmp_path / "in", 1)
    run(tmp_path / "in" / "made0.dcm", tmp_path)
    assert len(written(tmp_path)) == 1


def test_names_in_an_archive_lead_nowhere_and_none_is_lost(tmp_path: Path) -> None:
    data = ct(tmp_path / "made", 0)
    names = [
        "../../up.dcm",
        "/etc/cron.d/x",
        "C:\\x\\y",
        "a/../../b",
        "same",
        "./same",
        "same/below",
        "x/y",
        "x",
        "x" * 400,
        "a\nb",
        "..",
    ]
    (tmp_path / "evil.zip").write_bytes(zipped(dict.fromkeys(names, data)))
    with arrived(tmp_path / "evil.zip", tmp_path / "private") as files:
        place = (tmp_path / "private" / "arriving").resolve()
        assert len(files.files) == len(names)
        for file in files.files:
            assert (files.folder / file.path).resolve().is_relative_to(place)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.zip", "made", "private"]


def test_a_broken_archive_is_held_back_and_the_rest_goes_on(tmp_path: Path) -> None:
    ct(tmp_path / "in", 0)
    (tmp_path / "in" / "cut.zip").write_bytes(zipped({"a": b"x" * 100})[:60])
    done = run(tmp_path / "in", tmp_path)
    assert [(path, problem.code) for path, problem in done.held_back] == [("cut.zip", "archive-damaged")]
    assert len(written(tmp_path)) == 1


def test_files_beside_an_archive_are_not_changed(tmp_path: Path) -> None:
    before = ct(tmp_path / "in", 0)
    (tmp_path / "in" / "more.zip").write_bytes(zipped({"b": ct(tmp_path / "made", 1)}))
    assert run(tmp_path / "in", tmp_path).report["written"]["files"] == 2
    assert (tmp_path / "in" / "made0.dcm").read_bytes() == before
    assert (tmp_path / "in" / "made0.dcm").stat().st_nlink == 1


def test_what_a_server_answers_is_cleaned_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(address: str, folder: Path) -> tuple[Problem, ...]:
        assert address == "https://pacs.example/dicom-web?PatientID=4711-8"
        (folder / "1.dcm").write_bytes(ct(tmp_path / "made", 0))
        return (Problem("pacs-incomplete", "series 1.2.3 of pacs://A@b:104", "2 did not come", "ask again"),)

    monkeypatch.setattr(network, "fetch_from_network", answer)
    report, done = ingest_deidentified(
        "https://pacs.example/dicom-web?PatientID=4711-8",
        store=tmp_path / "store",
        profile="basic",
        project=PROJECT,
    )
    assert report.totals["dicom"] == 1
    assert [problem.code for _, problem in done.held_back] == ["pacs-incomplete"]
    assert dcmread(next(done.target.rglob("*.dcm"))).PatientID == PROJECT.patient("4711-8")
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("store*/**/*") if path.is_file())
    assert not [word for word in (b"DOE^JANE", b"4711-8") if word in kept]


def test_an_archive_enters_the_store_without_identity(tmp_path: Path) -> None:
    members = {"DOE/a": ct(tmp_path / "made", 0), "list.csv": b"patient_id,name\n4711-8,Jane Doe\n"}
    (tmp_path / "in.zip").write_bytes(zipped(members))
    report, done = ingest_deidentified(
        tmp_path / "in.zip", store=tmp_path / "store", profile="research", project=PROJECT
    )
    assert report.totals["dicom"] == 1
    assert report.totals["table"] == 1
    assert done.report["options"] == PROFILES["research"].model_dump(mode="json")
    kept = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
    assert not [word for word in (b"DOE", b"Jane", b"4711-8") if word in kept]
