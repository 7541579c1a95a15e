"""Pooling over rotations against the plain way: turn the image, filter it, turn the response back."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from prognoscope.radiomics.filters.boundary import Boundary
from prognoscope.radiomics.filters.rotation import respond, rotations
from prognoscope.radiomics.filters.settings import Pooling

Turn = Callable[[NDArray[np.float32]], NDArray[np.float32]]
LEVEL = np.array([1.0, 4.0, 6.0, 4.0, 1.0])
EDGE = np.array([-1.0, -2.0, 0.0, 2.0, 1.0])
SKEWED = np.array([0.3, -1.1, 2.0, 0.4, 0.1])
OTHER = np.array([1.0, 0.5, -0.25])
POOLS = {"average": np.mean, "max": np.max, "min": np.min}


def image(shape: tuple[int, int, int] = (5, 6, 7)) -> NDArray[np.float32]:
    return np.random.default_rng(11).normal(0, 50, shape).astype(np.float32)


def turns_in_space() -> Iterator[tuple[Turn, Turn]]:
    """The 24 right-angled rotations, made from quarter turns: six faces upwards, four turns of each."""
    faces = [((0, 1), 0), ((0, 1), 1), ((0, 1), 2), ((0, 1), 3), ((0, 2), 1), ((0, 2), 3)]
    for (plane, count), quarter in itertools.product(faces, range(4)):

        def there(
            voxels: NDArray[np.float32], plane: tuple[int, int] = plane, count: int = count, quarter: int = quarter
        ) -> NDArray[np.float32]:
            return np.rot90(np.rot90(voxels, count, plane), quarter, (1, 2))

        def back(
            voxels: NDArray[np.float32], plane: tuple[int, int] = plane, count: int = count, quarter: int = quarter
        ) -> NDArray[np.float32]:
            return np.rot90(np.rot90(voxels, -quarter, (1, 2)), -count, plane)

        yield there, back


@pytest.mark.parametrize("pooling", POOLS)
@pytest.mark.parametrize("boundary", ["mirror", "periodic", "nearest", "zero"])
@pytest.mark.parametrize(
    "kernels",
    [(SKEWED, OTHER, EDGE), (LEVEL, EDGE, EDGE), (SKEWED, SKEWED, OTHER), (SKEWED, SKEWED, SKEWED)],
    ids=["all different", "level edge edge", "two alike", "three alike"],
)
def test_pooling_in_space(pooling: Pooling, boundary: Boundary, kernels: tuple[NDArray[np.float64], ...]) -> None:
    turned = [back(respond(there(image()), kernels, None, boundary, 0.0)) for there, back in turns_in_space()]
    assert len(turned) == 24
    expected = POOLS[pooling](np.stack(turned).astype(float), axis=0)  # type: ignore[operator]
    np.testing.assert_allclose(respond(image(), kernels, pooling, boundary, 0.0), expected, rtol=1e-4, atol=2e-2)


@pytest.mark.parametrize("pooling", POOLS)
@pytest.mark.parametrize("kernels", [(SKEWED, OTHER), (LEVEL, EDGE), (SKEWED, SKEWED)])
def test_pooling_in_slices(pooling: Pooling, kernels: tuple[NDArray[np.float64], ...]) -> None:
    turned = [
        np.rot90(respond(np.rot90(image(), quarter, (1, 2)), kernels, None, "mirror", 0.0), -quarter, (1, 2))
        for quarter in range(4)
    ]
    expected = POOLS[pooling](np.stack(turned).astype(float), axis=0)  # type: ignore[operator]
    np.testing.assert_allclose(respond(image(), kernels, pooling, "mirror", 0.0), expected, rtol=1e-4, atol=2e-2)


@pytest.mark.parametrize("pooling", POOLS)
def test_pooling_with_a_constant_boundary(pooling: Pooling) -> None:
    kernels = (SKEWED, OTHER, EDGE)
    turned = [back(respond(there(image()), kernels, None, "constant", 80.0)) for there, back in turns_in_space()]
    expected = POOLS[pooling](np.stack(turned).astype(float), axis=0)  # type: ignore[operator]
    np.testing.assert_allclose(respond(image(), kernels, pooling, "constant", 80.0), expected, rtol=1e-4, atol=5e-2)


def test_there_are_24_rotations_in_space_and_4_in_the_plane_all_different() -> None:
    for dimensions, count in ((3, 24), (2, 4)):
        found = [(order, signs) for order, signs, _ in rotations(dimensions)]
        assert len(found) == len(set(found)) == count
        for order, signs in found:
            matrix = np.zeros((dimensions, dimensions))
            matrix[range(dimensions), order] = signs
            assert np.linalg.det(matrix) == pytest.approx(1.0)


def test_one_direction_names_its_kernels_along_x_then_y_then_z() -> None:
    impulse = np.zeros((7, 7, 7), np.float32)
    impulse[3, 3, 3] = 1
    response = respond(impulse, (EDGE, LEVEL, OTHER), None, "zero", 0.0)
    np.testing.assert_allclose(response[3, 3, 1:6], EDGE * 6 * 0.5)
    np.testing.assert_allclose(response[3, 1:6, 4], LEVEL * 2 * 0.5)
    np.testing.assert_allclose(response[2:5, 3, 4], OTHER * 6 * 2)
