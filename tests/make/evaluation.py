"""Believable evaluations, for tests: curves fit their figures, but no study is real."""

from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

from prognoscope.validation.results import (
    Calibration,
    CalibrationGroup,
    Comparison,
    Curve,
    Decision,
    Evaluation,
    Guard,
    Metric,
    ModelEvaluation,
    RiskGroup,
)

NORMAL = NormalDist()
NAN = math.nan
GRID = tuple(step / 40 for step in range(41))
CONDITIONAL = (
    "Intervals are the 2.5 and 97.5 percentiles over 2,000 resamples of the patients' out-of-fold risks; they are "
    "conditional on the fitted models and do not contain the uncertainty of fitting them"
)

PASSED = (
    Guard(
        "duplicate-patients", "passed", "1,275 pairs of patients compared: no identical pixels, no identical rows", True
    ),
    Guard("outcome-in-disguise", "passed", "no predictor separates the outcome alone (largest AUC 0.74, age)", True),
    Guard("known-too-late", "passed", "all 354 predictors are declared known at time zero", True),
    Guard("shortcut", "passed", "scanner, centre and slice thickness alone: AUC 0.52 (0.38 to 0.66)"),
    Guard("informative-missingness", "passed", "which values are missing foretells the outcome with AUC 0.50"),
    Guard("folds-differ", "passed", "the folds' AUCs differ as chance allows (p = 0.61)"),
)
SAMPLE_SIZE = Guard("sample-size", "warned", "0.05 events per candidate parameter; 10 are asked for (Riley 2020)")
SIGNAL = Guard("no-signal", "passed", "AUC 0.82 against 0.36 to 0.65 in 200 permutations of the outcome (p = 0.005)")
NO_SIGNAL = Guard(
    "no-signal", "warned", "AUC 0.48 lies within 0.34 to 0.66, the 95 % range of 200 permutations (p = 0.58)"
)


def metric(estimate: float, half: float, *, n: int, events: int, reason: str = "") -> Metric:
    """A metric with a symmetric interval."""
    return Metric(estimate, estimate - half, estimate + half, n, events, reason)


def not_computable(reason: str, *, n: int, events: int) -> Metric:
    return Metric(NAN, NAN, NAN, n, events, reason)


def roc_of(auc: float) -> Curve:
    """The binormal ROC curve of an AUC, with a band."""
    shift = math.sqrt(2) * NORMAL.inv_cdf(auc)
    y = tuple(0.0 if x == 0 else 1.0 if x == 1 else NORMAL.cdf(shift + NORMAL.inv_cdf(x)) for x in GRID)
    low = tuple(max(0.0, value - 0.35 * math.sqrt(value * (1 - value))) for value in y)
    high = tuple(min(1.0, value + 0.35 * math.sqrt(value * (1 - value))) for value in y)
    return Curve(GRID, y, low, high)


def calibration_of(slope: float, prevalence: float, n: int) -> Calibration:
    """A logistic calibration curve of a slope, and four groups on it."""
    centre = math.log(prevalence / (1 - prevalence))

    def observed(risk: float) -> float:
        return 1 / (1 + math.exp(-(centre + slope * (math.log(risk / (1 - risk)) - centre))))

    x = tuple(0.05 + 0.85 * step / 30 for step in range(31))
    y = tuple(observed(value) for value in x)
    width = tuple(0.08 + 0.5 * abs(value - prevalence) * math.sqrt(30 / n) for value in x)
    low = tuple(max(0.0, value - half) for value, half in zip(y, width, strict=True))
    high = tuple(min(1.0, value + half) for value, half in zip(y, width, strict=True))
    groups = tuple(
        CalibrationGroup(
            risk, _off(observed(risk), place), max(0.0, observed(risk) - 0.2), min(1.0, observed(risk) + 0.2), n // 4
        )
        for place, risk in enumerate((0.12, 0.3, 0.46, 0.74))
    )
    return Calibration(Curve(x, y, low, high), groups)


def _off(share: float, place: int) -> float:
    return min(1.0, max(0.0, share + (0.05, -0.06, 0.04, -0.03)[place]))


def decision_of(auc: float, prevalence: float) -> Decision:
    """Net benefit of a binormal model, and of treating all."""
    x = tuple(step / 100 for step in range(1, 80, 2))
    shift = math.sqrt(2) * NORMAL.inv_cdf(min(auc, 0.999))
    model, everyone = [], []
    for threshold in x:
        odds = threshold / (1 - threshold)
        cut = (math.log(odds) - math.log(prevalence / (1 - prevalence)) + shift**2 / 2) / max(shift, 0.05)
        found, false = 1 - NORMAL.cdf(cut - shift), 1 - NORMAL.cdf(cut)
        model.append(prevalence * found - (1 - prevalence) * false * odds)
        everyone.append(prevalence - (1 - prevalence) * odds)
    y = tuple(model)
    return Decision(Curve(x, y, tuple(v - 0.05 for v in y), tuple(v + 0.05 for v in y)), tuple(everyone))


