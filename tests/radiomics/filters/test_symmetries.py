"""What turning, mirroring and shifting an image does to its responses, and what a constant image answers."""

import itertools
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from ruamel.yaml import YAML

from prognoscope.radiomics import RadiomicsSettings
from prognoscope.radiomics.filters import FilterChoice, respond

UNIT = (1.0, 1.0, 1.0)
CUBE = np.random.default_rng(31).normal(0, 100, (8, 8, 8)).astype(np.float32)
# The same in all right-angled directions of space.
ROUND: dict[str, dict[str, Any]] = {
    "mean": {"mean": {"support": 3}},
    "laplacian": {"laplacian_of_gaussian": {"sigma_mm": 1.2}},
    "laws averaged": {"laws": {"kernels": "L5E5S5", "pooling": "average"}},
    "laws largest": {"laws": {"kernels": "L5E5S5", "pooling": "max"}},
    "laws smallest": {"laws": {"kernels": "L3E3E3", "pooling": "min"}},
    "laws energy": {"laws": {"kernels": "E3W5R5", "pooling": "max", "energy_distance": 2}},
    "gabor": {"gabor": {"sigma_mm": 1.5, "wavelength_mm": 3, "theta_step_deg": 45}},
    "wavelet averaged": {"separable_wavelet": {"family": "db2", "bands": "LLH", "pooling": "average"}},
    "wavelet largest": {"separable_wavelet": {"family": "coif1", "bands": "LHL", "pooling": "max"}},
    "wavelet of level 2": {"separable_wavelet": {"family": "haar", "bands": "LHH", "pooling": "average", "level": 2}},
    "simoncelli": {"nonseparable_wavelet": {"level": 1}},
    "shannon": {"nonseparable_wavelet": {"family": "shannon", "level": 2}},
}
# No response to a constant image.
DETAIL: dict[str, dict[str, Any]] = {
    "laplacian": {"laplacian_of_gaussian": {"sigma_mm": 1.2}},
    "laplacian in slices": {"laplacian_of_gaussian": {"sigma_mm": 1.2, "dimensions": 2}},
    "laws": {"laws": {"kernels": "L5E5L5"}},
    "laws energy": {"laws": {"kernels": "S5L5L5", "pooling": "max", "energy_distance": 2}},
    "wavelet": {"separable_wavelet": {"family": "db3", "bands": "LLH"}},
    "wavelet of level 3": {"separable_wavelet": {"family": "coif2", "bands": "HLL", "level": 3, "pooling": "average"}},
    "simoncelli": {"nonseparable_wavelet": {"level": 2}},
    "riesz": {"nonseparable_wavelet": {"level": 1, "riesz": {"order": (1, 1, 0)}}},
}


def answer(voxels: NDArray[np.float32], choice: dict[str, Any], **more: Any) -> NDArray[np.float32]:
    ((name, given_settings),) = choice.items()
    return respond(voxels, UNIT, FilterChoice.model_validate({name: {**given_settings, **more}}))


@pytest.mark.parametrize("name", ROUND)
@pytest.mark.parametrize("plane", [(0, 1), (0, 2), (1, 2)])
@pytest.mark.parametrize("boundary", ["mirror", "nearest"])
def test_a_turned_image_has_a_turned_response(name: str, plane: tuple[int, int], boundary: str) -> None:
    if name in ("simoncelli", "shannon"):
        # Else sampled beside their frequencies, as for the IBSI's reference maps, and turning moves the samples.
        boundary = "mirror"
    expected = np.rot90(answer(CUBE, ROUND[name], boundary=boundary), 1, plane)
    found = answer(np.ascontiguousarray(np.rot90(CUBE, 1, plane)), ROUND[name], boundary=boundary)
    np.testing.assert_allclose(found, expected, atol=1e-4 * float(np.abs(expected).max()))


