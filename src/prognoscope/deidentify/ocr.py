"""Reading text in a picture with RapidOCR (PaddleOCR's models as ONNX, part of its wheel; extra `ocr`)."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.problems import refuse

LOWEST_SCORE = 0.3
_PACKAGE = "rapidocr_onnxruntime"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text found in a picture.

    Attributes
    ----------
    text
        As read; blanks between words may be lost.
    box
        `(top, left, bottom, right)` in pixels, the ends excluded.
    score
        The reader's confidence in [0, 1].
    """

    text: str
    box: tuple[int, int, int, int]
    score: float


class Reader(Protocol):
    """Finds text in a picture."""

    def __call__(self, picture: NDArray[np.uint8]) -> tuple[Line, ...]:
        """Return the lines found in an `(rows, columns, 3)` picture."""
        ...


def can_read() -> bool:
    """Whether the extra `ocr` is installed."""
    return importlib.util.find_spec(_PACKAGE) is not None


@functools.cache
def open_reader() -> Reader:
    """Load the models, once in a process.

    Raises
    ------
    Refused
        `ocr-missing` when the extra is not installed.
    """
    if not can_read():
        raise refuse(
            "ocr-missing",
            subject="file",
            found="text may be burned into its pixels, and nothing is installed that reads it",
            remedy='install it (pip install "prognoscope[ocr]", Python below 3.13), or look at the pixels yourself and'
            " say --trust-pixels",
        )
    # By name: the extra has no types, and nothing of it is imported before it is needed.
    engine = importlib.import_module(_PACKAGE).RapidOCR(
        intra_op_num_threads=1, inter_op_num_threads=1, text_score=LOWEST_SCORE
    )

    def read(picture: NDArray[np.uint8]) -> tuple[Line, ...]:
        # The classifier of angles turns lines that stand on their head: without it they are found, and not read.
        found, _ = engine(np.ascontiguousarray(picture[:, :, ::-1]), use_cls=True)
        return tuple(_line(entry, picture.shape[:2]) for entry in found or ())

    return read


def _line(entry: tuple[list[list[float]], str, float], shape: tuple[int, ...]) -> Line:
    corners, text, score = entry
    across, down = [point[0] for point in corners], [point[1] for point in corners]
    margin = math.ceil(0.25 * (max(down) - min(down))) + 1  # strokes reach beyond the box that is found
    top, left = max(0, math.floor(min(down)) - margin), max(0, math.floor(min(across)) - margin)
    bottom, right = min(shape[0], math.ceil(max(down)) + margin), min(shape[1], math.ceil(max(across)) + margin)
    return Line(str(text), (top, left, bottom, right), float(score))
