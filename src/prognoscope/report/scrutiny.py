"""How a study's main model was tested, and what was asked of it beyond its figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from prognoscope.report.glossary import metric_words
from prognoscope.report.rounding import NOT_COMPUTABLE, count, figure, interval, joined, of_hundred, p_value, sentence
from prognoscope.validation.conformal import Coverage
from prognoscope.validation.fairness import Gap, GroupFigures
from prognoscope.validation.internal import LearningCurve
from prognoscope.validation.pooling import Pooled
from prognoscope.validation.results import Metric
from prognoscope.validation.thresholds import Share, ThresholdRow

SITE_METRICS = ("auc", "c_index", "brier", "calibration_intercept", "calibration_slope", "observed_expected")
WAYS = {
    "cross-validation": "Patients were dealt to folds by chance, each fold with its share of events, and predicted by "
    "models that were learnt from the others, tuning and selection included.",
    "leave-one-site-out": "Each site was predicted by models that had learnt at the other sites (internal-external "
    "cross-validation): how the predictor may do at a hospital that it has not seen.",
    "held-out-by-time": "The latest patients were predicted by models that had learnt from the earlier ones: how the "
    "predictor may do on patients to come.",
    "external": "A set was kept apart: nothing was learnt from it, and its patients were predicted by the predictor "
    "that was written to the bundle.",
    "bootstrap": "The predictor was learnt from all patients; from bootstraps of them, the whole pipeline learnt again "
    "in each, comes how much of its apparent performance is optimism, which was taken off every figure and curve.",
}
RECALIBRATIONS = {
    "intercept": "its mean moved to the frequency of the event",
    "slope": "mean and spread corrected on the scale of log odds",
    "platt": "Platt scaling",
    "isotonic": "a rising step curve",
}


@dataclass(frozen=True, slots=True)
class OptimismShown:
    """A score, higher is better, with its optimism: apparent, corrected, .632 and .632+, as `training.Optimism`."""

    apparent: float
    optimism: float
    corrected: float
    left_out: float
    no_information: float
    point632: float
    point632plus: float
    resamples: int


@dataclass(frozen=True, slots=True)
class SetsShown:
    """How the prediction sets did on the patients held out, averaged over the repeats.

    Attributes
    ----------
    error, guarantee
        Accepted share of sets that miss the outcome, and the least share that is guaranteed to hold it.
    calibrated_on
        Fewest patients that a fold's sets were calibrated on.
    one, both, neither
        Shares of patients for whom one outcome, both, or none is plausible; where it is not one, a predictor abstains.
    right
        Share of the sets of one outcome that hold the truth.
    coverage
        Of all, of those with and without the event, and of each subgroup, NaN for a group too small to tell; nothing
        guarantees it within a group.
    answered, accuracy
        Share of patients who get an answer when only the surest do, and how often "event from the threshold on" is
        then right.
    threshold
        The risk from which the event is said, in `accuracy`.
    """

    error: float
    guarantee: float
    calibrated_on: int
    one: float
    both: float
    neither: float
    right: float
    coverage: tuple[Coverage, ...]
    answered: tuple[float, ...]
    accuracy: tuple[float, ...]
    threshold: float


@dataclass(frozen=True, slots=True)
class Scrutiny:
    """How patients were held out, and what was asked of the main model beyond its figures.

    Attributes
    ----------
    plan, title, column
        Name of the plan, what it is in words, the column that it goes by.
    held_out
        Patients whom the figures are of.
    learnt_from, learnt_from_events
        Patients who are never held out, and how many of them had the event.
    names
        Of the folds: sites, or what was held out.
    sites, over_sites
        Figures of each named fold; where these are sites, their mean and the range expected at a new one.
    gaps, unshown_groups
        Gaps between the groups of a column; intersections of two columns that are too small to be shown.
    thresholds, alerts
        Thresholds of the study file, and those that the folds chose by costs.
    cost_ratio
        Cost of a missed event in false alerts; NaN where none is stated.
    prevalence
        Of the event in the clinic; NaN where none is stated.
    recalibration
        How risks were recalibrated inside the folds.
    optimism
        Scores corrected by bootstraps, by metric.
    sets
        How prediction sets did; None without them.
    learning, discrimination
        Discrimination by number of patients learnt from, and what it is called; None where it was not asked for.
    """

    plan: str
    title: str
    column: str
    held_out: int
    learnt_from: int
    learnt_from_events: int
    names: tuple[str, ...] = ()
    sites: tuple[GroupFigures, ...] = ()
    over_sites: Mapping[str, Pooled] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    unshown_groups: int = 0
    thresholds: tuple[ThresholdRow, ...] = ()
    alerts: ThresholdRow | None = None
    cost_ratio: float = math.nan
    prevalence: float = math.nan
    recalibration: str = "none"
    optimism: Mapping[str, OptimismShown] = field(default_factory=dict)
    sets: SetsShown | None = None
    learning: LearningCurve | None = None
    discrimination: str = "AUC"


@dataclass(frozen=True, slots=True)
class ThresholdLine:
    """One threshold in words: what it does to 100 patients, and what its alerts are worth."""

    threshold: str
    alerts: str
    cells: tuple[tuple[str, str, str], ...]
    number_needed: str
    net_benefit: str
    avoided: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The section as text: sentences and rows of tables."""

    sentences: tuple[str, ...]
    site_titles: tuple[str, ...]
    sites: tuple[tuple[GroupFigures, tuple[tuple[str, str, str] | None, ...]], ...]
    pooled: tuple[tuple[str, str, str] | None, ...]
    over_sites: tuple[tuple[str, str, str] | None, ...]
    new_site: tuple[tuple[str, str, str] | None, ...]
    alerts: ThresholdLine | None
    alerts_words: str
    thresholds: tuple[ThresholdLine, ...]
    prevalence_words: str
    optimism: tuple[tuple[str, ...], ...]
    sets_words: tuple[str, ...]
    coverage: tuple[tuple[str, int, str, str, str], ...]
    accuracy: tuple[tuple[str, str], ...]
    learning_words: str


