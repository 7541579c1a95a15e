"""Whatever the region, the same features come in the same order: a number, or NaN with its reason."""

from __future__ import annotations

import math

import numpy as np
import pytest

from prognoscope.core.geometry import Grid, Mask, Volume
from prognoscope.core.measures import Feature
from prognoscope.core.problems import Refused
from prognoscope.radiomics import RadiomicsSettings, extract
from prognoscope.radiomics.settings import AGGREGATIONS
from tests.make.radiomics import ball, lesion

ALL = RadiomicsSettings(aggregations=AGGREGATIONS)
IN_3D = 169


def measured(volume: Volume, mask: Mask, **settings: object) -> dict[str, Feature]:
    chosen = RadiomicsSettings.model_validate(settings) if settings else ALL
    features = extract(volume, mask, chosen, modality="OT")
    assert [f.name for f in features] == [f.name for f in extract(*lesion(), chosen, modality="OT")]
    assert all(bool(f.reason) == math.isnan(f.value) for f in features)
    assert not any(math.isinf(f.value) for f in features)
    return {f.name: f for f in features}


def image(voxels: np.ndarray, inside: np.ndarray) -> tuple[Volume, Mask]:
    grid = Grid(voxels.shape, (1.0, 1.0, 1.0))
    return Volume(voxels.astype(np.float32), grid), Mask(inside, grid)


def test_nothing_is_left_out_of_the_standard() -> None:
    assert len(extract(*lesion(), RadiomicsSettings(), modality="OT")) == IN_3D
    # 74 features without matrix, 25 and 16 in six aggregations, 16, 16, 5 and 17 in three.
    assert len(measured(*lesion())) == 74 + 6 * (25 + 16) + 3 * (16 + 16 + 5 + 17)


def test_names_say_bins_and_aggregation() -> None:
    names = set(measured(*lesion()))
    assert {"morph_volume", "stat_mean", "ivh_v10", "fbn32.ih_mean", "fbn32.cm_energy", "fbn32.szm_sze"} <= names
    assert {"fbn32.cm_energy_2D_avg", "fbn32.rlm_sre_2_5D_comb", "fbn32.ngt_strength_2_5D"} <= names
    assert len(names) == len(measured(*lesion()))


def test_an_empty_mask_is_refused() -> None:
    volume, mask = lesion()
    with pytest.raises(Refused, match="empty-mask"):
        extract(volume, Mask(np.zeros_like(mask.voxels), mask.grid), ALL, modality="OT")


def test_a_mask_on_another_grid_is_refused_with_the_distance() -> None:
    volume, mask = lesion()
    moved = Mask(mask.voxels, Grid(mask.grid.shape, mask.grid.spacing, origin=(0.5, 0.0, 0.0)))
    with pytest.raises(Refused, match=r"0\.500 mm apart"):
        extract(volume, moved, ALL, modality="OT")


def test_one_voxel_has_a_shape_and_no_texture() -> None:
    inside = np.zeros((5, 5, 5), dtype=bool)
    inside[2, 2, 2] = True
    found = measured(*image(np.full((5, 5, 5), 3.0), inside))
    assert found["morph_vol_approx"].value == 1
    assert found["morph_diam"].value == 1
    assert found["stat_mean"].value == 3
    assert found["fbn32.szm_sze"].value == 1
    for name in ("morph_pca_maj_axis", "morph_moran_i", "stat_skew", "fbn32.cm_contrast", "fbn32.ngt_strength"):
        assert math.isnan(found[name].value)


