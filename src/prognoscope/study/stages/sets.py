"""Sets: which outcomes are plausible for the patients held out, how often the sets hold the truth, and for whom."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prognoscope.core.outcome import Outcome
from prognoscope.report import SetsShown
from prognoscope.training import ConformalSets, conformal_sets
from prognoscope.validation import MIN_PATIENTS, Coverage, PredictionSets, abstention_curve, coverage

TENTHS = tuple(number / 10 for number in range(1, 11))


def sets_found(
    outcome: Outcome,
    risk: NDArray[np.float64],
    p_values: NDArray[np.float64],
    groups: pd.DataFrame,
    *,
    error: float,
    calibrated_on: int,
    threshold: float,
) -> SetsShown:
    """Compare prediction sets with what happened.

    Parameters
    ----------
    outcome, risk, p_values
        Of `n` patients: `(repeats, n)` risks and `(repeats, n, 2)` p-values.
    groups
        One row per patient, one column per attribute.
    """
    sets = conformal_sets(p_values, alpha=error, calibrated_on=calibrated_on)
    event = outcome.event
    single = sets.event != sets.no_event
    curves = [abstention_curve(event, row, threshold=threshold) for row in risk]
    places = [max(1, round(share * len(event))) - 1 for share in TENTHS]
    return SetsShown(
        error=error,
        guarantee=sets.guarantee,
        calibrated_on=calibrated_on,
        one=float(single.mean()),
        both=float((sets.event & sets.no_event).mean()),
        neither=float((~sets.event & ~sets.no_event).mean()),
        right=float((sets.event == event)[single].mean()) if single.any() else math.nan,
        coverage=_coverages(event, sets, groups),
        answered=TENTHS,
        accuracy=tuple(float(np.mean([curve.accuracy[place] for curve in curves])) for place in places),
        threshold=threshold,
    )


def _coverages(event: NDArray[np.bool_], sets: ConformalSets, groups: pd.DataFrame) -> tuple[Coverage, ...]:
    labels = {"outcome": pd.Series(np.where(event, "event", "no event")), **_labels(groups)}
    found = [_coverage(event, sets, None)[0]]
    for attribute, column in labels.items():
        found += [one for one in _coverage(event, sets, f"{attribute}: " + column.astype(str)) if one.level != "all"]
    return tuple(found)


def _labels(groups: pd.DataFrame) -> Mapping[str, pd.Series]:
    return {str(name): groups[name].astype(object).where(groups[name].notna(), "missing") for name in groups.columns}


def _coverage(event: NDArray[np.bool_], sets: ConformalSets, groups: pd.Series | None) -> list[Coverage]:
    labels = None if groups is None else groups.to_numpy(dtype=str)
    each = [
        coverage(event, PredictionSets(no_event, yes, ""), labels)
        for no_event, yes in zip(sets.no_event, sets.event, strict=True)
    ]
    return [_mean(rows) for rows in zip(*each, strict=True)]


def _mean(rows: Sequence[Coverage]) -> Coverage:
    if rows[0].n < MIN_PATIENTS:
        return Coverage(rows[0].level, math.nan, math.nan, math.nan, math.nan, rows[0].n)
    covered, low, high, size = (
        float(np.mean([getattr(row, name) for row in rows])) for name in ("covered", "low", "high", "size")
    )
    return Coverage(rows[0].level, covered, low, high, size, rows[0].n)
