"""Measure: what the images of each participant show, patient by patient."""

from __future__ import annotations

import base64
import json
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from prognoscope.core.flow import Exclusion
from prognoscope.core.geometry import Mask, Volume
from prognoscope.core.measures import Feature
from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.core.table import PATIENT, Column, Table
from prognoscope.core.work import Mapper
from prognoscope.curation import Choice
from prognoscope.sources import read_mask, read_volume
from prognoscope.study.cache import Memory
from prognoscope.study.imaging import Measurement
from prognoscope.study.offers import measures

if TYPE_CHECKING:  # see prognoscope.study.cache
    from prognoscope.store import Artefacts

VERSION = 4
_INTENSITY = re.compile(r"intensity(\d*)(\.\w+)?")


@dataclass(frozen=True, slots=True)
class Task:
    """One region of one patient and all that is measured there: `wanted` is (measure, settings as JSON)."""

    place: Path | Artefacts
    prefix: str
    choice: Choice
    wanted: tuple[tuple[str, str], ...]
    fingerprint: bool


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Features of the patients who could be measured, and the exclusions of the others.

    `reasons` says per patient and feature why a value is NaN; `fingerprints` holds a perceptual hash per image, by
    which the same patient under two names is found; `thumbnails` holds a picture of each region as kept,
    caption, shape and compressed bytes, for the worst cases of the report.
    """

    table: Table
    reasons: Mapping[str, Mapping[str, str]]
    fingerprints: Mapping[str, tuple[str, ...]]
    thumbnails: Mapping[str, tuple[Sequence[Any], ...]]
    exclusions: tuple[Exclusion, ...]


def measure(
    place: Path | Artefacts,
    patients: Sequence[str],
    choices: Mapping[str, Sequence[Choice]],
    measurements: Sequence[Measurement],
    *,
    cache: Memory,
    mapper: Mapper,
    fingerprints: bool = True,
) -> Measured:
    """Measure every patient; one whose images are as before is not read again.

    Parameters
    ----------
    place
        The folder, or the artefacts of a store, that the choices' paths are relative to.
    patients
        IDs in the order of the result.
    choices
        Per patient one choice for each imaging predictor, in the order in which `measurements` first names them.
    fingerprints
        Whether to make the perceptual hashes that the guards compare.
    """
    roles = [list(group) for _, group in groupby(measurements, key=lambda one: id(one.predictor))]
    tasks = [
        task_of(place, choices[patient][position], role, fingerprints)
        for patient in patients
        for position, role in enumerate(roles)
    ]
    answers = cache.map(
        mapper, "measure", measure_region, tasks, [key_of(task) for task in tasks], label="measure images"
    )
    return _collect(patients, len(roles), [json.loads(answer) for answer in answers])


def measure_region(task: Task) -> bytes:
    """Measure one region; the answer is JSON, features with the image's fingerprint or a problem."""
    try:
        with at_hand(task) as folder:
            volume = read_volume(folder, task.choice.series)
            mask = read_mask(folder, task.choice.region_set, task.choice.region, task.choice.series)
        features = features_of(task, volume, mask)
    except Refused as refused:
        problem = refused.problem
        return json.dumps({"problem": [problem.code, problem.subject, problem.found, problem.remedy]}).encode()
    answer = {
        "features": [_plain(task, feature) for feature in features],
        "fingerprint": _fingerprint(volume) if task.fingerprint else "",
        "thumbnail": _thumbnail(task, volume, mask) if task.fingerprint else None,
    }
    return json.dumps(answer).encode()


def features_of(task: Task, volume: Volume, mask: Mask) -> list[Feature]:
    """Measure everything that a task wants in an image and a region."""
    offers = {offer.name: offer for offer in measures()}
    return [
        feature
        for name, settings in task.wanted
        for feature in offers[name].measure(
            volume, mask, offers[name].settings.model_validate_json(settings), task.choice.series.modality
        )
    ]


def at_hand(task: Task) -> AbstractContextManager[Path]:
    """Return the folder in which a task's files lie while they are read."""
    if isinstance(task.place, Path):
        return nullcontext(task.place)
    files = (*task.choice.series.files, task.choice.region_set.file)
    return task.place.at_hand(file.replace("/", "") for file in files)