def test_a_constant_region_has_the_values_that_the_standard_defines() -> None:
    found = measured(*image(np.full((9, 9, 9), 4.0), ball((9, 9, 9), 3)))
    assert found["fbn32.ngt_coarseness"].value == 1e6
    assert [found[f"fbn32.ngt_{name}"].value for name in ("contrast", "busyness", "complexity", "strength")] == [0] * 4
    assert found["fbn32.cm_joint_max"].value == found["fbn32.ih_uniformity"].value == 1
    assert found["fbn32.cm_joint_entr"].value == 0
    for name in ("fbn32.cm_corr", "fbn32.cm_info_corr1", "stat_kurt", "morph_geary_c"):
        assert math.isnan(found[name].value)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_no_numbers_leave_the_shape(wrong: float) -> None:
    volume, mask = lesion()
    voxels = volume.voxels.copy()
    voxels[tuple(np.argwhere(mask.voxels)[4])] = wrong
    found = measured(Volume(voxels, volume.grid), mask)
    assert found["morph_volume"].value > 0
    assert found["stat_mean"].reason == f"1 of {mask.count} voxels are not finite numbers"
    assert all(math.isnan(f.value) for name, f in found.items() if not name.startswith("morph_"))


def test_a_bad_voxel_beside_the_region_concerns_only_what_looks_there() -> None:
    volume, mask = lesion()
    voxels = volume.voxels.copy()
    voxels[0, 0, 0] = np.nan
    found = measured(Volume(voxels, volume.grid), mask)
    lost = [name for name, feature in found.items() if math.isnan(feature.value)]
    assert lost == ["loc_peak_loc", "loc_peak_glob"]


def test_re_segmentation_may_leave_nothing() -> None:
    found = measured(*lesion(), resegmentation={"range": [1000, 2000]}, bin_width=5)
    assert found["morph_volume"].value > 0
    assert found["fbs5.cm_energy"].reason == "no voxel is left after re-segmentation"


def test_parts_far_apart_are_measured_as_one_region() -> None:
    inside = np.zeros((9, 9, 30), dtype=bool)
    inside[3:6, 3:6, 2:5] = inside[3:6, 3:6, 24:27] = True
    random = np.random.default_rng(5)
    found = measured(*image(random.integers(0, 9, inside.shape), inside))
    assert found["morph_vol_approx"].value == 54
    assert found["morph_diam"].value > 22
    assert found["morph_vol_dens_conv_hull"].value < 0.3


def test_a_region_may_fill_the_image() -> None:
    random = np.random.default_rng(5)
    found = measured(*image(random.integers(0, 9, (6, 7, 8)), np.ones((6, 7, 8), dtype=bool)))
    assert found["morph_vol_approx"].value == 6 * 7 * 8
    assert found["morph_vol_dens_conv_hull"].value == pytest.approx(1)


def test_a_single_slice_has_no_matrices_across_slices() -> None:
    random = np.random.default_rng(5)
    found = measured(*image(random.integers(0, 9, (1, 9, 9)), np.ones((1, 9, 9), dtype=bool)))
    assert found["fbn32.cm_contrast_2D_comb"].value == pytest.approx(found["fbn32.cm_contrast"].value)
    assert found["morph_pca_least_axis"].value == 0


def test_more_than_65535_grey_levels_are_refused_by_name_and_the_rest_is_measured() -> None:
    volume, mask = lesion()
    wide = Volume(volume.voxels * 1e5, volume.grid)
    found = measured(wide, mask, bin_width=1)
    assert "more than the 65535 that are counted" in found["fbs1.cm_energy"].reason
    assert found["stat_mean"].value > 0


def test_more_levels_than_a_matrix_can_hold_spoil_that_matrix_only() -> None:
    volume, mask = lesion()
    wide = Volume(volume.voxels * 8000, volume.grid)
    found = measured(wide, mask, bin_width=1)
    assert "use wider bins" in found["fbs1.cm_energy"].reason
    assert found["fbs1.ih_entropy"].value > 0


def test_an_oblique_grid_changes_nothing() -> None:
    volume, mask = lesion(spacing=(2.0, 1.0, 1.5))
    c, s = math.cos(0.4), math.sin(0.4)
    turned = Grid(mask.grid.shape, mask.grid.spacing, (5, 6, 7), ((0, c, -s), (0, s, c), (1, 0, 0)))
    straight = measured(volume, mask)
    oblique = measured(Volume(volume.voxels, turned), Mask(mask.voxels, turned))
    assert all(np.array_equal(oblique[n].value, straight[n].value, equal_nan=True) for n in straight)


