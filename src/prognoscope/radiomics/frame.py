"""What depends on a region's masks alone, made once and shared by its image and the response maps of its filters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.compiled import compiled
from prognoscope.radiomics.directions import flat_steps
from prognoscope.radiomics.prepare import Prepared, bounding_box


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Masks of a region in the bounding box of its morphological mask.

    Attributes
    ----------
    morphological
        bool: the morphological mask in its bounding box, with `pad` empty voxels on every side.
    pad
        Empty voxels on every side.
    box
        The bounding box in the arrays of the prepared region.
    kept
        Distance maps that were made, where they are to be used again; None where a large region needs the room.
    """

    morphological: NDArray[np.bool_]
    pad: int
    box: tuple[slice, slice, slice] = (slice(None), slice(None), slice(None))
    kept: dict[bool, NDArray[np.uint16]] | None = None

    def distances(self, *, within_slices: bool) -> NDArray[np.uint16]:
        """Steps along axes from each voxel to the outside of the morphological mask, flat and padded; 0 outside."""
        if self.kept is not None and within_slices in self.kept:
            return self.kept[within_slices]
        axes = np.eye(3, dtype=np.int64)[1:] if within_slices else np.eye(3, dtype=np.int64)
        found: NDArray[np.uint16] = _distances(self.morphological.ravel(), flat_steps(axes, self.morphological.shape))
        if self.kept is not None:
            self.kept[within_slices] = found
        return found


def frame_of(prepared: Prepared, pad: int, *, keep: bool = False) -> Frame:
    """Return the frame of a region; `keep` where several images of it are measured."""
    box = bounding_box(prepared.morphological_mask)
    return Frame(np.pad(prepared.morphological_mask[box], pad), pad, box, {} if keep else None)


@compiled
def _distances(inside: NDArray[np.bool_], axes: NDArray[np.int64]) -> NDArray[np.uint16]:
    """Fewest steps along axes from each voxel to one outside: forward, then backward (Rosenfeld and Pfaltz 1966)."""
    distance = np.zeros(inside.size, dtype=np.uint16)
    for p in range(inside.size):
        if inside[p]:
            least = distance[p - axes[0]]
            for a in range(1, axes.size):
                least = min(least, distance[p - axes[a]])
            distance[p] = least + np.uint16(1)
    for p in range(inside.size - 1, -1, -1):
        if inside[p]:
            least = distance[p]
            for a in range(axes.size):
                least = min(least, distance[p + axes[a]] + np.uint16(1))
            distance[p] = least
    return distance
