"""An evaluation as plain JSON values; what is NaN is null and carries its reason."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from prognoscope.validation.fairness import Gap, GroupFigures
from prognoscope.validation.results import Curve, Evaluation, Metric, ModelEvaluation, TimeCourse
from prognoscope.validation.thresholds import ThresholdRow


def evaluation_document(evaluation: Evaluation) -> dict[str, Any]:
    """Return the figures, curves, comparisons and guards of an evaluation."""
    return {
        "outcome": {
            "kind": evaluation.outcome,
            "n": evaluation.n,
            "events": evaluation.events,
            "horizon_days": evaluation.horizon_days,
            "censored_before_horizon": evaluation.censored_before_horizon,
        },
        "interval": evaluation.interval,
        "counts": dict(evaluation.counts),
        "models": {model.name: model_document(model) for model in evaluation.models},
        "comparisons": [
            {
                "model": one.model,
                "reference": one.reference,
                "differences": {name: metric_document(metric) for name, metric in one.differences.items()},
                "likelihood_ratio": without_nan(asdict(one.likelihood_ratio)) if one.likelihood_ratio else None,
                "delong": without_nan(asdict(one.delong)) if one.delong else None,
                "net_benefit": {"threshold": list(one.net_benefit.x), **_lines(one.net_benefit, "difference")},
            }
            for one in evaluation.comparisons
        ],
        "guards": [asdict(guard) for guard in evaluation.guards],
    }


def model_document(model: ModelEvaluation) -> dict[str, Any]:
    """Return title, metrics, decision and calibration curve of one model."""
    decision, curve, loess = model.decision.model, model.calibration.curve, model.calibration.loess
    return {
        "title": model.title,
        "metrics": {name: metric_document(metric) for name, metric in model.metrics.items()},
        "decision_curve": {
            "threshold": list(decision.x),
            "net_benefit": _numbers(decision.y),
            "low": _numbers(decision.low),
            "high": _numbers(decision.high),
            "treat_all": _numbers(model.decision.treat_all),
            "treat_all_low": _numbers(model.decision.treat_all_low),
            "treat_all_high": _numbers(model.decision.treat_all_high),
            "smoothed": _lines(model.decision.smoothed, "net_benefit"),
            "interventions_avoided": _lines(model.decision.avoided, "per_patient"),
            "prevalence": model.decision.prevalence,
        },
        "calibration_curve": {"predicted": _numbers(curve.x), **_lines(curve, "observed")},
        "calibration_curve_loess": {"predicted": _numbers(loess.x), **_lines(loess, "observed")},
        "risk_histogram": asdict(model.calibration.histogram) if model.calibration.histogram else None,
        "calibration_groups": [without_nan(asdict(group)) for group in model.calibration.groups],
        "over_time": _course(model.over_time) if model.over_time else None,
        "roc": {"false_positive_rate": list(model.roc.x), "sensitivity": list(model.roc.y)} if model.roc else None,
    }


def _course(course: TimeCourse) -> dict[str, Any]:
    integrated = (("brier", course.integrated_brier), ("scaled_brier", course.integrated_scaled_brier))
    return {
        "days": _numbers(course.auc.x),
        "auc": _lines(course.auc, "estimate"),
        "brier": _lines(course.brier, "estimate"),
        "null_brier": _numbers(course.null_brier),
        "integrated": {name: metric_document(metric) for name, metric in integrated if metric is not None},
    }


def metric_document(metric: Metric) -> dict[str, Any]:
    """Return `{estimate, low, high, n, events}`, with `reason` where a figure or its interval is missing."""
    document = without_nan(asdict(metric))
    if not metric.reason:
        del document["reason"]
    return document


def groups_document(groups: Sequence[GroupFigures], gaps: Sequence[Gap]) -> dict[str, Any]:
    """Return figures by group and the gaps between groups; of a suppressed group not even the events are told."""
    return {
        "groups": [
            {
                "attribute": one.attribute,
                "level": one.level,
                "n": one.n,
                "events": None if one.reason else one.events,
                "metrics": {name: metric_document(metric) for name, metric in one.metrics.items()},
            }
            | ({"reason": one.reason} if one.reason else {})
            for one in groups
        ],
        "gaps": [without_nan(asdict(gap)) for gap in gaps],
    }


def thresholds_document(rows: Sequence[ThresholdRow]) -> list[dict[str, Any]]:
    """Return a threshold table."""
    return [without_nan(asdict(row)) for row in rows]


def without_nan(values: dict[str, Any]) -> dict[str, Any]:
    """Return the same values with null for what is not finite, at any depth."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return without_nan(value)
    if isinstance(value, tuple | list):
        return type(value)(_plain(one) for one in value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _lines(curve: Curve, name: str) -> dict[str, list[object]]:
    return {name: _numbers(curve.y), "low": _numbers(curve.low), "high": _numbers(curve.high)}


def _numbers(values: Iterable[float]) -> list[object]:
    return [_plain(float(value)) for value in values]