def test_a_busyness_that_would_divide_by_zero_has_none() -> None:
    # Levels 1 and 2 with two voxels of the first for one of the second: |i p(i) − j p(j)| is 0.
    voxels = np.array([[[1, 1, 2]]], dtype=np.float32)
    found = measured(*image(voxels, np.ones(voxels.shape, dtype=bool)), bin_width=1)["fbs1.ngt_busyness"]
    assert math.isnan(found.value)
    assert "denominator 0" in found.reason


def test_two_voxels_have_none_between_their_percentiles() -> None:
    voxels = np.array([[[1, 5]]], dtype=np.float32)
    found = measured(*image(voxels, np.ones(voxels.shape, dtype=bool)))
    assert math.isnan(found["stat_rmad"].value)
    assert found["stat_mad"].value == 2


@pytest.mark.parametrize("factor", [2.0**-100, 2.0**100])
def test_intensities_whose_squares_are_no_float_keep_their_autocorrelation(factor: float) -> None:
    volume, mask = lesion()
    plain = measured(volume, mask)
    scaled = measured(Volume(volume.voxels * np.float32(factor), volume.grid), mask)
    for name in ("morph_moran_i", "morph_geary_c", "stat_skew", "fbn32.cm_contrast"):
        assert scaled[name].value == pytest.approx(plain[name].value)


@pytest.mark.parametrize("spline", ["linear", "cubic"])
def test_interpolating_voxels_that_are_no_numbers_leaves_the_shape(spline: str) -> None:
    volume, mask = lesion()
    spoilt = volume.voxels.copy()
    spoilt[5, 6, 6] = np.inf
    found = measured(
        Volume(spoilt, volume.grid), mask, interpolation={"spacing_mm": 0.7, "image_spline": spline}, bins=8
    )
    assert found["morph_volume"].value > 0
    assert math.isnan(found["stat_mean"].value)


@pytest.mark.parametrize("plan", [{"outliers_sd": 3}, {"range": [-1000, 400]}, {"range": [0, 400], "outliers_sd": 2}])
def test_a_voxel_that_is_no_number_is_told_whatever_the_re_segmentation(plan: dict[str, object]) -> None:
    volume, mask = lesion()
    voxels = volume.voxels.copy()
    voxels[tuple(np.argwhere(mask.voxels)[5])] = np.nan
    found = measured(Volume(voxels, volume.grid), mask, resegmentation=plan)
    told = f"1 of {mask.count} voxels are not finite numbers"
    assert found["stat_mean"].reason == found["fbn32.cm_energy"].reason == told
    assert found["morph_com"].reason == found["morph_integ_int"].reason == told
    assert math.isfinite(found["morph_volume"].value)


def test_an_infinite_voxel_beyond_the_range_leaves_like_any_other() -> None:
    volume, mask = lesion()
    voxels = volume.voxels.copy()
    voxels[tuple(np.argwhere(mask.voxels)[5])] = np.inf
    found = measured(Volume(voxels, volume.grid), mask, resegmentation={"range": [None, 400]}, families=["statistics"])
    assert found["stat_max"].value == 6


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"bin_width": 1e-320}, "cm_energy"),
        ({"bin_width": 1, "bin_start": -1e308}, "cm_energy"),
        ({"volume_histogram": {"bin_width": 1e-320}}, "ivh_v10"),
    ],
)
def test_bins_too_narrow_to_be_counted_are_told(settings: dict[str, object], name: str) -> None:
    chosen = RadiomicsSettings.model_validate(settings)
    found = next(f for f in extract(*lesion(), chosen, modality="OT") if f.name.endswith(name))
    assert math.isnan(found.value)
    assert "more than" in found.reason
    assert "65535" in found.reason


@pytest.mark.parametrize("spacing_mm", [0.01, 1e-9])
def test_voxels_too_small_for_any_memory_are_refused_before_any_is_made(spacing_mm: float) -> None:
    settings = RadiomicsSettings.model_validate({"interpolation": {"spacing_mm": spacing_mm}})
    with pytest.raises(Refused, match="too-many-voxels"):
        extract(*lesion(), settings, modality="CT")
