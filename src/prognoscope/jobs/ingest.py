"""Take a source into the store: read each file once, keep its bytes, put series together, set aside what is wrong."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from prognoscope.core import hashing
from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.core.work import Mapper, serial_map
from prognoscope.jobs.addresses import is_address
from prognoscope.jobs.admission import Tally, admit, hold
from prognoscope.jobs.assembly import Assembled, assemble_waiting
from prognoscope.jobs.departed import departed
from prognoscope.jobs.described import describe_tables
from prognoscope.jobs.links import link_files
from prognoscope.jobs.parcels import LONGEST_PATH, SIDECAR, Opened, Parcel, printable
from prognoscope.sources import FoundFile, list_folder
from prognoscope.store import Arrival, KnownFile, Store

PARCEL_FILES, PARCEL_BYTES = 64, 64 << 20
PARCELS_PER_BATCH = 8


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did.

    Attributes
    ----------
    source, store
        Where the data came from, and the store's folder.
    files
        Files (and members of archives) that were looked at.
    unchanged
        Of those, files that were known by size and time of change and not read again.
    new
        Contents that were not there before, by kind.
    known
        Files that were read and whose content was there already.
    restored
        Of those, contents that the store had lost.
    quarantined
        What was set aside now, with its reason.
    patients
        Patients whose series were put together again.
    totals
        What the store holds now, by kind.
    seconds
        How long it took.
    unfetched
        Series that a PACS or a server has and did not give whole; they are among the quarantined, with the reason.
    hints
        What else whoever asked should know.
    """

    source: str
    store: Path
    files: int
    unchanged: int
    new: Mapping[str, int]
    known: int
    restored: int
    quarantined: tuple[Problem, ...]
    patients: int
    totals: Mapping[str, int]
    seconds: float
    unfetched: int = 0
    hints: tuple[str, ...] = ()


def ingest(
    source: str | Path,
    *,
    store: str | Path,
    licence: str = "",
    mapper: Mapper = serial_map,
    verify: bool = False,
    held_back: Sequence[Problem] = (),
) -> IngestReport:
    """Take in a folder or an archive.

    What is acknowledged is kept; an ingest that was killed goes on where it was when it is called again, and what is
    there already is not kept twice.

    Parameters
    ----------
    source
        A folder (any nesting) or one file: DICOM, zip archives, tables; anything else is quarantined with its reason.
        Or a PACS (`pacs://TITLE@host:port?PatientID=…`), or a DICOMweb server (`https://host/dicom-web?…`).
    store
        The store's folder; it is made where there is none.
    licence
        The licence under which the source may be used; exports carry it.
    mapper
        Where the files are read.
    verify
        Read every file again instead of trusting size and time of change.
    held_back
        Files of a folder that were not passed on by what came before (de-identification): they are quarantined too.

    Raises
    ------
    Refused
        `source-missing`; `cannot-write`, `catalogue-failed` when the store's disk is full or failing.
    """
    began = time.perf_counter()
    if is_address(source):
        return _from_network(str(source), Path(store), licence, mapper, began, verify=verify)
    root, listed, problems = _listed(Path(source))
    name = str(Path(source).resolve())
    with Store(Path(store)) as opened:
        opened.repository.recover()
        opened.repository.open_source(name, licence=licence)
        tally = Tally()
        with opened.repository.among_writers():
            hold(opened, name, (*problems, *held_back), tally)
            known = opened.repository.known_files(name)
            fresh = listed if verify else _changed(known, listed)
            tally.unchanged = len(listed) - len(fresh)
            archives = _take(opened, name, root, fresh, mapper, tally, verify=verify)
            gone = departed(known, listed, problems, archives, tally.members)
            _depart(opened, name, gone, tally)
            tally.quarantined += describe_tables(opened)
            tally.quarantined += link_files(opened, name, again=bool(tally.tables or gone))
            assembled = assemble_waiting(opened, mapper)
        return _report(opened, name, tally, assembled, began)


def assemble_store(store: str | Path, *, mapper: Mapper = serial_map) -> int:
    """Put together the series of whatever came in by other ways; return of how many patients."""
    with Store(Path(store)) as opened, opened.repository.among_writers():
        return assemble_waiting(opened, mapper).patients


def _from_network(
    address: str, store: Path, licence: str, mapper: Mapper, began: float, *, verify: bool
) -> IngestReport:
    from prognoscope.jobs.network import ask, take_in  # with pydicom: a folder that is known needs no reader

    answer = ask(address)
    tally = Tally()
    with Store(store) as opened:
        opened.repository.recover()
        opened.repository.open_source(answer.origin.name, licence=licence)
        with opened.repository.among_writers():
            try:
                take_in(opened, answer, mapper, tally, verify=verify)
            finally:
                assembled = assemble_waiting(opened, mapper)
        if not answer.series:
            tally.hints.append(f"no series there matches {address}")
        return _report(opened, answer.origin.name, tally, assembled, began)


def _report(store: Store, source: str, tally: Tally, assembled: Assembled, began: float) -> IngestReport:
    return IngestReport(
        source=source,
        store=store.folder,
        files=tally.files + tally.unchanged,
        unchanged=tally.unchanged,
        new=dict(sorted(tally.new.items())),
        known=tally.known,
        restored=tally.restored,
        quarantined=(*tally.quarantined, *assembled.quarantined),
        patients=assembled.patients,
        totals=store.repository.total(),
        seconds=time.perf_counter() - began,
        unfetched=tally.unfetched,
        hints=tuple(tally.hints),
    )


