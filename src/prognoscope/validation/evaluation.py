"""From out-of-fold risks to an evaluation: every figure of every model, with intervals from the same resamples.

A figure is computed within each repeat of the cross-validation and averaged over the repeats. Patients, not risks, are
drawn again, the same for all models and repeats, so that differences between models are paired. The models are not
fitted again: intervals are conditional on them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.problems import refuse
from prognoscope.validation.calibration import calibration_groups, curve_rows, risk_grid
from prognoscope.validation.censoring import known_event
from prognoscope.validation.checks import Floats, folds, risks
from prognoscope.validation.decision import THRESHOLDS, net_benefit_rows, treat_all
from prognoscope.validation.discrimination import mean_roc
from prognoscope.validation.metrics import METRICS, MetricKind, sample, why_undefined
from prognoscope.validation.resampling import Counts, bands, blocks, percentile_interval, resample_counts, with_original
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


@dataclass(frozen=True, slots=True, eq=False)
class Replicates:
    """One model's figures in the cohort (row 0) and in each resample, averaged over the repeats."""

    metrics: Mapping[str, Floats]
    grid: Floats
    calibration: Floats
    net_benefit: Floats


def evaluate(
    outcome: Outcome,
    models: Mapping[str, OutOfFold],
    *,
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    guards: Sequence[Guard] = (),
    counts: Mapping[str, int] | None = None,
    thresholds: Sequence[float] | None = None,
) -> Evaluation:
    """Evaluate models on the same patients; the first is the main one, the others are what it is compared with.

    Parameters
    ----------
    outcome
        Of `n` patients.
    models
        By name: out-of-fold risks `(repeats, n)`.
    titles
        By name: words for a reader; the name itself where missing.
    resamples
        Patient bootstraps for the 95 % percentile intervals; 0 for none.
    seed
        The study's seed.
    guards, counts
        Carried into the result; `counts` gains the repeats and resamples used here.
    thresholds
        Threshold probabilities of the decision curve; 0.01 to 0.99 when left out.

    Raises
    ------
    Refused
        `no-model`, `values-shape`, `values-missing`, `risk-range` for risks that cannot be evaluated.
    """
    checked = {name: _checked(name, model, len(outcome)) for name, model in models.items()}
    if not checked:
        raise refuse("no-model", subject="evaluation", found="no model was given", remedy="give at least one")
    points = np.array(THRESHOLDS if thresholds is None else tuple(thresholds), dtype=float)
    drawn = with_original(resample_counts(len(outcome), resamples=resamples, seed=seed))
    replicates = {name: _replicates(outcome, model, points, drawn) for name, model in checked.items()}
    entries = tuple(
        _entry(name, titles.get(name, name), outcome, model, points, replicates[name])
        for name, model in checked.items()
    )
    main, *others = checked
    survival = isinstance(outcome, TimeToEvent)
    return Evaluation(
        outcome=outcome.kind,
        n=len(outcome),
        events=int(known_event(outcome).sum()),
        horizon_days=outcome.horizon_days if isinstance(outcome, TimeToEvent) else None,
        censored_before_horizon=outcome.censored_before_horizon if isinstance(outcome, TimeToEvent) else None,
        models=entries,
        comparisons=tuple(_comparison(outcome, main, other, replicates) for other in others),
        guards=tuple(guards),
        interval=_interval_in_words(resamples, checked[main].repeats, survival=survival),
        counts={**(counts or {}), "repeats": checked[main].repeats, "resamples": resamples},
    )


def _checked(name: str, model: OutOfFold, n: int) -> OutOfFold:
    risk, fold = np.asarray(model.risk), np.asarray(model.fold)
    if risk.ndim != 2 or risk.shape != fold.shape or risk.shape[1] != n or not risk.size:
        raise refuse(
            "values-shape",
            subject=f"risks of model {name}",
            found=f"risks have shape {risk.shape}, folds {fold.shape}, there are {n} patients",
            remedy="give one risk and one fold per repeat and patient",
        )
    rows = [risks(row, n=n, what=f"risk by model {name}") for row in risk]
    return OutOfFold(np.stack(rows), np.stack([folds(row, n=n) for row in fold]))


def _replicates(outcome: Outcome, model: OutOfFold, thresholds: Floats, drawn: Counts) -> Replicates:
    kinds = [metric for metric in METRICS if outcome.kind in metric.kinds]
    grid = _common_grid(model.risk)
    parts = [_block(outcome, model, kinds, grid, thresholds, counts) for counts in blocks(drawn)]
    metrics = {metric.name: np.concatenate([part[0][index] for part in parts]) for index, metric in enumerate(kinds)}
    return Replicates(
        metrics,
        grid,
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
    )


