"""Convolution with separable kernels, one axis after the other, under any boundary condition.

A kernel has an odd number of weights and its centre in the middle. The value that a constant boundary has beyond the
edge is itself filtered from axis to axis, so that the result is that of the infinitely extended image.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.filters.boundary import Boundary, Float32, extended_indices

Kernel = NDArray[np.float64]

BLOCK = 2048


def convolve_axis(voxels: Float32, kernel: Kernel, axis: int, boundary: Boundary, value: float) -> Float32:
    """Convolve an image `[z, y, x]` with an odd number of weights along one axis.

    Parameters
    ----------
    value
        What a constant boundary has beyond the edge; without effect for the others.
    """
    size = voxels.shape[axis]
    index = extended_indices(size, kernel.size // 2, boundary)
    weights = kernel[::-1].astype(np.float32)
    source = np.ascontiguousarray(voxels)
    result = np.empty_like(source)
    if axis == voxels.ndim - 1:
        _along_lines(source.reshape(-1, size), index, weights, np.float32(value), result.reshape(-1, size))
    else:
        shape = (int(np.prod(voxels.shape[:axis])), size, int(np.prod(voxels.shape[axis + 1 :])))
        _across_lines(source.reshape(shape), index, weights, np.float32(value), result.reshape(shape))
    return result


def convolve(voxels: Float32, kernels: Sequence[Kernel | None], boundary: Boundary, value: float) -> Float32:
    """Convolve an image `[z, y, x]` with one kernel an axis (z, y, x), None where the axis is left alone."""
    for axis, kernel in enumerate(kernels):
        if kernel is not None:
            voxels = convolve_axis(voxels, kernel, axis, boundary, value)
            value *= float(kernel.sum())
    return voxels


@numba.njit(cache=True, nogil=True)
def _along_lines(
    source: Float32, index: NDArray[np.int64], weights: Float32, outside: np.float32, result: Float32
) -> None:
    lines, size = source.shape
    extended = np.empty(index.size, np.float32)
    for line in range(lines):
        for position in range(index.size):
            at = index[position]
            extended[position] = source[line, at] if at >= 0 else outside
        row = result[line]
        row[:] = np.float32(0.0)
        for tap in range(weights.size):
            weight = weights[tap]
            part = extended[tap : tap + size]
            for x in range(size):
                row[x] += weight * part[x]


@numba.njit(cache=True, nogil=True)
def _across_lines(
    source: Float32, index: NDArray[np.int64], weights: Float32, outside: np.float32, result: Float32
) -> None:
    # Blocks keep the row that is summed up in the fastest cache.
    outer, size, inner = source.shape
    for block in range(outer):
        for start in range(0, inner, BLOCK):
            stop = min(start + BLOCK, inner)
            for position in range(size):
                row = result[block, position, start:stop]
                row[:] = np.float32(0.0)
                for tap in range(weights.size):
                    weight = weights[tap]
                    at = index[position + tap]
                    if at >= 0:
                        part = source[block, at, start:stop]
                        for x in range(stop - start):
                            row[x] += weight * part[x]
                    else:
                        for x in range(stop - start):
                            row[x] += weight * outside
