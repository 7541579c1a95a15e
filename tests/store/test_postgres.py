"""The catalogue in PostgreSQL and the artefacts elsewhere: the same store."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from prognoscope.jobs.audit import verify_log
from prognoscope.jobs.history import history
from prognoscope.jobs.ingest import ingest
from prognoscope.jobs.query import difference, query
from prognoscope.jobs.verify import verify
from prognoscope.store import Store
from tests.make.store import write_hospital, write_patient


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a fresh PostgreSQL server on a socket of its own."""
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip("Debian's postgresql is not installed")
    home = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    as_user = []
    if os.getuid() == 0:  # initdb refuses root
        account = pwd.getpwnam("postgres")
        os.chown(home, account.pw_uid, account.pw_gid)
        as_user = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    tools = programs[-1].parent

    def call(*command: str) -> None:
        subprocess.run([*as_user, *command], check=True, capture_output=True, cwd=home)

    call(str(tools / "initdb"), "-D", str(home / "data"), "-U", "prognoscope", "-A", "trust", "-E", "UTF8", "--no-sync")
    call(
        str(tools / "pg_ctl"), "-D", str(home / "data"), "-l", str(home / "log"), "-w", "start",
        "-o", f"-c listen_addresses='' -c unix_socket_directories={home}",
    )  # fmt: skip
    try:
        yield f"postgresql+psycopg://prognoscope@/postgres?host={home}"
    finally:
        call(str(tools / "pg_ctl"), "-D", str(home / "data"), "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)


@pytest.mark.system
def test_a_hospital_in_postgresql(server: str, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "store.toml").write_text(f'catalogue = "{server}"\n')
    write_hospital(tmp_path / "hospital")
    report = ingest(tmp_path / "hospital", store=store)
    assert dict(report.new) == {"dicom": 15, "table": 1}
    assert dict(ingest(tmp_path / "hospital", store=store).new) == {}
    found = query("body_part ~ thigh and age >= 51 and grade = high", store=store, most=None, snapshot="one")
    assert [hit.patient_id for hit in found.hits] == ["P001"]
    write_patient(tmp_path / "hospital", "P001", series=2)
    ingest(tmp_path / "hospital", store=store)
    assert [name[0] for name in difference("one", "", store=store).added] == ["P001"]
    assert len(list(history(store=store, wanted="P002").leaves())) == 5
    checked = verify(store)
    assert (checked.artefacts, checked.problems, checked.orphans) == (22, (), ())
    assert verify_log(store).problems == ()
    with Store(store) as opened:
        opened.count("cohort", "settings tried", "a", 4)
        assert opened.counted("cohort", "settings tried") == 4


def test_artefacts_at_another_place_by_url(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "store.toml").write_text(f'artefacts = "memory://{tmp_path.name}"\n')
    write_hospital(tmp_path / "hospital", patients=1)
    ingest(tmp_path / "hospital", store=store)
    query("", store=store, export=tmp_path / "out")
    assert len(list((tmp_path / "out").rglob("*.dcm"))) == 5
    checked = verify(store)
    assert (checked.artefacts, checked.problems, checked.orphans) == (6, (), ())
