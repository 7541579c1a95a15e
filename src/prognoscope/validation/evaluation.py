"""From out-of-fold risks to an evaluation: every figure of every model, with intervals from the same resamples.

A figure is computed within each repeat of the cross-validation and averaged over the repeats. Patients, not risks, are
drawn again, the same for all models and repeats, so that differences between models are paired. The models are not
fitted again: intervals are conditional on them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike

from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.problems import refuse
from prognoscope.validation.added_value import added_by
from prognoscope.validation.calibration import calibration_groups, risk_histogram
from prognoscope.validation.calibration_errors import ERRORS, NO_CURVE, too_few_for_a_curve, why_no_errors
from prognoscope.validation.censoring import known_event, status_weights
from prognoscope.validation.checks import Floats, folds, risks
from prognoscope.validation.curves import banded, plain
from prognoscope.validation.decision import THRESHOLDS, checked_prevalence
from prognoscope.validation.decision_bands import difference_reach
from prognoscope.validation.delong import SEPARATED, delong_test, separated_interval
from prognoscope.validation.discrimination import mean_roc
from prognoscope.validation.metrics import MetricKind, not_followed, one_class, sample, too_few, why_undefined
from prognoscope.validation.resampling import (
    RESAMPLED_UP_TO,
    SAME_EVERYWHERE,
    jackknife_counts,
    once,
    resample_counts,
    with_original,
)
from prognoscope.validation.results import (
    Calibration,
    Comparison,
    Curve,
    Decision,
    Evaluation,
    Guard,
    Metric,
    ModelEvaluation,
    TimeCourse,
)
from prognoscope.validation.survival_groups import risk_groups
from prognoscope.validation.time_course import time_course, times_until
from prognoscope.validation.uncertainty import (
    Figures,
    analytic_figures,
    method_in_words,
    metric_kinds,
    resampled_figures,
)


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
    analytic: bool | None = None,
    prevalence: float | None = None,
    over_time: tuple[Sequence[float], ArrayLike] | None = None,
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
        Patient bootstraps for the 95 % intervals (bias-corrected and accelerated); 0 for none.
    seed
        The study's seed.
    guards, counts
        Carried into the result; `counts` gains the repeats and resamples used here.
    thresholds
        Threshold probabilities of the decision curve; 0.01 to 0.99 when left out.
    analytic
        Whether intervals come from influence functions instead of resamples; above 50,000 patients when left out.
    prevalence
        Of the event where the models will be used: net benefit (case-control decision curves) and average precision
        are stated for it, by sensitivity and specificity; the study's own when left out.
    over_time
        Times in days `(k,)` and the main model's risks by each of them `(n, k)`, for a time to event; its ranking at
        the horizon, at eight times up to it, when left out.

    Raises
    ------
    Refused
        `no-model`, `values-shape`, `values-missing`, `risk-range` for risks that cannot be evaluated;
        `prevalence-range`.
    """
    checked = {name: _checked(name, model, len(outcome)) for name, model in models.items()}
    if not checked:
        raise refuse("no-model", subject="evaluation", found="no model was given", remedy="give at least one")
    points = np.array(THRESHOLDS if thresholds is None else tuple(thresholds), dtype=float)
    by_influence = len(outcome) > RESAMPLED_UP_TO if analytic is None else analytic
    resamples = 0 if by_influence else resamples
    checked_prevalence(prevalence)
    wanted: _Wanted = {"prevalence": prevalence, "loess": True}
    nothing = too_few(outcome)
    found = (
        {}
        if nothing
        else _figures(outcome, checked, points, wanted, resamples=resamples, seed=seed, analytic=by_influence)
    )
    entries = tuple(
        _suppressed(name, titles.get(name, name), outcome, nothing)
        if nothing
        else replace(
            _entry(name, titles.get(name, name), outcome, model, found[name], prevalence),
            over_time=_course(outcome, model, over_time, main=name == next(iter(checked))),
        )
        for name, model in checked.items()
    )
    main, *others = checked
    repeats = checked[main].repeats
    return Evaluation(
        outcome=outcome.kind,
        n=len(outcome),
        events=int(known_event(outcome).sum()),
        horizon_days=outcome.horizon_days if isinstance(outcome, TimeToEvent) else None,
        censored_before_horizon=outcome.censored_before_horizon if isinstance(outcome, TimeToEvent) else None,
        models=entries,
        comparisons=tuple(
            _no_comparison(outcome, main, other, nothing)
            if nothing
            else _comparison(outcome, (main, other), found, checked, prevalence)
            for other in others
        ),
        guards=tuple(guards),
        interval=NO_FIGURES
        if nothing
        else method_in_words(outcome, resamples=resamples, repeats=repeats, analytic=by_influence)
        + _at_prevalence(prevalence),
        counts={**(counts or {}), "repeats": repeats, "resamples": resamples},
    )