def binary_model(
    name: str, title: str, auc: float, half: float, *, n: int, events: int, slope: float = 0.9
) -> ModelEvaluation:
    """All figures of one model of a binary outcome."""
    prevalence = events / n

    def at(estimate: float, width: float) -> Metric:
        return metric(estimate, width, n=n, events=events)

    metrics = {
        "auc": at(auc, half),
        "average_precision": at(min(0.95, prevalence + (auc - 0.5)), half),
        "brier": at(0.25 - 0.3 * (auc - 0.5), 0.04),
        "scaled_brier": at(2 * (auc - 0.5) ** 2, 0.15),
        "log_score": at(0.6 * (auc - 0.5) - 0.68, 0.09),
        "calibration_intercept": at(0.04, 0.55),
        "calibration_slope": at(slope, 0.5),
        "observed_expected": at(1.03, 0.2),
    }
    return ModelEvaluation(
        name, title, metrics, calibration_of(slope, prevalence, n), decision_of(auc, prevalence), roc=roc_of(auc)
    )


def survival_model(name: str, title: str, c_index: float, half: float, *, n: int, events: int) -> ModelEvaluation:
    """All figures of one model of a time to event, with three risk groups."""

    def at(estimate: float, width: float) -> Metric:
        return metric(estimate, width, n=n, events=events)

    metrics = {
        "c_index": at(c_index, half),
        "uno_c": at(c_index - 0.01, half),
        "auc_at_horizon": at(c_index + 0.02, half),
        "brier": at(0.19, 0.03),
        "scaled_brier": at(0.09, 0.12),
        "calibration_intercept": at(-0.1, 0.6),
        "calibration_slope": at(0.62, 0.33),
    }
    groups = tuple(
        _risk_group(group, rate, n // 3, events_in)
        for group, rate, events_in in (
            ("Lowest third of risk", 0.00022, events // 6),
            ("Middle third", 0.00045, events // 3),
            ("Highest third", 0.0011, events - events // 6 - events // 3),
        )
    )
    return ModelEvaluation(
        name, title, metrics, calibration_of(0.62, events / n, n), decision_of(c_index, events / n), risk_groups=groups
    )


def _risk_group(name: str, rate: float, n: int, events: int) -> RiskGroup:
    steps = 10
    x = tuple(1500 * step / steps for step in range(steps + 1))
    y = tuple(math.exp(-rate * time) for time in x)
    half = tuple(0.16 * step / steps for step in range(steps + 1))
    curve = Curve(
        x,
        y,
        tuple(max(0.0, value - width) for value, width in zip(y, half, strict=True)),
        tuple(min(1.0, value + width) for value, width in zip(y, half, strict=True)),
    )
    at_risk = tuple((float(day), round(n * math.exp(-(rate + 0.0004) * day))) for day in range(0, 1501, 300))
    return RiskGroup(name, curve, n, events, at_risk)


def evaluation(
    auc: float = 0.82,
    clinical: float = 0.66,
    imaging: float = 0.79,
    half: float = 0.08,
    *,
    n: int = 180,
    events: int = 71,
) -> Evaluation:
    """An evaluation of a binary outcome: all predictors, clinical only, imaging only."""
    models = (
        binary_model("all", "All predictors", auc, half, n=n, events=events),
        binary_model("clinical", "Clinical variables only", clinical, half, n=n, events=events, slope=1.1),
        binary_model("imaging", "Imaging only", imaging, half, n=n, events=events, slope=0.8),
    )
    comparisons = tuple(
        Comparison(
            "all",
            other,
            {"auc": metric(auc - value, half, n=n, events=events), "brier": metric(-0.02, 0.03, n=n, events=events)},
        )
        for other, value in (("clinical", clinical), ("imaging", imaging))
    )
    counts = {"folds": 5, "repeats": 5, "inner": 3, "resamples": 2000, "settings": 24}
    return Evaluation("binary", n, events, None, None, models, comparisons, (*PASSED, SIGNAL), CONDITIONAL, counts)


def survival_evaluation(c_index: float = 0.66, half: float = 0.13, *, n: int = 51, events: int = 19) -> Evaluation:
    """An evaluation of a time to event within 730 days."""
    models = (
        survival_model("all", "All predictors", c_index, half, n=n, events=events),
        survival_model("clinical", "Clinical variables only", 0.61, half, n=n, events=events),
        survival_model("imaging", "Imaging only", 0.6, half, n=n, events=events),
    )
    comparisons = (
        Comparison("all", "clinical", {"c_index": metric(c_index - 0.61, half, n=n, events=events)}),
        Comparison("all", "imaging", {"c_index": metric(c_index - 0.6, half, n=n, events=events)}),
    )
    guard = replace(SIGNAL, evidence="C-index 0.66 against 0.40 to 0.62 in 200 permutations of the outcome (p = 0.02)")
    counts = {"folds": 5, "repeats": 5, "inner": 3, "resamples": 2000, "settings": 16}
    return Evaluation(
        "time-to-event", n, events, 730.0, 6, models, comparisons, (*PASSED, SAMPLE_SIZE, guard), CONDITIONAL, counts
    )


def without_curves(figures: Evaluation) -> Evaluation:
    """The same numbers with nothing to draw, for tests that read text only: drawing takes most of a page's time."""
    nothing = Curve((), ())
    models = tuple(
        replace(
            model,
            calibration=Calibration(nothing, ()),
            decision=Decision(nothing, ()),
            roc=None,
            risk_groups=(),
        )
        for model in figures.models
    )
    return replace(figures, models=models)
