"""What chance alone does: the same statistic after the outcome has been dealt out anew among the patients."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.core.seeds import generator
from prognoscope.validation.checks import Floats, Ints
from prognoscope.validation.dealt import dealt_concordance

SHUFFLES = 999
FEW_SHUFFLES = 199
MANY_PATIENTS = 2000
DISTINCT_AS_LEVELS = 10
RARE_LEVEL = 5
PENALTY = 1.0
ASSOCIATION_FOLDS = 5


def shuffles(n: int, *, seed: int, purpose: str) -> NDArray[np.intp]:
    """Row 0 is the order itself, the others are random orders of `n` patients: 999, or 199 above 2,000 patients."""
    number = SHUFFLES if n <= MANY_PATIENTS else FEW_SHUFFLES
    order = np.tile(np.arange(n), (number + 1, 1))
    order[1:] = generator(seed, purpose).permuted(order[1:], axis=1)
    return order


def chance(statistic: Floats) -> tuple[float, float, float]:
    """Permutation p value (one-sided, large is surprising) and the middle 95 % of what chance gives.

    `statistic[0]` is the observed one; `p = (1 + shuffles as large) / (1 + shuffles)` (Phipson and Smyth 2010).
    """
    observed, null = statistic[0], statistic[1:]
    p = (1 + np.count_nonzero(null >= observed - 1e-12)) / (1 + len(null))
    low, high = np.quantile(null, [0.025, 0.975])
    return float(p), float(low), float(high)


def shuffled_discrimination(outcome: Outcome, risk: Floats, fold: Ints, order: NDArray[np.intp]) -> Floats:
    """AUC or C within folds of fixed risks `(repeats, n)` against outcomes in each order; mean over the repeats."""
    each = [_over_folds(*dealt_concordance(outcome, row, held, order)) for row, held in zip(risk, fold, strict=True)]
    return np.asarray(np.mean(each, axis=0))


def association(frame: pd.DataFrame, outcome: Outcome, *, seed: int, purpose: str) -> Floats:
    """How well columns predict the outcome in patients not used for it, observed (first) and with shuffled outcomes.

    Cross-validated ridge regression (5 folds) of the outcome (of the martingale residual of no predictor at all, for a
    time to event) on the columns; AUC or C within folds. NaN when the columns carry nothing or a class is missing.
    """
    columns = design(frame)
    order = shuffles(len(outcome), seed=seed, purpose=purpose)
    if not columns.shape[1]:
        return np.full(len(order), np.nan)
    response = outcome.event.astype(float) if isinstance(outcome, Binary) else martingale_residuals(outcome)
    fold = generator(seed, purpose + ", folds").permutation(np.arange(len(outcome)) % ASSOCIATION_FOLDS)
    score = np.empty((len(outcome), len(order)))
    for number in range(ASSOCIATION_FOLDS):
        held = fold == number
        score[held] = _ridge(columns[~held], response[order.T][~held], columns[held])
    return _over_folds(*dealt_concordance(outcome, score.T, fold, order))


def design(frame: pd.DataFrame) -> Floats:
    """Columns as standardised numbers: levels as 0 and 1 (rare ones together), other numbers as rank and its square.

    A column's missing values are a level of their own, or a column of their own beside the rank.
    """
    parts: list[Floats] = []
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values) and values.nunique() > DISTINCT_AS_LEVELS:
            parts.extend(_ranked(values.to_numpy(dtype=float)))
        else:
            parts.extend(_levels(values))
    kept = [part for part in parts if np.ptp(part) > 0]
    if not kept:
        return np.empty((len(frame), 0))
    table = np.column_stack(kept)
    return np.asarray((table - table.mean(axis=0)) / table.std(axis=0))


def martingale_residuals(outcome: TimeToEvent) -> Floats:
    """Event less the Nelson-Aalen cumulative hazard at each patient's time: high for early events."""
    distinct, died = np.unique(outcome.time_days[outcome.event], return_counts=True)
    ordered = np.sort(outcome.time_days)
    at_risk = len(ordered) - np.searchsorted(ordered, distinct, side="left")
    hazard = np.concatenate([[0.0], np.cumsum(died / at_risk)])
    reached = np.searchsorted(distinct, outcome.time_days, side="right")
    return np.asarray(outcome.event - hazard[reached])


def _over_folds(right: Floats, pairs: Floats) -> Floats:
    total = pairs.sum(axis=1)
    return np.asarray(np.divide(right.sum(axis=1), total, out=np.full(len(total), np.nan), where=total > 0))


def _ridge(columns: Floats, response: Floats, new: Floats) -> Floats:
    centre = columns.mean(axis=0)
    inner = columns - centre
    normal = inner.T @ inner + PENALTY * len(columns) / 10 * np.eye(columns.shape[1])
    slopes = np.linalg.solve(normal, inner.T @ (response - response.mean(axis=0)))
    return np.asarray((new - centre) @ slopes + response.mean(axis=0))


def _ranked(values: Floats) -> list[Floats]:
    missing = np.isnan(values)
    rank = np.zeros(len(values))
    rank[~missing] = rankdata(values[~missing]) / np.count_nonzero(~missing) - 0.5
    return [rank, np.where(missing, 0.0, rank**2), missing.astype(float)]


def _levels(values: pd.Series) -> list[Floats]:
    text = values.astype(object).where(values.notna(), "missing").astype(str)
    frequent = text.value_counts()
    rare = text.isin(frequent.index[frequent < RARE_LEVEL])
    text = text.where(~rare, "rare")
    return [(text == level).to_numpy(dtype=float) for level in sorted(text.unique())]
