"""What all filters have in common: the dimensions they look along, the boundary, and how rotated copies are pooled."""

from __future__ import annotations

import math
from typing import Literal, Self

from pydantic import Field, model_validator

from prognoscope.core.settings import Settings
from prognoscope.radiomics.filters.boundary import Boundary

Pooling = Literal["average", "max", "min"]
Spacing = tuple[float, float, float]


class FilterSettings(Settings):
    """Settings that every filter has."""

    dimensions: Literal[2, 3] = Field(3, description="2: each slice by itself; 3: the volume")
    boundary: Boundary = Field("mirror", description="what the filter sees beyond the edge of the image")
    boundary_value: float = Field(0.0, description="intensity beyond the edge, for `boundary: constant`")

    @model_validator(mode="after")
    def _value_only_when_constant(self) -> Self:
        if self.boundary != "constant" and self.boundary_value != 0.0:
            raise ValueError("boundary_value has an effect with `boundary: constant` only")
        return self

    @property
    def label(self) -> str:
        """Name of the response in a feature's name, such as `log_3mm`: whatever is not the default is in it."""
        words = self.words()
        if self.dimensions == 2:
            words.append("2d")
        if self.boundary == "constant":
            words.append(f"constant{spelled(self.boundary_value)}")
        elif self.boundary != "mirror":
            words.append(self.boundary)
        return "_".join(words)

    def margin_mm(self, spacing_mm: Spacing) -> float:
        """How much of the image around a region decides the response inside; infinite where all of it does."""
        return math.inf if self.boundary == "periodic" else self.reach_mm(spacing_mm)

    def words(self) -> list[str]:
        """Words of the label that belong to the filter itself."""
        raise NotImplementedError

    def reach_mm(self, spacing_mm: Spacing) -> float:
        """Half the extent of the kernel, mm."""
        raise NotImplementedError


class PooledSettings(FilterSettings):
    """Settings of a filter with a direction, which may be applied in all right-angled rotations."""

    pooling: Pooling | None = Field(
        None, description="how the responses of all right-angled rotations become one; none: one direction only"
    )


def spelled(number: float) -> str:
    """Write a number as in a feature's name, where a point separates parts: `1_5`."""
    return f"{number:g}".replace(".", "_")
