"""Spatial autocorrelation: Moran's I and Geary's C (IBSI reference manual, section 3.1).

Every pair of voxels of the intensity mask weighs 1/distance. With x the centred intensities and m the mask, three sums
over pairs are needed: Σ w xᵢxⱼ, Σ w mᵢmⱼ and Σ w xᵢ²mⱼ. They are quadratic forms of a convolution, so by Parseval's
theorem they are sums over the Fourier transforms of x, m and x², weighted by the (real) one of 1/distance, and no
inverse transform is needed.

Small regions are summed so on their own grid, exactly. For larger ones x, m and x² are spread by cubic B-splines on a
grid that is coarser by a whole factor (multilevel summation: Hardy, Stone and Schulten 2009; B-splines: Hardy et al.
2016). There the weight is smoothed within a short cutoff (Taylor smoothing, section 2 of the first), and pairs within
the cutoff are summed one by one, with what the coarse grid gives them on average subtracted. Tests hold the difference
to the exact values below 10⁻⁴, a third of the least tolerance of IBSI's reference values.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from prognoscope.core.geometry import Triple
from prognoscope.radiomics.compiled import compiled, compiled_loosely
from prognoscope.radiomics.prepare import Prepared, bounding_box

Factors = tuple[int, int, int]
Forms = NDArray[np.float64]
"""Three sums over ordered pairs: of x x, of m m, of x² m."""
EXACT_UP_TO = 4_000
"""Voxels of a bounding box that is summed on its own grid."""
FACTORS = ((0, 2), (60_000, 3))
"""Voxels of a bounding box from which on a factor is used."""
CUTOFF = 1.5
"""Reach of the smoothing, in steps of the coarse grid."""
BLOCK_VOXELS = 2_000_000
"""About how many voxels a block has."""


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """The bounding box of a region: intensities and mask `[z, y, x]`, the number of voxels inside and their mean.

    Intensities are measured in units of `scale`, a power of 2, so that their squares are numbers too.
    """

    intensities: NDArray[np.float32]
    inside: NDArray[np.bool_]
    number: int
    mean: float
    scale: float


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Some slices of a region, as only few of a large one are held apart at a time.

    Attributes
    ----------
    first, slices
        Which slices; the arrays go on beyond them, as far as pairs within the cutoff reach.
    square
        Σ x² of these slices.
    parts
        `(3, z, y, x)`: centred intensities x, mask m, and x²; 0 outside.
    extent
        `(z, y, 2)`: first and one past the last voxel of each row, equal where there is none.
    """

    first: int
    slices: int
    square: float
    parts: NDArray[np.float32]
    extent: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Weights:
    """What a pair weighs on the coarse grid.

    Attributes
    ----------
    spectrum
        Transform of the weight, by distance in frequency along each axis from 0 to half of `shape`.
    shape
        Even numbers of points of the transform.
    apart
        Weight that fine voxels so many steps `(z, y, x)` apart get on average over where they lie.
    """

    spectrum: NDArray[np.float64]
    shape: tuple[int, int, int]
    apart: NDArray[np.float64]


def autocorrelation(prepared: Prepared, *, exact: bool = False) -> list[float]:
    """Moran's I and Geary's C; NaN for fewer than two voxels or a constant region.

    Parameters
    ----------
    exact
        Sum on the image's own grid, whatever the size: slower, and the memory of 80 bytes a voxel of the bounding box.
    """
    box = bounding_box(prepared.intensity_mask)
    intensities, inside = prepared.intensities[box], prepared.intensity_mask[box]
    values = intensities[inside]
    number, mean = len(values), float(values.mean(dtype=np.float64))
    if values.min() == values.max():
        return [float("nan"), float("nan")]
    # Dividing by a power of 2 changes no digit.
    scale = 2.0 ** math.frexp(max(mean - float(values.min()), float(values.max()) - mean))[1]
    del values
    factors = (1, 1, 1) if exact else coarsening(inside.shape, prepared.spacing_mm)
    region = _Region(intensities, inside, number, mean, scale)
    square, products, pairs, squares = _pair_sums(region, prepared.spacing_mm, factors)
    moran = number / pairs * products / square
    geary = (number - 1) / (2 * pairs) * (2 * squares - 2 * products) / square
    return [moran, geary]


