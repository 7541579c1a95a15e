"""Measure images as they lie in a folder: one, or many with resume."""

from __future__ import annotations

import contextlib
import csv
import functools
import json
import math
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from prognoscope.core import hashing
from prognoscope.core.geometry import Mask, Volume
from prognoscope.core.images import ImageSeries, RegionSet
from prognoscope.core.measures import Feature
from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.core.settings import nearest
from prognoscope.core.work import Mapper, serial_map
from prognoscope.radiomics import MEASURES, RadiomicsSettings, extract
from prognoscope.radiomics.presets import PRESETS
from prognoscope.radiomics.warm import compile_kernels
from prognoscope.sources import matching_regions, read_mask, read_nifti, read_nifti_mask, read_volume, scan

__all__ = [
    "Case",
    "MeasuredCase",
    "RadiomicsSettings",
    "case_document",
    "compile_kernels",
    "find_cases",
    "measure_case",
    "measure_cases",
    "modality_of",
    "read_settings",
]
NIFTI = (".nii", ".nii.gz")
UNKNOWN_MODALITY = "OT"
MANIFEST_COLUMNS = ("id", "image", "mask", "modality", "label", "region")


@dataclass(frozen=True, slots=True)
class Case:
    """An image and a region to measure.

    Attributes
    ----------
    id
        Name of its row.
    image, mask
        NIfTI files, or folders of DICOM (image series; RTSTRUCT).
    modality
        DICOM modality; empty takes it from the image, `OT` where that does not say (NIfTI).
    label, region
        Which label of a label image, which region (a pattern) of an RTSTRUCT; may be left out where there is one.
    """

    id: str
    image: Path
    mask: Path
    modality: str = ""
    label: int | None = None
    region: str = "*"


@dataclass(frozen=True, slots=True)
class MeasuredCase:
    """A case with its features, or with the problem that kept it from being measured."""

    id: str
    modality: str
    features: tuple[Feature, ...]
    problem: Problem | None = None


def read_settings(name: str | Path) -> RadiomicsSettings:
    """Return ready settings (`ct`, `pet`, `mr`), those of a YAML file, or without a name the defaults.

    Raises
    ------
    Refused
        `settings-missing` when there is neither, `settings-invalid` naming each wrong key.
    """
    preset = PRESETS.get(str(name))
    if preset is not None:
        return preset.settings
    if not str(name):
        return RadiomicsSettings()
    path = Path(name)
    if not path.is_file():
        near = nearest(str(name), PRESETS)
        raise refuse(
            "settings-missing",
            subject=str(name),
            found="no file, and none of the ready settings " + ", ".join(PRESETS),
            remedy=f"did you mean {near}?" if near else "give a YAML file or one of these names",
        )
    try:
        values = YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}
        return RadiomicsSettings.model_validate(values)
    except (YAMLError, UnicodeDecodeError) as cause:
        found = f"not YAML: {str(cause).splitlines()[0]}"
    except ValidationError as cause:
        found = "; ".join(_wrong_key(error) for error in cause.errors())
    raise refuse(
        "settings-invalid", subject=str(path), found=found, remedy="correct these keys; docs/radiomics.md has all"
    )


def _wrong_key(error: Any) -> str:
    place = ".".join(str(step) for step in error["loc"]) or "the file"
    return f"{place}: {error['msg']}"


def modality_of(name: str | Path) -> str:
    """Return the modality that ready settings are meant for, empty for a file of one's own."""
    preset = PRESETS.get(str(name))
    return "" if preset is None else preset.modality


def find_cases(source: Path, *, modality: str = "", label: int | None = None, region: str = "*") -> tuple[Case, ...]:
    """Return the cases of a folder or of a manifest.

    A folder holds pairs `NAME_image.nii.gz` and `NAME_mask.nii.gz`, or `NAME.nii.gz` and `NAME_mask.nii.gz`. A manifest
    is a CSV file with the columns id, image and mask, and if wanted modality, label and region; its paths are relative
    to it, and what it leaves empty is taken from the arguments.

    Raises
    ------
    Refused
        `cases-missing` when nothing is found, `mask-missing` for an image without mask, `file-missing` when there is no
        such folder or file, `manifest-unreadable`, `manifest-column`, `manifest-incomplete`, `manifest-label`,
        `case-twice`.
    """
    if not source.exists():
        raise refuse("file-missing", subject=str(source), found="it does not exist", remedy="correct the path")
    wanted = Case("", source, source, modality, label, region)
    cases = _listed(source, wanted) if source.is_file() else _paired(source, wanted)
    if not cases:
        raise refuse(
            "cases-missing",
            subject=str(source),
            found="no image with a mask beside it",
            remedy="name files NAME_image.nii.gz and NAME_mask.nii.gz, or list them in a CSV with id, image and mask",
        )
    names = [case.id for case in cases]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise refuse("case-twice", subject=twice[0], found="two cases have this id", remedy="give each its own id")
    return tuple(cases)


