"""Whether something is drawn into measured pixels: many cells of one bright value, in thin strokes.

A scanner's values spread; what a program writes into a slice has one value, far above those around it. The test takes
a fraction of a millisecond a slice, so that CT, MR and PET are looked at too, and only what looks drawn is read.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FEWEST_CELLS = 40  # of one value: fewer make no legible word
SPIKE = 10.0  # times as many as of the values around it
AROUND = 8  # values on either side
MOST_WITHIN = 0.7  # share of the cells with all four neighbours of the same value: more is a blob, not a stroke


def looks_drawn(frame: NDArray[Any]) -> bool:
    """Whether a slice of measured values `(rows, columns)` holds drawn strokes.

    Returns
    -------
    True where a value in the upper half of the range is at least `SPIKE` times as frequent as those around it, in at
    least `FEWEST_CELLS` cells that make strokes.
    """
    low, high = int(frame.min()), int(frame.max())
    middle = low + (high - low) // 2
    bright = frame[frame > middle].astype(np.int64) - middle
    if high - low < 2 * AROUND or len(bright) < FEWEST_CELLS:
        return False
    counts = np.bincount(bright, minlength=high - middle + 1)
    for value in np.flatnonzero(counts >= FEWEST_CELLS)[::-1]:
        near = counts[max(0, value - AROUND) : value + AROUND + 1]
        others = (near.sum() - counts[value]) / (2 * AROUND)
        if counts[value] >= SPIKE * max(others, 1.0) and _in_strokes(frame == middle + value):
            return True
    return False


def _in_strokes(mask: NDArray[np.bool_]) -> bool:
    within = mask[1:-1, 1:-1] & mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
    return float(within.sum()) < MOST_WITHIN * float(mask.sum())
