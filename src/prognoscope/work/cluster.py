"""The map on a cluster, through a Dask scheduler that somebody else runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from prognoscope.core.problems import refuse
from prognoscope.core.work import Mapper, Progress, silent
from prognoscope.work.local import one_thread


def cluster_map(*, address: str, progress: Progress = silent) -> Mapper:
    """Return a mapper over the workers of the Dask scheduler at `address` (for instance `tcp://10.0.0.1:8786`).

    Raises
    ------
    Refused
        `extra-missing` without `dask.distributed`, `cluster-unreachable` when no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise refuse(
            "extra-missing",
            subject="cluster",
            found="dask.distributed is not installed",
            remedy="pip install 'prognoscope[cluster]'",
        ) from None
    try:
        client = Client(address, set_as_default=False)
    except (OSError, TimeoutError) as cause:
        raise refuse(
            "cluster-unreachable",
            subject=address,
            found=f"no Dask scheduler answers ({type(cause).__name__})",
            remedy="start one with `dask scheduler`, or correct the address",
        ) from cause

    def mapper(function: Callable[[Any], Any], items: Sequence[Any], *, label: str) -> Iterator[Any]:
        futures = [client.submit(one_thread, function, item, pure=False) for item in items]
        progress(label, 0, len(items))
        try:
            for done, future in enumerate(futures, start=1):
                yield future.result()
                progress(label, done, len(items))
        finally:
            client.cancel(futures)

    return mapper
