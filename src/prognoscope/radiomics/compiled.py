"""Loops that are compiled: by numba, which is imported when the first of them is called.

To import numba takes longer than to import all the rest of the package, and who reads settings or features needs none.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class Kernel:
    """A function that stands for its compiled self until it is first called.

    Kernels of one module call each other, so all of a module are exchanged together: from then on the module's names
    are numba's own functions, and nothing stands between a caller and the compiled code.
    """

    def __init__(self, function: Callable[..., Any], *, fastmath: bool) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.fastmath = fastmath

    def __call__(self, *arguments: Any) -> Any:
        """Call the compiled function."""
        return self.dispatcher()(*arguments)

    def dispatcher(self) -> Any:
        """Return numba's function, which compiles at its first call or comes from the cache on disk."""
        names = self.function.__globals__
        if names[self.function.__name__] is self:
            import numba

            waiting = [one for one in names.values() if isinstance(one, Kernel) and one.function.__globals__ is names]
            for one in waiting:
                names[one.function.__name__] = numba.njit(cache=True, nogil=True, fastmath=one.fastmath)(one.function)
        return names[self.function.__name__]


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function of numbers and arrays at its first call; it may call kernels of its own module alone."""
    return Kernel(function, fastmath=False)


def compiled_loosely(function: Callable[..., Any]) -> Any:
    """The same for sums whose order may change, which the processor adds several at a time."""
    return Kernel(function, fastmath=True)
