"""Results of single folds and refits as bytes, so that a study that was interrupted need not learn them again.

The form of a fitted pipeline is that of a bundle: plain arrays and JSON, nothing that runs code when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from prognoscope.training.bundle import _archive, _arrays, _arrays_of, _page_of, _pipeline
from prognoscope.training.contract import Model
from prognoscope.training.crossfit import FoldResult
from prognoscope.training.encoding import Feature
from prognoscope.training.importance import FeatureUse
from prognoscope.training.models import MODELS
from prognoscope.training.pipeline import Choice, Pipeline

PAGE = "page"


def fold_to_bytes(result: FoldResult) -> bytes:
    """Return the result of one outer fold as bytes that `fold_from_bytes` reads back to the last bit."""
    page = {
        "choice": asdict(result.choice),
        "used": [asdict(use) for use in result.used],
        "dropped": dict(result.dropped),
        "threshold": result.threshold,
        "left_out": result.left_out,
    }
    arrays = {"held_out": np.asarray(result.held_out), "risk": result.risk}
    if result.p_values is not None:
        arrays["p_values"] = result.p_values
    return _archive(arrays | {PAGE: _text(page)})


def fold_from_bytes(data: bytes) -> FoldResult:
    """Read what `fold_to_bytes` wrote."""
    arrays = _arrays(data)
    page = _read(arrays[PAGE])
    return FoldResult(
        held_out=arrays["held_out"],
        risk=arrays["risk"],
        choice=Choice(**page["choice"]),
        used=tuple(FeatureUse(**{**use, "feature": Feature(**use["feature"])}) for use in page["used"]),
        dropped=page["dropped"],
        threshold=page["threshold"],
        p_values=arrays.get("p_values"),
        left_out=tuple(page.get("left_out", ())),
    )


def pipeline_to_bytes(pipeline: Pipeline) -> bytes:
    """Return a fitted pipeline as bytes that `pipeline_from_bytes` reads back to the last bit."""
    return _archive(_arrays_of(pipeline) | {PAGE: _text(_page_of(pipeline))})


def pipeline_from_bytes(data: bytes, *, features: Sequence[Feature], models: Sequence[Model] = MODELS) -> Pipeline:
    """Read what `pipeline_to_bytes` wrote.

    Parameters
    ----------
    features
        The encoded features of the table that the pipeline was learnt from, in their order.
    models
        Those that it may use: ours, and other people's.
    """
    arrays = _arrays(data)
    return _pipeline(_read(arrays.pop(PAGE)), arrays, features, models)


def _text(page: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.frombuffer(json.dumps(page).encode(), dtype=np.uint8)


def _read(array: np.ndarray[Any, np.dtype[np.uint8]]) -> Any:
    return json.loads(array.tobytes())
