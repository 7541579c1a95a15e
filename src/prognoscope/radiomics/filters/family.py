"""All filters in one list, and the settings by which one of them is chosen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from prognoscope.core.settings import Settings
from prognoscope.radiomics.filters.boundary import Boundary, Float32
from prognoscope.radiomics.filters.gabor import GaborSettings, gabor
from prognoscope.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussianSettings, laplacian_of_gaussian
from prognoscope.radiomics.filters.laws import LawsSettings, laws
from prognoscope.radiomics.filters.mean import MeanSettings, mean
from prognoscope.radiomics.filters.nonseparable_wavelet import NonseparableWaveletSettings, nonseparable_wavelet
from prognoscope.radiomics.filters.rotation import Product, product_of, responses
from prognoscope.radiomics.filters.separable_wavelet import (
    SeparableWaveletSettings,
    separable_wavelet,
    wavelet_kernels,
)
from prognoscope.radiomics.filters.settings import FilterSettings, Spacing


@dataclass(frozen=True, slots=True)
class Filter:
    """A kind of filter.

    Attributes
    ----------
    name
        Its key in the settings.
    settings
        Its settings class.
    respond
        `(voxels [z, y, x], spacing_mm (z, y, x), settings) -> response`, float32 of the same shape.
    """

    name: str
    settings: type[FilterSettings]
    respond: Callable[[Float32, Spacing, Any], Float32]


FILTERS: tuple[Filter, ...] = (
    Filter("mean", MeanSettings, mean),
    Filter("laplacian_of_gaussian", LaplacianOfGaussianSettings, laplacian_of_gaussian),
    Filter("laws", LawsSettings, laws),
    Filter("gabor", GaborSettings, gabor),
    Filter("separable_wavelet", SeparableWaveletSettings, separable_wavelet),
    Filter("nonseparable_wavelet", NonseparableWaveletSettings, nonseparable_wavelet),
)


class FilterChoice(Settings):
    """One filter, under its name: `{laplacian_of_gaussian: {sigma_mm: 3}}`."""

    mean: MeanSettings | None = Field(None, description="average around each voxel")
    laplacian_of_gaussian: LaplacianOfGaussianSettings | None = Field(None, description="edges and blobs of one size")
    laws: LawsSettings | None = Field(None, description="products of small kernels, and their energy")
    gabor: GaborSettings | None = Field(None, description="waves of one length under a Gaussian")
    separable_wavelet: SeparableWaveletSettings | None = Field(None, description="low and high bands along each axis")
    nonseparable_wavelet: NonseparableWaveletSettings | None = Field(None, description="rings of frequencies")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name, settings in self if settings is not None]
        if len(given) != 1:
            raise ValueError(f"each entry names one filter; this one names {', '.join(given) or 'none'}")
        return self

    @property
    def settings(self) -> FilterSettings:
        """Settings of the filter that was chosen."""
        (chosen,) = (settings for _, settings in self if settings is not None)
        assert isinstance(chosen, FilterSettings)
        return chosen


def respond(voxels: NDArray[np.floating[Any]], spacing_mm: Spacing, choice: FilterChoice) -> Float32:
    """Response map of the chosen filter.

    Parameters
    ----------
    voxels
        Intensities `[z, y, x]`.
    spacing_mm
        Distance between voxel centres along z, y and x.

    Returns
    -------
    float32 of the same shape; NaN everywhere when an intensity is NaN or infinite, as no filter can tell how far such
    a voxel reaches.
    """
    ((_, response),) = respond_each(voxels, spacing_mm, [choice])
    return response


def respond_each(
    voxels: NDArray[np.floating[Any]], spacing_mm: Spacing, choices: Sequence[FilterChoice]
) -> Iterator[tuple[int, Float32]]:
    """Yield the place and the response map of each filter, one at a time, in an order that saves work.

    Wavelets that begin alike (z, then y) share what they begin with. The rest is as in `respond`.
    """
    image = np.ascontiguousarray(voxels, dtype=np.float32)
    if not np.isfinite(image).all():
        yield from ((place, np.full(image.shape, np.nan, np.float32)) for place in range(len(choices)))
        return
    alike: defaultdict[tuple[Boundary, float, int], defaultdict[Product, list[int]]]
    alike = defaultdict(lambda: defaultdict(list))
    for place, choice in enumerate(choices):
        chosen = choice.settings
        if isinstance(chosen, SeparableWaveletSettings) and chosen.pooling is None:
            group = alike[chosen.boundary, chosen.boundary_value, chosen.dimensions]
            group[product_of(wavelet_kernels(chosen))].append(place)
        else:
            (kind,) = (entry for entry in FILTERS if isinstance(chosen, entry.settings))
            yield place, kind.respond(image, spacing_mm, chosen)
    for (boundary, value, _), products in alike.items():
        for product, response in responses(image, products, boundary, value):
            yield from ((place, response) for place in products[product])
