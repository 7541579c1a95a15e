"""Failures: for whom the main model errs, and the participants whose risk was furthest from what happened."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from prognoscope.core.outcome import TimeToEvent
from prognoscope.core.table import Table
from prognoscope.report import Failures, Neighbour, Thumbnail, WorstCase
from prognoscope.study.stages.learn import Learnt
from prognoscope.study.stages.select import Cohort
from prognoscope.study.stages.split import Split
from prognoscope.validation import FEWEST_TO_SEARCH, failing_slices, nearest_patients, worst_cases

WORST = 6
NEAREST = 3


def find_failures(
    cohort: Cohort,
    predictors: Table,
    main: Learnt,
    folds: Split,
    thumbnails: Mapping[str, tuple[Sequence[Any], ...]],
    *,
    seed: int,
) -> Failures:
    """Look for groups in which the main model errs more, and gather the worst cases with their pictures."""
    rows = folds.held_out
    outcome = cohort.outcome.take(rows)
    risk = main.out_of_fold.risk[:, rows].mean(axis=0)
    searched = len(rows) >= FEWEST_TO_SEARCH
    described = pd.concat([predictors.frame, cohort.circumstances], axis=1).iloc[rows].reset_index(drop=True)
    numbers = _numbers(predictors)
    return Failures(
        slices=failing_slices(outcome, risk, described, seed=seed) if searched else (),
        searched=searched,
        worst=tuple(
            _case(cohort, int(rows[place]), float(risk[place]), numbers, thumbnails)
            for place in worst_cases(outcome, risk, number=WORST)
        ),
    )


def _case(
    cohort: Cohort,
    row: int,
    risk: float,
    numbers: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    thumbnails: Mapping[str, tuple[Sequence[Any], ...]],
) -> WorstCase:
    patient = cohort.patients[row]
    others = np.delete(np.arange(len(cohort.patients)), row)
    nearest: tuple[Neighbour, ...] = ()
    if numbers.shape[1]:
        places, distances = nearest_patients(numbers[others], numbers[row], number=NEAREST)
        nearest = tuple(
            Neighbour(cohort.patients[others[place]], float(distance), _happened(cohort, int(others[place])))
            for place, distance in zip(places, distances, strict=True)
        )
    return WorstCase(patient, risk, bool(cohort.event[row]), nearest, tuple(map(_picture, thumbnails.get(patient, ()))))


def _picture(kept: Sequence[Any]) -> Thumbnail:
    """Return a thumbnail as `measure` kept it."""
    caption, shape, data = kept
    return Thumbnail(caption, np.frombuffer(zlib.decompress(base64.b64decode(data)), dtype=np.uint8).reshape(shape))


def _happened(cohort: Cohort, row: int) -> bool | None:
    unknown = isinstance(cohort.outcome, TimeToEvent) and cohort.censored[row]
    return None if unknown else bool(cohort.event[row])


def _numbers(predictors: Table) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the predictors that are numbers, the median where one is missing."""
    frame = predictors.frame[[column.name for column in predictors.columns if column.type == "number"]].astype(float)
    known = frame.loc[:, frame.notna().any()]
    return known.fillna(known.median()).to_numpy()
