"""A PostgreSQL server for the tests of the store, and an empty database of it for each."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server on a socket of its own."""
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


@pytest.fixture
def database(server: str) -> str:
    """The URL of an empty database."""
    name = f"test{next(NUMBERS)}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.replace("@/postgres?", f"@/{name}?")