NO_FIGURES = "No figure is given, so there is no interval."


def metrics_alone(
    outcome: Outcome,
    model: OutOfFold,
    *,
    resamples: int,
    seed: int,
    analytic: bool | None = None,
    prevalence: float | None = None,
) -> dict[str, Metric]:
    """The figures of one model by name, without the curves: for groups of patients. Parameters as in `evaluate`."""
    checked = _checked("group", model, len(outcome))
    by_influence = len(outcome) > RESAMPLED_UP_TO if analytic is None else analytic
    wanted: _Wanted = {"prevalence": prevalence, "loess": False}
    one = np.array([0.5])
    found = _figures(outcome, {"": checked}, one, wanted, resamples=resamples, seed=seed, analytic=by_influence)[""]
    return _metrics(outcome, checked, found)


class _Wanted(TypedDict):
    """What the figures of every model are to be."""

    prevalence: float | None
    loess: bool


def _at_prevalence(prevalence: float | None) -> str:
    if prevalence is None:
        return ""
    return f" Net benefit and average precision are stated for a prevalence of {100 * prevalence:.3g} %."


def _figures(
    outcome: Outcome,
    models: Mapping[str, OutOfFold],
    thresholds: Floats,
    wanted: _Wanted,
    *,
    resamples: int,
    seed: int,
    analytic: bool,
) -> dict[str, Figures]:
    if analytic:
        return {
            name: analytic_figures(outcome, model, thresholds, seed=seed, **wanted) for name, model in models.items()
        }
    drawn = with_original(resample_counts(len(outcome), resamples=resamples, seed=seed))
    left_out = jackknife_counts(len(outcome), seed=seed)
    return {
        name: resampled_figures(outcome, model, thresholds, drawn=drawn, left_out=left_out, **wanted)
        for name, model in models.items()
    }


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


def _entry(
    name: str, title: str, outcome: Outcome, model: OutOfFold, found: Figures, prevalence: float | None
) -> ModelEvaluation:
    roc = None
    if isinstance(outcome, Binary):
        false_positive, sensitivity = mean_roc(outcome.event, model.risk, model.fold)
        roc = None if np.isnan(sensitivity).any() else Curve(plain(false_positive), plain(sensitivity))
    return ModelEvaluation(
        name=name,
        title=title,
        metrics=_metrics(outcome, model, found),
        calibration=_calibration(outcome, model, found),
        decision=replace(found.decision, prevalence=prevalence),
        roc=roc,
        risk_groups=risk_groups(outcome, model.mean()) if isinstance(outcome, TimeToEvent) else (),
    )


def _course(
    outcome: Outcome, model: OutOfFold, given: tuple[Sequence[float], ArrayLike] | None, *, main: bool
) -> TimeCourse | None:
    if isinstance(outcome, Binary) or model.repeats > 1 or model.fold.any():
        return None
    times: ArrayLike = given[0] if given else times_until(outcome.horizon_days)
    return time_course(outcome, given[1] if given and main else model.risk[0], times)


def _calibration(outcome: Outcome, model: OutOfFold, found: Figures) -> Calibration:
    groups, histogram = calibration_groups(outcome, model.risk), risk_histogram(outcome, model.risk)
    if too_few_for_a_curve(outcome):
        return Calibration(Curve((), ()), groups, histogram=histogram)
    return Calibration(found.calibration, groups, found.loess, histogram)


def _suppressed(name: str, title: str, outcome: Outcome, reason: str) -> ModelEvaluation:
    """A model of whom too few patients tell anything: every figure with that reason, and no curve."""
    n, event_count = len(outcome), int(known_event(outcome).sum())
    names = [*(kind.name for kind in metric_kinds(outcome)), *ERRORS]
    metrics = {one: Metric(math.nan, math.nan, math.nan, n, event_count, reason) for one in names}
    return ModelEvaluation(name, title, metrics, Calibration(Curve((), ()), ()), Decision(Curve((), ()), ()))


def _metrics(outcome: Outcome, model: OutOfFold, found: Figures) -> dict[str, Metric]:
    own = {kind.name: _metric(kind, outcome, model, found) for kind in metric_kinds(outcome)}
    return own | _error_metrics(outcome, model, found)


