"""Gabor filter (IBSI chapter 2, section 3.5): waves of one length and direction under a Gaussian, in planes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy
from numpy.typing import NDArray
from pydantic import Field

from prognoscope.radiomics.filters.boundary import Float32, extend
from prognoscope.radiomics.filters.settings import FilterSettings, Pooling, Spacing, spelled

# Axes (down, across) of the planes, the axial one first: y and x, z and x, z and y.
PLANES = ((1, 2), (0, 2), (0, 1))
BLOCK_VOXELS = 1 << 22


class GaborSettings(FilterSettings):
    """Settings of the Gabor filter. In 3 dimensions the responses of the three orthogonal planes are pooled."""

    sigma_mm: float = Field(gt=0, description="standard deviation of the Gaussian along the wave, mm")
    wavelength_mm: float = Field(gt=0, description="length of the wave, mm")
    gamma: float = Field(1.0, gt=0, description="standard deviation along the wave divided by that across it")
    theta_deg: float = Field(0.0, description="direction of the wave, degrees")
    theta_step_deg: float | None = Field(
        None, gt=0, le=180, description="pool over directions from `theta_deg` in these steps through a full turn"
    )
    pooling: Pooling = Field("average", description="how the responses of planes and directions become one")
    truncate: float = Field(4.0, gt=0, description="the kernel ends at this many standard deviations")

    def words(self) -> list[str]:
        """Its part of a feature's name: the filter, then what differs from the usual."""
        words = ["gabor", f"{spelled(self.sigma_mm)}mm", f"{spelled(self.wavelength_mm)}mm"]
        words += [f"gamma{spelled(self.gamma)}"] if self.gamma != 1 else []
        words += [f"theta{spelled(self.theta_deg)}"] if self.theta_deg else []
        words += [f"step{spelled(self.theta_step_deg)}"] if self.theta_step_deg else []
        words += [self.pooling] if self.pooling != "average" else []
        return [*words, *([f"cut{spelled(self.truncate)}"] if self.truncate != 4 else [])]

    def reach_mm(self, spacing_mm: Spacing) -> float:
        """How far a response looks beyond its voxel, mm."""
        return self.truncate * self.sigma_mm * max(1.0, 1 / self.gamma) + max(spacing_mm)


def gabor(voxels: Float32, spacing_mm: Spacing, settings: GaborSettings) -> Float32:
    """Modulus of the response to the complex kernel, pooled over directions and planes.

    g(x', y') = exp(-(x'² + γ² y'²) / (2σ²) + 2πi x'/λ), where x' = x cos θ + y sin θ and y' = -x sin θ + y cos θ.
    A direction and its opposite have the same modulus and are computed once.
    """
    image = np.ascontiguousarray(voxels, dtype=np.float32)
    planes = PLANES if settings.dimensions == 3 else PLANES[:1]
    pooled: Float32 | None = None
    for plane in planes:
        for response in _plane_responses(image, spacing_mm, plane, settings):
            pooled = response if pooled is None else _pool(pooled, response, settings.pooling)
    assert pooled is not None
    if settings.pooling == "average":
        pooled /= np.float32(len(planes) * len(directions(settings)))
    return pooled


def directions(settings: GaborSettings) -> tuple[float, ...]:
    """Directions in radians, each only once of those that differ by a half turn."""
    if settings.theta_step_deg is None:
        return (float(np.deg2rad(settings.theta_deg)),)
    turn = np.arange(0.0, 360.0 - 1e-9, settings.theta_step_deg)
    half = np.unique(np.round((settings.theta_deg + turn) % 180.0, 9))
    return tuple(float(angle) for angle in np.deg2rad(half))


def gabor_kernel(spacing_mm: tuple[float, float], theta: float, settings: GaborSettings) -> NDArray[np.complex128]:
    """Weights (down, across) in a plane of the given spacing, the centre in the middle."""
    along, aside = settings.sigma_mm, settings.sigma_mm / settings.gamma
    cos, sin = np.cos(theta), np.sin(theta)
    reach = np.hypot(along * sin, aside * cos), np.hypot(along * cos, aside * sin)
    radius = [int(np.ceil(settings.truncate * mm / step)) for mm, step in zip(reach, spacing_mm, strict=True)]
    y = np.arange(-radius[0], radius[0] + 1)[:, None] * spacing_mm[0]
    x = np.arange(-radius[1], radius[1] + 1)[None, :] * spacing_mm[1]
    forward, sideward = x * cos + y * sin, -x * sin + y * cos
    envelope = -(forward**2 + (settings.gamma * sideward) ** 2) / (2 * settings.sigma_mm**2)
    return np.asarray(np.exp(envelope + 2j * np.pi * forward / settings.wavelength_mm))


def _plane_responses(
    image: Float32, spacing_mm: Spacing, plane: tuple[int, int], settings: GaborSettings
) -> Iterator[Float32]:
    stack = np.moveaxis(image, plane, (1, 2))
    steps = (spacing_mm[plane[0]], spacing_mm[plane[1]])
    kernels = [gabor_kernel(steps, theta, settings) for theta in directions(settings)]
    widths = tuple(max(kernel.shape[axis] for kernel in kernels) // 2 for axis in (0, 1))
    shape = [scipy.fft.next_fast_len(size + 2 * width) for size, width in zip(stack.shape[1:], widths, strict=True)]
    transfers = [_transfer(kernel, shape) for kernel in kernels]
    responses = [np.empty(stack.shape, np.float32) for _ in kernels]
    block = max(1, BLOCK_VOXELS // (shape[0] * shape[1]))
    inside = tuple(slice(width, width + size) for width, size in zip(widths, stack.shape[1:], strict=True))
    for start in range(0, stack.shape[0], block):
        rows = slice(start, start + block)
        extended = extend(stack[rows], (0, *widths), settings.boundary, settings.boundary_value)
        spectrum = scipy.fft.fft2(extended, s=shape)
        for transfer, response in zip(transfers, responses, strict=True):
            wave = scipy.fft.ifft2(spectrum * transfer, overwrite_x=True)[(slice(None), *inside)]
            response[rows] = np.sqrt(wave.real**2 + wave.imag**2)
    for response in responses:
        yield np.moveaxis(response, (1, 2), plane)


def _transfer(kernel: NDArray[np.complex128], shape: list[int]) -> Float32:
    """Fourier transform of a kernel whose centre lies at the origin: real, because the kernel is Hermitian."""
    placed = np.zeros(shape, np.complex128)
    placed[: kernel.shape[0], : kernel.shape[1]] = kernel
    placed = np.roll(placed, [-(size // 2) for size in kernel.shape], axis=(0, 1))
    return scipy.fft.fft2(placed).real.astype(np.float32)


def _pool(pooled: Float32, response: Float32, pooling: Pooling) -> Float32:
    if pooling == "average":
        return pooled + response
    return np.maximum(pooled, response) if pooling == "max" else np.minimum(pooled, response)
