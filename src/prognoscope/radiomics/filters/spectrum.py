"""Filters that are defined by their transfer function, applied without a kernel.

A mirrored image is periodic after twice its length and even about its ends, so that its Fourier series is a cosine
series; a transfer function that is odd along an axis turns cosines into sines there. The mirror boundary is therefore
exact, to infinity, by a cosine transform of the image's own size.

Other images are filtered by the discrete Fourier transform, the periodic one as it is, others extended by half their
length, or a little more, at both ends. A filter that is given by its transfer function is sampled as for the reference
response maps of the IBSI: at n positions from -1 to 1, both included. For an even n these lie half a step beside the
frequencies of the transform, and the real part of the response is the response to the average of the samples on either
side. The transform of a kernel is taken at the frequencies themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from prognoscope.radiomics.filters.boundary import Float32, extend
from prognoscope.radiomics.filters.settings import FilterSettings

Order = tuple[int, ...]
# Along each filtered axis, in units of the Nyquist frequency, shaped to broadcast.
Frequencies = Sequence[NDArray[np.float32]]
Transfer = Callable[[Frequencies], Float32]


@dataclass(frozen=True, slots=True)
class Spectral:
    """An image in the frequency domain, ready to be filtered several times.

    Attributes
    ----------
    samples
        The sets of frequencies at which a transfer function is sampled; the samples are averaged.
    sizes
        Lengths of the transform along `axes`.
    inside
        Where the image lies in the response.
    """

    coefficients: NDArray[np.complex64] | Float32
    samples: tuple[Frequencies, ...]
    axes: tuple[int, ...]
    sizes: tuple[int, ...]
    inside: tuple[slice, ...]
    mirrored: bool

    def respond(self, transfer: Transfer, order: Order) -> Float32:
        """Response `[z, y, x]` to the transfer function `(-i)^|order| * transfer`.

        Parameters
        ----------
        transfer
            Real function of the frequencies; along an axis it is even or odd as `order` is.
        """
        weights = transfer(self.samples[0])
        for frequencies in self.samples[1:]:
            weights = weights + transfer(frequencies)
        weights = weights / np.float32(len(self.samples))
        if self.mirrored:
            return self._by_cosines(weights, order)
        product = self.coefficients * (weights * np.complex64((-1j) ** sum(order)))
        return np.asarray(scipy.fft.irfftn(product, s=self.sizes, axes=self.axes, overwrite_x=True)[self.inside])

    def _by_cosines(self, weights: Float32, order: Order) -> Float32:
        response = self.coefficients * weights
        for axis, power in zip(self.axes, order, strict=True):
            if (power // 2) % 2:
                response = -response
            if power % 2:
                # The sine series begins with the frequency where the cosine series has its second term.
                response = np.roll(response, -1, axis=axis)
                response = scipy.fft.idst(response, type=2, axis=axis, overwrite_x=True)
            else:
                response = scipy.fft.idct(response, type=2, axis=axis, overwrite_x=True)
        return np.asarray(response)


def transform(voxels: Float32, settings: FilterSettings, *, inclusive: bool) -> Spectral:
    """Take an image `[z, y, x]` to the frequency domain, along its slices' axes or all three.

    Parameters
    ----------
    inclusive
        Whether a discrete Fourier transform samples from -1 to 1, both included, or at its own frequencies.
    """
    axes = tuple(range(3 - settings.dimensions, 3))
    image = np.ascontiguousarray(voxels, dtype=np.float32)
    if settings.boundary == "mirror":
        sizes = tuple(image.shape[axis] for axis in axes)
        frequencies = [_along(np.arange(size) / size, axis) for size, axis in zip(sizes, axes, strict=True)]
        coefficients = scipy.fft.dctn(image, type=2, axes=axes)
        return Spectral(coefficients, (frequencies,), axes, sizes, (slice(None),) * 3, mirrored=True)
    widths = [0, 0, 0]
    if settings.boundary != "periodic":
        for axis in axes:
            widths[axis] = _width(image.shape[axis])
    inside = tuple(slice(width, width + size) for width, size in zip(widths, image.shape, strict=True))
    image = extend(image, (widths[0], widths[1], widths[2]), settings.boundary, settings.boundary_value)
    sizes = tuple(image.shape[axis] for axis in axes)
    return Spectral(
        scipy.fft.rfftn(image, axes=axes), _samples(axes, sizes, inclusive), axes, sizes, inside, mirrored=False
    )


def orders(total: int, dimensions: int) -> Iterator[Order]:
    """All Riesz orders with a given sum."""
    if dimensions == 1:
        yield (total,)
        return
    for first in range(total, -1, -1):
        for rest in orders(total - first, dimensions - 1):
            yield (first, *rest)


def _width(size: int) -> int:
    """At least half a length, so that the extended length is one that is transformed fast."""
    length = scipy.fft.next_fast_len(2 * size, real=True)
    while (length - size) % 2:
        length = scipy.fft.next_fast_len(length + 1, real=True)
    return (length - size) // 2


def squared_radius(frequencies: Frequencies) -> Float32:
    """Sum of the squared frequencies along all axes."""
    total = frequencies[0] ** 2
    for frequency in frequencies[1:]:
        total = total + frequency**2
    return total


def _samples(axes: tuple[int, ...], sizes: tuple[int, ...], inclusive: bool) -> tuple[Frequencies, ...]:
    sides = []
    for side in (1, -1):
        frequencies = []
        for axis, size in zip(axes, sizes, strict=True):
            step = scipy.fft.rfftfreq(size, 1 / size) if axis == axes[-1] else scipy.fft.fftfreq(size, 1 / size)
            if size % 2 == 0:
                # The Nyquist frequency is its own negative: its two samples are the ends of the range.
                step = np.where(np.abs(step) == size // 2, -side * size / 2, step)
            if inclusive:
                step = (step + side / 2 * (size % 2 == 0)) * size / max(size - 1, 1)
            frequencies.append(_along(2 * step / size, axis))
        sides.append(frequencies)
    return tuple(sides) if any(size % 2 == 0 for size in sizes) else (sides[0],)


def _along(values: NDArray[np.float64], axis: int) -> NDArray[np.float32]:
    shape = [1, 1, 1]
    shape[axis] = values.size
    return values.astype(np.float32).reshape(shape)