def _paired(folder: Path, wanted: Case) -> list[Case]:
    """Pairs of one folder each; below sub-folders the id begins with these, as in `P1/scan`."""
    files = sorted(path for path in folder.rglob("*") if _is_nifti(path) and path.is_file())
    masks = {(path.parent, _stem(path).removesuffix("_mask")): path for path in files if _stem(path).endswith("_mask")}
    cases = []
    for path in files:
        if _stem(path).endswith("_mask"):
            continue
        name = _stem(path).removesuffix("_image")
        mask = masks.get((path.parent, name))
        if mask is None:
            raise refuse(
                "mask-missing",
                subject=str(path),
                found=f"there is no {name}_mask beside it",
                remedy="add the mask, or list images and masks in a CSV with id, image and mask",
            )
        cases.append(replace(wanted, id=(path.parent / name).relative_to(folder).as_posix(), image=path, mask=mask))
    return cases


def _stem(path: Path) -> str:
    return re.sub(r"\.nii(\.gz)?$", "", path.name, flags=re.IGNORECASE)


def _listed(manifest: Path, wanted: Case) -> list[Case]:
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            columns = reader.fieldnames or []
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as cause:
        raise refuse(
            "manifest-unreadable",
            subject=str(manifest),
            found=f"not a CSV file in UTF-8 ({cause})",
            remedy="name the mask after the image, or give a folder or a CSV with the columns id, image, mask",
        ) from None
    absent = [name for name in MANIFEST_COLUMNS[:3] if name not in columns]
    unknown = [name for name in columns if name not in MANIFEST_COLUMNS]
    if absent or unknown:
        raise refuse(
            "manifest-column",
            subject=str(manifest),
            found=f"its columns are {', '.join(columns)}",
            remedy=f"give id, image and mask, and if wanted {', '.join(MANIFEST_COLUMNS[3:])}",
        )
    return [_row(manifest, row, wanted) for row in rows]


def _row(manifest: Path, row: dict[str, str], wanted: Case) -> Case:
    empty = [name for name in MANIFEST_COLUMNS[:3] if not (row[name] or "").strip()]
    if empty:
        raise refuse(
            "manifest-incomplete",
            subject=f"{manifest}, id {row['id']}",
            found=f"{' and '.join(empty)} is empty",
            remedy="fill the row in, or leave it out",
        )
    label = (row.get("label") or "").strip()
    # Tables written by pandas have 1.0 for 1 in a column with gaps.
    number = re.fullmatch(r"([0-9]+)(\.0*)?", label)
    if label and number is None:
        raise refuse(
            "manifest-label",
            subject=f"{manifest}, id {row['id']}",
            found=f"the label is {label!r}",
            remedy="give a whole number, or none",
        )
    return Case(
        id=row["id"].strip(),
        image=manifest.parent / row["image"].strip(),
        mask=manifest.parent / row["mask"].strip(),
        modality=(row.get("modality") or "").strip() or wanted.modality,
        label=int(number[1]) if number else wanted.label,
        region=(row.get("region") or "").strip() or wanted.region,
    )


def measure_cases(
    cases: Sequence[Case], settings: RadiomicsSettings, *, store: Path | None = None, mapper: Mapper = serial_map
) -> tuple[MeasuredCase, ...]:
    """Measure cases, in their order.

    Parameters
    ----------
    store
        Folder where each measured case is kept, so that a run that was interrupted goes on where it was and one with
        other settings starts anew; None keeps nothing. Files are trusted by size and time.
    """
    function = functools.partial(_measure_or_load, settings, store)
    return tuple(mapper(function, list(cases), label="radiomics"))


def _measure_or_load(settings: RadiomicsSettings, store: Path | None, case: Case) -> MeasuredCase:
    kept = None if store is None else store / "radiomics" / f"{_key(case, settings)}.json"
    loaded = None if kept is None else _load(kept)
    if loaded is not None:
        return loaded
    measured = measure_case(case, settings)
    if kept is not None and measured.problem is None:
        _keep(measured, kept)
    return measured


def measure_case(case: Case, settings: RadiomicsSettings) -> MeasuredCase:
    """Read and measure one case; a refusal becomes its problem."""
    modality = case.modality or UNKNOWN_MODALITY
    try:
        volume, mask, modality = _read(case)
        return MeasuredCase(case.id, modality, extract(volume, mask, settings, modality=modality))
    except Refused as refused:
        return MeasuredCase(case.id, modality, (), refused.problem)


