"""Resampling on a grid whose centre is that of the image (IBSI reference manual, section 2.4.2, "align grid centers").

Along each axis the number of new voxels is ⌈n·s/s′⌉ and voxel k lies at (n − 1)/2 + (k − (n′ − 1)/2)·s′/s old voxels.
Splines of a regular grid are separable, so the axes are done one after the other; outside the image its outermost
value is continued. Only the new voxels that are needed are computed, in the place that they have in the whole grid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from prognoscope.radiomics.settings import SplineOrder

PREFILTER_REACH = 24
"""Voxels around a crop after which a cubic spline's coefficients are those of the whole image (0.27^24 is 1e-14)."""


@dataclass(frozen=True, slots=True, eq=False)
class NewAxis:
    """Positions of new voxels along one axis, in old voxels: `(n,)`, and the number of old voxels."""

    positions: NDArray[np.float64]
    size: int


def new_axis(size: int, spacing_mm: float, target_mm: float, window: tuple[int, int]) -> NewAxis:
    """Return the new voxels within one step of the old voxels `window[0]` to `window[1] - 1`.

    An axis that keeps its spacing keeps its voxels.
    """
    if math.isclose(spacing_mm, target_mm, rel_tol=1e-9):
        return NewAxis(np.arange(window[0], window[1], dtype=float), size)
    count = math.ceil(round(size * spacing_mm / target_mm, 6))
    centred = np.arange(float(count)) - (count - 1) / 2
    positions: NDArray[np.float64] = (size - 1) / 2 + centred * (target_mm / spacing_mm)
    step = max(1.0, target_mm / spacing_mm)
    near = (positions > window[0] - step) & (positions < window[1] - 1 + step)
    return NewAxis(positions[near], size)


def resample_image(voxels: NDArray[np.float32], axes: Sequence[NewAxis], spline: SplineOrder) -> NDArray[np.float32]:
    """Interpolate intensities at the crossings of three axes; float32 `[z, y, x]`, NaN around what is not finite."""
    with np.errstate(invalid="ignore"):
        return _resample(voxels, axes, spline)


def _resample(voxels: NDArray[np.float32], axes: Sequence[NewAxis], spline: SplineOrder) -> NDArray[np.float32]:
    if spline != "cubic":
        return np.ascontiguousarray(_along_axes(voxels, axes, spline), dtype=np.float32)
    moved = list(axes)
    for axis in range(3):
        low = max(int(axes[axis].positions.min()) - PREFILTER_REACH, 0)
        high = min(int(axes[axis].positions.max()) + PREFILTER_REACH + 2, axes[axis].size)
        voxels = voxels.take(range(low, high), axis=axis)
        moved[axis] = NewAxis(axes[axis].positions - low, high - low)
    values: NDArray[np.float64] = voxels.astype(np.float64)
    for axis in range(3):
        if values.shape[axis] > 1:
            values = np.asarray(scipy.ndimage.spline_filter1d(values, order=3, axis=axis, mode="mirror"))
    return np.ascontiguousarray(_along_axes(values, moved, "cubic"), dtype=np.float32)


def resample_mask(
    inside: NDArray[np.bool_], axes: Sequence[NewAxis], spline: SplineOrder, threshold: float
) -> NDArray[np.bool_]:
    """Interpolate a mask and keep what reaches the partial volume threshold."""
    fraction = _along_axes(inside.astype(np.float32), axes, spline)
    # A voxel exactly half inside belongs to the region; rounding must not decide about it.
    return np.asarray(fraction >= threshold - 1e-6)


def _along_axes(
    values: NDArray[np.float32] | NDArray[np.float64], axes: Sequence[NewAxis], spline: SplineOrder
) -> NDArray[np.float64]:
    result: NDArray[np.float64] = values  # type: ignore[assignment]
    for axis in range(3):
        result = _along_axis(result, axes[axis], axis, spline)
    return result


def _along_axis(values: NDArray[np.float64], new: NewAxis, axis: int, spline: SplineOrder) -> NDArray[np.float64]:
    whole = np.rint(new.positions)
    if np.array_equal(whole, new.positions) and spline != "cubic":
        return values.take(whole.astype(int), axis=axis)
    if spline == "nearest":
        nearest = np.floor(np.clip(new.positions, 0, new.size - 1) + 0.5).astype(int)
        return values.take(nearest, axis=axis)
    taps = _linear_taps(new) if spline == "linear" else _cubic_taps(new)
    shape = [1, 1, 1]
    shape[axis] = len(new.positions)
    total: NDArray[np.float64] | float = 0.0
    for index, weight in taps:
        total = total + values.take(index, axis=axis) * weight.reshape(shape)
    return np.asarray(total, dtype=np.float64)


def _linear_taps(new: NewAxis) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    position = np.clip(new.positions, 0, new.size - 1)
    left = np.minimum(position.astype(np.int64), max(new.size - 2, 0))
    right = np.minimum(left + 1, new.size - 1)
    fraction = position - left
    return [(left, 1 - fraction), (right, fraction)]


def _cubic_taps(new: NewAxis) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    position = np.clip(new.positions, 0, new.size - 1)
    base = np.floor(position).astype(np.int64)
    t = position - base
    weights = [
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    ]
    if new.size == 1:
        return [(base, np.ones_like(t))]
    period = 2 * (new.size - 1)
    taps = []
    for step, weight in zip(range(-1, 3), weights, strict=True):
        mirrored = np.abs(base + step) % period
        taps.append((np.minimum(mirrored, period - mirrored), weight))
    return taps