def _block(
    outcome: Outcome, model: OutOfFold, kinds: list[MetricKind], grid: Floats, thresholds: Floats, counts: Counts
) -> tuple[Floats, Floats, Floats]:
    rows = sample(outcome, counts)
    metrics = np.zeros((len(kinds), len(counts)))
    calibration = np.zeros((len(counts), len(grid)))
    benefit = np.zeros((len(counts), len(thresholds)))
    for risk, fold in zip(model.risk, model.fold, strict=True):
        metrics += np.stack([metric.rows(rows, risk, fold) for metric in kinds])
        calibration += curve_rows(rows.event, risk, grid, rows.weights)
        benefit += net_benefit_rows(outcome, risk, thresholds, counts)
    return metrics / model.repeats, calibration / model.repeats, benefit / model.repeats


def _common_grid(risk: Floats) -> Floats:
    """Risks that every repeat covers, so that all of them add to each point of the curve."""
    grids = [grid for grid in (risk_grid(row) for row in risk) if grid.size]
    if len(grids) < len(risk):
        return np.empty(0)
    low, high = max(grid[0] for grid in grids), min(grid[-1] for grid in grids)
    return np.linspace(low, high, len(grids[0])) if low < high else np.empty(0)


def _entry(
    name: str, title: str, outcome: Outcome, model: OutOfFold, thresholds: Floats, found: Replicates
) -> ModelEvaluation:
    metrics = {
        metric.name: _metric(metric, outcome, model, found.metrics[metric.name])
        for metric in METRICS
        if metric.name in found.metrics
    }
    roc = None
    if isinstance(outcome, Binary):
        false_positive, sensitivity = mean_roc(outcome.event, model.risk, model.fold)
        roc = None if np.isnan(sensitivity).any() else Curve(_plain(false_positive), _plain(sensitivity))
    groups = risk_groups(outcome, model.mean()) if isinstance(outcome, TimeToEvent) else ()
    return ModelEvaluation(
        name=name,
        title=title,
        metrics=metrics,
        calibration=Calibration(_curve(found.grid, found.calibration), calibration_groups(outcome, model.risk)),
        decision=Decision(_curve(thresholds, found.net_benefit), _plain(treat_all(outcome, thresholds=thresholds))),
        roc=roc,
        risk_groups=groups,
    )


def _metric(metric: MetricKind, outcome: Outcome, model: OutOfFold, values: Floats) -> Metric:
    n, event_count = len(outcome), int(known_event(outcome).sum())
    if not math.isfinite(values[0]):
        reason = _reason(metric, outcome, model)
        return Metric(math.nan, math.nan, math.nan, n, event_count, reason)
    low, high, reason = percentile_interval(values[1:])
    return Metric(float(values[0]), low, high, n, event_count, reason)


def _reason(metric: MetricKind, outcome: Outcome, model: OutOfFold) -> str:
    rows = sample(outcome, np.ones((1, len(outcome)), dtype=np.uint16))
    for repeat, (risk, fold) in enumerate(zip(model.risk, model.fold, strict=True)):
        if not np.isfinite(metric.rows(rows, risk, fold)[0]):
            where = f"repeat {repeat + 1}: " if model.repeats > 1 else ""
            return where + why_undefined(metric, outcome, risk, fold)
    raise AssertionError("a mean that is NaN has a repeat that is NaN")


def _comparison(outcome: Outcome, main: str, other: str, replicates: Mapping[str, Replicates]) -> Comparison:
    n, event_count = len(outcome), int(known_event(outcome).sum())
    differences = {}
    for name, values in replicates[main].metrics.items():
        difference = values - replicates[other].metrics[name]
        if math.isfinite(difference[0]):
            low, high, reason = percentile_interval(difference[1:])
            differences[name] = Metric(float(difference[0]), low, high, n, event_count, reason)
        else:
            reason = f"undefined for {main if not math.isfinite(values[0]) else other}"
            differences[name] = Metric(math.nan, math.nan, math.nan, n, event_count, reason)
    return Comparison(main, other, differences)


def _curve(x: Floats, values: Floats) -> Curve:
    if not len(x):
        return Curve((), ())
    if len(values) == 1:
        return Curve(_plain(x), _plain(values[0]))
    low, high = bands(values[1:])
    return Curve(_plain(x), _plain(values[0]), _plain(low), _plain(high))


def _plain(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _interval_in_words(resamples: int, repeats: int, *, survival: bool) -> str:
    if not resamples:
        return "No intervals were asked for."
    over = "" if repeats == 1 else f" averaged over {repeats} repeats of cross-validation,"
    weights = " with censoring weights estimated anew in each resample," if survival else ""
    return (
        f"95 % percentile intervals from {resamples} bootstraps of the patients, each figure{over}{weights} "
        "conditional on the fitted models: how they would vary with other training patients is not included. A "
        "figure undefined in more than 5 % of the resamples has no interval."
    )
