"""Polygons → pixels by scan conversion: a pixel belongs when its centre lies inside.

Inside is decided by the even-odd rule over all edges of a plane together, so holes, keyholes and contours that are
to be combined by exclusive or need no special case. An edge counts for a scan line when one of its ends lies above
the line and the other does not, which gives a centre that lies on a vertex exactly one owner.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def fill(polygons: Sequence[NDArray[np.float64]], *, rows: int, columns: int) -> NDArray[np.bool_]:
    """Return which pixel centres lie inside.

    Parameters
    ----------
    polygons
        Closed rings, each `(n, 2)` of `(row, column)` in pixels; the centre of the first pixel is (0, 0), the last
        point is joined to the first.
    rows, columns
        Size of the image.

    Returns
    -------
    `(rows, columns)`
    """
    parity = np.zeros((rows, columns + 1), dtype=np.int64)
    for ring in polygons:
        lines, places = _crossings(ring, rows)
        # The crossing flips every centre to the right of it, beginning with the first at or after it.
        first = np.clip(np.ceil(places), 0, columns).astype(np.int64)
        np.add.at(parity, (lines, first), 1)
    return np.asarray(np.cumsum(parity, axis=1)[:, :columns] % 2 == 1)


def _crossings(ring: NDArray[np.float64], rows: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Scan lines that each edge crosses, `(k,)`, and the column at which it does, `(k,)`."""
    begin, end = ring, np.roll(ring, -1, axis=0)
    upper = np.where((begin[:, 0] <= end[:, 0])[:, None], begin, end)
    lower = np.where((begin[:, 0] <= end[:, 0])[:, None], end, begin)
    first = np.clip(np.ceil(upper[:, 0]), 0, rows).astype(np.int64)
    after = np.clip(np.ceil(lower[:, 0]), 0, rows).astype(np.int64)
    counts = after - first
    edge = np.repeat(np.arange(len(ring)), counts)
    starts = np.cumsum(counts) - counts
    lines = first[edge] + np.arange(len(edge)) - starts[edge]
    rise = lower[edge, 0] - upper[edge, 0]
    share = (lines - upper[edge, 0]) / rise
    return lines, upper[edge, 1] + share * (lower[edge, 1] - upper[edge, 1])
