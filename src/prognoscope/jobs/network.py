"""Take in from a PACS or a DICOMweb server, and listen for what is sent: a receipt is given for what is kept."""

from __future__ import annotations

import functools
import itertools
import queue
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from prognoscope.core.problems import Refused
from prognoscope.jobs.arrivals import arrival
from prognoscope.sources import FoundFile
from prognoscope.sources.dicomweb import WebServer, fetch_series, parse_server, search_series
from prognoscope.sources.pacs import OWN_TITLE, Found, find_series, get_series, listener, parse_node
from prognoscope.sources.sameness import same_data_set
from prognoscope.store import Admitted, Store, tray

FILES_AT_ONCE, BYTES_AT_ONCE = 256, 128 << 20


@dataclass(slots=True)
class _Waiting:
    data: bytes
    done: threading.Event = field(default_factory=threading.Event)
    refused: Refused | None = None


class Intake:
    """Keeps files that several senders hand over at once: those that wait together are acknowledged together."""

    def __init__(self, store: Store, source: str, *, told: Callable[[int], object]) -> None:
        self._store, self._source, self._told = store, source, told
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def receive(self, data: bytes) -> None:
        """Keep one file; returns when it is acknowledged, and refuses where the store does."""
        waiting = _Waiting(data)
        self._queue.put(waiting)
        waiting.done.wait()
        if waiting.refused:
            raise waiting.refused

    def close(self) -> None:
        """Keep what still waits, and stop."""
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        open_ = True
        while open_:
            first = self._queue.get()
            group = [first] if first else []
            open_ = first is not None
            while open_ and len(group) < FILES_AT_ONCE and not self._queue.empty():
                more = self._queue.get()
                open_ = more is not None
                group += [more] if more else []
            if group:
                self._keep(group)

    def _keep(self, group: Sequence[_Waiting]) -> None:
        try:
            kept = keep_files(self._store, self._source, [one.data for one in group])
            self._told(sum(kept.new.values()))
        except Refused as refused:
            for one in group:
                one.refused = refused
        finally:
            for one in group:
                one.done.set()


def keep_files(store: Store, source: str, files: Sequence[bytes]) -> Admitted:
    """Acknowledge DICOM files that came without a path: they are named by their instance."""
    batch = uuid.uuid4().hex
    with tray(store.repository.tray(batch)) as filled:
        arrivals = []
        for data in files:
            found = arrival(FoundFile("", len(data), 0), data, filled, folder=None)
            name = found.instance.sop_uid if found.instance else found.sha256
            arrivals.append(found.named(name))
    return store.repository.admit(source, batch, arrivals, same=same_data_set)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address offers: the source's name, and for each series a function that hands over its files."""

    name: str
    series: tuple[Callable[[Callable[[bytes], None]], None], ...]


def ask(address: str) -> Answer:
    """Ask a PACS or a DICOMweb server which series an address means.

    Raises
    ------
    Refused
        What the PACS or server refuses.
    """
    if address.startswith("pacs://"):
        node = parse_node(address)
        return Answer(node.name, tuple(functools.partial(get_series, node, one) for one in find_series(node)))
    server = parse_server(address)
    return Answer(server.url, tuple(functools.partial(_from_web, server, one) for one in search_series(server)))


def _from_web(server: WebServer, one: Found, keep: Callable[[bytes], None]) -> None:
    for data in fetch_series(server, one):
        keep(data)


def take_from_network(store: Store, address: str, told: Callable[[Admitted, int], object]) -> str:
    """Fetch every series that an address asks for; return the source's name.

    Raises
    ------
    Refused
        What the PACS or server refuses; what came until then is kept.
    """
    answer = ask(address)
    for fetch in answer.series:
        held: list[bytes] = []

        def keep(data: bytes, held: list[bytes] = held) -> None:
            held.append(data)
            if len(held) >= FILES_AT_ONCE or sum(map(len, held)) > BYTES_AT_ONCE:
                told(keep_files(store, answer.name, held), len(held))
                held.clear()

        try:
            fetch(keep)
        finally:
            if held:
                told(keep_files(store, answer.name, held), len(held))
    return answer.name


def fetch_from_network(address: str, folder: Path) -> None:
    """Fetch every series that an address asks for into a folder, under numbers.

    Raises
    ------
    Refused
        What the PACS or server refuses.
    """
    numbers = itertools.count(1)

    def keep(data: bytes) -> None:
        (folder / f"{next(numbers):07d}.dcm").write_bytes(data)

    for fetch in ask(address).series:
        fetch(keep)


@contextmanager
def listening(
    store: str | Path, *, port: int, title: str = OWN_TITLE, host: str = "127.0.0.1", told: Callable[[int], object]
) -> Iterator[int]:
    """Take what is sent to us while the block runs; the value is the port, and `told` gets the number of new files.

    Raises
    ------
    Refused
        `pacs-missing`, `port-unusable`; `cannot-write`, `catalogue-failed`.
    """
    with Store(Path(store)) as opened:
        opened.repository.recover()
        name = f"listener {title}"
        opened.repository.open_source(name, licence="")
        with opened.repository.among_writers():
            intake = Intake(opened, name, told=told)
            try:
                with listener(title=title, port=port, receive=intake.receive, host=host) as chosen:
                    yield chosen
            finally:
                intake.close()
