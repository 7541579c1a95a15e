"""From an image and a mask to what features are measured on: crop, interpolate, round, re-segment.

The order is that of the IBSI reference manual, chapter 2 (arXiv 1612.07003). Filters come between `prepare` and
`measure_prepared`: they replace `Prepared.intensities` and leave the masks alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.geometry import Mask, Triple, Volume, require_same_grid
from prognoscope.core.problems import refuse
from prognoscope.radiomics.compiled import compiled
from prognoscope.radiomics.interpolate import new_axis, resample_image, resample_mask
from prognoscope.radiomics.settings import RadiomicsSettings, Resegmentation

MOST_VOXELS = 10**9
"""Voxels of an interpolated region and its margin: four gigabytes of intensities."""
Window = tuple[tuple[int, int], ...]
PEAK_RADIUS_MM = (3 / (4 * math.pi)) ** (1 / 3) * 10
"""Radius of a sphere of 1 cm³, the reach of the local intensity features (manual, section 3.2)."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A region ready to be measured; all arrays `[z, y, x]` of one shape.

    Attributes
    ----------
    intensities
        float32, in the image's unit, of the region and a margin around it (voxels outside the image are absent).
    intensity_mask
        Voxels whose intensities are measured: after re-segmentation, possibly none.
    morphological_mask
        Voxels whose shape is measured: before re-segmentation, at least one.
    spacing_mm
        Distance between voxel centres along z, y, x.
    """

    intensities: NDArray[np.float32]
    intensity_mask: NDArray[np.bool_]
    morphological_mask: NDArray[np.bool_]
    spacing_mm: Triple


def prepare(
    volume: Volume, mask: Mask, settings: RadiomicsSettings, *, modality: str, margin_mm: float = PEAK_RADIUS_MM
) -> Prepared:
    """Crop, interpolate, round and re-segment.

    Parameters
    ----------
    modality
        DICOM modality; `CT` has its interpolated intensities rounded unless the settings say otherwise.
    margin_mm
        How much of the image around the region is kept, as far as it reaches; infinite keeps the whole image, for
        filters whose response depends on all of it.

    Raises
    ------
    Refused
        `empty-mask`, also when nothing is left after interpolation; `grids-differ`.
    """
    require_same_grid(volume, mask)
    window = _window(mask.voxels, volume.grid.spacing, margin_mm)
    plan = settings.interpolation
    if plan is None:
        block = tuple(slice(low, high) for low, high in window)
        intensities, inside, spacing = volume.voxels[block].copy(), mask.voxels[block].copy(), volume.grid.spacing
    else:
        targets = analysis_spacing(settings, volume.grid.spacing)
        sizes, old = volume.grid.shape, volume.grid.spacing
        _require_room(window, old, targets)
        axes = [new_axis(sizes[axis], old[axis], targets[axis], window[axis]) for axis in range(3)]
        intensities = resample_image(volume.voxels, axes, plan.image_spline)
        inside = resample_mask(mask.voxels, axes, plan.mask_spline, plan.partial_volume_threshold)
        spacing = targets
        if modality == "CT" if plan.round_intensities is None else plan.round_intensities:
            intensities = np.rint(intensities)
        if not inside.any():
            raise _empty("no voxel is left after interpolation")
    return Prepared(intensities, resegment(intensities, inside, settings.resegmentation), inside, spacing)


def resegment(intensities: NDArray[np.float32], inside: NDArray[np.bool_], plan: Resegmentation) -> NDArray[np.bool_]:
    """Return the voxels that stay in the intensity mask (manual, section 2.6): first the range, then outliers.

    The mean and standard deviation for outliers are those of the voxels that the range left. Of a voxel that is not a
    number nobody can say that it is out of range: it stays, and the features say that it is there.
    """
    kept = inside
    low, high = plan.range or (None, None)
    if low is not None:
        kept = kept & ~(intensities < low)
    if high is not None:
        kept = kept & ~(intensities > high)
    if plan.outliers_sd is not None and kept.any():
        values = intensities[kept].astype(np.float64)
        if np.isfinite(values).all():
            mean, reach = float(values.mean()), plan.outliers_sd * float(values.std())
            kept = kept & (intensities >= mean - reach) & (intensities <= mean + reach)
    return kept


def trim(prepared: Prepared, margin_mm: float) -> Prepared:
    """Keep the region and, as far as it is there, a margin around it."""
    window = _window(prepared.morphological_mask, prepared.spacing_mm, margin_mm)
    block = tuple(slice(low, high) for low, high in window)
    return Prepared(
        prepared.intensities[block],
        prepared.intensity_mask[block],
        prepared.morphological_mask[block],
        prepared.spacing_mm,
    )


def analysis_spacing(settings: RadiomicsSettings, spacing: Triple) -> Triple:
    """Distance between voxel centres (z, y, x) after interpolation, of an image that has `spacing` before."""
    plan = settings.interpolation
    if plan is None:
        return spacing
    slices = spacing[0] if plan.slices == "keep" else plan.slice_spacing_mm or plan.spacing_mm
    return slices, plan.spacing_mm, plan.spacing_mm


def _require_room(window: Window, spacing: Triple, target: Triple) -> None:
    sides = [(stop - start) * old / new for (start, stop), old, new in zip(window, spacing, target, strict=True)]
    if (voxels := math.prod(sides)) > MOST_VOXELS:
        raise refuse(
            "too-many-voxels",
            subject="interpolation",
            found=f"voxels of {' × '.join(f'{step:g}' for step in target)} mm would be {voxels:.3g} around the region",
            remedy=f"choose larger ones: at most {MOST_VOXELS:.0e} are made",
        )


def _window(inside: NDArray[np.bool_], spacing: Triple, margin_mm: float) -> Window:
    """First and one past the last index along each axis of the mask's bounding box and a margin."""
    window = []
    for side, size, step in zip(bounding_box(inside), inside.shape, spacing, strict=True):
        if side.stop <= side.start:
            raise _empty("no voxel is inside")
        margin = size if math.isinf(margin_mm) else math.ceil(margin_mm / step)
        window.append((max(side.start - margin, 0), min(side.stop + margin, size)))
    return tuple(window)


def bounding_box(inside: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    """Slices around the voxels of a mask; empty ones where it has none."""
    ends = _find_box(inside)
    return slice(ends[0], ends[3]), slice(ends[1], ends[4]), slice(ends[2], ends[5])


@compiled
def _find_box(inside: NDArray[np.bool_]) -> tuple[int, int, int, int, int, int]:
    """First and one past the last slice, row and column with a voxel: `(z, y, x, z, y, x)`."""
    depth, height, width = inside.shape
    first_z, first_y, first_x, last_z, last_y, last_x = depth, height, width, 0, 0, 0
    for z in range(depth):
        for y in range(height):
            low = 0
            while low < width and not inside[z, y, low]:
                low += 1
            if low == width:
                continue
            high = width
            while not inside[z, y, high - 1]:
                high -= 1
            first_z, last_z = min(first_z, z), z + 1
            first_y, last_y = min(first_y, y), max(last_y, y + 1)
            first_x, last_x = min(first_x, low), max(last_x, high)
    return first_z, first_y, first_x, last_z, last_y, last_x


def _empty(found: str) -> Exception:
    return refuse("empty-mask", subject="mask", found=found, remedy="check the contour or leave the patient out")
