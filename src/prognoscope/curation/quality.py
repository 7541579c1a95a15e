"""Is a volume fit to be measured: readable checks, each with its number and its limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from prognoscope.core.geometry import Mask, Volume
from prognoscope.core.images import ImageSeries
from prognoscope.core.problems import Problem

SATURATED_SHARE = 0.005
AIR_HU = -900.0  # of air (-1000), or what a scanner writes outside its field, every CT may hold much
SLICE_DEPARTS = 8.0
EMPTY_SLICES_SHARE = 0.2
NOISE_SHARE = 0.15  # of the contrast; white noise alone has 0.21 (1 of 4.65 standard deviations)
AXIAL = ("CT", "PT")
UPRIGHT = 0.7  # cosine: 45 degrees
LONGEST_ASPECT = 20.0
THUMBNAIL = 192
AGAIN = "look at it: release it with a reason, or fetch it again"


@dataclass(frozen=True, slots=True)
class Measured:
    """What the checks measured: shares in [0, 1], lowest value, noise and contrast in the volume's unit."""

    saturated: float
    lowest: float
    at_lowest: float
    empty_slices: float
    noise: float
    contrast: float


def measure(volume: Volume) -> Measured:
    """Measure a volume.

    Noise is the median absolute second difference along the rows, scaled to a standard deviation of white noise
    (Gaussian: MAD / 0.6745; the difference x₋₁ − 2 x₀ + x₊₁ has the variance 6 σ²).
    """
    voxels = volume.voxels
    low, high = float(voxels.min()), float(voxels.max())
    spread = voxels.max(axis=(1, 2)) - voxels.min(axis=(1, 2))
    second = np.diff(voxels, n=2, axis=2) if voxels.shape[2] > 2 else np.zeros(1, dtype=np.float32)
    inside = second[second != 0]
    noise = float(np.median(np.abs(inside)) / 0.6745 / np.sqrt(6)) if inside.size else 0.0
    return Measured(
        saturated=float(np.mean(voxels == high)) if high > low else 1.0,
        lowest=low,
        at_lowest=float(np.mean(voxels == low)),
        empty_slices=float(np.mean(spread == 0)),
        noise=noise,
        contrast=float(np.percentile(voxels, 99) - np.percentile(voxels, 1)),
    )


def check(series: ImageSeries, volume: Volume) -> tuple[Problem, ...]:
    """Say what is wrong with a volume; nothing when it passes.

    Checked are: an image without any contrast, saturation (more than 0.5 % of the voxels at the largest value; in a CT
    at the smallest too, where that is not air), empty
    slices (more than 20 %), one slice whose mean departs from its neighbours by eight times what is usual (a lost or
    foreign slice), noise above 15 % of the contrast (1st to 99th percentile), a CT or PET whose slices do not lie
    across the body, and voxels longer than 20 times their width.
    """
    found = measure(volume)
    problems = []

    def wrong(code: str, told: str) -> None:
        problems.append(Problem(code, f"series {series.uid}", told, AGAIN))

    if found.contrast == 0 or found.empty_slices == 1:
        wrong("image-empty", "it shows nothing: nearly all voxels have one value")
    elif found.saturated > SATURATED_SHARE:
        wrong("image-saturated", f"{100 * found.saturated:.1f} % of its voxels have the largest value there is")
    if series.unit == "HU" and found.lowest > AIR_HU and SATURATED_SHARE < found.at_lowest < 1:
        share = f"{100 * found.at_lowest:.1f} % of its voxels"
        wrong(
            "image-clipped", f"{share} have the smallest value, {found.lowest:.0f} HU: what lies below it was cut off"
        )
    if EMPTY_SLICES_SHARE < found.empty_slices < 1:
        wrong("slices-empty", f"{100 * found.empty_slices:.0f} % of its slices show nothing")
    if (odd := _odd_slice(volume)) is not None:
        wrong("slice-departs", f"slice {odd + 1} of {volume.grid.shape[0]} is unlike those beside it")
    if 0 < NOISE_SHARE * found.contrast < found.noise:
        wrong("image-noisy", f"its noise is {found.noise:.3g}, its contrast only {found.contrast:.3g}")
    if series.modality in AXIAL and abs(volume.grid.direction[2][0]) < UPRIGHT:
        wrong("orientation-unusual", f"its slices do not lie across the body, as those of {series.modality} do")
    if volume.grid.spacing[0] > LONGEST_ASPECT * min(volume.grid.spacing):
        wrong(
            "voxels-long",
            f"its voxels are {max(volume.grid.spacing) / min(volume.grid.spacing):.0f} times longer than wide",
        )
    return tuple(problems)


def check_coverage(series: ImageSeries, mask: Mask, *, region: str) -> tuple[Problem, ...]:
    """Say whether a region touches the first or last slice: it may be cut off."""
    touched = [name for name, part in (("first", mask.voxels[0]), ("last", mask.voxels[-1])) if part.any()]
    if not touched:
        return ()
    told = f"region {region} reaches the {' and the '.join(touched)} slice: it may be cut off"
    return (Problem("region-at-edge", f"series {series.uid}", told, AGAIN),)


def same_pixels(prints: Iterable[tuple[str, str, str]]) -> tuple[Problem, ...]:
    """Name volumes with the same pixels under two patients' IDs.

    Parameters
    ----------
    prints
        `(patient ID, series UID, hash of the voxels)` of each volume.
    """
    owners: dict[str, list[tuple[str, str]]] = {}
    for patient, uid, pixels in sorted(prints):
        owners.setdefault(pixels, []).append((patient, uid))
    return tuple(
        Problem(
            "pixels-of-two-patients",
            f"series {uid}",
            f"its pixels are those of a series of patient {' and of patient '.join(others)}",
            "find out whose they are; both stay out until one is released",
        )
        for group in owners.values()
        for patient, uid in group
        if (others := sorted({other for other, _ in group if other != patient}))
    )


def thumbnail(volume: Volume) -> bytes:
    """The middle slice as a small PNG, from the 1st to the 99th percentile of the volume."""
    low, high = np.percentile(volume.voxels, [1, 99])
    return slice_thumbnail(volume.voxels[volume.grid.shape[0] // 2], float(low), float(high))


def slice_thumbnail(middle: NDArray[Any], low: float, high: float) -> bytes:
    """One slice as a small PNG, black at `low` and below, white at `high` and above."""
    scaled = np.clip((middle - low) / (high - low if high > low else 1.0), 0, 1)
    image = Image.fromarray((255 * scaled).astype(np.uint8))
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _odd_slice(volume: Volume) -> int | None:
    """The slice whose mean lies furthest from the mean of its two neighbours, where that is far beyond the usual."""
    means = volume.voxels.mean(axis=(1, 2), dtype=np.float64)
    if len(means) < 7:
        return None
    departs = np.abs(means[1:-1] - (means[:-2] + means[2:]) / 2)
    usual = float(np.median(departs)) + 0.01 * float(np.ptp(means))
    worst = int(np.argmax(departs))
    alone = departs[worst] > SLICE_DEPARTS * max(usual, 1e-12) and departs[worst] > 0.5 * float(np.ptp(means))
    return worst + 1 if alone else None
