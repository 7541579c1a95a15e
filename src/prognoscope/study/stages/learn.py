"""Learn: out-of-fold risks of each set of predictors, and the predictor for new patients."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from prognoscope import training
from prognoscope.core import hashing
from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.table import Table
from prognoscope.core.work import Mapper
from prognoscope.study.cache import Cache, Outputs
from prognoscope.study.file import StudyFile
from prognoscope.study.offers import models
from prognoscope.validation import log_score

VERSION = 1
TITLES = {
    "all": "Clinical and imaging",
    "clinical": "Clinical only",
    "imaging": "Imaging only",
}


@dataclass(frozen=True, slots=True)
class Use:
    """How one feature fared over the outer folds: share that used it, mean importance, direction (-1 to 1)."""

    feature: str
    column: str
    selected: float
    importance: float
    direction: float


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What cross-fitting gave for one set of predictors.

    `chosen` counts how many outer folds chose each model; `tried` is the number of settings compared in each.
    """

    name: str
    out_of_fold: OutOfFold
    uses: tuple[Use, ...]
    chosen: Mapping[str, int]
    tried: int
    hash: str


def predictor_sets(table: Table) -> dict[str, Table]:
    """Return the sets that are compared: all predictors first, then clinical only and imaging only where both exist."""
    sets = {"all": table, "clinical": table.of_origin("clinical"), "imaging": table.of_origin("imaging")}
    both = all(sets[name].columns for name in ("clinical", "imaging"))
    return sets if both else {"all": table}


def learn(table: Table, outcome: Outcome, study: StudyFile, *, cache: Cache, mapper: Mapper) -> tuple[Learnt, ...]:
    """Cross-fit every set of predictors on the same folds; the first is the main one.

    Raises
    ------
    Refused
        `fewer-events-than-folds`, and what `training.cross_fit` refuses.
    """
    rules = study.study.validation
    folds = training.assign_folds(
        outcome, folds=rules.folds, repeats=rules.repeats, seed=study.study.seed, patients=list(table.frame.index)
    )
    return tuple(
        _cross_fit(name, chosen, outcome, study, folds, cache, mapper) for name, chosen in predictor_sets(table).items()
    )


def fit_bundle(table: Table, outcome: Outcome, study: StudyFile, *, cache: Cache, mapper: Mapper) -> Outputs:
    """Fit the main predictor on all participants, with its refits; the outputs are the files of the predictor."""
    rules = study.study.validation

    features = training.features_of(training.with_levels(table))
    remembering = cache.remembering(
        mapper,
        "refit",
        encode=training.pipeline_to_bytes,
        decode=partial(training.pipeline_from_bytes, features=features, models=models()),
    )

    def compute() -> dict[str, bytes]:
        predictor = training.fit_predictor(
            table,
            outcome,
            candidates=study.candidates,
            inner=rules.inner,
            score=log_score,
            refits=rules.refits,
            seed=study.study.seed,
            mapper=remembering,
        )
        with TemporaryDirectory() as folder:
            training.save_predictor(predictor, Path(folder))
            return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}

    settings = [*_settings(study), rules.refits]
    return cache.stage("bundle", version=VERSION, settings=settings, inputs=_inputs(table, outcome), compute=compute)


def _cross_fit(
    name: str,
    table: Table,
    outcome: Outcome,
    study: StudyFile,
    folds: NDArray[np.int64],
    cache: Cache,
    mapper: Mapper,
) -> Learnt:
    remembering = cache.remembering(mapper, "fold", encode=training.fold_to_bytes, decode=training.fold_from_bytes)

    def compute() -> dict[str, bytes]:
        fit = training.cross_fit(
            table,
            outcome,
            candidates=study.candidates,
            folds=folds,
            inner=study.study.validation.inner,
            score=log_score,
            seed=study.study.seed,
            mapper=remembering,
        )
        risks = io.BytesIO()
        np.savez(risks, risk=fit.out_of_fold.risk, fold=fit.out_of_fold.fold)
        return {"risks": risks.getvalue(), "choices": _choices(fit)}

    settings = [*_settings(study), study.study.validation.folds, study.study.validation.repeats]
    outputs = cache.stage("learn", version=VERSION, settings=settings, inputs=_inputs(table, outcome), compute=compute)
    arrays = np.load(io.BytesIO(outputs["risks"]), allow_pickle=False)
    told = json.loads(outputs["choices"])
    return Learnt(
        name=name,
        out_of_fold=OutOfFold(arrays["risk"], arrays["fold"]),
        uses=tuple(Use(**use) for use in told["uses"]),
        chosen=told["chosen"],
        tried=told["tried"],
        hash=hashing.of_value(dict(outputs.names)),
    )


def _choices(fit: training.CrossFit) -> bytes:
    chosen = Counter(one.choice.model for one in fit.choices)
    uses = [
        {
            "feature": entry.feature.name,
            "column": entry.feature.column,
            "selected": entry.selected,
            "importance": entry.importance,
            "direction": entry.direction,
        }
        for entry in fit.stability
    ]
    return json.dumps({"uses": uses, "chosen": dict(sorted(chosen.items())), "tried": fit.settings_tried}).encode()


def _settings(study: StudyFile) -> Sequence[object]:
    tried = [[one.model.name, one.model.version, one.settings] for one in study.candidates]
    return [tried, study.study.validation.inner, study.study.seed]


def _inputs(table: Table, outcome: Outcome) -> dict[str, str]:
    times = [outcome.time_days, outcome.horizon_days] if isinstance(outcome, TimeToEvent) else []
    return {
        "predictors": hashing.of_value([hashing.of_frame(table.frame), [repr(column) for column in table.columns]]),
        "outcome": hashing.of_value([outcome.kind, outcome.event, *times]),
    }
