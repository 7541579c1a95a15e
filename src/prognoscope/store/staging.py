"""Bytes that came in and are not yet acknowledged: on the disk, in a folder of their batch."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from prognoscope.store.artefacts import WRITERS, cannot_write

SMALL = 8 << 20


class Tray:
    """A folder into which files are put side by side, each under its SHA-256."""

    def __init__(self, folder: Path, threads: ThreadPoolExecutor) -> None:
        self._folder, self._threads = folder, threads
        self._waiting: list[Future[None]] = []

    def put(self, name: str, data: bytes) -> None:
        """Write bytes under their name; large ones at once, so that few are held in memory."""
        if len(data) > SMALL:
            with _written(self._folder):
                _write(f"{self._folder}/{name}", data)
        else:
            self._waiting.append(self._threads.submit(_write, f"{self._folder}/{name}", data))

    def finish(self) -> None:
        """Wait until everything is on the disk."""
        with _written(self._folder):
            for future in self._waiting:
                future.result()
        self._waiting.clear()


@contextmanager
def tray(folder: Path) -> Iterator[Tray]:
    """Give a tray in a folder; when the block ends well, all that was put is on the disk.

    Raises
    ------
    Refused
        `cannot-write` when the disk is full or failing.
    """
    with _written(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(WRITERS) as threads:
        filled = Tray(folder, threads)
        yield filled
        filled.finish()


@contextmanager
def _written(folder: Path) -> Iterator[None]:
    """Failures to write, and only these: what goes wrong while a file is read is no full disk."""
    try:
        yield
    except OSError as cause:
        raise cannot_write(folder, cause) from cause


def sweep(folder: Path) -> None:
    """Remove the trays of writers that are gone."""
    shutil.rmtree(folder, ignore_errors=True)


def _write(path: str, data: bytes) -> None:
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)
