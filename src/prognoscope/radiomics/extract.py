"""A region's features: prepare the image, measure each family, name the values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from prognoscope.core.geometry import Mask, Volume
from prognoscope.core.measures import Feature, Measure
from prognoscope.radiomics.autocorrelation import autocorrelation
from prognoscope.radiomics.catalogue import CATALOGUE
from prognoscope.radiomics.discretise import Undefined, discretise
from prognoscope.radiomics.histogram import histogram_features
from prognoscope.radiomics.local import local_peaks
from prognoscope.radiomics.morphology import morphology
from prognoscope.radiomics.prepare import Prepared, prepare
from prognoscope.radiomics.settings import RadiomicsSettings
from prognoscope.radiomics.statistics import statistics
from prognoscope.radiomics.texture import TEXTURES, suffixes, textures
from prognoscope.radiomics.volumehistogram import volume_histogram_features

Values = Sequence[float] | Undefined
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
    Features by family in the order of `FAMILIES`, then by aggregation, then in the order of the catalogue. What cannot
    be computed is NaN with its reason.

    Raises
    ------
    Refused
        `empty-mask`, `grids-differ`.
    """
    prepared = prepare(volume, mask, settings, modality=modality)
    return measure_prepared(prepared, settings, modality=modality)


def measure_prepared(
    prepared: Prepared, settings: RadiomicsSettings, *, modality: str, prefix: str = "", shape: bool = True
) -> tuple[Feature, ...]:
    """Measure a prepared region.

    Parameters
    ----------
    prefix
        Put before every name, for instance `log_3mm.` for a filtered image.
    shape
        Whether to measure the morphological mask too: not for a filtered image, whose shape is that of the original.
    """
    families = [family for family in settings.chosen_families if shape or family != "morphology"]
    plain = [family for family in families if family != "histogram" and family not in TEXTURES]
    binned = [family for family in families if family not in plain]
    measured = {family: {"": values} for family, values in _measure_plain(prepared, settings, modality, plain).items()}
    measured |= _measure_binned(prepared, settings, binned)
    found: list[Feature] = []
    for family in families:
        before = prefix + (f"{settings.binning}." if family in binned else "")
        for suffix, values in measured[family].items():
            found += _named(family, values, before, suffix)
    return tuple(found)


def _measure_plain(
    prepared: Prepared, settings: RadiomicsSettings, modality: str, families: Sequence[str]
) -> dict[str, Values]:
    """Families that are measured on intensities as they are."""
    found: dict[str, Values] = {}
    if "morphology" in families:
        found["morphology"] = morphology(prepared)
    trouble = _trouble(prepared)
    if trouble is not None:
        return found | {family: trouble for family in families if family != "morphology"}
    if "autocorrelation" in families:
        found["autocorrelation"] = autocorrelation(prepared)
    if "local_intensity" in families:
        found["local_intensity"] = local_peaks(prepared)
    if "statistics" in families or "volume_histogram" in families:
        values = np.sort(prepared.intensities[prepared.intensity_mask]).astype(np.float64)
        found["statistics"] = statistics(values)
        found["volume_histogram"] = volume_histogram_features(values, settings, modality=modality)
    return found


def _measure_binned(
    prepared: Prepared, settings: RadiomicsSettings, families: Sequence[str]
) -> dict[str, dict[str, Values]]:
    """Families that are measured on grey levels: for each the suffix of each aggregation and its values."""
    if not families:
        return {}
    levels = _trouble(prepared) or discretise(prepared, settings)
    if isinstance(levels, Undefined):
        return {family: dict.fromkeys(suffixes(family, settings), levels) for family in families}
    found: dict[str, dict[str, Values]] = dict(textures(levels, settings, [f for f in families if f in TEXTURES]))
    if "histogram" in families:
        found["histogram"] = {"": histogram_features(levels.histogram())}
    return found


def _trouble(prepared: Prepared) -> Undefined | None:
    """Why the intensities of a region cannot be measured, if so."""
    values = prepared.intensities[prepared.intensity_mask]
    if not values.size:
        return Undefined("no voxel is left after re-segmentation")
    wrong = values.size - int(np.count_nonzero(np.isfinite(values)))
    if wrong:
        return Undefined(f"{wrong} of {values.size} voxels are not finite numbers")
    return None


def _named(family: str, values: Values, before: str, suffix: str) -> list[Feature]:
    entries = CATALOGUE[family]
    if isinstance(values, Undefined):
        reason, numbers = values.reason, [math.nan] * len(entries)
    else:
        reason, numbers = UNDEFINED, [float(value) for value in values]
    return [
        Feature(
            name=before + entry.tag + suffix,
            value=value,
            unit=entry.unit,
            reason="" if math.isfinite(value) else reason,
            meaning=entry.meaning,
        )
        for entry, value in zip(entries, numbers, strict=True)
    ]


def _measure(volume: Volume, mask: Mask, settings: RadiomicsSettings, modality: str) -> tuple[Feature, ...]:
    return extract(volume, mask, settings, modality=modality)


MEASURES: tuple[Measure, ...] = (Measure("radiomics", RadiomicsSettings, 1, _measure),)
