"""Zip archives, also inside each other, and DICOMDIR: what they hold, read without trusting a size or a name in them.

Nothing is unpacked to the disk: members are read into memory one by one, and their names are labels only.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.sources.attributes import Attributes, tag_and_vr
from prognoscope.sources.outline import outline

ZIP = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
WITHIN = "!/"
MEMBER_BYTES = 1 << 30
SUSPICIOUS_BYTES, SUSPICIOUS_RATIO = 64 << 20, 200
MOST_MEMBERS = 2_000_000
DEEPEST = 4
LONGEST_NAME = 1024
ENCRYPTED = 0x1
DICOMDIR = b"1.2.840.10008.1.3.10"
DIRECTORY_WANTED = frozenset(tag_and_vr(word)[0] for word in ("SpecificCharacterSet", "DirectoryRecordSequence"))


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an archive: its name (after `!/`s where archives nest), and its bytes or why there are none."""

    name: str
    data: bytes
    problem: Problem | None = None


def is_archive(data: bytes) -> bool:
    """Whether bytes are a zip archive, and neither a workbook nor a DICOM file whose preamble looks like one."""
    if not data.startswith((ZIP, EMPTY_ZIP)) or data[128:132] == b"DICM":
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "[Content_Types].xml" not in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return True  # a damaged one is still an archive: reading it says what is wrong


def member_count(path: Path, *, subject: str) -> int:
    """Number of entries of an archive; refuses as `read_members` does."""
    with _opened(path, subject) as archive:
        return len(archive.infolist())


def read_members(
    source: Path | bytes, *, subject: str, positions: Sequence[int] | None = None, depth: int = 1
) -> Iterator[Member]:
    """Yield the members of an archive, and those of the archives in it.

    Parameters
    ----------
    source
        The archive's path or bytes.
    subject
        How problems name it; members are named after it.
    positions
        Which entries of the archive's own list to read; all by default.

    Raises
    ------
    Refused
        `archive-damaged`, `archive-bomb` (entries that overlap), `archive-too-large` (more than two million).
    """
    archive = _opened(source, subject) if isinstance(source, bytes) else _kept_open(source, subject, *_state(source))
    entries = archive.infolist()
    for position in range(len(entries)) if positions is None else positions:
        entry = entries[position]
        if not entry.is_dir():
            yield from _member(archive, entry, f"{subject}{WITHIN}{_label(entry.filename)}", depth)


def _state(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError:
        return 0, 0  # opening it will say why
    return status.st_size, status.st_mtime_ns


@lru_cache(maxsize=1)
def _kept_open(path: Path, subject: str, size: int, mtime_ns: int) -> zipfile.ZipFile:
    """The archive of which this process read last: whoever reads it part by part reads its list of members once."""
    del size, mtime_ns  # another file of the same name is another archive
    return _opened(path, subject)


def _opened(source: Path | bytes, subject: str) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as cause:
        raise refuse(
            "archive-damaged",
            subject=subject,
            found=f"the archive cannot be opened ({cause})",
            remedy="copy it again from its source",
        ) from cause
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    entries = archive.infolist()
    if len(entries) > MOST_MEMBERS:
        raise refuse(
            "archive-too-large",
            subject=subject,
            found=f"it lists {len(entries):,} members, more than {MOST_MEMBERS:,}",
            remedy="unpack it and ingest the folder",
        )
    if sum(entry.compress_size for entry in entries) > size:
        raise refuse(
            "archive-bomb",
            subject=subject,
            found="its members claim more bytes than it has: they overlap",
            remedy="leave it out; no ordinary program writes such an archive",
        )
    return archive


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, depth: int) -> Iterator[Member]:
    try:
        data = _bytes(archive, entry, name)
        if not is_archive(data):
            yield Member(name, data)
            return
        if depth >= DEEPEST:
            raise refuse(
                "archive-too-deep",
                subject=name,
                found=f"archives are nested more than {DEEPEST} deep",
                remedy="unpack it and ingest the folder",
            )
        yield from read_members(data, subject=name, depth=depth + 1)
    except Refused as refused:
        yield Member(name, b"", refused.problem)


def _bytes(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    if entry.flag_bits & ENCRYPTED:
        raise refuse("archive-encrypted", subject=name, found="the member is encrypted", remedy="decrypt the archive")
    ratio = entry.file_size / max(entry.compress_size, 1)
    if entry.file_size > MEMBER_BYTES or (entry.file_size > SUSPICIOUS_BYTES and ratio > SUSPICIOUS_RATIO):
        raise refuse(
            "archive-bomb",
            subject=name,
            found=f"{entry.compress_size:,} bytes claim to unpack to {entry.file_size:,}",
            remedy="leave it out, or unpack it and ingest the folder",
        )
    try:
        with archive.open(entry) as stream:
            return stream.read(entry.file_size)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError, RuntimeError) as cause:
        raise refuse(
            "archive-damaged",
            subject=name,
            found=f"the member cannot be unpacked ({str(cause)[:200]})",
            remedy="copy the archive again from its source",
        ) from cause


def _label(name: str) -> str:
    plain = name.encode("utf-8", "backslashreplace").decode()
    return plain if len(plain) <= LONGEST_NAME else f"{plain[:LONGEST_NAME]}…"


def is_directory(data: bytes) -> bool:
    """Whether bytes are a DICOMDIR (PS3.10 chapter 8)."""
    return data[128:132] == b"DICM" and DICOMDIR in data[132:1024]


def check_directory(data: bytes, *, subject: str, folder: Path | None) -> tuple[Problem, ...]:
    """Say which files a DICOMDIR names that are not there, or that lie outside its folder; none of them is opened.

    Parameters
    ----------
    data
        The DICOMDIR.
    folder
        Where its file IDs begin; None where that cannot be known (in an archive).

    Raises
    ------
    Refused
        As `outline` does, for a damaged file.
    """
    header = Attributes.of(outline(data, DIRECTORY_WANTED, subject=subject))
    outside, missing, named = [], [], 0
    for record in header.items("DirectoryRecordSequence"):
        parts = [part for part in record.text("ReferencedFileID").split("\\") if part]
        if not parts:
            continue
        named += 1
        if any(part in ("..", ".") or "/" in part or "\0" in part for part in parts):
            outside.append("\\".join(parts))
        elif folder is not None and not folder.joinpath(*PurePosixPath(*parts).parts).is_file():
            missing.append("\\".join(parts))
    problems = []
    if outside:
        problems.append(
            Problem(
                "dicomdir-leaves-folder",
                subject,
                f"{len(outside)} of its file IDs leave its folder (such as {outside[0][:80]!r}); none was followed",
                "nothing: every file of the folder was read at its own place",
            )
        )
    if missing:
        problems.append(
            Problem(
                "dicomdir-files-missing",
                subject,
                f"{len(missing)} of the {named} files it names are not there (such as {missing[0][:80]!r})",
                "copy the medium again, if those are needed",
            )
        )
    return tuple(problems)
