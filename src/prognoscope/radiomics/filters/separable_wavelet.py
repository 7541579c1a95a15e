"""Undecimated separable wavelets (IBSI chapter 2, section 3.6): Haar, Daubechies and Coiflet families."""

from __future__ import annotations

import functools
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from prognoscope.radiomics.filters.boundary import Float32
from prognoscope.radiomics.filters.convolution import Kernel
from prognoscope.radiomics.filters.rotation import respond
from prognoscope.radiomics.filters.settings import PooledSettings, Spacing
from prognoscope.radiomics.filters.wavelet_families import FAMILIES, scaling_filter


class SeparableWaveletSettings(PooledSettings):
    """Settings of separable wavelets."""

    family: str = Field(description=f"one of {', '.join(FAMILIES)}")
    bands: str = Field(description="L (low-pass) or H (high-pass) along x, y and z, for instance `LLH` (`LH` in 2D)")
    level: int = Field(1, ge=1, le=8, description="decomposition level")

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.family not in FAMILIES:
            raise ValueError(f"family is one of {', '.join(FAMILIES)}; found {self.family}")
        if set(self.bands) - {"L", "H"} or len(self.bands) != self.dimensions:
            raise ValueError(f"bands are {self.dimensions} letters L or H; found {self.bands}")
        return self

    def words(self) -> list[str]:
        """Its part of a feature's name: the filter, then what differs from the usual."""
        pooled = [self.pooling] if self.pooling else []
        return [self.family, self.bands.lower(), f"level{self.level}", *pooled]

    def reach_mm(self, spacing_mm: Spacing) -> float:
        """How far a response looks beyond its voxel, mm."""
        return band_kernel(self.family, "L", self.level).size // 2 * max(spacing_mm)


def separable_wavelet(
    voxels: Float32,
    spacing_mm: Spacing,  # noqa: ARG001
    settings: SeparableWaveletSettings,
) -> Float32:
    """Response to one band of the stationary wavelet transform.

    At level j the image has been smoothed by the low-pass filters of the levels before, and the filters of each
    level have 2^(j-1) - 1 zeros between their weights (à trous; Mallat, A Wavelet Tour of Signal Processing, 3rd
    edition, section 5.2.2). The filters of all levels are convolved with each other first, so that the boundary
    enters once.
    """
    image = np.ascontiguousarray(voxels, dtype=np.float32)
    return respond(image, wavelet_kernels(settings), settings.pooling, settings.boundary, settings.boundary_value)


def wavelet_kernels(settings: SeparableWaveletSettings) -> list[Kernel]:
    """Weights along each axis, in the order of the bands' letters."""
    return [band_kernel(settings.family, band, settings.level) for band in settings.bands]


@functools.lru_cache(maxsize=256)
def band_kernel(family: str, band: str, level: int) -> Kernel:
    """Weights of a band: an odd number, the centre in the middle."""
    low = scaling_filter(family)[::-1]
    high = low[::-1] * np.where(np.arange(low.size) % 2, 1.0, -1.0)
    kernel = np.ones(1)
    for step in range(1, level + 1):
        here = high if band == "H" and step == level else low
        kernel = np.convolve(kernel, _with_holes(_odd(here), 2 ** (step - 1)))
    kernel.setflags(write=False)
    return kernel


def _odd(weights: Kernel) -> Kernel:
    """Put the centre of an even number of weights in the middle by a zero at the end."""
    return weights if weights.size % 2 else np.append(weights, 0.0)


def _with_holes(weights: Kernel, step: int) -> Kernel:
    spread = np.zeros((weights.size - 1) * step + 1)
    spread[::step] = weights
    return spread