def shown(scrutiny: Scrutiny, pooled: Mapping[str, Metric]) -> Shown:
    """Return the section's sentences and tables; `pooled` are the main model's figures over all who are held out."""
    names = [name for name in SITE_METRICS if name in pooled]
    alerts = scrutiny.alerts
    return Shown(
        sentences=_sentences(scrutiny),
        site_titles=tuple(metric_words(name).title for name in names),
        sites=tuple((site, _metrics(site.metrics, names)) for site in scrutiny.sites),
        pooled=_metrics(pooled, names),
        over_sites=tuple(_over_sites(scrutiny.over_sites.get(name), name) for name in names),
        new_site=tuple(_new_site(scrutiny.over_sites.get(name), name) for name in names),
        alerts=_threshold_line(alerts) if alerts else None,
        alerts_words=_alerts_words(scrutiny, alerts) if alerts else "",
        thresholds=tuple(_threshold_line(row) for row in scrutiny.thresholds),
        prevalence_words=_prevalence_words(scrutiny),
        optimism=tuple(_optimism_row(name, one) for name, one in scrutiny.optimism.items()),
        sets_words=_sets_words(scrutiny.sets) if scrutiny.sets else (),
        coverage=tuple(_coverage_row(one) for one in scrutiny.sets.coverage) if scrutiny.sets else (),
        accuracy=_accuracy_rows(scrutiny.sets) if scrutiny.sets else (),
        learning_words=_learning_words(scrutiny),
    )


def gap_rows(gaps: Sequence[Gap]) -> tuple[tuple[str, str, str, str, str, str], ...]:
    """Return attribute, metric, lowest and highest group, gap and p value of each gap."""
    return tuple(
        (
            gap.attribute,
            metric_words(gap.metric).title,
            gap.lowest,
            gap.highest,
            figure(gap.gap, metric_words(gap.metric).decimals),
            p_value(gap.p),
        )
        for gap in gaps
    )


def _sentences(scrutiny: Scrutiny) -> tuple[str, ...]:
    told = [WAYS.get(scrutiny.plan, scrutiny.title)]
    if scrutiny.learnt_from:
        told.append(
            f"Every figure of this page is of the {count(scrutiny.held_out, 'patient')} held out "
            f"({', '.join(scrutiny.names)}). {count(scrutiny.learnt_from, 'patient was', 'patients were')} only learnt "
            f"from, {scrutiny.learnt_from_events} of them with the event."
        )
    if scrutiny.recalibration in RECALIBRATIONS:
        told.append(
            f"Risks were recalibrated inside the folds by out-of-fold risks ({RECALIBRATIONS[scrutiny.recalibration]})."
        )
    return tuple(told)


def _metrics(metrics: Mapping[str, Metric], names: Sequence[str]) -> tuple[tuple[str, str, str] | None, ...]:
    return tuple(_metric(metrics.get(name), name) for name in names)


def _metric(metric: Metric | None, name: str) -> tuple[str, str, str] | None:
    if metric is None:
        return None
    decimals = metric_words(name).decimals
    return figure(metric.estimate, decimals), interval(metric.low, metric.high, decimals), metric.reason


def _over_sites(pooled: Pooled | None, name: str) -> tuple[str, str, str] | None:
    if pooled is None:
        return None
    decimals = metric_words(name).decimals
    return figure(pooled.estimate, decimals), interval(pooled.low, pooled.high, decimals), pooled.reason


def _new_site(pooled: Pooled | None, name: str) -> tuple[str, str, str] | None:
    if pooled is None or pooled.reason:
        return None
    return "", interval(pooled.new_low, pooled.new_high, metric_words(name).decimals), ""


