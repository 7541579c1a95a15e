"""Who may write: many writers at once, or one alone who cleans up after those that were killed.

The system lets go of a lock when its process ends, however it ends.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import text

from prognoscope.store.artefacts import cannot_write
from prognoscope.store.database import Database

KEY = 7046117  # of our advisory lock in PostgreSQL: any number that nobody else uses there


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file alone, waiting for it."""
    with _opened(path) as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


@contextmanager
def among_writers(folder: Path, database: Database) -> Iterator[None]:
    """Be one of the writers of a store, after whoever cleans up has finished."""
    if database.is_sqlite:
        with _opened(folder / "writers.lock") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH)
            yield
        return
    with database.engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_lock_shared({KEY})"))
        connection.commit()
        try:
            yield
        finally:
            connection.execute(text(f"SELECT pg_advisory_unlock_shared({KEY})"))
            connection.commit()


@contextmanager
def without_writers(folder: Path, database: Database) -> Iterator[bool]:
    """Keep writers out; the value is False, and nobody is kept out, where some are at work."""
    if database.is_sqlite:
        with _opened(folder / "writers.lock") as stream:
            yield _tried(stream)
        return
    with database.engine.connect() as connection:
        alone = bool(connection.execute(text(f"SELECT pg_try_advisory_lock({KEY})")).scalar())
        connection.commit()
        try:
            yield alone
        finally:
            if alone:
                connection.execute(text(f"SELECT pg_advisory_unlock({KEY})"))
                connection.commit()


def _tried(stream: IO[bytes]) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        stream = path.open("ab")
    except OSError as cause:
        raise cannot_write(path, cause) from cause
    with stream:
        yield stream
