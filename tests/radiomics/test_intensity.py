"""Statistics, histogram, intensity-volume histogram and local peaks on regions small enough to check by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from prognoscope.core.geometry import Grid, Mask, Volume
from prognoscope.radiomics import RadiomicsSettings, extract
from prognoscope.radiomics.catalogue import CATALOGUE
from prognoscope.radiomics.histogram import histogram_features
from prognoscope.radiomics.prepare import PEAK_RADIUS_MM
from prognoscope.radiomics.statistics import statistics
from prognoscope.radiomics.volumehistogram import volume_histogram_features
from tests.make.radiomics import lesion


def named(family: str, values: list[float]) -> dict[str, float]:
    return {entry.tag: value for entry, value in zip(CATALOGUE[family], values, strict=True)}


def test_statistics_are_those_of_numpy_and_scipy() -> None:
    values = np.sort(np.random.default_rng(1).gamma(2, size=501)).astype(np.float32)
    found = named("statistics", statistics(values))
    x = values.astype(float)
    p10, p90 = np.percentile(x, [10, 90])
    inner = x[(x >= p10) & (x <= p90)]
    expected = {
        "stat_mean": x.mean(),
        "stat_var": x.var(),
        "stat_skew": stats.skew(x),
        "stat_kurt": stats.kurtosis(x),
        "stat_median": np.median(x),
        "stat_p10": p10,
        "stat_p90": p90,
        "stat_iqr": stats.iqr(x),
        "stat_mad": np.abs(x - x.mean()).mean(),
        "stat_rmad": np.abs(inner - inner.mean()).mean(),
        "stat_medad": np.abs(x - np.median(x)).mean(),
        "stat_cov": stats.variation(x),
        "stat_energy": (x**2).sum(),
        "stat_rms": np.sqrt((x**2).mean()),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_a_mean_of_zero_has_no_coefficient_of_variation() -> None:
    found = named("statistics", statistics(np.array([-1, 0, 1], dtype=np.float32)))
    assert math.isnan(found["stat_cov"])
    assert math.isnan(found["stat_qcod"])


def test_a_histogram_of_few_levels_by_hand() -> None:
    found = named("histogram", histogram_features(np.array([2, 0, 1, 4, 1])))
    assert found["ih_mean"] == pytest.approx((2 * 1 + 3 + 4 * 4 + 5) / 8)
    assert found["ih_mode"] == 4
    assert [found[f"ih_{name}"] for name in ("min", "p10", "median", "p90", "max")] == [1, 1, 4, 5, 5]
    assert found["ih_uniformity"] == pytest.approx((4 + 1 + 16 + 1) / 64)
    # Slopes: −2 at the first level, −0.5, 2, 0, −3.
    assert [found["ih_max_grad"], found["ih_max_grad_g"]] == [2, 3]
    assert [found["ih_min_grad"], found["ih_min_grad_g"]] == [-3, 5]


def test_of_several_modes_the_one_nearest_to_the_mean_counts() -> None:
    assert named("histogram", histogram_features(np.array([3, 0, 0, 3, 2])))["ih_mode"] == 4


@pytest.mark.parametrize(
    ("modality", "settings", "expected"),
    [
        ("CT", {}, [0.9, 0.1, 10, 2]),
        ("MR", {"volume_histogram": {"bins": 10}}, [0.9, 0.1, 10, 2]),
        # Bins with centres 2, 4 … 10 hold two voxels each; none has a tenth of the volume, so one above the last.
        ("CT", {"volume_histogram": {"bin_width": 2}}, [0.8, 0.2, 12, 4]),
    ],
)
def test_a_volume_histogram_of_ten_equal_steps(
    modality: str, settings: dict[str, object], expected: list[float]
) -> None:
    values = np.arange(1, 11, dtype=np.float32)
    found = volume_histogram_features(values, RadiomicsSettings.model_validate(settings), modality=modality)
    assert isinstance(found, list)
    assert found[:4] == pytest.approx(expected)


def test_a_volume_histogram_of_whole_intensities_by_hand() -> None:
    values = np.array([1, 1, 1, 2, 4], dtype=np.float32)
    settings = RadiomicsSettings.model_validate({"volume_histogram": {"whole_intensities": True}})
    found = volume_histogram_features(values, settings, modality="OT")
    assert isinstance(found, list)
    # Fractions of the range: 0, 1/3, 2/3, 1; volumes that reach them: 1, 0.4, 0.2, 0.2.
    assert found == pytest.approx([0.4, 0.2, 5.0, 2.0, 0.2, 3.0])


@pytest.mark.parametrize("spacing", [(1.5, 2.0, 1.0), (4.0, 4.0, 4.0), (9.0, 3.0, 3.0)])
def test_local_peaks_are_means_over_a_sphere_that_looks_beyond_the_region(
    spacing: tuple[float, float, float],
) -> None:
    volume, mask = lesion((14, 15, 16), radius=3, spacing=spacing, levels=50)
    found = {
        f.name: f.value for f in extract(volume, mask, RadiomicsSettings(families=("local_intensity",)), modality="PT")
    }
    places = np.argwhere(np.ones_like(mask.voxels)) * np.array(spacing)
    image = volume.voxels.astype(float).ravel()
    means = {}
    for place in np.argwhere(mask.voxels):
        near = np.linalg.norm(places - place * np.array(spacing), axis=1) <= PEAK_RADIUS_MM
        means[tuple(place)] = image[near].mean()
    highest = max(volume.voxels[place] for place in means)
    assert found["loc_peak_glob"] == pytest.approx(max(means.values()))
    assert found["loc_peak_loc"] == pytest.approx(max(m for p, m in means.items() if volume.voxels[p] == highest))


def test_the_sphere_is_cut_by_the_edge_of_the_image() -> None:
    shape = (1, 1, 12)
    grid = Grid(shape, (1.0, 1.0, 1.0))
    voxels = np.arange(12, dtype=np.float32).reshape(shape)
    inside = np.zeros(shape, dtype=bool)
    inside[0, 0, 11] = True
    settings = RadiomicsSettings(families=("local_intensity",))
    local, _ = extract(Volume(voxels, grid), Mask(inside, grid), settings, modality="PT")
    assert local.value == pytest.approx(np.mean(range(5, 12)))


def test_every_combination_of_families_gives_the_features_of_each() -> None:
    volume, mask = lesion()
    every = {f.name: f for f in extract(volume, mask, RadiomicsSettings(), modality="CT")}
    for pair in itertools.combinations(("morphology", "histogram", "glszm", "local_intensity", "statistics"), 2):
        some = extract(volume, mask, RadiomicsSettings(families=pair), modality="CT")
        assert [feature.name for feature in some] == [name for name in every if name in {f.name for f in some}]
        assert all(feature == every[feature.name] for feature in some if not math.isnan(feature.value))
