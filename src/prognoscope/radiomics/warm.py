"""Compiling the kernels: once on a machine, some twenty seconds; afterwards they come from numba's cache."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numba.core.registry import CPUDispatcher

from prognoscope.core.geometry import Grid, Mask, Volume
from prognoscope.radiomics.extract import extract
from prognoscope.radiomics.settings import RadiomicsSettings


def compile_kernels(tell: Callable[[str], None]) -> bool:
    """Compile what this machine has not compiled yet, and say so before it begins.

    Returns
    -------
    Whether anything had to be compiled.
    """
    waiting = [kernel for kernel in _kernels() if not _is_cached(kernel)]
    if not waiting:
        return False
    tell(f"compiling {len(waiting)} kernels, once on this machine (about 20 s)")
    voxels = np.arange(10**3, dtype=np.float32).reshape(10, 10, 10) % 7
    inside = np.zeros(voxels.shape, dtype=bool)
    inside[1:-1, 1:-1, 1:-1] = True
    grid = Grid(voxels.shape, (1.0, 1.0, 1.0))
    extract(Volume(voxels, grid), Mask(inside, grid), RadiomicsSettings(), modality="OT")
    return True


def _kernels() -> list[CPUDispatcher]:
    """The compiled functions of this package's modules that `extract` has imported."""
    package = __package__ or ""
    modules = [module for name, module in sorted(sys.modules.items()) if name.rpartition(".")[0] == package]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, CPUDispatcher)]
    return [kernel for kernel in found if kernel.py_func.__module__.startswith(package)]


def _is_cached(kernel: CPUDispatcher) -> bool:
    function = kernel.py_func
    start = f"{Path(function.__code__.co_filename).stem}.{function.__qualname__}-{function.__code__.co_firstlineno}"
    return any(Path(str(kernel.stats.cache_path)).glob(f"{start}.*.nbi"))
