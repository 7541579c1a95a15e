"""What lies beyond the edge of the image, as the manual draws it for each boundary condition."""

import numpy as np
import pytest

from prognoscope.radiomics.filters.boundary import Boundary, extend, extended_indices

LINE = np.array([10, 20, 30, 40], dtype=np.float32)
# Image biomarker standardisation initiative, arXiv 2006.05470, section 2.1: two voxels beyond each end.
EXPECTED: dict[Boundary, list[float]] = {
    "zero": [0, 0, 10, 20, 30, 40, 0, 0],
    "constant": [7, 7, 10, 20, 30, 40, 7, 7],
    "nearest": [10, 10, 10, 20, 30, 40, 40, 40],
    "periodic": [30, 40, 10, 20, 30, 40, 10, 20],
    "mirror": [20, 10, 10, 20, 30, 40, 40, 30],
}


@pytest.mark.parametrize("boundary", EXPECTED)
def test_a_line_of_four_voxels_and_two_beyond_each_end(boundary: Boundary) -> None:
    extended = extend(LINE[None, None, :], (0, 0, 2), boundary, 7.0 if boundary == "constant" else 0.0)
    assert extended.dtype == np.float32
    np.testing.assert_array_equal(extended[0, 0], EXPECTED[boundary])


@pytest.mark.parametrize(
    ("boundary", "numpy_mode"), [("nearest", "edge"), ("periodic", "wrap"), ("mirror", "symmetric")]
)
def test_an_extension_longer_than_the_image_repeats_it_as_numpy_does(boundary: Boundary, numpy_mode: str) -> None:
    voxels = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    expected = np.pad(voxels, ((5, 5), (9, 9), (0, 0)), mode=numpy_mode)  # type: ignore[call-overload]
    np.testing.assert_array_equal(extend(voxels, (5, 9, 0), boundary, 0.0), expected)


def test_indices_beyond_a_boundary_with_a_value_of_its_own_are_marked() -> None:
    assert extended_indices(3, 2, "zero").tolist() == [-1, -1, 0, 1, 2, -1, -1]
    assert extended_indices(1, 2, "mirror").tolist() == [0, 0, 0, 0, 0]
