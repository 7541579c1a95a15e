"""What the steps of preparation left of image and region: the manual's diagnostic features (arXiv 1612.07003)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.geometry import Mask, Triple, Volume
from prognoscope.core.measures import Feature
from prognoscope.radiomics.prepare import bounding_box, prepare
from prognoscope.radiomics.settings import RadiomicsSettings

AXES = ("x", "y", "z")


def diagnostics(volume: Volume, mask: Mask, settings: RadiomicsSettings, *, modality: str) -> tuple[Feature, ...]:
    """Describe image and region before, between and after the steps of preparation, under IBSI's tags.

    Returns
    -------
    60 numbers: of the whole image at first and interpolated (dimensions, voxel size, intensities), and of the region at
    first, interpolated and re-segmented (dimensions, bounding boxes, voxels, intensities of the intensity mask).

    Raises
    ------
    Refused
        As `extract`.
    """
    prepared = prepare(volume, mask, settings, modality=modality, margin_mm=math.inf)
    whole, inside = prepared.intensities, prepared.morphological_mask
    return (
        *_image("init", volume.voxels, volume.grid.spacing),
        *_image("interp", whole, prepared.spacing_mm),
        *_region("init", volume.voxels, mask.voxels, mask.voxels),
        *_region("interp", whole, inside, inside),
        *_region("reseg", whole, prepared.intensity_mask, inside),
    )


def _image(step: str, voxels: NDArray[np.float32], spacing: Triple) -> list[Feature]:
    end = f"_{step}_img"
    found = _along_axes("img_dim", end, voxels.shape, "1", "image dimension")
    found += _along_axes("vox_dim", end, spacing, "mm", "voxel dimension")
    return found + _intensities("", end, voxels.ravel())


def _region(
    step: str, voxels: NDArray[np.float32], intensity_mask: NDArray[np.bool_], morphological_mask: NDArray[np.bool_]
) -> list[Feature]:
    end = f"_{step}_roi"
    found = _along_axes("int_mask_dim", end, voxels.shape, "1", "dimension of the intensity mask")
    for name, inside, words in (
        ("int_mask", intensity_mask, "intensity mask"),
        ("morph_mask", morphological_mask, "morphological mask"),
    ):
        found += _along_axes(f"{name}_bb_dim", end, _extent(inside), "1", f"bounding box of the {words}")
    for name, inside, words in (
        ("int_mask", intensity_mask, "intensity mask"),
        ("morph_mask", morphological_mask, "morphological mask"),
    ):
        count = float(np.count_nonzero(inside))
        found.append(Feature(f"{name}_vox_count{end}", count, "1", meaning=f"voxels of the {words}"))
    return found + _intensities("int_mask_", end, voxels[intensity_mask])


def _along_axes(name: str, end: str, values: tuple[float, ...], unit: str, meaning: str) -> list[Feature]:
    along = zip(AXES, reversed(values), strict=True)
    return [
        Feature(f"{name}_{axis}{end}", float(value), unit, meaning=f"{meaning} along {axis}") for axis, value in along
    ]


def _extent(inside: NDArray[np.bool_]) -> tuple[float, ...]:
    if not inside.any():
        return 0.0, 0.0, 0.0
    return tuple(float(side.stop - side.start) for side in bounding_box(inside))


def _intensities(start: str, end: str, values: NDArray[np.float32]) -> list[Feature]:
    if not values.size:
        nothing = "no voxel is left after re-segmentation"
        return [Feature(f"{start}{what}_int{end}", math.nan, "intensity", nothing) for what in ("mean", "min", "max")]
    return [
        Feature(f"{start}mean_int{end}", float(values.mean(dtype=np.float64)), "intensity", meaning="mean intensity"),
        Feature(f"{start}min_int{end}", float(values.min()), "intensity", meaning="minimum intensity"),
        Feature(f"{start}max_int{end}", float(values.max()), "intensity", meaning="maximum intensity"),
    ]
