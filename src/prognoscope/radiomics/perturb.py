"""Perturbed contours: what another observer, or the same one on another day, might have drawn.

A region is described by the signed distance d(x) of a point to its surface (negative inside, mm). A perturbation turns
and shifts the region, and moves its surface by a growth g and by a smooth random field ε:

    perturbed region = { x : d(R⁻¹(x - c - t) + c) < g + ε(x) },

R the rotation by an angle about an axis through the region's centre of gravity c, t the shift. The field is a sum of
plane waves with random wave vectors, ε(x) = A sqrt(2/M) Σ cos(k·x + φ), k normal with standard deviation 1/ℓ, which for
many waves is a Gaussian field of standard deviation A and correlation exp(-r² / 2ℓ²) (Rahimi and Recht, Advances in
Neural Information Processing Systems 20, 2007). It moves the surface by its own scale, whatever the voxel size. What
perturbations are for, and their usual sizes: Zwanenburg et al., Scientific Reports 9, 2019, 614.

`draw` makes the random numbers; `perturb` uses none, so that any perturbation can be made again from its description.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
import scipy
from numpy.typing import NDArray
from pydantic import Field, model_validator

from prognoscope.core import seeds
from prognoscope.core.geometry import Mask, Triple
from prognoscope.core.problems import refuse
from prognoscope.core.settings import Settings

WAVES = 64
LARGEST_MOVE = 4.0
"""Standard deviations up to which the random movement of the surface is followed."""
Growth = Annotated[float, Field(ge=-50, le=50)]
Block = tuple[tuple[int, int], ...]


class PerturbationSettings(Settings):
    """How far contours are perturbed; all draws are uniform, except the random surface, which is normal."""

    rotation_deg: float = Field(0.0, ge=0, le=180, description="largest turn about the slices' normal, degrees")
    shift_mm: Triple = Field((0.0, 0.0, 0.0), description="largest shift along z, y and x, mm")
    growth_mm: tuple[Growth, Growth] = Field((0.0, 0.0), description="least and most the surface moves outwards, mm")
    roughness_mm: float = Field(
        0.0, ge=0, le=10, description="standard deviation of the random movement of the surface, mm"
    )
    roughness_length_mm: float = Field(
        10.0, gt=0, description="distance over which the random movement stays alike, mm"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.growth_mm[0] > self.growth_mm[1]:
            raise ValueError(f"growth_mm: {self.growth_mm[0]} is more than {self.growth_mm[1]}")
        if min(self.shift_mm) < 0:
            raise ValueError("shift_mm gives the largest shift in either direction and is not negative")
        return self


@dataclass(frozen=True, slots=True)
class Wave:
    """One plane wave of the random surface: radians a mm along z, y and x, and its phase in radians."""

    vector: Triple
    phase: float


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One perturbation, complete: the same mask and perturbation give the same region.

    Attributes
    ----------
    rotation_deg
        Turn about the slices' normal, from the y axis towards the x axis.
    shift_mm
        Along the array's axes z, y, x.
    growth_mm
        How far the surface moves outwards; inwards where negative.
    roughness_mm, waves
        Standard deviation of the random movement of the surface, and the waves it is made of.
    """

    rotation_deg: float = 0.0
    shift_mm: Triple = (0.0, 0.0, 0.0)
    growth_mm: float = 0.0
    roughness_mm: float = 0.0
    waves: tuple[Wave, ...] = ()

    @property
    def growth_at_most_mm(self) -> float:
        """How far the surface may move outwards anywhere."""
        return max(self.growth_mm, 0.0) + LARGEST_MOVE * self.roughness_mm


def draw(settings: PerturbationSettings, *, count: int, seed: int, key: Sequence[int] = ()) -> tuple[Perturbation, ...]:
    """Draw perturbations.

    Parameters
    ----------
    seed, key
        The study's seed and what tells this region from others (patient, region); perturbation i does not depend on
        how many are drawn.
    """
    return tuple(_draw_one(settings, seeds.generator(seed, "perturbed contours", *key, at)) for at in range(count))


