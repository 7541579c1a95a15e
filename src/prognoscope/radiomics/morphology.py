"""Shape of the morphological mask (IBSI reference manual, section 3.1)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.discretise import bounding_box
from prognoscope.radiomics.hull import enclose
from prognoscope.radiomics.mesh import measure_surface
from prognoscope.radiomics.prepare import Prepared
from prognoscope.radiomics.statistics import ratio

LEGENDRE_TERMS = 20


def morphology(prepared: Prepared) -> list[float]:
    """The 23 features in the order of the catalogue, without spatial autocorrelation.

    Returns
    -------
    Lengths in mm. NaN for the densities of the enclosing ellipsoid where the region is flat (one voxel thick), for
    elongation and flatness of a single voxel, and for what needs intensities where the intensity mask is empty or holds
    values that are not finite.
    """
    inside = np.pad(prepared.morphological_mask[bounding_box(prepared.morphological_mask)], 1)
    spacing = np.array(prepared.spacing_mm)
    surface = measure_surface(inside, prepared.spacing_mm)
    area, volume = surface.area_mm2, surface.volume_mm3
    sphericity = (36 * math.pi * volume**2) ** (1 / 3) / area
    depth, height, width = (float(size) for size in (np.array(inside.shape) - 2) * spacing)
    hull = enclose(inside, spacing)
    voxels = np.argwhere(inside) * spacing
    major, minor, least = axis_lengths(voxels)
    ellipsoid_area, ellipsoid_volume = ellipsoid(major / 2, minor / 2, least / 2)
    shift, mean = _intensities(prepared)
    return [
        volume,
        float(len(voxels) * np.prod(spacing)),
        area,
        area / volume,
        volume / (math.sqrt(math.pi) * area**1.5),
        36 * math.pi * volume**2 / area**3,
        1 / sphericity,
        sphericity,
        1 / sphericity - 1,
        shift,
        hull.diameter_mm,
        major,
        minor,
        least,
        ratio(minor, major),
        ratio(least, major),
        volume / (depth * height * width),
        area / (2 * (depth * height + depth * width + height * width)),
        ratio(volume, ellipsoid_volume),
        ratio(area, ellipsoid_area),
        volume / hull.volume_mm3,
        area / hull.area_mm2,
        mean * volume,
    ]


def axis_lengths(points: NDArray[np.float64]) -> tuple[float, float, float]:
    """Four times the square roots of the eigenvalues of the covariance of points `(n, 3)`, the longest first.

    The covariance divides by n − 1, as the reference values do; NaN for one point. Lengths below a millionth of the
    longest are 0.
    """
    if len(points) == 1:
        return float("nan"), float("nan"), float("nan")
    centred = points - points.mean(axis=0)
    eigenvalues = np.linalg.eigvalsh(centred.T @ centred / (len(points) - 1))[::-1]
    eigenvalues = np.where(eigenvalues > 1e-12 * eigenvalues[0], eigenvalues, 0.0)
    major, minor, least = (float(4 * math.sqrt(value)) for value in eigenvalues)
    return major, minor, least


def ellipsoid(a: float, b: float, c: float) -> tuple[float, float]:
    """Surface area and volume of an ellipsoid with semi-axes a ≥ b ≥ c; NaN for both where one is 0.

    The area is the manual's series of Legendre polynomials (section 3.1.22) to its 20th term.
    """
    if not c > 0:
        return float("nan"), float("nan")
    alpha, beta = math.sqrt(1 - (b / a) ** 2), math.sqrt(1 - (c / a) ** 2)
    if alpha == 0 or beta == 0:
        # The series' argument is 0/0; the product αᵛβᵛPᵥ is then that of its limit.
        argument, product = 1.0, 0.0
    else:
        argument, product = (alpha**2 + beta**2) / (2 * alpha * beta), alpha * beta
    terms = [product**v / (1 - 4 * v**2) for v in range(LEGENDRE_TERMS + 1)]
    series = float(np.polynomial.legendre.legval(argument, terms))
    return 4 * math.pi * a * b * series, 4 / 3 * math.pi * a * b * c


def _intensities(prepared: Prepared) -> tuple[float, float]:
    """Distance in mm between the centres of mass of shape and intensities, and the mean intensity."""
    values = prepared.intensities[prepared.intensity_mask].astype(np.float64)
    if not len(values) or not np.isfinite(values).all():
        return float("nan"), float("nan")
    spacing = np.array(prepared.spacing_mm)
    shape_centre = np.argwhere(prepared.morphological_mask).mean(axis=0)
    total = float(values.sum())
    if total == 0:
        return float("nan"), 0.0
    centre = values @ np.argwhere(prepared.intensity_mask) / total
    return float(np.linalg.norm((shape_centre - centre) * spacing)), float(values.mean())