def _read(case: Case) -> tuple[Volume, Mask, str]:
    for path in (case.image, case.mask):
        if not path.exists():
            raise refuse("file-missing", subject=str(path), found="it does not exist", remedy="correct the path")
        _require_known_format(path)
    if _is_nifti(case.image):
        volume = read_nifti(case.image)
        return volume, read_nifti_mask(case.mask, label=case.label), case.modality or UNKNOWN_MODALITY
    series = _only_series(case)
    volume = read_volume(_folder(case.image), series)
    if _is_nifti(case.mask):
        mask = read_nifti_mask(case.mask, label=case.label)
    else:
        region_set, region = _only_region(case, series)
        mask = read_mask(_folder(case.mask), region_set, region, series)
    return volume, mask, case.modality or series.modality


def _is_nifti(path: Path) -> bool:
    return path.name.lower().endswith(NIFTI)


def _require_known_format(path: Path) -> None:
    if path.is_dir() or _is_nifti(path):
        return
    with path.open("rb") as stream:
        if stream.read(132)[128:] == b"DICM":
            return
    raise refuse(
        "format-not-read",
        subject=str(path),
        found="neither NIfTI nor DICOM; NRRD, MetaImage and others are not read",
        remedy="convert it to NIfTI (.nii.gz), or give the folder of the DICOM series",
    )


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _only_series(case: Case) -> ImageSeries:
    index = scan(_folder(case.image))
    found = [series for series in index.series if case.modality in ("", series.modality)]
    if len(found) == 1:
        return found[0]
    if not found and index.refused:
        raise Refused(index.refused[0].problem)
    named = "; ".join(f"{series.modality} {series.description or series.uid}" for series in found[:5])
    raise refuse(
        "series-choice",
        subject=str(case.image),
        found=f"{len(found)} image series" + (f": {named}" if named else ""),
        remedy="give a folder with one series, or say which modality",
    )


def _only_region(case: Case, series: ImageSeries) -> tuple[RegionSet, str]:
    index = scan(_folder(case.mask))
    sets = [regions for regions in index.region_sets if regions.series_uid in ("", series.uid)]
    if case.mask.is_file():
        sets = [regions for regions in sets if regions.file == case.mask.name]
    found = [(regions, region) for regions in sets for region in matching_regions(regions, case.region)]
    if len(found) == 1:
        return found[0]
    named = ", ".join(region for _, region in found[:10])
    raise refuse(
        "region-choice",
        subject=str(case.mask),
        found=f"{len(found)} regions match {case.region!r}" + (f": {named}" if named else ""),
        remedy="name one region",
    )


def _key(case: Case, settings: RadiomicsSettings) -> str:
    """What a measured case depends on: the settings as used, the version, and the files by place, size and time."""
    files = [_state(path) for path in (case.image, case.mask)]
    chosen = [case.id, case.modality, case.label, case.region]
    return hashing.of_value([MEASURES[0].version, settings, chosen, files])


def _state(path: Path) -> list[Any]:
    below = sorted(path.rglob("*")) if path.is_dir() else [path]
    stats = [(file, file.stat()) for file in below if file.is_file()]
    return [[file.name, stat.st_size, stat.st_mtime_ns] for file, stat in stats]


def _keep(measured: MeasuredCase, place: Path) -> None:
    part = place.with_suffix(f".{os.getpid()}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as stream:
            json.dump(case_document(measured), stream)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(place)
    except OSError as cause:
        with contextlib.suppress(OSError):
            part.unlink()
        raise refuse(
            "results-unwritable",
            subject=str(place.parent),
            found=f"a measured case cannot be kept there ({cause.strerror or cause})",
            remedy="make room, or name another place with --store",
        ) from None


def _load(place: Path) -> MeasuredCase | None:
    """A case that was kept; None where there is none, or what is there cannot be read."""
    try:
        document = json.loads(place.read_text(encoding="utf-8"))
        features = [
            Feature(**feature | {"value": math.nan if feature["value"] is None else feature["value"]})
            for feature in document["features"]
        ]
        return MeasuredCase(document["id"], document["modality"], tuple(features))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def case_document(measured: MeasuredCase) -> dict[str, Any]:
    """Return a measured case as plain values; what is NaN is null and has a reason."""
    features = [feature._asdict() for feature in measured.features]
    for feature in features:
        feature["value"] = feature["value"] if math.isfinite(feature["value"]) else None
    document: dict[str, Any] = {"id": measured.id, "modality": measured.modality, "features": features}
    return document if measured.problem is None else document | {"problem": asdict(measured.problem)}
