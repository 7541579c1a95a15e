"""What the study cannot say, in plain sentences made from its numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

from prognoscope.report.content import ReportContent
from prognoscope.report.glossary import metric_words
from prognoscope.report.rounding import count, figure, interval, joined, of_hundred, sentence, span
from prognoscope.report.sentences import headline_metric
from prognoscope.validation.results import SUPPRESSED

ENOUGH_TO_VALIDATE = 100
"""Events, and patients without, that a validation should have at least (Collins et al. 2016, Stat Med 35:214)."""

WIDE_INTERVAL = 0.1
"""Width above which an interval of AUC or C leaves open whether a predictor is of use."""

FEW_EVENTS_PER_CANDIDATE = 10.0
"""Events per candidate parameter below which overfitting is to be expected (Peduzzi et al. 1996)."""


def limits(content: ReportContent) -> tuple[str, ...]:
    """Return the limits of the study, the gravest kinds first; each sentence stands on a number of the content."""
    found = (rule(content) for rule in RULES)
    return tuple(sentence for sentence in found if sentence)


def _size(content: ReportContent) -> str:
    evaluation = content.evaluation
    rest = evaluation.n - evaluation.events
    size = f"{count(evaluation.n, 'patient')}, {evaluation.events} of them with the event"
    fewer = min(evaluation.events, rest)
    if fewer >= ENOUGH_TO_VALIDATE:
        return f"{size}: enough to estimate discrimination, yet only of patients like these."
    which = "with" if evaluation.events <= rest else "without"
    return (
        f"{size}: a small study. A validation should have at least {ENOUGH_TO_VALIDATE} patients with and "
        f"{ENOUGH_TO_VALIDATE} without the event (Collins 2016); here "
        f"{'there is' if fewer == 1 else 'there are'} {fewer} {which} it."
    )


def _width(content: ReportContent) -> str:
    found = headline_metric(content.evaluation.models[0])
    if found is None:
        return ""
    name, metric = found
    ends = interval(metric.low, metric.high)
    if not ends or metric.high - metric.low <= WIDE_INTERVAL:
        return ""
    reach = f"from {of_hundred(metric.low)} to {of_hundred(metric.high)} of 100 pairs ranked rightly"
    wide = f"The interval of the {metric_words(name).title} is wide: {reach}"
    if metric.low <= 0.5 <= metric.high:
        return f"{wide}. A coin lies within it, so the study cannot tell a useful predictor from a useless one."
    return f"{wide}."


def _place(content: ReportContent) -> str:
    if content.external_validation:
        return ""
    if content.external_validation is None:
        return (
            "Whether these patients are others than those from whom the predictor was learnt was not stated; "
            "if they are the same, the figures are too good."
        )
    if len(content.sources) == 1:
        where = f"All patients come from one source ({content.sources[0]})"
    elif content.sources:
        where = f"The patients come from {count(len(content.sources), 'source')}, and each helped to make the predictor"
    else:
        where = "Where the patients come from was not given"
    return f"{where}; there is no external validation, so {_not_known(content)}."


def _not_known(content: ReportContent) -> str:
    """What the plan by which patients were held out leaves open."""
    plan = content.scrutiny.plan if content.scrutiny else ""
    if plan == "leave-one-site-out":
        return (
            "the sites' figures are of predictors learnt at the other sites, and the one handed on was tested nowhere"
        )
    if plan == "held-out-by-time":
        return "how it does elsewhere is not known, and the predictor handed on has learnt from the later patients too"
    return "how it does elsewhere or later is not known"


def _used_before(content: ReportContent) -> str:
    uses = content.evaluation.counts.get("uses_of_this_external_set_ever", 0)
    if uses <= 1:
        return ""
    return f"The set kept apart has given {uses} different results: only the first was of patients not yet looked at."


def _candidates(content: ReportContent) -> str:
    candidates, events = content.candidate_parameters, content.evaluation.events
    if not candidates:
        return ""
    ratio = events / candidates
    if ratio >= FEW_EVENTS_PER_CANDIDATE:
        return ""
    each = figure(ratio, 0 if ratio >= 10 else 1 if ratio >= 0.1 else 2)
    return (
        f"{count(events, 'event')} for {count(candidates, 'candidate parameter')}, {each} each "
        f"(a rule of thumb asks for {FEW_EVENTS_PER_CANDIDATE:.0f} or more): "
        "which predictors were chosen is largely luck, and another sample would choose others."
    )


def _censored(content: ReportContent) -> str:
    evaluation = content.evaluation
    lost = evaluation.censored_before_horizon
    if not lost or not evaluation.horizon_days:
        return ""
    return (
        f"{count(lost, 'patient was', 'patients were')} followed for less than {span(evaluation.horizon_days)} without "
        f"the event ({of_hundred(lost / evaluation.n)} of 100): what happened to them is weighted for, not known."
    )


def _excluded(content: ReportContent) -> str:
    flow = content.flow
    if flow is None or not flow.exclusions or not flow.considered:
        return ""
    gone = len(flow.exclusions)
    return (
        f"{gone} of {count(flow.considered, 'patient')} considered did not take part "
        f"({of_hundred(gone / flow.considered)} of 100); the result holds for patients like those who did."
    )


def _tried(content: ReportContent) -> str:
    ever = content.tried_ever
    if not ever or ever == 1:
        return ""
    return (
        f"{count(ever, 'model setting')} have been tried on this cohort so far, other runs "
        "included; the more are tried, the more a good figure is luck."
    )


def _absent(content: ReportContent) -> str:
    gaps = [
        metric_words(name).title
        for name, metric in content.evaluation.models[0].metrics.items()
        if math.isnan(metric.estimate)
    ]
    if _all_suppressed(content):
        return ""
    return f"Not computable for the main model: {joined(gaps)} (reasons stand in the table of figures)." if gaps else ""


def _groups(content: ReportContent) -> str:
    if content.subgroups:
        return ""
    return "Whether it does worse in some groups of patients was not examined."


def _all_suppressed(content: ReportContent) -> bool:
    metrics = content.evaluation.models[0].metrics.values()
    return all(metric.reason.startswith(SUPPRESSED) for metric in metrics) and bool(metrics)


def _intervals(content: ReportContent) -> str:
    if _all_suppressed(content):
        return ""
    return sentence(content.evaluation.interval)


RULES: tuple[Callable[[ReportContent], str], ...] = (
    _size,
    _width,
    _candidates,
    _place,
    _used_before,
    _censored,
    _excluded,
    _tried,
    _absent,
    _groups,
    _intervals,
)
