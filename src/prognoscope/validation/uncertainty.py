"""A model's figures and curves with what their intervals are made from.

Up to 50,000 patients: bootstraps of the patients. Above: influence functions, one value per patient and figure. Both
kinds can be subtracted, model from model, which gives the intervals of paired differences.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.core.predictions import OutOfFold
from prognoscope.validation.checks import Floats
from prognoscope.validation.curves import (
    Errors,
    analytic_calibration,
    analytic_decision,
    common_grid,
    mean_calibration_curve,
    resampled_calibration,
    resampled_decision,
)
from prognoscope.validation.influence import (
    GROUPS,
    INFLUENCES,
    half_width,
    half_width_of_groups,
    random_groups,
)
from prognoscope.validation.metrics import METRICS, MetricKind, Sample, sample
from prognoscope.validation.resampling import (
    RESAMPLED_UP_TO,
    SAME_EVERYWHERE,
    Counts,
    bca_interval,
    blocks,
    once,
    percentile_interval,
)
from prognoscope.validation.results import Curve, Decision


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
    errors
        By name: calibration error with its interval and why there is none; empty where no curve can be fitted.
    calibration, loess
        Calibration curves with their bands.
    decision
        Decision curves with their bands.
    benefit
        Net benefit of the cohort and its resamples, `(1 + resamples, thresholds)`; empty for influences.
    """

    estimates: Mapping[str, float]
    spreads: Mapping[str, Floats]
    jackknife: Mapping[str, Floats]
    errors: Errors
    calibration: Curve
    loess: Curve
    decision: Decision
    benefit: Floats

    def interval(self, name: str) -> tuple[float, float, str]:
        """95 % interval of a figure and why there is none."""
        estimate, spread = self.estimates[name], self.spreads[name]
        if name in self.jackknife:
            return bca_interval(estimate, spread, self.jackknife[name])
        return analytic_interval(name, estimate, spread)

    def difference(self, other: Figures, name: str) -> tuple[float, float, float, str]:
        """This model's figure less the other's, its 95 % interval and why there is none."""
        estimate = self.estimates[name] - other.estimates[name]
        spread = self.spreads[name] - other.spreads[name]
        if name not in self.jackknife:
            return (estimate, *analytic_interval(name, estimate, spread))
        if not spread.any() and estimate == 0:
            return 0.0, 0.0, 0.0, "" if spread.size else percentile_interval(spread)[2]
        return (estimate, *bca_interval(estimate, spread, self.jackknife[name] - other.jackknife[name]))


def metric_kinds(outcome: Outcome) -> list[MetricKind]:
    """Return the figures that serve this outcome."""
    return [metric for metric in METRICS if outcome.kind in metric.kinds]


def resampled_figures(
    outcome: Outcome,
    model: OutOfFold,
    thresholds: Floats,
    *,
    drawn: Counts,
    left_out: Counts,
    prevalence: float | None = None,
    loess: bool = True,
) -> Figures:
    """Figures with bootstrap replicates.

    Parameters
    ----------
    drawn
        `(1 + resamples, n)`: the cohort itself, then its resamples.
    left_out
        `(groups, n)`: the cohort without each patient or group.
    prevalence
        Of the event in the clinic; the study's own when None.
    loess
        Whether that curve is wanted.
    """
    kinds = metric_kinds(outcome)
    grid = common_grid(model.risk)
    samples = [sample(outcome, counts, prevalence=prevalence) for counts in blocks(drawn)]
    metrics = np.concatenate([_metrics(model, kinds, rows) for rows in samples])
    without = (sample(outcome, counts, prevalence=prevalence) for counts in blocks(left_out))
    jackknife = np.concatenate([_metrics(model, kinds, rows) for rows in without])
    calibration, errors = resampled_calibration(model, grid, samples)
    decision, benefit = resampled_decision(outcome, model, thresholds, samples, prevalence=prevalence)
    return Figures(
        {kind.name: float(metrics[0, index]) for index, kind in enumerate(kinds)},
        {kind.name: metrics[1:, index] for index, kind in enumerate(kinds)},
        {kind.name: jackknife[:, index] for index, kind in enumerate(kinds)},
        errors,
        calibration,
        mean_calibration_curve(outcome, model, grid, smoother="loess") if loess else Curve((), ()),
        decision,
        benefit,
    )


