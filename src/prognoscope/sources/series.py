"""Files → image series, region sets and whatever had to be refused, grouped by patient and geometry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from prognoscope.core.images import ImageIndex, ImageSeries, RefusedSeries, RegionSet
from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.sources import identity, pet, stack
from prognoscope.sources.classes import OTHER_CLASSES, VOLUME_CLASSES
from prognoscope.sources.dicom import Located
from prognoscope.sources.drawn import Volumes, sets_by_series, volume_named
from prognoscope.sources.header import VOLUME_KEYS
from prognoscope.sources.stack import Slot, Stack

ASIDE_TYPES = {
    "LOCALIZER": "localizer",
    "SCREEN SAVE": "screen capture",
    "DOSE": "dose page",
    "PROJECTION IMAGE": "projection",
}
UNITS = {"CT": "HU", "MR": "1"}
ORIENTATION = "orientation "
KEY_NAMES = tuple(name for name, _ in VOLUME_KEYS)


@dataclass(frozen=True, slots=True)
class Series:
    """A series of `core` together with the planes it is made of."""

    entry: ImageSeries
    stack: Stack
    factor: float


def assemble(located: Sequence[Located]) -> ImageIndex:
    """Group files to series and region sets; whatever cannot be used is refused or set aside with its reason."""
    everything = located
    located = [file for file in located if file.instance.patient_id]
    clashes, claimed_twice = identity.shared_ids(located), identity.shared_series(located)
    regions = sets_by_series(located)
    series: list[ImageSeries] = []
    refused: list[RefusedSeries] = []
    aside: list[Problem] = identity.nameless(everything)
    split: dict[str, Volumes] = {}
    for files in _grouped([file for file in located if file.instance.kind == "image"]):
        first = files[0].instance
        problem = clashes.get(first.patient_id) or claimed_twice.get(first.series_uid)
        if problem:
            refused.append(_refusal(files, problem))
            continue
        found, parts = _whole_where_drawn(files, list(volumes(files)), regions.get(first.series_uid, ()))
        split[first.series_uid] = parts
        series += [outcome.entry for outcome in found if isinstance(outcome, Series)]
        refused += [outcome for outcome in found if isinstance(outcome, RefusedSeries)]
        aside += [outcome for outcome in found if isinstance(outcome, Problem)]
    sets: list[RegionSet] = []
    seen: set[str] = set()
    for file in sorted(located, key=lambda file: file.path):
        if file.instance.kind == "regions" and file.sha256 not in seen:
            seen.add(file.sha256)
            problem = clashes.get(file.instance.patient_id) or _unusable([file])
            if problem:
                refused.append(_refusal([file], problem))
            else:
                sets.append(_region_set(file, split))
        elif file.instance.kind == "other":
            aside.append(_not_image(file))
    return ImageIndex(
        series=tuple(sorted(series, key=lambda entry: (entry.patient_id, entry.modality, entry.uid))),
        region_sets=tuple(sorted(sets, key=lambda entry: (entry.patient_id, entry.uid, entry.file))),
        refused=tuple(sorted(refused, key=lambda entry: (entry.patient_id, entry.modality, entry.uid))),
        set_aside=tuple(sorted(aside, key=lambda problem: (problem.subject, problem.code, problem.found))),
    )


def volumes(files: Sequence[Located]) -> Iterator[Series | RefusedSeries | Problem]:
    """Yield the volumes of one series' files, what of them is refused, and what is set aside."""
    images, aside = _without_aside(files)
    yield from aside
    if not images:
        return
    try:
        _check_headers(images)
        slots, copies = stack.without_copies(stack.slots_of(images))
        _check_geometry(slots)
        if len(slots) < stack.FEWEST_SLICES:
            yield _too_few(slots)
            return
        groups = _orientations(slots)
    except Refused as refused:
        yield _refusal(images, refused.problem)
        return
    if not groups:
        yield _aside(images, "localizer", f"{len(slots)} slices in several orientations, fewer than 3 in each")
    for label, members in groups:
        yield from _split(members, label, copies)


def _grouped(located: Sequence[Located]) -> list[list[Located]]:
    groups: dict[tuple[str, str, str], list[Located]] = defaultdict(list)
    for file in sorted(located, key=lambda file: file.path):
        instance = file.instance
        groups[instance.patient_id, instance.study_uid, instance.series_uid].append(file)
    return [groups[key] for key in sorted(groups)]


def _whole_where_drawn(
    files: Sequence[Located], found: list[Series | RefusedSeries | Problem], sets: Sequence[Located]
) -> tuple[list[Series | RefusedSeries | Problem], Volumes]:
    """What a series makes, and its volumes by UID where it makes several.

    Slices of several orientations may be volumes of their own, such as a scout's three planes. A region that was drawn
    on the whole series tells that it was one: unless it names the instances of one of them, and all are sound, some
    slices are turned.
    """
    instances = {file.path: file.instance.sop_uid for file in files}
    volumes = {
        one.entry.uid: frozenset(instances[path] for path in one.entry.files)
        for one in found
        if isinstance(one, Series)
    }
    turned = any(ORIENTATION in uid for uid in volumes) or any(
        isinstance(one, RefusedSeries) and ORIENTATION in one.uid for one in found
    )
    sound = len(volumes) == len(found)
    if turned and sets and not (sound and all(volume_named(one, volumes) for one in sets)):
        return [_refusal(files, _mixed(files, sets[0]))], {}
    return found, volumes


