"""Non-separable wavelets (IBSI chapter 2, section 3.7): rings of frequencies that look alike from all sides."""

from __future__ import annotations

import math
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from prognoscope.radiomics.filters.boundary import Float32
from prognoscope.radiomics.filters.riesz import RieszSettings, respond, spatial
from prognoscope.radiomics.filters.settings import FilterSettings, Spacing
from prognoscope.radiomics.filters.spectrum import Frequencies, squared_radius


class NonseparableWaveletSettings(FilterSettings):
    """Settings of non-separable wavelets."""

    family: Literal["simoncelli", "shannon"] = Field("simoncelli", description="shape of the ring")
    level: int = Field(1, ge=1, le=8, description="decomposition level: each halves the frequencies")
    riesz: RieszSettings | None = Field(None, description="Riesz transform of the response")

    @model_validator(mode="after")
    def _as_many_orders_as_dimensions(self) -> Self:
        if self.riesz is not None and len(self.riesz.order) != self.dimensions:
            raise ValueError(f"riesz order {self.riesz.order} does not have {self.dimensions} numbers")
        return self

    def words(self) -> list[str]:
        """Its part of a feature's name: the filter, then what differs from the usual."""
        return [self.family, f"level{self.level}", *(self.riesz.words() if self.riesz else [])]

    def reach_mm(self, spacing_mm: Spacing) -> float:  # noqa: ARG002
        """How far a response looks beyond its voxel: over the whole image."""
        return math.inf


def nonseparable_wavelet(voxels: Float32, spacing_mm: Spacing, settings: NonseparableWaveletSettings) -> Float32:
    """Band-pass response of one level of the undecimated transform.

    With ν the frequency in units of the Nyquist frequency of the smallest spacing and b = 2^(1-level), the transfer
    function is cos(π/2 log2(2ν/b)) for b/4 < ν ≤ b (Simoncelli: Portilla and Simoncelli, Int. J. Comput. Vis. 40,
    2000, 49-70), or 1 for b/2 < ν ≤ b (Shannon).
    """
    band = 2.0 ** (1 - settings.level)
    ring = _simoncelli if settings.family == "simoncelli" else _shannon

    def profile(frequencies: Frequencies) -> Float32:
        return ring(np.sqrt(squared_radius(spatial(frequencies, spacing_mm))), band)

    return respond(voxels, spacing_mm, settings, profile, settings.riesz, inclusive=True)


def _simoncelli(radius: Float32, band: float) -> Float32:
    octaves = np.log2(2 / band * np.maximum(radius, np.float32(1e-6)))
    return np.where(np.abs(octaves) < 1, np.cos(np.pi / 2 * octaves), 0).astype(np.float32)


def _shannon(radius: Float32, band: float) -> Float32:
    return ((radius > band / 2) & (radius <= band)).astype(np.float32)
