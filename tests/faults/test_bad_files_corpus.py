"""A folder of nothing but bad files: each is refused by name and reason, within bounded memory and time."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prognoscope.core.problems import Refused
from prognoscope.jobs.arrivals import arrival
from prognoscope.jobs.audit import verify_log
from prognoscope.jobs.quarantine import list_quarantine
from prognoscope.jobs.query import query
from prognoscope.jobs.verify import verify
from prognoscope.sources import FoundFile, read_nifti, read_nifti_mask
from prognoscope.sources.fhir import read_fhir
from prognoscope.store import tray
from tests.make.hostile import corpus
from tests.make.store import slice_bytes

MOST_BYTES, MOST_SECONDS = 900 << 20, 120
CALL = """
import json, resource, sys, time
import prognoscope.jobs.ingest as job
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.process_time()
report = job.ingest(sys.argv[1], store=sys.argv[2])
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({
    "codes": {one.subject: one.code for one in report.quarantined}, "files": report.files,
    "bytes": 1024 * (used.ru_maxrss - before), "seconds": time.process_time() - began,
}))
"""
EXPECTED = corpus()


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The store, and what the process that took the corpus in says of itself."""
    home = tmp_path_factory.mktemp("hostile")
    for name, (data, _) in EXPECTED.items():
        path = home / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (home / "secret").write_bytes(slice_bytes("SECRET", 0))
    (home / "corpus/link").symlink_to(home / "secret")
    (home / "corpus/folder").symlink_to("/etc")
    (home / "corpus/good").write_bytes(slice_bytes("GOOD", 0))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", CALL, str(home / "corpus"), str(home / "store")]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return home / "store", found


def test_each_is_refused_for_its_own_reason(taken_in: tuple[Path, dict[str, Any]]) -> None:
    held = [(one.subject, one.problem.code) for one in list_quarantine(taken_in[0])]
    for name, (_, codes) in EXPECTED.items():
        plain = name.replace("\n", "\\n")
        told = {code for subject, code in held if subject.startswith((name, plain))}
        told |= {code for subject, code in held if "nifti" in code} if name.endswith((".nii", ".nii.gz")) else set()
        assert not codes or told & codes, f"{name!r}: told {told or 'nothing'}, expected one of {sorted(codes)}"


def test_within_bounded_memory_and_time(taken_in: tuple[Path, dict[str, Any]]) -> None:
    assert taken_in[1]["bytes"] < MOST_BYTES
    assert taken_in[1]["seconds"] < MOST_SECONDS


def test_links_and_directories_lead_nowhere_and_the_good_file_is_there(
    taken_in: tuple[Path, dict[str, Any]],
) -> None:
    store, report = taken_in
    assert report["codes"]["link"] == report["codes"]["folder"] == "link-leaves-folder"
    assert query("state in (usable, refused)", store=store, most=None).counts.patients >= 1
    assert query("patient = SECRET", store=store).counts.series == 0
    for patient in ("CUT", "LIE", "BEYOND", "DEEP", "NEST", "CODE"):
        assert query(f"patient = {patient}", store=store).counts.series == 0, patient
    assert verify(store).problems == ()
    assert verify_log(store).problems == ()


WHOLE = {name: data for name, (data, _) in EXPECTED.items() if len(data) < 20_000}
NAMES = ("x", "x.csv", "x.xlsx", "x.parquet", "x.nii", "x.nii.gz", "x.zip", "x.json", "x.png")


@given(st.data())
@settings(max_examples=150, deadline=3000, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_under_any_name_are_taken_or_told(tmp_path: Path, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from([b"", slice_bytes("FUZZ", 0), *WHOLE.values()]))
    content = bytearray(seed)
    for _ in range(data.draw(st.integers(0, 8))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content += data.draw(st.binary(max_size=60))
    name = data.draw(st.sampled_from(NAMES))
    with tray(tmp_path / "tray") as filled:
        found = arrival(FoundFile(name, len(content), 0), bytes(content), filled, folder=None)
    assert found.problem or found.kind != "unknown"
    for read in (read_nifti, read_nifti_mask):
        answers_or_refuses(read, bytes(content))
    answers_or_refuses(read_fhir, bytes(content))


def answers_or_refuses(read: Any, content: bytes) -> None:
    with contextlib.suppress(Refused):
        read(content, subject="some.file")
