"""Prognoscope: from medical images and clinical records to honest, usable outcome predictions.

`prognoscope.run("study.yaml")` is the command `prognoscope run study.yaml`, `prognoscope.predict(bundle, source)` is
`prognoscope predict BUNDLE SOURCE`. Importing this package imports no scientific library.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prognoscope.study.predict import predict_source as predict
    from prognoscope.study.run import run_study as run

__version__ = "0.1.0"
__all__ = ["__version__", "predict", "run"]

_OFFERED = {"run": ("prognoscope.study.run", "run_study"), "predict": ("prognoscope.study.predict", "predict_source")}


def __getattr__(name: str) -> Any:
    if name not in _OFFERED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, function = _OFFERED[name]
    return getattr(import_module(module), function)


def _can_write(place: Path) -> bool:
    try:
        place.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=place).close()
    except OSError:
        return False
    return True


def _keep_kernels(places: Sequence[Path]) -> None:
    """Let compiled kernels go to a folder of this process and its workers when none of numba's places can be written.

    Without a place numba refuses to import them. The folder is not shared: who can write there can run code here.
    """
    if "NUMBA_CACHE_DIR" in os.environ or any(_can_write(place) for place in places):
        return
    folder = tempfile.mkdtemp(prefix="prognoscope-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = folder


_USERS_CACHE = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111 - never raises
_keep_kernels([Path(__file__).parent / "__pycache__", Path(_USERS_CACHE)])
