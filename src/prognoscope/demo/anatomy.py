"""A thigh with a lesion in its muscle, as Hounsfield units on a grid, and the lesion's true outline in every slice.

Everything is defined in millimetres, independent of the grid: the outline of a slice is a closed curve
`radius(angle)` about the lesion's axis, so the contour that goes into the RTSTRUCT is the truth and not a drawing of
the voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from prognoscope.demo.scanner import Scanner

PIXELS, PIXEL_MM = 96, 2.0
AIR, FAT, MUSCLE, CORTEX, MARROW, VESSEL = -1000.0, -105.0, 55.0, 1150.0, -40.0, 150.0
RADIUS_MM, RADIUS_LOG_SD = 17.0, 0.28
SMALLEST_MM, LARGEST_MM = 8.0, 33.0
HARMONICS = (2, 3, 4, 5)
TEXTURE_MM = 3.2
CORE_HU, RIM_HU = 45.0, 28.0
TEXTURE_HU, TEXTURE_LOG_SD = 17.0, 0.5
VESSELS_MM = -42.0
ANGLES, STEPS = 90, 720
Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Lesion:
    """A lobulated lesion; lengths in mm relative to the middle of the image.

    Attributes
    ----------
    size_score, heterogeneity_score
        Standard normal scores of the logarithm of its radius and of its texture: what the outcome depends on.
    radius_mm, half_height_mm
        Mean radius in the middle slice, and half its length along the body.
    centre_mm
        `(x, y, z)`.
    lobes
        Per harmonic `(number, amplitude, phase, turn per mm along the body)`.
    texture_hu
        Standard deviation of its inner texture.
    necrosis
        Share of the radius that is a hypodense core, 0 to 0.6.
    mean_hu
        Mean of its vital tissue.
    """

    size_score: float
    heterogeneity_score: float
    radius_mm: float
    half_height_mm: float
    centre_mm: tuple[float, float, float]
    lobes: tuple[tuple[int, float, float, float], ...]
    texture_hu: float
    necrosis: float
    mean_hu: float

    def outline_mm(self, angles: Array, height_mm: Array) -> Array:
        """Radius in mm at angles (radian) and heights above the lesion's centre; 0 above and below it."""
        rise = np.clip(1 - (height_mm / self.half_height_mm) ** 2, 0, None)
        lobed = 1 + sum(
            amplitude * np.cos(number * angles + phase + turn * height_mm)
            for number, amplitude, phase, turn in self.lobes
        )
        return np.asarray(self.radius_mm * np.sqrt(rise) * lobed)

    @property
    def volume_ml(self) -> float:
        """Volume enclosed by the outline.

        The mean of the squared outline over all angles is `radius² · (1 - (z / h)²) · (1 + Σ amplitude² / 2)`,
        whatever the phases are; over the height this integrates to `4/3 h`.
        """
        lobed = 1 + sum(amplitude**2 for _, amplitude, _, _ in self.lobes) / 2
        return float(4 / 3 * np.pi * self.radius_mm**2 * self.half_height_mm * lobed / 1000)


@dataclass(frozen=True, slots=True)
class Scan:
    """Hounsfield units `[z, y, x]`, heights of the slices in mm, and per region the closed outline of each slice.

    Outlines are `(n, 2)` `(x, y)` in mm, or None where the slice has none.
    """

    voxels: NDArray[np.int16]
    heights_mm: Array
    lesion_outlines: tuple[Array | None, ...]
    body_outlines: tuple[Array | None, ...]


@dataclass(frozen=True, slots=True)
class _Limb:
    half_width: float
    half_depth: float
    fat: float
    lobes: tuple[tuple[int, float, float], ...]
    bone: tuple[float, float]
    bone_radius: float

    def edge(self, angles: Array) -> Array:
        """Radius of the skin in mm."""
        ellipse = 1 / np.sqrt((np.cos(angles) / self.half_width) ** 2 + (np.sin(angles) / self.half_depth) ** 2)
        lobed = 1 + sum(amplitude * np.cos(number * angles + phase) for number, amplitude, phase in self.lobes)
        return np.asarray(ellipse * lobed)


def draw_lesion(rng: np.random.Generator) -> Lesion:
    """Draw a lesion's parameters."""
    size, heterogeneity = rng.normal(size=2)
    radius = float(np.clip(RADIUS_MM * np.exp(RADIUS_LOG_SD * size), SMALLEST_MM, LARGEST_MM))
    side = rng.choice([-1.0, 1.0])
    lobes = tuple(
        (number, float(rng.uniform(0.03, 0.24) / number), float(rng.uniform(0, 2 * np.pi)), float(rng.normal(0, 0.03)))
        for number in HARMONICS
    )
    return Lesion(
        size_score=float(size),
        heterogeneity_score=float(heterogeneity),
        radius_mm=radius,
        half_height_mm=float(np.clip(radius * rng.uniform(1.0, 1.35), 9.0, 39.0)),
        centre_mm=(float(side * rng.uniform(24, 32)), float(rng.uniform(-12, 12)), float(rng.uniform(-3, 3))),
        lobes=lobes,
        texture_hu=float(TEXTURE_HU * np.exp(TEXTURE_LOG_SD * heterogeneity)),
        necrosis=float(np.clip(0.25 + 0.15 * heterogeneity + 0.08 * rng.normal(), 0, 0.6)),
        mean_hu=float(rng.normal(78, 6)),
    )


