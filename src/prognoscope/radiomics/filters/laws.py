"""Laws kernels and their energy images (IBSI chapter 2, section 3.4; Laws, Proc. SPIE 238, 1980)."""

from __future__ import annotations

import re
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from prognoscope.radiomics.filters.boundary import Float32
from prognoscope.radiomics.filters.convolution import Kernel
from prognoscope.radiomics.filters.mean import local_mean
from prognoscope.radiomics.filters.rotation import respond
from prognoscope.radiomics.filters.settings import PooledSettings, Spacing

# Level, edge, spot, wave, ripple; the manual's table 3.1. Each is divided by its Euclidean norm.
WEIGHTS: dict[str, tuple[int, ...]] = {
    "L5": (1, 4, 6, 4, 1),
    "E5": (-1, -2, 0, 2, 1),
    "S5": (-1, 0, 2, 0, -1),
    "W5": (-1, 2, 0, -2, 1),
    "R5": (1, -4, 6, -4, 1),
    "L3": (1, 2, 1),
    "E3": (-1, 0, 1),
    "S3": (-1, 2, -1),
}


class LawsSettings(PooledSettings):
    """Settings of Laws kernels."""

    kernels: str = Field(description="names of the kernels along x, y and z, for instance `L5E5E5` (`L5E5` in 2D)")
    energy_distance: int | None = Field(
        None, ge=1, description="energy image: average of absolute responses up to this Chebyshev distance, voxels"
    )

    @model_validator(mode="after")
    def _known_kernels(self) -> Self:
        names = kernel_names(self.kernels)
        if "".join(names) != self.kernels or any(name not in WEIGHTS for name in names):
            raise ValueError(f"kernels are made of {', '.join(WEIGHTS)}, for instance L5E5E5; found {self.kernels}")
        if len(names) != self.dimensions:
            raise ValueError(f"{self.kernels} names {len(names)} kernels for {self.dimensions} dimensions")
        return self

    def words(self) -> list[str]:
        """Its part of a feature's name: the filter, then what differs from the usual."""
        pooled = [self.pooling] if self.pooling else []
        energy = [f"energy{self.energy_distance}"] if self.energy_distance else []
        return ["laws", self.kernels.lower(), *pooled, *energy]

    def reach_mm(self, spacing_mm: Spacing) -> float:
        """How far a response looks beyond its voxel, mm."""
        return (2 + (self.energy_distance or 0)) * max(spacing_mm)


def laws(voxels: Float32, spacing_mm: Spacing, settings: LawsSettings) -> Float32:  # noqa: ARG001
    """Response to the product of the named kernels, or its energy image."""
    image = np.ascontiguousarray(voxels, dtype=np.float32)
    kernels = [laws_kernel(name) for name in kernel_names(settings.kernels)]
    response = respond(image, kernels, settings.pooling, settings.boundary, settings.boundary_value)
    if settings.energy_distance is None:
        return response
    outside = abs(settings.boundary_value * float(np.prod([kernel.sum() for kernel in kernels])))
    return local_mean(np.abs(response), 2 * settings.energy_distance + 1, settings, outside=outside)


def kernel_names(kernels: str) -> list[str]:
    """Split `L5E5E5` into its kernels."""
    return re.findall(r"[A-Z]\d", kernels)


def laws_kernel(name: str) -> Kernel:
    """Weights of one kernel, of Euclidean norm 1."""
    weights = np.asarray(WEIGHTS[name], dtype=float)
    return np.asarray(weights / np.linalg.norm(weights))
