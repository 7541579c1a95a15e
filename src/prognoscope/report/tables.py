"""The tables of the page: rows of text made from the evaluation, in an order that does not depend on the input's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prognoscope.core.flow import Flow
from prognoscope.report.content import Importance, ReportContent, Subgroup
from prognoscope.report.glossary import METRICS, in_words, metric_words
from prognoscope.report.rounding import NOT_COMPUTABLE, figure, interval, unit
from prognoscope.validation.results import Curve, Evaluation, Guard, Metric

STATUS_ORDER = {"failed": 0, "warned": 1, "passed": 2}

THRESHOLDS_SHOWN = (0.1, 0.2, 0.3, 0.4, 0.5)

EVER = "settings_tried_on_this_cohort_ever"

COUNT_WORDS = {
    "folds": "Outer folds",
    "repeats": "Repeats of the cross-validation",
    "inner": "Inner folds, for tuning and choice",
    "inner_folds": "Inner folds, for tuning and choice",
    "resamples": "Resamples of patients for each interval",
    "settings": "Model settings tried in this run",
    "settings_tried": "Model settings tried in this run",
    EVER: "Model settings ever tried on this cohort",
    "models_tried": "Kinds of models tried in this run",
    "models_tried_on_this_cohort_ever": "Kinds of models ever tried on this cohort",
    "patients_only_learnt_from": "Patients only learnt from",
    "uses_of_this_external_set_ever": "Results that the set kept apart has given",
    "bootstraps": "Bootstraps, the whole pipeline learnt in each",
    "refits": "Refits for the interval of a patient's risk",
    "permutations": "Permutations of the outcome",
}

STEP_WORDS = {
    "table": "The table of patients",
    "eligibility": "Eligibility",
    "time zero": "Time zero",
    "outcome": "Outcome",
    "images": "Images",
    "regions": "Regions of interest",
    "measurement": "Measurement",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure in a table: the estimate, its interval and, where one of them lacks, why."""

    estimate: str
    interval: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One metric of all models (None where a model has none), and its differences from the compared models."""

    title: str
    reading: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One step that excluded: how many patients went there, by kind of problem, and how many remained."""

    title: str
    gone: int
    remaining: int
    reasons: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class ImportanceRow:
    """One line of what mattered, with the places of its bar and its range on a scale from 0 to 100."""

    name: str
    words: str
    unit: str
    selected: str
    selected_place: float
    mean: str
    spread: str
    direction: str
    low_place: float
    mean_place: float
    high_place: float


def cell(metric: Metric | None, decimals: int) -> Cell | None:
    """Return the text of a metric; None stays None."""
    if metric is None:
        return None
    if math.isnan(metric.estimate):
        return Cell(NOT_COMPUTABLE, reason=metric.reason)
    ends = interval(metric.low, metric.high, decimals)
    return Cell(figure(metric.estimate, decimals), ends, metric.reason or ("" if ends else "no interval"))


def metric_names(groups: Sequence[Mapping[str, Metric]]) -> tuple[str, ...]:
    """Return the names of all metrics that occur: those of the glossary in its order, then others by name."""
    found = {name for metrics in groups for name in metrics}
    known = [name for name in METRICS if name in found]
    return (*known, *sorted(found - set(known)))


def metric_rows(evaluation: Evaluation) -> tuple[MetricRow, ...]:
    """Return one row per metric with a cell for each model."""
    return _rows([model.metrics for model in evaluation.models])


def difference_rows(evaluation: Evaluation) -> tuple[MetricRow, ...]:
    """Return one row per metric with a cell for each comparison."""
    return _rows([comparison.differences for comparison in evaluation.comparisons])


def _rows(groups: Sequence[Mapping[str, Metric]]) -> tuple[MetricRow, ...]:
    rows = []
    for name in metric_names(groups):
        words = metric_words(name)
        cells = tuple(cell(metrics.get(name), words.decimals) for metrics in groups)
        rows.append(MetricRow(words.title, words.reading, cells))
    return tuple(rows)


def benefit_rows(evaluation: Evaluation) -> tuple[tuple[str, tuple[Cell | None, ...]], ...]:
    """Return net benefit per 100 patients at round thresholds, of each model and of treating everyone."""
    decisions = [model.decision for model in evaluation.models]
    rows = []
    for threshold in THRESHOLDS_SHOWN:
        places = [_place_of(threshold, decision.model.x) for decision in decisions]
        cells = [_benefit(decision.model, place) for decision, place in zip(decisions, places, strict=True)]
        if any(cells):
            first = decisions[0]
            everyone = Curve(first.model.x, first.treat_all, first.treat_all_low, first.treat_all_high)
            rows.append((f"{threshold * 100:.0f} %", (*cells, _benefit(everyone, places[0]))))
    return tuple(rows)


def _place_of(threshold: float, x: Sequence[float]) -> int | None:
    return next((place for place, value in enumerate(x) if math.isclose(value, threshold, abs_tol=1e-6)), None)


def _benefit(curve: Curve, place: int | None) -> Cell | None:
    if place is None:
        return None
    if math.isnan(curve.y[place]):
        return Cell(NOT_COMPUTABLE, reason="nobody above it was followed to the horizon")
    if not curve.low:
        return Cell(figure(100 * curve.y[place], 1))
    ends = interval(100 * curve.low[place], 100 * curve.high[place], 1)
    return Cell(figure(100 * curve.y[place], 1), ends, "" if ends else "no interval")


def comparison_titles(evaluation: Evaluation) -> tuple[str, ...]:
    """Return `All predictors − Clinical variables only` for each comparison."""
    titles = {model.name: model.title for model in evaluation.models}
    return tuple(
        f"{titles.get(entry.model, entry.model)} − {titles.get(entry.reference, entry.reference)}"
        for entry in evaluation.comparisons
    )


