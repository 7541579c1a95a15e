"""Shape of the morphological mask (IBSI reference manual, section 3.1)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.compiled import compiled
from prognoscope.radiomics.hull import enclose
from prognoscope.radiomics.mesh import measure_surface
from prognoscope.radiomics.prepare import Prepared, bounding_box
from prognoscope.radiomics.statistics import ratio

LEGENDRE_TERMS = 20


def morphology(prepared: Prepared, *, with_intensities: bool = True) -> list[float]:
    """The 23 features in the order of the catalogue, without spatial autocorrelation.

    Parameters
    ----------
    with_intensities
        Whether the intensity mask has voxels, all of them finite.

    Returns
    -------
    Lengths in mm. NaN for the densities of the enclosing ellipsoid where the region is flat (one voxel thick), for axes
    of a single voxel, and without intensities for the shift of their centre and the integrated intensity.
    """
    inside = np.pad(prepared.morphological_mask[bounding_box(prepared.morphological_mask)], 1)
    spacing = np.array(prepared.spacing_mm)
    surface = measure_surface(inside, prepared.spacing_mm)
    area, volume = surface.area_mm2, surface.volume_mm3
    sphericity = (36 * math.pi * volume**2) ** (1 / 3) / area
    depth, height, width = (float(size) for size in (np.array(inside.shape) - 2) * spacing)
    hull = enclose(inside, spacing)
    moments = np.zeros(10, dtype=np.int64)
    _sum_moments(inside, moments)
    major, minor, least = axis_lengths(moments, spacing)
    ellipsoid_area, ellipsoid_volume = ellipsoid(major / 2, minor / 2, least / 2)
    shift, mean = _intensities(prepared) if with_intensities else (float("nan"), float("nan"))
    return [
        volume,
        float(moments[0] * np.prod(spacing)),
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


def axis_lengths(moments: NDArray[np.int64], spacing: NDArray[np.float64]) -> tuple[float, float, float]:
    """Four times the square roots of the eigenvalues of the covariance of voxel positions, the longest first.

    Parameters
    ----------
    moments
        `(10,)` sums over voxels: their number, their indices z, y, x, and the products zz, yy, xx, zy, zx, yx.
    spacing
        `(3,)` in mm.

    Returns
    -------
    The covariance divides by n − 1, as the reference values do; NaN for one voxel. Lengths below a millionth of the
    longest are 0.
    """
    number = int(moments[0])
    if number == 1:
        return float("nan"), float("nan"), float("nan")
    _, z, y, x, zz, yy, xx, zy, zx, yx = (int(moment) for moment in moments)
    products = ((zz, zy, zx), (zy, yy, yx), (zx, yx, xx))
    # Python's whole numbers up to here: a shift of the region changes nothing, not even the last digit.
    spread = [[float(number * products[i][j] - (z, y, x)[i] * (z, y, x)[j]) for j in range(3)] for i in range(3)]
    covariance = np.array(spread) * np.outer(spacing, spacing) / (number * (number - 1))
    eigenvalues = np.linalg.eigvalsh(covariance)[::-1]
    eigenvalues = np.where(eigenvalues > 1e-12 * eigenvalues[0], eigenvalues, 0.0)
    major, minor, least = (float(4 * math.sqrt(value)) for value in eigenvalues)
    return major, minor, least


def ellipsoid(a: float, b: float, c: float) -> tuple[float, float]:
    """Surface area and volume of an ellipsoid with semi-axes a ≥ b ≥ c; NaN for both where one is 0.

    The area is the manual's series of Legendre polynomials (section 3.1, area density of the enclosing ellipsoid) to
    its 20th term, 4πab Σ (αβ)ᵛ Pᵥ((α² + β²)/(2αβ)) / (1 − 4ν²) with α² = 1 − b²/a² and β² = 1 − c²/a². The reference
    values need it as it stands there; Maas (1994), whom it comes from, has c²/b² in place of b²/a², and only that is
    the area of an ellipsoid (48.9 for axes 3, 2, 1, not 52.8).
    """
    if not c > 0:
        return float("nan"), float("nan")
    alpha2, beta2 = 1 - (b / a) ** 2, 1 - (c / a) ** 2
    half, product = (alpha2 + beta2) / 2, alpha2 * beta2
    # Bonnet's recurrence, each term times (αβ)ᵛ: there is no quotient that could be 0/0.
    terms = [1.0, half]
    for v in range(1, LEGENDRE_TERMS):
        terms.append(((2 * v + 1) * half * terms[v] - v * product * terms[v - 1]) / (v + 1))
    series = sum(term / (1 - 4 * v**2) for v, term in enumerate(terms))
    return 4 * math.pi * a * b * series, 4 / 3 * math.pi * a * b * c


def _intensities(prepared: Prepared) -> tuple[float, float]:
    """Distance in mm between the centres of mass of shape and intensities (NaN where they add to 0), and the mean."""
    shape, weight = np.zeros(10, dtype=np.int64), np.zeros(5)
    _sum_moments(np.ascontiguousarray(prepared.morphological_mask), shape)
    _sum_intensities(np.ascontiguousarray(prepared.intensities), np.ascontiguousarray(prepared.intensity_mask), weight)
    number, total = weight[:2]
    mean = float(total / number)
    if total == 0:
        return float("nan"), mean
    apart = (shape[1:4] / shape[0] - weight[2:] / total) * np.array(prepared.spacing_mm)
    return float(np.linalg.norm(apart)), mean


@compiled
def _sum_moments(inside: NDArray[np.bool_], moments: NDArray[np.int64]) -> None:
    """Sums over the voxels of a mask: 1, z, y, x, zz, yy, xx, zy, zx, yx."""
    for z in range(inside.shape[0]):
        for y in range(inside.shape[1]):
            n, s, ss = 0, 0, 0
            for x in range(inside.shape[2]):
                if inside[z, y, x]:
                    n += 1
                    s += x
                    ss += x * x
            moments[0] += n
            moments[1] += n * z
            moments[2] += n * y
            moments[3] += s
            moments[4] += n * z * z
            moments[5] += n * y * y
            moments[6] += ss
            moments[7] += n * z * y
            moments[8] += s * z
            moments[9] += s * y


@compiled
def _sum_intensities(intensities: NDArray[np.float32], inside: NDArray[np.bool_], sums: NDArray[np.float64]) -> None:
    """Sums over the voxels of a mask: 1, the intensity, and it times z, y, x."""
    for z in range(inside.shape[0]):
        for y in range(inside.shape[1]):
            n, total, along = 0.0, 0.0, 0.0
            for x in range(inside.shape[2]):
                if inside[z, y, x]:
                    n += 1.0
                    total += intensities[z, y, x]
                    along += intensities[z, y, x] * x
            sums[0] += n
            sums[1] += total
            sums[2] += total * z
            sums[3] += total * y
            sums[4] += along
