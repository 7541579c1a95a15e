"""Evaluate: how good the out-of-fold risks are, and whether they may be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np

from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.table import Table
from prognoscope.study.appraisal import Criterion
from prognoscope.study.file import StudyFile
from prognoscope.study.stages.appraise import Appraisal, as_document, part
from prognoscope.study.stages.learn import Learnt, titles
from prognoscope.study.stages.select import Cohort
from prognoscope.study.stages.split import Split
from prognoscope.study.stages.tally import Tally
from prognoscope.validation import (
    Evaluation,
    Guard,
    Refitted,
    evaluate,
    evaluate_corrected,
    evaluation_document,
)

VERSION = 3


def evaluate_study(
    study: StudyFile, cohort: Cohort, learnt: Sequence[Learnt], folds: Split, guards: Sequence[Guard], *, tally: Tally
) -> Evaluation:
    """Evaluate every set of predictors on the same resamples of those held out; the first is the main one."""
    rows = folds.held_out
    outcome = cohort.outcome.take(rows)
    how = _How(
        titles=titles(learnt, study.study),
        resamples=study.study.validation.resamples,
        seed=study.study.seed,
        guards=tuple(guards),
        counts=_counts(study, learnt[0], folds, tally),
    )
    if folds.is_bootstrap:
        return evaluate_corrected(outcome, {one.name: _refitted(one) for one in learnt}, **how)
    return evaluate(outcome, {one.name: part(one.out_of_fold, rows) for one in learnt}, **how)


class _How(TypedDict):
    """What every evaluation is given."""

    titles: Mapping[str, str]
    resamples: int
    seed: int
    guards: Sequence[Guard]
    counts: Mapping[str, int]


def _refitted(one: Learnt) -> Refitted:
    fit = one.bootstrapped
    assert fit is not None, "with bootstraps every set of predictors has its refits"
    return Refitted(fit.apparent, fit.risk, fit.drawn, one.out_of_fold.risk[0])


def _counts(study: StudyFile, main: Learnt, folds: Split, tally: Tally) -> dict[str, int]:
    rules = study.study.validation
    folded = {"folds": len(np.unique(folds.folds[folds.folds >= 0])), "repeats": len(folds.folds)}
    return {
        **({"bootstraps": len(main.bootstrapped.risk)} if main.bootstrapped else folded),
        **({"patients_only_learnt_from": len(folds.only_learnt_from)} if len(folds.only_learnt_from) else {}),
        "inner_folds": rules.inner,
        "resamples": rules.resamples,
        "refits": rules.refits,
        "models_tried": len(study.candidates),
        "models_tried_on_this_cohort_ever": tally.models,
        "settings_tried": main.tried,
        "settings_tried_on_this_cohort_ever": tally.settings,
        **({"uses_of_this_external_set_ever": tally.external_uses} if folds.locked else {}),
    }


def as_json(
    study: StudyFile, cohort: Cohort, folds: Split, evaluation: Evaluation, appraisal: Appraisal, predictors: Table
) -> dict[str, Any]:
    """Return the document `evaluation.json`, described in `docs/formats.md`; what is NaN is null and has a reason."""
    document = evaluation_document(evaluation)
    outcome = cohort.outcome.take(folds.held_out)
    document["outcome"] |= {
        "events_at_any_time": outcome.events,
        "median_follow_up_days": _median_time(outcome),
    }
    return {
        "schema": 1,
        "study": study.name,
        "question": study.study.question,
        **document,
        "held_out": _held_out(folds),
        **as_document(appraisal),
        "predictors": {
            origin: sum(column.origin == origin for column in predictors.columns) for origin in ("clinical", "imaging")
        },
        "flow": {
            "considered": cohort.flow.considered,
            "included": len(cohort.flow.included),
            "excluded": [{"step": step, "reason": code, "n": number} for step, code, number in cohort.flow.counts()],
        },
    }


def _held_out(folds: Split) -> dict[str, Any]:
    numbers = [int(number) for number in np.unique(folds.folds[folds.folds >= 0])] if folds.names else []
    return {
        "plan": folds.plan,
        "column": folds.column or None,
        "n": len(folds.held_out),
        "only_learnt_from": len(folds.only_learnt_from),
        "folds": [{"name": folds.names[number], "n": int((folds.folds[0] == number).sum())} for number in numbers],
        "folds_sha256": folds.hash,
    }


def judge(criteria: Sequence[Criterion], evaluation: Evaluation) -> tuple[bool | None, str]:
    """Return whether the main model meets all criteria (None if one cannot be computed), and the figures."""
    verdicts: list[bool | None] = []
    figures = []
    for criterion in criteria:
        value = _figure(criterion, evaluation)
        figures.append(f"{describe(criterion)}: {'not computable' if math.isnan(value) else f'{value:.3f}'}")
        bounds = [value >= criterion.at_least] if criterion.at_least is not None else []
        bounds += [value <= criterion.at_most] if criterion.at_most is not None else []
        verdicts.append(None if math.isnan(value) else all(bounds))
    met = None if None in verdicts else all(bool(verdict) for verdict in verdicts)
    return met, "; ".join(figures)


def describe(criterion: Criterion) -> str:
    """Return a criterion in words: `auc (low end of its interval) at least 0.6`."""
    what = criterion.metric + (f" at threshold {criterion.threshold:g}" if criterion.threshold else "")
    end = {"estimate": "", "low": " (low end of its interval)", "high": " (high end of its interval)"}[criterion.of]
    bounds = [f"at least {criterion.at_least:g}"] if criterion.at_least is not None else []
    bounds += [f"at most {criterion.at_most:g}"] if criterion.at_most is not None else []
    return f"{what}{end} {' and '.join(bounds)}"


def _figure(criterion: Criterion, evaluation: Evaluation) -> float:
    main = evaluation.models[0]
    if criterion.metric == "net_benefit":
        curve = main.decision.model
        place = min(range(len(curve.x)), key=lambda one: abs(curve.x[one] - (criterion.threshold or 0)))
        values: Mapping[str, Sequence[float]] = {"estimate": curve.y, "low": curve.low, "high": curve.high}
        return values[criterion.of][place]
    metric = main.metrics.get(criterion.metric)
    return math.nan if metric is None else float(getattr(metric, criterion.of))


def _median_time(outcome: Outcome) -> float | None:
    return float(np.median(outcome.time_days)) if isinstance(outcome, TimeToEvent) else None
