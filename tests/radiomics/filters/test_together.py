"""Several filters at once give what each gives alone."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from prognoscope.core.geometry import Grid, Mask, Volume
from prognoscope.radiomics import RadiomicsSettings, extract
from prognoscope.radiomics.filters import FilterChoice, respond, respond_each

SPACING = (3.0, 1.0, 1.5)
WAVELETS = [{"family": "coif1", "bands": "".join(bands)} for bands in itertools.product("LH", repeat=3)]
SETS: dict[str, list[dict[str, Any]]] = {
    "all bands": [{"separable_wavelet": one} for one in WAVELETS],
    "bands in another order": [{"separable_wavelet": one} for one in WAVELETS[::-1]],
    "slices and volume": [
        {"separable_wavelet": {"family": "haar", "bands": "LH", "dimensions": 2}},
        {"separable_wavelet": {"family": "haar", "bands": "LHL"}},
        {"separable_wavelet": {"family": "haar", "bands": "LHH"}},
    ],
    "one filter twice": [
        {"separable_wavelet": {"family": "haar", "bands": "LLH"}},
        {"separable_wavelet": {"family": "haar", "bands": "LLH"}},
    ],
    "other boundaries and poolings": [
        {"separable_wavelet": {"family": "db2", "bands": "LLH", "boundary": "zero"}},
        {"separable_wavelet": {"family": "db2", "bands": "LLH"}},
        {"separable_wavelet": {"family": "db2", "bands": "LLH", "pooling": "max"}},
        {"separable_wavelet": {"family": "db2", "bands": "LLH", "boundary": "constant", "boundary_value": 7.0}},
    ],
    "other kinds between": [
        {"separable_wavelet": {"family": "db2", "bands": "HLL"}},
        {"laplacian_of_gaussian": {"sigma_mm": 2}},
        {"mean": {"support": 3}},
        {"separable_wavelet": {"family": "db2", "bands": "HHL"}},
    ],
}


def image() -> np.ndarray:
    return np.random.default_rng(5).normal(100, 20, (7, 12, 9)).astype(np.float32)


@pytest.mark.parametrize("entries", SETS.values(), ids=SETS)
def test_each_response_comes_once_and_is_that_of_its_filter_alone(entries: list[dict[str, Any]]) -> None:
    choices = [FilterChoice.model_validate(entry) for entry in entries]
    found = {place: response.copy() for place, response in respond_each(image(), SPACING, choices)}
    assert sorted(found) == list(range(len(choices)))
    for place, choice in enumerate(choices):
        np.testing.assert_array_equal(found[place], respond(image(), SPACING, choice))


def test_an_image_with_a_missing_voxel_has_no_response_by_any_filter() -> None:
    voxels = image()
    voxels[0, 0, 0] = np.nan
    choices = [FilterChoice.model_validate(entry) for entry in SETS["other kinds between"]]
    found = dict(respond_each(voxels, SPACING, choices))
    assert sorted(found) == [0, 1, 2, 3]
    assert all(np.isnan(response).all() for response in found.values())


@pytest.mark.parametrize("entries", [SETS["all bands"], SETS["other kinds between"]], ids=["bands", "kinds"])
def test_a_filters_features_do_not_depend_on_the_other_filters(entries: list[dict[str, Any]]) -> None:
    inside = np.zeros((9, 14, 12), dtype=bool)
    inside[2:7, 3:11, 4:9] = True
    voxels = np.random.default_rng(6).normal(100, 20, inside.shape).astype(np.float32)
    grid = Grid(inside.shape, SPACING)

    def features(filters: list[dict[str, Any]]) -> dict[str, tuple[float, str]]:
        settings = RadiomicsSettings.model_validate(
            {"families": ["statistics", "local_intensity", "texture"], "bins": 8, "filters": filters}
        )
        found = extract(Volume(voxels, grid), Mask(inside, grid), settings, modality="MR")
        return {feature.name: (feature.value, feature.reason) for feature in found}

    together = features(entries)
    apart = features([])
    for entry in entries:
        apart |= features([entry])
    assert list(together) == list(apart), "the order of the settings, whatever the order of the work"
    np.testing.assert_equal(together, apart)
