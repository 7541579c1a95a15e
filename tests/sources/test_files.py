"""Listing a folder: everything below it, nothing beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from prognoscope.core.problems import Refused
from prognoscope.sources import list_files, list_folder, scan
from tests.make import dicom


def write(path: Path, content: bytes = b"x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_files_are_sorted_by_their_path_with_size_and_time(tmp_path: Path) -> None:
    for name in ("b/2", "b/10", "a", "c/d/e"):
        write(tmp_path / name, name.encode())
    os.utime(tmp_path / "a", ns=(5, 1_700_000_000_000_000_007))
    files = list_files(tmp_path)
    assert [file.path for file in files] == ["a", "b/10", "b/2", "c/d/e"]
    assert [file.size for file in files] == [1, 4, 3, 5]
    assert files[0].mtime_ns == 1_700_000_000_000_000_007


@pytest.mark.parametrize("name", ["two words", "back\\slash", "line\nbreak", "ünïcödé", "-rf", "$(x)", "a" * 200])
def test_unusual_names_are_ordinary(tmp_path: Path, name: str) -> None:
    dicom.write_series(tmp_path / name, prefix=name)
    index = scan(tmp_path)
    assert index.refused == ()
    assert index.series[0].files[0].startswith(f"{name}/{name}")


def test_paths_longer_than_windows_allows(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["folder-with-a-long-name"] * 20)
    write(deep / "file")
    assert len(list_files(tmp_path)[0].path) > 400


def test_a_name_that_is_no_text_is_left_out_with_a_problem(tmp_path: Path) -> None:
    with Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad-\xff-name")).open("wb") as stream:
        stream.write(b"x")
    found = list_folder(tmp_path)
    assert found.files == ()
    assert found.problems[0].code == "file-name-not-text"
    str(found.problems[0]).encode("utf-8")


def test_links_that_leave_the_folder_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "outside/secret")
    write(tmp_path / "root/inside/file")
    root = tmp_path / "root"
    (root / "file-link").symlink_to(tmp_path / "outside/secret")
    (root / "folder-link").symlink_to(tmp_path / "outside")
    (root / "up").symlink_to("..")
    (root / "within").symlink_to("inside/file")
    (root / "circle").symlink_to(".")
    (root / "dangling").symlink_to("nowhere")
    found = list_folder(root)
    assert [file.path for file in found.files] == ["inside/file", "within"]
    assert {problem.subject: problem.code for problem in found.problems} == {
        "circle": "link-to-folder",
        "dangling": "file-unreadable",
        "file-link": "link-leaves-folder",
        "folder-link": "link-leaves-folder",
        "up": "link-leaves-folder",
    }


def test_a_folder_given_by_a_link_is_read(tmp_path: Path) -> None:
    write(tmp_path / "real/file")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert [file.path for file in list_files(tmp_path / "link")] == ["file"]


def test_pipes_are_left_out_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    found = list_folder(tmp_path)
    assert found.files == ()
    assert found.problems[0].code == "not-a-file"


def test_folders_nested_without_end_are_given_up(tmp_path: Path) -> None:
    write(tmp_path.joinpath(*["d"] * 70) / "file")
    found = list_folder(tmp_path)
    assert found.files == ()
    assert found.problems[0].code == "folder-too-deep"


@pytest.mark.parametrize("name", ["nothing", "file"])
def test_a_folder_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path / "file")
    with pytest.raises(Refused) as caught:
        list_files(tmp_path / name)
    assert caught.value.problem.code == "folder-missing"
    assert name in caught.value.problem.subject
