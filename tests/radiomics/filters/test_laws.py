"""Laws kernels and energy images."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from prognoscope.radiomics.filters.laws import WEIGHTS, LawsSettings, laws, laws_kernel

SPACING = (1.0, 1.0, 1.0)
VOXELS = np.random.default_rng(4).normal(0, 100, (9, 10, 11)).astype(np.float32)


@pytest.mark.parametrize("name", WEIGHTS)
def test_each_kernel_has_norm_one_and_only_the_level_kernels_have_a_mean(name: str) -> None:
    kernel = laws_kernel(name)
    assert np.linalg.norm(kernel) == pytest.approx(1.0)
    assert (abs(kernel.sum()) > 1e-9) == name.startswith("L")


def test_the_first_kernel_runs_along_x_the_second_along_y_the_third_along_z() -> None:
    # Table 3.1 of arXiv 2006.05470: E3 = (-1, 0, 1)/sqrt 2, L5 = (1, 4, 6, 4, 1)/sqrt 70, S3 = (-1, 2, -1)/sqrt 6.
    x = np.array([-1, 0, 1]) / np.sqrt(2)
    y = np.array([1, 4, 6, 4, 1]) / np.sqrt(70)
    z = np.array([-1, 2, -1]) / np.sqrt(6)
    expected = ndimage.convolve(
        VOXELS.astype(float), z[:, None, None] * y[None, :, None] * x[None, None, :], mode="reflect"
    )
    found = laws(VOXELS, SPACING, LawsSettings(kernels="E3L5S3"))
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_the_energy_image_is_the_average_of_absolute_responses() -> None:
    response = laws(VOXELS, SPACING, LawsSettings(kernels="L5E5", dimensions=2, pooling="max")).astype(float)
    expected = [ndimage.uniform_filter(np.abs(slice_), 5, mode="reflect") for slice_ in response]
    settings = LawsSettings(kernels="L5E5", dimensions=2, pooling="max", energy_distance=2)
    np.testing.assert_allclose(laws(VOXELS, SPACING, settings), expected, atol=1e-3)


def test_an_image_that_equals_its_constant_boundary_has_the_same_energy_everywhere() -> None:
    flat = np.full((5, 6, 7), -50.0, np.float32)
    settings = LawsSettings(kernels="L3L3L5", boundary="constant", boundary_value=-50.0, energy_distance=2)
    # The sums of L3 and L5 are 4/sqrt 6 and 16/sqrt 70.
    np.testing.assert_allclose(laws(flat, SPACING, settings), 50 * 16 / 6 * 16 / np.sqrt(70), rtol=1e-5)


@pytest.mark.parametrize(
    ("kernels", "dimensions", "message"),
    [
        ("L5E5", 3, "2 kernels for 3"),
        ("L5E5S5", 2, "3 kernels for 2"),
        ("L5X5E5", 3, "made of"),
        ("l5e5e5", 3, "made of"),
    ],
)
def test_unknown_kernels_and_wrong_numbers_of_them_are_refused(kernels: str, dimensions: int, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        LawsSettings.model_validate({"kernels": kernels, "dimensions": dimensions})
