"""For whom a model works: every figure by group of patients, how far groups lie apart, and whether the label is fair.

A group's figures are suppressed, with the reason, when it has too few patients or events for a figure to mean anything
(and few enough to single people out). Gaps are tested by dealing the groups out anew among the patients.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import f as f_distribution
from scipy.stats import norm, rankdata

from prognoscope.core.outcome import Outcome
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.seeds import generator
from prognoscope.validation.censoring import known_event
from prognoscope.validation.checks import Floats, numbers
from prognoscope.validation.evaluation import metrics_alone
from prognoscope.validation.metrics import MetricKind, sample, too_few
from prognoscope.validation.resampling import MIN_RESAMPLES, RESAMPLED_UP_TO, Counts, blocks
from prognoscope.validation.results import MIN_EVENTS, MIN_PATIENTS, Metric
from prognoscope.validation.uncertainty import metric_kinds

SHUFFLES = 999
FEW_SHUFFLES = 199
MANY_PATIENTS = 2000
MISSING = "missing"
COMPARED = ("auc", "c_index", "brier", "calibration_intercept", "calibration_slope", "observed_expected")
PROXY_P = 0.01
PROXY_SHIFT = 0.1

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """One group's figures.

    Attributes
    ----------
    attribute, level
        What defines it (`sex`, `F`; for an intersection `sex × site`, `F × north`).
    n, events
        Patients, and those with the event (by the horizon).
    metrics
        By name as in `METRICS`; empty when suppressed.
    reason
        Why it is suppressed; empty otherwise.
    """

    attribute: str
    level: str
    n: int
    events: int
    metrics: Mapping[str, Metric]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """How far the groups of an attribute lie apart in a figure.

    Attributes
    ----------
    lowest, highest
        Levels with the smallest and the largest value.
    gap
        Largest less smallest value.
    p
        Permutation p value of a gap this large when groups do not matter; above 50,000 patients from the analytic
        standard errors of the two, corrected for the number of pairs.
    """

    attribute: str
    metric: str
    lowest: str
    highest: str
    gap: float
    p: float


@dataclass(frozen=True, slots=True)
class Proxy:
    """Whether a label stands for the same reference outcome in every group."""

    flagged: bool
    p: float
    shifts: Mapping[str, float]
    evidence: str


class _How(TypedDict):
    """How the figures of every group are made."""

    resamples: int
    seed: int
    prevalence: float | None


def group_figures(
    outcome: Outcome,
    model: OutOfFold,
    groups: pd.DataFrame,
    *,
    resamples: int,
    seed: int,
    prevalence: float | None = None,
) -> tuple[GroupFigures, ...]:
    """Figures of each level of each column, and of the intersections of two columns.

    Parameters
    ----------
    outcome, model
        Of the same `n` patients.
    groups
        One row per patient, one column per attribute; missing values are a level of their own.
    resamples, seed, prevalence
        As in `evaluate`; the same prevalence for all groups makes what depends on it comparable.
    """
    how: _How = {"resamples": resamples, "seed": seed, "prevalence": prevalence}
    return tuple(
        _figures(outcome, model, attribute, level, rows, how)
        for attribute, members in _attributes(groups)
        for level, rows in members.items()
    )


def group_gaps(
    outcome: Outcome, model: OutOfFold, groups: pd.DataFrame, *, seed: int, known: Sequence[GroupFigures] = ()
) -> tuple[Gap, ...]:
    """Gaps between the levels of each single column, over the levels that are not suppressed.

    `known` are the figures of the same groups where they have been made, for cohorts that are tested by them.
    """
    found = []
    for name in groups.columns:
        members = _members(*_coded(groups[name]))
        large = {level: rows for level, rows in members.items() if not _too_small(outcome.take(rows))}
        if len(large) < 2:
            continue
        if len(outcome) <= RESAMPLED_UP_TO:
            found += _permuted_gaps(outcome, model, str(name), large, seed=seed)
            continue
        made = known or group_figures(outcome, model, groups[[name]], resamples=MIN_RESAMPLES, seed=seed)
        figures = [one for one in made if one.attribute == str(name) and not one.reason]
        found += _analytic_gaps(outcome, str(name), figures)
    return tuple(gap for gap in found if math.isfinite(gap.gap))


def proxy_check(label: ArrayLike, reference: ArrayLike, group: Sequence[object]) -> Proxy:
    """Whether a label (cost) means the same reference outcome (illness) in every group, given the label's value.

    Obermeyer et al. 2019, Science 366:447, found more illness in one group at equal cost. Ranks of the reference are
    regressed on the rank of the label, its square, the groups and their interactions; flagged when the groups add
    (F test, p below 0.01) and two groups of at least 20 lie more than 0.1 standard deviations of the reference's ranks
    apart at equal label.

    Parameters
    ----------
    label, reference
        `(n,)` numbers, 0 and 1 for events.
    group
        `(n,)` levels.

    Returns
    -------
    `shifts` are mean ranks of the reference (in standard deviations) given the label, by group.
    """
    first = numbers(label, what="label")
    other = numbers(reference, what="reference outcome", n=len(first))
    levels = np.array(_text(pd.Series(list(group))).tolist())
    kept = [level for level in sorted(set(levels)) if np.count_nonzero(levels == level) >= MIN_PATIENTS]
    if len(kept) < 2 or np.ptp(first) == 0 or np.ptp(other) == 0:
        return Proxy(False, math.nan, {}, f"Not testable: fewer than two groups of {MIN_PATIENTS} or a constant.")
    rows = np.isin(levels, kept)
    x, y, who = _standard_rank(first[rows]), _standard_rank(other[rows]), levels[rows]
    base = np.column_stack([np.ones_like(x), x, x**2])
    own = np.column_stack([part for level in kept[1:] for part in ((who == level) * 1.0, (who == level) * x)])
    residual = y - base @ np.linalg.lstsq(base, y, rcond=None)[0]
    p = _f_test(base, np.column_stack([base, own]), y)
    shifts = {level: float(residual[who == level].mean()) for level in kept}
    apart = max(shifts.values()) - min(shifts.values())
    flagged = p < PROXY_P and apart > PROXY_SHIFT
    low, high = min(shifts, key=lambda level: shifts[level]), max(shifts, key=lambda level: shifts[level])
    verdict = "so the label is not a fair stand-in" if flagged else "no more than chance or too little to matter"
    evidence = (
        f"At equal label, {high} has a reference outcome {apart:.2f} standard deviations above {low} "
        f"({_in_words(p)}, {rows.sum()} patients): {verdict}."
    )
    return Proxy(flagged, p, shifts, evidence)


def _attributes(groups: pd.DataFrame) -> list[tuple[str, dict[str, Rows]]]:
    """Each column, then each pair of columns: the rows of each level."""
    coded = {str(name): _coded(groups[name]) for name in groups.columns}
    single = [(name, _members(*one)) for name, one in coded.items()]
    crossed = []
    for (a, (first, names)), (b, (second, others)) in itertools.combinations(coded.items(), 2):
        pairs, codes = np.unique(first * len(others) + second, return_inverse=True)
        levels = [f"{names[pair // len(others)]} × {others[pair % len(others)]}" for pair in pairs]
        crossed.append((f"{a} × {b}", _members(codes.reshape(-1), levels)))
    return single + crossed


def _coded(values: pd.Series) -> tuple[Rows, list[str]]:
    """The level of each row as a number, and the levels in alphabetical order."""
    codes, levels = pd.factorize(_text(values), sort=True)
    return codes.astype(np.intp), [str(level) for level in levels]


def _members(codes: Rows, levels: Sequence[str]) -> dict[str, Rows]:
    ends = np.cumsum(np.bincount(codes, minlength=len(levels)))
    return dict(zip(levels, np.split(np.argsort(codes, kind="stable"), ends[:-1]), strict=True))


def _text(values: pd.Series) -> pd.Series:
    return values.astype(object).where(values.notna(), MISSING).astype(str)


def _too_small(outcome: Outcome) -> str:
    events = int(known_event(outcome).sum())
    one_class = min(events, len(outcome) - events) == 0
    reason = f"suppressed: fewer than {MIN_EVENTS} patients with or without the event" if one_class else ""
    return too_few(outcome) or reason


def _figures(
    outcome: Outcome,
    model: OutOfFold,
    attribute: str,
    level: str,
    chosen: Rows,
    how: _How,
) -> GroupFigures:
    part = outcome.take(chosen)
    events = int(known_event(part).sum())
    reason = _too_small(part)
    if reason:
        return GroupFigures(attribute, level, len(part), events, {}, reason)
    own = OutOfFold(model.risk[:, chosen], model.fold[:, chosen])
    analytic = len(outcome) > RESAMPLED_UP_TO and len(part) > MANY_PATIENTS
    return GroupFigures(attribute, level, len(part), events, metrics_alone(part, own, analytic=analytic, **how))


def _permuted_gaps(
    outcome: Outcome, model: OutOfFold, attribute: str, members: Mapping[str, Rows], *, seed: int
) -> list[Gap]:
    order = _orders(len(outcome), seed=seed, attribute=attribute)
    levels = list(members)
    found = []
    for kind in _compared(outcome):
        values = np.stack([_values(outcome, model, kind, chosen, order) for chosen in members.values()])
        spread = values.max(axis=0) - values.min(axis=0)
        defined = spread[1:][np.isfinite(spread[1:])]
        p = (1 + np.count_nonzero(defined >= spread[0] - 1e-12)) / (1 + len(defined))
        lowest, highest = levels[int(values[:, 0].argmin())], levels[int(values[:, 0].argmax())]
        found.append(Gap(attribute, kind.name, lowest, highest, float(spread[0]), float(p)))
    return found


def _analytic_gaps(outcome: Outcome, attribute: str, figures: Sequence[GroupFigures]) -> list[Gap]:
    found = []
    for kind in _compared(outcome):
        own = {one.level: one.metrics[kind.name] for one in figures}
        lowest, highest = (end(own, key=lambda level: own[level].estimate) for end in (min, max))
        errors = [(own[level].high - own[level].low) / (2 * float(norm.ppf(0.975))) for level in (lowest, highest)]
        gap = own[highest].estimate - own[lowest].estimate
        p = min(1.0, math.comb(len(own), 2) * 2 * float(norm.sf(gap / math.hypot(*errors))))
        found.append(Gap(attribute, kind.name, lowest, highest, gap, p))
    return found


def _compared(outcome: Outcome) -> list[MetricKind]:
    return [kind for kind in metric_kinds(outcome) if kind.name in COMPARED]


def _orders(n: int, *, seed: int, attribute: str) -> NDArray[np.intp]:
    number = SHUFFLES if n <= MANY_PATIENTS else FEW_SHUFFLES
    order = np.tile(np.arange(n), (number + 1, 1))
    order[1:] = generator(seed, f"gaps of {attribute}").permuted(order[1:], axis=1)
    return order


def _values(outcome: Outcome, model: OutOfFold, kind: MetricKind, chosen: Rows, order: NDArray[np.intp]) -> Floats:
    # A group is a resample in which its patients count once and all others not at all.
    counts: Counts = np.bincount(chosen, minlength=len(outcome)).astype(np.uint16)[order]
    parts = []
    for block in blocks(counts):
        rows = sample(outcome, block)
        parts.append(np.mean([kind.rows(rows, *pair) for pair in zip(model.risk, model.fold, strict=True)], axis=0))
    return np.concatenate(parts)


def _standard_rank(values: Floats) -> Floats:
    ranks = rankdata(values)
    return np.asarray((ranks - ranks.mean()) / ranks.std())


def _f_test(base: Floats, full: Floats, y: Floats) -> float:
    rss = [float(((y - table @ np.linalg.lstsq(table, y, rcond=None)[0]) ** 2).sum()) for table in (base, full)]
    extra, free = full.shape[1] - base.shape[1], len(y) - full.shape[1]
    if rss[1] <= 0 or free < 1:
        return math.nan
    return float(f_distribution.sf((rss[0] - rss[1]) / extra / (rss[1] / free), extra, free))


def _in_words(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
