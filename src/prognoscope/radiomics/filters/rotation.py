"""Responses of a separable filter in all right-angled rotations, pooled into one (IBSI chapter 2, section 2.2).

There are 24 such rotations in three dimensions and 4 in two. A rotation permutes the axes and reverses some of them;
its determinant is 1, so the number of reversed axes is even exactly when the permutation is. Two things save work and
change nothing: responses to kernels that are their own reverse, or its negative, are computed once; and because the
average of responses is the response to the averaged kernel, averaging needs only the parts of the kernels that
survive, with s = k + k' and a = k - k' (k' is k reversed):

    sum over signs with product p of k1^(±) ⊗ k2^(±) ⊗ k3^(±) = 1/2 ... (s1 ⊗ s2 ⊗ s3 + p a1 ⊗ a2 ⊗ a3)
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from prognoscope.radiomics.filters.boundary import Boundary, Float32
from prognoscope.radiomics.filters.convolution import Kernel, convolve, convolve_axis
from prognoscope.radiomics.filters.settings import Pooling

Weights = tuple[float, ...]
Product = tuple[Weights, ...]


def respond(
    voxels: Float32, kernels: Sequence[Kernel], pooling: Pooling | None, boundary: Boundary, value: float
) -> Float32:
    """Response to a separable filter, pooled over its rotations.

    Parameters
    ----------
    voxels
        `[z, y, x]`.
    kernels
        One kernel an axis, in the order x, y, z of the filter's name; two kernels filter each slice by itself.
    pooling
        None applies the filter as it stands.
    """
    if pooling is None:
        return convolve(voxels, _by_axis([*kernels]), boundary, value)
    if pooling == "average":
        return _average(voxels, kernels, boundary, value)
    return _extreme(voxels, kernels, pooling, boundary, value)


def rotations(dimensions: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], int]]:
    """Right-angled rotations: which kernel each axis gets, the sign of each axis, and the permutation's parity."""
    for order in itertools.permutations(range(dimensions)):
        parity = _parity(order)
        for signs in itertools.product((1, -1), repeat=dimensions):
            if np.prod(signs) == parity:
                yield order, signs, parity


def _average(voxels: Float32, kernels: Sequence[Kernel], boundary: Boundary, value: float) -> Float32:
    dimensions = len(kernels)
    count = 4 if dimensions == 2 else 24
    even = [kernel + kernel[::-1] for kernel in kernels]
    odd = [kernel - kernel[::-1] for kernel in kernels]
    shares: defaultdict[Product, float] = defaultdict(float)
    for order in itertools.permutations(range(dimensions)):
        shares[product_of(even[axis] for axis in order)] += 0.5 / count
        shares[product_of(odd[axis] for axis in order)] += 0.5 / count * _parity(order)
    kept = {product: share for product, share in shares.items() if share and all(any(part) for part in product)}
    total = np.zeros_like(voxels)
    for product, response in responses(voxels, kept, boundary, value):
        total += np.float32(kept[product]) * response
    return total


def _extreme(voxels: Float32, kernels: Sequence[Kernel], pooling: Pooling, boundary: Boundary, value: float) -> Float32:
    signs_of: defaultdict[Product, set[int]] = defaultdict(set)
    for order, signs, _ in rotations(len(kernels)):
        parts, sign = [], 1
        for axis, direction in zip(order, signs, strict=True):
            part, turned = _canonical(kernels[axis], direction)
            parts.append(part)
            sign *= turned
        signs_of[tuple(parts)].add(sign)
    pool = np.maximum if pooling == "max" else np.minimum
    extreme = np.full(voxels.shape, -np.inf if pooling == "max" else np.inf, np.float32)
    for product, response in responses(voxels, signs_of, boundary, value):
        for sign in sorted(signs_of[product]):
            pool(extreme, response if sign > 0 else -response, out=extreme)
    return extreme


def responses(
    voxels: Float32, products: Iterable[Product], boundary: Boundary, value: float
) -> Iterator[tuple[Product, Float32]]:
    """Response of each product of kernels; what two of them begin with (z, then y) is computed once."""
    done: list[tuple[Weights, Float32, float]] = []
    for product in sorted(products, key=lambda product: product[::-1]):
        along = product[::-1]
        shared = 0
        while shared < len(done) - 1 and done[shared][0] == along[shared]:
            shared += 1
        del done[shared:]
        for step, weights in enumerate(along[shared:], start=shared):
            before, outside = (done[-1][1], done[-1][2]) if done else (voxels, value)
            kernel = np.asarray(weights)
            axis = voxels.ndim - len(along) + step
            done.append((weights, convolve_axis(before, kernel, axis, boundary, outside), outside * kernel.sum()))
        yield product, done[-1][1]


def _canonical(kernel: Kernel, direction: int) -> tuple[Weights, int]:
    """Weights of a kernel in one direction, and the sign by which they must be multiplied."""
    turned = kernel[::direction]
    if direction < 0 and np.array_equal(turned, -kernel):
        return tuple(kernel.tolist()), -1
    return tuple(turned.tolist()), 1


def product_of(kernels: Iterable[Kernel]) -> Product:
    """Return kernels as numbers that can be compared."""
    return tuple(tuple((kernel + 0.0).tolist()) for kernel in kernels)


def _by_axis(kernels: list[Kernel]) -> list[Kernel | None]:
    return [*([None] * (3 - len(kernels))), *kernels[::-1]]


def _parity(order: Sequence[int]) -> int:
    inversions = sum(first > second for first, second in itertools.combinations(order, 2))
    return -1 if inversions % 2 else 1