def guards_in_order(guards: Sequence[Guard]) -> tuple[Guard, ...]:
    """Return failed guards first, then warned, then passed; each kind in the order in which they ran."""
    return tuple(sorted(guards, key=lambda guard: STATUS_ORDER[guard.status]))


def guard_tally(guards: Sequence[Guard]) -> str:
    """Return `9 passed, 2 warned, 0 failed`."""
    return ", ".join(
        f"{sum(guard.status == status for guard in guards)} {status}" for status in ("passed", "warned", "failed")
    )


def flow_steps(flow: Flow) -> tuple[FlowStep, ...]:
    """Return the steps that excluded someone, in the order in which they came."""
    steps: dict[str, list[tuple[str, int]]] = {}
    for step, code, number in flow.counts():
        steps.setdefault(step, []).append((in_words(code), number))
    rows, remaining = [], flow.considered
    for name, reasons in steps.items():
        gone = sum(number for _, number in reasons)
        remaining -= gone
        rows.append(FlowStep(STEP_WORDS.get(name, in_words(name)), gone, remaining, tuple(reasons)))
    return tuple(rows)


def counts(content: ReportContent) -> tuple[tuple[str, str], ...]:
    """Return what the study counted, as pairs of words and number."""
    evaluation = content.evaluation
    rows = [("Patients", f"{evaluation.n:,}"), ("Patients with the event", f"{evaluation.events:,}")]
    if evaluation.censored_before_horizon is not None:
        rows.append(("Patients censored before the horizon", f"{evaluation.censored_before_horizon:,}"))
    if content.candidate_parameters:
        rows.append(("Candidate parameters", f"{content.candidate_parameters:,}"))
    if content.sources:
        rows.append(("Sources of patients", f"{len(content.sources):,}"))
    # Risks that no folds gave have no repeats, and a set kept apart is one fold, which needs no counting.
    folded = evaluation.counts.get("folds", 1) > 1
    told = {name: number for name, number in evaluation.counts.items() if folded or name not in ("folds", "repeats")}
    rows += [(COUNT_WORDS.get(name, in_words(name)), f"{number:,}") for name, number in told.items()]
    if content.tried_ever is not None and EVER not in evaluation.counts:
        rows.append((COUNT_WORDS[EVER], f"{content.tried_ever:,}"))
    return tuple(rows)


def importance_rows(importances: Sequence[Importance]) -> tuple[ImportanceRow, ...]:
    """Return the lines of what mattered, all ranges on one scale that includes 0."""
    known = [end for entry in importances for end in (entry.low, entry.high, entry.mean) if math.isfinite(end)]
    least, most = min([0.0, *known]), max([0.0, *known])
    width = (most - least) or 1.0
    decimals = max(3, 2 - math.floor(math.log10(max(most, -least)))) if max(most, -least) > 0 else 3

    def place(value: float) -> float:
        return round(100 * (value - least) / width, 2) if math.isfinite(value) else 0.0

    return tuple(
        ImportanceRow(
            name=entry.name,
            words=entry.words,
            unit=unit(entry.unit),
            selected=f"{entry.selected * 100:.0f} %" if math.isfinite(entry.selected) else NOT_COMPUTABLE,
            selected_place=round(100 * entry.selected, 1) if math.isfinite(entry.selected) else 0.0,
            mean=figure(entry.mean, decimals),
            spread=interval(entry.low, entry.high, decimals) if entry.low < entry.high else "",
            direction=entry.direction,
            low_place=place(entry.low),
            mean_place=place(entry.mean),
            high_place=place(entry.high),
        )
        for entry in importances
    )


def zero_place(importances: Sequence[Importance]) -> float:
    """Return where 0 lies on the scale of `importance_rows`."""
    known = [end for entry in importances for end in (entry.low, entry.high, entry.mean) if math.isfinite(end)]
    least, most = min([0.0, *known]), max([0.0, *known])
    return round(-100 * least / ((most - least) or 1.0), 2)


def subgroup_rows(
    subgroups: Sequence[Subgroup],
) -> tuple[tuple[str, ...], tuple[tuple[Subgroup, tuple[Cell | None, ...]], ...]]:
    """Return the titles of the metrics shown and, for each subgroup, its cells."""
    names = metric_names([subgroup.metrics for subgroup in subgroups])
    rows = tuple(
        (subgroup, tuple(cell(subgroup.metrics.get(name), metric_words(name).decimals) for name in names))
        for subgroup in subgroups
    )
    return tuple(metric_words(name).title for name in names), rows


def included_in_words(content: ReportContent) -> str:
    """Return `19 with the event, 32 without` of those who took part, as far as the evaluation counts them."""
    evaluation = content.evaluation
    known = "" if evaluation.outcome == "binary" else " by the horizon"
    without = evaluation.n - evaluation.events - (evaluation.censored_before_horizon or 0)
    lost = evaluation.censored_before_horizon
    tail = f", {lost:,} censored before it" if lost else ""
    told = f"{evaluation.events:,} with the event{known}, {without:,} without{tail}"
    if content.scrutiny is None or not content.scrutiny.learnt_from:
        return told
    return f"{content.scrutiny.learnt_from:,} only learnt from, and {evaluation.n:,} held out: {told}"


def took_part(content: ReportContent) -> int:
    """Return how many patients took part: those whom the figures are of, and those only learnt from."""
    return content.evaluation.n + (content.scrutiny.learnt_from if content.scrutiny else 0)


def plain(value: Any) -> Any:
    """Return settings as nothing but dicts, lists, text, numbers and None, for writing them out."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        inner = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [plain(entry) for entry in inner]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)
