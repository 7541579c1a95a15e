"""One thread in every numerical library: with two, even solving a linear system differs in its last bits."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def one_thread() -> AbstractContextManager[object]:
    """Return a context in which BLAS and OpenMP work with one thread."""
    limiter: AbstractContextManager[object] = _controller().limit(limits=1)
    return limiter


@cache
def _controller() -> ThreadpoolController:
    # Looking for the loaded libraries takes longer than fitting a small model. Those loaded later (LightGBM) are told
    # the number of threads by argument.
    return ThreadpoolController()
