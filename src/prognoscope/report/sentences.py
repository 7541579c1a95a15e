"""What the figures mean, in plain sentences: the answer, and what imaging adds to it.

A sentence is made from the numbers of the evaluation and from nothing else; none is tuned to a study.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from prognoscope.report.calibration_words import calibration_in_words
from prognoscope.report.content import ReportContent
from prognoscope.report.glossary import DISCRIMINATION, MODELS, NO_SIGNAL, guard_words, metric_words
from prognoscope.report.rounding import (
    NOT_COMPUTABLE,
    count,
    figure,
    interval,
    joined,
    of_hundred,
    p_value,
    span,
    with_interval,
)
from prognoscope.validation.results import (
    MIN_EVENTS,
    MIN_PATIENTS,
    SUPPRESSED,
    Comparison,
    Difference,
    Evaluation,
    Guard,
    LikelihoodRatio,
    Metric,
    ModelEvaluation,
)

Verdict = Literal[
    "clear",
    "signal",
    "faint",
    "unsure",
    "no-signal",
    "reversed",
    "too-good",
    "leaking",
    "few-events",
    "too-few",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """The first thing on the page: a verdict, the sentence that carries the figures, and what follows from it."""

    verdict: Verdict
    label: str
    sentence: str
    more: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Of 100 pairs of patients, how many a model ranks rightly (None where that cannot be computed)."""

    title: str
    right: int | None
    note: str


LABELS: dict[Verdict, str] = {
    "clear": "A clear signal was found",
    "signal": "A signal was found",
    "faint": "A faint signal: little more than a coin is not ruled out",
    "unsure": "Unsure: a coin is not ruled out",
    "no-signal": "No better than a coin, as far as this study can tell",
    "reversed": "Worse than a coin: the risks run the wrong way",
    "too-good": "Too good to be true, until it is explained",
    "leaking": "A guard against leakage failed",
    "few-events": "Too few events for a verdict",
    "too-few": "Too few patients to tell",
    "unknown": "No answer could be computed",
}


ENOUGH_FOR_AN_INTERVAL = 10
"""Patients with, and patients without the event, from which intervals of an AUC of 0.75 cover 93 % or more."""

CONSEQUENCES: dict[Verdict, str] = {
    "reversed": "The interval leaves out a coin on the wrong side: patients with the event tend to have lower risks. "
    "Is the event coded the wrong way round, or do the numbers state the chance of being free of it?",
    "too-good": "So good a ranking is hardly ever a prediction: look for the outcome itself, or what follows from it, "
    "among the predictors, and whether the model was learnt from these patients.",
    "few-events": f"With fewer than {ENOUGH_FOR_AN_INTERVAL} patients with, or without, the event the interval is no "
    "guide: in simulations a 95 % interval of the AUC from 5 events held the truth in only 87 to 90 of 100 studies.",
    "too-few": f"No figure is given below {MIN_PATIENTS} patients, or below {MIN_EVENTS} with or {MIN_EVENTS} without "
    "the event: chance alone could make it anything, and it could give away what happened to a single patient. A "
    "validation should have at least 100 of each (Collins 2016).",
}
"""What follows from a verdict, where its figures do not say so themselves."""

NEAR_A_COIN = 0.55
"""Low end of an interval up to which a predictor may rank only five more of 100 pairs rightly than a coin."""

CLEAR = 0.7
"""Low end of an interval from which discrimination is acceptable at least (Hosmer and Lemeshow 2000, chapter 5)."""

TOO_GOOD = 0.99
"""Discrimination from which risks hardly ever are predictions: they hold the outcome, or learnt from these patients."""


def answer(content: ReportContent) -> Answer:
    """Return the answer to the study's question, with its interval and what it is measured against."""
    evaluation = content.evaluation
    verdict = verdict_of(evaluation)
    more = [CONSEQUENCES.get(verdict, ""), event_frequency(content), added_value(evaluation)]
    more += [calibration_in_words(evaluation), warnings_in_words(evaluation)]
    return Answer(verdict, LABELS[verdict], lead(evaluation, verdict), tuple(part for part in more if part))


