"""Convolution with separable kernels, one axis after the other, under any boundary condition.

A kernel has an odd number of weights and its centre in the middle. The value that a constant boundary has beyond the
edge is itself filtered from axis to axis, so that the result is that of the infinitely extended image.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.compiled import compiled
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


@compiled
def _add(row: Float32, part: Float32, weight: np.float32) -> None:
    for x in range(row.size):
        row[x] += weight * part[x]


@compiled
def _add_four(row: Float32, a: Float32, b: Float32, c: Float32, d: Float32, weights: Float32) -> None:
    # One pass over the sum instead of four: long kernels take half the time.
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
    for x in range(row.size):
        row[x] += w0 * a[x] + w1 * b[x] + w2 * c[x] + w3 * d[x]


@compiled
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
        tap = 0
        while tap + 4 <= weights.size:
            a, b = extended[tap : tap + size], extended[tap + 1 : tap + 1 + size]
            c, d = extended[tap + 2 : tap + 2 + size], extended[tap + 3 : tap + 3 + size]
            _add_four(row, a, b, c, d, weights[tap : tap + 4])
            tap += 4
        while tap < weights.size:
            _add(row, extended[tap : tap + size], weights[tap])
            tap += 1


@compiled
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
                tap = 0
                while tap < weights.size:
                    first = index[position + tap]
                    # Along the line only the ends are outside, so two of four inside are enough for all.
                    if tap + 4 <= weights.size and first >= 0 and index[position + tap + 3] >= 0:
                        a, b = source[block, first, start:stop], source[block, index[position + tap + 1], start:stop]
                        c = source[block, index[position + tap + 2], start:stop]
                        d = source[block, index[position + tap + 3], start:stop]
                        _add_four(row, a, b, c, d, weights[tap : tap + 4])
                        tap += 4
                    elif first >= 0:
                        _add(row, source[block, first, start:stop], weights[tap])
                        tap += 1
                    else:
                        row += weights[tap] * outside
                        tap += 1
