"""What a filter sees beyond the edge of the image: the boundary conditions of the IBSI manual, chapter 2, section 2.1.

Of an image `a b c d` a filter sees, two voxels beyond each end,

========  ===================
zero      `0 0 | a b c d | 0 0`
constant  `v v | a b c d | v v`
nearest   `a a | a b c d | d d`
periodic  `c d | a b c d | a b`
mirror    `b a | a b c d | d c`
========  ===================
"""

from __future__ import annotations

import functools
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Boundary = Literal["zero", "constant", "nearest", "periodic", "mirror"]
Float32 = NDArray[np.float32]

OUTSIDE = -1


@functools.lru_cache(maxsize=256)
def extended_indices(size: int, width: int, boundary: Boundary) -> NDArray[np.int64]:
    """Which voxel of a line stands at each position of the line extended by `width` at both ends.

    Returns
    -------
    `(size + 2 * width,)` indices in `[0, size)`, or `OUTSIDE` where the boundary has a value of its own.
    """
    position = np.arange(-width, size + width)
    if boundary == "nearest":
        index = np.clip(position, 0, size - 1)
    elif boundary == "periodic":
        index = position % size
    elif boundary == "mirror":
        folded = position % (2 * size)
        index = np.minimum(folded, 2 * size - 1 - folded)
    else:
        index = np.where((position >= 0) & (position < size), position, OUTSIDE)
    index.setflags(write=False)
    return index


def extend(voxels: Float32, widths: tuple[int, int, int], boundary: Boundary, value: float) -> Float32:
    """Image `[z, y, x]` with `widths` more voxels at both ends of each axis; `value` for a constant boundary."""
    if boundary in ("zero", "constant"):
        return np.pad(voxels, [(width, width) for width in widths], constant_values=np.float32(value))
    for axis, width in enumerate(widths):
        if width:
            voxels = np.take(voxels, extended_indices(voxels.shape[axis], width, boundary), axis=axis)
    return voxels