def _spans(shape: tuple[int, ...], reach: int) -> Iterator[tuple[int, int, int]]:
    """First and one past the last slice of each block, and one past the last slice that its pairs reach."""
    step = max(1, BLOCK_VOXELS // (shape[1] * shape[2]))
    for first in range(0, shape[0], step):
        stop = min(first + step, shape[0])
        yield first, stop, min(stop + reach, shape[0])


def _blocks(region: _Region, reach: int) -> Iterator[_Block]:
    for first, stop, beyond in _spans(region.inside.shape, reach):
        intensities = np.ascontiguousarray(region.intensities[first:beyond])
        inside = np.ascontiguousarray(region.inside[first:beyond])
        parts = np.zeros((3, *inside.shape), dtype=np.float32)
        extent = np.zeros((*inside.shape[:2], 2), dtype=np.int64)
        square = _fill_parts(intensities, inside, region.mean, region.scale, stop - first, parts, extent)
        yield _Block(first, stop - first, square, parts, extent)


def coarsening(shape: tuple[int, ...], spacing_mm: Triple) -> Factors:
    """Factor of the coarse grid along each axis, so that its steps are about as long in all."""
    voxels = int(np.prod(shape))
    if voxels <= EXACT_UP_TO:
        return 1, 1, 1
    factor = next(factor for least, factor in reversed(FACTORS) if voxels >= least)
    step = factor * min(spacing_mm)
    z, y, x = (max(1, int(step / spacing + 0.25)) for spacing in spacing_mm)
    return z, y, x


def _pair_sums(region: _Region, spacing_mm: Triple, factors: Factors) -> tuple[float, float, float, float]:
    """Σ x², and Σ w xᵢxⱼ, Σ w mᵢmⱼ and Σ w xᵢ²mⱼ over ordered pairs of different voxels."""
    coarse = [factor * step for factor, step in zip(factors, spacing_mm, strict=True) if factor > 1]
    cutoff_mm = CUTOFF * max(coarse, default=0.0)
    shape = region.inside.shape
    sizes = [_coarse_size(size, factor) for size, factor in zip(shape, factors, strict=True)]
    weights = _weigh(sizes, spacing_mm, factors, cutoff_mm)
    spread = np.zeros((3, *sizes), dtype=np.float32)
    forms, square = np.zeros(3), 0.0
    for block in _blocks(region, weights.apart.shape[0] - 1):
        square += block.square
        own = block.parts[:, : block.slices]
        forms += _near(block, weights.apart, spacing_mm, cutoff_mm)
        for axis in (1, 2):
            own = _spread(own, axis + 1, factors[axis])
        _add_slices(own, block.first, shape[0], factors[0], spread)
    forms += _forms(spread, weights)
    forms -= float(weights.apart[0, 0, 0]) * np.array([square, region.number, square])
    return square, float(forms[0]), float(forms[1]), float(forms[2])


def _spread(parts: NDArray[np.float32], axis: int, factor: int) -> NDArray[np.float32]:
    """Spread values along one axis on a coarse grid by cubic B-splines; it begins one coarse step before the first."""
    if factor == 1:
        return parts
    size, coarse = parts.shape[axis], _coarse_size(parts.shape[axis], factor)
    taps = _taps(np.arange(size), coarse, factor)
    if axis == parts.ndim - 1:
        return np.asarray(parts @ taps.T)
    outer, inner = int(np.prod(parts.shape[:axis])), int(np.prod(parts.shape[axis + 1 :]))
    out = np.zeros((outer, coarse, inner), dtype=np.float32)
    _spread_lines(parts.reshape(outer, size, inner), taps, out)
    return out.reshape(*parts.shape[:axis], coarse, *parts.shape[axis + 1 :])


def _add_slices(parts: NDArray[np.float32], first: int, depth: int, factor: int, out: NDArray[np.float32]) -> None:
    """Spread some of all slices, from `first` on, along z and add them to the coarse grid."""
    slices = parts.shape[1]
    if factor == 1:
        out[:, first : first + slices] = parts
        return
    taps = _taps(np.arange(first, first + slices), _coarse_size(depth, factor), factor)
    _spread_lines(np.ascontiguousarray(parts).reshape(3, slices, -1), taps, out.reshape(3, out.shape[1], -1))


def _taps(fine: NDArray[np.int64], coarse: int, factor: int) -> NDArray[np.float32]:
    """Share `(coarse, fine)` of each point of the coarse grid in fine voxels at some places."""
    return _b_spline((np.arange(coarse)[:, None] - 1) - fine / factor).astype(np.float32)


def _coarse_size(size: int, factor: int) -> int:
    return size if factor == 1 else (size - 2) // factor + 4


def _weigh(sizes: list[int], spacing_mm: Triple, factors: Factors, cutoff_mm: float) -> _Weights:
    half = [scipy.fft.next_fast_len(size, real=True) for size in sizes]
    spectrum = scipy.fft.dctn(_smooth([n + 1 for n in half], spacing_mm, factors, cutoff_mm), type=1)
    for axis, factor in enumerate(factors):
        if factor > 1:
            # So that B-splines pass through the weight, in both voxels of a pair.
            frequency = np.cos(np.pi * np.arange(half[axis] + 1) / half[axis])
            spectrum /= np.expand_dims(((2 + frequency) / 3) ** 2, [other for other in range(3) if other != axis])
    shape = (2 * half[0], 2 * half[1], 2 * half[2])
    return _Weights(spectrum / np.prod(shape), shape, _weigh_near(spacing_mm, factors, cutoff_mm))


def _weigh_near(spacing_mm: Triple, factors: Factors, cutoff_mm: float) -> NDArray[np.float64]:
    """The coarse grid's weight of fine voxels within the cutoff, by their steps `(z, y, x)` apart."""
    reach = [int(cutoff_mm / step) for step in spacing_mm]
    # A B-spline's coefficient depends on the points around it, those 16 away by less than 10⁻⁹.
    sizes = [n + 1 if factor == 1 else n // factor + 5 + 16 for n, factor in zip(reach, factors, strict=True)]
    weight = _smooth(sizes, spacing_mm, factors, cutoff_mm)
    for axis, factor in enumerate(factors):
        if factor > 1:
            for _ in range(2):
                weight = np.asarray(scipy.ndimage.spline_filter1d(weight, order=3, axis=axis, mode="mirror"))
            weight = np.moveaxis(np.tensordot(_between_fine(factor, reach[axis]), weight, axes=(1, axis)), 0, axis)
    return weight


def _smooth(sizes: list[int], spacing_mm: Triple, factors: Factors, cutoff_mm: float) -> NDArray[np.float64]:
    """1/distance of points of the coarse grid from its first, within the cutoff a polynomial in the squared distance.

    The two meet three times smoothly. Without a cutoff a point has no weight with itself.
    """
    weight = np.empty(sizes)
    z, y, x = (factor * step for factor, step in zip(factors, spacing_mm, strict=True))
    _fill_weight(z, y, x, cutoff_mm, weight)
    return weight


@functools.lru_cache(maxsize=64)
def _between_fine(factor: int, reach: int) -> NDArray[np.float64]:
    """Share of each coarse point in the weight of voxels 0 to `reach` steps apart, on average over where they lie."""
    tap = _b_spline(np.arange(-2 * factor, 2 * factor + 1) / factor)
    both = np.convolve(tap, tap) / factor
    last = reach // factor + 4
    matrix = np.zeros((reach + 1, last + 1 + 16))
    for fine, coarse in itertools.product(range(reach + 1), range(-last, last + 1)):
        place = fine - factor * coarse + 4 * factor
        if 0 <= place < len(both):
            matrix[fine, abs(coarse)] += both[place]
    return matrix


def _b_spline(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    u = np.abs(distance)
    return np.where(u < 1, (4 - 6 * u**2 + 3 * u**3) / 6, np.where(u < 2, (2 - u) ** 3 / 6, 0.0))


def _forms(spread: NDArray[np.float32], weights: _Weights) -> Forms:
    """The three sums over the coarse grid, a voxel's pair with itself included.

    Axis by axis, so that padding is transformed late, and after the first some columns at a time: the whole spectra of
    a large region are what there is least room for.
    """
    depth, height, width = weights.shape
    halves = scipy.fft.rfft(spread, n=width, axis=-1)
    columns = halves.shape[-1]
    step = max(1, BLOCK_VOXELS // (depth * height))
    forms = np.zeros(3)
    for first in range(0, columns, step):
        some = scipy.fft.fft(halves[..., first : first + step], n=height, axis=-2)
        _sum_spectra(scipy.fft.fft(some, n=depth, axis=-3), first, columns, weights.spectrum, forms)
    return forms


def _near(block: _Block, apart: NDArray[np.float64], spacing_mm: Triple, cutoff_mm: float) -> Forms:
    """What the three sums lack of pairs within the cutoff whose first voxel is in a block."""
    forms = np.zeros(3)
    depth, height, width = (size - 1 for size in apart.shape)
    steps = np.indices((depth + 1, 2 * height + 1, 2 * width + 1)).reshape(3, -1).T - (0, height, width)
    # One of each pair of opposite steps: those after (0, 0, 0).
    steps = steps[height * (2 * width + 1) + width + 1 :]
    distance = np.sqrt(((steps * spacing_mm) ** 2).sum(axis=1))
    steps, distance = steps[distance <= cutoff_mm * (1 + 1e-9)], distance[distance <= cutoff_mm * (1 + 1e-9)]
    if len(steps):
        z, y, x = np.abs(steps).T
        _sum_near(block.parts, block.extent, block.slices, steps, 1 / distance - apart[z, y, x], forms)
    return forms


@compiled
def _fill_weight(step_z: float, step_y: float, step_x: float, cutoff: float, weight: NDArray[np.float64]) -> None:
    for z in range(weight.shape[0]):
        for y in range(weight.shape[1]):
            for x in range(weight.shape[2]):
                square = (z * step_z) ** 2 + (y * step_y) ** 2 + (x * step_x) ** 2
                if square < cutoff**2:
                    r = square / cutoff**2
                    weight[z, y, x] = (35 - 35 * r + 21 * r**2 - 5 * r**3) / (16 * cutoff)
                else:
                    weight[z, y, x] = 1 / np.sqrt(square) if square > 0 else 0.0


@compiled_loosely
def _spread_lines(values: NDArray[np.float32], taps: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    for o in range(values.shape[0]):
        for c in range(taps.shape[0]):
            for p in range(taps.shape[1]):
                tap = taps[c, p]
                if tap != 0.0:
                    for i in range(values.shape[2]):
                        out[o, c, i] += tap * values[o, p, i]


@compiled_loosely
def _sum_spectra(
    spectra: NDArray[np.complex64], first: int, columns: int, weight: NDArray[np.float64], forms: NDArray[np.float64]
) -> None:
    """Add the weighted sums of |x|², |m|² and of q times m over some columns of half spectra `(x m q, z, y, columns)`.

    `columns` is their number in all; each but the outermost stands for two.
    """
    depth, height, some = spectra.shape[1:]
    for z in range(depth):
        mirrored_z = min(z, depth - z)
        for y in range(height):
            mirrored_y = min(y, height - y)
            products, pairs, squares = 0.0, 0.0, 0.0
            for c in range(some):
                x = first + c
                share = weight[mirrored_z, mirrored_y, x] * (1.0 if x == 0 or x == columns - 1 else 2.0)
                value, mask, square = spectra[0, z, y, c], spectra[1, z, y, c], spectra[2, z, y, c]
                products += share * (value.real * value.real + value.imag * value.imag)
                pairs += share * (mask.real * mask.real + mask.imag * mask.imag)
                squares += share * (square.real * mask.real + square.imag * mask.imag)
            forms[0] += products
            forms[1] += pairs
            forms[2] += squares


@compiled
def _fill_parts(
    intensities: NDArray[np.float32],
    inside: NDArray[np.bool_],
    mean: float,
    scale: float,
    slices: int,
    parts: NDArray[np.float32],
    extent: NDArray[np.int64],
) -> float:
    """Fill parts and extents; return Σ x² of the first slices."""
    square = 0.0
    for z in range(inside.shape[0]):
        for y in range(inside.shape[1]):
            for x in range(inside.shape[2]):
                if inside[z, y, x]:
                    if extent[z, y, 1] == 0:
                        extent[z, y, 0] = x
                    extent[z, y, 1] = x + 1
                    difference = (intensities[z, y, x] - mean) / scale
                    parts[0, z, y, x] = difference
                    parts[1, z, y, x] = 1.0
                    parts[2, z, y, x] = difference * difference
                    if z < slices:
                        square += difference * difference
    return square


@compiled_loosely
def _sum_near(
    parts: NDArray[np.float32],
    extent: NDArray[np.int64],
    slices: int,
    steps: NDArray[np.int64],
    lack: NDArray[np.float64],
    forms: Forms,
) -> None:
    """Pairs a step apart, each counted both ways."""
    depth, height = extent.shape[:2]
    for z in range(slices):
        for y in range(height):
            for k in range(steps.shape[0]):
                other_z, other_y, shift = z + steps[k, 0], y + steps[k, 1], steps[k, 2]
                if other_z < 0 or other_z >= depth or other_y < 0 or other_y >= height:
                    continue
                low = max(extent[z, y, 0], extent[other_z, other_y, 0] - shift)
                high = min(extent[z, y, 1], extent[other_z, other_y, 1] - shift)
                if low >= high:
                    continue
                # Slices, because an index that might be negative keeps the loop from being vectorised.
                here, there = parts[0, z, y, low:high], parts[0, other_z, other_y, low + shift : high + shift]
                mask, other = parts[1, z, y, low:high], parts[1, other_z, other_y, low + shift : high + shift]
                xx, mm, qm = np.float32(0.0), np.float32(0.0), np.float32(0.0)
                for i in range(here.size):
                    xx += here[i] * there[i]
                    mm += mask[i] * other[i]
                    qm += here[i] * here[i] * other[i] + there[i] * there[i] * mask[i]
                forms[0] += 2.0 * lack[k] * xx
                forms[1] += 2.0 * lack[k] * mm
                forms[2] += lack[k] * qm
