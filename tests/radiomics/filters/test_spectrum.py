"""Filters given by transfer functions: the cosine transform's mirror boundary, sampling, Riesz transforms, steering."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from prognoscope.radiomics.filters.laplacian_of_gaussian import LaplacianOfGaussianSettings, laplacian_of_gaussian
from prognoscope.radiomics.filters.nonseparable_wavelet import NonseparableWaveletSettings, nonseparable_wavelet
from prognoscope.radiomics.filters.riesz import RieszSettings, local_frame
from prognoscope.radiomics.filters.settings import FilterSettings
from prognoscope.radiomics.filters.spectrum import orders, transform

UNIT = (1.0, 1.0, 1.0)
ODD = np.random.default_rng(7).normal(0, 100, (9, 11, 13)).astype(np.float32)


def simoncelli(radius: NDArray[np.float64], level: int) -> NDArray[np.float64]:
    """arXiv 2006.05470, section 3.7: cos(π/2 log2(2ν/b)) for b/4 < ν <= b, b = 2^(1-level)."""
    band = 2.0 ** (1 - level)
    safe = np.where(radius == 0, 1e-9, radius)
    return np.where((radius > band / 4) & (radius <= band), np.cos(np.pi / 2 * np.log2(2 * safe / band)), 0.0)


def wavelet(voxels: NDArray[np.float32], **settings: Any) -> NDArray[np.float32]:
    return nonseparable_wavelet(voxels, UNIT, NonseparableWaveletSettings.model_validate(settings))


@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_mirrored_image_is_filtered_as_if_it_were_doubled(level: int, dimensions: int) -> None:
    axes = tuple(range(3 - dimensions, 3))
    doubled = ODD.astype(float)
    for axis in axes:
        doubled = np.concatenate([doubled, np.flip(doubled, axis)], axis)
    frequencies = [2 * np.fft.fftfreq(doubled.shape[axis]) for axis in axes]
    radius = np.sqrt(sum(np.meshgrid(*[f**2 for f in frequencies], indexing="ij")))
    expected = np.fft.ifftn(np.fft.fftn(doubled, axes=axes) * simoncelli(radius, level), axes=axes).real[:9, :11, :13]
    np.testing.assert_allclose(wavelet(ODD, level=level, dimensions=dimensions), expected, atol=1e-3)


@pytest.mark.parametrize("order", [(1, 0, 0), (0, 1, 0), (0, 0, 2), (1, 1, 0), (1, 1, 1), (3, 0, 0), (2, 1, 0)])
@pytest.mark.parametrize("boundary", ["mirror", "periodic"])
def test_riesz_transforms_of_a_mirrored_and_a_periodic_image(order: tuple[int, int, int], boundary: str) -> None:
    found = wavelet(ODD, boundary=boundary, riesz={"order": order})
    extended = ODD.astype(float)
    if boundary == "mirror":
        for axis in range(3):
            extended = np.concatenate([extended, np.flip(extended, axis)], axis)
        along = [2 * np.fft.fftfreq(size) for size in extended.shape]
    else:
        # n odd samples from -1 to 1.
        along = [np.fft.ifftshift(np.linspace(-1, 1, size)) for size in extended.shape]
    z, y, x = np.meshgrid(*along, indexing="ij")
    radius = np.sqrt(z**2 + y**2 + x**2)
    l1, l2, l3 = order
    total = sum(order)
    norm = math.sqrt(math.factorial(total) / math.prod(map(math.factorial, order)))
    with np.errstate(invalid="ignore"):
        riesz = np.nan_to_num((-1j) ** total * norm * x**l1 * y**l2 * z**l3 / radius**total)
    # The Nyquist frequency of an even length has no odd part.
    for axis, power in zip((2, 1, 0), order, strict=True):
        if power % 2 and extended.shape[axis] % 2 == 0:
            nyquist = [slice(None)] * 3
            nyquist[axis] = slice(extended.shape[axis] // 2, extended.shape[axis] // 2 + 1)
            riesz[tuple(nyquist)] = 0
    expected = np.fft.ifftn(np.fft.fftn(extended) * simoncelli(radius, 1) * riesz).real[:9, :11, :13]
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_even_lengths_are_sampled_from_minus_one_to_one_and_the_real_part_is_kept() -> None:
    voxels = np.random.default_rng(9).normal(0, 100, (8, 10, 12)).astype(np.float32)
    grids = np.meshgrid(*[np.linspace(-1, 1, size) for size in voxels.shape], indexing="ij")
    for order in ((0, 0, 0), (1, 0, 0), (0, 1, 1)):
        radius = np.sqrt(sum(grid**2 for grid in grids))
        numerator = grids[2] ** order[0] * grids[1] ** order[1] * grids[0] ** order[2]
        norm = math.sqrt(math.factorial(sum(order)))
        transfer = simoncelli(radius, 1) * (-1j) ** sum(order) * norm * numerator / radius ** sum(order)
        expected = np.fft.ifftn(np.fft.fftn(voxels.astype(float)) * np.fft.ifftshift(transfer)).real
        found = wavelet(voxels, boundary="periodic", riesz={"order": order})
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_the_squares_of_all_components_of_one_order_add_up_to_the_filter() -> None:
    # Σ_|l|=N |R_l|² = 1: the Riesz transform keeps the energy (Unser and Van De Ville 2010, property 3).
    plain = float((wavelet(ODD, boundary="periodic").astype(float) ** 2).sum())
    for total in (1, 2, 3):
        parts = [
            wavelet(ODD, boundary="periodic", riesz={"order": order}).astype(float) ** 2 for order in orders(total, 3)
        ]
        assert float(np.sum(parts)) == pytest.approx(plain, rel=1e-4)


def test_levels_of_simoncelli_wavelets_add_up_to_what_their_bands_hold() -> None:
    # cos² + sin² of neighbouring levels: between 1/4 and 1/2 of the Nyquist frequency two levels hold all of it.
    x = np.arange(64)
    for cycles in (9, 12, 15):
        line = np.cos(2 * np.pi * cycles * (x + 0.5) / 64).astype(np.float32)
        voxels = np.ascontiguousarray(np.broadcast_to(line, (3, 3, 64)))
        energies = [float((wavelet(voxels, level=level, boundary="mirror") ** 2).sum()) for level in (1, 2, 3)]
        assert sum(energies) == pytest.approx(float((voxels**2).sum()), rel=1e-4)


def test_shannon_wavelets_keep_one_octave_as_it_is() -> None:
    x = np.arange(64)
    inside = np.cos(np.pi * 40 * (x + 0.5) / 64).astype(np.float32)
    below = np.cos(np.pi * 20 * (x + 0.5) / 64).astype(np.float32)
    voxels = np.ascontiguousarray(np.broadcast_to(inside + below, (2, 2, 64)))
    np.testing.assert_allclose(wavelet(voxels, family="shannon")[0, 0], inside, atol=1e-5)
    np.testing.assert_allclose(wavelet(voxels, family="shannon", level=2)[0, 0], below, atol=1e-5)


@pytest.mark.parametrize("boundary", ["zero", "constant", "nearest"])
def test_other_boundaries_extend_the_image_by_half_its_length(boundary: str) -> None:
    value = 40.0 if boundary == "constant" else 0.0
    settings = {"boundary": boundary, "boundary_value": value}
    found = wavelet(ODD, level=2, **settings)
    mode = {"zero": "constant", "constant": "constant", "nearest": "edge"}[boundary]
    given = {"constant_values": value} if mode == "constant" else {}
    inside = transform(ODD, FilterSettings.model_validate(settings), inclusive=True).inside
    widths = [(part.start, part.start) for part in inside]
    assert all(2 * width >= size for (width, _), size in zip(widths, ODD.shape, strict=True))
    extended = np.pad(ODD, widths, mode=mode, **given)  # type: ignore[call-overload]
    expected = wavelet(extended, level=2, boundary="periodic")[inside]
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_wave_is_shifted_by_a_quarter_along_its_direction() -> None:
    y, x = np.mgrid[:48, :48]
    k = 2 * np.pi * np.array([6, 8]) / 48
    wave = np.broadcast_to(np.cos(k[0] * y + k[1] * x), (2, 48, 48)).astype(np.float32)
    settings = LaplacianOfGaussianSettings(sigma_mm=1.0, dimensions=2, boundary="periodic")
    plain = laplacian_of_gaussian(wave, UNIT, settings)
    along_x = laplacian_of_gaussian(wave, UNIT, settings.model_copy(update={"riesz": RieszSettings(order=(1, 0))}))
    gain = plain[0, 0, 0]
    expected = gain * 8 / 10 * np.sin(k[0] * y + k[1] * x)
    np.testing.assert_allclose(along_x[0], expected, atol=1e-4 * abs(gain))


def test_steered_to_the_wave_the_whole_response_is_along_the_first_axis() -> None:
    y, x = np.mgrid[:48, :48]
    phase = 2 * np.pi * (6 * y + 8 * x) / 48
    wave = np.broadcast_to(np.cos(phase), (2, 48, 48)).astype(np.float32)

    def steered(order: tuple[int, int]) -> NDArray[np.float32]:
        riesz = RieszSettings(order=order, steering_sigma_mm=3.0)
        settings = LaplacianOfGaussianSettings(sigma_mm=1.0, dimensions=2, boundary="periodic", riesz=riesz)
        return laplacian_of_gaussian(wave, UNIT, settings)

    gain = float(
        np.abs(
            laplacian_of_gaussian(
                wave, UNIT, LaplacianOfGaussianSettings(sigma_mm=1.0, dimensions=2, boundary="periodic")
            )
        ).max()
    )
    middle = (slice(None), slice(12, -12), slice(12, -12))
    np.testing.assert_allclose(
        steered((1, 0))[middle], gain * np.abs(np.sin(np.broadcast_to(phase, wave.shape)))[middle], atol=0.01 * gain
    )
    np.testing.assert_allclose(steered((0, 1))[middle], 0, atol=0.01 * gain)
    np.testing.assert_allclose(
        np.abs(steered((2, 0))[middle]),
        gain * np.abs(np.cos(np.broadcast_to(phase, wave.shape)))[middle],
        atol=0.01 * gain,
    )
    np.testing.assert_allclose(steered((1, 1))[middle], 0, atol=0.01 * gain)


@pytest.mark.parametrize("order", [(1, 0, 0), (2, 0, 0), (0, 1, 1)])
def test_a_steered_response_turns_with_the_image(order: tuple[int, int, int]) -> None:
    voxels = np.random.default_rng(12).normal(0, 100, (12, 12, 12)).astype(np.float32)
    settings = {"riesz": {"order": order, "steering_sigma_mm": 1.5}}
    turned = np.rot90(wavelet(np.ascontiguousarray(np.rot90(voxels, 1, (0, 2))), **settings), -1, (0, 2))
    found = wavelet(voxels, **settings)
    np.testing.assert_allclose(turned, found, atol=2e-3 * float(np.abs(found).max()))


def test_the_frame_of_a_gradient_in_one_direction_begins_with_it() -> None:
    gradient = [np.full((5, 5, 5), value, np.float32) for value in (0.0, 3.0, -4.0)]
    frame = local_frame(gradient, [1.0, 1.0, 1.0])
    np.testing.assert_allclose(frame[2, 2, 2, :, 0], [0.0, 0.6, -0.8], atol=1e-6)
    identity = np.einsum("...av,...aw->...vw", frame, frame)
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(3), identity.shape), atol=1e-5)


def test_unequal_spacing_keeps_directions_of_space() -> None:
    # A wave at 45 degrees in millimetres: both first-order components are alike, whatever the voxels' shape.
    y, x = np.mgrid[:32, :64]
    voxels = np.broadcast_to(np.cos(2 * np.pi * (2 * y / 16 + x / 16)), (2, 32, 64)).astype(np.float32)
    settings = {"sigma_mm": 3.0, "dimensions": 2, "boundary": "periodic"}
    along_x, along_y = (
        laplacian_of_gaussian(
            voxels, (1.0, 2.0, 1.0), LaplacianOfGaussianSettings.model_validate({**settings, "riesz": {"order": order}})
        )
        for order in ((1, 0), (0, 1))
    )
    np.testing.assert_allclose(along_x, along_y, atol=1e-4 * float(np.abs(along_x).max()))


def test_the_number_of_orders_is_that_of_the_monomials() -> None:
    assert list(orders(2, 2)) == [(2, 0), (1, 1), (0, 2)]
    assert [len(list(orders(total, 3))) for total in (0, 1, 2, 3)] == [1, 3, 6, 10]


def test_a_slice_by_itself_is_not_touched_by_its_neighbours() -> None:
    spectral = transform(ODD, FilterSettings(dimensions=2), inclusive=True)
    assert spectral.sizes == (11, 13)
    np.testing.assert_allclose(wavelet(ODD, dimensions=2)[3], wavelet(ODD[3:4], dimensions=2)[0], atol=1e-4)


@pytest.mark.parametrize(
    "wrong",
    [
        {"family": "meyer"},
        {"level": 0},
        {"riesz": {"order": (1, 0)}},
        {"riesz": {"order": (-1, 0, 0)}},
        {"riesz": {"order": (1, 0, 0), "steering_sigma_mm": 0}},
    ],
)
def test_unknown_families_levels_and_orders_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        NonseparableWaveletSettings.model_validate(wrong)
