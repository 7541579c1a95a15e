"""The result types of validation: frozen, plain, and all that a report may show.

A value that cannot be computed is NaN and carries its reason. Intervals are 95 % unless a field says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from prognoscope.core.outcome import OutcomeKind

Numbers = tuple[float, ...]

MIN_PATIENTS = 20
"""Patients below which no figure is given, of a cohort or of a group."""

MIN_EVENTS = 5
"""Patients with, and patients without the event, below which no figure is given."""

SUPPRESSED = "suppressed"
"""How the reason of a figure begins that is not given for the small number of patients."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of a model with its interval.

    Attributes
    ----------
    estimate, low, high
        The figure and the ends of its 95 % interval; NaN where it cannot be computed.
    n, events
        Patients it was computed on, and how many of them had the event (by the horizon, for a time to event).
    reason
        Why it is NaN or has no interval; empty otherwise.
    """

    estimate: float
    low: float
    high: float
    n: int
    events: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Curve:
    """A line with its band: all of one length; `low` and `high` may be empty where there is no band."""

    x: Numbers
    y: Numbers
    low: Numbers = ()
    high: Numbers = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """Difference of two figures of the same patients, its 95 % interval, and the two-sided p value of no difference.

    `reason` says why there is no interval; empty otherwise.
    """

    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RiskHistogram:
    """How many patients have a risk in each of the equal bins from 0 to 1, by what happened to them.

    `unknown` are those lost before the horizon. Of several repeats of cross-validation the risks are averaged.
    """

    with_event: tuple[int, ...]
    without_event: tuple[int, ...]
    unknown: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CalibrationGroup:
    """Patients of similar risk: mean predicted risk, observed proportion (by Kaplan-Meier if censored), interval."""

    predicted: float
    observed: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Observed against predicted risk: a smooth curve (spline) with its band, groups of similar risk, and loess.

    `histogram` shows where on the curve the patients are; None where it was not made.
    """

    curve: Curve
    groups: tuple[CalibrationGroup, ...]
    loess: Curve = Curve((), ())
    histogram: RiskHistogram | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Net benefit over threshold probabilities, beside treating all (treating none is 0).

    Attributes
    ----------
    model, treat_all
        Net benefit per patient.
    treat_all_low, treat_all_high
        The 95 % band of treating all; empty where there is none.
    smoothed
        The model's, smoothed over thresholds; empty where too few thresholds were asked for.
    avoided
        Interventions avoided per patient against treating all, with no event missed more.
    prevalence
        Of the event where all this is stated for; None for the study's own.
    """

    model: Curve
    treat_all: Numbers
    smoothed: Curve = Curve((), ())
    avoided: Curve = Curve((), ())
    prevalence: float | None = None
    treat_all_low: Numbers = ()
    treat_all_high: Numbers = ()


@dataclass(frozen=True, slots=True)
class RiskGroup:
    """Kaplan-Meier survival of patients of similar predicted risk, for a time to event."""

    name: str
    survival: Curve
    n: int
    events: int
    at_risk: tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True)
class TimeCourse:
    """How a model of a time to event does by each time (days on the curves' x).

    Attributes
    ----------
    auc
        AUC at each time.
    brier, null_brier
        Brier score at each time, and that of the Kaplan-Meier risk for everyone; empty where risks by one time only
        were given, which have none by another.
    integrated_brier, integrated_scaled_brier
        Mean of the Brier score over the times, and one minus its ratio to that of the Kaplan-Meier risk.
    """

    auc: Curve
    brier: Curve = Curve((), ())
    null_brier: Numbers = ()
    integrated_brier: Metric | None = None
    integrated_scaled_brier: Metric | None = None


@dataclass(frozen=True, slots=True)
class ModelEvaluation:
    """All figures of one model.

    Attributes
    ----------
    name, title
        Key in `evaluation.json` (`all`, `clinical`, `imaging`, …) and words for a reader.
    metrics
        By name: `auc` or `c_index`, `brier`, `scaled_brier`, `calibration_intercept`, `calibration_slope`, …
    roc
        Mean ROC over the repeats (false positive rate, sensitivity); None for a time to event.
    risk_groups
        Empty for a binary outcome.
    over_time
        For one set of risks of a time to event; None otherwise.
    """

    name: str
    title: str
    metrics: Mapping[str, Metric]
    calibration: Calibration
    decision: Decision
    roc: Curve | None = None
    risk_groups: tuple[RiskGroup, ...] = ()
    over_time: TimeCourse | None = None


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """Twice the gain in log-likelihood, its degrees of freedom and p value; NaN with a reason without a fit."""

    statistic: float
    degrees: int
    p: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Differences `model - reference` by metric and in net benefit, from the same resamples of patients.

    `likelihood_ratio` tests whether the model's risks add to the reference's, `delong` whether their AUCs differ; None
    where they come from several fitted models (cross-validation), whose log odds are no one predictor and whose risks
    no one ranking.
    """

    model: str
    reference: str
    differences: Mapping[str, Metric]
    likelihood_ratio: LikelihoodRatio | None = None
    delong: Difference | None = None
    net_benefit: Curve = Curve((), ())


@dataclass(frozen=True, slots=True)
class Guard:
    """One check of the study's honesty.

    `evidence` tells what was looked at and found, with numbers; a failed guard that `blocks` stops the bundle.
    """

    name: str
    status: Literal["passed", "warned", "failed"]
    evidence: str
    blocks: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The evaluation of a study: what `evaluation.json` holds and the report shows.

    Attributes
    ----------
    outcome
        Kind of outcome.
    n, events
        Participants, and how many had the event (by the horizon, for a time to event).
    horizon_days, censored_before_horizon
        For a time to event; None otherwise.
    models
        The main model first, then those it is compared with.
    interval
        How the intervals were made and what they are conditional on, in one sentence.
    counts
        Folds, repeats, inner folds, resamples and settings tried, as used.
    """

    outcome: OutcomeKind
    n: int
    events: int
    horizon_days: float | None
    censored_before_horizon: int | None
    models: tuple[ModelEvaluation, ...]
    comparisons: tuple[Comparison, ...]
    guards: tuple[Guard, ...]
    interval: str
    counts: Mapping[str, int] = field(default_factory=dict)

    def model(self, name: str) -> ModelEvaluation:
        """Return the evaluation of one model; KeyError when there is none of that name."""
        for entry in self.models:
            if entry.name == name:
                return entry
        raise KeyError(name)
