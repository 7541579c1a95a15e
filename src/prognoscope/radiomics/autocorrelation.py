"""Spatial autocorrelation: Moran's I and Geary's C (IBSI reference manual, sections 3.1.28 and 3.1.29).

All pairs of voxels of the intensity mask weigh 1/distance. The sums over pairs are quadratic forms of a convolution, so
by Parseval's theorem they need the power spectrum of the image and no inverse transform: with X and M the transforms of
the centred intensities and of the mask, Q that of the squared intensities, and W the (real) one of 1/distance,
Σ wᵢⱼ xᵢ xⱼ = mean |X|² W, Σ wᵢⱼ = mean |M|² W, Σ wᵢⱼ xᵢ² = mean Re(Q M*) W.
"""

from __future__ import annotations

import numpy as np
from scipy import fft

from prognoscope.radiomics.discretise import bounding_box
from prognoscope.radiomics.prepare import Prepared


def autocorrelation(prepared: Prepared) -> list[float]:
    """Moran's I and Geary's C; NaN for fewer than two voxels or a constant region."""
    box = bounding_box(prepared.intensity_mask)
    inside = prepared.intensity_mask[box]
    number = int(np.count_nonzero(inside))
    image = np.where(inside, prepared.intensities[box], 0).astype(np.float64)
    image[inside] -= image[inside].mean()
    square = float((image**2).sum())
    if number < 2 or square == 0:
        return [float("nan"), float("nan")]
    shape = [fft.next_fast_len(2 * size - 1, real=True) for size in image.shape]
    offsets = [
        np.minimum(np.arange(n), n - np.arange(n)) * step for n, step in zip(shape, prepared.spacing_mm, strict=True)
    ]
    distance = np.sqrt(sum(d**2 for d in np.meshgrid(*offsets, indexing="ij", sparse=True)))
    distance[0, 0, 0] = np.inf
    W = fft.rfftn(1 / distance).real
    X, M, Q = (fft.rfftn(part, s=shape) for part in (image, inside.astype(np.float64), image**2))
    # Columns of a real transform stand for two, but the first and, of an even length, the last.
    twice = np.full(W.shape[2], 2.0)
    twice[0] = 1.0
    if shape[2] % 2 == 0:
        twice[-1] = 1.0
    W = W * twice / np.prod(shape)
    pairs = float((np.abs(M) ** 2 * W).sum())
    product = float((np.abs(X) ** 2 * W).sum())
    squares = float(((Q * M.conj()).real * W).sum())
    moran = number / pairs * product / square
    geary = (number - 1) / (2 * pairs) * (2 * squares - 2 * product) / square
    return [moran, geary]
