"""Laplacian of Gaussian: against scipy's, against the formula, and on grids of unequal spacing."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy import ndimage

from prognoscope.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussianSettings, laplacian_of_gaussian
from prognoscope.radiomics.filters.riesz import RieszSettings


def image(shape: tuple[int, int, int] = (12, 14, 16)) -> NDArray[np.float32]:
    return np.random.default_rng(3).normal(0, 100, shape).astype(np.float32)


@pytest.mark.parametrize("sigma_mm", [1.5, 3.0, 5.0])
def test_in_space_it_agrees_with_scipy(sigma_mm: float) -> None:
    found = laplacian_of_gaussian(image(), (2.0, 2.0, 2.0), LaplacianOfGaussianSettings(sigma_mm=sigma_mm))
    expected = ndimage.gaussian_laplace(image().astype(float), sigma_mm / 2, mode="reflect", truncate=4.0)
    # scipy does not take away what the cut-off Gaussian lacks to a sum of zero.
    np.testing.assert_allclose(found, expected, atol=0.004 * float(np.ptp(expected)))


def test_in_slices_it_agrees_with_scipy_slice_by_slice() -> None:
    settings = LaplacianOfGaussianSettings(sigma_mm=2.0, dimensions=2, boundary="nearest")
    found = laplacian_of_gaussian(image(), (3.0, 1.0, 1.0), settings)
    for at, slice_ in enumerate(image().astype(float)):
        expected = ndimage.gaussian_laplace(slice_, 2.0, mode="nearest", truncate=4.0)
        np.testing.assert_allclose(found[at], expected, atol=0.004 * float(np.ptp(expected)))


def test_an_impulse_shows_the_formula_of_the_manual() -> None:
    # g(k) = -1/σ² (1/(σ sqrt(2π)))^D (D - |k|²/σ²) exp(-|k|²/2σ²), arXiv 2006.05470, section 3.3.
    impulse = np.zeros((41, 41, 41), np.float32)
    impulse[20, 20, 20] = 1
    sigma = 3.0
    found = laplacian_of_gaussian(impulse, (1.0, 1.0, 1.0), LaplacianOfGaussianSettings(sigma_mm=sigma, truncate=6))
    k = np.arange(-20, 21)
    squared = (k**2)[:, None, None] + (k**2)[:, None] + k**2
    factor = -1 / sigma**2 * (sigma * math.sqrt(2 * math.pi)) ** -3
    expected = factor * (3 - squared / sigma**2) * np.exp(-squared / (2 * sigma**2))
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_a_constant_image_gives_zero_whatever_its_intensity() -> None:
    flat = np.full((8, 9, 10), -1000.0, np.float32)
    for settings in (
        LaplacianOfGaussianSettings(sigma_mm=1.0),
        LaplacianOfGaussianSettings(sigma_mm=1.0, boundary="constant", boundary_value=-1000.0),
        LaplacianOfGaussianSettings(sigma_mm=0.4),
    ):
        np.testing.assert_allclose(laplacian_of_gaussian(flat, (1.0, 1.0, 1.0), settings), 0.0, atol=2e-3)


def test_a_constant_boundary_is_that_of_an_image_extended_by_it() -> None:
    settings = LaplacianOfGaussianSettings(sigma_mm=1.5, boundary="constant", boundary_value=250.0)
    found = laplacian_of_gaussian(image(), (1.0, 1.0, 1.0), settings)
    extended = np.pad(image(), 10, constant_values=250.0)
    expected = laplacian_of_gaussian(extended, (1.0, 1.0, 1.0), settings)[10:-10, 10:-10, 10:-10]
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_slices_far_apart_see_the_same_ball_as_slices_close_together() -> None:
    def ball(step: float) -> NDArray[np.float32]:
        z, y, x = np.meshgrid(np.arange(-30, 31, step), *[np.arange(-30, 31)] * 2, indexing="ij")
        return np.asarray(np.exp(-(z**2 + y**2 + x**2) / (2 * 8.0**2)), dtype=np.float32)

    settings = LaplacianOfGaussianSettings(sigma_mm=6.0)
    fine = laplacian_of_gaussian(ball(1.0), (1.0, 1.0, 1.0), settings)
    coarse = laplacian_of_gaussian(ball(3.0), (3.0, 1.0, 1.0), settings)
    np.testing.assert_allclose(coarse, fine[::3], atol=0.01 * float(np.ptp(fine)))


def test_its_riesz_transform_of_order_zero_is_the_filter_itself() -> None:
    plain = LaplacianOfGaussianSettings(sigma_mm=2.0)
    spectral = LaplacianOfGaussianSettings(sigma_mm=2.0, riesz=RieszSettings(order=(0, 0, 0)))
    spacing = (2.0, 1.0, 1.0)
    expected = laplacian_of_gaussian(image(), spacing, plain)
    np.testing.assert_allclose(
        laplacian_of_gaussian(image(), spacing, spectral), expected, atol=1e-4 * float(np.ptp(expected))
    )


@pytest.mark.parametrize("wrong", [{"sigma_mm": 0}, {"sigma_mm": -1.0}, {"sigma_mm": 1, "truncate": 0}, {}])
def test_a_gaussian_needs_a_width(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        LaplacianOfGaussianSettings.model_validate(wrong)


def test_a_riesz_order_has_one_number_a_dimension() -> None:
    with pytest.raises(ValidationError, match="does not have 2"):
        LaplacianOfGaussianSettings(sigma_mm=1, dimensions=2, riesz=RieszSettings(order=(1, 0, 0)))
