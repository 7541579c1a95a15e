"""Learn: out-of-fold risks of each set of predictors, and the predictor for new patients."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognoscope import training
from prognoscope.core import hashing
from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.problems import Refused
from prognoscope.core.table import Table
from prognoscope.core.work import Mapper
from prognoscope.study.cache import Cache, Outputs
from prognoscope.study.file import Study, StudyFile
from prognoscope.study.offers import models
from prognoscope.study.stages.split import Split

VERSION = 1
BOOTSTRAP_VERSION = 2
TITLES = {"all": "Clinical and imaging", "clinical": "Clinical only", "imaging": "Imaging only"}


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
    """What cross-fitting, or bootstraps, gave for one set of predictors.

    Attributes
    ----------
    out_of_fold
        Risks; NaN for who is only learnt from. With bootstraps, the mean risk by the refits that did not draw the
        patient.
    uses, chosen
        How each feature fared, and how many outer folds (or bootstraps) chose each model.
    tried
        Number of settings compared in each choice.
    hash
        Of everything above, for counters.
    alerts, thresholds
        `(repeats, n)` whether the risk reached the threshold that the inner folds chose, and these thresholds fold by
        fold; None and empty without costs.
    p_values, calibrated_on
        `(repeats, n, 2)` cross-conformal p-values, and how many patients calibrate them at least; None without sets.
    bootstrapped
        Risks by all refits, for the correction of optimism; None with folds.
    left_out
        In what share of the outer folds each feature was left out as not repeatable; empty with bootstraps.
    """

    name: str
    out_of_fold: OutOfFold
    uses: tuple[Use, ...]
    chosen: Mapping[str, int]
    tried: int
    hash: str
    alerts: NDArray[np.bool_] | None = None
    thresholds: tuple[float, ...] = ()
    p_values: NDArray[np.float64] | None = None
    calibrated_on: int = 0
    bootstrapped: training.Bootstrapped | None = None
    left_out: Mapping[str, float] = field(default_factory=dict)


def predictor_sets(table: Table) -> dict[str, Table]:
    """Return the sets that are compared: all predictors first, then clinical only and imaging only where both exist."""
    sets = {"all": table, "clinical": table.of_origin("clinical"), "imaging": table.of_origin("imaging")}
    both = all(sets[name].columns for name in ("clinical", "imaging"))
    return sets if both else {"all": table}


def inner_score() -> training.Score:
    """Return the score by which inner folds choose, a proper one; imported only when something is learnt."""
    from prognoscope.validation import log_score

    return log_score


def titles(learnt: Sequence[Learnt], study: Study) -> dict[str, str]:
    """Return what each set of predictors is called; a single one by what it holds."""
    if len(learnt) == 1:
        return {learnt[0].name: "Imaging predictors" if study.imaging else "Clinical predictors"}
    return {one.name: TITLES[one.name] for one in learnt}


def learn(
    table: Table,
    outcome: Outcome,
    study: StudyFile,
    folds: Split,
    *,
    cache: Cache,
    mapper: Mapper,
    ratings: Sequence[training.Ratings] = (),
) -> tuple[Learnt, ...]:
    """Learn every set of predictors by the same split; the first is the main one.

    Raises
    ------
    Refused
        `fewer-events-than-folds`, `too-few-to-calibrate`, `optimism-headline` for more predictors than patients with
        bootstraps, and what `training` refuses.
    """
    _require_calibration(study, folds)
    one = _bootstrapped if folds.is_bootstrap else _cross_fit
    return tuple(
        one(name, chosen, outcome, study, folds, cache, mapper, _touching(chosen, ratings))
        for name, chosen in predictor_sets(table).items()
    )


def _require_calibration(study: StudyFile, folds: Split) -> None:
    error = study.study.decision.set_error
    if error is None or folds.is_bootstrap:
        return
    fewest = min(int((row != fold).sum()) for row in folds.folds for fold in np.unique(row[row >= 0]))
    training.require_calibration(fewest, alpha=error)


def fit_bundle(
    table: Table,
    outcome: Outcome,
    study: StudyFile,
    folds: Split,
    *,
    cache: Cache,
    mapper: Mapper,
    ratings: Sequence[training.Ratings] = (),
) -> Outputs:
    """Fit the main predictor, with its refits, on all participants but a locked set; the outputs are its files."""
    rules = study.study.validation
    rows = folds.for_the_bundle
    table, outcome = table.take([table.frame.index[row] for row in rows]), outcome.take(rows)
    remembering = _remembering_refits(table, cache, mapper)

    def compute() -> dict[str, bytes]:
        predictor = training.fit_predictor(
            table,
            outcome,
            candidates=study.candidates,
            inner=rules.inner,
            score=inner_score(),
            refits=rules.refits,
            seed=study.study.seed,
            mapper=remembering,
            groups=folds.together,
            recalibration=study.study.models.recalibrate,
            costs=study.study.decision.costs,
            set_error=study.study.decision.set_error,
            ratings=ratings,
        )
        with TemporaryDirectory() as folder:
            training.save_predictor(predictor, Path(folder))
            return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}

    settings = [*settings_of(study), rules.refits, folds.together]
    inputs = inputs_of(table, outcome, ratings)
    return cache.stage("bundle", version=VERSION, settings=settings, inputs=inputs, compute=compute)


def _remembering_refits(table: Table, cache: Cache, mapper: Mapper) -> Mapper:
    features = training.features_of(training.with_levels(table))
    return cache.remembering(
        mapper,
        "refit",
        encode=training.pipeline_to_bytes,
        decode=partial(training.pipeline_from_bytes, features=features, models=models()),
    )


def _touching(table: Table, ratings: Sequence[training.Ratings]) -> tuple[training.Ratings, ...]:
    """Return the ratings by which columns of a table are selected."""
    names = {column.name for column in table.columns}
    return tuple(one for one in ratings if one.rule is not None and not names.isdisjoint(one.columns))


def _cross_fit(
    name: str,
    table: Table,
    outcome: Outcome,
    study: StudyFile,
    folds: Split,
    cache: Cache,
    mapper: Mapper,
    ratings: Sequence[training.Ratings],
) -> Learnt:
    remembering = cache.remembering(mapper, "fold", encode=training.fold_to_bytes, decode=training.fold_from_bytes)

    def compute() -> dict[str, bytes]:
        fit = training.cross_fit(
            table,
            outcome,
            candidates=study.candidates,
            folds=folds.folds,
            inner=study.study.validation.inner,
            score=inner_score(),
            seed=study.study.seed,
            mapper=remembering,
            groups=folds.together,
            recalibration=study.study.models.recalibrate,
            costs=study.study.decision.costs,
            conformal=study.study.decision.set_error is not None,
            ratings=ratings,
        )
        arrays = {"risk": fit.out_of_fold.risk, "alerts": fit.alerts, "p_values": fit.p_values}
        given = {name: array for name, array in arrays.items() if array is not None}
        return {"risks": _archive(given), "choices": _choices(fit)}

    inputs = inputs_of(table, outcome, ratings) | {"folds": folds.hash, "together": hashing.of_value(folds.together)}
    outputs = cache.stage("learn", version=VERSION, settings=settings_of(study), inputs=inputs, compute=compute)
    arrays = np.load(io.BytesIO(outputs["risks"]), allow_pickle=False)
    told = json.loads(outputs["choices"])
    return Learnt(
        name=name,
        out_of_fold=OutOfFold(arrays["risk"], folds.folds),
        uses=tuple(Use(**use) for use in told["uses"]),
        chosen=told["chosen"],
        tried=told["tried"],
        hash=hashing.of_value(dict(outputs.names)),
        alerts=arrays.get("alerts"),
        thresholds=tuple(told["thresholds"]),
        p_values=arrays.get("p_values"),
        calibrated_on=told["calibrated_on"],
        left_out=told.get("left_out", {}),
    )


def _bootstrapped(
    name: str,
    table: Table,
    outcome: Outcome,
    study: StudyFile,
    folds: Split,
    cache: Cache,
    mapper: Mapper,
    ratings: Sequence[training.Ratings],
) -> Learnt:
    _refuse_headline(table, outcome, study)
    remembering = _remembering_refits(table, cache, mapper)
    resamples = study.held_out.settings.model_dump()["resamples"]

    def compute() -> dict[str, bytes]:
        fit = training.bootstrap_fit(
            table,
            outcome,
            candidates=study.candidates,
            inner=study.study.validation.inner,
            score=inner_score(),
            resamples=resamples,
            seed=study.study.seed,
            mapper=remembering,
            recalibration=study.study.models.recalibrate,
            costs=study.study.decision.costs,
            ratings=ratings,
        )
        risks = _archive({"apparent": fit.apparent, "risk": fit.risk, "drawn": fit.drawn})
        return {"risks": risks, "choices": json.dumps({"uses": _uses(fit.stability), "chosen": fit.chosen}).encode()}

    settings = [*settings_of(study), resamples]
    inputs = inputs_of(table, outcome, ratings)
    outputs = cache.stage("bootstrap", version=BOOTSTRAP_VERSION, settings=settings, inputs=inputs, compute=compute)
    arrays = np.load(io.BytesIO(outputs["risks"]), allow_pickle=False)
    told = json.loads(outputs["choices"])
    fit = training.Bootstrapped(arrays["apparent"], arrays["risk"], arrays["drawn"])
    return Learnt(
        name=name,
        out_of_fold=OutOfFold(fit.left_out()[None], folds.folds),
        uses=tuple(Use(**use) for use in told["uses"]),
        chosen=told["chosen"],
        tried=sum(len(candidate.grid()) for candidate in study.candidates),
        hash=hashing.of_value(dict(outputs.names)),
        bootstrapped=fit,
    )


def _refuse_headline(table: Table, outcome: Outcome, study: StudyFile) -> None:
    features = training.features_of(training.with_levels(table))
    caution = training.headline_caution(study.candidates, predictors=len(features), patients=len(outcome))
    if caution is not None:
        raise Refused(caution)


def _archive(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    data = io.BytesIO()
    np.savez(data, allow_pickle=False, **arrays)
    return data.getvalue()


def _choices(fit: training.CrossFit) -> bytes:
    chosen = Counter(one.choice.model for one in fit.choices)
    told = {
        "uses": _uses(fit.stability),
        "chosen": dict(sorted(chosen.items())),
        "tried": fit.settings_tried,
        "thresholds": [one.threshold for one in fit.choices if one.threshold is not None],
        "calibrated_on": fit.calibrated_on,
        "left_out": fit.left_out,
    }
    return json.dumps(told).encode()


def _uses(entries: Sequence[training.Stability]) -> list[dict[str, Any]]:
    return [
        {
            "feature": entry.feature.name,
            "column": entry.feature.column,
            "selected": entry.selected,
            "importance": entry.importance,
            "direction": entry.direction,
        }
        for entry in entries
    ]


def settings_of(study: StudyFile) -> Sequence[object]:
    """Return the settings that every fit depends on."""
    tried = [[one.model.name, one.model.version, one.settings] for one in study.candidates]
    rules = study.study
    after = [rules.models.recalibrate, rules.decision.costs, rules.decision.set_error]
    return [tried, rules.validation.inner, rules.seed, after]


def inputs_of(table: Table, outcome: Outcome, ratings: Sequence[training.Ratings] = ()) -> dict[str, str]:
    """Return the hashes of the data that every fit depends on."""
    times = [outcome.time_days, outcome.horizon_days] if isinstance(outcome, TimeToEvent) else []
    return {
        "predictors": hashing.of_value([hashing.of_frame(table.frame), [repr(column) for column in table.columns]]),
        "outcome": hashing.of_value([outcome.kind, outcome.event, *times]),
        **({"ratings": hashing.of_value([one.hash() for one in ratings])} if ratings else {}),
    }