def _listed(source: Path) -> tuple[Path, tuple[FoundFile, ...], tuple[Problem, ...]]:
    if source.is_file():
        beside = source.with_name(f"{source.name}{SIDECAR}")
        files = [source, beside] if beside.is_file() else [source]
        return source.parent, tuple(FoundFile(one.name, *_size_and_time(one)) for one in files), ()
    if not source.exists():
        raise refuse(
            "source-missing",
            subject=str(source),
            found="there is no such file or folder",
            remedy="check the path; a PACS is named pacs://AE@host:port, a DICOMweb server by its https address",
        )
    listing = list_folder(source)
    long = [file for file in listing.files if len(file.path) > LONGEST_PATH]
    problems = [
        Problem("path-too-long", printable(file.path[:80]), f"its path has {len(file.path)} characters", "shorten it")
        for file in long
    ]
    return source, tuple(file for file in listing.files if file not in long), (*listing.problems, *problems)


def _size_and_time(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _changed(known: Mapping[str, KnownFile], listed: Sequence[FoundFile]) -> tuple[FoundFile, ...]:
    return tuple(
        file
        for file in listed
        if (seen := known.get(file.path)) is None or (seen.size, seen.mtime_ns) != (file.size, file.mtime_ns)
    )


def _depart(store: Store, source: str, gone: Sequence[str], tally: Tally) -> None:
    if gone:
        store.repository.depart(source, gone)
        tally.hints.append(
            f"{len(gone)} files that came in before are not there any more (such as {printable(gone[0])}): "
            "tables among them are searched no more, and every byte is kept"
        )


def _take(
    store: Store,
    source: str,
    root: Path,
    files: Sequence[FoundFile],
    mapper: Mapper,
    tally: Tally,
    *,
    verify: bool,
) -> list[FoundFile]:
    """Read and acknowledge files; return the archives among them that were read through."""
    read_through = []
    reading = partial(mapper, open_parcel, label="take in files")
    parcels = _batches(store, _parcels(root, files))
    archives = admit(store, source, parcels, reading, tally, verify=verify)
    for archive in archives:
        try:
            count = _members(root / archive.path, printable(archive.path))
        except Refused as refused:
            _keep_whole(store, source, root, archive, refused.problem, tally)
            continue
        members = [
            Parcel(root, (archive,), Path(), tuple(range(at, min(at + PARCEL_FILES, count))))
            for at in range(0, count, PARCEL_FILES)
        ]
        before = len(tally.quarantined)
        admit(store, source, _batches(store, members), reading, tally, verify=verify)
        unread = sum(problem.code.startswith("archive-") for problem in tally.quarantined[before:])
        if unread:
            _keep_whole(store, source, root, archive, _unread(archive, unread), tally)
        else:
            _remember_archive(store, source, root, archive)
            read_through.append(archive)
    return read_through


def _unread(archive: FoundFile, number: int) -> Problem:
    told = f"{number} of its members cannot be read"
    return Problem("archive-kept", printable(archive.path), told, "see what is wrong with each, and copy it again")


def _members(path: Path, subject: str) -> int:
    from prognoscope.sources.archives import member_count  # with pydicom, for its DICOMDIR

    return member_count(path, subject=subject)


def _parcels(root: Path, files: Sequence[FoundFile]) -> list[Parcel]:
    parcels: list[Parcel] = []
    held: list[FoundFile] = []
    for file in files:
        if held and (len(held) >= PARCEL_FILES or sum(one.size for one in held) + file.size > PARCEL_BYTES):
            parcels.append(Parcel(root, tuple(held), Path()))
            held = []
        held.append(file)
    return [*parcels, Parcel(root, tuple(held), Path())] if held else parcels


def open_parcel(parcel: Parcel) -> Opened:
    """Read each file once; the readers of all formats are imported by the process that reads."""
    from prognoscope.jobs.arrivals import read_parcel

    return read_parcel(parcel)


def _batches(store: Store, parcels: Sequence[Parcel]) -> list[tuple[str, list[Parcel]]]:
    batches = []
    for start in range(0, len(parcels), PARCELS_PER_BATCH):
        batch = uuid.uuid4().hex
        tray = store.repository.tray(batch)
        part = parcels[start : start + PARCELS_PER_BATCH]
        batches.append((batch, [Parcel(one.root, one.files, tray, one.positions) for one in part]))
    return batches


def _keep_whole(store: Store, source: str, root: Path, archive: FoundFile, problem: Problem, tally: Tally) -> None:
    """Quarantine an archive with its bytes: nobody knows what else could be had of it."""
    from prognoscope.jobs.arrivals import keep_archive

    batch = uuid.uuid4().hex
    try:
        kept = keep_archive(root, archive, problem, store.repository.tray(batch))
    except Refused as gone:  # since it was looked at
        hold(store, source, (gone.problem,), tally)
        return
    tally.add(store.repository.admit(source, batch, [kept]), 1)


def _remember_archive(store: Store, source: str, root: Path, archive: FoundFile) -> None:
    """An archive whose members are all acknowledged is not opened again while it is the same file."""
    sha256 = hashing.of_file(root / archive.path)
    known = Arrival(archive.path, archive.size, archive.mtime_ns, sha256, "unknown", staged=False)
    store.repository.admit(source, uuid.uuid4().hex, [known])
