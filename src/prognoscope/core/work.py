"""The map over many patients, folds or files, described so that nobody needs to know where it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Progress(Protocol):
    """Told how far a named piece of work is."""

    def __call__(self, label: str, done: int, total: int) -> None:
        """Report that `done` of `total` items of `label` are finished."""


class Mapper(Protocol):
    """Applies a function to every item and yields the results in the order of the items.

    The function must be importable (a plain function or a `functools.partial` of one) and must not depend on
    anything but its item: it may run in another process or on another machine. Every implementation runs it with one
    BLAS, OpenMP and LightGBM thread, so that results do not depend on where it runs.
    """

    def __call__(self, function: Callable[[Item], Result], items: Sequence[Item], *, label: str) -> Iterator[Result]:
        """Yield `function(item)` for each item, in order; the first exception stops the map and is raised here."""
        ...


def silent(label: str, done: int, total: int) -> None:
    """Progress that tells nobody."""


def serial_map(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    label: str,  # noqa: ARG001 - the Protocol's name
) -> Iterator[Result]:
    """Apply in this process, one item after the other: the plain mapper, for tests and small work."""
    for item in items:
        yield function(item)
