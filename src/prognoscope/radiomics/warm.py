"""Compiling the kernels: once on a machine, some twenty seconds; afterwards they come from numba's cache."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from prognoscope.core.geometry import Grid, Mask, Volume
from prognoscope.radiomics.compiled import Kernel
from prognoscope.radiomics.extract import extract
from prognoscope.radiomics.settings import RadiomicsSettings

APART = ("prognoscope.radiomics.maps",)  # compiled with the first feature map, which most users never make


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
    # Large enough for the coarse grid of the autocorrelation.
    voxels = (np.arange(19**3) % 7).astype(np.float32).reshape(19, 19, 19)
    inside = np.zeros(voxels.shape, dtype=bool)
    inside[1:-1, 1:-1, 1:-1] = True
    grid = Grid(voxels.shape, (1.0, 1.0, 1.0))
    settings = RadiomicsSettings.model_validate({"filters": [{"laplacian_of_gaussian": {"sigma_mm": 1}}]})
    extract(Volume(voxels, grid), Mask(inside, grid), settings, modality="OT")
    return True


def _kernels() -> Iterator[Any]:
    """The compiled functions of this package's modules, and its filters', that `extract` uses."""
    package = __package__ or ""
    packages = (package, f"{package}.filters")
    names = sorted(name for name in sys.modules if name.rpartition(".")[0] in packages and name not in APART)
    for module in (sys.modules[name] for name in names):
        for value in [one for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__]:
            if isinstance(value, Kernel):
                yield value.dispatcher()
            elif hasattr(value, "py_func"):
                yield value


def _is_cached(kernel: Any) -> bool:
    function = kernel.py_func
    start = f"{Path(function.__code__.co_filename).stem}.{function.__qualname__}-{function.__code__.co_firstlineno}"
    return any(Path(str(kernel.stats.cache_path)).glob(f"{start}.*.nbi"))
