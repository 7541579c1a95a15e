"""Mean filter."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import ndimage

from prognoscope.radiomics.filters.boundary import Boundary, extend
from prognoscope.radiomics.filters.mean import MeanSettings, mean

SPACING = (3.0, 1.0, 1.0)


@pytest.mark.parametrize("boundary", ["zero", "constant", "nearest", "periodic", "mirror"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_it_is_the_average_over_a_cube_or_square(boundary: Boundary, dimensions: int) -> None:
    voxels = np.random.default_rng(2).normal(-300, 400, (5, 6, 8)).astype(np.float32)
    settings = MeanSettings.model_validate(
        {"support": 3, "dimensions": dimensions, "boundary": boundary}
        | ({"boundary_value": -1000.0} if boundary == "constant" else {})
    )
    extended = extend(voxels, (1 if dimensions == 3 else 0, 1, 1), boundary, settings.boundary_value)
    shape = (3, 3, 3) if dimensions == 3 else (1, 3, 3)
    expected = np.lib.stride_tricks.sliding_window_view(extended.astype(float), shape).mean(axis=(-3, -2, -1))
    np.testing.assert_allclose(mean(voxels, SPACING, settings), expected, rtol=1e-4, atol=1e-3)


def test_a_support_longer_than_the_image() -> None:
    voxels = np.random.default_rng(2).normal(size=(3, 4, 5)).astype(np.float32)
    expected = ndimage.uniform_filter(voxels.astype(float), 15, mode="reflect")
    np.testing.assert_allclose(mean(voxels, SPACING, MeanSettings(support=15)), expected, atol=1e-5)


def test_an_even_support_has_no_middle_and_is_refused() -> None:
    with pytest.raises(ValidationError, match="odd"):
        MeanSettings(support=4)


def test_its_margin_is_half_the_support_and_infinite_when_the_image_repeats() -> None:
    assert MeanSettings(support=5).margin_mm(SPACING) == 6.0
    assert MeanSettings(support=5, boundary="periodic").margin_mm(SPACING) == float("inf")
