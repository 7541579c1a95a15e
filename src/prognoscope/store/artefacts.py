"""Content-addressed bytes: each artefact is named by its SHA-256 and written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from prognoscope.core import hashing
from prognoscope.core.problems import refuse


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never half: temporary file, fsync, rename.

    Raises
    ------
    Refused
        `cannot-write` when the disk is full or the folder may not be written to.
    """
    handle, temporary = -1, ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".part-")
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as cause:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise refuse(
            "cannot-write",
            subject=str(path),
            found=f"{cause.strerror or cause}",
            remedy="free space or choose another place with --out or --store; nothing half-written was left",
        ) from cause


class Artefacts:
    """A folder of artefacts, two levels deep: `ab/cdef…`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Keep bytes and return their SHA-256; what is already there is not written again."""
        name = hashing.of_bytes(data)
        path = self._path(name)
        if not path.exists():
            write_whole(path, data)
        return name

    def get(self, name: str) -> bytes:
        """Return the bytes of an artefact.

        Raises
        ------
        Refused
            `artefact-missing` when it is not there, `artefact-changed` when its bytes no longer give its name.
        """
        path = self._path(name)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise refuse(
                "artefact-missing",
                subject=f"artefact {name[:12]}",
                found=f"{path} is not there",
                remedy="run again with a new --store, or bring the file back from a backup",
            ) from None
        if hashing.of_bytes(data) != name:
            raise refuse(
                "artefact-changed",
                subject=f"artefact {name[:12]}",
                found=f"the bytes of {path} are not those that were written",
                remedy="delete the file and run again; check the disk",
            )
        return data

    def has(self, name: str) -> bool:
        """Whether an artefact of that name is there."""
        return self._path(name).exists()

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name[2:]
