"""Separable wavelets: the families' published numbers, their defining properties, and the bands."""

import itertools
import math

import numpy as np
import pytest
from pydantic import ValidationError

from prognoscope.radiomics.filters.separable_wavelet import (
    SeparableWaveletSettings,
    band_kernel,
    separable_wavelet,
)
from prognoscope.radiomics.filters.wavelet_families import FAMILIES, scaling_filter

SPACING = (1.0, 1.0, 1.0)
VOXELS = np.random.default_rng(8).normal(0, 100, (8, 12, 16)).astype(np.float32)


def test_daubechies_2_in_closed_form() -> None:
    # Daubechies, Comm. Pure Appl. Math. 41, 1988, 909-996, section 4.C.
    root = math.sqrt(3)
    expected = np.array([1 + root, 3 + root, 3 - root, 1 - root]) / (4 * math.sqrt(2))
    np.testing.assert_allclose(scaling_filter("db2"), expected, atol=1e-14)


@pytest.mark.parametrize(
    ("family", "first"),
    [
        # Daubechies 1988, table 1, h(0), h(1), h(2).
        ("db3", [0.3326705529500825, 0.8068915093110924, 0.4598775021184914]),
        ("db4", [0.2303778133088964, 0.7148465705529154, 0.6308807679398587]),
        ("db10", [0.0266700579005473, 0.1881768000776347, 0.5272011889315757]),
    ],
)
def test_daubechies_as_published(family: str, first: list[float]) -> None:
    np.testing.assert_allclose(scaling_filter(family)[:3], first, atol=1e-10)


def test_coiflet_1_in_closed_form() -> None:
    # Daubechies, SIAM J. Math. Anal. 24, 1993: the filter of length 6 with square roots of 7.
    root = math.sqrt(7)
    expected = np.array([1 - root, 5 + root, 14 + 2 * root, 14 - 2 * root, 1 - root, -3 + root]) / (16 * math.sqrt(2))
    np.testing.assert_allclose(scaling_filter("coif1"), expected, atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_is_orthonormal_and_its_wavelet_has_no_mean(family: str) -> None:
    low = scaling_filter(family)
    assert low.sum() == pytest.approx(math.sqrt(2), abs=1e-12)
    for shift in range(low.size // 2):
        product = low[: low.size - 2 * shift] @ low[2 * shift :]
        assert product == pytest.approx(1.0 if shift == 0 else 0.0, abs=1e-11)
    assert band_kernel(family, "H", 1).sum() == pytest.approx(0.0, abs=1e-11)


@pytest.mark.parametrize(("family", "moments"), [("haar", 1), ("db2", 2), ("db5", 5), ("coif1", 2), ("coif3", 6)])
def test_vanishing_moments(family: str, moments: int) -> None:
    high = band_kernel(family, "H", 1)
    k = np.arange(high.size) - high.size // 2
    for power in range(moments):
        assert (high * k**power).sum() == pytest.approx(0.0, abs=1e-7)


def test_haar_bands_by_hand() -> None:
    line = np.array([3.0, 7.0, 1.0, 5.0, 2.0, 8.0, 4.0, 6.0], np.float32)
    voxels = np.broadcast_to(line, (2, 2, 8))
    low = SeparableWaveletSettings(family="haar", bands="LL", dimensions=2, boundary="periodic")
    high = SeparableWaveletSettings(family="haar", bands="HL", dimensions=2, boundary="periodic")
    # Two rows alike: the low-pass across them multiplies by sqrt 2, which takes the 1/sqrt 2 along x away.
    after = np.roll(line, -1)
    np.testing.assert_allclose(separable_wavelet(voxels, SPACING, low)[0, 0], line + after, rtol=1e-6)
    np.testing.assert_allclose(separable_wavelet(voxels, SPACING, high)[0, 0], line - after, rtol=1e-6)
    assert np.trim_zeros(band_kernel("haar", "L", 2)).tolist() == pytest.approx([0.5] * 4)
    assert np.trim_zeros(band_kernel("haar", "H", 2)).tolist() == pytest.approx([-0.5, -0.5, 0.5, 0.5])


@pytest.mark.parametrize("family", ["haar", "db3", "coif1"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_energies_of_all_bands_of_a_level_add_up_to_the_image(family: str, dimensions: int) -> None:
    # |H|² + |L|² = 2 along each axis: the undecimated transform of a periodic image is a tight frame.
    total = 0.0
    for bands in itertools.product("LH", repeat=dimensions):
        settings = SeparableWaveletSettings.model_validate(
            {"family": family, "bands": "".join(bands), "dimensions": dimensions, "boundary": "periodic"}
        )
        total += float((separable_wavelet(VOXELS, SPACING, settings).astype(float) ** 2).sum())
    assert total == pytest.approx(2**dimensions * float((VOXELS.astype(float) ** 2).sum()), rel=1e-5)


def test_the_second_level_is_the_low_pass_of_the_first_filtered_with_holes() -> None:
    first = SeparableWaveletSettings(family="db2", bands="LLL", boundary="periodic")
    smooth = separable_wavelet(VOXELS, SPACING, first)
    second = SeparableWaveletSettings(family="db2", bands="HLH", level=2, boundary="periodic")
    found = separable_wavelet(VOXELS, SPACING, second)
    expected = smooth.astype(float)
    for axis, band in zip((2, 1, 0), "HLH", strict=True):
        kernel = band_kernel("db2", band, 1)
        spread = np.zeros(2 * kernel.size - 1)
        spread[::2] = kernel
        size = expected.shape[axis]
        transfer = np.zeros(size)
        for at, weight in enumerate(spread):
            transfer[(at - spread.size // 2) % size] += weight
        shape = [1, 1, 1]
        shape[axis] = size
        product = np.fft.fft(expected, axis=axis) * np.fft.fft(transfer).reshape(shape)
        expected = np.fft.ifft(product, axis=axis).real
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"family": "db11", "bands": "LLH"},
        {"family": "db3", "bands": "LH"},
        {"family": "db3", "bands": "LLX"},
        {"family": "db3", "bands": "LLH", "level": 0},
        {"family": "db3", "bands": "LLH", "dimensions": 2},
    ],
)
def test_unknown_families_and_bands_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SeparableWaveletSettings.model_validate(wrong)
