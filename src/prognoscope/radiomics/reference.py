"""The settings of IBSI chapter 1: the digital phantom and configurations A to E (arXiv 1612.07003, chapter 5)."""

from __future__ import annotations

from prognoscope.radiomics.settings import (
    AGGREGATIONS,
    Aggregation,
    Interpolation,
    RadiomicsSettings,
    Resegmentation,
    VolumeHistogram,
)

WITHIN_SLICES: tuple[Aggregation, ...] = AGGREGATIONS[:4]
IN_SPACE: tuple[Aggregation, ...] = AGGREGATIONS[4:]

CONFIGURATIONS: dict[str, RadiomicsSettings] = {
    # Intensities 1 to 6 are their own grey levels.
    "digital_phantom": RadiomicsSettings(
        bin_width=1, volume_histogram=VolumeHistogram(whole_intensities=True), aggregations=AGGREGATIONS
    ),
    "A": RadiomicsSettings(resegmentation=Resegmentation(range=(-500, 400)), bin_width=25, aggregations=WITHIN_SLICES),
    "B": RadiomicsSettings(
        interpolation=Interpolation(spacing_mm=2, slices="keep"),
        resegmentation=Resegmentation(range=(-500, 400)),
        bins=32,
        aggregations=WITHIN_SLICES,
    ),
    "C": RadiomicsSettings(
        interpolation=Interpolation(spacing_mm=2),
        resegmentation=Resegmentation(range=(-1000, 400)),
        bin_width=25,
        volume_histogram=VolumeHistogram(bin_width=2.5),
        aggregations=IN_SPACE,
    ),
    "D": RadiomicsSettings(
        interpolation=Interpolation(spacing_mm=2),
        resegmentation=Resegmentation(outliers_sd=3),
        bins=32,
        aggregations=IN_SPACE,
    ),
    "E": RadiomicsSettings(
        interpolation=Interpolation(spacing_mm=2, image_spline="cubic"),
        resegmentation=Resegmentation(range=(-1000, 400), outliers_sd=3),
        bins=32,
        volume_histogram=VolumeHistogram(bins=1000),
        aggregations=IN_SPACE,
    ),
}


def configuration(name: str) -> RadiomicsSettings:
    """Return the settings of `digital_phantom`, `A`, `B`, `C`, `D` or `E`; KeyError for another name."""
    return CONFIGURATIONS[name]
