"""Nothing is computed twice: results of stages, and of single patients, files and folds, by what they depend on.

A key is the SHA-256 of a step's name, its version, its settings and the hashes of its inputs. No path is in a key, so
a moved folder is known again. What is computed is kept at once, so a killed run goes on where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from prognoscope.core import hashing
from prognoscope.core.files import FileState
from prognoscope.core.work import Mapper

if TYPE_CHECKING:  # the database is imported by whoever opens a store; a prediction answers without it, sooner
    from prognoscope.store import Store

Item = TypeVar("Item")
FLUSH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Outputs:
    """Outputs of a stage by name: the SHA-256 of each, and the bytes when asked for."""

    names: Mapping[str, str]
    store: Store
    created: str
    fresh: bool

    def __getitem__(self, name: str) -> bytes:
        return self.store.artefacts.get(self.names[name])


class Keeper(Protocol):
    """What keeps single results and what is known of files: a store, or nothing at all."""

    def memos(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the results that are known, by key."""
        ...

    def remember(self, step: str, values: Mapping[str, bytes]) -> None:
        """Keep results by key."""
        ...

    def known_files(self, prefix: str) -> dict[str, FileState]:
        """Return what is known of the files whose path begins so."""
        ...

    def remember_files(self, states: Mapping[str, FileState]) -> None:
        """Keep what is known of files, by path."""
        ...


class Unkept:
    """Knows nothing and keeps nothing: for work that is done once."""

    def memos(self, keys: Sequence[str]) -> dict[str, bytes]:  # noqa: ARG002
        """Return nothing."""
        return {}

    def remember(self, step: str, values: Mapping[str, bytes]) -> None:
        """Keep nothing."""

    def known_files(self, prefix: str) -> dict[str, FileState]:  # noqa: ARG002
        """Return nothing."""
        return {}

    def remember_files(self, states: Mapping[str, FileState]) -> None:
        """Keep nothing."""


@dataclass(frozen=True)
class Memory:
    """Results of single patients, files and folds; `program` is the version that computes."""

    store: Keeper
    program: str

    def map(
        self,
        mapper: Mapper,
        step: str,
        function: Callable[[Item], bytes],
        items: Sequence[Item],
        keys: Sequence[object],
        *,
        label: str,
    ) -> list[bytes]:
        """Apply a function to the items whose result is not known yet; `keys` holds all that each result depends on.

        Returns
        -------
        The results in the order of the items.
        """
        names = [hashing.of_value([step, self.program, key]) for key in keys]
        known = self.store.memos(names)
        missing = [position for position, name in enumerate(names) if name not in known]
        fresh = mapper(function, [items[position] for position in missing], label=label) if missing else iter(())
        known |= self._kept(step, ((names[position], value) for position, value in zip(missing, fresh, strict=True)))
        return [known[name] for name in names]

    def remembering(
        self,
        mapper: Mapper,
        step: str,
        *,
        encode: Callable[[Any], bytes],
        decode: Callable[[bytes], Any],
    ) -> Mapper:
        """Return a mapper that computes only the items that it has not seen, and keeps each result as it comes.

        Parameters
        ----------
        mapper
            Where the others run.
        encode, decode
            A result as bytes and back; importable, `encode` runs where the item ran.

        Items must have a method `key()`: the SHA-256 of everything that the result depends on.
        """

        def remembered(function: Callable[[Any], Any], items: Sequence[Any], *, label: str) -> Iterator[Any]:
            keys = [item.key() for item in items]
            for value in self.map(mapper, step, partial(_encoded, function, encode), items, keys, label=label):
                yield decode(value)

        return remembered

    def _kept(self, step: str, results: Iterator[tuple[str, bytes]]) -> dict[str, bytes]:
        everything: dict[str, bytes] = {}
        waiting: dict[str, bytes] = {}
        last = time.monotonic()
        try:
            for name, value in results:
                waiting[name] = value
                if time.monotonic() - last > FLUSH_SECONDS:
                    self.store.remember(step, waiting)
                    everything |= waiting
                    waiting, last = {}, time.monotonic()
        finally:
            self.store.remember(step, waiting)
            everything |= waiting
        return everything


@dataclass(frozen=True)
class Cache(Memory):
    """The store as a cache, of whole stages too."""

    store: Store

    def stage(
        self,
        name: str,
        *,
        version: int,
        settings: object,
        inputs: Mapping[str, str],
        compute: Callable[[], Mapping[str, bytes]],
    ) -> Outputs:
        """Return a stage's outputs, computing them only where nothing it depends on has been seen before."""
        key = hashing.of_value([name, version, self.program, settings, dict(inputs)])
        known = self.store.result(key)
        if known is not None:
            return Outputs(known.outputs, self.store, known.created.date().isoformat(), fresh=False)
        began = time.perf_counter()
        kept = self.store.keep_result(
            key,
            stage=name,
            version=version,
            settings=settings,
            inputs=inputs,
            outputs=compute(),
            program=self.program,
            seconds=time.perf_counter() - began,
        )
        return Outputs(kept.outputs, self.store, kept.created.date().isoformat(), fresh=True)


def _encoded(function: Callable[[Any], Any], encode: Callable[[Any], bytes], item: Any) -> bytes:
    return encode(function(item))