def _mixed(files: Sequence[Located], drawn: Located) -> Problem:
    groups = stack.by_orientation(stack.slots_of(_without_aside(files)[0]))
    told = "; ".join(f"{len(group)} slices {_axes(group[0])}" for group in groups[: stack.EXAMPLES])
    odd = groups[-1][0].located.path
    return Problem(
        code="mixed-orientations",
        subject=f"series {files[0].instance.series_uid}",
        found=f"its slices have {len(groups)} orientations: {told} (such as {odd}); the regions of {drawn.path} were "
        "drawn on the whole series",
        remedy="take the turned slices out of the series or fetch it again",
    )


def _unusable(files: Sequence[Located]) -> Problem | None:
    """The problem of files that end too early."""
    for file in files:
        if file.instance.damage:
            return Problem(
                code=file.instance.damage_code,
                subject=f"series {file.instance.series_uid}",
                found=f"{file.path} cannot be used: {file.instance.damage}",
                remedy="copy the file again from its source",
            )
    return None


def _without_aside(files: Sequence[Located]) -> tuple[list[Located], list[Problem]]:
    kept: list[Located] = []
    aside: dict[str, list[Located]] = defaultdict(list)
    for file in files:
        reason = _why_aside(file)
        if reason:
            aside[reason].append(file)
        else:
            kept.append(file)
    problems = [_aside(members, reason, f"{len(members)} images") for reason, members in sorted(aside.items())]
    return kept, problems


def _why_aside(file: Located) -> str | None:
    instance = file.instance
    if instance.sop_class not in VOLUME_CLASSES:
        return OTHER_CLASSES.get(instance.sop_class, f"not a volume image (SOP class {instance.sop_class})")
    words = {word.strip().upper() for word in instance.image_type}
    for word, reason in ASIDE_TYPES.items():
        if word in words:
            return reason
    if instance.photometric not in ("MONOCHROME1", "MONOCHROME2", ""):
        return f"colour image ({instance.photometric})"
    return None


def _aside(files: Sequence[Located], reason: str, found: str) -> Problem:
    return Problem(
        code="set-aside",
        subject=f"series {files[0].instance.series_uid} of patient {files[0].instance.patient_id}",
        found=f"{reason}: {found} (such as {files[0].path})",
        remedy="nothing, unless you expected to measure it",
    )


def _too_few(slots: Sequence[Slot]) -> Problem:
    return _aside([slot.located for slot in slots], "fewer than 3 slices", f"{len(slots)} found")


def _not_image(file: Located) -> Problem:
    kind = OTHER_CLASSES.get(file.instance.sop_class, f"SOP class {file.instance.sop_class}")
    return Problem(
        code="set-aside",
        subject=file.path,
        found=f"it holds no image that can be measured ({kind})",
        remedy="nothing, unless you expected to measure it",
    )


def _check_headers(images: Sequence[Located]) -> None:
    problem = _unusable(images)
    if problem:
        raise Refused(problem)
    frames = {file.instance.frame_of_reference: file for file in images}
    if len(frames) > 1:
        raise refuse(
            "frames-of-reference-differ",
            subject=f"series {images[0].instance.series_uid}",
            found=f"its files lie in {len(frames)} frames of reference (such as "
            f"{' and '.join(file.path for file in list(frames.values())[:2])})",
            remedy="export each volume as a series of its own",
        )
    for file in images:
        expected = VOLUME_CLASSES[file.instance.sop_class]
        if file.instance.modality != expected:
            raise refuse(
                "modality-disagrees",
                subject=f"series {file.instance.series_uid}",
                found=f"{file.path} has the SOP class of {expected} images but states the modality "
                f"{file.instance.modality or 'nothing'}",
                remedy="correct the header at its source",
            )
        if not file.instance.planes:
            raise refuse(
                "geometry-missing",
                subject=f"series {file.instance.series_uid}",
                found=f"{file.path} has several frames and no geometry for each",
                remedy="export the series as enhanced multi-frame or as single slices",
            )


def _check_geometry(slots: Sequence[Slot]) -> None:
    for slot in slots:
        plane = slot.plane
        for value, name in (
            (plane.position, "ImagePositionPatient"),
            (plane.row, "ImageOrientationPatient"),
            (plane.spacing, "PixelSpacing"),
        ):
            if value is None:
                raise refuse(
                    "geometry-missing",
                    subject=f"series {slot.located.instance.series_uid}",
                    found=f"{slot.located.path} has no {name}, so its place is unknown",
                    remedy="export the series with its geometry",
                )
        if plane.slope == 0:
            raise refuse(
                "rescale-zero",
                subject=f"series {slot.located.instance.series_uid}",
                found=f"{slot.located.path} has a RescaleSlope of 0, which makes every value the same",
                remedy="export the series again",
            )


