"""Writers that are killed, disks that are full or failing, many senders at once: what was acknowledged is there."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from prognoscope.core.problems import Refused
from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.query import query
from prognoscope.jobs.verify import verify
from prognoscope.store import Store
from tests.make.store import write_hospital

PATIENTS, SLICES = 12, 12
CALL = """
import sys
from prognoscope.jobs import ingest as job
job.PARCEL_FILES, job.PARCELS_PER_BATCH = 4, 2
job.ingest(sys.argv[1], store=sys.argv[2])
"""


def start(hospital: Path, store: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", CALL, str(hospital), str(store)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def acknowledged(store: Path) -> set[str]:
    catalogue = store / "catalogue.sqlite"
    if not catalogue.exists():
        return set()
    connection = sqlite3.connect(catalogue)
    try:
        return {row[0] for row in connection.execute("SELECT sha256 FROM objects")}
    except sqlite3.OperationalError:
        return set()  # killed before the first table
    finally:
        connection.close()


def kill_at_random_moments(tmp_path: Path, times: int) -> None:
    hospital, store = tmp_path / "hospital", tmp_path / "store"
    write_hospital(hospital, patients=PATIENTS, slices=SLICES)
    chance, before = random.Random(7), set[str]()
    longest = 6.0
    for _ in range(times):
        process = start(hospital, store)
        time.sleep(chance.uniform(0.3, longest))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        after = acknowledged(store)
        assert before <= after, "something that was acknowledged is gone"
        before = after
        if after:
            with Store(store) as opened:
                assert all(opened.artefacts.get(name) for name in sorted(after)[:: max(len(after) // 5, 1)])
    ingest(hospital, store=store)
    found = verify(store)
    assert (found.artefacts, found.problems, found.orphans) == (PATIENTS * SLICES + 1, (), ())
    assert query("", store=store).counts.instances == PATIENTS * SLICES


def test_kill_9_at_a_few_random_moments(tmp_path: Path) -> None:
    kill_at_random_moments(tmp_path, 3)


@pytest.mark.slow
def test_kill_9_at_fifty_random_moments(tmp_path: Path) -> None:
    kill_at_random_moments(tmp_path, 50)


def test_what_a_killed_writer_put_in_place_is_removed(tmp_path: Path) -> None:
    """Killed between the artefacts and the transaction: the note in the catalogue names what to remove."""
    write_hospital(tmp_path / "hospital", patients=1)
    ingest(tmp_path / "hospital", store=tmp_path / "store")
    with Store(tmp_path / "store") as store:
        name = store.artefacts.put(b"from a writer that was killed")
        kept = sorted(acknowledged(tmp_path / "store"))[0]
        with closing(sqlite3.connect(tmp_path / "store/catalogue.sqlite")) as connection:
            connection.execute("INSERT INTO pending VALUES ('dead', ?)", (json.dumps([name, kept]),))
            connection.commit()
        (tmp_path / "store/incoming/dead").mkdir(parents=True)
        with store.repository.among_writers():
            assert store.repository.recover() == 0, "nobody tidies up while someone writes"
        assert store.repository.recover() == 1
        assert not store.artefacts.has(name)
        assert store.artefacts.has(kept)
    assert not (tmp_path / "store/incoming").exists()


@pytest.mark.parametrize("failure", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_full_or_failing_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: int, call: str) -> None:
    write_hospital(tmp_path / "hospital", patients=2)
    ingest(tmp_path / "hospital", store=tmp_path / "store")
    write_hospital(tmp_path / "more", patients=4)

    def fails(*_: object, **__: object) -> None:
        raise OSError(failure, os.strerror(failure))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fails)
        with pytest.raises(Refused) as refused:
            ingest(tmp_path / "more", store=tmp_path / "store")
    assert refused.value.problem.code == "cannot-write"
    assert os.strerror(failure) in refused.value.problem.found
    found = verify(tmp_path / "store")
    assert (found.artefacts, found.problems, found.orphans) == (11, (), ())
    assert dict(ingest(tmp_path / "more", store=tmp_path / "store").new) == {"dicom": 10, "table": 1}


def test_a_catalogue_that_is_full(tmp_path: Path) -> None:
    write_hospital(tmp_path / "hospital", patients=3)
    with Store(tmp_path / "store") as store:
        with closing(sqlite3.connect(tmp_path / "store/catalogue.sqlite")) as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]

        def limit(connection: sqlite3.Connection, _: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {pages}")

        from sqlalchemy import event

        event.listen(store.database.engine, "connect", limit)
        store.database.engine.dispose()
        with pytest.raises(Refused) as refused:
            store.remember("step", {f"{number:064d}": b"x" * 5000 for number in range(2000)})
    assert refused.value.problem.code == "catalogue-failed"
    assert "full" in refused.value.problem.found


def test_eight_processes_take_in_the_same_folder_at_once(tmp_path: Path) -> None:
    write_hospital(tmp_path / "hospital", patients=4)
    with ThreadPoolExecutor(8) as senders:
        running = list(senders.map(lambda _: start(tmp_path / "hospital", tmp_path / "store"), range(8)))
    errors = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0] * 8, errors
    found = verify(tmp_path / "store")
    assert (found.artefacts, found.problems, found.orphans) == (21, (), ())
    assert query("", store=tmp_path / "store").counts.instances == 20
