"""An imaging predictor of the study file: what is measured in which region, and which features are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from prognoscope.core.measures import Measure
from prognoscope.core.settings import Settings
from prognoscope.curation import Role
from prognoscope.radiomics.perturb import PerturbationSettings
from prognoscope.training import KeepRule


def named(value: Any) -> Any:
    """Let `[a, {b: {…}}]` and `{a: {}, b: {…}}` mean the same."""
    entries = value if isinstance(value, list) else [value]
    if isinstance(value, Mapping) or not all(isinstance(entry, str | Mapping) for entry in entries):
        return value
    named: dict[str, Any] = {}
    for entry in entries:
        named |= {entry: {}} if isinstance(entry, str) else dict(entry)
    return named


Offers = Annotated[dict[str, dict[str, Any] | None], BeforeValidator(named)]


class Perturbations(PerturbationSettings):
    """Contours that another person might have drawn; on each the features are measured again."""

    count: int = Field(10, ge=2, le=100, description="perturbed contours of each region, drawn by the study's seed")

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if not (self.rotation_deg or any(self.shift_mm) or any(self.growth_mm) or self.roughness_mm):
            raise ValueError("they move nothing; give rotation_deg, shift_mm, growth_mm or roughness_mm")
        return self


class ImagingPredictor(Settings):
    """What to measure in which region of which image."""

    image: str = Field(description="DICOM modality: CT, MR, PT, …")
    name: str = Field("", description="name of the role in results (`MR_T1`); the modality by default")
    series: str = Field(
        "*", description="pattern of the series description (`*`, `?`), where a patient has several series"
    )
    region: str = Field("*", description="pattern of the region of interest's name, upper and lower case count")
    label: str = Field("*", description="pattern of the region set's label")
    choose: Literal["only", "newest", "oldest"] = Field(
        "only",
        description="what to do when several regions match: refuse (`only`), or go by the date of the region set",
    )
    measure: Offers = Field({"radiomics": {}}, description="what to measure, by name, each with its own settings")
    perturbations: Perturbations | None = Field(
        None, description="measure on perturbed contours too, to see which features a contour changes"
    )
    keep: KeepRule | None = Field(
        None, description="which features models may use, judged on the perturbed contours of training patients alone"
    )

    @model_validator(mode="after")
    def _kept_by_perturbations(self) -> Self:
        if self.keep is not None and self.perturbations is None:
            raise ValueError("`keep:` judges features on perturbed contours; describe them under `perturbations:`")
        return self

    @property
    def role(self) -> Role:
        """What to look for in each patient."""
        return Role(
            name=self.result_name,
            modality=self.image,
            region=self.region,
            series=self.series,
            label=self.label,
            rule=self.choose,
        )

    @property
    def result_name(self) -> str:
        """First part of the features' names."""
        return self.name or self.image

    @property
    def region_name(self) -> str:
        """Second part of the features' names: the pattern without its wildcards."""
        return re.sub(r"[^A-Za-z0-9_-]+", "", self.region) or "ROI"


@dataclass(frozen=True, slots=True)
class Measurement:
    """An imaging predictor's measure with its settings, checked."""

    predictor: ImagingPredictor
    measure: Measure
    settings: Settings
