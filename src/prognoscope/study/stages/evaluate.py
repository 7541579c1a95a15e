"""Evaluate: how good the out-of-fold risks are, and whether they may be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from prognoscope.core.outcome import TimeToEvent
from prognoscope.core.table import Table
from prognoscope.study.file import Criterion, StudyFile
from prognoscope.study.stages.learn import TITLES, Learnt
from prognoscope.study.stages.select import Cohort
from prognoscope.validation import Evaluation, Guard, evaluate, evaluation_document

VERSION = 2


def evaluate_study(
    study: StudyFile, cohort: Cohort, learnt: Sequence[Learnt], guards: Sequence[Guard], *, tried_ever: int
) -> Evaluation:
    """Evaluate every set of predictors on the same resamples of patients; the first is the main one."""
    rules = study.study.validation
    return evaluate(
        cohort.outcome,
        {one.name: one.out_of_fold for one in learnt},
        titles={one.name: TITLES[one.name] for one in learnt},
        resamples=rules.resamples,
        seed=study.study.seed,
        guards=tuple(guards),
        counts={
            "folds": rules.folds,
            "repeats": rules.repeats,
            "inner_folds": rules.inner,
            "resamples": rules.resamples,
            "refits": rules.refits,
            "settings_tried": learnt[0].tried,
            "settings_tried_on_this_cohort_ever": tried_ever,
        },
    )


def as_json(study: StudyFile, cohort: Cohort, evaluation: Evaluation, predictors: Table) -> dict[str, Any]:
    """Return the document `evaluation.json`, described in `docs/formats.md`; what is NaN is null and has a reason."""
    document = evaluation_document(evaluation)
    document["outcome"] |= {
        "events_at_any_time": cohort.outcome.events,
        "median_follow_up_days": _median_time(cohort),
    }
    return {
        "schema": 1,
        "study": study.name,
        "question": study.study.question,
        **document,
        "predictors": {
            origin: sum(column.origin == origin for column in predictors.columns) for origin in ("clinical", "imaging")
        },
        "flow": {
            "considered": cohort.flow.considered,
            "included": len(cohort.flow.included),
            "excluded": [{"step": step, "reason": code, "n": number} for step, code, number in cohort.flow.counts()],
        },
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


def _median_time(cohort: Cohort) -> float | None:
    outcome = cohort.outcome
    return float(np.median(outcome.time_days)) if isinstance(outcome, TimeToEvent) else None
