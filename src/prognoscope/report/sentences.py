"""What the figures mean, in plain sentences: the answer, and what imaging adds to it.

A sentence is made from the numbers of the evaluation and from nothing else; none is tuned to a study.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

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
from prognoscope.validation.results import Comparison, Evaluation, Guard, Metric, ModelEvaluation

Verdict = Literal["clear", "signal", "faint", "unsure", "no-signal", "reversed", "leaking", "unknown"]


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
    "leaking": "A guard against leakage failed",
    "unknown": "No answer could be computed",
}


NEAR_A_COIN = 0.55
"""Low end of an interval up to which a predictor may rank only five more of 100 pairs rightly than a coin."""

CLEAR = 0.7
"""Low end of an interval from which discrimination is acceptable at least (Hosmer and Lemeshow 2000, chapter 5)."""


def answer(content: ReportContent) -> Answer:
    """Return the answer to the study's question, with its interval and what it is measured against."""
    evaluation = content.evaluation
    verdict = verdict_of(evaluation)
    more = [event_frequency(content), added_value(evaluation)]
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
        return "unknown"
    metric = found[1]
    if leaks(evaluation):
        return "leaking"
    if metric.high < 0.5:
        return "reversed"
    guard = no_signal_guard(evaluation)
    if metric.estimate <= 0.5 or (guard is not None and guard.status != "passed"):
        return "no-signal"
    if math.isnan(metric.low):
        return "signal" if guard is not None else "unsure"  # an AUC of 1 has no interval, but may be no chance
    if metric.low <= 0.5:
        return "unsure"
    if metric.low < NEAR_A_COIN:
        return "faint"
    return "clear" if metric.low >= CLEAR else "signal"


def lead(evaluation: Evaluation, verdict: Verdict) -> str:
    """Return the one sentence that answers: pairs out of 100, the figure, its interval, a coin, the clinic."""
    found = headline_metric(evaluation.models[0])
    if found is None:
        return "The evaluation holds no measure of discrimination, so the question has no answer here."
    name, metric = found
    title = metric_words(name).title
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
    if found is None:
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


def likelihood_ratios(evaluation: Evaluation) -> tuple[str, ...]:
    """Return whether the main model's risks add to each other model's, where that can be tested."""
    told = []
    for one in evaluation.comparisons:
        test = one.likelihood_ratio
        if test is None:
            continue
        what = f"{evaluation.model(one.model).title} added to {evaluation.model(one.reference).title}"
        if math.isnan(test.p):
            told.append(f"{what}: no likelihood ratio test ({test.reason}).")
        else:
            figures = f"χ² {figure(test.statistic, 1)}, {count(test.degrees, 'degree')} of freedom, p {p_value(test.p)}"
            told.append(f"{what}: likelihood ratio test, {figures}.")
    return tuple(told)


def _main_comparison(evaluation: Evaluation) -> Comparison | None:
    main = evaluation.models[0].name
    rows = [entry for entry in evaluation.comparisons if entry.model == main]
    clinical = [entry for entry in rows if entry.reference == "clinical"]
    return next(iter(clinical or rows), None)


def _because(metric: Metric) -> str:
    return f" ({metric.reason})" if metric.reason else ""


def calibration_in_words(evaluation: Evaluation) -> str:
    """Return whether the main model's risks can be taken at face value; empty without intercept and slope."""
    metrics = evaluation.models[0].metrics
    intercept, slope = metrics.get("calibration_intercept"), metrics.get("calibration_slope")
    if intercept is None or slope is None or math.isnan(intercept.estimate) or math.isnan(slope.estimate):
        return ""
    faults = [*_level_fault(intercept), *_spread_fault(slope)]
    figures = f"calibration intercept {with_interval(intercept)}, slope {with_interval(slope)}"
    if faults:
        return f"The risks cannot be taken at face value, they are {' and '.join(faults)}: {figures}."
    if any(math.isnan(end) for metric in (intercept, slope) for end in (metric.low, metric.high)):
        return f"Whether the risks are right on average could not be judged without intervals: {figures}."
    seen = count(evaluation.events, "event")
    if slope.low <= 0:
        return f"Whether the risks are right cannot be told from {seen}: {figures}."
    return f"No miscalibration was shown, though with {seen} a moderate one can go unseen: {figures}."


def _level_fault(intercept: Metric) -> list[str]:
    if intercept.low > 0:
        return ["too low on average"]
    return ["too high on average"] if intercept.high < 0 else []


def _spread_fault(slope: Metric) -> list[str]:
    if slope.high < 0:
        return ["turned round (the event is more frequent where they are lower)"]
    if slope.high < 1:
        return ["too far apart (they differ between patients more than what happens does)"]
    return ["too near to one another"] if slope.low > 1 else []


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
        f"(the lowest {min(better) * 100:.0f} %, the highest {max(better) * 100:.0f} %)."
    )
