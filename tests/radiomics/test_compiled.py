"""Kernels: compiled at the first call, and numba imported no sooner."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import numpy as np

from prognoscope.radiomics import statistics, warm
from prognoscope.radiomics.compiled import Kernel, compiled

NO_NUMBA = "import sys, prognoscope.radiomics, prognoscope.radiomics.warm; print('numba' in sys.modules)"


def test_importing_radiomics_does_not_import_the_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", NO_NUMBA], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_first_call_exchanges_all_kernels_of_a_module() -> None:
    module = ModuleType("loops")
    exec(
        "def half(x):\n    return x / 2\n\ndef quarter(x):\n    return half(half(x))\n\n"
        "def of_another_module(x):\n    return x\n",
        vars(module),
    )
    names = vars(module)
    names["half"], names["quarter"] = (Kernel(names[name], fastmath=False) for name in ("half", "quarter"))
    elsewhere = compiled(statistics.ratio)
    names["ratio"] = elsewhere
    before = names["quarter"]
    # Without a file there is no cache on disk, which numba says; what matters here is the exchange.
    for kernel in (names["half"], names["quarter"]):
        kernel.function.__code__ = kernel.function.__code__.replace(co_filename=__file__)
    assert before(8.0) == 2.0
    assert before(8.0) == 2.0, "who holds the kernel of before may call it again"
    assert hasattr(names["half"], "py_func")
    assert hasattr(names["quarter"], "py_func")
    assert names["ratio"] is elsewhere, "another module's kernel is exchanged by its own module"


def test_a_compiled_module_needs_no_further_compiling() -> None:
    told: list[str] = []
    warm.compile_kernels(told.append)
    values = np.sort(np.arange(7, dtype=np.float32))
    assert statistics.statistics(values)[0] == 3.0
    assert all(hasattr(kernel, "py_func") for kernel in warm._kernels())
    assert warm.compile_kernels(told.append) is False
    assert len(told) <= 1
