"""The six texture matrices of a region, in every aggregation that is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.aggregate import Aggregated
from prognoscope.radiomics.directions import DIMENSION_SUFFIX, SUFFIX, Dimension, dimensions
from prognoscope.radiomics.discretise import Levels, Undefined
from prognoscope.radiomics.glcm import glcm
from prognoscope.radiomics.glrlm import glrlm
from prognoscope.radiomics.neighbourhood import ngldm, ngtdm
from prognoscope.radiomics.settings import RadiomicsSettings
from prognoscope.radiomics.zonematrix import gldzm, glszm
from prognoscope.radiomics.zones import find_zones

TEXTURES = ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
DIRECTED = ("glcm", "glrlm")
BySuffix = dict[str, Sequence[float] | Undefined]


def suffixes(family: str, settings: RadiomicsSettings) -> list[str]:
    """What the names of a family's features end in, one for each aggregation."""
    if family in DIRECTED:
        return [SUFFIX[aggregation] for aggregation in settings.chosen_aggregations]
    if family in TEXTURES:
        return [DIMENSION_SUFFIX[dimension] for dimension in dimensions(settings.chosen_aggregations)]
    return [""]


def textures(levels: Levels, settings: RadiomicsSettings, families: Sequence[str]) -> dict[str, BySuffix]:
    """Features of each family by the suffix of the aggregation."""
    aggregations = settings.chosen_aggregations
    found: dict[str, BySuffix] = {family: {} for family in families}
    directed: dict[str, Aggregated | Undefined] = {}
    if "glcm" in families:
        directed["glcm"] = glcm(levels, settings.glcm, aggregations)
    if "glrlm" in families:
        directed["glrlm"] = glrlm(levels, settings.glrlm, aggregations)
    for family, aggregated in directed.items():
        if isinstance(aggregated, Undefined):
            found[family] = dict.fromkeys(suffixes(family, settings), aggregated)
        else:
            found[family] = {SUFFIX[aggregation]: _plain(values) for aggregation, values in aggregated.items()}
    for dimension in dimensions(aggregations):
        for family, values in _undirected(levels, settings, dimension, families).items():
            found[family][DIMENSION_SUFFIX[dimension]] = values if isinstance(values, Undefined) else _plain(values)
    return found


def _undirected(
    levels: Levels, settings: RadiomicsSettings, dimension: Dimension, families: Sequence[str]
) -> dict[str, NDArray[np.float64] | Undefined]:
    found: dict[str, NDArray[np.float64] | Undefined] = {}
    if "glszm" in families or "gldzm" in families:
        zones = find_zones(levels, within_slices=dimension != "3D")
        if "glszm" in families:
            found["glszm"] = glszm(zones, levels, dimension)
        if "gldzm" in families:
            found["gldzm"] = gldzm(zones, levels, dimension)
    if "ngtdm" in families:
        found["ngtdm"] = ngtdm(levels, settings.ngtdm, dimension)
    if "ngldm" in families:
        found["ngldm"] = ngldm(levels, settings.ngldm, dimension)
    return found


def _plain(values: NDArray[np.float64]) -> list[float]:
    return [float(value) for value in values]
