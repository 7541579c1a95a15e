"""Fetch from a PACS or a DICOMweb server: what is not there yet, series by series, in any process.

A series that cannot be had stops none of the others; a PACS or server that is not there any more stops all.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.core.work import Mapper
from prognoscope.jobs.admission import Tally, admit
from prognoscope.jobs.arrivals import nameless_arrival
from prognoscope.jobs.parcels import Opened
from prognoscope.sources.dicomweb import WebServer, fetch_series, parse_server, search_series
from prognoscope.sources.pacs import AGAIN, Found, Node, find_series, get_series, parse_node
from prognoscope.store import Arrival, Store, tray

INSTANCES_AT_ONCE = 256  # so many are acknowledged together, and lost to an interrupt at most
ENDS = ("pacs-unreachable", "dicomweb-unreachable", "pacs-missing", "cannot-write")  # for every series alike

# Why a series did not come whole; it leaves the quarantine when it does.
UNFETCHED = ("pacs-failed", "pacs-incomplete", "dicomweb-failed", "dicomweb-incomplete", "not-asked-for")


@dataclass(frozen=True, slots=True)
class Request:
    """A series, or some of its instances, that are to be fetched into a tray."""

    origin: Node | WebServer
    series: Found
    tray: Path = Path()

    @property
    def subject(self) -> str:
        """How problems name the series."""
        return f"series {self.series.series_uid} of {self.origin.name}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address offers: where it is, and the series that match what was asked."""

    origin: Node | WebServer
    series: tuple[Found, ...]

    def lacking(self, known: Mapping[str, object]) -> tuple[Request, ...]:
        """What must be fetched when the instances of some UIDs are there; nothing of a series that is whole."""
        return tuple(Request(self.origin, part) for one in self.series for part in _lacking(one, known))


def ask(address: str) -> Answer:
    """Ask a PACS or a DICOMweb server which series an address means.

    Raises
    ------
    Refused
        What the PACS or server refuses.
    """
    if address.lower().startswith("pacs://"):
        node = parse_node(address)
        return Answer(node, find_series(node))
    server = parse_server(address)
    return Answer(server, search_series(server))


def _lacking(series: Found, known: Mapping[str, object]) -> Iterator[Found]:
    lacking = tuple(one for one in series.instances if one[0] not in known)
    if not series.instances or len(lacking) == len(series.instances) <= INSTANCES_AT_ONCE:
        yield series
        return
    for start in range(0, len(lacking), INSTANCES_AT_ONCE):
        yield replace(series, instances=lacking[start : start + INSTANCES_AT_ONCE], part=True)


def take_in(store: Store, answer: Answer, mapper: Mapper, tally: Tally, *, verify: bool) -> None:
    """Fetch what the store has not got yet from there, and acknowledge it; with `verify` everything once more.

    Series that do not come whole are quarantined with the reason until they do.

    Raises
    ------
    Refused
        What ends everything (see `fetch`); what came until then is kept.
    """
    name = answer.origin.name
    known = {} if verify else store.repository.known_files(name)
    requests = answer.lacking(known)
    tally.unchanged = sum(one[0] in known for series in answer.series for one in series.instances)
    names = [uuid.uuid4().hex for _ in requests]
    batches = [
        (one, [replace(request, tray=store.repository.tray(one))]) for one, request in zip(names, requests, strict=True)
    ]
    admit(store, name, batches, partial(mapper, fetch, label="fetch series"), tally, verify=verify)
    failed = {problem.subject for problem in tally.quarantined if problem.code in UNFETCHED}
    tally.unfetched = len(failed)
    tally.files -= len(failed)
    store.quarantine.settle(name, UNFETCHED, {Request(answer.origin, one).subject for one in answer.series} - failed)


def fetch(request: Request) -> Opened:
    """Fetch what is asked for into the request's tray; what does not come is a problem beside what does.

    Raises
    ------
    Refused
        `pacs-unreachable`, `dicomweb-unreachable`; `cannot-write`.
    """
    arrivals: list[Arrival] = []
    with tray(request.tray) as filled:

        def take(data: bytes) -> None:
            found = nameless_arrival(data, filled)
            if found.instance and found.instance.series_uid != request.series.series_uid:
                raise refuse(
                    "not-asked-for",
                    subject=request.subject,
                    found="files of another series were sent for it; these were not taken",
                    remedy="look into the log of the PACS or server, and ask for that series if it is wanted",
                )
            arrivals.append(found)

        problem = _fetch(request, take)
    missing = len(request.series.instances) - len({one.path for one in arrivals})
    if missing > 0 and (problem is None or problem.code == "not-asked-for"):
        return Opened(tuple(arrivals), problems=(*filter(None, [problem]), _incomplete(request, missing)))
    return Opened(tuple(arrivals), problems=(problem,) if problem else ())


def _incomplete(request: Request, missing: int) -> Problem:
    code = "pacs-incomplete" if isinstance(request.origin, Node) else "dicomweb-incomplete"
    found = f"{missing} of its {len(request.series.instances)} instances did not come"
    return Problem(code, request.subject, found, AGAIN)


def _fetch(request: Request, take: Callable[[bytes], None]) -> Problem | None:
    """Hand over the files of a request one by one; return what went wrong on the way."""
    try:
        if isinstance(request.origin, Node):
            get_series(request.origin, request.series, take)
        else:
            _from_web(request.origin, request.series, take)
    except Refused as refused:
        if refused.problem.code in ENDS:
            raise
        return replace(refused.problem, subject=request.subject)
    return None


def _from_web(server: WebServer, series: Found, take: Callable[[bytes], None]) -> None:
    first: Refused | None = None
    for data in fetch_series(server, series):
        try:
            take(data)
        except Refused as refused:
            if refused.problem.code in ENDS:
                raise
            first = first or refused
    if first:
        raise first


def fetch_from_network(address: str, folder: Path) -> tuple[Problem, ...]:
    """Fetch every series that an address asks for into a folder, under numbers; return what could not be had.

    Raises
    ------
    Refused
        What the PACS or server refuses.
    """
    numbers = itertools.count(1)

    def keep(data: bytes) -> None:
        path = folder / f"{next(numbers):07d}.dcm"
        try:
            path.write_bytes(data)
        except OSError as cause:
            raise refuse(
                "cannot-write",
                subject=str(folder),
                found=f"what arrives cannot be put there ({cause.strerror})",
                remedy="make room on that disk, or name another private folder",
            ) from cause

    problems = [_fetch(request, keep) for request in ask(address).lacking({})]
    return tuple(problem for problem in problems if problem)