@pytest.mark.parametrize("name", ["mean", "laplacian", "gabor", "simoncelli", "shannon"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_image_has_a_mirrored_response(name: str, axis: int) -> None:
    expected = np.flip(answer(CUBE, ROUND[name]), axis)
    found = answer(np.ascontiguousarray(np.flip(CUBE, axis)), ROUND[name])
    np.testing.assert_allclose(found, expected, atol=1e-4 * float(np.abs(expected).max()))


def test_one_direction_alone_does_not_turn_with_the_image() -> None:
    choice = {"laws": {"kernels": "L5E5S5"}}
    turned = answer(np.ascontiguousarray(np.rot90(CUBE, 1, (1, 2))), choice)
    assert np.abs(turned - np.rot90(answer(CUBE, choice), 1, (1, 2))).max() > 10


@pytest.mark.parametrize("name", DETAIL)
@settings(max_examples=10, deadline=None)
@given(intensity=st.floats(-1024, 3072, width=32))
def test_a_constant_image_has_no_detail(name: str, intensity: float) -> None:
    # Shorter periodic images than 14 voxels have samples of level 2 wavelets beside frequency 0 that are not 0.
    flat = np.full((14, 15, 16), intensity, np.float32)
    for boundary in ("mirror", "nearest", "periodic"):
        np.testing.assert_allclose(answer(flat, DETAIL[name], boundary=boundary), 0.0, atol=0.02)


@settings(max_examples=30, deadline=None)
@given(arrays.arrays(np.float32, (3, 5, 4), elements=st.floats(-1000, 1000, width=32)))
def test_the_mean_lies_between_the_extremes_and_keeps_the_sum_of_a_periodic_image(voxels: NDArray[np.float32]) -> None:
    found = answer(voxels, {"mean": {"support": 3}}, boundary="periodic")
    assert found.min() >= voxels.min() - 1e-2
    assert found.max() <= voxels.max() + 1e-2
    assert float(found.sum(dtype=float)) == pytest.approx(float(voxels.sum(dtype=float)), abs=0.1)


@settings(max_examples=20, deadline=None)
@given(arrays.arrays(np.float32, (4, 5, 4), elements=st.floats(-1000, 1000, width=32)))
def test_largest_and_smallest_responses_enclose_the_average(voxels: NDArray[np.float32]) -> None:
    pooled = {
        pooling: answer(voxels, {"laws": {"kernels": "L5E5S5"}}, pooling=pooling)
        for pooling in ("min", "average", "max")
    }
    assert (pooled["min"] <= pooled["average"] + 1e-2).all()
    assert (pooled["average"] <= pooled["max"] + 1e-2).all()


@pytest.mark.parametrize("name", ["mean", "laplacian", "simoncelli"])
def test_in_two_dimensions_each_slice_is_filtered_by_itself(name: str) -> None:
    whole = answer(CUBE, ROUND[name], dimensions=2)
    for at in range(len(CUBE)):
        np.testing.assert_allclose(whole[at], answer(CUBE[at : at + 1], ROUND[name], dimensions=2)[0], atol=1e-3)


def test_the_eight_bands_of_a_haar_wavelet_rebuild_the_image() -> None:
    # Averaging the eight bands at a voxel, each over sqrt 8, gives the image: L + H keep one voxel, sqrt 2 times.
    total = np.zeros(CUBE.shape)
    for bands in itertools.product("LH", repeat=3):
        total += answer(CUBE, {"separable_wavelet": {"family": "haar", "bands": "".join(bands)}}, boundary="periodic")
    np.testing.assert_allclose(total / 2**1.5, CUBE, atol=1e-3)


def test_the_filters_in_the_documentation_can_be_read() -> None:
    page = (Path(__file__).parents[3] / "docs/methods/filters.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    measure = YAML(typ="safe").load(example)["measure"]
    chosen = RadiomicsSettings.model_validate(measure["radiomics"])
    assert [choice.settings.label for choice in chosen.filters] == ["log_3mm", "coif1_llh_level1"]
    shown = re.findall(r"\*\* \(`(\w+): (\{.*?\})`\)", page)
    assert {name for name, _ in shown} == set(FilterChoice.model_fields)
    for name, given_settings in shown:
        FilterChoice.model_validate({name: YAML(typ="safe").load(given_settings)})
