"""Ready settings for CT, PET and MR: a start, to be looked at before a study depends on them."""

from __future__ import annotations

from dataclasses import dataclass

from prognoscope.radiomics.settings import Interpolation, RadiomicsSettings, Resegmentation


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings for one kind of image.

    Attributes
    ----------
    modality
        DICOM modality that they are meant for.
    why
        What they assume, in a sentence.
    """

    modality: str
    settings: RadiomicsSettings
    why: str


PRESETS: dict[str, Preset] = {
    "ct": Preset(
        "CT",
        RadiomicsSettings(interpolation=Interpolation(spacing_mm=1), bin_width=25, bin_start=-1000),
        "Hounsfield units mean the same in every scanner: bins of fixed size, counted from air.",
    ),
    "pet": Preset(
        "PT",
        RadiomicsSettings(interpolation=Interpolation(spacing_mm=3), bin_width=0.25, bin_start=0),
        "The image is in SUV: bins of fixed size, counted from no uptake.",
    ),
    "mr": Preset(
        "MR",
        RadiomicsSettings(
            interpolation=Interpolation(spacing_mm=1), resegmentation=Resegmentation(outliers_sd=3), bins=32
        ),
        "Intensities have no unit: a fixed number of bins, after voxels beyond three standard deviations have left.",
    ),
}
