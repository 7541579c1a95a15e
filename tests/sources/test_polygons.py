"""Polygons → pixels: a pixel belongs when its centre is inside."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from prognoscope.sources.polygons import fill

Ring = NDArray[np.float64]


def shoelace(ring: Ring) -> float:
    after = np.roll(ring, -1, axis=0)
    return abs(float(np.sum(ring[:, 0] * after[:, 1] - after[:, 0] * ring[:, 1]))) / 2


def inside_by_winding(ring: Ring, row: float, column: float) -> bool:
    """Independent of scan lines: the angles at which a point sees the edges sum to a full turn inside."""
    to = (ring - [row, column]) @ [1, 1j]
    turns = np.angle(np.roll(to, -1) / to).sum() / (2 * np.pi)
    return round(float(turns)) % 2 == 1


def circle(row: float, column: float, radius: float, points: int = 400) -> Ring:
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.column_stack([row + radius * np.sin(angles), column + radius * np.cos(angles)])


def test_a_square_between_centres() -> None:
    ring = np.array([[1.5, 2.5], [1.5, 6.5], [4.5, 6.5], [4.5, 2.5]])
    inside = fill([ring], rows=8, columns=9)
    assert inside.sum() == 3 * 4
    assert inside[2:5, 3:7].all()


def test_a_square_whose_corners_are_centres_owns_as_many_pixels_as_its_area() -> None:
    """Half-open: the centre on a lower edge belongs, the one on an upper edge to the neighbour."""
    ring = np.array([[1.0, 1.0], [1.0, 4.0], [5.0, 4.0], [5.0, 1.0]])
    neighbour = ring + np.array([4, 0])
    first, second = fill([ring], rows=12, columns=8), fill([neighbour], rows=12, columns=8)
    assert first.sum() == second.sum() == 12
    assert not (first & second).any()


def test_a_contour_within_another_is_a_hole() -> None:
    inside = fill([circle(20, 20, 15), circle(20, 20, 6)], rows=41, columns=41)
    assert not inside[20, 20]
    assert inside[20, 30]
    np.testing.assert_allclose(inside.sum(), np.pi * (15**2 - 6**2), rtol=0.02)


def test_a_keyhole_gives_the_same_ring_as_two_contours() -> None:
    outer, inner = circle(20, 20, 15), circle(20, 20, 6)[::-1]
    keyhole = np.concatenate([outer, outer[:1], inner[-1:], inner, outer[:1]])
    both = fill([outer, inner], rows=41, columns=41)
    np.testing.assert_array_equal(fill([keyhole], rows=41, columns=41), both)


def test_an_island_within_a_hole_belongs() -> None:
    inside = fill([circle(20, 20, 18), circle(20, 20, 12), circle(20, 20, 5)], rows=41, columns=41)
    assert inside[20, 20]
    assert not inside[20, 29]


def test_two_separate_contours_in_one_plane() -> None:
    inside = fill([circle(10.37, 10.21, 5), circle(30.42, 29.66, 6)], rows=41, columns=41)
    np.testing.assert_allclose(inside.sum(), np.pi * (25 + 36), rtol=0.03)


def test_a_contour_that_leaves_the_picture_fills_what_is_within() -> None:
    inside = fill([np.array([[-5.0, -5.0], [-5.0, 20.0], [3.5, 20.0], [3.5, -5.0]])], rows=8, columns=9)
    assert inside.sum() == 4 * 9


def test_a_repeated_closing_point_changes_nothing() -> None:
    ring = circle(10, 10, 7)
    closed = np.concatenate([ring, ring[:1]])
    np.testing.assert_array_equal(fill([closed], rows=21, columns=21), fill([ring], rows=21, columns=21))


def star(middle: tuple[float, float], radii: list[float], turn: float = 0.0) -> Ring:
    angles = np.linspace(0, 2 * np.pi, len(radii), endpoint=False) + turn
    directions: Ring = np.column_stack([np.sin(angles), np.cos(angles)])
    return np.asarray(np.array(middle) + np.array(radii)[:, None] * directions)


stars = st.lists(st.floats(3.0, 24.0), min_size=5, max_size=40)


@given(radii=stars, row=st.floats(29, 31), column=st.floats(29, 31))
@settings(max_examples=150, deadline=None)
def test_the_pixels_of_any_star_are_those_whose_centre_it_surrounds(
    radii: list[float], row: float, column: float
) -> None:
    ring = star((row, column), radii, turn=0.1234)
    inside = fill([ring], rows=60, columns=60)
    rng = np.random.default_rng(len(radii))
    for pixel in rng.integers(0, 60, size=(60, 2)):
        edges = np.roll(ring, -1, axis=0) - ring
        lengths = np.linalg.norm(edges, axis=1)
        offset = pixel - ring
        near = np.abs(edges[:, 0] * offset[:, 1] - edges[:, 1] * offset[:, 0]) / lengths
        if near.min() > 1e-6:  # on an edge both answers are right
            assert inside[tuple(pixel)] == inside_by_winding(ring, *map(float, pixel))


@given(radii=stars)
@settings(max_examples=80, deadline=None)
def test_the_area_of_any_star_agrees_with_its_own(radii: list[float]) -> None:
    """Counting centres errs by less than the number of pixels that the outline passes."""
    ring = star((120, 120), [4 * radius for radius in radii])
    length = np.linalg.norm(np.roll(ring, -1, axis=0) - ring, axis=1).sum()
    assert abs(fill([ring], rows=240, columns=240).sum() - shoelace(ring)) < 0.25 * length + 4


@given(radii=stars, shift=st.tuples(st.integers(-6, 6), st.integers(-6, 6)))
@settings(max_examples=50, deadline=None)
def test_moving_the_contour_by_whole_pixels_moves_the_mask(radii: list[float], shift: tuple[int, int]) -> None:
    ring = np.round(star((40, 40), radii), 2)
    still, moved = fill([ring], rows=81, columns=81), fill([ring + shift], rows=81, columns=81)
    np.testing.assert_array_equal(np.roll(still, shift, axis=(0, 1)), moved)