def _fingerprint(volume: Volume) -> str:
    # Imported where it is needed: a prediction answers without it, seconds sooner.
    from prognoscope.validation import image_fingerprint

    return image_fingerprint(volume.voxels)


def _thumbnail(task: Task, volume: Volume, mask: Mask) -> list[Any]:
    from prognoscope.report import thumbnail

    made = thumbnail(volume, mask, caption=task.prefix)
    return [made.caption, list(made.pixels.shape), base64.b64encode(zlib.compress(made.pixels.tobytes())).decode()]


def task_of(
    place: Path | Artefacts, choice: Choice, measurements: Sequence[Measurement], fingerprints: bool = False
) -> Task:
    """Return what is to be measured in the region that one predictor chose; fingerprints are for whole images."""
    predictor = measurements[0].predictor
    wanted = tuple((one.measure.name, one.settings.model_dump_json(by_alias=True)) for one in measurements)
    return Task(place, f"{predictor.result_name}.{predictor.region_name}", choice, wanted, fingerprints)


def key_of(task: Task) -> object:
    """Return all that the measurement of a region depends on."""
    versions = {offer.name: offer.version for offer in measures()}
    choice = task.choice
    return [
        VERSION,
        task.prefix,
        task.fingerprint,
        [[name, versions[name], settings] for name, settings in task.wanted],
        choice.series.uid,
        list(choice.series.hashes),
        choice.series.unit,
        choice.region_set.hash,
        choice.region,
    ]


def _plain(task: Task, feature: Feature) -> list[Any]:
    value = feature.value if math.isfinite(feature.value) else None
    return [f"{task.prefix}.{feature.name}", value, _unit(task, feature.unit), feature.reason, feature.meaning]


def _unit(task: Task, unit: str) -> str:
    """Return a unit with the image's own in the place of `intensity`: `SUV`, `SUV^2`, `SUV.mm3`; MR has none."""
    match = _INTENSITY.fullmatch(unit)
    if match is None:
        return unit
    power, rest = match.group(1), match.group(2) or ""
    image = task.choice.series.unit
    if image == "1":
        return rest.removeprefix(".") or "1"
    return image + (f"^{power}" if power else "") + rest


def _collect(patients: Sequence[str], roles: int, answers: Sequence[Mapping[str, Any]]) -> Measured:
    rows: dict[str, list[list[Any]]] = {}
    fingerprints: dict[str, tuple[str, ...]] = {}
    thumbnails: dict[str, tuple[Sequence[Any], ...]] = {}
    exclusions = []
    for position, patient in enumerate(patients):
        own = answers[position * roles : (position + 1) * roles]
        refused = [answer["problem"] for answer in own if "problem" in answer]
        if refused:
            code, subject, found, remedy = refused[0]
            exclusions.append(
                Exclusion(patient, "measurement", Problem(code, f"patient {patient}, {subject}", found, remedy))
            )
        else:
            rows[patient] = [feature for answer in own for feature in answer["features"]]
            fingerprints[patient] = tuple(answer["fingerprint"] for answer in own)
            thumbnails[patient] = tuple(answer["thumbnail"] for answer in own if answer["thumbnail"])
    if not rows:
        raise refuse(
            "nobody-measured",
            subject="images",
            found=f"none of {len(patients)} patients could be measured; for instance {exclusions[0].problem}",
            remedy="correct the images or regions and run again",
        )
    described = next(iter(rows.values()))
    columns = tuple(
        Column(name, "number", unit=unit, meaning=meaning, origin="imaging", known_at="time_zero")
        for name, _, unit, _, meaning in described
    )
    values = [[math.nan if cell[1] is None else cell[1] for cell in row] for row in rows.values()]
    frame = pd.DataFrame(
        np.array(values, dtype=float),
        index=pd.Index(list(rows), name=PATIENT),
        columns=[column.name for column in columns],
    )
    reasons = {patient: {cell[0]: cell[3] for cell in row if cell[3]} for patient, row in rows.items()}
    return Measured(
        table=Table(frame, columns),
        reasons={patient: why for patient, why in reasons.items() if why},
        fingerprints=fingerprints,
        thumbnails=thumbnails,
        exclusions=tuple(exclusions),
    )
