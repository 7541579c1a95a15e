"""An archive that is read part by part, as it lies there now."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from prognoscope.core.problems import Refused
from prognoscope.sources import archives
from prognoscope.sources.archives import read_members
from tests.make.store import zipped


def names(path: Path, *positions: int) -> list[str]:
    return [member.name for member in read_members(path, subject=path.name, positions=positions)]


def test_the_list_of_members_is_read_once_for_all_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading it for each part makes the time grow with the square of the members."""
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({f"{number}.txt": b"x" for number in range(9)}))
    opened: list[Path | bytes] = []
    open_one = archives._opened

    def noting(source: Path | bytes, subject: str) -> zipfile.ZipFile:
        opened.append(source)
        return open_one(source, subject)

    monkeypatch.setattr(archives, "_opened", noting)
    found = [name for start in range(0, 9, 3) for name in names(path, *range(start, start + 3))]
    assert found == [f"a.zip!/{number}.txt" for number in range(9)]
    assert opened == [path]


def test_an_archive_that_was_exchanged_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"old.txt": b"x"}))
    assert names(path, 0) == ["a.zip!/old.txt"]
    path.write_bytes(zipped({"new.txt": b"x"}))
    os.utime(path, (1, 1))
    assert names(path, 0) == ["a.zip!/new.txt"]


def test_an_archive_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        names(tmp_path / "a.zip", 0)
    assert refused.value.problem.code == "archive-damaged"