def headline_metric(model: ModelEvaluation) -> tuple[str, Metric] | None:
    """Return name and value of the metric of discrimination that the answer is told in; None without any."""
    for name in DISCRIMINATION:
        if name in model.metrics:
            return name, model.metrics[name]
    return None


def no_signal_guard(evaluation: Evaluation) -> Guard | None:
    """Return the guard that compares the result with permuted labels; None when it was not run."""
    return next((guard for guard in evaluation.guards if guard.name == NO_SIGNAL), None)


def leaks(evaluation: Evaluation) -> tuple[Guard, ...]:
    """Return the guards against leakage that failed: with one of them, no figure of the page can be believed."""
    return tuple(guard for guard in evaluation.guards if guard.blocks and guard.status == "failed")


def warnings_in_words(evaluation: Evaluation) -> str:
    """Return which guards did not pass; empty when all did or none was run."""
    told = []
    for status in ("failed", "warned"):
        names = [_lower(guard_words(guard.name)) for guard in evaluation.guards if guard.status == status]
        if names:
            told.append(f"{count(len(names), 'guard')} {status} ({joined(names)})")
    return f"{joined(told)}; read the evidence before using any figure of this page." if told else ""


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def verdict_of(evaluation: Evaluation) -> Verdict:
    """Return how much better than a coin the main model is, by the guard if it was run and by its interval."""
    found = headline_metric(evaluation.models[0])
    if found is None or math.isnan(found[1].estimate):
        return "too-few" if found is not None and found[1].reason.startswith(SUPPRESSED) else "unknown"
    metric = found[1]
    if leaks(evaluation):
        return "leaking"
    if _few_for_an_interval(evaluation):
        return "few-events"
    if metric.estimate >= TOO_GOOD:
        return "too-good"
    if metric.high < 0.5:
        return "reversed"
    guard = no_signal_guard(evaluation)
    if metric.estimate <= 0.5 or (guard is not None and guard.status != "passed"):
        return "no-signal"
    if math.isnan(metric.low) or metric.low <= 0.5:
        return "unsure"
    if metric.low < NEAR_A_COIN:
        return "faint"
    return "clear" if metric.low >= CLEAR else "signal"


def _few_for_an_interval(evaluation: Evaluation) -> bool:
    without = evaluation.n - evaluation.events - (evaluation.censored_before_horizon or 0)
    return min(evaluation.events, without) < ENOUGH_FOR_AN_INTERVAL


def lead(evaluation: Evaluation, verdict: Verdict) -> str:
    """Return the one sentence that answers: pairs out of 100, the figure, its interval, a coin, the clinic."""
    found = headline_metric(evaluation.models[0])
    if found is None:
        return "The evaluation holds no measure of discrimination, so the question has no answer here."
    name, metric = found
    title = metric_words(name).title
    if verdict == "too-few":
        return f"{count(evaluation.n, 'patient')}, {evaluation.events} of them with the event: too few for any figure."
    if math.isnan(metric.estimate):
        why = f": {metric.reason}" if metric.reason else ""
        return f"The {title} could not be computed{why}."
    opening = {"no-signal": "No signal: of", "leaking": "Not to be believed: of"}.get(verdict, "Of")
    return (
        f"{opening} 100 pairs of patients {_pairs(evaluation)}, the predictor gives the higher risk to "
        f"{_right(evaluation)} in {of_hundred(metric.estimate)} ({title} {_bracketed(metric)}), "
        f"where a coin would be right in 50{_clinic(evaluation, name)}."
    )


def _pairs(evaluation: Evaluation) -> str:
    if evaluation.outcome == "binary":
        return "(one with the event, one without)"
    return "(where it is known who had the event first)"


def _right(evaluation: Evaluation) -> str:
    return "the one with the event" if evaluation.outcome == "binary" else "that patient"


def _bracketed(metric: Metric) -> str:
    ends = interval(metric.low, metric.high)
    return f"{figure(metric.estimate)}, 95 % interval {ends}" if ends else f"{figure(metric.estimate)}, no interval"


