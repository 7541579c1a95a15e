"""Laplacian of Gaussian filter (IBSI chapter 2, section 3.3): edges and blobs of one size."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from prognoscope.radiomics.filters.boundary import Float32
from prognoscope.radiomics.filters.convolution import Kernel, convolve_axis
from prognoscope.radiomics.filters.riesz import RieszSettings, respond
from prognoscope.radiomics.filters.settings import FilterSettings, Spacing, spelled
from prognoscope.radiomics.filters.spectrum import Frequencies, Transfer


class LaplacianOfGaussianSettings(FilterSettings):
    """Settings of the Laplacian of Gaussian filter."""

    sigma_mm: float = Field(gt=0, description="standard deviation of the Gaussian, mm")
    truncate: float = Field(4.0, gt=0, description="the kernel ends at this many standard deviations")
    riesz: RieszSettings | None = Field(None, description="Riesz transform of the response")

    @model_validator(mode="after")
    def _as_many_orders_as_dimensions(self) -> Self:
        if self.riesz is not None and len(self.riesz.order) != self.dimensions:
            raise ValueError(f"riesz order {self.riesz.order} does not have {self.dimensions} numbers")
        return self

    def words(self) -> list[str]:
        """Its part of a feature's name: the filter, then what differs from the usual."""
        truncated = [] if self.truncate == 4 else [f"cut{spelled(self.truncate)}"]
        return ["log", f"{spelled(self.sigma_mm)}mm", *truncated, *(self.riesz.words() if self.riesz else [])]

    def reach_mm(self, spacing_mm: Spacing) -> float:
        """How far a response looks beyond its voxel, mm."""
        return math.inf if self.riesz else self.truncate * self.sigma_mm + max(spacing_mm)


def laplacian_of_gaussian(voxels: Float32, spacing_mm: Spacing, settings: LaplacianOfGaussianSettings) -> Float32:
    """Sum of second derivatives of the smoothed image.

    The derivatives are taken along axes in units of the smallest spacing, which for a grid of equal spacings is the
    manual's definition in voxels and otherwise keeps the filter the same in all directions of space. Each Gaussian
    sums to 1 and each second derivative to 0, so that a constant image gives 0.
    """
    if settings.riesz is not None:
        profile = _transfer(spacing_mm, settings)
        return respond(voxels, spacing_mm, settings, profile, settings.riesz, inclusive=False)
    axes = range(3 - settings.dimensions, 3)
    unit = min(spacing_mm[axis] for axis in axes)
    smooth = np.ascontiguousarray(voxels, dtype=np.float32)
    outside = settings.boundary_value
    bent: Float32 | None = None
    for axis in axes:
        gaussian, second = derivative_kernels(settings.sigma_mm, spacing_mm[axis], unit, settings.truncate)
        # Sums to zero: beyond a constant boundary the bent image is 0, the smooth one stays what it was.
        here = convolve_axis(smooth, second, axis, settings.boundary, outside)
        bent = here if bent is None else here + convolve_axis(bent, gaussian, axis, settings.boundary, 0.0)
        if axis < 2:
            smooth = convolve_axis(smooth, gaussian, axis, settings.boundary, outside)
    assert bent is not None
    return bent


@functools.lru_cache(maxsize=256)
def derivative_kernels(sigma_mm: float, spacing_mm: float, unit_mm: float, truncate: float) -> Sequence[Kernel]:
    """Weights of a Gaussian and of its second derivative along one axis.

    Parameters
    ----------
    unit_mm
        The length in which the second derivative is taken.
    """
    sigma = sigma_mm / spacing_mm
    radius = int(truncate * sigma + 0.5)
    k = np.arange(-radius, radius + 1)
    gaussian = np.exp(-0.5 * (k / sigma) ** 2)
    gaussian /= gaussian.sum()
    second = gaussian * (k**2 / sigma**4 - 1 / sigma**2)
    second -= gaussian * second.sum()
    second *= (unit_mm / spacing_mm) ** 2
    for kernel in (gaussian, second):
        kernel.setflags(write=False)
    return gaussian, second


def _transfer(spacing_mm: Spacing, settings: LaplacianOfGaussianSettings) -> Transfer:
    """Transfer function of the same kernels: the Fourier series of their weights, which are even."""
    steps = spacing_mm[3 - settings.dimensions :]
    kernels = [derivative_kernels(settings.sigma_mm, step, min(steps), settings.truncate) for step in steps]

    def transfer(frequencies: Frequencies) -> Float32:
        smooth: Float32 | float = 1.0
        bent: Float32 | float = 0.0
        for frequency, (gaussian, second) in zip(frequencies, kernels, strict=True):
            here = _series(gaussian, frequency)
            bent = bent * here + smooth * _series(second, frequency)
            smooth = smooth * here
        return np.asarray(bent, dtype=np.float32)

    return transfer


def _series(kernel: Kernel, frequency: Float32) -> Float32:
    radius = kernel.size // 2
    waves = np.cos(np.pi * frequency[..., None] * np.arange(radius + 1))
    doubled = np.where(np.arange(radius + 1) > 0, 2 * kernel[radius:], kernel[radius])
    return np.asarray(waves @ doubled, dtype=np.float32)
