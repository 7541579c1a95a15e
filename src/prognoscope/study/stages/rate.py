"""Rate: the same features on perturbed contours, to see which of them another contour changes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from prognoscope.core import hashing
from prognoscope.core.problems import Problem, Refused
from prognoscope.core.work import Mapper
from prognoscope.curation import Choice
from prognoscope.radiomics.perturb import draw, perturb
from prognoscope.sources import read_mask, read_volume
from prognoscope.study.cache import Memory
from prognoscope.study.imaging import ImagingPredictor, Measurement, Perturbations
from prognoscope.study.stages.measure import Task, at_hand, features_of, key_of, task_of
from prognoscope.training import Ratings

if TYPE_CHECKING:
    from prognoscope.store import Artefacts

VERSION = 1


@dataclass(frozen=True, slots=True)
class RatingTask:
    """One region of one patient to be measured on perturbed contours; `number` tells its contours from all others'."""

    task: Task
    perturbations: Perturbations
    seed: int
    number: int


def rate(
    place: Path | Artefacts,
    patients: Sequence[str],
    choices: Mapping[str, Sequence[Choice]],
    measurements: Sequence[Measurement],
    *,
    seed: int,
    cache: Memory,
    mapper: Mapper,
) -> tuple[tuple[Ratings, ...], tuple[Problem, ...]]:
    """Measure every patient's regions on perturbed contours, where the study file asks for it.

    Parameters are those of `measure`; `seed` is the study's.

    Returns
    -------
    The ratings of each imaging predictor that has `perturbations:`, and a note on each patient who could not be rated
    and takes part in the study all the same.
    """
    ratings, notes = [], []
    for position, (_, group) in enumerate(groupby(measurements, key=lambda one: id(one.predictor))):
        role = list(group)
        predictor = role[0].predictor
        if predictor.perturbations is None:
            continue
        tasks = [
            _task(task_of(place, choices[patient][position], role), predictor.perturbations, patient, seed)
            for patient in patients
        ]
        keys = [_key(task) for task in tasks]
        found = cache.map(mapper, "rate", rate_region, tasks, keys, label="measure perturbed contours")
        answers = [json.loads(answer) for answer in found]
        ratings += _ratings(patients, answers, predictor)
        notes += _notes(patients, answers, predictor)
    return tuple(ratings), tuple(notes)


def rate_region(rating: RatingTask) -> bytes:
    """Measure one region on its perturbed contours; the answer is JSON, names and a list of values a contour."""
    task, contours = rating.task, rating.perturbations
    drawn = draw(contours, count=contours.count, seed=rating.seed, key=(rating.number,))
    try:
        with at_hand(task) as folder:
            volume = read_volume(folder, task.choice.series)
            mask = read_mask(folder, task.choice.region_set, task.choice.region, task.choice.series)
        measured = [features_of(task, volume, contour) for contour in perturb(mask, drawn)]
    except Refused as refused:
        return json.dumps({"problem": [refused.problem.found, refused.problem.remedy]}).encode()
    values = [[one.value if math.isfinite(one.value) else None for one in features] for features in measured]
    names = [f"{task.prefix}.{feature.name}" for feature in measured[0]]
    return json.dumps({"names": names, "values": values}).encode()


def _task(task: Task, perturbations: Perturbations, patient: str, seed: int) -> RatingTask:
    return RatingTask(task, perturbations, seed, int(hashing.of_value([patient, task.prefix])[:12], 16))


def _key(rating: RatingTask) -> object:
    return [VERSION, key_of(rating.task), rating.perturbations, rating.seed, rating.number]


def _ratings(
    patients: Sequence[str], answers: Sequence[Mapping[str, Any]], predictor: ImagingPredictor
) -> list[Ratings]:
    measured = [answer for answer in answers if "names" in answer]
    if not measured:
        return []
    names = tuple(measured[0]["names"])
    contours = len(measured[0]["values"])
    values = np.full((len(patients), len(names), contours), np.nan)
    for row, answer in enumerate(answers):
        if "values" in answer:
            values[row] = np.array(answer["values"], dtype=float).T
    return [Ratings(tuple(patients), names, values, predictor.keep)]


def _notes(patients: Sequence[str], answers: Sequence[Mapping[str, Any]], predictor: ImagingPredictor) -> list[Problem]:
    told = [
        (patient, answer["problem"]) for patient, answer in zip(patients, answers, strict=True) if "problem" in answer
    ]
    return [
        Problem(
            "contours-not-rated",
            f"patient {patient}, {predictor.result_name}",
            f"not measured on perturbed contours, so the patient has no say in which features are kept: {found}",
            remedy,
        )
        for patient, (found, remedy) in told
    ]
