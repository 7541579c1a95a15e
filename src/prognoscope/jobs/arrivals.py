"""One parcel of files → what the store needs to take them in; runs in any process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from prognoscope.core import hashing
from prognoscope.core.problems import Problem, Refused
from prognoscope.jobs.parcels import LONGEST_PATH, NIFTI, SIDECAR, Opened, Parcel, printable, read_description
from prognoscope.sources import FoundFile, Inspected, inspect_bytes, read_bytes
from prognoscope.sources.archives import Member, check_directory, is_archive, is_directory, read_members
from prognoscope.sources.fhir import looks_like_fhir
from prognoscope.sources.pictures import inspect_picture
from prognoscope.store import Arrival, InstanceRecord, TableRecord, Tray, tray

TABLES = (".csv", ".tsv", ".xlsx", ".parquet")
PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
KEPT_BYTES = 256 << 20  # of what nobody understands, larger files are told but not kept


def read_parcel(parcel: Parcel) -> Opened:
    """Read each file once: hash it, recognise it, and put its bytes in the tray."""
    arrivals: list[Arrival] = []
    archives: list[FoundFile] = []
    problems: list[Problem] = []
    with tray(parcel.tray) as filled:
        if parcel.positions is not None:
            arrivals += _members(parcel, filled)
        for file in parcel.files if parcel.positions is None else ():
            try:
                data = read_bytes(parcel.root / file.path, subject=printable(file.path))
            except Refused as refused:
                problems.append(refused.problem)
                continue
            if is_archive(data):
                archives.append(file)
            else:
                arrivals.append(arrival(file, data, filled, folder=parcel.root))
    problems += [note for one in arrivals if one.table for note in one.table.notes]
    return Opened(tuple(arrivals), tuple(archives), tuple(problems))


def keep_archive(root: Path, archive: FoundFile, problem: Problem, folder: Path) -> Arrival:
    """Put an archive that cannot be read through in the tray of a batch, whole, with the reason; a huge one is told."""
    data = read_bytes(root / archive.path, subject=printable(archive.path))
    sha256, kept = hashing.of_bytes(data), len(data) <= KEPT_BYTES
    if kept:
        with tray(folder) as filled:
            filled.put(sha256, data)
    also = "it is kept whole" if kept else f"it has more than {KEPT_BYTES >> 20} MiB and is not kept"
    told = replace(problem, found=f"{problem.found}; {also}")
    return Arrival(archive.path, archive.size, archive.mtime_ns, sha256, "unknown", staged=kept, problem=told)


def arrival(file: FoundFile, data: bytes, filled: Tray, *, folder: Path | None) -> Arrival:
    """Recognise bytes and put them in the tray, unless they are too large and nobody understands them."""
    subject = printable(file.path)
    inspected = inspect_bytes(data, subject=subject)
    plain = Arrival(file.path[:LONGEST_PATH], file.size, file.mtime_ns, inspected.sha256, "unknown", staged=True)
    try:
        found = _recognised(plain, inspected, data, subject, folder)
    except Refused as refused:
        found = replace(plain, problem=refused.problem)
    if found.problem and len(data) > KEPT_BYTES:
        return replace(found, staged=False)
    filled.put(found.sha256, data)
    return found


def nameless_arrival(data: bytes, filled: Tray) -> Arrival:
    """Recognise a file that came without a path, over the network: it is named by its instance, or its hash."""
    found = arrival(FoundFile("", len(data), 0), data, filled, folder=None)
    return found.named(found.instance.sop_uid if found.instance else found.sha256)


def _recognised(plain: Arrival, inspected: Inspected, data: bytes, subject: str, folder: Path | None) -> Arrival:
    name = plain.path.lower()
    if is_directory(data):
        home = (folder / plain.path).parent if folder else None
        problems = check_directory(data, subject=subject, folder=home)
        return replace(plain, kind="dicomdir", problem=problems[0] if problems else None)
    if inspected.instance:
        found = inspected.instance
        record = InstanceRecord(
            found.sop_uid, found.series_uid, found.patient_id, found.to_json(), damaged=bool(found.damage)
        )
        return replace(plain, kind="dicom", instance=record, problem=inspected.problem)
    if inspected.problem is None or inspected.problem.code != "not-dicom":
        return replace(plain, kind="dicom", problem=inspected.problem)
    if name.endswith(TABLES):
        return replace(plain, kind="table", table=_table(plain, data, subject))
    if name.endswith(SIDECAR):
        read_description(data, subject=subject)
        return replace(plain, kind="columns")
    if name.endswith(NIFTI):
        return replace(plain, kind="nifti")
    if data.startswith(PICTURES):
        inspect_picture(data, subject=subject)
        return replace(plain, kind="picture")
    if looks_like_fhir(data):
        from prognoscope.jobs.cells import fhir_record

        return replace(plain, kind="fhir", table=fhir_record(data, subject=subject))
    return replace(plain, problem=inspected.problem)


def _table(plain: Arrival, data: bytes, subject: str) -> TableRecord:
    from prognoscope.jobs.cells import table_record  # with pandas: most parcels hold no table

    return table_record(data, Path(plain.path).suffix.lower(), subject=subject)


def _members(parcel: Parcel, filled: Tray) -> Iterator[Arrival]:
    (archive,) = parcel.files
    subject = archive.path
    try:
        for member in read_members(parcel.root / archive.path, subject=subject, positions=parcel.positions):
            yield _from_member(member, archive, filled)
    except Refused as refused:
        yield _from_member(Member(subject, b"", refused.problem), archive, filled)


def _from_member(member: Member, archive: FoundFile, filled: Tray) -> Arrival:
    file = FoundFile(member.name, len(member.data), archive.mtime_ns)
    if member.problem:
        problem = replace(member.problem, subject=printable(member.problem.subject))
        return Arrival(file.path[:LONGEST_PATH], 0, file.mtime_ns, "", "unknown", staged=False, problem=problem)
    return arrival(file, member.data, filled, folder=None)
