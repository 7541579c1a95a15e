"""Perturbed contours: each way of perturbing, its replay from what was drawn, and regions at the edge."""

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy import ndimage

from prognoscope.core.geometry import Grid, Mask
from prognoscope.core.problems import Refused
from prognoscope.radiomics.perturb import (
    Perturbation,
    PerturbationSettings,
    Wave,
    draw,
    perturb,
    signed_distance_mm,
)
from prognoscope.training.agreement import intraclass_correlation

SPACING = (3.0, 1.0, 1.0)
ALL = PerturbationSettings(rotation_deg=15, shift_mm=(3, 4, 4), growth_mm=(-2, 2), roughness_mm=1.5)


def ball(radius_mm: float = 14.0, shape: tuple[int, int, int] = (17, 50, 50)) -> Mask:
    z, y, x = np.meshgrid(*[(np.arange(n) - n // 2) * s for n, s in zip(shape, SPACING, strict=True)], indexing="ij")
    return Mask(z**2 + y**2 + x**2 < radius_mm**2, Grid(shape, SPACING))


def bar() -> Mask:
    """A bar along y, off the image's centre."""
    inside = np.zeros((9, 60, 60), dtype=bool)
    inside[3:6, 15:45, 27:34] = True
    return Mask(inside, Grid(inside.shape, SPACING))


def one(mask: Mask, perturbation: Perturbation) -> NDArray[np.bool_]:
    (found,) = perturb(mask, [perturbation])
    assert found.grid == mask.grid
    return found.voxels


def overlap(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> float:
    return 2 * float((first & second).sum()) / float(first.sum() + second.sum())


def test_without_a_perturbation_the_region_stays_as_it_is() -> None:
    for mask in (ball(), bar()):
        np.testing.assert_array_equal(one(mask, Perturbation()), mask.voxels)


def test_the_distance_is_that_to_the_middles_of_the_voxels_faces() -> None:
    inside = np.zeros((5, 5, 5), dtype=bool)
    inside[2, 2, 2] = True
    distance = signed_distance_mm(inside, (4.0, 1.0, 2.0))
    assert distance[2, 2, 2] == -0.5  # half the shortest edge
    assert distance[1, 2, 2] == 2.0
    assert distance[2, 1, 2] == 0.5
    assert distance[2, 2, 4] == 3.0
    assert distance[2, 0, 0] == pytest.approx(math.hypot(2.0, 3.0))  # to the face towards -x
    assert distance[1, 1, 1] == pytest.approx(math.hypot(2.0, 1.0, 2.0))  # to the face towards -z


@pytest.mark.parametrize("seed", range(4))
def test_the_distance_of_any_region_agrees_with_all_faces_looked_at(seed: int) -> None:
    inside = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(5, 6, 7)), 1) > 0
    spacing = np.array([3.0, 1.0, 1.5])
    padded = np.pad(inside, 1)
    middles = []
    for axis in range(3):
        low = tuple(slice(0, -1) if at == axis else slice(None) for at in range(3))
        high = tuple(slice(1, None) if at == axis else slice(None) for at in range(3))
        for face in np.argwhere(padded[low] != padded[high]):
            middles.append((face - 1 + 0.5 * np.eye(3)[axis]) * spacing)
    distance = signed_distance_mm(inside, (3.0, 1.0, 1.5))
    for at in np.ndindex(inside.shape):
        expected = np.linalg.norm(np.array(middles) - np.array(at) * spacing, axis=1).min()
        assert abs(distance[at]) == pytest.approx(expected)
        assert (distance[at] < 0) == inside[at]


def test_a_shift_by_whole_voxels_moves_every_voxel() -> None:
    moved = one(bar(), Perturbation(shift_mm=(-3.0, 5.0, 2.0)))
    np.testing.assert_array_equal(moved, np.roll(bar().voxels, (-1, 5, 2), (0, 1, 2)))


def test_a_quarter_turn_goes_from_y_towards_x_about_the_centre_of_gravity() -> None:
    mask = bar()
    inside = mask.voxels.copy()
    inside[3:6, 42:45, 34:40] = True  # a foot at the bar's end in +y, towards +x
    footed = Mask(inside, mask.grid)
    turned = one(footed, Perturbation(rotation_deg=90.0))
    centre = np.argwhere(inside).mean(axis=0)
    rounded = np.round(2 * centre) / 2
    expected = np.zeros_like(inside)
    for z, y, x in np.argwhere(inside):
        expected[z, round(rounded[1] - (x - rounded[2])), round(rounded[2] + (y - rounded[1]))] = True
    assert overlap(turned, expected) > 0.93
    assert overlap(turned, expected[:, ::-1]) < 0.8


@pytest.mark.parametrize("growth", [-3.0, -2.0, 2.0, 3.0, 6.0])
@pytest.mark.parametrize("slices_mm", [1.0, 3.0])
def test_growth_moves_the_surface_of_a_ball_by_as_many_millimetres(growth: float, slices_mm: float) -> None:
    shape = (round(51 / slices_mm), 51, 51)
    spacing = (slices_mm, 1.0, 1.0)
    along = [(np.arange(size) - size // 2) * step for size, step in zip(shape, spacing, strict=True)]
    z, y, x = np.meshgrid(*along, indexing="ij")
    mask = Mask(z**2 + y**2 + x**2 < 14**2, Grid(shape, spacing))
    before, after = (
        (3 * voxels.sum() * slices_mm / (4 * math.pi)) ** (1 / 3)
        for voxels in (mask.voxels, one(mask, Perturbation(growth_mm=growth)))
    )
    assert after - before == pytest.approx(growth, abs=0.2 * (1 + slices_mm) / 1.5)


def test_growth_of_less_than_half_a_voxel_changes_nothing() -> None:
    np.testing.assert_array_equal(one(bar(), Perturbation(growth_mm=0.4)), bar().voxels)


@settings(max_examples=30, deadline=None)
@given(growth=st.floats(0.0, 4.0), more=st.floats(0.0, 3.0))
def test_more_growth_never_loses_a_voxel(growth: float, more: float) -> None:
    small, large = perturb(bar(), [Perturbation(growth_mm=growth), Perturbation(growth_mm=growth + more)])
    assert not (small.voxels & ~large.voxels).any()
    assert not (bar().voxels & ~small.voxels).any()


def slab(shape: tuple[int, int, int], height: int) -> Mask:
    """The lower half of an image; its sides lie at the image's edge."""
    inside = np.zeros(shape, dtype=bool)
    inside[:height] = True
    return Mask(inside, Grid(shape, (1.0, 1.0, 1.0)))


def test_roughness_moves_the_surface_by_its_standard_deviation() -> None:
    plan = PerturbationSettings(roughness_mm=0.8, roughness_length_mm=5.0)
    heights = np.concatenate(
        [
            found.voxels.sum(axis=0)[15:-15:7, 15:-15:7].ravel()
            for found in perturb(slab((24, 80, 80), 12), draw(plan, count=12, seed=3))
        ]
    )
    # Both the upper surface and the lower one, at the image's edge, move; of the lower only what goes inwards is seen.
    normal = np.random.default_rng(0).normal(0, 0.8, (2, 200_000))
    expected = 12 + np.floor(normal[0] + 0.5) + np.minimum(np.floor(normal[1] + 0.5), 0)
    assert heights.mean() == pytest.approx(expected.mean(), abs=0.08)
    assert heights.std() == pytest.approx(expected.std(), rel=0.08)


def test_a_wave_makes_a_wave_of_the_surface() -> None:
    wave = Perturbation(roughness_mm=1.5, waves=(Wave((0.0, 0.0, 2 * math.pi / 32), 0.5),))
    heights = one(slab((40, 30, 65), 20), wave)[5:, 15].sum(axis=0) + 5
    expected = 20 + 1.5 * math.sqrt(2) * np.cos(2 * math.pi / 32 * (np.arange(65) - 32) + 0.5)
    assert np.abs(heights[8:-8] - expected[8:-8]).max() <= 0.75
    assert np.ptp(heights[8:-8]) >= 4


def test_points_a_roughness_length_apart_move_alike_and_points_far_apart_do_not() -> None:
    plan = PerturbationSettings(roughness_mm=1.5, roughness_length_mm=6.0)
    maps = [
        found.voxels[6:].sum(axis=0)[8:-8, 8:-8].astype(float)
        for found in perturb(slab((30, 70, 70), 15), draw(plan, count=6, seed=6))
    ]
    heights = np.stack(maps)
    heights -= heights.mean()

    def correlation(distance: int) -> float:
        return float((heights[:, :, distance:] * heights[:, :, :-distance]).mean() / (heights**2).mean())

    # exp(-r²/2ℓ²) at r = ℓ and 4ℓ, a little less for the rounding to voxels.
    assert correlation(6) == pytest.approx(math.exp(-0.5), abs=0.15)
    assert abs(correlation(24)) < 0.25


def test_what_was_drawn_replays_the_same_region_also_from_a_file() -> None:
    drawn = draw(ALL, count=3, seed=8, key=(4, 1))
    first = [found.voxels for found in perturb(bar(), drawn)]
    text = json.dumps([dataclasses.asdict(perturbation) for perturbation in drawn])
    read = [
        Perturbation(
            **{
                **entry,
                "shift_mm": tuple(entry["shift_mm"]),
                "waves": tuple(Wave(tuple(wave["vector"]), wave["phase"]) for wave in entry["waves"]),
            }
        )
        for entry in json.loads(text)
    ]
    assert tuple(read) == drawn
    for before, after in zip(first, perturb(bar(), read), strict=True):
        np.testing.assert_array_equal(after.voxels, before)


def test_draws_depend_on_seed_and_key_and_not_on_how_many_are_drawn() -> None:
    assert draw(ALL, count=5, seed=1)[:2] == draw(ALL, count=2, seed=1)
    assert draw(ALL, count=1, seed=1) != draw(ALL, count=1, seed=2)
    assert draw(ALL, count=1, seed=1, key=(1,)) != draw(ALL, count=1, seed=1, key=(2,))
    assert len(set(draw(ALL, count=20, seed=1))) == 20


def test_draws_stay_within_the_settings_and_reach_their_ends() -> None:
    drawn = draw(ALL, count=400, seed=2)
    angles = np.array([perturbation.rotation_deg for perturbation in drawn])
    shifts = np.array([perturbation.shift_mm for perturbation in drawn])
    growths = np.array([perturbation.growth_mm for perturbation in drawn])
    assert np.abs(angles).max() <= 15 < np.abs(angles).max() + 0.5
    assert (np.abs(shifts) <= (3, 4, 4)).all()
    assert growths.min() >= -2
    assert growths.max() <= 2
    assert angles.min() < 0 < angles.max()


def test_the_order_of_perturbations_and_their_company_do_not_matter() -> None:
    drawn = draw(ALL, count=4, seed=5)
    forwards = [found.voxels for found in perturb(bar(), drawn)]
    backwards = [found.voxels for found in perturb(bar(), drawn[::-1])][::-1]
    for first, second, perturbation in zip(forwards, backwards, drawn, strict=True):
        np.testing.assert_array_equal(first, second)
        np.testing.assert_array_equal(first, one(bar(), perturbation))


def test_a_region_at_the_edge_is_cut_off_and_does_not_come_back_from_outside() -> None:
    inside = np.zeros((5, 20, 20), dtype=bool)
    inside[:, :6, :] = True
    mask = Mask(inside, Grid(inside.shape, (1.0, 1.0, 1.0)))
    inwards = one(mask, Perturbation(shift_mm=(0.0, 3.0, 0.0)))
    assert not inwards[:, :3].any()
    assert inwards[:, 3:9].all()
    outwards = one(mask, Perturbation(shift_mm=(0.0, -3.0, 0.0)))
    assert outwards[:, :3].all()
    assert not outwards[:, 3:].any()


@pytest.mark.parametrize("perturbation", [Perturbation(growth_mm=-30.0), Perturbation(shift_mm=(0.0, 500.0, 0.0))])
def test_a_region_that_is_perturbed_away_is_refused_with_its_number(perturbation: Perturbation) -> None:
    found = perturb(ball(), [Perturbation(), perturbation])
    next(found)
    with pytest.raises(Refused, match=r"perturbation 1 .*perturbed-away"):
        next(found)


def test_an_empty_mask_is_refused() -> None:
    with pytest.raises(Refused, match="empty-mask"):
        list(perturb(Mask(np.zeros((3, 3, 3), dtype=bool), Grid((3, 3, 3), SPACING)), [Perturbation()]))


def test_one_voxel_can_be_shifted_turned_and_grown() -> None:
    inside = np.zeros((5, 9, 9), dtype=bool)
    inside[2, 4, 4] = True
    mask = Mask(inside, Grid(inside.shape, (1.0, 1.0, 1.0)))
    assert one(mask, Perturbation(shift_mm=(1.0, 2.0, -1.0)))[3, 6, 3]
    assert one(mask, Perturbation(rotation_deg=30.0)).sum() == 1
    # Neighbours across an edge lie sqrt 1.25 from the middle of a face, those across a corner 1.5.
    assert [one(mask, Perturbation(growth_mm=growth)).sum() for growth in (1.0, 1.2, 1.6)] == [7, 19, 33]


@pytest.mark.parametrize(
    "wrong",
    [
        {"rotation_deg": -1},
        {"shift_mm": (-1, 0, 0)},
        {"growth_mm": (2, 1)},
        {"roughness_mm": -0.1},
        {"roughness_length_mm": 0},
        {"rotate": 3},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PerturbationSettings.model_validate(wrong)


def test_a_feature_that_depends_on_the_contour_agrees_less_between_perturbed_contours() -> None:
    # Eight patients: the mean inside a region grows from patient to patient; its largest value is a spike at the edge.
    generator = np.random.default_rng(14)
    values = np.zeros((2, 8, 5))
    for patient in range(8):
        voxels = np.full((9, 30, 30), 100.0 + 5 * patient) + generator.normal(0, 1, (9, 30, 30))
        voxels[4, 15, 15 + 9] = 150 + 30 * generator.random()
        inside = np.zeros((9, 30, 30), dtype=bool)
        z, y, x = np.mgrid[:9, :30, :30]
        inside = ((z - 4) * 2) ** 2 + (y - 15) ** 2 + (x - 15) ** 2 < 9**2
        mask = Mask(inside, Grid(inside.shape, (2.0, 1.0, 1.0)))
        plan = PerturbationSettings(growth_mm=(-1.5, 1.5), shift_mm=(0, 1, 1), roughness_mm=0.5)
        for at, found in enumerate(perturb(mask, draw(plan, count=5, seed=2, key=(patient,)))):
            values[:, patient, at] = voxels[found.voxels].mean(), voxels[found.voxels].max()
    agreement = intraclass_correlation(values, form="1,1")
    assert agreement.icc[0] > 0.95
    assert agreement.icc[1] < 0.7
    assert (agreement.low <= agreement.icc).all()
    assert (agreement.icc <= agreement.high).all()


@pytest.mark.parametrize("wrong", [{"growth_mm": (0, 1000)}, {"growth_mm": (-60, 0)}, {"roughness_mm": 11}])
def test_contours_that_no_one_would_draw_are_refused_before_they_fill_the_memory(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PerturbationSettings.model_validate(wrong)
