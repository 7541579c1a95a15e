"""Guard against one patient under two names: by images, by equal rows, and by rows that are nearly equal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import rankdata

from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.table import Table
from prognoscope.validation.checks import Floats
from prognoscope.validation.fingerprints import BITS, near_pairs
from prognoscope.validation.results import Guard

CHANCE_OF_TWINS = 0.01
NEAR = 0.01  # of the interquartile range: a measurement repeated on the same scan, rounded or exported again
SHARE_NEAR = 0.8
RARE_MATCH = 0.05
REDUNDANT = 0.9
FEWEST_COLUMNS = 4
MOST_COLUMNS = 100
MOST_PATIENTS = 5000
NAMED = 5

Pair = tuple[int, int]


def duplicate_patients(
    predictors: Table,
    outcome: Outcome,
    fold: NDArray[np.int64],
    *,
    fingerprints: Mapping[str, Sequence[str]],
) -> Guard:
    """Fail when one patient seems to take part under two names and the two were in different folds.

    Two patients are the same when an image of one differs from one of the other in at most 16 of the 192 bits of their
    fingerprints, or when all their predictors and outcome are equal, or nearly all their measurements nearly so,
    although such a match is improbable: the number of pairs expected by chance, from how often each column's values
    coincide, is below 0.01. Nearly: four of five numbers within 1 % of their interquartile range, whatever the outcome;
    only numbers that seldom coincide and are not another's double (rank correlation below 0.9) are compared, and only
    in cohorts of up to 5,000 patients.
    """
    name = "duplicate-patients"
    patients = [str(patient) for patient in predictors.frame.index]
    place = {patient: index for index, patient in enumerate(patients)}
    found = [
        (first, second, f"images differ in {apart} of {BITS} bits")
        for first, second, apart in near_pairs({key: fingerprints[key] for key in patients if key in fingerprints})
    ]
    rows, expected = _equal_rows(predictors.frame, outcome)
    if expected < CHANCE_OF_TWINS:
        found += [(patients[first], patients[second], "equal predictors and outcome") for first, second in rows]
    told = {frozenset(pair[:2]) for pair in found}
    found += [
        (patients[first], patients[second], f"{near} of {of} measurements nearly equal")
        for (first, second), near, of in _near_rows(predictors)
        if frozenset((patients[first], patients[second])) not in told
    ]
    looked = f"{sum(map(len, fingerprints.values()))} images and the rows of {len(patients)} patients were compared"
    if not found:
        return Guard(name, "passed", f"{looked}: none is likely to be another's.{_about_rows(rows, expected)}")
    apart_in = {(first, second): _ever_apart(fold, place[first], place[second]) for first, second, _ in found}
    listed = "; ".join(f"{first} and {second}: {why}" for first, second, why in found[:NAMED])
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    if not any(apart_in.values()):
        return Guard(name, "warned", f"{looked}: {listed}{more}. They were always in the same fold.")
    return Guard(name, "failed", f"{looked}: {listed}{more}. They were in different folds.", blocks=True)


def _equal_rows(frame: pd.DataFrame, outcome: Outcome) -> tuple[list[tuple[int, int]], float]:
    """Pairs of patients with equal predictors and outcome, and how many chance would make equal."""
    columns = [frame[name] for name in frame.columns] + [pd.Series(outcome.event)]
    if isinstance(outcome, TimeToEvent):
        columns.append(pd.Series(outcome.time_days))
    n = len(outcome)
    codes = np.column_stack([pd.factorize(column, use_na_sentinel=False)[0] for column in columns])
    first_of_its_kind, twin = np.unique(codes, axis=0, return_index=True, return_inverse=True)[1:]
    match = sum(_log_match(codes[first_of_its_kind, column]) for column in range(codes.shape[1]))
    expected = n * (n - 1) / 2 * math.exp(max(match, -700))
    order = np.argsort(twin.reshape(-1), kind="stable")
    same = np.flatnonzero(np.diff(twin.reshape(-1)[order]) == 0)
    return sorted((int(order[place]), int(order[place + 1])) for place in same), expected


def _log_match(codes: NDArray[np.int64]) -> float:
    """Log probability that two different patients share a value; where no two do, as if one of one more pair did."""
    counts = np.bincount(codes).astype(float)
    pairs = len(codes) * (len(codes) - 1) / 2
    return math.log((float((counts * (counts - 1)).sum()) / 2 + 1) / (pairs + 1))


def _near_rows(predictors: Table) -> list[tuple[Pair, int, int]]:
    """Pairs of patients whose measurements mostly agree nearly, with how many of how many, where chance is unlikely."""
    n = len(predictors.frame)
    values = _measurements(predictors) if n <= MOST_PATIENTS else np.empty((n, 0))
    near_by_chance = np.array([_near_share(column) for column in values.T])
    kept = _different(values, np.flatnonzero(near_by_chance <= RARE_MATCH)) if values.size else np.empty(0, dtype=int)
    if len(kept) < FEWEST_COLUMNS:
        return []
    values, rate = values[:, kept], np.log(np.maximum(near_by_chance[kept], 2 / (n * (n - 1))))
    fewest = math.ceil(SHARE_NEAR * len(kept))
    # Who agrees in so many columns agrees in one of any that are more than may differ: only such pairs are looked at.
    seeds = np.argsort(rate)[: len(kept) - fewest + 1]
    pairs = np.unique(np.concatenate([_near_pairs(values[:, column]) for column in seeds]), axis=0)
    near = np.abs(values[pairs[:, 0]] - values[pairs[:, 1]]) <= NEAR
    agree = near.sum(axis=1)
    ways = gammaln(len(kept) + 1) - gammaln(agree + 1) - gammaln(len(kept) - agree + 1)
    expected = math.log(n * (n - 1) / 2) + ways + near @ rate
    twins = np.flatnonzero((agree >= fewest) & (expected < math.log(CHANCE_OF_TWINS)))
    return [((int(pairs[one, 0]), int(pairs[one, 1])), int(agree[one]), len(kept)) for one in twins]


def _measurements(predictors: Table) -> Floats:
    """The numbers in units of their interquartile range, `(n, columns)`; those without spread are left out."""
    columns: list[Floats] = []
    for column in predictors.columns:
        if column.type == "number":
            values = predictors.frame[column.name].to_numpy(dtype=float)
            spread = np.subtract(*np.nanquantile(values, [0.75, 0.25])) if np.isfinite(values).any() else 0.0
            if spread > 0:
                columns.append(values / spread)
    return np.column_stack(columns) if columns else np.empty((len(predictors.frame), 0))


def _near_share(values: Floats) -> float:
    """Share of the pairs of patients whose values nearly agree; a missing value agrees with none."""
    known = np.sort(values[np.isfinite(values)])
    near = np.searchsorted(known, known + NEAR, side="right") - np.arange(len(known)) - 1
    return float(near.sum() / max(len(values) * (len(values) - 1) / 2, 1))


def _near_pairs(values: Floats) -> NDArray[np.int64]:
    """Pairs `(k, 2)` of patients whose values nearly agree, the smaller index first."""
    order = np.argsort(values, kind="stable")[: np.isfinite(values).sum()]
    known = values[order]
    ends = np.searchsorted(known, known + NEAR, side="right")
    first = np.repeat(np.arange(len(known)), ends - np.arange(len(known)) - 1)
    starts = np.cumsum(ends - np.arange(len(known)) - 1) - (ends - np.arange(len(known)) - 1)
    second = np.arange(len(first)) - starts[first] + first + 1
    return np.sort(np.column_stack([order[first], order[second]]), axis=1)


def _different(values: Floats, candidates: NDArray[np.intp]) -> NDArray[np.intp]:
    """Of these columns, up to 100 no two of which have a rank correlation of 0.9 or more: the first is kept."""
    ranks = np.column_stack([rankdata(np.nan_to_num(values[:, column])) for column in candidates])
    ranks = (ranks - ranks.mean(axis=0)) / ranks.std(axis=0)
    kept: list[int] = []
    for column in range(len(candidates)):
        if len(kept) < MOST_COLUMNS and (
            not kept or np.abs(ranks[:, kept].T @ ranks[:, column]).max() / len(ranks) < REDUNDANT
        ):
            kept.append(column)
    return candidates[kept]


def _about_rows(rows: list[tuple[int, int]], expected: float) -> str:
    if expected < CHANCE_OF_TWINS:
        return ""
    return f" Equal rows prove nothing here ({len(rows)} found, {expected:.2g} expected by chance)."


def _ever_apart(fold: NDArray[np.int64], first: int, second: int) -> bool:
    return bool((fold[:, first] != fold[:, second]).any())
