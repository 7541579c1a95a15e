"""Grids, volumes and masks: the geometry that nobody may guess."""

from __future__ import annotations

import numpy as np
import pytest

from prognoscope.core.geometry import Grid, Mask, Volume, crop, require_same_grid
from prognoscope.core.problems import Refused

AXIAL = Grid(shape=(3, 4, 5), spacing=(3.0, 1.0, 2.0), origin=(10.0, 20.0, 30.0))


def test_an_axial_grid_counts_z_y_x_and_answers_x_y_z() -> None:
    assert AXIAL.positions([2, 1, 3]).tolist() == [10.0 + 3 * 2.0, 20.0 + 1.0, 30.0 + 2 * 3.0]


def test_positions_and_indices_are_inverse_on_an_oblique_grid() -> None:
    angle = np.deg2rad(30)
    rotation = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    (a, b, c), (d, e, f), (g, h, i) = (rotation @ np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]], dtype=float)).tolist()
    oblique = Grid((4, 5, 6), (2.0, 0.7, 0.7), (-3.0, 4.0, 5.0), ((a, b, c), (d, e, f), (g, h, i)))
    indices = np.array([[0, 0, 0], [3, 4, 5], [1.5, 2.25, 0.5]])
    np.testing.assert_allclose(oblique.indices(oblique.positions(indices)), indices, atol=1e-12)


@pytest.mark.parametrize(("shift_mm", "same"), [(0.0, True), (0.009, True), (0.011, False)])
def test_grids_are_the_same_up_to_one_percent_of_the_smallest_voxel_edge(shift_mm: float, same: bool) -> None:
    moved = Grid(AXIAL.shape, AXIAL.spacing, (10.0 + shift_mm, 20.0, 30.0))
    assert AXIAL.same_as(moved) is same


def test_a_mask_on_a_moved_grid_is_refused_with_the_distance() -> None:
    volume = Volume(np.zeros(AXIAL.shape, np.float32), AXIAL)
    mask = Mask(np.ones(AXIAL.shape, bool), Grid(AXIAL.shape, AXIAL.spacing, (11.0, 20.0, 30.0)))
    with pytest.raises(Refused, match=r"1\.000 mm apart") as refused:
        require_same_grid(volume, mask)
    assert refused.value.problem.code == "grids-differ"


def test_a_sheared_grid_is_refused() -> None:
    with pytest.raises(Refused, match="right angles"):
        Grid((2, 2, 2), (1, 1, 1), direction=((0, 0.5, 1), (0, 1, 0), (1, 0, 0)))


@pytest.mark.parametrize("spacing", [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, float("nan"))])
def test_a_spacing_that_is_no_length_is_refused(spacing: tuple[float, float, float]) -> None:
    with pytest.raises(Refused) as refused:
        Grid((2, 2, 2), spacing)
    assert refused.value.problem.code == "grid-spacing"


def test_voxels_cannot_be_changed_and_the_callers_array_still_can() -> None:
    own = np.zeros(AXIAL.shape, np.float32)
    volume = Volume(own, AXIAL)
    with pytest.raises(ValueError, match="read-only"):
        volume.voxels[0, 0, 0] = 1
    own[0, 0, 0] = 7
    assert volume.voxels[0, 0, 0] == 0


def test_an_array_of_another_shape_is_refused_with_both_shapes() -> None:
    with pytest.raises(Refused, match=r"\(2, 2, 2\).*\(3, 4, 5\)"):
        Volume(np.zeros((2, 2, 2), np.float32), AXIAL)


def test_a_crop_keeps_every_voxel_where_it_was_in_the_patient() -> None:
    inside = np.zeros(AXIAL.shape, bool)
    inside[1, 2, 3] = True
    values = np.arange(inside.size, dtype=np.float32).reshape(AXIAL.shape)
    volume, mask = crop(Volume(values, AXIAL), Mask(inside, AXIAL), margin=1)
    assert volume.grid.shape == (3, 3, 3)
    here = np.argwhere(mask.voxels)[0]
    np.testing.assert_allclose(mask.grid.positions(here), AXIAL.positions([1, 2, 3]))
    assert volume.voxels[tuple(here)] == values[1, 2, 3]


def test_a_margin_ends_at_the_image_border() -> None:
    inside = np.ones(AXIAL.shape, bool)
    volume, _ = crop(Volume(np.zeros(AXIAL.shape, np.float32), AXIAL), Mask(inside, AXIAL), margin=9)
    assert volume.grid.shape == AXIAL.shape


def test_cropping_to_an_empty_mask_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        crop(Volume(np.zeros(AXIAL.shape, np.float32), AXIAL), Mask(np.zeros(AXIAL.shape, bool), AXIAL))
    assert refused.value.problem.code == "empty-mask"