def _metric(kind: MetricKind, outcome: Outcome, model: OutOfFold, found: Figures) -> Metric:
    n, event_count = len(outcome), int(known_event(outcome).sum())
    if not math.isfinite(found.estimates[kind.name]):
        return Metric(math.nan, math.nan, math.nan, n, event_count, _reason(kind, outcome, model))
    estimate = found.estimates[kind.name]
    low, high, reason = found.interval(kind.name)
    if kind.name == "auc" and reason == SAME_EVERYWHERE and estimate in (0.0, 1.0) and not model.fold.any():
        ends = separated_interval(estimate, event_count, n - event_count)
        return Metric(estimate, *ends, n, event_count, SEPARATED)
    return Metric(estimate, low, high, n, event_count, reason)


def _error_metrics(outcome: Outcome, model: OutOfFold, found: Figures) -> dict[str, Metric]:
    """ICI, E50, E90 and Emax of each repeat's spline curve, averaged."""
    n, event_count = len(outcome), int(known_event(outcome).sum())
    reason = _no_errors(outcome, model)
    if reason or not found.errors:
        return {name: Metric(math.nan, math.nan, math.nan, n, event_count, reason or NO_CURVE) for name in ERRORS}
    return {
        name: Metric(estimate, low, high, n, event_count, why if math.isfinite(estimate) else NO_CURVE)
        for name, (estimate, low, high, why) in found.errors.items()
    }


def _no_errors(outcome: Outcome, model: OutOfFold) -> str:
    event, weights = known_event(outcome), status_weights(outcome, once(len(outcome)))[0]
    if not np.isfinite(weights).all():
        return not_followed(outcome)
    if not event.any() or event[weights > 0].all():
        return one_class(event)
    if few := too_few_for_a_curve(outcome):
        return few
    return next(filter(None, (why_no_errors(risk, smoother="spline") for risk in model.risk)), "")


def _reason(metric: MetricKind, outcome: Outcome, model: OutOfFold) -> str:
    rows = sample(outcome, once(len(outcome)))
    for repeat, (risk, fold) in enumerate(zip(model.risk, model.fold, strict=True)):
        if not np.isfinite(metric.rows(rows, risk, fold)[0]):
            where = f"repeat {repeat + 1}: " if model.repeats > 1 else ""
            return where + why_undefined(metric, outcome, risk, fold)
    raise AssertionError("a mean that is NaN has a repeat that is NaN")


def _no_comparison(outcome: Outcome, main: str, other: str, reason: str) -> Comparison:
    missing = Metric(math.nan, math.nan, math.nan, len(outcome), int(known_event(outcome).sum()), reason)
    return Comparison(main, other, {kind.name: missing for kind in metric_kinds(outcome)})


def _comparison(
    outcome: Outcome,
    names: tuple[str, str],
    found: Mapping[str, Figures],
    models: Mapping[str, OutOfFold],
    prevalence: float | None,
) -> Comparison:
    main, other = names
    n, event_count = len(outcome), int(known_event(outcome).sum())
    differences = {}
    for name, value in found[main].estimates.items():
        estimate, low, high, reason = found[main].difference(found[other], name)
        if not math.isfinite(estimate):
            low, high, reason = math.nan, math.nan, f"undefined for {other if math.isfinite(value) else main}"
        differences[name] = Metric(estimate, low, high, n, event_count, reason)
    own, reference = models[main], models[other]
    of_one_model = all(model.repeats == 1 and not model.fold.any() for model in (own, reference))
    test = added_by(outcome, reference.risk[0], own.risk[0]) if of_one_model else None
    areas = None
    if of_one_model and isinstance(outcome, Binary):
        areas = delong_test(outcome.event, own.risk[0], reference.risk[0])
    benefit = _benefit_difference(outcome, (found[main], found[other]), (own, reference), prevalence)
    return Comparison(main, other, differences, test, areas, benefit)


def _benefit_difference(
    outcome: Outcome,
    figures: tuple[Figures, Figures],
    models: tuple[OutOfFold, OutOfFold],
    prevalence: float | None,
) -> Curve:
    """Net benefit of the first model less the second's, with its band, from the same resamples or influences."""
    first, second = figures
    points = np.array(first.decision.model.x)
    if len(first.benefit):
        return banded(points, first.benefit - second.benefit)
    apart = np.array(first.decision.model.y) - np.array(second.decision.model.y)
    weights = status_weights(outcome, once(len(outcome)))[0]
    pair = (models[0].risk, models[1].risk)
    reach = difference_reach(known_event(outcome), pair, weights, points, prevalence=prevalence)
    return Curve(plain(points), plain(apart), plain(apart - reach), plain(apart + reach))