def _orientations(slots: Sequence[Slot]) -> list[tuple[str, list[Slot]]]:
    """Volumes by orientation, each with a label that is empty when there is one; empty for a localizer's few planes."""
    groups = stack.by_orientation(slots)
    large = [group for group in groups if len(group) >= stack.FEWEST_SLICES]
    if len(groups) == 1:
        return [("", list(groups[0]))]
    if not large:
        return []
    if len(large) < len(groups):
        odd, usual = groups[-1][0], groups[0][0]
        raise refuse(
            "mixed-orientations",
            subject=f"series {odd.located.instance.series_uid}",
            found=f"{odd.located.path} has orientation {_axes(odd)}, the other slices {_axes(usual)}",
            remedy="take the file out of the series or fetch the series again",
        )
    return [(f"{ORIENTATION}{_axes(group[0])}", list(group)) for group in large]


def _axes(slot: Slot) -> str:
    values = (*(slot.plane.row or ()), *(slot.plane.column or ()))
    return "\\".join(f"{value:.4g}" for value in values)


def _split(slots: Sequence[Slot], label: str, copies: int) -> Iterator[Series | RefusedSeries | Problem]:
    try:
        parts = stack.split_by_key(slots, KEY_NAMES)
    except Refused as refused:
        alone = stack.without_equal(slots)
        if len(alone) == len(slots):
            yield _refusal([slot.located for slot in slots], refused.problem)
        else:
            yield from _split(alone, label, copies + len(slots) - len(alone))
        return
    for name, members in parts.items():
        full = ", ".join(word for word in (label, name) if word)
        if len(members) < stack.FEWEST_SLICES:
            yield _too_few(members)
            continue
        try:
            yield _finished(members, full, copies)
        except Refused as refused:
            yield _refusal([slot.located for slot in members], refused.problem, full)


def _finished(slots: Sequence[Slot], label: str, copies: int) -> Series:
    ordered = stack.stack(slots)
    files = list(dict.fromkeys(slot.located for slot in ordered.slots))
    first = files[0].instance
    unit, factor = UNITS.get(first.modality, "1"), 1.0
    if first.modality == "PT":
        tracers = [file.instance.tracer for file in files if file.instance.tracer]
        found = pet.conversion(tracers, subject=f"series {first.series_uid}")
        unit, factor = found.unit, found.factor
    entry = ImageSeries(
        patient_id=first.patient_id,
        modality=first.modality,
        uid=f"{first.series_uid}#{label}" if label else first.series_uid,
        study_uid=first.study_uid,
        frame_of_reference=first.frame_of_reference,
        description=f"{first.description} [{label}]" if label else first.description,
        date=first.date,
        unit=unit,
        grid=ordered.grid,
        files=tuple(file.path for file in files),
        hashes=tuple(file.sha256 for file in files),
        manufacturer=first.manufacturer,
        scanner=first.scanner,
        centre=first.centre,
        notes=_notes(files, copies),
    )
    return Series(entry, ordered, factor)


def _notes(files: Sequence[Located], copies: int) -> tuple[Problem, ...]:
    subject = f"series {files[0].instance.series_uid}"
    kinds = sorted({note for file in files for note in file.instance.notes})
    notes = [Problem("dicom-departs", subject, kind, "nothing: it was read") for kind in kinds]
    if copies:
        notes.append(
            Problem("slices-repeated", subject, f"{copies} slices repeat another exactly and were left out", "nothing")
        )
    return tuple(notes)


def _region_set(file: Located, split: Mapping[str, Volumes]) -> RegionSet:
    instance = file.instance
    drawn_on = sorted(set(instance.referenced_series))
    volumes = split.get(drawn_on[0], {}) if len(drawn_on) == 1 else {}
    return RegionSet(
        patient_id=instance.patient_id,
        uid=instance.sop_uid,
        label=instance.label,
        date=instance.date,
        frame_of_reference=instance.frame_of_reference,
        series_uid=drawn_on[0] if len(drawn_on) == 1 else "",
        regions=tuple(region.name for region in instance.regions),
        file=file.path,
        hash=file.sha256,
        notes=(*_notes([file], 0), *_stray_frames(file)),
        volume_uid=volume_named(file, volumes) if len(volumes) > 1 else "",
    )


def _stray_frames(file: Located) -> Iterator[Problem]:
    """Notes on regions whose frame of reference the file's own list does not have."""
    for region in file.instance.regions:
        if region.frame_of_reference not in ("", file.instance.frame_of(region)):
            yield Problem(
                "dicom-departs",
                f"region {region.name!r} of {file.path}",
                f"it names frame of reference {region.frame_of_reference}, which the file does not list; the file's "
                "own was used",
                "nothing: it was read",
            )


def _refusal(files: Sequence[Located], problem: Problem, label: str = "") -> RefusedSeries:
    first = files[0].instance
    named = replace(problem, subject=f"{problem.subject} of patient {first.patient_id}")
    return RefusedSeries(
        patient_id=first.patient_id,
        modality=first.modality,
        uid=f"{first.series_uid}#{label}" if label else first.series_uid,
        description=first.description,
        problem=named if problem.subject.startswith("series") else problem,
    )