def scan(lesion: Lesion, scanner: Scanner, rng: np.random.Generator) -> Scan:
    """Draw a limb around a lesion and take a CT of it."""
    heights = (np.arange(scanner.slices) - (scanner.slices - 1) / 2) * scanner.slice_spacing_mm
    limb = _draw_limb(rng, lesion)
    across = (np.arange(PIXELS) - (PIXELS - 1) / 2) * PIXEL_MM
    tissue = _limb_tissue(limb, across, rng).astype(np.float32)
    voxels = np.repeat(tissue[None], scanner.slices, axis=0)
    _add_vessels(voxels, across, heights, rng)
    _add_lesion(voxels, lesion, across, heights, scanner, rng)
    _blur(voxels, scanner)
    voxels += _noise(voxels.shape, scanner, rng)
    body = limb.edge(_angles())
    ring = np.column_stack([body * np.cos(_angles()), body * np.sin(_angles())])
    return Scan(
        voxels=np.clip(np.rint(voxels), -1024, 3071).astype(np.int16),
        heights_mm=heights,
        lesion_outlines=tuple(_outline(lesion, height) for height in heights),
        body_outlines=(ring,) * scanner.slices,
    )


def _angles() -> Array:
    return np.linspace(0, 2 * np.pi, ANGLES, endpoint=False)


def _outline(lesion: Lesion, height: float) -> Array | None:
    above = height - lesion.centre_mm[2]
    if abs(above) >= lesion.half_height_mm:
        return None
    radius = lesion.outline_mm(_angles(), np.full(ANGLES, above))
    x = lesion.centre_mm[0] + radius * np.cos(_angles())
    y = lesion.centre_mm[1] + radius * np.sin(_angles())
    return np.column_stack([x, y])


def _draw_limb(rng: np.random.Generator, lesion: Lesion) -> _Limb:
    # The bone lies on the other side of the middle than the lesion, as one that is pushed aside does.
    away = -np.sign(lesion.centre_mm[0])
    return _Limb(
        half_width=float(rng.uniform(78, 86)),
        half_depth=float(rng.uniform(68, 78)),
        fat=float(rng.uniform(6, 14)),
        lobes=tuple((k, float(rng.uniform(0, 0.02)), float(rng.uniform(0, 2 * np.pi))) for k in (2, 3, 4)),
        bone=(float(away * rng.uniform(12, 20)), float(rng.uniform(-8, 8))),
        bone_radius=float(rng.uniform(13, 16)),
    )


def _limb_tissue(limb: _Limb, across: Array, rng: np.random.Generator) -> Array:
    """One slice of skin, fat, muscles parted by fat, and bone, `(y, x)`."""
    x, y = across[None, :], across[:, None]
    inward = limb.edge(np.arctan2(y, x)) - np.hypot(x, y)
    fibres = ndimage.gaussian_filter(rng.normal(size=(PIXELS, PIXELS)), (1.5, 1.5))
    muscle = MUSCLE + 22 * fibres / fibres.std() * 0.35 + _septa(x, y, limb, rng)
    rim = limb.fat * (1 + 0.35 * np.cos(np.arctan2(y, x) - 2.0))
    tissue = np.where(inward > rim, muscle, FAT + 6 * fibres / fibres.std())
    tissue = np.where(inward < 2.0, 20.0, tissue)
    tissue = np.where(inward < 0, AIR, tissue)
    from_bone = np.hypot(x - limb.bone[0], (y - limb.bone[1]) * 1.08)
    tissue = np.where(from_bone < limb.bone_radius, CORTEX, tissue)
    return np.asarray(np.where(from_bone < limb.bone_radius - 5, MARROW, tissue), dtype=float)


def _septa(x: Array, y: Array, limb: _Limb, rng: np.random.Generator) -> Array:
    """Thin layers of fat that fan out from the bone between the muscles, in HU to add."""
    angle = np.arctan2(y - limb.bone[1], x - limb.bone[0])
    distance = np.hypot(x - limb.bone[0], y - limb.bone[1])
    fat = np.zeros(np.broadcast_shapes(x.shape, y.shape))
    for direction in np.linspace(0, 2 * np.pi, 7, endpoint=False) + rng.uniform(-0.3, 0.3, 7):
        bend = direction + 0.25 * np.sin(distance / 22 + rng.uniform(0, 6))
        off = np.abs(np.angle(np.exp(1j * (angle - bend)))) * distance
        fat = np.maximum(fat, np.exp(-((off / 2.0) ** 2)) * rng.uniform(0.5, 1.0))
    return np.asarray(-110.0 * fat)


