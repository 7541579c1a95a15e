"""Where a model fails: groups of patients with larger errors, found by a shallow tree and confirmed on others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import ttest_ind_from_stats
from sklearn.tree import DecisionTreeRegressor

from prognoscope.core.outcome import Outcome
from prognoscope.core.seeds import generator, integer
from prognoscope.validation.censoring import known_event, status_weights
from prognoscope.validation.checks import Bools, Floats, risks
from prognoscope.validation.resampling import once

DEPTH = 2
SMALLEST = 20
SAME_ERROR = 1e-12
FEWEST_TO_SEARCH = 80  # half finds a slice and its complement of 20 each, half tests them


@dataclass(frozen=True, slots=True)
class Slice:
    """Patients in whom the model errs more than its own risks say.

    Attributes
    ----------
    rule
        In words (`age > 71.5 and scanner = B`).
    n
        Patients in it, of the half that did not find it.
    error, elsewhere
        Mean of `(outcome - p)² - p (1 - p)` in it and in all others of that half: 0 where the risks are right.
    p
        Welch's t test of the two, one-sided, times the number of slices tried.
    """

    rule: str
    n: int
    error: float
    elsewhere: float
    p: float


def failing_slices(outcome: Outcome, risk: ArrayLike, table: pd.DataFrame, *, seed: int) -> tuple[Slice, ...]:
    """Find slices in one half of the patients and test them in the other; largest error first.

    Parameters
    ----------
    outcome
        Of `n` patients; for a time to event errors at the horizon are weighted for censoring.
    risk
        `(n,)` out-of-fold risks.
    table
        `(n, columns)`: metadata and features; text becomes its levels.
    """
    values = risks(risk, n=len(outcome))
    weights = status_weights(outcome, once(len(outcome)))[0]
    error = weights * ((values - known_event(outcome)) ** 2 - values * (1 - values))
    columns, names = _columns(table)
    half = generator(seed, "slices").permutation(len(values)) % 2 == 0
    if half.sum() < 2 * SMALLEST or not columns.shape[1]:
        return ()
    tree = DecisionTreeRegressor(
        max_depth=DEPTH, min_samples_leaf=SMALLEST, random_state=integer(seed, "slices, tree")
    ).fit(columns[half], error[half])
    rules = _leaf_rules(tree, names)
    where = tree.apply(columns[~half])
    found = [_tested(rule, error[~half], where == leaf, len(rules)) for leaf, rule in rules.items() if rule]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: -one.error))


def worst_cases(outcome: Outcome, risk: ArrayLike, *, number: int = 10) -> NDArray[np.intp]:
    """Positions of the patients whose risk was furthest from what happened, the worst first."""
    values = risks(risk, n=len(outcome))
    known = status_weights(outcome, once(len(outcome)))[0] > 0
    distance = np.where(known, np.abs(values - known_event(outcome)), -1.0)
    order = np.argsort(-distance, kind="stable")
    return order[: min(number, int(known.sum()))]


def nearest_patients(features: ArrayLike, patient: ArrayLike, *, number: int = 5) -> tuple[NDArray[np.intp], Floats]:
    """Training patients most like a new one, and their root mean square distance in standardised features.

    Parameters
    ----------
    features
        `(n, p)` of the training patients, without gaps.
    patient
        `(p,)`.
    """
    table, new = np.asarray(features, dtype=float), np.asarray(patient, dtype=float)
    spread = table.std(axis=0)
    scaled = (table - new) / np.where(spread > 0, spread, 1.0)
    distance = np.sqrt((scaled**2).mean(axis=1))
    order = np.argsort(distance, kind="stable")[:number]
    return order, distance[order]


def _tested(rule: str, error: Floats, inside: Bools, tried: int) -> Slice | None:
    if inside.sum() < 2 or (~inside).sum() < 2:
        return None
    mine, other = ((part.mean(), part.std(ddof=1), len(part)) for part in (error[inside], error[~inside]))
    if max(mine[1], other[1]) < SAME_ERROR:
        return None  # two groups in which nothing varies have no test
    p = float(ttest_ind_from_stats(*mine, *other, equal_var=False, alternative="greater").pvalue)
    return Slice(rule, mine[2], float(mine[0]), float(other[0]), min(1.0, p * tried))


def _columns(table: pd.DataFrame) -> tuple[Floats, list[tuple[str, str]]]:
    """Numbers as they are (median where missing), text as indicators; with how to name a split of each."""
    parts: list[Floats] = []
    names: list[tuple[str, str]] = []
    for name in table.columns:
        values = table[name]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            numeric = values.to_numpy(dtype=float)
            if np.isfinite(numeric).any():
                parts.append(np.where(np.isfinite(numeric), numeric, np.nanmedian(numeric)))
                names.append((str(name), ""))
        else:
            text = values.astype(object).where(values.notna(), "missing").astype(str)
            for level in sorted(text.unique()):
                parts.append((text == level).to_numpy(dtype=float))
                names.append((str(name), level))
    return (np.column_stack(parts) if parts else np.empty((len(table), 0))), names


def _leaf_rules(tree: DecisionTreeRegressor, names: list[tuple[str, str]]) -> dict[int, str]:
    inner = tree.tree_
    rules: dict[int, str] = {}

    def walk(node: int, bounds: dict[int, tuple[float, float]]) -> None:
        if inner.children_left[node] < 0:
            rules[node] = " and ".join(_in_words(*names[column], *ends) for column, ends in bounds.items())
            return
        column, limit = int(inner.feature[node]), float(inner.threshold[node])
        low, high = bounds.get(column, (-np.inf, np.inf))
        walk(int(inner.children_left[node]), bounds | {column: (low, min(high, limit))})
        walk(int(inner.children_right[node]), bounds | {column: (max(low, limit), high)})

    walk(0, {})
    return rules


def _in_words(name: str, level: str, low: float, high: float) -> str:
    """What a column's values between two ends are: `47.5 < age ≤ 68.5`, `age > 68.5`, `scanner = B`."""
    if level:
        return f"{name} = {level}" if np.isfinite(low) else f"{name} ≠ {level}"
    if np.isfinite(low) and np.isfinite(high):
        return f"{low:.4g} < {name} ≤ {high:.4g}"
    return f"{name} > {low:.4g}" if np.isfinite(low) else f"{name} ≤ {high:.4g}"
