"""Is the store as it was written: artefacts, audit log, and on request the source files that it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from prognoscope.core import hashing
from prognoscope.core.problems import Problem
from prognoscope.core.work import Mapper, serial_map
from prognoscope.jobs.query import existing
from prognoscope.store import verify_artefacts

FILES_PER_ITEM = 64


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was hashed, and every problem found; `orphans` are artefacts that nothing names."""

    artefacts: int
    source_files: int
    audit_entries: int
    problems: tuple[Problem, ...]
    orphans: tuple[str, ...]


def verify(store: str | Path, *, sources: bool = False, mapper: Mapper = serial_map) -> VerifyReport:
    """Hash every artefact again, compare DICOM files with the catalogue, and follow the audit log to its head.

    Parameters
    ----------
    store
        The store's folder.
    sources
        Hash the source files too, where they still lie where they came from.
    mapper
        Where the hashing runs.

    Raises
    ------
    Refused
        `store-missing`; what is wrong in the store is returned, not raised.
    """
    with existing(store) as opened:
        opened.repository.recover()
        verified = verify_artefacts(opened, mapper, identify=identify)
        log = opened.audit.check()
        files = opened.repository.source_files() if sources else ()
    chunks = [files[start : start + FILES_PER_ITEM] for start in range(0, len(files), FILES_PER_ITEM)]
    found = mapper(check_files, chunks, label="hash source files") if chunks else iter(())
    wrong = [problem for part in found for problem in part]
    return VerifyReport(
        verified.artefacts, len(files), log.entries, (*verified.problems, *log.problems, *wrong), verified.orphans
    )


def identify(data: bytes) -> tuple[str, ...]:
    """SOPInstanceUID, SeriesInstanceUID and PatientID of a DICOM file; nothing of what cannot be read as one."""
    from prognoscope.sources import inspect_bytes  # in the process that reads

    instance = inspect_bytes(data, subject="artefact").instance
    return (instance.sop_uid, instance.series_uid, instance.patient_id) if instance else ()


def check_files(files: tuple[tuple[str, str, str], ...]) -> list[Problem]:
    """Hash files, each `(source, path, sha256)`, and say which are gone or have other contents."""
    problems = []
    for source, path, sha256 in files:
        place = Path(source) / path if Path(source).is_dir() else Path(source).parent / path
        if not place.is_file():
            problems.append(
                Problem("source-gone", str(place), "the file is not there any more", "nothing: the store has its bytes")
            )
        elif hashing.of_file(place) != sha256:
            problems.append(
                Problem(
                    "source-changed",
                    str(place),
                    "its bytes are not those that came in",
                    "ingest the source again, or find out what changed it; the store has the bytes that came in",
                )
            )
    return problems
