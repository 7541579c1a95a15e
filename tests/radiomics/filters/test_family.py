"""The list of filters: how one is chosen, what its response is called, and how it enters the features."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from prognoscope.core.geometry import Grid, Mask, Volume
from prognoscope.radiomics import RadiomicsSettings, extract
from prognoscope.radiomics.filters import FILTERS, FilterChoice, respond

SPACING = (2.0, 1.0, 1.5)
VOXELS = np.random.default_rng(1).normal(0, 100, (7, 9, 8)).astype(np.float32)
ONE_OF_EACH: dict[str, dict[str, object]] = {
    "mean": {"support": 3},
    "laplacian_of_gaussian": {"sigma_mm": 2},
    "laws": {"kernels": "L3E3S3"},
    "gabor": {"sigma_mm": 2, "wavelength_mm": 4},
    "separable_wavelet": {"family": "coif1", "bands": "LLH"},
    "nonseparable_wavelet": {"level": 2},
}


def choose(name: str, **settings: object) -> FilterChoice:
    return FilterChoice.model_validate({name: {**ONE_OF_EACH[name], **settings}})


def test_the_list_and_the_settings_name_the_same_filters_in_the_same_order() -> None:
    assert [entry.name for entry in FILTERS] == list(FilterChoice.model_fields) == list(ONE_OF_EACH)


@pytest.mark.parametrize("name", ONE_OF_EACH)
@pytest.mark.parametrize("boundary", ["zero", "constant", "nearest", "periodic", "mirror"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_filter_answers_under_every_boundary(name: str, boundary: str, dtype: type[np.floating]) -> None:
    choice = choose(name, boundary=boundary)
    before = VOXELS.astype(dtype)
    given_voxels = before.copy()
    response = respond(given_voxels, SPACING, choice)
    assert response.shape == VOXELS.shape
    assert response.dtype == np.float32
    assert np.isfinite(response).all()
    np.testing.assert_array_equal(given_voxels, before)


@pytest.mark.parametrize("name", ONE_OF_EACH)
@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 5, 4), (2, 1, 3)])
def test_images_smaller_than_the_kernel_have_a_response(name: str, shape: tuple[int, int, int]) -> None:
    response = respond(np.full(shape, 5.0), SPACING, choose(name))
    assert response.shape == shape
    assert np.isfinite(response).all()


@pytest.mark.parametrize("name", ONE_OF_EACH)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_an_image_with_a_voxel_that_is_no_number_has_no_response(name: str, wrong: float) -> None:
    voxels = VOXELS.copy()
    voxels[3, 4, 5] = wrong
    assert np.isnan(respond(voxels, SPACING, choose(name))).all()


@pytest.mark.parametrize("name", sorted(set(ONE_OF_EACH) - {"gabor"}))
@given(scale=st.floats(-3, 3), offset=st.floats(-50, 50))
def test_filters_are_linear_but_for_the_modulus(name: str, scale: float, offset: float) -> None:
    choice = choose(name, boundary="mirror")
    other = np.roll(VOXELS, 2, axis=1)
    expected = scale * respond(VOXELS, SPACING, choice) + respond(other + np.float32(offset), SPACING, choice)
    found = respond(np.float32(scale) * VOXELS + other + np.float32(offset), SPACING, choice)
    np.testing.assert_allclose(found, expected, atol=2e-2)


@pytest.mark.parametrize("name", ONE_OF_EACH)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_periodic_image_that_is_shifted_has_a_response_that_is_shifted(name: str, axis: int) -> None:
    choice = choose(name, boundary="periodic")
    shifted = np.roll(respond(VOXELS, SPACING, choice), 2, axis=axis)
    np.testing.assert_allclose(respond(np.roll(VOXELS, 2, axis=axis), SPACING, choice), shifted, atol=1e-2)


@pytest.mark.parametrize("name", sorted(set(ONE_OF_EACH) - {"nonseparable_wavelet"}))
@pytest.mark.parametrize("boundary", ["zero", "nearest", "mirror"])
def test_a_region_with_its_margin_has_the_response_of_the_whole_image(name: str, boundary: str) -> None:
    voxels = np.random.default_rng(2).normal(0, 100, (40, 60, 50)).astype(np.float32)
    choice = choose(name, boundary=boundary)
    whole = respond(voxels, SPACING, choice)
    margin = [math.ceil(choice.settings.margin_mm(SPACING) / step) for step in SPACING]
    region = [slice(18, 22), slice(25, 33), slice(0, 6)]
    block = tuple(
        slice(max(part.start - width, 0), part.stop + width) for part, width in zip(region, margin, strict=True)
    )
    inside = tuple(
        slice(part.start - cut.start, part.stop - cut.start) for part, cut in zip(region, block, strict=True)
    )
    cropped = respond(voxels[block], SPACING, choice)[inside]
    np.testing.assert_allclose(cropped, whole[tuple(region)], atol=1e-3 * float(np.ptp(whole)))


@pytest.mark.parametrize(
    ("given_settings", "label"),
    [
        ({"mean": {}}, "mean_5"),
        ({"laplacian_of_gaussian": {"sigma_mm": 3}}, "log_3mm"),
        ({"laplacian_of_gaussian": {"sigma_mm": 1.5, "dimensions": 2, "boundary": "nearest"}}, "log_1_5mm_2d_nearest"),
        (
            {"laplacian_of_gaussian": {"sigma_mm": 3, "truncate": 3, "riesz": {"order": (0, 2, 0)}}},
            "log_3mm_cut3_riesz_020",
        ),
        ({"laws": {"kernels": "L5E5E5", "pooling": "max", "energy_distance": 7}}, "laws_l5e5e5_max_energy7"),
        ({"gabor": {"sigma_mm": 5, "wavelength_mm": 2}}, "gabor_5mm_2mm"),
        (
            {"gabor": {"sigma_mm": 5, "wavelength_mm": 2, "gamma": 1.5, "theta_deg": 10, "theta_step_deg": 22.5}},
            "gabor_5mm_2mm_gamma1_5_theta10_step22_5",
        ),
        ({"gabor": {"sigma_mm": 5, "wavelength_mm": 2, "pooling": "max", "truncate": 3}}, "gabor_5mm_2mm_max_cut3"),
        ({"separable_wavelet": {"family": "db3", "bands": "LH", "dimensions": 2}}, "db3_lh_level1_2d"),
        (
            {"separable_wavelet": {"family": "haar", "bands": "HHH", "level": 2, "pooling": "average"}},
            "haar_hhh_level2_average",
        ),
        ({"nonseparable_wavelet": {}}, "simoncelli_level1"),
        (
            {"nonseparable_wavelet": {"level": 2, "riesz": {"order": (1, 0, 0), "steering_sigma_mm": 1.5}}},
            "simoncelli_level2_riesz_100_steered1_5mm",
        ),
        ({"mean": {"boundary": "constant", "boundary_value": -1000}}, "mean_5_constant-1000"),
    ],
)
def test_a_response_is_called_by_what_makes_it(given_settings: dict[str, object], label: str) -> None:
    found = FilterChoice.model_validate(given_settings).settings.label
    assert found == label
    assert "." not in found


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"mean": {}, "laws": {"kernels": "L5E5E5"}},
        {"median": {}},
        {"mean": {"suport": 3}},
        {"mean": {"boundary": "reflect"}},
        {"mean": {"boundary_value": 3}},
        {"mean": {"dimensions": 1}},
    ],
)
def test_each_entry_names_one_known_filter_with_known_settings(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        FilterChoice.model_validate(wrong)


def region(modality_offset: float = 0.0) -> tuple[Volume, Mask]:
    voxels = np.random.default_rng(3).normal(modality_offset, 80, (14, 16, 15)).astype(np.float32)
    z, y, x = np.mgrid[:14, :16, :15]
    inside = (z - 7) ** 2 + (y - 8) ** 2 + (x - 7) ** 2 < 20
    grid = Grid(voxels.shape, (2.0, 1.0, 1.0))
    return Volume(voxels, grid), Mask(inside, grid)


def test_features_of_the_image_come_first_and_then_those_of_each_response() -> None:
    volume, mask = region()
    settings = RadiomicsSettings.model_validate(
        {"families": ["all"], "filters": [{"laplacian_of_gaussian": {"sigma_mm": 3}}, {"mean": {"support": 3}}]}
    )
    features = extract(volume, mask, settings, modality="MR")
    names = [feature.name for feature in features]
    plain = [feature.name for feature in extract(volume, mask, RadiomicsSettings(), modality="MR")]
    assert names[: len(plain)] == plain
    assert len(names) == len(set(names))
    assert "log_3mm.stat_mean" in names
    assert "log_3mm.fbn32.cm_energy" in names
    # Shape and autocorrelation are those of the region and the image, not of a response.
    assert len([name for name in names if name.startswith("log_3mm.")]) == 169 - 23 - 2
    assert names.index("log_3mm.stat_mean") < names.index("mean_3.stat_mean")
    assert not any("morph" in name for name in names[len(plain) :])


def test_the_statistics_of_a_response_are_those_of_the_filtered_image_inside_the_mask() -> None:
    volume, mask = region()
    choice = FilterChoice.model_validate({"laplacian_of_gaussian": {"sigma_mm": 1.5}})
    settings = RadiomicsSettings(families=("statistics",), filters=(choice,))
    values = {feature.name: feature.value for feature in extract(volume, mask, settings, modality="MR")}
    inside = respond(volume.voxels, volume.grid.spacing, choice)[mask.voxels].astype(float)
    assert values["log_1_5mm.stat_mean"] == pytest.approx(inside.mean(), abs=1e-4)
    assert values["log_1_5mm.stat_var"] == pytest.approx(inside.var(), rel=1e-4)
    assert values["log_1_5mm.stat_max"] == pytest.approx(inside.max(), rel=1e-5)


def test_responses_of_a_ct_have_bins_of_fixed_number_whatever_the_image_has() -> None:
    volume, mask = region(-400.0)
    settings = RadiomicsSettings.model_validate(
        {
            "families": ["texture", "intensity"],
            "bin_width": 25,
            "resegmentation": {"range": [-1000, 400]},
            "filters": [{"separable_wavelet": {"family": "coif1", "bands": "HHH"}}],
        }
    )
    features = {feature.name: feature for feature in extract(volume, mask, settings, modality="CT")}
    assert "fbs25.cm_energy" in features
    assert features["coif1_hhh_level1.fbn32.cm_energy"].value > 0
    assert math.isfinite(features["coif1_hhh_level1.ivh_v10"].value)


def test_the_mask_is_resegmented_by_the_image_and_not_by_the_response() -> None:
    volume, mask = region()
    settings = RadiomicsSettings.model_validate(
        {"families": ["statistics"], "resegmentation": {"range": [-50, 50]}, "filters": [{"mean": {"support": 3}}]}
    )
    values = {feature.name: feature.value for feature in extract(volume, mask, settings, modality="MR")}
    kept = mask.voxels & (volume.voxels >= -50) & (volume.voxels <= 50)
    expected = respond(volume.voxels, volume.grid.spacing, settings.filters[0])[kept].astype(float)
    assert values["mean_3.stat_mean"] == pytest.approx(expected.mean(), abs=1e-4)


def test_a_voxel_that_is_no_number_leaves_the_features_without_value_and_with_the_reason() -> None:
    volume, mask = region()
    voxels = volume.voxels.copy()
    voxels[0, 0, 0] = np.nan
    settings = RadiomicsSettings.model_validate({"families": ["statistics"], "filters": [{"nonseparable_wavelet": {}}]})
    features = {f.name: f for f in extract(Volume(voxels, volume.grid), mask, settings, modality="MR")}
    assert math.isfinite(features["stat_mean"].value)
    assert math.isnan(features["simoncelli_level1.stat_mean"].value)
    assert "not finite" in features["simoncelli_level1.stat_mean"].reason


def test_one_filter_named_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="mean_5 is named twice"):
        RadiomicsSettings.model_validate({"filters": [{"mean": {}}, {"mean": {"support": 5}}]})
