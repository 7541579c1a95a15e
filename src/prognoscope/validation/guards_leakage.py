"""Guards against leakage: what must not be in a study at all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.table import Table
from prognoscope.validation.censoring import known_event
from prognoscope.validation.checks import Bools, Floats
from prognoscope.validation.discrimination import concordance_rows
from prognoscope.validation.fingerprints import BITS, near_pairs
from prognoscope.validation.resampling import once
from prognoscope.validation.results import Guard

CHANCE_OF_TWINS = 0.01
ALMOST_PERFECT = 0.97
CHANCE_OF_SEPARATION = 0.001
NAMED = 5


def duplicate_patients(
    predictors: Table,
    outcome: Outcome,
    fold: NDArray[np.int64],
    *,
    fingerprints: Mapping[str, Sequence[str]],
) -> Guard:
    """Fail when one patient seems to take part under two names and the two were in different folds.

    Two patients are the same when an image of one differs from one of the other in at most 16 of the 192 bits of their
    fingerprints, or when all their predictors and outcome are equal although so complete a match is improbable: the
    number of equal pairs expected by chance, from how often each column's values coincide, is below 0.01.
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
    looked = f"{sum(map(len, fingerprints.values()))} images and the rows of {len(patients)} patients were compared"
    if not found:
        return Guard(name, "passed", f"{looked}: none is likely to be another's.{_about_rows(rows, expected)}")
    apart_in = {(first, second): _ever_apart(fold, place[first], place[second]) for first, second, _ in found}
    listed = "; ".join(f"{first} and {second}: {why}" for first, second, why in found[:NAMED])
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    if not any(apart_in.values()):
        return Guard(name, "warned", f"{looked}: {listed}{more}. They were always in the same fold.")
    return Guard(name, "failed", f"{looked}: {listed}{more}. They were in different folds.", blocks=True)


def outcome_in_disguise(predictors: Table, outcome: Outcome) -> Guard:
    """Fail when a single predictor separates the outcome almost perfectly.

    The rule, for each number, each level of a category and each pattern of missing values: AUC (or 1 - AUC) of at
    least 0.97 for the event (by the horizon, among known statuses), or concordance of at least 0.97 with the time to
    event, where so much would come by chance with a probability below 0.001 over all columns (Mann-Whitney's normal
    approximation with Bonferroni's correction).
    """
    name = "outcome-in-disguise"
    tried = list(_single_predictors(predictors))
    event = known_event(outcome)
    known = np.ones(len(outcome), dtype=bool)
    if isinstance(outcome, TimeToEvent):
        known = event | (outcome.time_days >= outcome.horizon_days)
    suspects, best = [], (0.5, "")
    for label, values in tried:
        auc, p = _two_sided_auc(event[known], values[known])
        if isinstance(outcome, TimeToEvent) and len(np.unique(values)) > 2:
            auc = max(auc, _two_sided_concordance(outcome, values))
        best = max(best, (auc, label))
        if auc >= ALMOST_PERFECT and p * len(tried) < CHANCE_OF_SEPARATION:
            suspects.append(f"{label} ({auc:.3f})")
    looked = f"{len(tried)} single predictors were tried against the outcome"
    if not suspects:
        most = f"; the strongest, {best[1]}, reaches {best[0]:.2f}" if best[1] else ""
        return Guard(name, "passed", f"{looked}{most} (almost perfect is {ALMOST_PERFECT} and more).")
    listed = ", ".join(suspects[:NAMED]) + (f" and {len(suspects) - NAMED} more" if len(suspects) > NAMED else "")
    return Guard(
        name,
        "failed",
        f"{looked}: {listed} separate it almost perfectly. Such a predictor usually is the outcome, recorded again.",
        blocks=True,
    )


def known_too_late(predictors: Table) -> Guard:
    """Fail when a predictor is declared as known only after time zero; warn when one is undeclared."""
    name = "known-too-late"
    late = [column.name for column in predictors.columns if column.known_at == "later"]
    silent = [column.name for column in predictors.columns if column.known_at == "undeclared"]
    if late:
        found = f"Known only after time zero, and still used: {_some(late)}."
        return Guard(name, "failed", found, blocks=True)
    if silent:
        return Guard(name, "warned", f"When these are known is not declared (`known_at`): {_some(silent)}.")
    return Guard(name, "passed", f"All {len(predictors.columns)} predictors are declared as known at time zero.")


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


def _about_rows(rows: list[tuple[int, int]], expected: float) -> str:
    if expected < CHANCE_OF_TWINS:
        return ""
    return f" Equal rows prove nothing here ({len(rows)} found, {expected:.2g} expected by chance)."


def _ever_apart(fold: NDArray[np.int64], first: int, second: int) -> bool:
    return bool((fold[:, first] != fold[:, second]).any())


def _single_predictors(predictors: Table) -> list[tuple[str, Floats]]:
    """Each predictor as numbers without a gap: values, levels one by one, and where values are missing."""
    found: list[tuple[str, Floats]] = []
    for column in predictors.columns:
        values = predictors.frame[column.name]
        missing = values.isna().to_numpy()
        if missing.any() and not missing.all():
            found.append((f"{column.name} missing", missing.astype(float)))
        if column.type == "number":
            numbers = values.to_numpy(dtype=float)
            if np.unique(numbers[~missing]).size > 1:
                found.append((column.name, np.where(missing, np.median(numbers[~missing]), numbers)))
        else:
            text = values.astype(str)
            levels = sorted(text[~missing].unique())
            if len(levels) > 1:
                found += [(f"{column.name} = {level}", (text == level).to_numpy(dtype=float)) for level in levels]
    return found


def _two_sided_auc(event: Bools, values: Floats) -> tuple[float, float]:
    """AUC or 1 - AUC, whichever is larger, and its probability by chance (Mann and Whitney 1947, ties corrected)."""
    cases, others = int(event.sum()), int((~event).sum())
    if not cases or not others:
        return 0.5, 1.0
    ranks = rankdata(values)
    wins = ranks[event].sum() - cases * (cases + 1) / 2
    auc = wins / (cases * others)
    spread = np.sqrt(ranks.var() / (cases * others * (len(ranks) - 1))) if np.ptp(ranks) else np.inf
    return float(max(auc, 1 - auc)), float(2 * norm.sf(abs(auc - 0.5) / spread))


def _two_sided_concordance(outcome: TimeToEvent, values: Floats) -> float:
    fold = np.zeros(len(values), dtype=np.int64)
    c = concordance_rows(outcome.time_days, outcome.event, values, fold, once(len(values)))[0]
    return float(max(c, 1 - c)) if np.isfinite(c) else 0.5


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
