"""Where a model fails: groups that a tree found, and single patients with those most like them."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.geometry import Mask, Volume
from prognoscope.report.rounding import count, figure, of_hundred, p_value
from prognoscope.validation.slices import Slice

THUMBNAIL_PIXELS = 128
MARGIN = 0.5
CERTAIN_BELOW = 0.05


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small grey picture `(rows, columns)` of bytes, and what it shows."""

    caption: str
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A training patient like the one in question: distance in standardised predictors (root mean square)."""

    patient: str
    distance: float
    happened: bool | None


@dataclass(frozen=True, slots=True)
class WorstCase:
    """A patient whose risk was far from what happened.

    Attributes
    ----------
    patient
        As the study names the patient.
    risk
        Mean out-of-fold risk.
    happened
        Whether the event happened (by the horizon).
    nearest
        Training patients most like this one, the nearest first; `happened` is None where it is not known.
    thumbnails
        Of the images.
    """

    patient: str
    risk: float
    happened: bool
    nearest: tuple[Neighbour, ...] = ()
    thumbnails: tuple[Thumbnail, ...] = ()


@dataclass(frozen=True, slots=True)
class Failures:
    """Error analysis of the main model.

    Attributes
    ----------
    slices
        Groups found by a shallow tree in half of the patients and tested in the other half.
    searched
        Whether slices were looked for: False with too few patients, None when nobody asked.
    worst
        Patients whose risk was furthest from what happened, the worst first.
    """

    slices: tuple[Slice, ...] = ()
    searched: bool | None = True
    worst: tuple[WorstCase, ...] = ()


def thumbnail(volume: Volume, mask: Mask | None, *, caption: str) -> Thumbnail:
    """Make a thumbnail of a volume: the slice with most of the mask (the middle one without), around it.

    Intensities run from black at the 1st to white at the 99th percentile of what is shown; voxels become square
    by nearest neighbours, at most 128 pixels a side.
    """
    voxels, spacing = volume.voxels, volume.grid.spacing
    z, window = _window(mask.voxels if mask is not None and mask.voxels.any() else None, voxels.shape)
    shown = voxels[z][window].astype(float)
    low, high = np.percentile(shown[np.isfinite(shown)], (1, 99)) if np.isfinite(shown).any() else (0.0, 1.0)
    grey = np.nan_to_num(np.clip((shown - low) / max(high - low, 1e-9), 0, 1)) * 255
    size_mm = np.array(shown.shape) * spacing[1:]
    pixels = np.maximum(np.round(size_mm / size_mm.max() * THUMBNAIL_PIXELS), 1).astype(int)
    rows, columns = (
        np.minimum((np.arange(wanted) + 0.5) * there / wanted, there - 1).astype(int)
        for wanted, there in zip(pixels, shown.shape, strict=True)
    )
    return Thumbnail(caption, grey[np.ix_(rows, columns)].astype(np.uint8))


@dataclass(frozen=True, slots=True)
class CaseShown:
    """A worst case in words, its pictures as data addresses."""

    title: str
    told: str
    nearest: str
    pictures: tuple[tuple[str, str], ...]


def slice_rows(slices: Sequence[Slice]) -> tuple[tuple[str, str, str, str, str], ...]:
    """Return rule, patients, error in it and elsewhere, and p value of each slice."""
    return tuple(
        (one.rule, f"{one.n:,}", figure(one.error, 3), figure(one.elsewhere, 3), p_value(one.p)) for one in slices
    )


def slices_in_words(failures: Failures) -> str:
    """Return what the search for slices found."""
    if failures.searched is None:
        return ""
    if not failures.searched:
        return "Groups in which the predictor errs more were not looked for: too few patients to find and test them."
    certain = [one for one in failures.slices if one.p < CERTAIN_BELOW]
    if not certain:
        return (
            "In half of the patients a shallow tree looked for groups in which the predictor errs more than its risks "
            "say; tested in the other half, none was worse than chance allows."
        )
    worst = max(certain, key=lambda one: one.error)
    return (
        f"{count(len(certain), 'group')} found in half of the patients and confirmed in the other half, in which the "
        f"predictor errs more than its own risks say; the worst where {worst.rule}."
    )


def cases_shown(worst: Sequence[WorstCase]) -> tuple[CaseShown, ...]:
    """Return the worst cases in words, with pictures that the page carries within."""
    return tuple(
        CaseShown(
            title=one.patient,
            told=f"risk {of_hundred(one.risk)} of 100, the event {_happened(one.happened)}",
            nearest="; ".join(_neighbour(near) for near in one.nearest),
            pictures=tuple((picture.caption, _address(picture.pixels)) for picture in one.thumbnails),
        )
        for one in worst
    )


def _happened(happened: bool | None) -> str:
    return "is not known" if happened is None else "happened" if happened else "did not happen"


def _neighbour(near: Neighbour) -> str:
    distance = "" if math.isnan(near.distance) else f", distance {figure(near.distance)}"
    return f"{near.patient}: the event {_happened(near.happened)}{distance}"


def _window(inside: NDArray[np.bool_] | None, shape: tuple[int, ...]) -> tuple[int, tuple[slice, slice]]:
    if inside is None:
        return shape[0] // 2, (slice(None), slice(None))
    z = int(inside.sum(axis=(1, 2)).argmax())
    ends = []
    for axis in (1, 0):
        found = np.flatnonzero(inside[z].any(axis=axis))
        reach = max(int(MARGIN * (found[-1] - found[0] + 1)), 4)
        ends.append(slice(max(found[0] - reach, 0), found[-1] + reach + 1))
    return z, (ends[0], ends[1])


def _address(pixels: NDArray[np.uint8]) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