def perturb(mask: Mask, perturbations: Sequence[Perturbation]) -> Iterator[Mask]:
    """Perturbed regions on the mask's grid, in the order of the perturbations; what leaves the grid is cut off.

    Raises
    ------
    Refused
        `empty-mask` when the mask has no voxel, `perturbed-away` when a perturbation leaves none.
    """
    if not mask.voxels.any():
        raise refuse(
            "empty-mask",
            subject="mask",
            found="no voxel is inside",
            remedy="check the contour or leave the patient out",
        )
    block = _block(mask, perturbations)
    region = _cut(mask.voxels, block)
    distance = signed_distance_mm(region, mask.grid.spacing)
    centre = np.asarray(scipy.ndimage.center_of_mass(region)) * mask.grid.spacing
    for number, perturbation in enumerate(perturbations):
        inside = _paste(_perturbed(distance, centre, mask.grid.spacing, perturbation), block, mask.grid.shape)
        if not inside.any():
            raise refuse(
                "perturbed-away",
                subject="mask",
                found=f"perturbation {number} leaves no voxel of {mask.count} ({perturbation.growth_mm:.1f} mm growth)",
                remedy="perturb small regions less",
            )
        yield Mask(inside, mask.grid)


def signed_distance_mm(inside: NDArray[np.bool_], spacing_mm: Triple) -> NDArray[np.float64]:
    """Distance of voxel centres to the surface of the region, negative inside, mm.

    The surface is represented by the middles of the faces between voxels inside and outside, which lie on the plane
    that a staircase of voxels stands for, unlike its corners. Beyond the edge of the image is outside.
    """
    padded = np.pad(inside, 1)
    # On a grid of half the spacing, where voxel centres and middles of faces have indices of their own.
    surface = np.zeros([2 * size - 1 for size in padded.shape], dtype=bool)
    surface[1::2, ::2, ::2] = padded[1:] != padded[:-1]
    surface[::2, 1::2, ::2] = padded[:, 1:] != padded[:, :-1]
    surface[::2, ::2, 1::2] = padded[:, :, 1:] != padded[:, :, :-1]
    half = [step / 2 for step in spacing_mm]
    distance = scipy.ndimage.distance_transform_edt(~surface, sampling=half)[2:-2:2, 2:-2:2, 2:-2:2]
    return np.where(inside, -distance, distance)


def _draw_one(settings: PerturbationSettings, generator: np.random.Generator) -> Perturbation:
    angle = float(generator.uniform(-1, 1)) * settings.rotation_deg
    shift = generator.uniform(-1, 1, 3) * settings.shift_mm
    growth = float(generator.uniform(*settings.growth_mm))
    waves: tuple[Wave, ...] = ()
    if settings.roughness_mm:
        vectors = generator.normal(0.0, 1.0 / settings.roughness_length_mm, (WAVES, 3))
        phases = generator.uniform(0.0, 2 * np.pi, WAVES)
        waves = tuple(
            Wave((float(z), float(y), float(x)), float(phase)) for (z, y, x), phase in zip(vectors, phases, strict=True)
        )
    return Perturbation(
        rotation_deg=angle,
        shift_mm=(float(shift[0]), float(shift[1]), float(shift[2])),
        growth_mm=growth,
        roughness_mm=settings.roughness_mm,
        waves=waves,
    )


def _perturbed(
    distance: NDArray[np.float64], centre: NDArray[np.float64], spacing_mm: Triple, perturbation: Perturbation
) -> NDArray[np.bool_]:
    moved = _moved(distance, centre, spacing_mm, perturbation) - perturbation.growth_mm
    if perturbation.waves:
        # From the centre, so that the surface does not depend on where in the image the region lies.
        axes = [np.arange(size) * step - at for size, step, at in zip(moved.shape, spacing_mm, centre, strict=True)]
        most = LARGEST_MOVE * perturbation.roughness_mm
        moved = moved - np.clip(_field(axes, perturbation), -most, most)
    return moved < 0


