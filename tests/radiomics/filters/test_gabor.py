"""Gabor filter: against a plain convolution with the manual's formula, and what it answers to."""

import math

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from prognoscope.radiomics.filters.gabor import GaborSettings, directions, gabor

VOXELS = np.random.default_rng(6).normal(0, 100, (4, 18, 21)).astype(np.float32)


def by_hand(plane: np.ndarray, spacing: tuple[float, float], theta: float, **given: float) -> np.ndarray:
    """arXiv 2006.05470, section 3.5, on a square grid that is wide enough; direct convolution of real and imaginary."""
    sigma, wavelength, gamma = given["sigma_mm"], given["wavelength_mm"], given["gamma"]
    half = int(4 * sigma * max(1, 1 / gamma) / min(spacing)) + 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1] * np.array(spacing)[:, None, None]
    along = x * math.cos(theta) + y * math.sin(theta)
    across = -x * math.sin(theta) + y * math.cos(theta)
    kernel = np.exp(-(along**2 + gamma**2 * across**2) / (2 * sigma**2) + 2j * math.pi * along / wavelength)
    real = ndimage.convolve(plane.astype(float), kernel.real, mode="reflect")
    imaginary = ndimage.convolve(plane.astype(float), kernel.imag, mode="reflect")
    return np.asarray(np.hypot(real, imaginary))


@pytest.mark.parametrize("gamma", [0.7, 1.0, 2.0])
@pytest.mark.parametrize("theta_deg", [0.0, 30.0, 135.0])
@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.5, 0.8)])
def test_one_direction_in_slices(gamma: float, theta_deg: float, spacing: tuple[float, float]) -> None:
    given = {"sigma_mm": 2.0, "wavelength_mm": 3.5, "gamma": gamma}
    settings = GaborSettings.model_validate({**given, "theta_deg": theta_deg, "dimensions": 2})
    found = gabor(VOXELS, (5.0, *spacing), settings)
    for at, plane in enumerate(VOXELS):
        expected = by_hand(plane, spacing, math.radians(theta_deg), **given)
        np.testing.assert_allclose(found[at], expected, atol=2e-3 * expected.max())


@pytest.mark.parametrize(("pooling", "pool"), [("average", np.mean), ("max", np.max), ("min", np.min)])
def test_directions_and_planes_are_pooled(pooling: str, pool: object) -> None:
    given = {"sigma_mm": 2.0, "wavelength_mm": 4.0, "gamma": 1.5}
    cube = VOXELS[:, :8, :9]
    angles = [math.radians(angle) for angle in (0, 45, 90, 135)]
    axial = [np.stack([by_hand(plane, (1.0, 1.0), angle, **given) for plane in cube]) for angle in angles]
    coronal = [
        np.stack([by_hand(cube[:, at], (2.0, 1.0), angle, **given) for at in range(8)], axis=1) for angle in angles
    ]
    sagittal = [
        np.stack([by_hand(cube[:, :, at], (2.0, 1.0), angle, **given) for at in range(9)], axis=2) for angle in angles
    ]
    expected = pool(np.stack([*axial, *coronal, *sagittal]), axis=0)  # type: ignore[operator]
    settings = GaborSettings.model_validate({**given, "theta_step_deg": 45, "pooling": pooling})
    found = gabor(cube, (2.0, 1.0, 1.0), settings)
    np.testing.assert_allclose(found, expected, atol=2e-3 * expected.max())


def test_opposite_directions_are_computed_once() -> None:
    full_turn = GaborSettings(sigma_mm=1, wavelength_mm=1, theta_step_deg=22.5)
    np.testing.assert_allclose(np.rad2deg(directions(full_turn)), np.arange(8) * 22.5)
    shifted = GaborSettings(sigma_mm=1, wavelength_mm=1, theta_deg=190.0, theta_step_deg=90.0)
    np.testing.assert_allclose(np.rad2deg(directions(shifted)), [10.0, 100.0])
    assert np.rad2deg(directions(GaborSettings(sigma_mm=1, wavelength_mm=1, theta_deg=-60.0))) == pytest.approx([-60.0])


def test_it_answers_to_waves_of_its_own_length_and_direction() -> None:
    y, x = np.mgrid[:64, :64]
    wave = np.cos(2 * np.pi * (x * math.cos(0.5) + y * math.sin(0.5)) / 6).astype(np.float32)[None]
    settings = GaborSettings(sigma_mm=4, wavelength_mm=6, theta_deg=math.degrees(0.5), dimensions=2)
    found = gabor(wave, (1.0, 1.0, 1.0), settings)[0, 20:-20, 20:-20]
    # The integral of the Gaussian is 2πσ², half of it answers to a real wave.
    np.testing.assert_allclose(found, math.pi * 4**2, rtol=5e-3)
    across = settings.model_copy(update={"theta_deg": math.degrees(0.5) + 90})
    assert gabor(wave, (1.0, 1.0, 1.0), across)[0, 20:-20, 20:-20].max() < 0.01 * math.pi * 4**2


def test_many_slices_are_filtered_in_blocks_like_few(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = GaborSettings(sigma_mm=1.5, wavelength_mm=3, theta_step_deg=60)
    whole = gabor(VOXELS, (1.0, 1.0, 1.0), settings)
    monkeypatch.setattr("prognoscope.radiomics.filters.gabor.BLOCK_VOXELS", 1)
    np.testing.assert_array_equal(gabor(VOXELS, (1.0, 1.0, 1.0), settings), whole)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sigma_mm": 0, "wavelength_mm": 1},
        {"sigma_mm": 1, "wavelength_mm": -1},
        {"sigma_mm": 1, "wavelength_mm": 1, "gamma": 0},
        {"sigma_mm": 1, "wavelength_mm": 1, "theta_step_deg": 0},
        {"wavelength_mm": 1},
    ],
)
def test_lengths_and_steps_are_above_zero(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        GaborSettings.model_validate(wrong)
