"""Image planes → one volume: their order, their grid, and every way in which they fail to be one.

Order and spacing come from positions along the planes' normal and from nothing else: instance numbers, slice
locations and slice thicknesses are not trusted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.geometry import Grid
from prognoscope.core.problems import Refused, refuse
from prognoscope.sources.dicom import Located
from prognoscope.sources.instance import Plane

FEWEST_SLICES = 3
SPACING_SHARE, SPACING_MM = 0.01, 0.01
STRAIGHT_SHARE = 0.05
SAME_AXIS = 1e-3
ALONG_AXIS = 0.999
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Slot:
    """One plane and the file and frame it comes from."""

    located: Located
    frame: int
    plane: Plane


@dataclass(frozen=True, slots=True)
class Stack:
    """Planes in the order of their positions along the normal, and the grid they make."""

    slots: tuple[Slot, ...]
    grid: Grid


def slots_of(located: Iterable[Located]) -> list[Slot]:
    """Return every plane of some files."""
    return [Slot(file, frame, plane) for file in located for frame, plane in enumerate(file.instance.planes)]


def by_orientation(slots: Sequence[Slot]) -> list[list[Slot]]:
    """Split planes by their orientation, the largest group first; planes without geometry are refused elsewhere."""
    groups: list[tuple[NDArray[np.float64], list[Slot]]] = []
    for slot in slots:
        axes = np.array([slot.plane.row, slot.plane.column], dtype=float)
        home = next((members for known, members in groups if np.abs(known - axes).max() < SAME_AXIS), None)
        if home is None:
            groups.append((axes, [slot]))
        else:
            home.append(slot)
    return sorted((members for _, members in groups), key=lambda members: (-len(members), members[0].located.path))


def heights(slots: Sequence[Slot]) -> NDArray[np.float64]:
    """Positions in mm along the normal, `(n,)`, in the order given."""
    positions = np.array([slot.plane.position for slot in slots], dtype=float)
    return np.asarray(positions @ normal(slots[0].plane))


def normal(plane: Plane) -> NDArray[np.float64]:
    """Unit vector across a plane, right-handed: row × column."""
    across = np.cross(np.array(plane.row, dtype=float), np.array(plane.column, dtype=float))
    return np.asarray(across / np.linalg.norm(across))


def places(slots: Sequence[Slot]) -> NDArray[np.int64]:
    """Number of the place along the normal of each plane: planes nearer than 0.01 mm share one."""
    height = heights(slots)
    order = np.argsort(height, kind="stable")
    steps = np.concatenate([[0], np.cumsum(np.diff(height[order]) > SPACING_MM)])
    numbers = np.empty(len(slots), dtype=np.int64)
    numbers[order] = steps
    return numbers


def without_copies(slots: Sequence[Slot]) -> tuple[list[Slot], int]:
    """Drop planes that repeat another in place, pixels, rescale and keys; return the rest and how many went."""
    seen: set[object] = set()
    kept = []
    for slot in sorted(slots, key=lambda slot: (slot.located.path, slot.frame)):
        instance, plane = slot.located.instance, slot.plane
        mark = (plane, instance.pixel_hash, slot.frame)
        if mark not in seen:
            seen.add(mark)
            kept.append(slot)
    return kept, len(slots) - len(kept)


def without_equal(slots: Sequence[Slot]) -> list[Slot]:
    """Drop planes whose place, pixels and rescale another has, whatever else their headers say."""
    first: dict[object, Slot] = {}
    for slot in slots:
        plane = slot.plane
        mark = (plane.position, plane.slope, plane.intercept, slot.located.instance.pixel_hash, slot.frame)
        first.setdefault(mark, slot)
    return list(first.values())


def split_by_key(slots: Sequence[Slot], names: Sequence[str]) -> dict[str, list[Slot]]:
    """Split planes that share places into volumes by the first property that explains it.

    A property explains the places that are taken twice when each of its values has every place at most once and it
    has no more values than the fullest place has planes. Two properties together are tried after each alone.

    Raises
    ------
    Refused
        `volumes-not-separable`, naming the candidates, when nothing tells the volumes apart.
    """
    place = places(slots)
    fullest = int(np.bincount(place).max())
    if fullest == 1:
        return {"": list(slots)}
    varying = [name for name in names if len({_key(slot, name) for slot in slots}) > 1]
    pairs = [(a, b) for i, a in enumerate(varying) for b in varying[i + 1 :]]
    for chosen in [(name,) for name in varying] + pairs:
        groups: dict[str, list[int]] = defaultdict(list)
        for number, slot in enumerate(slots):
            groups[", ".join(f"{name} {_key(slot, name)}" for name in chosen)].append(number)
        if len(groups) == fullest and all(np.bincount(place[members]).max() == 1 for members in groups.values()):
            return {label: [slots[number] for number in groups[label]] for label in sorted(groups)}
    raise _not_separable(slots, place, varying)


def _key(slot: Slot, name: str) -> str:
    return dict(slot.plane.keys).get(name, "absent")


def _not_separable(slots: Sequence[Slot], place: NDArray[np.int64], varying: Sequence[str]) -> Refused:
    number, count = Counter(place.tolist()).most_common(1)[0]
    twice = [slot for slot, here in zip(slots, place, strict=True) if here == number]
    names = _files(twice)
    differ = f"none of {', '.join(varying)} explains it" if varying else "nothing in the headers tells them apart"
    return refuse(
        "volumes-not-separable",
        subject=_subject(slots),
        found=f"{count} different slices lie at {heights(twice)[0]:.1f} mm along the normal ({names}); {differ}",
        remedy="export each volume as a series of its own, or keep the files of one",
    )


def stack(slots: Sequence[Slot]) -> Stack:
    """Order planes of one orientation and find their grid.

    Raises
    ------
    Refused
        `slice-sizes-differ`, `missing-slices`, `mixed-spacing`, `gantry-tilt`, `slices-shifted`, `bad-orientation`.
    """
    ordered = [slots[number] for number in np.argsort(heights(slots), kind="stable")]
    _check_sizes(ordered)
    first = ordered[0].plane
    row, column = np.array(first.row, dtype=float), np.array(first.column, dtype=float)
    if abs(row @ column) > SAME_AXIS or max(abs(np.linalg.norm(row) - 1), abs(np.linalg.norm(column) - 1)) > SAME_AXIS:
        raise refuse(
            "bad-orientation",
            subject=_subject(ordered),
            found=f"rows {first.row} and columns {first.column} are not unit vectors at right angles",
            remedy="export the series again",
        )
    spacing = _spacing(ordered)
    _check_straight(ordered, spacing)
    row, column = row / np.linalg.norm(row), column / np.linalg.norm(column)
    across = normal(first)
    instance = ordered[0].located.instance
    x, y, z = first.position or (0.0, 0.0, 0.0)
    dy, dx = first.spacing or (1.0, 1.0)
    axes = np.column_stack([across, column, row])
    return Stack(
        tuple(ordered),
        Grid(
            shape=(len(ordered), instance.rows, instance.columns),
            spacing=(spacing, dy, dx),
            origin=(x, y, z),
            direction=tuple(tuple(float(value) for value in line) for line in axes),  # type: ignore[arg-type]
        ),
    )


def _check_sizes(ordered: Sequence[Slot]) -> None:
    sizes = Counter((slot.located.instance.rows, slot.located.instance.columns, slot.plane.spacing) for slot in ordered)
    if len(sizes) == 1:
        return
    rare = sizes.most_common()[-1][0]
    odd = [
        slot
        for slot in ordered
        if (slot.located.instance.rows, slot.located.instance.columns, slot.plane.spacing) == rare
    ]
    told = "; ".join(f"{count} slices of {r} × {c} pixels of {_mm(s)} mm" for (r, c, s), count in sizes.most_common(3))
    raise refuse(
        "slice-sizes-differ",
        subject=_subject(ordered),
        found=f"{told} (such as {_files(odd)})",
        remedy="export each volume as a series of its own",
    )


def _mm(spacing: tuple[float, float] | None) -> str:
    return f"{spacing[0]:.4g} × {spacing[1]:.4g}" if spacing else "unknown"


def _spacing(ordered: Sequence[Slot]) -> float:
    height = heights(ordered)
    steps = np.diff(height)
    usual = float(np.median(steps))
    limit = max(SPACING_MM, SPACING_SHARE * usual)
    odd = np.flatnonzero(np.abs(steps - usual) > limit)
    if len(odd) == 0:
        return float((height[-1] - height[0]) / len(steps))
    multiples = np.rint(steps[odd] / usual)
    if (multiples >= 2).all() and (np.abs(steps[odd] - multiples * usual) <= limit * multiples).all():
        raise _missing(ordered, odd, multiples, usual)
    counts = Counter(f"{step:.2f}" for step in steps)
    where = int(odd[0])
    raise refuse(
        "mixed-spacing",
        subject=_subject(ordered),
        found=f"distances between slices differ: {', '.join(f'{n} × {d} mm' for d, n in counts.most_common(4))}; "
        f"the first that departs lies between {_between(ordered, where)}",
        remedy="fetch the series again or leave it out; uneven slices are not resampled in silence",
    )


def _missing(
    ordered: Sequence[Slot],
    odd: NDArray[np.int64],
    times: NDArray[np.float64],
    usual: float,
) -> Refused:
    gaps = [
        f"{int(count) - 1} {'slice' if count == 2 else 'slices'} missing between {_between(ordered, at)}"
        for at, count in zip(odd[:EXAMPLES].tolist(), times[:EXAMPLES].tolist(), strict=True)
    ]
    more = f" and {len(odd) - EXAMPLES} more gaps" if len(odd) > EXAMPLES else ""
    return refuse(
        "missing-slices",
        subject=_subject(ordered),
        found=f"{'; '.join(gaps)}{more} (spacing {usual:.1f} mm)",
        remedy="fetch the series again or exclude the patient",
    )


def _between(ordered: Sequence[Slot], number: int) -> str:
    """Where two slices that follow each other lie: by a patient axis when they stand on it, else along the normal."""
    across = normal(ordered[0].plane)
    axis = int(np.argmax(np.abs(across)))
    if abs(across[axis]) > ALONG_AXIS:
        name = "xyz"[axis]
        places_mm = [(slot.plane.position or (0.0, 0.0, 0.0))[axis] for slot in ordered[number : number + 2]]
    else:
        name, places_mm = "position along the normal", heights(ordered[number : number + 2]).tolist()
    low, high = (f"{place:.1f}".replace("-", "−") for place in sorted(places_mm))
    return f"{name} = {low} and {high} mm"


def _check_straight(ordered: Sequence[Slot], spacing: float) -> None:
    """Each slice must lie above the first one: a shear is a tilted gantry, anything else a shifted table."""
    positions = np.array([slot.plane.position for slot in ordered], dtype=float)
    across = normal(ordered[0].plane)
    offsets = positions - positions[0]
    aside = offsets - np.outer(offsets @ across, across)
    drift = np.linalg.norm(aside, axis=1)
    edge = min(spacing, *(ordered[0].plane.spacing or (spacing,)))
    if drift.max() <= STRAIGHT_SHARE * edge:
        return
    per_slice = aside[-1] / (len(ordered) - 1)
    straight = np.linalg.norm(aside - np.outer(np.arange(len(ordered)), per_slice), axis=1).max()
    if straight <= max(STRAIGHT_SHARE * edge, 0.02 * drift.max()):
        angle = np.degrees(np.arctan2(np.linalg.norm(per_slice), spacing))
        raise refuse(
            "gantry-tilt",
            subject=_subject(ordered),
            found=f"each slice lies {np.linalg.norm(per_slice):.2f} mm aside of the one before: the gantry was tilted "
            f"by {angle:.1f} degrees",
            remedy="have the scanner's software resample the series to a straight one",
        )
    worst = int(np.argmax(np.linalg.norm(np.diff(aside, axis=0), axis=1)))
    raise refuse(
        "slices-shifted",
        subject=_subject(ordered),
        found=f"slices lie up to {drift.max():.2f} mm aside of the first one; the largest jump is after "
        f"{_files(ordered[worst : worst + 1])}",
        remedy="fetch the series again or leave it out",
    )


def _subject(slots: Sequence[Slot]) -> str:
    return f"series {slots[0].located.instance.series_uid}"


def _files(slots: Sequence[Slot]) -> str:
    names = sorted({slot.located.path for slot in slots})
    shown = ", ".join(names[:EXAMPLES])
    return f"{shown} and {len(names) - EXAMPLES} more" if len(names) > EXAMPLES else shown
