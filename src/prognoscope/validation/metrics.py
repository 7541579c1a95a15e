"""The figures of an evaluation: what each is called, which outcomes it serves, how it is computed under counts.

`METRICS` is the one place where a figure is added; `evaluate` computes all that serve the outcome.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from prognoscope.core.outcome import Binary, Outcome, OutcomeKind, TimeToEvent
from prognoscope.validation.censoring import known_event, status_weights
from prognoscope.validation.checks import Bools, Floats, Ints
from prognoscope.validation.discrimination import auc_rows, concordance_rows
from prognoscope.validation.overall import brier_rows, event_rate_rows, log_rows, scaled_brier_rows
from prognoscope.validation.precision_recall import average_precision_rows
from prognoscope.validation.recalibration import intercept_rows, slope_rows
from prognoscope.validation.resampling import Counts, once
from prognoscope.validation.results import MIN_EVENTS, MIN_PATIENTS, SUPPRESSED


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Resamples of the patients of one outcome: counts, and the weights of known statuses; both `(rows, n)`.

    `prevalence` is the clinic's, for figures that depend on it; the study's own where it is None.
    """

    outcome: Outcome
    event: Bools
    counts: Counts
    weights: Floats
    prevalence: float | None = None


def sample(outcome: Outcome, counts: Counts, *, prevalence: float | None = None) -> Sample:
    """Prepare resamples; censoring weights are estimated anew in each."""
    return Sample(outcome, known_event(outcome), counts, status_weights(outcome, counts), prevalence)


Rows = Callable[[Sample, Floats, Ints], Floats]


@dataclass(frozen=True, slots=True)
class MetricKind:
    """A figure of `evaluation.json`.

    Attributes
    ----------
    name
        Its key.
    kinds
        Outcomes it serves.
    rows
        `(sample, risk (n,), fold (n,)) -> (rows,)`: its value in each resample; NaN where undefined.
    needs
        What must hold for it to be defined: `pairs` within a fold, both `classes`, a finite `logit` of every risk.
    """

    name: str
    kinds: tuple[OutcomeKind, ...]
    rows: Rows
    needs: tuple[str, ...]


def why_undefined(metric: MetricKind, outcome: Outcome, risk: Floats, fold: Ints) -> str:
    """Say in words why a figure of one repeat is NaN."""
    event = known_event(outcome)
    weights = status_weights(outcome, once(len(outcome)))[0]
    if not np.isfinite(weights).all():
        return not_followed(outcome)
    if "classes" in metric.needs and (not event.any() or event[weights > 0].all()):
        return one_class(event)
    if "logit" in metric.needs:
        certain = int(((risk == 0) | (risk == 1)).sum())
        if certain:
            return f"{certain} of {len(risk)} risks are exactly 0 or 1, their logit is infinite"
        if np.ptp(risk) == 0:
            return "all risks are equal"
        return "the risks separate those with the event from those without"
    if "pairs" in metric.needs:
        return f"no two patients of one fold can be compared ({len(np.unique(fold))} folds, {int(event.sum())} events)"
    return "not defined for these risks"


def too_few(outcome: Outcome) -> str:
    """Say why patients are too few for any figure to mean something; empty where they are enough, or of one class."""
    if len(outcome) < MIN_PATIENTS:
        return f"{SUPPRESSED}: fewer than {MIN_PATIENTS} patients"
    if 0 < min(known_counts(outcome)) < MIN_EVENTS:
        return f"{SUPPRESSED}: fewer than {MIN_EVENTS} patients with or without the event"
    return ""


def known_counts(outcome: Outcome) -> tuple[int, int]:
    """Patients with the event, and patients known to be without it (followed to the horizon, for a time to event)."""
    event = known_event(outcome)
    followed = ~event if isinstance(outcome, Binary) else ~event & (outcome.time_days >= outcome.horizon_days)
    return int(event.sum()), int(followed.sum())


def one_class(event: Bools) -> str:
    """Say which class the patients whose status is known all have."""
    if not event.any():
        return "no patient had the event"
    return "every patient had the event" if event.all() else "nobody without the event was followed to the horizon"


def not_followed(outcome: Outcome) -> str:
    """Say that nobody was followed to the horizon."""
    horizon = f" of {outcome.horizon_days:g} days" if isinstance(outcome, TimeToEvent) else ""
    return f"no patient was followed to the horizon{horizon}"


