"""The processing chain: interpolate, round, re-segment, discretise."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from scipy import ndimage

from prognoscope.core.geometry import Grid, Mask, Volume
from prognoscope.core.problems import Refused
from prognoscope.radiomics import RadiomicsSettings, prepare
from prognoscope.radiomics.discretise import Levels, Undefined, discretise
from prognoscope.radiomics.frame import frame_of
from prognoscope.radiomics.prepare import Prepared
from tests.make.radiomics import lesion


def prepared(volume: Volume, mask: Mask, *, modality: str = "OT", margin_mm: float = 5, **settings: object) -> Prepared:
    chosen = RadiomicsSettings.model_validate(settings)
    return prepare(volume, mask, chosen, modality=modality, margin_mm=margin_mm)


def whole(shape: tuple[int, int, int], voxels: np.ndarray, spacing: float = 1.0) -> tuple[Volume, Mask]:
    grid = Grid(shape, (spacing, spacing, spacing))
    return Volume(voxels.astype(np.float32), grid), Mask(np.ones(shape, dtype=bool), grid)


def test_the_new_grid_has_the_centre_of_the_old_one() -> None:
    # The manual's example (section 2.4.2): 3 voxels of 3 mm become ⌈9 / 2⌉ = 5 of 2 mm, the outer ones outside.
    shape = (3, 3, 3)
    ramp = np.broadcast_to(np.arange(3) * 3.0, shape)
    region = prepared(*whole(shape, ramp, 3.0), interpolation={"spacing_mm": 2}, margin_mm=math.inf)
    assert region.intensities.shape == (5, 5, 5)
    assert region.intensities[2, 2] == pytest.approx([0, 1, 3, 5, 6])
    assert region.spacing_mm == (2.0, 2.0, 2.0)


@pytest.mark.parametrize("spline", ["linear", "cubic"])
def test_splines_are_those_of_scipy(spline: str) -> None:
    volume, mask = lesion((14, 13, 15), radius=5, spacing=(1.0, 1.0, 1.0))
    plan = {"spacing_mm": 0.75, "image_spline": spline}
    region = prepared(volume, mask, interpolation=plan, margin_mm=math.inf)
    axes = [(n - 1) / 2 + (np.arange(m) - (m - 1) / 2) * 0.75 for n, m in zip((14, 13, 15), (19, 18, 20), strict=True)]
    places = np.stack(np.meshgrid(*axes, indexing="ij"))
    places = np.clip(places, 0, np.array([13, 12, 14])[:, None, None, None])
    order: Literal[1, 3] = 1 if spline == "linear" else 3
    expected = ndimage.map_coordinates(volume.voxels.astype(float), places, order=order, mode="mirror")
    assert region.intensities == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("spline", ["nearest", "linear", "cubic"])
def test_a_crop_is_interpolated_as_in_the_whole_image(spline: str) -> None:
    random = np.random.default_rng(3)
    shape = (70, 64, 80)
    grid = Grid(shape, (1.3, 0.9, 1.1))
    inside = np.zeros(shape, dtype=bool)
    inside[33:38, 30:37, 38:46] = True
    volume, mask = Volume(random.normal(size=shape).astype(np.float32), grid), Mask(inside, grid)
    plan = {"spacing_mm": 1, "image_spline": spline}
    near = prepared(volume, mask, interpolation=plan, margin_mm=2)
    far = prepared(volume, mask, interpolation=plan, margin_mm=math.inf)
    assert near.intensities.size < far.intensities.size
    assert np.array_equal(near.intensities[near.intensity_mask], far.intensities[far.intensity_mask])


def test_slices_can_be_kept() -> None:
    volume, mask = lesion((8, 12, 12), spacing=(3.0, 1.0, 1.0))
    region = prepared(volume, mask, interpolation={"spacing_mm": 2, "slices": "keep"}, margin_mm=math.inf)
    assert region.spacing_mm == (3.0, 2.0, 2.0)
    assert region.intensities.shape == (8, 6, 6)


def test_only_ct_is_rounded_unless_told() -> None:
    volume, mask = lesion()
    plan = {"spacing_mm": 0.7}
    smooth = prepared(volume, mask, interpolation=plan).intensities
    assert not np.array_equal(smooth, np.rint(smooth))
    assert np.array_equal(prepared(volume, mask, modality="CT", interpolation=plan).intensities, np.rint(smooth))
    told = prepared(volume, mask, interpolation=plan | {"round_intensities": True}).intensities
    assert np.array_equal(told, np.rint(smooth))


def test_a_voxel_half_inside_belongs_to_the_region() -> None:
    shape = (1, 1, 4)
    grid = Grid(shape, (1.0, 1.0, 1.0))
    inside = np.array([[[True, True, False, False]]])
    volume, mask = Volume(np.ones(shape, dtype=np.float32), grid), Mask(inside, grid)
    half = prepared(volume, mask, interpolation={"spacing_mm": 2, "slices": "keep"}, margin_mm=9)
    assert half.morphological_mask.ravel().tolist() == [True, False]


def test_re_segmentation_leaves_the_shape_alone_and_takes_the_range_before_outliers() -> None:
    shape = (1, 1, 8)
    volume, mask = whole(shape, np.array([[[0, 1, 1, 1, 1, 1, 2, 500]]]))
    region = prepared(volume, mask, resegmentation={"range": [None, 10], "outliers_sd": 1.5})
    # Of what the range leaves, mean 1 and standard deviation 0.53: 0 and 2 are 1.9 of them away.
    assert region.intensity_mask.ravel().tolist() == [False, True, True, True, True, True, False, False]
    assert region.morphological_mask.all()


def levels(values: list[float], **settings: object) -> list[int] | Undefined:
    shape = (1, 1, len(values))
    chosen = RadiomicsSettings.model_validate(settings)
    region = prepare(*whole(shape, np.array([[values]])), chosen, modality="OT")
    inside = region.intensities[region.intensity_mask]
    found = discretise(region, (float(inside.min()), float(inside.max())), chosen, frame_of(region, 1))
    return found if isinstance(found, Undefined) else [int(x) for x in found.padded[found.padded > 0]]


def test_a_fixed_number_of_bins_spans_the_region() -> None:
    assert levels([0, 1, 2, 3, 4], bins=4) == [1, 2, 3, 4, 4]


def test_bins_of_fixed_size_start_where_they_are_told() -> None:
    assert levels([5, 9.9, 10, 24], bin_width=5) == [1, 1, 2, 4]
    assert levels([5, 9.9, 10, 24], bin_width=5, bin_start=0) == [2, 2, 3, 5]
    assert levels([5, 9.9, 10, 24], bin_width=5, resegmentation={"range": [-5, 30]}) == [3, 3, 4, 6]


def test_a_constant_region_has_one_level() -> None:
    assert levels([7, 7, 7], bins=32) == [1, 1, 1]


def test_levels_that_sixteen_bits_cannot_count_are_undefined() -> None:
    assert levels([0, 65534], bin_width=1) == [1, 65535]
    assert levels([0, 65535], bin_width=1) == Undefined("65536 grey levels, more than the 65535 that are counted")


def test_an_intensity_below_the_first_bin_is_undefined() -> None:
    found = levels([-3, 4], bin_width=1, bin_start=0)
    assert found == Undefined("an intensity of -3 lies below the first bin, which starts at 0")


def test_a_region_that_interpolation_loses_is_refused() -> None:
    shape = (9, 9, 9)
    grid = Grid(shape, (1.0, 1.0, 1.0))
    inside = np.zeros(shape, dtype=bool)
    inside[3, 3, 3] = True
    with pytest.raises(Refused, match="after interpolation"):
        prepared(Volume(np.ones(shape, dtype=np.float32), grid), Mask(inside, grid), interpolation={"spacing_mm": 4})


def test_levels_know_their_slices() -> None:
    volume, mask = lesion()
    region = prepared(volume, mask)
    inside = region.intensities[region.intensity_mask]
    ends = float(inside.min()), float(inside.max())
    found = discretise(region, ends, RadiomicsSettings(), frame_of(region, 1))
    assert isinstance(found, Levels)
    assert found.voxels_by_slice().tolist() == [int(n) for n in mask.voxels.sum(axis=(1, 2)) if n]
    assert found.histogram().sum() == mask.count