def _clinic(evaluation: Evaluation, name: str) -> str:
    for model in evaluation.models[1:]:
        if model.name == "clinical" or (len(evaluation.models) == 2 and model.name not in MODELS):
            metric = model.metrics.get(name)
            if metric is None or math.isnan(metric.estimate):
                return ""
            return f" and {model_in_words(model)} in {of_hundred(metric.estimate)}"
    return ""


def model_in_words(model: ModelEvaluation) -> str:
    """Return how a sentence names a compared model."""
    return MODELS.get(model.name, f"“{model.title}”")


def pairs_of_hundred(evaluation: Evaluation) -> tuple[Pairs, ...]:
    """Return pairs ranked rightly out of 100 by the main model, each compared model, and a coin."""
    found = headline_metric(evaluation.models[0])
    if found is None or found[1].reason.startswith(SUPPRESSED):
        return ()
    name = found[0]
    rows = []
    for model in evaluation.models:
        metric = model.metrics.get(name)
        known = metric is not None and not math.isnan(metric.estimate)
        right = round_half_up(metric.estimate * 100) if metric is not None and known else None
        ends = interval(metric.low * 100, metric.high * 100, 0) if metric is not None else ""
        rows.append(Pairs(model.title, right, f"interval {ends}" if ends else "no interval"))
    return (*rows, Pairs("A coin", 50, "by chance"))


def round_half_up(value: float) -> int:
    """Round to the nearest whole number, a half upward, as people do."""
    return math.floor(value + 0.5)


def event_frequency(content: ReportContent) -> str:
    """Return how often the event happened, as counts and out of 100."""
    evaluation = content.evaluation
    took = f"{evaluation.events} of {count(evaluation.n, 'patient')}"
    if evaluation.outcome == "binary":
        share = of_hundred(evaluation.events / evaluation.n) if evaluation.n else NOT_COMPUTABLE
        return f"The event, {content.outcome}, happened in {took}: {share} of 100 patients like these."
    sentence = f"The event, {content.outcome}, happened in {took}"
    lost = evaluation.censored_before_horizon
    if lost is None or not evaluation.horizon_days:
        return f"{sentence}."
    horizon = span(evaluation.horizon_days)
    if lost == 0:
        return f"{sentence}; nobody was lost before {horizon}."
    return f"{sentence}; {count(lost, 'patient was', 'patients were')} followed for less than {horizon} without it."


def added_value(evaluation: Evaluation) -> str:
    """Return what the main model adds to the clinical variables, or to the only other model; empty without one."""
    comparison = _main_comparison(evaluation)
    if comparison is None:
        return ""
    main, reference = evaluation.model(comparison.model), evaluation.model(comparison.reference)
    found = headline_metric(main)
    if found is None or math.isnan(found[1].estimate) or found[0] not in comparison.differences:
        return ""
    title, difference = metric_words(found[0]).title, comparison.differences[found[0]]
    against = model_in_words(reference)
    if math.isnan(difference.estimate):
        return f"What the predictor adds to {against} could not be computed{_because(difference)}."
    figures = f"difference in {title} {with_interval(difference)}"
    if difference.low > 0:
        return f"It does better than {against}: {figures}."
    if difference.high < 0:
        return f"It does worse than {against}: {figures}."
    return f"It has not been shown to do better than {against}: {figures}."


def comparisons_in_words(evaluation: Evaluation) -> tuple[str, ...]:
    """Return the tests of the main model against each other one: DeLong's of AUCs, likelihood ratio of risks."""
    told = []
    for one in evaluation.comparisons:
        main, reference = evaluation.model(one.model).title, evaluation.model(one.reference).title
        told += _delong_in_words(f"{main} and {reference}", one.delong)
        told += _likelihood_in_words(f"{main} added to {reference}", one.likelihood_ratio)
    return tuple(told)


def _delong_in_words(what: str, test: Difference | None) -> list[str]:
    if test is None:
        return []
    if math.isnan(test.p):
        return [f"{what}: no test of the AUCs ({test.reason})."]
    figures = f"difference {figure(test.difference, 3)}, 95 % interval {interval(test.low, test.high, 3)}"
    return [f"{what}: DeLong's test of the AUCs, {figures}, p {p_value(test.p)}."]


