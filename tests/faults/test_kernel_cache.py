"""An installation that cannot be written, for a user without a home: compiled kernels need a place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import prognoscope

MEASURE = """
import os
from pathlib import Path
import prognoscope
os.environ.pop("NUMBA_CACHE_DIR", None)
prognoscope._keep_kernels([Path({blocked!r}) / "__pycache__", Path({blocked!r}) / "cache"])
from prognoscope.radiomics.prepare import _find_box
print(_find_box.dispatcher().stats.cache_path)
print(oct(Path(os.environ["NUMBA_CACHE_DIR"]).stat().st_mode & 0o777))
"""


def test_kernels_go_to_a_folder_of_the_process_that_leaves_with_it(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.touch()
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", MEASURE.format(blocked=str(blocked))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    place, mode = done.stdout.split("\n")[:2]
    assert Path(place).parent.parent == tmp_path
    assert mode == "0o700"
    assert not list(tmp_path.glob("prognoscope-*"))


def test_a_place_that_can_be_written_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    (tmp_path / "file").touch()
    prognoscope._keep_kernels([tmp_path / "file" / "cache", tmp_path / "cache"])
    assert "NUMBA_CACHE_DIR" not in os.environ


def test_the_users_own_choice_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/chosen")
    prognoscope._keep_kernels([])
    assert os.environ["NUMBA_CACHE_DIR"] == "/chosen"
