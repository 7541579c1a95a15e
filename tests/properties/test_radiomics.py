"""What must not change a feature does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from prognoscope.core.geometry import Grid, Mask, Volume
from prognoscope.radiomics import RadiomicsSettings, extract
from tests.make.radiomics import lesion

SETTINGS = RadiomicsSettings(bins=8)
FEW = settings(max_examples=12, deadline=None)
seeds = st.integers(0, 10**6)


def measured(voxels: NDArray[np.float32], inside: NDArray[np.bool_], spacing: tuple[float, ...]) -> dict[str, float]:
    z, y, x = spacing
    grid = Grid((inside.shape[0], inside.shape[1], inside.shape[2]), (z, y, x))
    features = extract(Volume(voxels, grid), Mask(inside, grid), SETTINGS, modality="OT")
    return {feature.name: feature.value for feature in features}


def irregular(seed: int) -> tuple[NDArray[np.float32], NDArray[np.bool_], tuple[float, ...]]:
    random = np.random.default_rng(seed)
    volume, mask = lesion((9, 10, 11), radius=4, spacing=(1.5, 1.0, 0.75), levels=40, seed=seed)
    return volume.voxels + random.random(volume.voxels.shape).astype(np.float32), mask.voxels, mask.grid.spacing


def same(found: dict[str, float], expected: dict[str, float]) -> None:
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=2e-5, abs=1e-6, nan_ok=True), name


@FEW
@given(seeds, st.permutations(range(3)), st.lists(st.booleans(), min_size=3, max_size=3))
def test_turns_by_right_angles_and_reflections(seed: int, order: list[int], mirrored: list[bool]) -> None:
    voxels, inside, spacing = irregular(seed)
    axes = tuple(axis for axis in range(3) if mirrored[axis])
    turned = np.ascontiguousarray(np.flip(voxels.transpose(order), axes))
    outline = np.ascontiguousarray(np.flip(inside.transpose(order), axes))
    same(measured(turned, outline, tuple(spacing[axis] for axis in order)), measured(voxels, inside, spacing))


@FEW
@given(seeds, st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=3, max_size=3))
def test_a_shift_within_a_larger_image(seed: int, margins: list[tuple[int, int]]) -> None:
    voxels, inside, spacing = irregular(seed)
    # Beyond the reach of the local peaks, which alone look outside the region.
    wide = [(before + 9, after + 9) for before, after in margins]
    plain = measured(np.pad(voxels, 9), np.pad(inside, 9), spacing)
    same(measured(np.pad(voxels, wide), np.pad(inside, wide), spacing), plain)


@FEW
@given(seeds, st.sampled_from([0.125, 0.5, 2.0, 16.0]), st.integers(-64, 64))
def test_scaling_intensities_leaves_texture_with_a_fixed_number_of_bins(seed: int, factor: float, shift: int) -> None:
    voxels, inside, spacing = irregular(seed)
    voxels = (np.round(voxels * 64) / 64).astype(np.float32)
    plain = measured(voxels, inside, spacing)
    scaled = measured(voxels * np.float32(factor) + np.float32(shift), inside, spacing)
    textures = [name for name in plain if name.startswith("fbn8.")]
    assert {name: scaled[name] for name in textures} == pytest.approx({name: plain[name] for name in textures})


@FEW
@given(seeds)
def test_twice_the_same_is_the_same_to_the_last_bit(seed: int) -> None:
    case = irregular(seed)
    assert np.array_equal(list(measured(*case).values()), list(measured(*case).values()), equal_nan=True)


@FEW
@given(seeds, st.sampled_from([2.0, 0.5, 4.0]))
def test_lengths_areas_and_volumes_grow_with_the_spacing(seed: int, factor: float) -> None:
    voxels, inside, spacing = irregular(seed)
    plain = measured(voxels, inside, spacing)
    grown = measured(voxels, inside, tuple(factor * step for step in spacing))
    for name, power in (("morph_diam", 1), ("morph_area_mesh", 2), ("morph_volume", 3), ("morph_sphericity", 0)):
        assert grown[name] == pytest.approx(plain[name] * factor**power)
