"""Enough: the main model learnt from fewer patients, to see whether more would help."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prognoscope import training
from prognoscope.core import hashing
from prognoscope.core.outcome import Outcome
from prognoscope.core.table import Table
from prognoscope.core.work import Mapper
from prognoscope.study.cache import Cache
from prognoscope.study.file import StudyFile
from prognoscope.study.stages.learn import inputs_of, settings_of
from prognoscope.study.stages.split import Split
from prognoscope.validation import LearningCurve, flattening, known_event, log_score, ranking_within_folds

VERSION = 1
SIZES = 6
REPEATS = 2
TOLERANCE = 0.01
SPARE = 2  # events, and patients without, above what the inner folds need


def learning_curve(
    table: Table,
    outcome: Outcome,
    study: StudyFile,
    folds: Split,
    *,
    cache: Cache,
    mapper: Mapper,
    ratings: Sequence[training.Ratings] = (),
) -> LearningCurve | None:
    """Return discrimination by number of training patients; None where the study file does not ask for it.

    The held-out patients stay the same, smaller training sets are parts of larger ones with the same share of events,
    and the first two repeats of the folds are used.
    """
    if not study.study.validation.learning_curve:
        return None
    used = folds.folds[:REPEATS]
    sizes = sizes_of(outcome, used, inner=study.study.validation.inner)
    if len(sizes) < SIZES:
        reason = "too few patients with, or without, the event to learn from fewer of them"
        return LearningCurve((), (), (), math.nan, None, TOLERANCE, reason)
    risks = _risks(table, outcome, study, folds, sizes, cache, mapper, ratings)
    held = folds.held_out
    part = outcome.take(held)
    each = np.array(
        [
            [ranking_within_folds(part, row[held], fold[held]) for row, fold in zip(risk, used, strict=True)]
            for risk in risks
        ]
    )
    score, spread = each.mean(axis=1), each.std(axis=1)
    plateau, flat_at, reason = flattening(np.array(sizes, dtype=float), score, TOLERANCE)
    return LearningCurve(sizes, tuple(score.tolist()), tuple(spread.tolist()), plateau, flat_at, TOLERANCE, reason)


def sizes_of(outcome: Outcome, folds: NDArray[np.int64], *, inner: int) -> tuple[int, ...]:
    """Return numbers of training patients from the fewest that fill the inner folds to all that a fold has."""
    whole = min(int((row != fold).sum()) for row in folds for fold in np.unique(row[row >= 0]))
    share = float(known_event(outcome).mean())
    least = math.ceil((inner + SPARE) / min(share, 1 - share))
    return tuple(sorted({round(size) for size in np.linspace(least, whole, SIZES)})) if least < whole else ()


def _risks(
    table: Table,
    outcome: Outcome,
    study: StudyFile,
    folds: Split,
    sizes: tuple[int, ...],
    cache: Cache,
    mapper: Mapper,
    ratings: Sequence[training.Ratings],
) -> NDArray[np.float64]:
    """`(sizes, repeats, n)` out-of-fold risks."""
    remembering = cache.remembering(mapper, "fold", encode=training.fold_to_bytes, decode=training.fold_from_bytes)

    def compute() -> dict[str, bytes]:
        points = training.learning_curve(
            table,
            outcome,
            sizes=sizes,
            candidates=study.candidates,
            folds=folds.folds[:REPEATS],
            inner=study.study.validation.inner,
            score=log_score,
            seed=study.study.seed,
            mapper=remembering,
            groups=folds.together,
            recalibration=study.study.models.recalibrate,
            ratings=ratings,
        )
        data = io.BytesIO()
        np.save(data, np.array([point.out_of_fold.risk for point in points]), allow_pickle=False)
        return {"risks": data.getvalue()}

    settings = [*settings_of(study), sizes, REPEATS]
    inputs = inputs_of(table, outcome, ratings) | {"folds": folds.hash, "together": hashing.of_value(folds.together)}
    outputs = cache.stage("learning curve", version=VERSION, settings=settings, inputs=inputs, compute=compute)
    risks: NDArray[np.float64] = np.load(io.BytesIO(outputs["risks"]), allow_pickle=False)
    return risks
