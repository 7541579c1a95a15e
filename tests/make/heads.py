"""A head in HU made of ellipsoids: skull, jaw, nose, brow, eyes, lips, ears and neck, and where its brain is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

AIR, SKIN, BRAIN = -1000, 40, 35
# Centre (z up from the bottom, y from the front, x from the right) and half-axes in mm; negative: taken away again.
_PARTS = (
    ((175, 130, 94), (78, 95, 72), 1),  # skull
    ((100, 112, 94), (55, 72, 52), 1),  # face and jaw
    ((60, 145, 94), (80, 50, 48), 1),  # neck
    ((150, 48, 94), (7, 13, 44), 1),  # brow
    ((137, 42, 70), (8, 12, 15), -1),  # eye sockets
    ((137, 42, 118), (8, 12, 15), -1),
    ((137, 51, 70), (9, 9, 11), 1),  # eyes
    ((137, 51, 118), (9, 9, 11), 1),
    ((126, 40, 94), (24, 13, 7), 1),  # bridge of the nose
    ((114, 32, 94), (10, 13, 11), 1),  # tip
    ((112, 38, 83), (6, 8, 6), 1),  # wings
    ((112, 38, 105), (6, 8, 6), 1),
    ((110, 52, 62), (16, 14, 20), 1),  # cheeks
    ((110, 52, 126), (16, 14, 20), 1),
    ((96, 40, 94), (4, 7, 20), 1),  # lips
    ((88, 41, 94), (5, 7, 18), 1),
    ((92, 33, 94), (1.2, 6, 19), -1),  # the mouth between them
    ((66, 48, 94), (14, 12, 20), 1),  # chin
    ((135, 130, 20), (26, 14, 7), 1),  # ears
    ((135, 130, 168), (26, 14, 7), 1),
)
BRAIN_AT = ((185, 135, 94), (52, 72, 56))
SIZE_MM = (260, 240, 190)


def a_face(spacing_mm: float) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    """Return a head `[z, y, x]` in HU, z to the top and y to the back, and where its brain is."""
    shape = tuple(round(size / spacing_mm) for size in SIZE_MM)
    head = np.zeros(shape, dtype=bool)
    for centre, axes, sign in _PARTS:
        inside = _ellipsoid(shape, spacing_mm, centre, axes)
        head = head | inside if sign > 0 else head & ~inside
    brain = _ellipsoid(shape, spacing_mm, *BRAIN_AT)
    values = np.where(head, SKIN, AIR).astype(np.int16)
    values[brain & head] = BRAIN
    return values, brain


def _ellipsoid(
    shape: tuple[int, ...], spacing_mm: float, centre: tuple[float, ...], axes: tuple[float, ...]
) -> NDArray[np.bool_]:
    total = np.zeros(shape, dtype=np.float32)
    for axis, (size, middle, half) in enumerate(zip(shape, centre, axes, strict=True)):
        along = ((np.arange(size) * spacing_mm - middle) / half) ** 2
        total += along.reshape([-1 if place == axis else 1 for place in range(3)]).astype(np.float32)
    return np.asarray(total < 1)
