"""Evaluate: how good the out-of-fold risks are, and whether they may be trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from prognoscope.core.outcome import TimeToEvent
from prognoscope.core.table import Table
from prognoscope.study.file import Criterion, StudyFile
from prognoscope.study.stages.learn import TITLES, Learnt
from prognoscope.study.stages.select import Cohort
from prognoscope.validation import Evaluation, Guard, Metric, evaluate

VERSION = 1


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
    outcome = cohort.outcome
    return {
        "schema": 1,
        "study": study.name,
        "question": study.study.question,
        "outcome": {
            "kind": evaluation.outcome,
            "n": evaluation.n,
            "events": evaluation.events,
            "events_at_any_time": outcome.events,
            "horizon_days": evaluation.horizon_days,
            "censored_before_horizon": evaluation.censored_before_horizon,
            "median_follow_up_days": _median_time(cohort),
        },
        "predictors": {
            origin: sum(column.origin == origin for column in predictors.columns) for origin in ("clinical", "imaging")
        },
        "counts": dict(evaluation.counts),
        "interval": evaluation.interval,
        "models": {
            model.name: {
                "title": model.title,
                "metrics": {name: metric_json(metric) for name, metric in model.metrics.items()},
                "decision_curve": {
                    "threshold": list(model.decision.model.x),
                    "net_benefit": numbers_json(model.decision.model.y),
                    "low": numbers_json(model.decision.model.low),
                    "high": numbers_json(model.decision.model.high),
                    "treat_all": numbers_json(model.decision.treat_all),
                },
                "calibration_curve": {
                    "predicted": numbers_json(model.calibration.curve.x),
                    "observed": numbers_json(model.calibration.curve.y),
                    "low": numbers_json(model.calibration.curve.low),
                    "high": numbers_json(model.calibration.curve.high),
                },
            }
            for model in evaluation.models
        },
        "comparisons": [
            {
                "model": one.model,
                "reference": one.reference,
                "differences": {name: metric_json(metric) for name, metric in one.differences.items()},
            }
            for one in evaluation.comparisons
        ],
        "guards": [
            {"name": guard.name, "status": guard.status, "evidence": guard.evidence, "blocks": guard.blocks}
            for guard in evaluation.guards
        ],
        "flow": {
            "considered": cohort.flow.considered,
            "included": len(cohort.flow.included),
            "excluded": [{"step": step, "reason": code, "n": number} for step, code, number in cohort.flow.counts()],
        },
    }


def metric_json(metric: Metric) -> dict[str, Any]:
    """Return `{estimate, low, high, n, events}`, with `reason` where a figure is null."""
    document: dict[str, Any] = {
        "estimate": _number(metric.estimate),
        "low": _number(metric.low),
        "high": _number(metric.high),
        "n": metric.n,
        "events": metric.events,
    }
    return document | ({"reason": metric.reason} if metric.reason else {})


def numbers_json(values: Sequence[float]) -> list[float | None]:
    """Return numbers with null for NaN."""
    return [_number(value) for value in values]


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
    if not isinstance(outcome, TimeToEvent):
        return None
    ordered = sorted(outcome.time_days.tolist())
    middle = len(ordered) // 2
    return float(ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def _number(value: float) -> float | None:
    return None if math.isnan(value) or math.isinf(value) else float(value)
