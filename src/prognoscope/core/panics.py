"""Decoders written in Rust end in a panic where others raise an error: here they raise one too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

PANIC = "PanicException"  # no module offers it by name, and it is no Exception


@contextmanager
def panics_as_errors() -> Iterator[None]:
    """Raise ValueError for a decoder's panic within the block."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
        raise ValueError(f"the decoder gave up: {error}") from error
