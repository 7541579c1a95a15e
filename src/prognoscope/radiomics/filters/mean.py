"""Mean filter (IBSI chapter 2, section 3.2): the average over a square or cube around each voxel."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy
from pydantic import Field, field_validator

from prognoscope.radiomics.filters.boundary import Boundary, Float32
from prognoscope.radiomics.filters.settings import FilterSettings, Spacing

_SCIPY_MODE: dict[Boundary, Literal["constant", "nearest", "wrap", "reflect"]] = {
    "zero": "constant",
    "constant": "constant",
    "nearest": "nearest",
    "periodic": "wrap",
    "mirror": "reflect",
}


class MeanSettings(FilterSettings):
    """Settings of the mean filter."""

    support: int = Field(5, gt=0, description="edge of the square or cube, in voxels, odd")

    @field_validator("support")
    @classmethod
    def _odd(cls, support: int) -> int:
        if support % 2 == 0:
            raise ValueError("support must be odd, so that the square has a middle")
        return support

    def words(self) -> list[str]:
        """Its part of a feature's name: the filter, then what differs from the usual."""
        return ["mean", str(self.support)]

    def reach_mm(self, spacing_mm: Spacing) -> float:
        """How far a response looks beyond its voxel, mm."""
        return self.support // 2 * max(spacing_mm)


def mean(voxels: Float32, spacing_mm: Spacing, settings: MeanSettings) -> Float32:  # noqa: ARG001
    """Average of the M^D voxels around each voxel, M the support and D the dimensions."""
    return local_mean(voxels, settings.support, settings, outside=settings.boundary_value)


def local_mean(voxels: Float32, support: int, settings: FilterSettings, *, outside: float) -> Float32:
    """Average over a square or cube of `support` voxels, in time that does not depend on the support.

    Parameters
    ----------
    outside
        What a constant boundary has beyond the edge.
    """
    average = np.asarray(voxels, dtype=np.float32)
    mode = _SCIPY_MODE[settings.boundary]
    for axis in range(3 - settings.dimensions, 3):
        average = scipy.ndimage.uniform_filter1d(average, support, axis=axis, mode=mode, cval=outside)
    return average
