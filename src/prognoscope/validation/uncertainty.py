"""A model's figures and curves with what their intervals are made from.

Up to 50,000 patients: bootstraps of the patients. Above: influence functions, one value per patient and figure. Both
kinds can be subtracted, model from model, which gives the intervals of paired differences.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.core.predictions import OutOfFold
from prognoscope.validation.calibration import curve_rows, risk_grid
from prognoscope.validation.censoring import known_event, status_weights
from prognoscope.validation.checks import Floats
from prognoscope.validation.decision import net_benefit_rows
from prognoscope.validation.flexible import calibration_curve
from prognoscope.validation.influence import (
    GROUPS,
    INFLUENCES,
    half_width,
    half_width_of_groups,
    of_net_benefit,
    random_groups,
)
from prognoscope.validation.metrics import METRICS, MetricKind, Sample, sample
from prognoscope.validation.resampling import Counts, bands, bca_interval, blocks, once, percentile_interval
from prognoscope.validation.results import Curve

RESAMPLED_UP_TO = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """One model's figures, averaged over the repeats.

    Attributes
    ----------
    estimates
        By name.
    spreads
        By name: bootstrap replicates `(resamples,)`, influences `(n,)` or values of random groups `(100,)`.
    jackknife
        By name: the figure without each patient, for replicates; empty for influences.
    calibration, net_benefit
        Curves with their bands.
    """

    estimates: Mapping[str, float]
    spreads: Mapping[str, Floats]
    jackknife: Mapping[str, Floats]
    calibration: Curve
    net_benefit: Curve

    def interval(self, name: str) -> tuple[float, float, str]:
        """95 % interval of a figure and why there is none."""
        estimate, spread = self.estimates[name], self.spreads[name]
        if name in self.jackknife:
            return bca_interval(estimate, spread, self.jackknife[name])
        return _analytic_interval(name, estimate, spread)

    def difference(self, other: Figures, name: str) -> tuple[float, float, float, str]:
        """This model's figure less the other's, its 95 % interval and why there is none."""
        estimate = self.estimates[name] - other.estimates[name]
        spread = self.spreads[name] - other.spreads[name]
        if name not in self.jackknife:
            return (estimate, *_analytic_interval(name, estimate, spread))
        if not spread.any() and estimate == 0:
            return 0.0, 0.0, 0.0, "" if spread.size else percentile_interval(spread)[2]
        return (estimate, *bca_interval(estimate, spread, self.jackknife[name] - other.jackknife[name]))


def metric_kinds(outcome: Outcome) -> list[MetricKind]:
    """Return the figures that serve this outcome."""
    return [metric for metric in METRICS if outcome.kind in metric.kinds]


def resampled_figures(
    outcome: Outcome, model: OutOfFold, thresholds: Floats, *, drawn: Counts, left_out: Counts
) -> Figures:
    """Figures with bootstrap replicates.

    Parameters
    ----------
    drawn
        `(1 + resamples, n)`: the cohort itself, then its resamples.
    left_out
        `(groups, n)`: the cohort without each patient or group.
    """
    kinds = metric_kinds(outcome)
    grid = _common_grid(model.risk)
    samples = [sample(outcome, counts) for counts in blocks(drawn)]
    metrics = np.concatenate([_metrics(model, kinds, rows) for rows in samples])
    calibration = np.concatenate([_calibration(model, grid, rows) for rows in samples])
    benefit = np.concatenate([_benefit(model, thresholds, rows) for rows in samples])
    jackknife = np.concatenate([_metrics(model, kinds, sample(outcome, counts)) for counts in blocks(left_out)])
    return Figures(
        {kind.name: float(metrics[0, index]) for index, kind in enumerate(kinds)},
        {kind.name: metrics[1:, index] for index, kind in enumerate(kinds)},
        {kind.name: jackknife[:, index] for index, kind in enumerate(kinds)},
        _banded(grid, calibration),
        _banded(thresholds, benefit),
    )


def analytic_figures(outcome: Outcome, model: OutOfFold, thresholds: Floats, *, seed: int) -> Figures:
    """Figures with influences instead of replicates, for many patients.

    AUC and its influence are of all risks of a repeat when it is one fold, else weighted means over the folds.
    """
    kinds = metric_kinds(outcome)
    everyone = once(len(outcome))
    rows = sample(outcome, everyone)
    groups = random_groups(len(outcome), seed=seed)
    estimates, spreads = {}, {}
    for kind in kinds:
        pairs = list(zip(model.risk, model.fold, strict=True))
        estimates[kind.name] = float(np.mean([kind.rows(rows, risk, fold)[0] for risk, fold in pairs]))
        each = [_spread(kind, rows, risk, fold, groups) for risk, fold in pairs]
        spreads[kind.name] = np.asarray(np.mean(each, axis=0))
    curves = [calibration_curve(outcome, risk, smoother="spline", at=_common_grid(model.risk)) for risk in model.risk]
    return Figures(estimates, spreads, {}, _mean_curve(curves), _benefit_curve(outcome, model, thresholds))


def _spread(
    kind: MetricKind, everyone: Sample, risk: Floats, fold: NDArray[np.int64], groups: list[NDArray[np.intp]]
) -> Floats:
    if kind.name not in INFLUENCES or ("pairs" in kind.needs and fold.any()):
        return np.array([_in_group(kind, everyone.outcome, risk, fold, rows) for rows in groups])
    return INFLUENCES[kind.name](everyone.event, risk, everyone.weights[0])


def _in_group(
    kind: MetricKind, outcome: Outcome, risk: Floats, fold: NDArray[np.int64], rows: NDArray[np.intp]
) -> float:
    part = outcome.take(rows)
    return float(kind.rows(sample(part, once(len(part))), risk[rows], fold[rows])[0])


def _analytic_interval(name: str, estimate: float, spread: Floats) -> tuple[float, float, str]:
    reach = half_width(spread) if name in INFLUENCES and len(spread) > GROUPS else half_width_of_groups(spread)
    if not math.isfinite(reach):
        return math.nan, math.nan, "no interval: undefined for some patients"
    return estimate - reach, estimate + reach, ""


def _metrics(model: OutOfFold, kinds: list[MetricKind], rows: Sample) -> Floats:
    """Figures averaged over the repeats, `(rows, kinds)`."""
    pairs = zip(model.risk, model.fold, strict=True)
    each = [np.column_stack([kind.rows(rows, risk, fold) for kind in kinds]) for risk, fold in pairs]
    return np.asarray(np.mean(each, axis=0))


def _calibration(model: OutOfFold, grid: Floats, rows: Sample) -> Floats:
    return np.asarray(np.mean([curve_rows(rows.event, risk, grid, rows.weights) for risk in model.risk], axis=0))


def _benefit(model: OutOfFold, thresholds: Floats, rows: Sample) -> Floats:
    each = [net_benefit_rows(rows.outcome, risk, thresholds, rows.counts) for risk in model.risk]
    return np.asarray(np.mean(each, axis=0))


def _common_grid(risk: Floats) -> Floats:
    """Risks that every repeat covers, so that all of them add to each point of the curve."""
    grids = [grid for grid in (risk_grid(row) for row in risk) if grid.size]
    if len(grids) < len(risk):
        return np.empty(0)
    low, high = max(grid[0] for grid in grids), min(grid[-1] for grid in grids)
    return np.linspace(low, high, len(grids[0])) if low < high else np.empty(0)


def _benefit_curve(outcome: Outcome, model: OutOfFold, thresholds: Floats) -> Curve:
    everyone = once(len(outcome))
    event, weights = known_event(outcome), status_weights(outcome, everyone)[0]
    value = np.mean([net_benefit_rows(outcome, risk, thresholds, everyone)[0] for risk in model.risk], axis=0)
    reach = [
        half_width(np.mean([of_net_benefit(event, risk, weights, float(at)) for risk in model.risk], axis=0))
        for at in thresholds
    ]
    return Curve(plain(thresholds), plain(value), plain(value - reach), plain(value + reach))


def _mean_curve(curves: list[Curve]) -> Curve:
    y, low, high = (np.mean([getattr(curve, side) for curve in curves], axis=0) for side in ("y", "low", "high"))
    return Curve(curves[0].x, plain(y), plain(low), plain(high))


def _banded(x: Floats, values: Floats) -> Curve:
    if not len(x):
        return Curve((), ())
    if len(values) == 1:
        return Curve(plain(x), plain(values[0]))
    low, high = bands(values[1:])
    return Curve(plain(x), plain(values[0]), plain(low), plain(high))


def plain(values: Floats) -> tuple[float, ...]:
    """Python floats, for a result."""
    return tuple(float(value) for value in values)


def method_in_words(outcome: Outcome, *, resamples: int, repeats: int, analytic: bool) -> str:
    """How the intervals were made and what they are conditional on."""
    survival = not isinstance(outcome, Binary)
    over = "" if repeats == 1 else f", averaged over {repeats} repeats of cross-validation,"
    condition = "conditional on the fitted models: how they would vary with other training patients is not included"
    if analytic:
        weights = " (censoring weights taken as known, concordance from 100 random groups)" if survival else ""
        return (
            f"95 % analytic intervals from influence functions{weights}, as always above {RESAMPLED_UP_TO:,} patients, "
            f"not from resamples; each figure{over} {condition}."
        )
    if not resamples:
        return "No intervals were asked for."
    weights = " with censoring weights estimated anew in each resample," if survival else ""
    return (
        f"95 % bootstrap intervals (bias-corrected and accelerated; bands of curves: percentiles) from {resamples:,} "
        f"resamples of the patients, each figure{over}{weights} "
        f"{condition}. A figure undefined in more than 5 % of the resamples has no interval."
    )
