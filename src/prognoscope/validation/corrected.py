"""An evaluation of models that nobody was held out from: every figure and curve less its mean optimism over bootstraps.

The optimism of a figure is its mean, over models learnt from bootstraps of the patients, of the figure on the own
bootstrap less the figure on all patients (Harrell 2015, section 5.3.5); it is taken off calibration and decision curves
point by point in the same way (section 5.3.6). An interval is that of the apparent figure, moved by the optimism
(location-shifted bootstrap interval: Noma et al. 2021, Stat Med 40:5691).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.validation.calibration import curve_rows
from prognoscope.validation.calibration_errors import ERRORS, errors_of
from prognoscope.validation.checks import Floats
from prognoscope.validation.curves import plain, threshold_smoother
from prognoscope.validation.decision import net_benefit_rows
from prognoscope.validation.discrimination import sensitivity_rows
from prognoscope.validation.evaluation import evaluate
from prognoscope.validation.metrics import sample
from prognoscope.validation.resampling import Counts
from prognoscope.validation.results import (
    Calibration,
    Comparison,
    Curve,
    Decision,
    Evaluation,
    Guard,
    Metric,
    ModelEvaluation,
)
from prognoscope.validation.survival_groups import risk_groups
from prognoscope.validation.uncertainty import metric_kinds

OF_THE_CURVE = "no interval: it is the distance of the corrected calibration curve, for which none is known"
ROC_POINTS = 101
NO_ROC = np.empty((2, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Refitted:
    """Risks by the model learnt from all patients and by those learnt from bootstraps of them.

    Attributes
    ----------
    apparent
        `(n,)` risks of the patients that the model was learnt from.
    risk
        `(refits, n)` risks of all patients by each refit.
    drawn
        `(refits, n)` how often each patient was in the bootstrap of the refit.
    left_out
        `(n,)` mean risk by the refits that did not draw the patient.
    """

    apparent: Floats
    risk: Floats
    drawn: NDArray[np.int64]
    left_out: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Optimism:
    """Mean optimism of figures, and of curves point by point."""

    figures: Mapping[str, float]
    calibration: Floats
    net_benefit: Floats
    sensitivity: Floats


def evaluate_corrected(
    outcome: Outcome,
    models: Mapping[str, Refitted],
    *,
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    guards: Sequence[Guard] = (),
    counts: Mapping[str, int] | None = None,
) -> Evaluation:
    """Evaluate models by what they promise on their own patients, less the optimism; the first is the main one.

    The ROC curve is corrected at each false positive rate and made to rise, so that its area is the corrected AUC.
    Calibration errors are the distances of the corrected curve from the risks (as by the R package rms, `calibrate`).
    Groups of risk are made by the refits that did not draw the patient. Parameters are those of `evaluate`.
    """
    everyone = np.zeros((1, len(outcome)), dtype=np.int64)
    apparent = evaluate(
        outcome,
        {name: OutOfFold(model.apparent[None], everyone) for name, model in models.items()},
        titles=titles,
        resamples=resamples,
        seed=seed,
        guards=guards,
        counts=counts,
    )
    found = {entry.name: _optimism(outcome, models[entry.name], entry) for entry in apparent.models}
    return replace(
        apparent,
        models=tuple(_model(outcome, entry, models[entry.name], found[entry.name]) for entry in apparent.models),
        comparisons=tuple(_comparison(one, found) for one in apparent.comparisons),
        interval=_in_words(apparent.interval, len(next(iter(models.values())).risk)),
    )


def _optimism(outcome: Outcome, model: Refitted, entry: ModelEvaluation) -> _Optimism:
    kinds, everyone = metric_kinds(outcome), np.zeros(len(outcome), dtype=np.int64)
    grid, thresholds = np.array(entry.calibration.curve.x), np.array(entry.decision.model.x)
    figures, curves, benefits, rocs = [], [], [], []
    binary = isinstance(outcome, Binary)
    for risk, drawn in zip(model.risk, model.drawn, strict=True):
        counts: Counts = np.stack([drawn, np.ones_like(drawn)]).astype(np.uint16)
        rows = sample(outcome, counts)
        figures.append([_gain(kind.rows(rows, risk, everyone)) for kind in kinds])
        curves.append(_gain(curve_rows(rows.event, risk, grid, rows.weights)))
        benefits.append(_gain(net_benefit_rows(outcome, risk, thresholds, counts)))
        rocs.append(_gain(sensitivity_rows(rows.event, risk, rows.weights, points=ROC_POINTS) if binary else NO_ROC))
    means = _known_mean(np.array(figures))
    return _Optimism(
        {kind.name: float(mean) for kind, mean in zip(kinds, means, strict=True)},
        _known_mean(np.array(curves)),
        _known_mean(np.array(benefits)),
        _known_mean(np.array(rocs)),
    )


def _gain(two: Floats) -> Floats:
    """The first row (on the own bootstrap) less the second (on all patients)."""
    return np.asarray(two[0] - two[1])


def _known_mean(values: Floats) -> Floats:
    """Mean over refits of what could be computed; NaN where fewer than half of them could."""
    known = np.isfinite(values)
    number = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.asarray(np.where(2 * number >= len(values), total / np.maximum(number, 1), np.nan))


def _model(outcome: Outcome, entry: ModelEvaluation, model: Refitted, found: _Optimism) -> ModelEvaluation:
    curve = _shifted_curve(entry.calibration.curve, found.calibration, least=0.0, most=1.0)
    metrics = {
        name: _shifted(metric, found.figures[name]) for name, metric in entry.metrics.items() if name not in ERRORS
    }
    return replace(
        entry,
        metrics=metrics | _errors(entry.metrics, curve, model.apparent),
        calibration=Calibration(curve, ()),
        decision=_decision(entry.decision, found.net_benefit),
        roc=_rising(_shifted_curve(entry.roc, found.sensitivity, least=0.0, most=1.0)) if entry.roc else None,
        risk_groups=risk_groups(outcome, model.left_out) if isinstance(outcome, TimeToEvent) else (),
    )


def _decision(one: Decision, optimism: Floats) -> Decision:
    thresholds = np.array(one.model.x)
    smooth = threshold_smoother(thresholds)
    return replace(
        one,
        model=_shifted_curve(one.model, optimism),
        smoothed=one.smoothed if smooth is None else _shifted_curve(one.smoothed, smooth @ optimism),
        avoided=_shifted_curve(one.avoided, optimism / (thresholds / (1 - thresholds))),
    )


def _errors(metrics: Mapping[str, Metric], curve: Curve, risk: Floats) -> dict[str, Metric]:
    """ICI, E50, E90 and Emax of the corrected curve; as they are where there is no curve."""
    if not curve.x or not np.isfinite(curve.y).all():
        return {name: metrics[name] for name in ERRORS}
    values = errors_of(np.abs(np.interp(risk, curve.x, curve.y) - risk))
    return {
        name: replace(metrics[name], estimate=value, low=math.nan, high=math.nan, reason=OF_THE_CURVE)
        for name, value in zip(ERRORS, values, strict=True)
    }


def _shifted(metric: Metric, optimism: float) -> Metric:
    if math.isnan(optimism) and not math.isnan(metric.estimate):
        reason = "its optimism could be computed in fewer than half of the bootstraps"
        return replace(metric, estimate=math.nan, low=math.nan, high=math.nan, reason=reason)
    moved = {end: getattr(metric, end) - optimism for end in ("estimate", "low", "high")}
    return replace(metric, **moved)


def _shifted_curve(curve: Curve, optimism: Floats, *, least: float = -math.inf, most: float = math.inf) -> Curve:
    moved = [plain(np.clip(np.array(side) - optimism, least, most)) if side else () for side in _sides(curve)]
    return Curve(curve.x, *moved)


def _rising(roc: Curve) -> Curve:
    """The nearest curve that never falls; what lies below it is the same (isotonic regression keeps the mean)."""
    return replace(roc, y=plain(isotonic_regression(np.array(roc.y)).x))


def _sides(curve: Curve) -> tuple[tuple[float, ...], ...]:
    return curve.y, curve.low, curve.high


def _comparison(one: Comparison, found: Mapping[str, _Optimism]) -> Comparison:
    own, other = found[one.model].figures, found[one.reference].figures
    return replace(
        one,
        differences={name: _shifted(metric, own[name] - other[name]) for name, metric in one.differences.items()},
        likelihood_ratio=None,  # both models were learnt from these patients
        delong=None,
        net_benefit=_shifted_curve(one.net_benefit, found[one.model].net_benefit - found[one.reference].net_benefit),
    )


def _in_words(interval: str, refits: int) -> str:
    return (
        f"Every figure is the apparent one less its mean optimism over {refits:,} bootstraps in which the whole "
        "pipeline was learnt again; its interval is that of the apparent figure, moved by as much, so how the optimism "
        f"itself varies is not included. Of the apparent figures: {interval}"
    )
