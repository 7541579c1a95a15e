"""Content-addressed bytes: each artefact is named by its SHA-256 and written whole or not at all.

They lie in a folder, or in any place that fsspec knows by URL (`s3://…`, `gs://…`, `abfs://…`, `sftp://…`).
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from prognoscope.core import hashing
from prognoscope.core.problems import Refused, refuse

# Waiting for the disk, not computing: many files reach it in one go when their writers wait side by side.
WRITERS = 16
NAME_LENGTH = 64
PUT_WHOLE = ("s3", "s3a", "gs", "gcs", "az", "abfs", "memory")  # object stores: seen whole or not at all


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
        raise cannot_write(path, cause) from cause


def cannot_write(path: Path | str, cause: OSError) -> Refused:
    """The problem of a disk that is full or refuses."""
    return refuse(
        "cannot-write",
        subject=str(path),
        found=f"{cause.strerror or cause}",
        remedy="free space or choose another place with --out or --store; nothing half-written was left",
    )


class Place(Protocol):
    """Where artefacts lie."""

    def read(self, name: str) -> bytes:
        """Return the bytes under a name; FileNotFoundError when there are none, OSError when they cannot be read."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Put bytes under a name, whole."""
        ...

    def admit(self, folder: Path, names: Iterable[str]) -> None:
        """Put files of a folder under their names, whole and lasting."""
        ...

    def has(self, name: str) -> bool:
        """Whether there are bytes under a name."""
        ...

    def discard(self, name: str) -> None:
        """Remove what is under a name, if anything is."""
        ...

    def names(self) -> Iterator[str]:
        """Yield every name that is there, sorted."""
        ...


class FolderPlace:
    """A folder of artefacts, two levels deep: `ab/cdef…`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        """Where an artefact lies."""
        return self.folder / name[:2] / name[2:]

    def read(self, name: str) -> bytes:
        """Return the bytes under a name."""
        return self.path(name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """Put bytes under a name, whole."""
        write_whole(self.path(name), data)

    def admit(self, folder: Path, names: Iterable[str]) -> None:
        """Rename files of a folder, which are on the disk already, and bring the renaming to the disk.

        With paths as plain text: for thousands of files, taking `Path` apart costs as much as the renaming.
        """
        root = str(self.folder)
        shelves: set[str] = {root}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for name in names:
                shelf = f"{root}/{name[:2]}"
                if shelf not in shelves:
                    Path(shelf).mkdir(exist_ok=True)
                    shelves.add(shelf)
                os.replace(f"{folder}/{name}", f"{shelf}/{name[2:]}")  # noqa: PTH105
            with ThreadPoolExecutor(WRITERS) as threads:
                list(threads.map(_sync_folder, sorted(shelves)))
        except OSError as cause:
            raise cannot_write(self.folder, cause) from cause

    def has(self, name: str) -> bool:
        """Whether there are bytes under a name."""
        return self.path(name).exists()

    def discard(self, name: str) -> None:
        """Remove what is under a name, if anything is."""
        self.path(name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        """Yield every name that is there, sorted."""
        for shelf in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            if len(shelf.name) == 2 and shelf.is_dir():
                for path in sorted(shelf.iterdir()):
                    if len(path.name) == NAME_LENGTH - 2:
                        yield shelf.name + path.name


class RemotePlace:
    """A place that fsspec knows by its URL; credentials come from the environment, as its libraries expect them."""

    def __init__(self, url: str) -> None:
        import fsspec  # type: ignore[import-untyped]

        self._url = url
        try:
            with self._reaching():
                self._files, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as cause:
            raise refuse(
                "place-unknown",
                subject=url,
                found=f"no installed library opens such a place ({cause})",
                remedy="install the fsspec library of the place (`prognoscope[s3]`, gcsfs, adlfs, …), or correct "
                "`artefacts`",
            ) from cause
        self._root = str(root).rstrip("/")
        self._puts_whole = url.partition("://")[0] in PUT_WHOLE

    def read(self, name: str) -> bytes:
        """Return the bytes under a name."""
        with self._reaching(missing=FileNotFoundError):
            found: bytes = self._files.cat_file(self._path(name))
            return found

    def write(self, name: str, data: bytes) -> None:
        """Put bytes under a name; where a place may write half, under another one first."""
        path, part = self._path(name), f"{self._path(name)}.part-{os.getpid()}"
        with self._reaching():
            if self._puts_whole:
                self._files.pipe_file(path, data)
                return
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            self._files.pipe_file(part, data)
            self._files.mv(part, path)

    def admit(self, folder: Path, names: Iterable[str]) -> None:
        """Send files of a folder to the place."""
        with ThreadPoolExecutor(WRITERS) as threads:
            list(threads.map(lambda name: self.write(name, (folder / name).read_bytes()), names))

    def has(self, name: str) -> bool:
        """Whether there are bytes under a name."""
        with self._reaching():
            return bool(self._files.exists(self._path(name)))

    def discard(self, name: str) -> None:
        """Remove what is under a name, if anything is."""
        with self._reaching():
            if self._files.exists(self._path(name)):
                self._files.rm_file(self._path(name))

    def names(self) -> Iterator[str]:
        """Yield every name that is there, sorted."""
        with self._reaching():
            found: list[Any] = sorted(self._files.find(self._root)) if self._files.exists(self._root) else []
        for path in found:
            shelf, _, rest = str(path).rpartition("/")
            if len(name := shelf.rpartition("/")[2] + rest) == NAME_LENGTH:
                yield name

    def _path(self, name: str) -> str:
        return f"{self._root}/{name[:2]}/{name[2:]}"

    @contextmanager
    def _reaching(self, *, missing: type[OSError] | tuple[()] = ()) -> Iterator[None]:
        """Let what is missing be told as such, and every other failure of the place as a problem."""
        try:
            yield
        except missing:
            raise
        except _failures() as cause:
            raise refuse(
                "place-failed",
                subject=self._url,
                found=f"{type(cause).__name__}: {' '.join(str(cause).split())[:300]}",
                remedy="check that the place (the bucket) is there and can be reached, and the credentials in the "
                "environment (for S3 AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL); what was acknowledged"
                " is kept, and the same command goes on from there",
            ) from cause


def _failures() -> tuple[type[Exception], ...]:
    """What a place's library raises when the place fails: botocore's errors are none of the system's."""
    botocore = sys.modules.get("botocore.exceptions")
    return (OSError, botocore.BotoCoreError, botocore.ClientError) if botocore else (OSError,)


