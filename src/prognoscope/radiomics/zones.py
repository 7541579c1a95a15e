"""Zones: connected voxels of one grey level, with their size and distance to the edge of the region.

Behind the size zone and the distance zone matrix (IBSI reference manual, sections 3.8 and 3.9): 26 neighbours are
connected in three dimensions, 8 within a slice; distances are steps between 6 (4) neighbours until the outside of the
morphological mask, at least 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.compiled import compiled
from prognoscope.radiomics.directions import DIRECTIONS, IN_PLANE, flat_steps
from prognoscope.radiomics.discretise import Levels


@dataclass(frozen=True, slots=True, eq=False)
class Zones:
    """All zones of a region, each `(zones,)`: grey level from 1, slice, size in voxels, distance in steps."""

    level: NDArray[np.uint16]
    slice: NDArray[np.int32]
    size: NDArray[np.int32]
    distance: NDArray[np.int32]


def find_zones(levels: Levels, *, within_slices: bool) -> Zones:
    """All zones of a region, ordered by their first voxel."""
    shape = levels.padded.shape
    directions = DIRECTIONS[:IN_PLANE] if within_slices else DIRECTIONS
    touching = np.abs(directions).sum(axis=1) == 1
    straight_first = np.concatenate([directions[touching][::-1], directions[~touching]])
    steps = flat_steps(straight_first, shape)
    distance = levels.frame.distances(within_slices=within_slices)
    return Zones(*_join(levels.padded.ravel(), steps, distance, shape[1] * shape[2], levels.pad))


@compiled
def _join(
    flat: NDArray[np.uint16], steps: NDArray[np.int64], distance: NDArray[np.uint16], plane: int, pad: int
) -> tuple[NDArray[np.uint16], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Level, slice, size and least distance of each zone, by union-find in which the earlier voxel is the root.

    A whole lung has millions of zones and a hundred million voxels: nothing here is wider than it must be.
    """
    parent = np.zeros(flat.size, dtype=np.int32)
    roots = 0
    for p in range(flat.size):
        here = flat[p]
        if here == 0:
            continue
        root = p
        for d in range(steps.size):
            q = p - steps[d]
            if flat[q] != here:
                continue
            while parent[q] != q:
                parent[q] = parent[parent[q]]
                q = parent[q]
            if q == root:
                continue
            if q < root:
                parent[root] = q
                root = q
            else:
                parent[q] = root
            if d == 0:
                # The neighbour straight behind touches all others: what is equal among them has been joined to it.
                break
        parent[p] = root
        if root == p:
            roots += 1
    level = np.empty(roots, dtype=np.uint16)
    where = np.empty(roots, dtype=np.int32)
    size = np.empty(roots, dtype=np.int32)
    nearest = np.empty(roots, dtype=np.int32)
    number = 0
    for p in range(flat.size):
        if flat[p] == 0:
            continue
        # Parents come earlier, and a finished root holds −1 − its zone's number in place of itself.
        up = parent[p]
        if up == p:
            zone = number
            number += 1
            level[zone], where[zone] = flat[p], p // plane - pad
            size[zone], nearest[zone] = 0, distance[p]
        else:
            zone = -1 - parent[up]
        parent[p] = -1 - zone
        size[zone] += 1
        nearest[zone] = min(nearest[zone], distance[p])
    return level[:number], where[:number], size[:number], nearest[:number]
