"""The convex hull, against Qhull on all vertices of the surface."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist

from prognoscope.radiomics.hull import Hull, enclose
from tests.make.radiomics import ball

Spacing = tuple[float, float, float]


def vertices(padded: np.ndarray) -> np.ndarray:
    """Middles between a voxel inside and its neighbour outside, in voxels."""
    found = []
    for axis in range(3):
        crossing = np.argwhere(np.diff(padded.astype(int), axis=axis))
        found.append(crossing + np.eye(3)[axis] / 2)
    return np.concatenate(found)


def agrees_with_qhull(inside: np.ndarray, spacing: Spacing) -> Hull:
    padded = np.pad(inside, 1)
    points = vertices(padded) * spacing
    expected = ConvexHull(points)
    found = enclose(padded, np.array(spacing))
    assert found.area_mm2 == pytest.approx(expected.area, rel=1e-12)
    assert found.volume_mm3 == pytest.approx(expected.volume, rel=1e-12)
    assert found.diameter_mm == pytest.approx(pdist(points).max(), rel=1e-12)
    return found


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 1, 9), (1, 9, 1), (9, 1, 1), (1, 7, 8), (7, 1, 8), (7, 8, 1), (5, 6, 7)]
)
def test_blocks_rods_and_plates(shape: tuple[int, int, int]) -> None:
    agrees_with_qhull(np.ones(shape, dtype=bool), (3.0, 1.0, 0.7))


@pytest.mark.parametrize("radius", [2, 5, 9.5, 16])
def test_balls_whose_faces_have_many_points(radius: float) -> None:
    size = int(2 * radius) + 3
    agrees_with_qhull(ball((size, size, size), radius), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("seed", range(40))
def test_scattered_voxels(seed: int) -> None:
    random = np.random.default_rng(seed)
    inside = random.random(random.integers(1, 15, 3)) < random.choice([0.01, 0.2, 0.8])
    inside.flat[random.integers(inside.size)] = True
    z, y, x = random.uniform(0.3, 5.0, 3)
    agrees_with_qhull(inside, (float(z), float(y), float(x)))


def test_two_voxels_far_apart() -> None:
    inside = np.zeros((3, 400, 900), dtype=bool)
    inside[0, 0, 0] = inside[2, 399, 899] = True
    agrees_with_qhull(inside, (1.0, 1.0, 1.0))


def test_an_oblique_slab_whose_broad_faces_have_no_axis() -> None:
    z, y, x = np.indices((20, 20, 20))
    agrees_with_qhull((np.abs(x + y + z - 28) < 3) & (np.abs(x - y) < 9), (1.0, 1.0, 1.0))


def test_the_hull_is_the_same_wherever_the_region_lies() -> None:
    inside = np.random.default_rng(3).random((9, 9, 9)) < 0.1
    spacing = np.array([1.1, 0.7, 0.3])
    assert enclose(np.pad(inside, 1), spacing) == enclose(np.pad(inside, 30), spacing)
