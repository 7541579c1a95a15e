"""Texture matrices against the plainest way to count them: loops over voxels that know nothing of each other."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from prognoscope.core.geometry import Mask, Volume
from prognoscope.radiomics import RadiomicsSettings, extract
from tests.make.radiomics import ball, lesion

Voxel = tuple[int, int, int]
NEIGHBOURS: list[Voxel] = [(z, y, x) for z, y, x in itertools.product((-1, 0, 1), repeat=3) if (z, y, x) != (0, 0, 0)]
HALF = [step for step in NEIGHBOURS if step > (0, 0, 0)]
TEXTURE = {"families": ["texture"], "bin_width": 1}


def levels_of(volume: Volume, mask: Mask) -> dict[Voxel, int]:
    lowest = volume.voxels[mask.voxels].min()
    places: list[Voxel] = [(int(z), int(y), int(x)) for z, y, x in np.argwhere(mask.voxels)]
    return {place: int(volume.voxels[place] - lowest) + 1 for place in places}


def step(place: Voxel, by: Voxel, times: int = 1) -> Voxel:
    return place[0] + times * by[0], place[1] + times * by[1], place[2] + times * by[2]


def found(volume: Volume, mask: Mask, **settings: object) -> dict[str, float]:
    chosen = RadiomicsSettings.model_validate(TEXTURE | settings)
    return {f.name.split(".")[-1]: f.value for f in extract(volume, mask, chosen, modality="OT")}


def pairs(levels: dict[Voxel, int], by: Voxel) -> Counter[tuple[int, int]]:
    counted: Counter[tuple[int, int]] = Counter()
    for place, level in levels.items():
        other = levels.get(step(place, by))
        if other is not None:
            counted[level, other] += 1
            counted[other, level] += 1
    return counted


def contrast(counted: Counter[tuple[int, int]]) -> float:
    return sum(n * (i - j) ** 2 for (i, j), n in counted.items()) / sum(counted.values())


def entropy(counted: Counter[tuple[int, int]]) -> float:
    p = np.array(list(counted.values())) / sum(counted.values())
    return float(-(p * np.log2(p)).sum())


def test_pairs_of_neighbours_are_counted_once_in_each_direction() -> None:
    volume, mask = lesion()
    levels = levels_of(volume, mask)
    values = found(volume, mask, aggregations=["3D averaged", "3D merged"])
    every = [pairs(levels, by) for by in HALF]
    merged = sum(every, Counter())
    assert values["cm_contrast"] == pytest.approx(contrast(merged))
    assert values["cm_joint_entr"] == pytest.approx(entropy(merged))
    assert values["cm_contrast_3D_avg"] == pytest.approx(np.mean([contrast(one) for one in every]))


def test_pairs_two_voxels_apart_step_twice_in_the_same_direction() -> None:
    volume, mask = lesion()
    levels = levels_of(volume, mask)
    doubled = sum((pairs(levels, step((0, 0, 0), by, 2)) for by in HALF), Counter())
    values = found(volume, mask, glcm={"distance": 2})
    assert values["cm_joint_entr"] == pytest.approx(entropy(doubled))


@pytest.mark.parametrize("norm", ["manhattan", "euclidean", "chebyshev"])
def test_directions_can_weigh_by_their_length(norm: str) -> None:
    volume, mask = lesion()
    levels = levels_of(volume, mask)
    order = {"manhattan": 1.0, "euclidean": 2.0, "chebyshev": np.inf}[norm]
    weighed: Counter[tuple[int, int]] = Counter()
    for by in HALF:
        weight = float(np.exp(-(np.linalg.norm(by, order) ** 2)))
        for pair, number in pairs(levels, by).items():
            weighed[pair] += weight * number  # type: ignore[assignment]
    assert found(volume, mask, glcm={"weighting": norm})["cm_contrast"] == pytest.approx(contrast(weighed))


def runs(levels: dict[Voxel, int], by: Voxel) -> Counter[tuple[int, int]]:
    counted: Counter[tuple[int, int]] = Counter()
    for place, level in levels.items():
        if levels.get(step(place, by, -1)) == level:
            continue
        length = 1
        while levels.get(step(place, by, length)) == level:
            length += 1
        counted[level, length] += 1
    return counted


def test_runs_are_counted_whole_along_each_direction() -> None:
    volume, mask = lesion(levels=3)
    levels = levels_of(volume, mask)
    merged = sum((runs(levels, by) for by in HALF), Counter())
    values = found(volume, mask)
    number = sum(merged.values())
    assert values["rlm_lre"] == pytest.approx(sum(n * length**2 for (_, length), n in merged.items()) / number)
    assert values["rlm_r_perc"] == pytest.approx(number / (13 * len(levels)))
    assert values["rlm_rl_entr"] == pytest.approx(entropy(merged))


def zones(levels: dict[Voxel, int], neighbours: list[Voxel]) -> list[list[Voxel]]:
    left, joined = dict(levels), []
    while left:
        first, level = next(iter(left.items()))
        zone, edge = [], [first]
        del left[first]
        while edge:
            place = edge.pop()
            zone.append(place)
            for by in neighbours:
                if left.get(step(place, by)) == level:
                    del left[step(place, by)]
                    edge.append(step(place, by))
        joined.append(zone)
    return joined


def test_zones_join_all_touching_voxels_of_one_level() -> None:
    volume, mask = lesion(levels=3, seed=4)
    levels = levels_of(volume, mask)
    counted = Counter((levels[zone[0]], len(zone)) for zone in zones(levels, NEIGHBOURS))
    number = sum(counted.values())
    values = found(volume, mask)
    assert values["szm_lze"] == pytest.approx(sum(n * size**2 for (_, size), n in counted.items()) / number)
    assert values["szm_zs_entr"] == pytest.approx(entropy(counted))
    assert values["szm_z_perc"] == pytest.approx(number / len(levels))


def test_zones_of_a_slice_end_with_it() -> None:
    volume, mask = lesion(levels=3, seed=4)
    levels = levels_of(volume, mask)
    within = zones(levels, [by for by in NEIGHBOURS if by[0] == 0])
    counted = Counter((levels[zone[0]], len(zone)) for zone in within)
    assert found(volume, mask, aggregations=["2.5D merged"])["szm_zs_entr_2_5D"] == pytest.approx(entropy(counted))


def solid() -> tuple[Volume, Mask]:
    volume, mask = lesion((15, 15, 15), levels=30, seed=2)
    return volume, Mask(ball((15, 15, 15), 6), mask.grid)


def edge_distance(inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Peel the mask, layer by layer of voxels with an outside neighbour along an axis."""
    left, distance = np.pad(inside, 1), np.zeros(np.array(inside.shape) + 2, dtype=np.int64)
    while left.any():
        distance[left] += 1
        kept = left.copy()
        for axis, shift in itertools.product(range(3), (-1, 1)):
            kept &= np.roll(left, shift, axis)
        left = kept
    return distance[1:-1, 1:-1, 1:-1]


