"""Shape against solids whose measures are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import eval_legendre

from prognoscope.core.geometry import Grid, Mask, Volume
from prognoscope.radiomics import RadiomicsSettings, extract
from prognoscope.radiomics.mesh import measure_surface
from prognoscope.radiomics.morphology import ellipsoid
from tests.make.radiomics import ball


def shape_of(inside: np.ndarray, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> dict[str, float]:
    grid = Grid(inside.shape, spacing)
    volume = Volume(np.ones(inside.shape, dtype=np.float32), grid)
    settings = RadiomicsSettings(families=("morphology",))
    return {f.name: f.value for f in extract(volume, Mask(inside, grid), settings, modality="OT")}


def block(*shape: int) -> np.ndarray:
    return np.pad(np.ones(shape, dtype=bool), 2)


def test_a_single_voxel_is_an_octahedron() -> None:
    surface = measure_surface(np.pad(np.ones((1, 1, 1), dtype=bool), 1), (1.0, 2.0, 3.0))
    assert surface.volume_mm3 == pytest.approx(1 * 2 * 3 / 6)
    edges = [math.dist(*pair) / 2 for pair in (((1, 0), (0, 2)), ((2, 0), (0, 3)), ((1, 0), (0, 3)))]
    half = sum(edges) / 2
    triangle = math.sqrt(half * math.prod(half - edge for edge in edges))
    assert surface.area_mm2 == pytest.approx(8 * triangle)


def test_a_box_loses_only_its_bevelled_edges() -> None:
    inner, outer = 9 * 19 * 29, 10 * 20 * 30
    values = shape_of(block(10, 20, 30))
    assert inner < values["morph_volume"] < outer
    assert values["morph_vol_approx"] == outer
    assert values["morph_vol_dens_aabb"] == pytest.approx(values["morph_volume"] / outer)
    assert values["morph_vol_dens_conv_hull"] == pytest.approx(1.0)
    assert values["morph_area_dens_conv_hull"] == pytest.approx(1.0)


def test_the_diameter_goes_from_corner_to_corner() -> None:
    values = shape_of(block(10, 20, 30), (2.0, 1.0, 1.0))
    # The farthest vertices lie half a voxel outside one face of opposite corner voxels.
    assert values["morph_diam"] == pytest.approx(math.dist((0, 0, 0), (9 * 2 + 2, 19, 29)), abs=0.5)


def test_a_ball_is_round() -> None:
    values = shape_of(ball((43, 43, 43), 20))
    volume = 4 / 3 * math.pi * 20**3
    assert values["morph_volume"] == pytest.approx(volume, rel=0.01)
    assert 0.9 < values["morph_sphericity"] < 1  # a digital ball has steps
    assert values["morph_pca_elongation"] == pytest.approx(1)
    assert values["morph_pca_maj_axis"] == pytest.approx(4 * math.sqrt(20**2 / 5), rel=0.01)
    assert values["morph_vol_dens_aee"] == pytest.approx((5**0.5 / 2) ** 3, rel=0.02)
    assert values["morph_com"] == pytest.approx(0, abs=1e-9)


def test_a_hollow_ball_has_two_surfaces() -> None:
    solid, hollow = ball((43, 43, 43), 20), ball((43, 43, 43), 20) & ~ball((43, 43, 43), 10)
    whole, shell = shape_of(solid), shape_of(hollow)
    assert shell["morph_area_mesh"] == pytest.approx(whole["morph_area_mesh"] * (1 + (10 / 20) ** 2), rel=0.02)
    assert shell["morph_volume"] == pytest.approx(whole["morph_volume"] * (1 - (10 / 20) ** 3), rel=0.02)


def test_parts_that_touch_at_an_edge_stay_apart() -> None:
    apart, touching = np.zeros((6, 6, 6), dtype=bool), np.zeros((6, 6, 6), dtype=bool)
    apart[1, 1, 1] = apart[1, 4, 4] = touching[1, 1, 1] = touching[1, 2, 2] = True
    assert shape_of(touching)["morph_volume"] == pytest.approx(shape_of(apart)["morph_volume"])


@pytest.mark.parametrize("axes", [(3.0, 2.0, 1.0), (5.0, 4.9, 4.0), (4.0, 3.0, 2.9)])
def test_the_area_of_the_enclosing_ellipsoid_is_the_manuals_series(axes: tuple[float, float, float]) -> None:
    a, b, c = axes
    alpha, beta = math.sqrt(1 - b**2 / a**2), math.sqrt(1 - c**2 / a**2)
    polynomial = eval_legendre(np.arange(21), (alpha**2 + beta**2) / (2 * alpha * beta))
    order = np.arange(21)
    expected = 4 * math.pi * a * b * float(((alpha * beta) ** order / (1 - 4 * order**2) * polynomial).sum())
    area, volume = ellipsoid(a, b, c)
    assert area == pytest.approx(expected)
    assert volume == pytest.approx(4 / 3 * math.pi * a * b * c)


def test_the_area_of_a_sphere_is_exact() -> None:
    assert ellipsoid(2.0, 2.0, 2.0)[0] == pytest.approx(4 * math.pi * 4)


def test_a_flat_region_has_no_enclosing_ellipsoid_but_all_else() -> None:
    values = shape_of(block(1, 8, 8))
    assert math.isnan(values["morph_vol_dens_aee"])
    assert values["morph_pca_least_axis"] == 0
    assert values["morph_vol_dens_conv_hull"] == pytest.approx(1)
