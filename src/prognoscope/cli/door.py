"""What every command shares: where it runs, how it shows progress, and how it tells a problem."""

from __future__ import annotations

import functools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, ParamSpec, Protocol, TypeVar

import typer

from prognoscope.core.problems import Problem, Refused
from prognoscope.core.work import Mapper, Progress

P = ParamSpec("P")
R = TypeVar("R", covariant=True)
SECONDS_BETWEEN_LINES = 15.0
INTERRUPTED = 130

Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Processes on this machine; all cores by default.")]
Cluster = Annotated[str, typer.Option("--cluster", help="Run on the Dask scheduler at this address instead.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
StoreFolder = Annotated[
    Path | None, typer.Option("--store", help="Folder of the store; .prognoscope beside the study file by default.")
]


class Command(Protocol[P, R]):
    """A command function with the example that its help shows."""

    example: str
    __name__: str

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the command."""
        ...


def door(example: str) -> Callable[[Callable[P, R]], Command[P, R]]:
    """Make a function a command: a problem becomes a message and exit 1, Ctrl-C a message and exit 130."""

    def decorate(function: Callable[P, R]) -> Command[P, R]:
        @functools.wraps(function)
        def command(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except Refused as refused:
                tell(refused.problem)
                raise typer.Exit(1) from None
            except KeyboardInterrupt:
                say("interrupted; what is done is kept, the same command goes on from there")
                raise typer.Exit(INTERRUPTED) from None
            except BrokenPipeError:
                sys.stderr.close()
                raise typer.Exit(1) from None

        command.example = example  # type: ignore[attr-defined]
        return command  # type: ignore[return-value]

    return decorate


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def say(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the door


def tell(problem: Problem) -> None:
    """Print a problem on stderr: what is wrong, then what to do."""
    say(f"prognoscope: {problem.subject}: {problem.found}")
    say(f"  what to do: {problem.remedy}  [{problem.code}]")


def put(text: str) -> None:
    """Print a line of the result on stdout."""
    print(text)  # noqa: T201 - the door


def put_json(document: dict[str, Any]) -> None:
    """Print the one JSON document of a command on stdout."""
    put(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


@contextmanager
def mapper(*, jobs: int, cluster: str = "") -> Iterator[Mapper]:
    """Give the map that a command's options ask for, with a bar on a terminal and plain lines elsewhere."""
    from prognoscope import work

    with _bar() if sys.stderr.isatty() else progress_lines() as progress:
        yield (
            work.cluster_map(address=cluster, progress=progress)
            if cluster
            else work.local_map(jobs=jobs, progress=progress)
        )


@contextmanager
def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description:24}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with RichProgress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def progress(label: str, done: int, total: int) -> None:
            if done == 0 or label not in tasks:
                tasks[label] = bars.add_task(label, total=total)
            bars.update(tasks[label], completed=done)

        yield progress


@contextmanager
def progress_lines() -> Iterator[Progress]:
    """Give a progress that says how far the work is, in plain lines and seldom."""
    last = [0.0]

    def progress(label: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done == total or now - last[0] > SECONDS_BETWEEN_LINES:
            last[0] = now
            say(f"{label}: {done} of {total}")

    yield progress