def place_at(where: Path | str) -> Place:
    """Return the place at a path or URL."""
    return RemotePlace(where) if isinstance(where, str) and "://" in where else FolderPlace(Path(where))


class Artefacts:
    """Artefacts in one place. It can be sent to other processes."""

    def __init__(self, where: Path | str) -> None:
        self.where = where
        self.place = place_at(where)

    def __reduce__(self) -> tuple[type[Artefacts], tuple[Path | str]]:
        return Artefacts, (self.where,)

    def put(self, data: bytes) -> str:
        """Keep bytes and return their SHA-256; what is already there is not written again."""
        name = hashing.of_bytes(data)
        if not self.place.has(name):
            self.place.write(name, data)
        return name

    def get(self, name: str) -> bytes:
        """Return the bytes of an artefact.

        Raises
        ------
        Refused
            `artefact-missing` when it is not there, `artefact-changed` when its bytes no longer give its name,
            `artefact-unreadable` when the disk or the network fails.
        """
        try:
            data = self.place.read(name)
        except FileNotFoundError:
            raise refuse(
                "artefact-missing",
                subject=f"artefact {name[:12]}",
                found=f"{name[:2]}/{name[2:]} is not in {self.where}",
                remedy="run again with a new --store, or bring the file back from a backup",
            ) from None
        except OSError as cause:
            raise refuse(
                "artefact-unreadable",
                subject=f"artefact {name[:12]}",
                found=f"it cannot be read ({cause.strerror or cause})",
                remedy="check the disk or the connection",
            ) from cause
        if hashing.of_bytes(data) != name:
            raise refuse(
                "artefact-changed",
                subject=f"artefact {name[:12]}",
                found=f"the bytes of {name[:2]}/{name[2:]} are not those that were written",
                remedy="delete the file and run again; check the disk",
            )
        return data

    def has(self, name: str) -> bool:
        """Whether an artefact of that name is there."""
        return self.place.has(name)

    def is_lost(self, name: str, *, thoroughly: bool) -> bool:
        """Whether an artefact that should be there is not; `thoroughly` looks at its bytes too."""
        if not thoroughly:
            return not self.place.has(name)
        try:
            self.get(name)
        except Refused:
            return True
        return False

    @contextmanager
    def at_hand(self, names: Iterable[str]) -> Iterator[Path]:
        """Give a folder of this machine in which some artefacts lie, each as `ab/cdef…`, while the block runs.

        Those of another place are fetched for so long: as much is on the disk as is being read.

        Raises
        ------
        Refused
            As `get`; `cannot-write` when there is no room for them.
        """
        if isinstance(self.place, FolderPlace):
            yield self.place.folder
            return
        with TemporaryDirectory(prefix="prognoscope-") as folder:
            near = FolderPlace(Path(folder))
            with ThreadPoolExecutor(WRITERS) as threads:
                list(threads.map(lambda name: near.write(name, self.get(name)), dict.fromkeys(names)))
            yield near.folder


def _sync_folder(folder: str) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