def _moved(
    distance: NDArray[np.float64], centre: NDArray[np.float64], spacing_mm: Triple, perturbation: Perturbation
) -> NDArray[np.float64]:
    """Signed distance after rotation and shift."""
    if perturbation.rotation_deg == 0 and not any(perturbation.shift_mm):
        return distance
    angle = math.radians(perturbation.rotation_deg)
    back = np.array([[1, 0, 0], [0, math.cos(angle), math.sin(angle)], [0, -math.sin(angle), math.cos(angle)]])
    spacing = np.asarray(spacing_mm)
    matrix = back * spacing[None, :] / spacing[:, None]
    offset = (centre - back @ (centre + perturbation.shift_mm)) / spacing
    return np.asarray(scipy.ndimage.affine_transform(distance, matrix, offset=offset, order=1, mode="nearest"))


def _block(mask: Mask, perturbations: Sequence[Perturbation]) -> Block:
    """Indices between which the region lies, and all perturbed regions as far as the image reaches.

    Around the region itself there is as much as it may grow, also beyond the image: from further away nothing comes.
    """
    inside = np.argwhere(mask.voxels)
    spacing, size = np.asarray(mask.grid.spacing), np.asarray(mask.grid.shape)
    low, high = inside.min(axis=0), inside.max(axis=0)
    turned_low, turned_high = low.astype(float), high.astype(float)
    if any(perturbation.rotation_deg for perturbation in perturbations):
        centre = inside.mean(axis=0)
        radius = np.hypot(*((inside - centre) * spacing)[:, 1:].T).max() / spacing
        turned_low[1:] = np.minimum(low, centre - radius)[1:]
        turned_high[1:] = np.maximum(high, centre + radius)[1:]
    growth = max((p.growth_at_most_mm for p in perturbations), default=0.0) / spacing + 1
    shift = np.max([np.abs(p.shift_mm) for p in perturbations], axis=0, initial=0.0) / spacing
    first = np.minimum(low - growth, np.maximum(turned_low - growth - shift, 0))
    last = np.maximum(high + growth, np.minimum(turned_high + growth + shift, size - 1))
    return tuple((math.floor(start), math.ceil(stop) + 1) for start, stop in zip(first, last, strict=True))


def _cut(voxels: NDArray[np.bool_], block: Block) -> NDArray[np.bool_]:
    """Voxels of a block; those beyond the image are outside."""
    region = np.zeros([stop - start for start, stop in block], dtype=bool)
    here, there = _overlap(block, voxels.shape)
    region[here] = voxels[there]
    return region


def _paste(region: NDArray[np.bool_], block: Block, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    voxels = np.zeros(shape, dtype=bool)
    here, there = _overlap(block, shape)
    voxels[there] = region[here]
    return voxels


def _overlap(block: Block, shape: Sequence[int]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where block and image meet: in the block, and in the image."""
    meets = [(max(start, 0), min(stop, size)) for (start, stop), size in zip(block, shape, strict=True)]
    here = tuple(slice(first - start, last - start) for (first, last), (start, _) in zip(meets, block, strict=True))
    return here, tuple(slice(first, last) for first, last in meets)


def _field(axes_mm: Sequence[NDArray[np.float64]], perturbation: Perturbation) -> NDArray[np.float64]:
    """Movement of the surface, mm, at the crossings of the axes' positions: a sum of products of one wave an axis."""
    vectors = np.array([wave.vector for wave in perturbation.waves])
    phases = np.array([wave.phase for wave in perturbation.waves])
    z, y, x = (np.exp(1j * np.outer(axis, vectors[:, at])) for at, axis in enumerate(axes_mm))
    planes = (z * np.exp(1j * phases))[:, None] * y
    field = planes.real @ x.real.T - planes.imag @ x.imag.T
    return np.asarray(field * perturbation.roughness_mm * math.sqrt(2 / len(perturbation.waves)))
