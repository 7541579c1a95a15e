"""The interface into which everything that measures an image drops: radiomics now, encoders and biomarkers later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from prognoscope.core.geometry import Mask, Volume
from prognoscope.core.settings import Settings


class Feature(NamedTuple):
    """One number measured in one region of one image. A tuple, as a cohort with filters has millions.

    Attributes
    ----------
    name
        `[FILTER.][BINNING.]TAG`, the tag IBSI's where the standard has one; modality and region are put before it by
        the study. It does not change when other filters or families are added.
    value
        The number; NaN when it cannot be computed.
    unit
        `mm`, `mm2`, `mm3`, `1` (none), or `intensity` (and `intensity2`, …) for what has the image's own unit.
    reason
        Why the value is NaN; empty otherwise.
    meaning
        The feature's name in words, for the report.
    """

    name: str
    value: float
    unit: str
    reason: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """A way to measure a region, offered under a name of the study file (`measure: {radiomics: {…}}`).

    Attributes
    ----------
    name
        Key in the study file.
    settings
        Its settings class; the study file is validated against it before any work starts.
    version
        Raised when its results may change, so that cached results are not used again.
    measure
        `(volume, mask, settings, modality) -> features`, always the same features in the same order for the same
        settings, whatever the image. Raises `Refused` only when nothing can be measured (empty mask, grids differ).
    """

    name: str
    settings: type[Settings]
    version: int
    measure: Callable[[Volume, Mask, Any, str], tuple[Feature, ...]]