def _add_vessels(voxels: Array, across: Array, heights: Array, rng: np.random.Generator) -> None:
    """An artery and a vein that run obliquely through the slices, in a sheath of fat."""
    side, drift = rng.uniform(-25, 25), rng.uniform(-0.12, 0.12)
    rows = np.flatnonzero(np.abs(across - VESSELS_MM) < 14)
    band = voxels[:, rows[0] : rows[-1] + 1]
    y = across[None, rows, None] - VESSELS_MM - 0.05 * heights[:, None, None]
    for offset, radius in ((0.0, 4.2), (10.0, 5.0)):
        x = across[None, None, :] - (side + offset + drift * heights[:, None, None])
        ring = np.hypot(x, y)
        band[ring < radius + 3.5] = FAT * 0.9
        band[ring < radius] = VESSEL - 4 * offset


def _add_lesion(
    voxels: Array, lesion: Lesion, across: Array, heights: Array, scanner: Scanner, rng: np.random.Generator
) -> None:
    """Replace the muscle by the lesion: textured vital tissue, a bright rim and a hypodense core."""
    block = _block(lesion, across, heights)
    x, y = across[None, None, block[2]] - lesion.centre_mm[0], across[None, block[1], None] - lesion.centre_mm[1]
    z = heights[block[0], None, None] - lesion.centre_mm[2]
    turns = np.rint(np.arctan2(y, x) * (STEPS / (2 * np.pi))).astype(np.intp) % STEPS
    table = lesion.outline_mm(np.linspace(0, 2 * np.pi, STEPS, endpoint=False)[None, :], z[:, :, 0])
    outline = np.take(table, turns[0], axis=1)
    distance = np.hypot(x, y)
    # Share of each voxel inside, for a surface that is flat over a voxel: edges stay sharp without stairs.
    share = np.clip((outline - distance) / PIXEL_MM + 0.5, 0, 1) * (outline > 0)
    depth = distance / np.maximum(outline, 1.0)
    grain = TEXTURE_MM / np.array([scanner.slice_spacing_mm, PIXEL_MM, PIXEL_MM])
    fine, coarse = _field(depth.shape, grain, rng), _field(depth.shape, 2.5 * grain, rng)
    core = 0.5 - 0.5 * np.tanh((depth + 0.15 * coarse - lesion.necrosis) / 0.14)
    rim = np.exp(-(((depth - 0.9) / 0.13) ** 2))
    inside = lesion.mean_hu + lesion.texture_hu * (0.8 * fine + 0.6 * coarse) - CORE_HU * core + RIM_HU * rim
    voxels[block] += share * (inside - voxels[block])


def _block(lesion: Lesion, across: Array, heights: Array) -> tuple[slice, slice, slice]:
    """The part of the grid that can hold the lesion, and a voxel around it."""
    reach = 1.3 * lesion.radius_mm + PIXEL_MM
    x, y, z = lesion.centre_mm
    ranges = ((heights, z, lesion.half_height_mm), (across, y, reach), (across, x, reach))
    block = []
    for places, middle, half in ranges:
        hit = np.flatnonzero(np.abs(places - middle) <= half)
        block.append(slice(int(hit[0]), int(hit[-1]) + 1))
    return block[0], block[1], block[2]


def _field(shape: tuple[int, ...], grain: Array, rng: np.random.Generator) -> Array:
    """A correlated random field with mean 0 and standard deviation 1; `grain` in voxels."""
    field = ndimage.gaussian_filter(rng.normal(size=shape), grain, truncate=2.5)
    return np.asarray((field - field.mean()) / field.std())


def _blur(voxels: Array, scanner: Scanner) -> None:
    in_plane = scanner.blur_mm / PIXEL_MM
    ndimage.gaussian_filter(voxels, (0.35, in_plane, in_plane), output=voxels, truncate=3)


def _noise(shape: tuple[int, ...], scanner: Scanner, rng: np.random.Generator) -> NDArray[np.float32]:
    grain = scanner.noise_grain_mm / PIXEL_MM
    noise = rng.standard_normal(shape, dtype=np.float32)
    ndimage.gaussian_filter(noise, (0, grain, grain), output=noise, truncate=2.5)
    # More photons are lost on the long way through the middle.
    middle = np.linspace(-1, 1, PIXELS, dtype=np.float32) ** 2
    strength = 1 - 0.35 * (middle[None, :] + middle[:, None]) / 2
    return np.asarray(noise * (scanner.noise_hu / noise.std()) * strength, dtype=np.float32)