def test_a_zone_is_as_far_from_the_edge_as_its_nearest_voxel() -> None:
    volume, mask = solid()
    levels = levels_of(volume, mask)
    distance = edge_distance(mask.voxels)
    counted = Counter(
        (levels[zone[0]], min(int(distance[place]) for place in zone)) for zone in zones(levels, NEIGHBOURS)
    )
    assert max(far for _, far in counted) > 1
    assert found(volume, mask)["dzm_zd_entr"] == pytest.approx(entropy(counted))


def test_the_distance_is_to_the_edge_of_the_shape_not_of_what_is_left_of_intensities() -> None:
    volume, mask = solid()
    kept = {place: level for place, level in levels_of(volume, mask).items() if level <= 24}
    distance = edge_distance(mask.voxels)
    counted = Counter((kept[zone[0]], min(int(distance[p]) for p in zone)) for zone in zones(kept, NEIGHBOURS))
    values = found(volume, mask, resegmentation={"range": [None, 24]})
    assert values["dzm_zd_entr"] == pytest.approx(entropy(counted))


@pytest.mark.parametrize("coarseness", [0, 1])
def test_dependence_counts_neighbours_of_like_level_and_the_voxel_itself(coarseness: int) -> None:
    volume, mask = lesion()
    levels = levels_of(volume, mask)
    counted = Counter(
        (level, 1 + sum(abs(levels.get(step(place, by), 99) - level) <= coarseness for by in NEIGHBOURS))
        for place, level in levels.items()
    )
    values = found(volume, mask, ngldm={"coarseness": coarseness})
    assert values["ngl_dc_entr"] == pytest.approx(entropy(counted))
    assert values["ngl_hde"] == pytest.approx(sum(n * k**2 for (_, k), n in counted.items()) / len(levels))


@pytest.mark.parametrize(("norm", "neighbours"), [("chebyshev", 124), ("euclidean", 32), ("manhattan", 24)])
def test_tone_differences_are_to_the_mean_of_the_neighbours_inside(norm: str, neighbours: int) -> None:
    volume, mask = lesion()
    levels = levels_of(volume, mask)
    order = {"manhattan": 1.0, "euclidean": 2.0, "chebyshev": np.inf}[norm]
    reach = range(-2, 3)
    near = [(z, y, x) for z in reach for y in reach for x in reach if 0 < np.linalg.norm((z, y, x), order) <= 2]
    assert len(near) == neighbours
    numbers: Counter[int] = Counter()
    sums: dict[int, float] = {}
    for place, level in levels.items():
        around = [levels[step(place, by)] for by in near if step(place, by) in levels]
        if around:
            numbers[level] += 1
            sums[level] = sums.get(level, 0) + abs(level - float(np.mean(around)))
    expected = 1 / sum(n / sum(numbers.values()) * sums[level] for level, n in numbers.items())
    values = found(volume, mask, ngtdm={"distance": 2, "norm": norm})
    assert values["ngt_coarseness"] == pytest.approx(expected)
