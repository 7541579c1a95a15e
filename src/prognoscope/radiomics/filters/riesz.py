"""Riesz transforms of filters that look alike from all sides (IBSI chapter 2, section 3.8), steered or not.

The Riesz transform of order l = (l1, l2, l3) has the transfer function

    R_l(ν) = (-i)^|l| sqrt(|l|! / (l1! l2! l3!)) ν^l / |ν|^|l|

(Unser and Van De Ville, IEEE Trans. Image Process. 19, 2010, 636-652). Steered, it is applied at each voxel in the
frame of the image's own structure there: the eigenvectors of the structure tensor, the tensor being the products of the
first-order responses smoothed by a Gaussian. The first axis of the frame is the direction of strongest change, and
each axis points to where the first-order response along it is positive.
"""

from __future__ import annotations

from math import factorial, prod, sqrt
from typing import Annotated

import numpy as np
import scipy
from numpy.typing import NDArray
from pydantic import Field

from prognoscope.core.settings import Settings
from prognoscope.radiomics.filters.boundary import Float32
from prognoscope.radiomics.filters.settings import FilterSettings, Spacing, spelled
from prognoscope.radiomics.filters.spectrum import (
    Frequencies,
    Order,
    Spectral,
    Transfer,
    orders,
    squared_radius,
    transform,
)

Degree = Annotated[int, Field(ge=0, le=9)]


class RieszSettings(Settings):
    """Settings of a Riesz transform."""

    order: tuple[Degree, Degree, Degree] | tuple[Degree, Degree] = Field(
        description="order along x, y and z (x and y in 2D); along the local frame's axes where steered"
    )
    steering_sigma_mm: float | None = Field(
        None, gt=0, description="steer, with a structure tensor smoothed by this standard deviation, mm"
    )

    def words(self) -> list[str]:
        """Words of a filter's label: the orders along x, y, z and the steering."""
        steered = [] if self.steering_sigma_mm is None else [f"steered{spelled(self.steering_sigma_mm)}mm"]
        return ["riesz", "".join(map(str, self.order)), *steered]


def respond(
    voxels: Float32,
    spacing_mm: Spacing,
    settings: FilterSettings,
    profile: Transfer,
    riesz: RieszSettings | None,
    *,
    inclusive: bool,
) -> Float32:
    """Response to a filter that looks alike from all sides, Riesz-transformed where asked.

    Parameters
    ----------
    profile
        The filter's transfer function, real and even.
    inclusive
        How it is sampled, see `spectrum`.
    """
    image = transform(voxels, settings, inclusive=inclusive)
    if riesz is None:
        return image.respond(profile, (0,) * settings.dimensions)
    order = riesz.order[::-1]
    if riesz.steering_sigma_mm is None:
        return _component(image, profile, order, spacing_mm)
    return _steered(image, profile, order, spacing_mm, riesz.steering_sigma_mm)


def spatial(frequencies: Frequencies, spacing_mm: Spacing) -> Frequencies:
    """Frequencies in space: along all axes in units of the Nyquist frequency of the smallest spacing."""
    steps = spacing_mm[3 - len(frequencies) :]
    return [frequency * np.float32(min(steps) / step) for frequency, step in zip(frequencies, steps, strict=True)]


def _component(image: Spectral, profile: Transfer, order: Order, spacing_mm: Spacing) -> Float32:
    """Riesz transform of one order along the image's axes."""
    total = sum(order)
    norm = np.float32(sqrt(factorial(total) / prod(map(factorial, order))))

    def transfer(frequencies: Frequencies) -> Float32:
        along = spatial(frequencies, spacing_mm)
        squared = squared_radius(along)
        direction = norm * profile(frequencies) / np.where(squared == 0, np.float32(np.inf), squared) ** (total / 2)
        for frequency, power in zip(along, order, strict=True):
            direction = direction * frequency**power
        return np.asarray(direction, dtype=np.float32)

    return image.respond(transfer, order)


def _steered(image: Spectral, profile: Transfer, order: Order, spacing_mm: Spacing, sigma_mm: float) -> Float32:
    dimensions = len(order)
    gradient = [_component(image, profile, tuple(unit), spacing_mm) for unit in np.eye(dimensions, dtype=int)]
    sigma = [sigma_mm / spacing_mm[axis] if axis in image.axes else 0.0 for axis in range(3)]
    frame = local_frame(gradient, sigma)
    # In the frame, order (l1, l2, l3) belongs to its first, second and third axis: x, y, z of the settings.
    factors = _expand(frame, order[::-1])
    norm = sqrt(factorial(sum(order)) / prod(map(factorial, order)))
    response = np.zeros_like(gradient[0])
    for component in orders(sum(order), dimensions):
        scale = norm / sqrt(factorial(sum(order)) / prod(map(factorial, component)))
        response += factors[component] * np.float32(scale) * _component(image, profile, component, spacing_mm)
    return response


def local_frame(gradient: list[Float32], sigma: list[float]) -> NDArray[np.float32]:
    """Eigenvectors of the structure tensor at each voxel.

    Parameters
    ----------
    gradient
        First-order responses along the image's axes, `[z, y, x]` each.
    sigma
        Standard deviation of the smoothing along z, y and x, in voxels.

    Returns
    -------
    `(..., axis, vector)`: the vectors are ordered from the strongest change to the weakest.
    """
    dimensions = len(gradient)
    tensor = np.empty((*gradient[0].shape, dimensions, dimensions), np.float32)
    for first in range(dimensions):
        for second in range(first, dimensions):
            smoothed = scipy.ndimage.gaussian_filter(gradient[first] * gradient[second], sigma, mode="reflect")
            tensor[..., first, second] = tensor[..., second, first] = smoothed
    frame = np.linalg.eigh(tensor).eigenvectors[..., ::-1]
    along = np.einsum("a...,...av->...v", np.stack(gradient), frame)
    return np.asarray(frame * np.where(along < 0, np.float32(-1), np.float32(1))[..., None, :])


def _expand(frame: NDArray[np.float32], powers: Order) -> dict[Order, Float32]:
    """Coefficients of the monomials of ν in Π_v (u_v · ν)^powers[v], u_v the frame's vectors."""
    dimensions = len(powers)
    polynomial: dict[Order, Float32] = {(0,) * dimensions: np.ones(frame.shape[:-2], np.float32)}
    for vector, power in enumerate(powers):
        for _ in range(power):
            grown: dict[Order, Float32] = {}
            for monomial, coefficient in polynomial.items():
                for axis in range(dimensions):
                    raised = (*monomial[:axis], monomial[axis] + 1, *monomial[axis + 1 :])
                    term = coefficient * frame[..., axis, vector]
                    grown[raised] = grown[raised] + term if raised in grown else term
            polynomial = grown
    return polynomial
