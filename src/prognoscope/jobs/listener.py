"""Listen for what others send: a receipt is given for what is kept, and for nothing else."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.jobs.admission import same
from prognoscope.jobs.arrivals import nameless_arrival
from prognoscope.sources.pacs import OWN_TITLE, listener
from prognoscope.store import Admitted, Store, tray


@dataclass(slots=True, eq=False)
class _Waiting:
    data: bytes
    tried: bool = False
    kept: bool = False


class Intake:
    """Keeps files that several senders hand over at once: those that wait together are acknowledged together.

    Whoever's turn it is keeps what the others hold ready with its own. What goes wrong, whatever it is, reaches the
    sender whose turn it is; the others of its group then try alone, so that one bad file fails no other.
    """

    def __init__(self, store: Store, source: str, *, told: Callable[[int], object]) -> None:
        self._store, self._source, self._told = store, source, told
        self._waiting: deque[_Waiting] = deque()
        self._turn = threading.Lock()
        self._closed = False

    def receive(self, data: bytes) -> None:
        """Keep one file; returns when it is acknowledged, and raises what hinders that."""
        own = _Waiting(data)
        self._waiting.append(own)
        with self._turn:
            if self._closed:
                raise refuse("listener-ended", subject=self._source, found="it ends", remedy="send the file again")
            if not own.kept:
                self._keep([own] if own.tried else [own, *self._beside(own)])

    def close(self) -> None:
        """Keep nothing more; what is being kept is finished first."""
        with self._turn:
            self._closed = True

    def _beside(self, own: _Waiting) -> Iterator[_Waiting]:
        while self._waiting:
            other = self._waiting.popleft()
            if other is not own and not other.tried:
                yield other

    def _keep(self, group: Sequence[_Waiting]) -> None:
        for one in group:
            one.tried = True
        kept = keep_files(self._store, self._source, [one.data for one in group])
        for one in group:
            one.kept = True
        self._told(sum(kept.new.values()))


def keep_files(store: Store, source: str, files: Sequence[bytes]) -> Admitted:
    """Acknowledge DICOM files that came without a path: they are named by their instance."""
    batch = uuid.uuid4().hex
    with tray(store.repository.tray(batch)) as filled:
        arrivals = [nameless_arrival(data, filled) for data in files]
    return store.repository.admit(source, batch, arrivals, same=same)


@contextmanager
def listening(
    store: str | Path,
    *,
    port: int,
    told: Callable[[int], object],
    refused: Callable[[Problem], object],
    title: str = OWN_TITLE,
    host: str = "127.0.0.1",
) -> Iterator[int]:
    """Take what is sent to us while the block runs; the value is the port.

    Parameters
    ----------
    told
        Gets the number of new files whenever some were kept.
    refused
        Gets the reason why a file was not kept; its sender is told the same.

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

            def receive(data: bytes) -> None:
                try:
                    intake.receive(data)
                except Refused as why:
                    refused(why.problem)
                    raise

            try:
                with listener(title=title, port=port, receive=receive, host=host) as chosen:
                    yield chosen
            finally:
                intake.close()
