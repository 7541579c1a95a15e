"""One DICOM file, read once: its SHA-256 and its `Instance`, or the problem that keeps it out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from prognoscope.core import hashing
from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.sources.header import WANTED, read_instance
from prognoscope.sources.instance import Instance
from prognoscope.sources.outline import Outline, outline

FILE_BYTES = 4 << 30
KNOWN_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "a Parquet table"),
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"\x1f\x8b", "a compressed file (NIfTI?)"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"%PDF", "a PDF"),
    (b"{", "JSON"),
    (b"<", "markup"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
)

PROGRAMS = (b"MZ", b"\x7fELF", b"#!")  # a preamble that runs (CVE-2019-11687)
PICTURES = (b"II*\0", b"MM\0*")  # PS3.10 7.1 allows a TIFF there


@dataclass(frozen=True, slots=True)
class Inspected:
    """A file's SHA-256 (empty when it could not be read), and its instance or a problem.

    A file that is damaged after it has named its series has both: the instance tells which series is incomplete.
    """

    sha256: str
    instance: Instance | None
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class Located:
    """An instance and where it lies: `path` relative to the source's folder."""

    path: str
    instance: Instance
    sha256: str


def inspect(path: Path, *, subject: str | None = None) -> Inspected:
    """Read a file once.

    Parameters
    ----------
    path
        Any file; it need not be DICOM.
    subject
        How problems name it; its path by default.
    """
    subject = subject or path.as_posix()
    try:
        data = read_bytes(path, subject=subject)
    except Refused as refused:
        return Inspected("", None, refused.problem)
    return inspect_bytes(data, subject=subject)


def read_bytes(path: Path, *, subject: str) -> bytes:
    """Return a file's bytes; refuses what cannot be read (`file-unreadable`) and more than 4 GiB (`file-too-large`)."""
    try:
        size = path.stat().st_size
        if size > FILE_BYTES:
            raise refuse(
                "file-too-large",
                subject=subject,
                found=f"it has {size / 2**30:.1f} GiB, more than {FILE_BYTES >> 30}",
                remedy="leave the file out or split it",
            )
        return path.read_bytes()
    except OSError as error:
        raise refuse(
            "file-unreadable",
            subject=subject,
            found=f"the file cannot be read ({error.strerror})",
            remedy="check the file's rights and the disk",
        ) from error


def inspect_bytes(data: bytes, *, subject: str) -> Inspected:
    """As `inspect`, for bytes at hand."""
    digest = hashing.of_bytes(data)
    try:
        instance = parse(data, subject=subject)
        return Inspected(digest, instance, _damage(instance, subject))
    except Refused as refused:
        problem = refused.problem
    if problem.code == "not-dicom":
        problem = _other_format(data, subject)
    return Inspected(digest, None, problem)


def parse(data: bytes, *, subject: str) -> Instance:
    """Return the `Instance` of a DICOM file's bytes; refuses as `outline` and the header do."""
    return instance_of(outline(data, WANTED, subject=subject))


def instance_of(found: Outline) -> Instance:
    """As `parse`, for a file whose outline is at hand."""
    try:
        instance = read_instance(found)
    except Refused as refused:  # a value that cannot be read spoils the series it belongs to, not only the file
        instance = read_instance(replace(found, damage=refused.problem))
    if found.walk.data.startswith(PROGRAMS):
        instance = replace(instance, damage="its preamble makes it a program too", damage_code="dicom-program")
    if found.walk.data.startswith(PICTURES):
        instance = replace(instance, notes=(*instance.notes, "its preamble makes it a file of another format too"))
    if not instance.sop_class or not instance.series_uid:
        missing = "SOPClassUID" if not instance.sop_class else "SeriesInstanceUID"
        raise refuse(
            "dicom-incomplete",
            subject=found.walk.subject,
            found=f"{missing} is missing (a DICOMDIR or a fragment)",
            remedy="nothing, if the images it belongs to were read",
        )
    return instance


def _damage(instance: Instance, subject: str) -> Problem | None:
    if not instance.damage:
        return None
    program = instance.damage_code == "dicom-program"
    remedy = "do not open it; find out who made it" if program else "copy the file again from its source"
    return Problem(instance.damage_code, subject, instance.damage, remedy)


def _other_format(data: bytes, subject: str) -> Problem:
    kind = next((name for magic, name in KNOWN_KINDS if data.startswith(magic)), None)
    if not data:
        kind = "empty"
    elif kind is None and b"\0" not in data[:4096]:
        kind = "text or a table"
    return Problem(
        code="not-dicom",
        subject=subject,
        found=f"the file is not DICOM but {kind}" if kind else "the file is not DICOM",
        remedy="nothing, if no image was expected here",
    )
