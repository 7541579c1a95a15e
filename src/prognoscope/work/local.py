"""The map in this process or in local processes, one numerical thread each."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from prognoscope.core.work import Mapper, Progress, silent

Item = TypeVar("Item")
Result = TypeVar("Result")

# Set before a worker imports numpy: libraries loaded later (a second OpenBLAS, LightGBM's OpenMP) obey them too.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
ONE_THREAD = dict.fromkeys(_THREAD_VARIABLES, "1")
IDLE_WORKER_SECONDS = 60
# The process that clears up after workers that were killed tells of each semaphore that it clears; nobody need know.
CLEARED_UP = "ignore:resource_tracker:UserWarning"
WATCH_SECONDS = 0.5  # how often a worker looks whether its parent is still there
FEW_ITEMS = 4  # so few are done sooner than new processes have imported their libraries


def local_map(*, jobs: int, progress: Progress = silent) -> Mapper:
    """Return a mapper over `jobs` local processes; 1 maps in this process.

    Results are the same for any number of jobs: everything runs with one BLAS, OpenMP and LightGBM thread, in this
    process too. An interrupt (Ctrl-C) cancels what has not begun and leaves no process behind.
    """

    def mapper(function: Callable[[Any], Any], items: Sequence[Any], *, label: str) -> Iterator[Any]:
        few = jobs == 1 or len(items) <= FEW_ITEMS
        run = _here(function, items) if few else _in_processes(function, items, jobs)
        progress(label, 0, len(items))
        for done, result in enumerate(run, start=1):
            yield result
            progress(label, done, len(items))

    return mapper


def one_thread(function: Callable[[Item], Result], item: Item) -> Result:
    """Apply a function to an item with one thread in every numerical library that is loaded."""
    with threadpool_limits(limits=1):
        return function(item)


def _here(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    for item in items:
        yield one_thread(function, item)


def _in_processes(function: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> Iterator[Result]:
    from loky import get_reusable_executor

    _clear_up_in_silence()
    executor = get_reusable_executor(
        max_workers=jobs,
        timeout=IDLE_WORKER_SECONDS,
        env={**os.environ, **ONE_THREAD},
        initializer=_serve,
        initargs=(os.getpid(),),
    )
    # Models that a worker loads for its work (to read text in pictures) look like a leak to loky, which starts it anew.
    warnings.filterwarnings("ignore", "A worker was restarted", UserWarning)
    try:
        with _interrupt_held_back():
            futures = [executor.submit(one_thread, function, item) for item in items]
        for future in futures:
            yield future.result()
    except BaseException:
        executor.shutdown(wait=True, kill_workers=True)  # fails what has not begun; its own thread trips over cancelled
        raise


def _clear_up_in_silence() -> None:
    filters = os.environ.get("PYTHONWARNINGS", "")
    if CLEARED_UP not in filters:
        os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (filters, CLEARED_UP)))


@contextmanager
def _interrupt_held_back() -> Iterator[None]:
    """Hold SIGINT back while workers start: they inherit the mask, so only this process answers it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # the first start of the tracker lifts the mask
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(parent: int) -> None:
    """Begin a worker: it answers no interrupt, and does not outlive the process that it works for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "getppid"):
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
    os._exit(1)
