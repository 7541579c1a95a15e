"""Zip archives: members become files under names of our own, within bounds."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from prognoscope.core.problems import Refused
from prognoscope.sources import archives, scan, unpack
from tests.make import dicom


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "export.zip"
    path.write_bytes(content)
    return path


def test_a_series_in_a_zip_with_a_directory_file_and_no_extensions(tmp_path: Path) -> None:
    dicom.write_series(tmp_path / "made")
    members = {f"DICOM/ST0/{path.stem}": path.read_bytes() for path in (tmp_path / "made").iterdir()}
    found = unpack(written(tmp_path, zipped({"DICOMDIR": b"whatever", **members})), tmp_path / "out")
    assert found.problems == ()
    assert sorted(name for _, name in found.names) == sorted(["DICOMDIR", *members])
    index = scan(tmp_path / "out")
    assert index.series[0].grid.shape[0] == 6
    assert [problem.code for problem in index.set_aside] == ["not-dicom"]


@pytest.mark.parametrize(
    "name", ["../../escape", "/etc/passwd", "C:\\windows\\x", "a/../../b", "line\nbreak", "x" * 300]
)
def test_names_choose_nothing(tmp_path: Path, name: str) -> None:
    found = unpack(written(tmp_path, zipped({name: b"content"})), tmp_path / "in" / "out")
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["export.zip", "in/out/0000001"]
    assert (tmp_path / "in/out/0000001").read_bytes() == b"content"
    assert len(found.names) == 1


def test_an_archive_within_an_archive_is_opened(tmp_path: Path) -> None:
    inner = zipped({"b": b"2", "c": b"3"})
    found = unpack(written(tmp_path, zipped({"a": b"1", "more.zip": inner})), tmp_path / "out")
    assert [name for _, name in found.names] == ["a", "more.zip!b", "more.zip!c"]
    assert sorted(path.read_bytes() for path in (tmp_path / "out").iterdir()) == [b"1", b"2", b"3"]


def test_a_workbook_within_an_archive_stays_whole(tmp_path: Path) -> None:
    workbook = zipped({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"})
    found = unpack(
        written(tmp_path, zipped({"table.xlsx": workbook, "broken.zip": b"PK\x03\x04 cut"})), tmp_path / "out"
    )
    assert [name for _, name in found.names] == ["table.xlsx", "broken.zip"]
    assert (tmp_path / "out" / "0000001").read_bytes() == workbook


def test_archives_nested_deeper_than_four_stay_as_they_are(tmp_path: Path) -> None:
    content = b"core"
    for level in range(6):
        content = zipped({f"level{level}": content})
    found = unpack(written(tmp_path, content), tmp_path / "out")
    assert len(found.names) == 1
    assert zipfile.is_zipfile(tmp_path / "out" / found.names[0][0])


def test_a_bomb_is_refused_by_what_comes_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prognoscope.sources.archives.MEMBER_BYTES", 3 << 20)
    with pytest.raises(Refused) as caught:
        unpack(written(tmp_path, zipped({"bomb": b"\0" * (16 << 20)})), tmp_path / "out")
    assert caught.value.problem.code == "archive-too-large"
    assert caught.value.problem.subject == "export.zip!bomb"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("limit", ["MOST_MEMBERS", "TOTAL_BYTES"])
def test_many_small_members_are_bounded_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(archives, limit, 2)
    with pytest.raises(Refused) as caught:
        unpack(written(tmp_path, zipped(dict.fromkeys("abc", b"x"))), tmp_path / "out")
    assert caught.value.problem.code == "archive-too-large"


def test_links_and_encrypted_members_are_left_out_with_the_reason(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("good", b"x")
    data = bytearray(buffer.getvalue())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    found = unpack(written(tmp_path, bytes(data)), tmp_path / "out")
    assert found.names == ()
    assert [problem.found for problem in found.problems] == ["it is a link", "it is encrypted"]
    assert list((tmp_path / "out").iterdir()) == []


def test_a_member_with_changed_bytes_is_left_out_and_the_others_kept(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("spoiled", b"the original words")
        archive.writestr("whole", b"fine")
    data = buffer.getvalue().replace(b"original", b"0riginal")
    found = unpack(written(tmp_path, data), tmp_path / "out")
    assert [name for _, name in found.names] == ["whole"]
    assert [problem.subject for problem in found.problems] == ["export.zip!spoiled"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"not a zip"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Refused) as caught:
        unpack(written(tmp_path, content), tmp_path / "out")
    assert caught.value.problem.code == "archive-unreadable"
    assert caught.value.problem.subject == "export.zip"


def test_a_folder_with_files_is_not_written_to(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        unpack(written(tmp_path, zipped({"a": b"1"})), tmp_path)
    assert caught.value.problem.code == "folder-in-use"
