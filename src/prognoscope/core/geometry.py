"""Images and masks in patient space.

Arrays are C-ordered `[z, y, x]`; positions are millimetres in DICOM patient axes (x to the patient's left, y to the
posterior, z to the head: LPS). A grid says where each voxel centre lies; two grids are the same grid when no corner
lies further than 1 % of a voxel from its twin, and nothing resamples in silence.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prognoscope.core.problems import refuse

Triple = tuple[float, float, float]
SAME_GRID_VOXELS = 0.01
IDENTITY: tuple[Triple, Triple, Triple] = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the voxels of an array lie.

    Attributes
    ----------
    shape
        Number of voxels along the array's axes `(z, y, x)`.
    spacing
        Distance in mm between voxel centres along the array's axes `(z, y, x)`, each above 0.
    origin
        Patient position `(x, y, z)` in mm of the centre of voxel `[0, 0, 0]`.
    direction
        3 × 3, rows are patient axes `(x, y, z)`, columns are unit vectors of the array's axes `(z, y, x)`:
        `position = origin + direction @ (spacing * index)`. The default is an axial image without rotation.
    """

    shape: tuple[int, int, int]
    spacing: Triple
    origin: Triple = (0.0, 0.0, 0.0)
    direction: tuple[Triple, Triple, Triple] = IDENTITY

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise refuse(
                "grid-shape",
                subject="grid",
                found=f"shape {self.shape} is not three positive numbers",
                remedy="give a three-dimensional image (a single slice has shape (1, rows, columns))",
            )
        if len(self.spacing) != 3 or not all(np.isfinite(self.spacing)) or min(self.spacing) <= 0:
            raise refuse(
                "grid-spacing",
                subject="grid",
                found=f"spacing {self.spacing} mm is not three positive numbers",
                remedy="correct the voxel spacing in the image's header",
            )
        axes = np.asarray(self.direction, dtype=float)
        if axes.shape != (3, 3) or not np.allclose(axes.T @ axes, np.eye(3), atol=1e-3):
            raise refuse(
                "grid-direction",
                subject="grid",
                found="its axes are not unit vectors at right angles",
                remedy="export the image without shear (a tilted gantry must be resampled by the scanner's software)",
            )

    @property
    def voxel_volume_mm3(self) -> float:
        """Volume of one voxel in mm³."""
        return float(np.prod(self.spacing))

    def positions(self, indices: ArrayLike) -> NDArray[np.float64]:
        """Patient positions of array indices.

        Parameters
        ----------
        indices
            `(..., 3)`, order `(z, y, x)`, fractions allowed.

        Returns
        -------
        `(..., 3)` positions `(x, y, z)` in mm.
        """
        steps = np.asarray(indices, dtype=float) * np.asarray(self.spacing)
        return np.asarray(np.asarray(self.origin) + steps @ np.asarray(self.direction).T)

    def indices(self, positions: ArrayLike) -> NDArray[np.float64]:
        """Array indices `(z, y, x)`, with fractions, of patient positions `(..., 3)` in mm."""
        offsets = np.asarray(positions, dtype=float) - np.asarray(self.origin)
        return np.asarray(offsets @ np.asarray(self.direction) / np.asarray(self.spacing))

    def corners(self) -> NDArray[np.float64]:
        """Patient positions of the eight corner voxels' centres, `(8, 3)` in mm."""
        ends = [(0, size - 1) for size in self.shape]
        return self.positions(np.array(list(itertools.product(*ends))))

    def distance_to(self, other: Grid) -> float:
        """Return the largest distance in mm between corners of two grids; infinite when their shapes differ."""
        if self.shape != other.shape:
            return float("inf")
        return float(np.linalg.norm(self.corners() - other.corners(), axis=1).max())

    def same_as(self, other: Grid) -> bool:
        """Whether no corner lies further than 1 % of the smallest voxel edge from its twin."""
        return self == other or self.distance_to(other) <= SAME_GRID_VOXELS * min(*self.spacing, *other.spacing)

    def window(self, start: tuple[int, int, int], shape: tuple[int, int, int]) -> Grid:
        """Return the grid of a block of this grid that begins at index `start` (z, y, x)."""
        x, y, z = (float(value) for value in self.positions(start))
        return Grid(shape=shape, spacing=self.spacing, origin=(x, y, z), direction=self.direction)


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Intensities on a grid: `voxels` float32 `[z, y, x]`, read-only, in the unit that its source states."""

    voxels: NDArray[np.float32]
    grid: Grid

    def __post_init__(self) -> None:
        object.__setattr__(self, "voxels", _frozen(self.voxels, np.float32, self.grid, "volume"))


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """Voxels that belong to a region of interest: `voxels` bool `[z, y, x]`, read-only."""

    voxels: NDArray[np.bool_]
    grid: Grid

    def __post_init__(self) -> None:
        object.__setattr__(self, "voxels", _frozen(self.voxels, np.bool_, self.grid, "mask"))

    @property
    def count(self) -> int:
        """Number of voxels inside."""
        return int(np.count_nonzero(self.voxels))


def crop(volume: Volume, mask: Mask, *, margin: int = 0) -> tuple[Volume, Mask]:
    """Cut volume and mask to the mask's bounding box and `margin` voxels around it, as far as the image reaches.

    Raises
    ------
    Refused
        `grids-differ` when the two are not on one grid, `empty-mask` when the mask has no voxel.
    """
    require_same_grid(volume, mask)
    if not mask.voxels.any():
        raise refuse(
            "empty-mask",
            subject="mask",
            found="no voxel is inside",
            remedy="check the contour or leave the patient out",
        )
    block, start = _bounding_block(mask.voxels, margin)
    cut = mask.voxels[block]
    grid = volume.grid.window(start, cut.shape)
    return Volume(volume.voxels[block], grid), Mask(cut, grid)


def require_same_grid(volume: Volume, mask: Mask) -> None:
    """Refuse (`grids-differ`) a mask that is not on the volume's grid, saying how far apart they are."""
    if volume.grid.same_as(mask.grid):
        return
    if volume.grid.shape != mask.grid.shape:
        found = f"the image has shape {volume.grid.shape}, the mask {mask.grid.shape} (z, y, x)"
    else:
        found = f"corners of image and mask lie up to {volume.grid.distance_to(mask.grid):.3f} mm apart"
    raise refuse(
        "grids-differ",
        subject="mask",
        found=found,
        remedy="give the mask drawn on this image, or resample it on purpose first",
    )


def _frozen(array: NDArray[Any], dtype: type[np.generic], grid: Grid, what: str) -> NDArray[Any]:
    values: NDArray[Any] = np.ascontiguousarray(array, dtype=dtype)
    if values.shape != grid.shape:
        raise refuse(
            "array-shape",
            subject=what,
            found=f"the array has shape {values.shape}, its grid {grid.shape}",
            remedy="give an array ordered [z, y, x] of the grid's shape",
        )
    if values.flags.writeable:
        # A caller's own array stays writable for the caller; ours may not change under anyone's hands.
        values = values.copy() if values is array else values
        values.setflags(write=False)
    return values


def _bounding_block(inside: NDArray[np.bool_], margin: int) -> tuple[tuple[slice, ...], tuple[int, int, int]]:
    block, start = [], []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        hit = np.flatnonzero(inside.any(axis=others))
        low = max(int(hit[0]) - margin, 0)
        high = min(int(hit[-1]) + 1 + margin, inside.shape[axis])
        block.append(slice(low, high))
        start.append(low)
    return tuple(block), (start[0], start[1], start[2])
