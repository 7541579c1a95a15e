"""What is measured and how: the settings of radiomics, in the terms of the IBSI reference manual (arXiv 1612.07003)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from prognoscope.core.settings import Settings, nearest
from prognoscope.radiomics.filters import FilterChoice

Norm = Literal["manhattan", "euclidean", "chebyshev"]
SplineOrder = Literal["nearest", "linear", "cubic"]
Aggregation = Literal[
    "2D averaged", "2D slice-merged", "2.5D direction-merged", "2.5D merged", "3D averaged", "3D merged"
]
AGGREGATIONS: tuple[Aggregation, ...] = (
    "2D averaged",
    "2D slice-merged",
    "2.5D direction-merged",
    "2.5D merged",
    "3D averaged",
    "3D merged",
)

FAMILIES: tuple[str, ...] = (
    "morphology",
    "autocorrelation",
    "local_intensity",
    "statistics",
    "histogram",
    "volume_histogram",
    "glcm",
    "glrlm",
    "glszm",
    "gldzm",
    "ngtdm",
    "ngldm",
)
"""Families in the order in which their features are given. `autocorrelation` holds Moran's I and Geary's C, which IBSI
counts among morphology: they cost more than all others together, and so are named apart."""

FAMILY_GROUPS: dict[str, tuple[str, ...]] = {
    "all": FAMILIES,
    "intensity": ("statistics", "histogram", "volume_histogram"),
    "texture": ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm"),
}
"""Words that stand for several families."""

Bins = Annotated[int, Field(ge=2, le=65535)]
Positive = Annotated[float, Field(gt=0)]


def _refuse_both(bins: int | None, bin_width: float | None) -> None:
    if bins is not None and bin_width is not None:
        raise ValueError("give `bins` (fixed number) or `bin_width` (fixed size), not both")


class Interpolation(Settings):
    """Resampling to a new grid whose centre is the centre of the image (manual, section 2.4)."""

    spacing_mm: Positive = Field(description="Distance between new voxel centres, mm.")
    slices: Literal["interpolate", "keep"] = Field(
        "interpolate", description="`keep` interpolates within slices only (the manual's 2D interpolation)."
    )
    slice_spacing_mm: Positive | None = Field(
        None, description="Distance between new slices, mm, where it differs from `spacing_mm`."
    )
    image_spline: SplineOrder = Field("linear", description="Spline order for intensities.")
    mask_spline: Literal["nearest", "linear"] = Field("linear", description="Spline order for the mask.")
    partial_volume_threshold: float = Field(
        0.5, gt=0, le=1, description="Interpolated mask values at or above this belong to the region."
    )
    round_intensities: bool | None = Field(
        None, description="Round to whole intensities afterwards; left out: for CT only."
    )

    @model_validator(mode="after")
    def _slice_spacing_needs_new_slices(self) -> Self:
        if self.slices == "keep" and self.slice_spacing_mm is not None:
            raise ValueError("`slices: keep` leaves no room for `slice_spacing_mm`")
        return self


class Resegmentation(Settings):
    """Which voxels leave the intensity mask (manual, section 2.6); the morphological mask is not changed."""

    range: tuple[float | None, float | None] | None = Field(
        None, description="Lowest and highest intensity that stays, in the image's unit; null leaves an end open."
    )
    outliers_sd: Positive | None = Field(
        None, description="Voxels further than this many standard deviations from the region's mean leave."
    )

    @field_validator("range")
    @classmethod
    def _ordered(cls, value: tuple[float | None, float | None] | None) -> tuple[float | None, float | None] | None:
        if value is not None and None not in value and value[0] >= value[1]:  # type: ignore[operator]
            raise ValueError(f"the lowest intensity {value[0]} is not below the highest {value[1]}")
        return value


class VolumeHistogram(Settings):
    """Discretisation of the intensity-volume histogram (manual, section 3.5), apart from that of the textures."""

    bins: Bins | None = Field(None, description="Fixed number of bins.")
    bin_width: Positive | None = Field(None, description="Fixed bin size, in the image's unit.")
    whole_intensities: bool = Field(
        False,
        description="No discretisation: each whole intensity is its own bin (the manual's definite discrete case).",
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        _refuse_both(self.bins, self.bin_width)
        if self.whole_intensities and (self.bins or self.bin_width):
            raise ValueError("`whole_intensities` needs neither `bins` nor `bin_width`")
        return self


class Cooccurrence(Settings):
    """Grey level co-occurrence matrix (manual, section 3.6)."""

    distance: int = Field(1, ge=1, le=10, description="Chebyshev distance between the voxels of a pair, voxels.")
    weighting: Norm | None = Field(
        None, description="Weigh directions by exp(-d²), d the length of the step in voxels by this norm."
    )


class RunLength(Settings):
    """Grey level run length matrix (manual, section 3.7)."""

    weighting: Norm | None = Field(
        None, description="Weigh directions by exp(-d²), d the length of the step in voxels by this norm."
    )


class ToneDifference(Settings):
    """Neighbourhood grey tone difference matrix (manual, section 3.10)."""

    distance: int = Field(1, ge=1, le=5, description="Reach of the neighbourhood, voxels.")
    norm: Norm = Field("chebyshev", description="How the reach is measured.")


class Dependence(Settings):
    """Neighbouring grey level dependence matrix (manual, section 3.11)."""

    distance: int = Field(1, ge=1, le=5, description="Reach of the neighbourhood, voxels.")
    norm: Norm = Field("chebyshev", description="How the reach is measured.")
    coarseness: int = Field(0, ge=0, description="Largest difference in grey levels that counts as dependent.")


class RadiomicsSettings(Settings):
    """What to measure in a region, and how the image is prepared for it.

    The order of work is the manual's: interpolate, round, re-segment, filter, discretise, measure. All is in three
    dimensions and merged over directions unless `aggregations` says otherwise.
    """

    families: tuple[str, ...] = Field(
        ("all",), description="Families of features, or the words `all`, `intensity` and `texture`."
    )
    interpolation: Interpolation | None = Field(None, description="Left out: the image's own grid.")
    resegmentation: Resegmentation = Field(Resegmentation(), description="Left out: all voxels of the mask.")
    bins: Bins | None = Field(None, description="Fixed number of bins (FBN); 32 when no discretisation is given.")
    bin_width: Positive | None = Field(None, description="Fixed bin size (FBS), in the image's unit.")
    bin_start: float | None = Field(
        None,
        description="Lower end of the first bin of fixed size; left out: the low end of the re-segmentation range, "
        "else the region's lowest intensity.",
    )
    aggregations: tuple[Aggregation, ...] = Field(
        ("3D merged",), min_length=1, description="How texture matrices of directions and slices are put together."
    )
    filters: tuple[FilterChoice, ...] = Field(
        (),
        description="Filters whose response maps are measured like the image, morphology and autocorrelation left out; "
        "their bins are always of fixed number (`bins`, or 32), as a response has no unit to give a bin a size.",
    )
    volume_histogram: VolumeHistogram = Field(
        VolumeHistogram(),
        description="Left out: whole intensities for CT, bins of 0.1 for PET, 1000 bins for all else.",
    )
    glcm: Cooccurrence = Cooccurrence()
    glrlm: RunLength = RunLength()
    ngtdm: ToneDifference = ToneDifference()
    ngldm: Dependence = Dependence()

    @field_validator("families")
    @classmethod
    def _known_families(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = (*FAMILIES, *FAMILY_GROUPS)
        if not value:
            raise ValueError("name at least one family")
        for word in value:
            if word not in known:
                near = nearest(word, known)
                hint = f"did you mean `{near}`?" if near else f"known are {', '.join(known)}"
                raise ValueError(f"no family `{word}`; {hint}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.bin_start is not None and self.bin_width is None:
            raise ValueError("`bin_start` belongs to `bin_width`")
        _refuse_both(self.bins, self.bin_width)
        return self

    @field_validator("filters")
    @classmethod
    def _each_filter_once(cls, value: tuple[FilterChoice, ...]) -> tuple[FilterChoice, ...]:
        labels = [choice.settings.label for choice in value]
        for label in labels:
            if labels.count(label) > 1:
                raise ValueError(f"the filter {label} is named twice")
        return value

    @property
    def for_responses(self) -> RadiomicsSettings:
        """Settings by which the response maps of filters are measured."""
        families = tuple(name for name in self.chosen_families if name not in ("morphology", "autocorrelation"))
        bins = self.bins or 32
        histogram = VolumeHistogram(bins=self.volume_histogram.bins or 1000)
        update = {"families": families, "bins": bins, "bin_width": None, "bin_start": None, "filters": ()}
        return self.model_copy(update=update | {"volume_histogram": histogram})

    @property
    def chosen_families(self) -> tuple[str, ...]:
        """The families to measure, groups resolved, each once and in the order of `FAMILIES`."""
        chosen = {family for word in self.families for family in FAMILY_GROUPS.get(word, (word,))}
        return tuple(family for family in FAMILIES if family in chosen)

    @property
    def chosen_aggregations(self) -> tuple[Aggregation, ...]:
        """The aggregations, each once and in the manual's order."""
        return tuple(aggregation for aggregation in AGGREGATIONS if aggregation in self.aggregations)

    @property
    def number_of_bins(self) -> int | None:
        """Number of bins where they are fixed in number; None where they are fixed in size."""
        return None if self.bin_width is not None else self.bins or 32

    @property
    def binning(self) -> str:
        """The part of a feature's name that says how intensities were discretised (`fbn32`, `fbs25`, `fbs0_5`)."""
        if self.bin_width is not None:
            return f"fbs{self.bin_width:g}".replace(".", "_")
        return f"fbn{self.number_of_bins}"
