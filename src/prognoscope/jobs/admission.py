"""Read in any process, acknowledge in this one, batch by batch, and count what became of it."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from prognoscope.core.problems import Problem
from prognoscope.jobs.parcels import WITHIN, Opened
from prognoscope.sources import FoundFile
from prognoscope.store import Admitted, Arrival, Store

Item = TypeVar("Item")


@dataclass(slots=True)
class Tally:
    """What happened so far, in the words of `prognoscope.jobs.ingest.IngestReport`.

    Attributes
    ----------
    tables
        How many tables were read.
    members
        Paths of what was in the archives that were opened.
    """

    new: Counter[str] = field(default_factory=Counter)
    known: int = 0
    restored: int = 0
    files: int = 0
    unchanged: int = 0
    unfetched: int = 0
    tables: int = 0
    members: set[str] = field(default_factory=set)
    quarantined: list[Problem] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)

    def add(self, admitted: Admitted, files: int) -> None:
        """Count a batch."""
        self.new.update(admitted.new)
        self.known += admitted.known
        self.restored += admitted.restored
        self.files += files
        self.quarantined += admitted.quarantined


def admit(
    store: Store,
    source: str,
    batches: Sequence[tuple[str, Sequence[Item]]],
    read: Callable[[Sequence[Item]], Iterator[Opened]],
    tally: Tally,
    *,
    verify: bool,
) -> list[FoundFile]:
    """Read items and acknowledge what they hold batch by batch.

    Parameters
    ----------
    batches
        The name of each batch, and its items: each puts its bytes into the batch's tray.
    read
        Reads many items, in their order.
    tally
        Is told what became of every file.

    Returns
    -------
    The archives among the files.
    """
    everything = [item for _, items in batches for item in items]
    results = read(everything) if everything else iter(())
    archives: list[FoundFile] = []
    for batch, items in batches:
        opened = list(islice(results, len(items)))
        arrivals = [arrival for one in opened for arrival in one.arrivals]
        tally.add(store.repository.admit(source, batch, arrivals, verify=verify, same=same), len(arrivals))
        tally.tables += sum(arrival.table is not None for arrival in arrivals)
        tally.members.update(arrival.path for arrival in arrivals if WITHIN in arrival.path)
        hold(store, source, [problem for one in opened for problem in one.problems], tally)
        archives += [archive for one in opened for archive in one.archives]
    for _ in results:  # lets the mapper finish and report its end
        pass
    return archives


def same(one: bytes, other: bytes) -> bool:
    """Whether two files are one instance in two envelopes."""
    from prognoscope.sources.sameness import same_data_set  # with pydicom: for an instance that comes again

    return same_data_set(one, other)


def hold(store: Store, source: str, problems: Sequence[Problem], tally: Tally) -> None:
    """Quarantine what could not even be read."""
    if problems:
        arrivals = [Arrival(one.subject, 0, 0, "", "unknown", staged=False, problem=one) for one in problems]
        tally.add(store.repository.admit(source, uuid.uuid4().hex, arrivals), len(arrivals))