def _likelihood_in_words(what: str, test: LikelihoodRatio | None) -> list[str]:
    if test is None:
        return []
    if math.isnan(test.p):
        return [f"{what}: no likelihood ratio test ({test.reason})."]
    figures = f"χ² {figure(test.statistic, 1)}, {count(test.degrees, 'degree')} of freedom, p {p_value(test.p)}"
    return [f"{what}: likelihood ratio test, {figures}."]


def integrated_in_words(evaluation: Evaluation) -> tuple[str, ...]:
    """Return the Brier score over time of each model whose risks by several times were given."""
    told = []
    for model in evaluation.models:
        course = model.over_time
        if course is None or course.integrated_brier is None or course.integrated_scaled_brier is None:
            continue
        days = f"from day {course.brier.x[0]:g} to day {course.brier.x[-1]:g}"
        told.append(
            f"{model.title}: integrated Brier score {days} {with_interval(course.integrated_brier, 3)}; improvement "
            f"over the Kaplan-Meier risk for everyone {with_interval(course.integrated_scaled_brier)} (1 is perfect)."
        )
    return tuple(told)


MOST_RUNS = 3


def benefit_added(evaluation: Evaluation) -> tuple[str, ...]:
    """Return at which thresholds the main model's net benefit lies above or below each other's, by the band."""
    told = []
    for one in evaluation.comparisons:
        curve = one.net_benefit
        if not curve.low:
            continue
        against = f"{evaluation.model(one.model).title} against {evaluation.model(one.reference).title}"
        rows = list(zip(curve.x, curve.low, curve.high, strict=True))
        better = [x for x, low, _ in rows if low > 0]
        worse = [x for x, _, high in rows if high < 0]
        found = [f"{words} at {_runs(some, curve.x)}" for words, some in (("higher", better), ("lower", worse)) if some]
        what = joined(found) if found else "not shown to differ at any threshold"
        told.append(f"{against}: net benefit {what} (pointwise 95 % bands of the difference).")
    return tuple(told)


def _runs(some: Sequence[float], of: Sequence[float]) -> str:
    """Return thresholds as runs without a gap: `from 4 to 52 %`, the three longest of them, in their order."""
    places = [of.index(value) for value in some]
    starts = [at for at, place in enumerate(places) if at == 0 or place != places[at - 1] + 1]
    runs = [some[start:stop] for start, stop in itertools.pairwise([*starts, len(some)])]
    longest = sorted(sorted(runs, key=len, reverse=True)[:MOST_RUNS], key=lambda run: run[0])
    told = [
        f"{run[0] * 100:.0f} %" if len(run) == 1 else f"{run[0] * 100:.0f} to {run[-1] * 100:.0f} %" for run in longest
    ]
    return joined(told) + (" and some others" if len(runs) > MOST_RUNS else "")


def _main_comparison(evaluation: Evaluation) -> Comparison | None:
    main = evaluation.models[0].name
    rows = [entry for entry in evaluation.comparisons if entry.model == main]
    clinical = [entry for entry in rows if entry.reference == "clinical"]
    return next(iter(clinical or rows), None)


def _because(metric: Metric) -> str:
    return f" ({metric.reason})" if metric.reason else ""


def benefit_in_words(model: ModelEvaluation) -> str:
    """Return at which thresholds acting on a model has the highest net benefit, by the estimates."""
    curve, everyone = model.decision.model, model.decision.treat_all
    known = [(x, y, all_) for x, y, all_ in zip(curve.x, curve.y, everyone, strict=True) if math.isfinite(y)]
    better = [x for x, y, all_ in known if y > max(all_, 0.0)]
    where = count(len(known), "threshold")
    if len(known) < len(curve.x):
        where += " at which it can be computed"
    if not better:
        return f"{model.title}: better than treating everyone or nobody at none of {where}."
    return (
        f"{model.title}: better than treating everyone and than treating nobody at {len(better)} of {where} "
        f"({_runs(better, [x for x, _, _ in known])})."
    )
