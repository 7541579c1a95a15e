"""Prognoscope: from medical images and clinical records to honest, usable outcome predictions.

`prognoscope.run("study.yaml")` is the command `prognoscope run study.yaml`, `prognoscope.predict(bundle, source)` is
`prognoscope predict BUNDLE SOURCE`. Importing this package imports no scientific library.
"""

from __future__ import annotations

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