def _alerts_words(scrutiny: Scrutiny, alerts: ThresholdRow) -> str:
    return (
        f"A missed event was said to cost as much as {figure(scrutiny.cost_ratio, 1)} false alerts. The inner folds of "
        "each fold chose the threshold that costs least, which for risks that are exactly right would be "
        f"{of_hundred(1 / (1 + scrutiny.cost_ratio))} of 100; it was applied to the patients held out. The median "
        f"threshold is {of_hundred(alerts.threshold)} of 100."
    )


def _prevalence_words(scrutiny: Scrutiny) -> str:
    implied = ""
    if math.isfinite(scrutiny.cost_ratio) and scrutiny.alerts is None:
        implied = (
            f" A missed event was said to cost as much as {figure(scrutiny.cost_ratio, 1)} false alerts, which means "
            f"acting from a risk of {percent(1 / (1 + scrutiny.cost_ratio))} on."
        )
    return _at_prevalence(scrutiny) + implied


def _at_prevalence(scrutiny: Scrutiny) -> str:
    if math.isnan(scrutiny.prevalence):
        return "Predictive values, alerts and net benefit hold at the prevalence of these patients."
    return (
        f"Predictive values, alerts and net benefit are carried over to a clinic in which "
        f"{of_hundred(scrutiny.prevalence)} of 100 have the event, by Bayes' rule: it holds if sensitivity and "
        "specificity do not change there."
    )


def _threshold_line(row: ThresholdRow) -> ThresholdLine:
    return ThresholdLine(
        threshold=f"{row.threshold * 100:.0f} %" if row.threshold * 100 >= 1 else f"{row.threshold * 100:.2g} %",
        alerts=of_hundred(row.alerts_per_100 / 100),
        cells=tuple(_share(share) for share in (row.sensitivity, row.specificity, row.ppv, row.npv)),
        number_needed=figure(row.number_needed_to_evaluate, 1),
        net_benefit=figure(100 * row.net_benefit, 1),
        avoided=figure(row.interventions_avoided_per_100, 1),
    )


def _share(share: Share) -> tuple[str, str, str]:
    if math.isnan(share.estimate):
        return NOT_COMPUTABLE, "", share.reason
    return percent(share.estimate), f"{share.low * 100:.0f} to {share.high * 100:.0f} %", ""


def percent(share: float) -> str:
    """Return a share as `91 %`."""
    return f"{share * 100:.0f} %"


def _optimism_row(name: str, one: OptimismShown) -> tuple[str, ...]:
    decimals = metric_words(name).decimals
    values = (one.apparent, one.optimism, one.corrected, one.left_out, one.no_information, one.point632)
    return (metric_words(name).title, *(figure(value, decimals + 1) for value in (*values, one.point632plus)))


def _sets_words(sets: SetsShown) -> tuple[str, ...]:
    undecided = [f"both for {of_hundred(sets.both)}", f"none for {of_hundred(sets.neither)}"]
    right = (
        "" if math.isnan(sets.right) else f"; of those with one plausible outcome it was right in {percent(sets.right)}"
    )
    return (
        f"A prediction set holds the outcomes that are plausible for a patient. Of 100 patients held out, one outcome "
        f"was plausible for {of_hundred(sets.one)}, {joined(undecided)}{right}. Where it is not one, the predictor of "
        "the bundle abstains and says why.",
        f"Accepted error {percent(sets.error)}. Cross-conformal sets, calibrated on at least "
        f"{count(sets.calibrated_on, 'patient')}, hold the outcome in at least {percent(sets.guarantee)} of patients "
        f"like these (1 − 2α, over all of them), usually in about {percent(1 - sets.error)}; within a group nothing "
        "is guaranteed.",
    )


def _coverage_row(one: Coverage) -> tuple[str, int, str, str, str]:
    if math.isnan(one.covered):
        return one.level, one.n, "suppressed: too few patients", "", ""
    return one.level, one.n, percent(one.covered), f"{one.low * 100:.0f} to {one.high * 100:.0f} %", figure(one.size)


def _accuracy_rows(sets: SetsShown) -> tuple[tuple[str, str], ...]:
    return tuple(
        (percent(answered), percent(accuracy) if math.isfinite(accuracy) else "too few patients")
        for answered, accuracy in zip(sets.answered, sets.accuracy, strict=True)
    )


def _learning_words(scrutiny: Scrutiny) -> str:
    curve = scrutiny.learning
    if curve is None:
        return ""
    if not curve.n:
        return sentence(f"No learning curve could be made: {curve.reason}")
    told = f"Learnt from {curve.n[0]} patients the {scrutiny.discrimination} was {figure(curve.score[0])}, from "
    told += f"{curve.n[-1]} it was {figure(curve.score[-1])}. "
    if curve.flat_at is None:
        return told + sentence(f"How many patients would be enough cannot be told: {curve.reason}")
    more = "within the numbers tried" if curve.flat_at <= curve.n[-1] else "an extrapolation, to be read with care"
    return told + (
        f"It is expected to come within {curve.tolerance:g} of its plateau of {figure(curve.plateau)} at "
        f"{count(curve.flat_at, 'patient')} ({more}; an inverse power law, Figueroa et al. 2012)."
    )