def _auc(drawn: Sample, risk: Floats, fold: Ints) -> Floats:
    return auc_rows(drawn.event, risk, fold, drawn.weights)


def _average_precision(drawn: Sample, risk: Floats, fold: Ints) -> Floats:
    return average_precision_rows(drawn.event, risk, fold, drawn.weights, prevalence=drawn.prevalence)


def _c_index(drawn: Sample, risk: Floats, fold: Ints) -> Floats:
    outcome = _survival(drawn)
    return concordance_rows(outcome.time_days, outcome.event, risk, fold, drawn.counts)


def _uno_c(drawn: Sample, risk: Floats, fold: Ints) -> Floats:
    outcome = _survival(drawn)
    horizon = outcome.horizon_days
    return concordance_rows(outcome.time_days, outcome.event, risk, fold, drawn.counts, uno_horizon=horizon)


def _survival(drawn: Sample) -> TimeToEvent:
    assert not isinstance(drawn.outcome, Binary), "METRICS lists this figure for a time to event only"
    return drawn.outcome


def _brier(drawn: Sample, risk: Floats, fold: Ints) -> Floats:  # noqa: ARG001 - all risks of a repeat
    return brier_rows(drawn.event, risk, drawn.weights)


def _scaled_brier(drawn: Sample, risk: Floats, fold: Ints) -> Floats:  # noqa: ARG001 - all risks of a repeat
    return scaled_brier_rows(drawn.event, risk, drawn.weights)


def _log_score(drawn: Sample, risk: Floats, fold: Ints) -> Floats:  # noqa: ARG001 - all risks of a repeat
    score = log_rows(drawn.event, risk, drawn.weights)
    return np.where(np.isfinite(score), score, np.nan)


def _intercept(drawn: Sample, risk: Floats, fold: Ints) -> Floats:  # noqa: ARG001 - all risks of a repeat
    return intercept_rows(drawn.event, risk, drawn.weights)


def _slope(drawn: Sample, risk: Floats, fold: Ints) -> Floats:  # noqa: ARG001 - all risks of a repeat
    return slope_rows(drawn.event, risk, drawn.weights)


def _observed_expected(drawn: Sample, risk: Floats, fold: Ints) -> Floats:  # noqa: ARG001 - all risks of a repeat
    observed = event_rate_rows(drawn.event, drawn.weights)
    counts = drawn.counts.astype(float)
    expected, patients = counts @ risk, counts.sum(axis=1)
    return np.asarray(np.divide(observed * patients, expected, out=np.full(len(observed), np.nan), where=expected > 0))


BINARY: tuple[OutcomeKind, ...] = ("binary",)
SURVIVAL: tuple[OutcomeKind, ...] = ("time-to-event",)
METRICS: tuple[MetricKind, ...] = (
    MetricKind("auc", BINARY, _auc, ("pairs", "classes")),
    MetricKind("average_precision", BINARY, _average_precision, ("pairs", "classes")),
    MetricKind("c_index", SURVIVAL, _c_index, ("pairs",)),
    MetricKind("uno_c", SURVIVAL, _uno_c, ("pairs",)),
    MetricKind("auc_at_horizon", SURVIVAL, _auc, ("pairs", "classes")),
    MetricKind("brier", BINARY + SURVIVAL, _brier, ()),
    MetricKind("scaled_brier", BINARY + SURVIVAL, _scaled_brier, ("classes",)),
    MetricKind("log_score", BINARY + SURVIVAL, _log_score, ()),
    MetricKind("calibration_intercept", BINARY + SURVIVAL, _intercept, ("classes", "logit")),
    MetricKind("calibration_slope", BINARY + SURVIVAL, _slope, ("classes", "logit")),
    MetricKind("observed_expected", BINARY + SURVIVAL, _observed_expected, ("classes",)),
)


def ranking_within_folds(outcome: Outcome, risk: Floats, fold: Ints) -> float:
    """Return the AUC, or the C-index for a time to event, of `(n,)` risks, by pairs within a fold."""
    name = "auc" if isinstance(outcome, Binary) else "c_index"
    kind = next(one for one in METRICS if one.name == name)
    return float(kind.rows(sample(outcome, once(len(outcome))), risk, fold)[0])
