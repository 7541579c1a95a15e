"""Feature maps: each voxel has the value that the engine gives for its window."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from prognoscope.core.geometry import Grid, Mask, Volume
from prognoscope.core.problems import Refused
from prognoscope.radiomics import extract
from prognoscope.radiomics.discretise import Levels, fixed_number
from prognoscope.radiomics.frame import Frame
from prognoscope.radiomics.glcm import glcm
from prognoscope.radiomics.maps import COOCCURRENCE, STATISTICS, MapSettings, feature_maps
from prognoscope.radiomics.settings import Aggregation, Cooccurrence, RadiomicsSettings
from prognoscope.radiomics.statistics import statistics

GRID = Grid((7, 10, 11), (3.0, 1.0, 1.0))
EVERYTHING = (*STATISTICS, *COOCCURRENCE)


def region() -> tuple[Volume, Mask]:
    generator = np.random.default_rng(21)
    voxels = (generator.normal(100, 30, GRID.shape) + 10 * np.arange(11)).astype(np.float32)
    inside = generator.random(GRID.shape) < 0.8
    inside[0], inside[:, :, 0] = False, False
    return Volume(voxels, GRID), Mask(inside, GRID)


def window(centre: NDArray[np.int64], inside: NDArray[np.bool_], radius: int, dimensions: int) -> NDArray[np.bool_]:
    reach = (radius if dimensions == 3 else 0, radius, radius)
    near = np.zeros_like(inside)
    near[tuple(slice(max(at - width, 0), at + width + 1) for at, width in zip(centre, reach, strict=True))] = True
    return near & inside


def cooccurrence_of(levels: NDArray[np.uint16], count: int, dimensions: int) -> NDArray[np.float64]:
    by_slice = np.array([np.bincount(plane.ravel(), minlength=count + 1)[1:] for plane in levels])
    padded = Levels(np.pad(levels, 1), Frame(np.pad(levels > 0, 1), 1), count, by_slice)
    aggregation: Aggregation = "3D merged" if dimensions == 3 else "2.5D merged"
    found = glcm(padded, Cooccurrence(), (aggregation,))
    assert isinstance(found, dict)
    return np.asarray(found[aggregation])


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("radius", [1, 2])
def test_every_feature_at_every_voxel_is_that_of_its_window(radius: int, dimensions: int) -> None:
    volume, mask = region()
    settings = MapSettings.model_validate(
        {"features": EVERYTHING, "radius": radius, "dimensions": dimensions, "bins": 6}
    )
    maps = feature_maps(volume, mask, settings)
    assert tuple(maps) == EVERYTHING
    inside = mask.voxels
    values = volume.voxels[inside].astype(float)
    levels = np.zeros(GRID.shape, np.uint16)
    levels[inside] = fixed_number(values, 6, float(values.min()), float(values.max()))
    for centre in np.argwhere(inside):
        here = window(centre, inside, radius, dimensions)
        expected = [
            *statistics(np.sort(volume.voxels[here]).astype(float)),
            *cooccurrence_of(np.where(here, levels, 0).astype(np.uint16), 6, dimensions),
        ]
        found = [maps[tag].voxels[tuple(centre)] for tag in EVERYTHING]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_runs_zones_and_neighbourhoods_are_those_of_the_window_as_a_region(dimensions: int) -> None:
    volume, mask = region()
    tags = ("rlm_lre", "szm_lze", "dzm_lde", "ngt_contrast", "ngl_hde")
    settings = MapSettings.model_validate({"features": tags, "radius": 1, "dimensions": dimensions, "bins": 4})
    maps = feature_maps(volume, mask, settings)
    assert tuple(maps) == tags
    values = volume.voxels[mask.voxels].astype(float)
    levels = np.zeros(GRID.shape, np.float32)
    levels[mask.voxels] = fixed_number(values, 4, float(values.min()), float(values.max()))
    aggregation = "3D merged" if dimensions == 3 else "2.5D merged"
    whole = RadiomicsSettings.model_validate(
        {"families": ["texture"], "bin_width": 1, "bin_start": 1, "aggregations": [aggregation]}
    )
    for centre in np.argwhere(mask.voxels)[::7]:
        here = Mask(window(centre, mask.voxels, 1, dimensions), GRID)
        expected = {
            feature.name.split(".")[-1].split("_2_5D")[0]: feature.value
            for feature in extract(Volume(levels, GRID), here, whole, modality="OT")
        }
        found = {tag: float(maps[tag].voxels[tuple(centre)]) for tag in tags}
        assert found == pytest.approx({tag: expected[tag] for tag in tags}, rel=1e-5, nan_ok=True)


def test_outside_the_region_there_is_no_value_and_the_grid_is_that_of_the_image() -> None:
    volume, mask = region()
    (found,) = feature_maps(volume, mask, MapSettings(features=("stat_mean",))).values()
    assert found.grid == volume.grid
    assert np.isnan(found.voxels[~mask.voxels]).all()
    assert np.isfinite(found.voxels[mask.voxels]).all()


def test_a_window_of_one_voxel_has_a_mean_and_no_cooccurrence() -> None:
    inside = np.zeros(GRID.shape, bool)
    inside[3, 4, 5] = inside[6, 9, 10] = True
    volume, _ = region()
    maps = feature_maps(volume, Mask(inside, GRID), MapSettings(features=("stat_mean", "stat_skew", "cm_contrast")))
    assert maps["stat_mean"].voxels[3, 4, 5] == volume.voxels[3, 4, 5]
    assert math.isnan(maps["stat_skew"].voxels[3, 4, 5])
    assert math.isnan(maps["cm_contrast"].voxels[3, 4, 5])


def test_a_constant_region_has_one_level_and_no_contrast() -> None:
    volume = Volume(np.full(GRID.shape, 7.0, np.float32), GRID)
    maps = feature_maps(volume, region()[1], MapSettings(features=("cm_contrast", "stat_var", "cm_corr")))
    inside = region()[1].voxels
    assert np.nanmax(maps["cm_contrast"].voxels[inside]) == 0.0
    assert (maps["stat_var"].voxels[inside] == 0).all()
    assert np.isnan(maps["cm_corr"].voxels[inside]).all()


def test_voxels_that_are_not_finite_are_left_out_of_all_windows() -> None:
    volume, mask = region()
    spoilt = volume.voxels.copy()
    where = tuple(np.argwhere(mask.voxels)[40])
    spoilt[where] = np.inf
    without = mask.voxels.copy()
    without[where] = False
    settings = MapSettings(features=("stat_max", "cm_joint_entr"))
    found = feature_maps(Volume(spoilt, GRID), mask, settings)
    expected = feature_maps(volume, Mask(without, GRID), settings)
    for tag in settings.features:
        np.testing.assert_array_equal(found[tag].voxels, expected[tag].voxels)


def test_bins_of_fixed_size_begin_at_the_lowest_intensity() -> None:
    volume, mask = region()
    values = volume.voxels[mask.voxels].astype(float)
    width = 25.0
    number = int((values.max() - values.min()) // width) + 1
    levels = np.zeros(GRID.shape, np.uint16)
    levels[mask.voxels] = np.floor((values - values.min()) / width) + 1
    found = feature_maps(volume, mask, MapSettings(features=("cm_joint_avg",), bin_width=width, radius=1))
    centre = np.argwhere(mask.voxels)[100]
    here = window(centre, mask.voxels, 1, 3)
    expected = cooccurrence_of(np.where(here, levels, 0).astype(np.uint16), number, 3)[
        COOCCURRENCE.index("cm_joint_avg")
    ]
    assert found["cm_joint_avg"].voxels[tuple(centre)] == pytest.approx(expected, rel=1e-5)


def test_maps_do_not_depend_on_the_size_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    volume, mask = region()
    settings = MapSettings(features=("cm_energy",), bins=16)
    whole = feature_maps(volume, mask, settings)["cm_energy"].voxels
    monkeypatch.setattr("prognoscope.radiomics.maps.BATCH_BYTES", 1)
    np.testing.assert_array_equal(feature_maps(volume, mask, settings)["cm_energy"].voxels, whole)


def test_bad_input_is_refused() -> None:
    volume, mask = region()
    settings = MapSettings(features=("stat_mean",))
    with pytest.raises(Refused, match="empty-mask"):
        feature_maps(volume, Mask(np.zeros(GRID.shape, bool), GRID), settings)
    elsewhere = Grid(GRID.shape, GRID.spacing, origin=(5.0, 0.0, 0.0))
    with pytest.raises(Refused, match="grids-differ"):
        feature_maps(volume, Mask(mask.voxels, elsewhere), settings)
    with pytest.raises(Refused, match="map-levels"):
        feature_maps(volume, mask, MapSettings(features=("cm_energy",), bin_width=1e-3))


@pytest.mark.parametrize(
    "wrong",
    [
        {"features": ()},
        {"features": ("stat_meen",)},
        {"features": ("morph_volume",)},
        {"features": ("stat_mean",), "radius": 0},
        {"features": ("stat_mean",), "bins": 8, "bin_width": 2},
    ],
)
def test_settings_that_cannot_be_mapped_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MapSettings.model_validate(wrong)


def test_a_misspelt_feature_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="did you mean `stat_mean`"):
        MapSettings(features=("stat_meen",))
