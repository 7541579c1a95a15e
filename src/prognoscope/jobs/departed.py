"""Which files of a folder came in before and are there no more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from prognoscope.core.problems import Problem
from prognoscope.jobs.parcels import WITHIN
from prognoscope.sources import FoundFile


def departed(
    known: Iterable[str],
    listed: Sequence[FoundFile],
    unlisted: Sequence[Problem],
    opened: Sequence[FoundFile],
    members: Collection[str],
) -> tuple[str, ...]:
    """Say which known paths a folder has no more, sorted.

    Parameters
    ----------
    known
        What came in from it before; members of archives follow their archive.
    listed
        What it has now. A folder in which nothing is left may be a disk that is not there: nothing is gone from it.
    unlisted
        What could not be listed, by path: nobody knows what is in it.
    opened, members
        The archives that were opened just now, and what was in them: an archive that changed may have lost members.
    """
    there, looked_into = {file.path for file in listed}, {file.path for file in opened}
    hidden = {problem.subject for problem in unlisted}
    if not listed or "." in hidden:
        return ()
    gone = []
    for path in known:
        archive, within, _ = path.partition(WITHIN)
        lost = within and archive in looked_into and path not in members
        if path not in there and (archive not in there or lost) and not _is_hidden(path, hidden):
            gone.append(path)
    return tuple(sorted(gone))


def _is_hidden(path: str, hidden: Collection[str]) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in hidden)
