"""Separable convolution against scipy's and against an image that really is extended."""

from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from prognoscope.radiomics.filters.boundary import Boundary, extend
from prognoscope.radiomics.filters.convolution import convolve, convolve_axis

SCIPY_MODES: dict[Boundary, Literal["constant", "nearest", "wrap", "reflect"]] = {
    "zero": "constant",
    "constant": "constant",
    "nearest": "nearest",
    "periodic": "wrap",
    "mirror": "reflect",
}
SKEWED = np.array([0.5, -1.0, 3.0, 0.25, 0.125])


def image(shape: tuple[int, int, int] = (6, 7, 9)) -> NDArray[np.float32]:
    return np.random.default_rng(5).normal(40, 100, shape).astype(np.float32)


@pytest.mark.parametrize("boundary", SCIPY_MODES)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_one_axis_agrees_with_scipy(boundary: Boundary, axis: int) -> None:
    value = 12.5 if boundary == "constant" else 0.0
    expected = ndimage.convolve1d(
        image().astype(float),
        SKEWED,
        axis=axis,
        mode=SCIPY_MODES[boundary],
        cval=value,
    )
    np.testing.assert_allclose(convolve_axis(image(), SKEWED, axis, boundary, value), expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("boundary", SCIPY_MODES)
def test_a_kernel_longer_than_the_image(boundary: Boundary) -> None:
    kernel = np.linspace(-1, 2, 31)
    value = -3.0 if boundary == "constant" else 0.0
    small = image((3, 4, 5))
    extended = extend(small, (0, 15, 0), boundary, value).astype(float)
    expected = np.apply_along_axis(lambda line: np.convolve(line, kernel, "valid"), 1, extended)
    np.testing.assert_allclose(convolve_axis(small, kernel, 1, boundary, value), expected, rtol=1e-4, atol=1e-2)


def test_a_constant_boundary_is_filtered_from_axis_to_axis() -> None:
    kernels = [SKEWED, np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 1.0])]
    extended = extend(image(), (2, 2, 2), "constant", 30.0).astype(float)
    product = kernels[0][:, None, None] * kernels[1][:, None] * kernels[2]
    expected = ndimage.convolve(extended, product, mode="constant", cval=30.0)[2:-2, 2:-2, 2:-2]
    np.testing.assert_allclose(convolve(image(), kernels, "constant", 30.0), expected, rtol=1e-4, atol=1e-2)


def test_an_axis_without_a_kernel_is_left_alone() -> None:
    alone = convolve(image(), [None, None, SKEWED], "mirror", 0.0)
    np.testing.assert_array_equal(alone, convolve_axis(image(), SKEWED, 2, "mirror", 0.0))


def test_the_image_that_was_given_is_not_changed() -> None:
    voxels = image()
    voxels.setflags(write=False)
    convolve(voxels, [SKEWED, SKEWED, SKEWED], "nearest", 0.0)
    np.testing.assert_array_equal(voxels, image())


def test_rows_longer_than_one_block_of_the_cache() -> None:
    wide = np.random.default_rng(1).normal(size=(5, 60, 80)).astype(np.float32)
    expected = ndimage.convolve1d(wide.astype(float), SKEWED, axis=0, mode="reflect")
    np.testing.assert_allclose(convolve_axis(wide, SKEWED, 0, "mirror", 0.0), expected, rtol=1e-5, atol=1e-5)
