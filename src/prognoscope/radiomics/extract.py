"""A region's features: prepare the image, measure each family, name the values."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.geometry import Mask, Volume
from prognoscope.core.measures import Feature, Measure
from prognoscope.radiomics.autocorrelation import autocorrelation
from prognoscope.radiomics.catalogue import CATALOGUE
from prognoscope.radiomics.discretise import Levels, Undefined, discretise, padding
from prognoscope.radiomics.filters import FilterChoice, respond_each
from prognoscope.radiomics.frame import Frame, frame_of
from prognoscope.radiomics.histogram import histogram_features
from prognoscope.radiomics.local import local_peaks
from prognoscope.radiomics.morphology import morphology
from prognoscope.radiomics.prepare import PEAK_RADIUS_MM, Prepared, analysis_spacing, prepare, trim
from prognoscope.radiomics.settings import RadiomicsSettings
from prognoscope.radiomics.statistics import statistics
from prognoscope.radiomics.texture import TEXTURES, suffixes, textures
from prognoscope.radiomics.volumehistogram import volume_histogram_features

Values = Sequence[float] | Undefined
OF_SHAPE_AND_INTENSITY = ("morph_com", "morph_integ_int")
UNDEFINED = "not defined for this region: a quotient in its formula has the denominator 0"


def extract(volume: Volume, mask: Mask, settings: RadiomicsSettings, *, modality: str) -> tuple[Feature, ...]:
    """Measure a region of an image.

    Parameters
    ----------
    volume, mask
        On one grid; the mask has at least one voxel.
    settings
        What to measure; the same settings give the same features in the same order, whatever the image.
    modality
        DICOM modality (`CT`, `PT`, `MR`), which decides about rounding and the bins of the intensity-volume histogram
        where the settings leave them open.

    Returns
    -------
    Features by family in the order of `FAMILIES`, then by aggregation, then in the order of the catalogue; first of the
    image, then of the response map of each filter, under its label. What cannot be computed is NaN with its reason.

    Raises
    ------
    Refused
        `empty-mask`, `grids-differ`.
    """
    if not settings.filters:
        return measure_prepared(prepare(volume, mask, settings, modality=modality), settings, modality=modality)
    spacing = analysis_spacing(settings, volume.grid.spacing)
    margins = [max(PEAK_RADIUS_MM, choice.settings.margin_mm(spacing)) for choice in settings.filters]
    prepared = prepare(volume, mask, settings, modality=modality, margin_mm=max(margins))
    image = trim(prepared, PEAK_RADIUS_MM)
    frame = frame_of(image, padding(settings), keep=True)
    found = {-1: measure_prepared(image, settings, modality=modality, frame=frame)}
    plan = settings.for_responses
    for place, response in _responses(prepared, settings.filters, margins):
        prefix = f"{settings.filters[place].settings.label}."
        found[place] = measure_prepared(response, plan, modality=modality, prefix=prefix, frame=frame)
    return tuple(chain.from_iterable(found[place] for place in sorted(found)))


def _responses(
    prepared: Prepared, filters: Sequence[FilterChoice], margins: Sequence[float]
) -> Iterator[tuple[int, Prepared]]:
    """Place and response of each filter, made with the margin that it needs and cut to that of the image."""
    for margin in sorted(set(margins)):
        places = [place for place, own in enumerate(margins) if own == margin]
        image = trim(prepared, margin)
        for number, response in respond_each(image.intensities, image.spacing_mm, [filters[place] for place in places]):
            yield places[number], trim(replace(image, intensities=response), PEAK_RADIUS_MM)


def measure_prepared(
    prepared: Prepared, settings: RadiomicsSettings, *, modality: str, prefix: str = "", frame: Frame | None = None
) -> tuple[Feature, ...]:
    """Measure a prepared region.

    Parameters
    ----------
    prefix
        Put before every name, for instance `log_3mm.` for a filtered image.
    frame
        Of the region's masks, where it is at hand from another image of the region.
    """
    families = settings.chosen_families
    binned = [family for family in families if family == "histogram" or family in TEXTURES]
    measured: dict[str, dict[str, Values]] = {}
    values = prepared.intensities[prepared.intensity_mask]
    values.sort()
    trouble, ends = _trouble(values), values[[0, -1]].tolist() if values.size else []
    for family in _of(families, "statistics", "volume_histogram"):
        measured[family] = {"": trouble or _measure_values(values, family, settings, modality)}
    # A whole lung's values, and then its intensities, make room for what comes, if no one else needs them.
    del values
    for family in _of(families, "morphology", "autocorrelation", "local_intensity"):
        measured[family] = {"": _measure_space(prepared, family, trouble)}
    if binned:
        levels = trouble or discretise(prepared, ends, settings, frame or frame_of(prepared, padding(settings)))
        del prepared
        measured |= _measure_binned(levels, settings, binned)
    found: list[Feature] = []
    for family in families:
        before = prefix + (f"{settings.binning}." if family in binned else "")
        for suffix, numbers in measured[family].items():
            found += _named(family, numbers, before, suffix)
    return tuple(found if trouble is None else (_told(feature, trouble) for feature in found))


def _told(feature: Feature, trouble: Undefined) -> Feature:
    """Give a feature of shape that needs intensities the reason why there are none."""
    weighted = feature.name.endswith(OF_SHAPE_AND_INTENSITY)
    return feature._replace(reason=trouble.reason) if weighted else feature


def _of(families: Sequence[str], *some: str) -> list[str]:
    return [family for family in families if family in some]


def _measure_values(values: NDArray[np.float32], family: str, settings: RadiomicsSettings, modality: str) -> Values:
    """A family that is measured on the intensities of the mask, ascending, wherever they lie."""
    if family == "statistics":
        return statistics(values)
    return volume_histogram_features(values, settings, modality=modality)


def _measure_space(prepared: Prepared, family: str, trouble: Undefined | None) -> Values:
    """A family that is measured on shape or on intensities where they lie."""
    if family == "morphology":
        return morphology(prepared, with_intensities=trouble is None)
    if trouble is not None:
        return trouble
    return autocorrelation(prepared) if family == "autocorrelation" else local_peaks(prepared)


def _measure_binned(
    levels: Levels | Undefined, settings: RadiomicsSettings, families: Sequence[str]
) -> dict[str, dict[str, Values]]:
    """Families that are measured on grey levels: for each the suffix of each aggregation and its values."""
    if isinstance(levels, Undefined):
        return {family: dict.fromkeys(suffixes(family, settings), levels) for family in families}
    found: dict[str, dict[str, Values]] = dict(textures(levels, settings, [f for f in families if f in TEXTURES]))
    if "histogram" in families:
        found["histogram"] = {"": histogram_features(levels.histogram())}
    return found


def _trouble(values: NDArray[np.float32]) -> Undefined | None:
    """Why the intensities of a region cannot be measured, if so; `values` ascending, NaN last."""
    if not values.size:
        return Undefined("no voxel is left after re-segmentation")
    if not np.isfinite(values[[0, -1]]).all():
        wrong = values.size - int(np.count_nonzero(np.isfinite(values)))
        return Undefined(f"{wrong} of {values.size} voxels are not finite numbers")
    return None


def _named(family: str, values: Values, before: str, suffix: str) -> Iterator[Feature]:
    names, units, meanings = _described(family, before, suffix)
    if isinstance(values, Undefined):
        return map(Feature, names, repeat(math.nan), units, repeat(values.reason), meanings)
    reasons = [""] * len(names)
    if not math.isfinite(sum(values)):
        reasons = ["" if math.isfinite(value) else UNDEFINED for value in values]
    # No step of Python for each value: with filters, naming them took as long as a texture matrix.
    return map(Feature._make, zip(names, values, units, reasons, meanings, strict=True))


@functools.lru_cache(maxsize=4096)
def _described(family: str, before: str, suffix: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Names, units and meanings of the features of a family."""
    entries = CATALOGUE[family]
    names = tuple(before + entry.tag + suffix for entry in entries)
    return names, tuple(entry.unit for entry in entries), tuple(entry.meaning for entry in entries)


def _measure(volume: Volume, mask: Mask, settings: RadiomicsSettings, modality: str) -> tuple[Feature, ...]:
    return extract(volume, mask, settings, modality=modality)


MEASURES: tuple[Measure, ...] = (Measure("radiomics", RadiomicsSettings, 4, _measure),)