def analytic_figures(
    outcome: Outcome,
    model: OutOfFold,
    thresholds: Floats,
    *,
    seed: int,
    prevalence: float | None = None,
    loess: bool = True,
) -> Figures:
    """Figures with influences instead of replicates, for many patients.

    AUC and its influence are of all risks of a repeat when it is one fold, else weighted means over the folds.
    """
    estimates, spreads = analytic_values(outcome, model, metric_kinds(outcome), seed=seed, prevalence=prevalence)
    grid = common_grid(model.risk)
    calibration, errors = analytic_calibration(outcome, model, grid, seed=seed)
    smooth = mean_calibration_curve(outcome, model, grid, smoother="loess") if loess else Curve((), ())
    decision = analytic_decision(outcome, model, thresholds, prevalence=prevalence)
    return Figures(estimates, spreads, {}, errors, calibration, smooth, decision, np.empty((0, len(thresholds))))


def analytic_values(
    outcome: Outcome, model: OutOfFold, kinds: Sequence[MetricKind], *, seed: int, prevalence: float | None = None
) -> tuple[dict[str, float], dict[str, Floats]]:
    """Estimates of figures, and what their intervals are made from, by name."""
    everyone = sample(outcome, once(len(outcome)), prevalence=prevalence)
    groups = _in_groups(outcome, everyone, seed=seed)
    pairs = list(zip(model.risk, model.fold, strict=True))
    estimates, spreads = {}, {}
    for kind in kinds:
        estimates[kind.name] = float(np.mean([kind.rows(everyone, risk, fold)[0] for risk, fold in pairs]))
        each = [_spread(kind, everyone, risk, fold, groups) for risk, fold in pairs]
        spreads[kind.name] = each[0] if len(each) == 1 else np.asarray(np.mean(each, axis=0))
    return estimates, spreads


def _in_groups(outcome: Outcome, everyone: Sample, *, seed: int) -> list[tuple[NDArray[np.intp], Sample]]:
    """Random groups of the patients: their rows, and each as a sample of its own."""
    found = []
    for rows in random_groups(len(outcome), seed=seed):
        part = outcome.take(rows)
        found.append((rows, sample(part, once(len(part)), prevalence=everyone.prevalence)))
    return found


def _spread(
    kind: MetricKind,
    everyone: Sample,
    risk: Floats,
    fold: NDArray[np.int64],
    groups: list[tuple[NDArray[np.intp], Sample]],
) -> Floats:
    if kind.name not in INFLUENCES or ("pairs" in kind.needs and fold.any()):
        return np.array([float(kind.rows(group, risk[rows], fold[rows])[0]) for rows, group in groups])
    return INFLUENCES[kind.name](everyone.event, risk, everyone.weights[0])


def analytic_interval(name: str, estimate: float, spread: Floats) -> tuple[float, float, str]:
    """95 % interval of a figure from its influences or its values in random groups, and why there is none."""
    reach = half_width(spread) if name in INFLUENCES and len(spread) > GROUPS else half_width_of_groups(spread)
    if not math.isfinite(reach):
        return math.nan, math.nan, "no interval: undefined for some patients"
    if reach == 0:
        return math.nan, math.nan, SAME_EVERYWHERE
    return estimate - reach, estimate + reach, ""


def _metrics(model: OutOfFold, kinds: list[MetricKind], rows: Sample) -> Floats:
    """Figures averaged over the repeats, `(rows, kinds)`."""
    pairs = zip(model.risk, model.fold, strict=True)
    each = [np.column_stack([kind.rows(rows, risk, fold) for kind in kinds]) for risk, fold in pairs]
    return np.asarray(np.mean(each, axis=0))


def method_in_words(outcome: Outcome, *, resamples: int, repeats: int, analytic: bool) -> str:
    """How the intervals were made and what they are conditional on."""
    survival = not isinstance(outcome, Binary)
    over = "" if repeats == 1 else f", averaged over {repeats} repeats of cross-validation,"
    condition = "conditional on the fitted models: how they would vary with other training patients is not included"
    if analytic:
        weights = " (censoring weights taken as known, concordance from 100 random groups)" if survival else ""
        return (
            f"95 % analytic intervals from influence functions{weights}, as always above {RESAMPLED_UP_TO:,} patients, "
            f"not from resamples, and smooth curves over groups of patients; each figure{over} {condition}."
        )
    if not resamples:
        return "No intervals were asked for."
    weights = " with censoring weights estimated anew in each resample," if survival else ""
    return (
        f"95 % bootstrap intervals (bias-corrected and accelerated; of calibration errors: basic; bands of curves: "
        f"percentiles) from {resamples:,} resamples of the patients, each figure{over}{weights} "
        f"{condition}. A figure undefined in more than 5 % of the resamples has no interval."
    )
