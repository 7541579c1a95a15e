"""How well each predictor tells the outcome by itself, whatever the shape of the relation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata

from prognoscope.core.table import Table
from prognoscope.validation.checks import Bools, Floats, Ints

FEW_VALUES = 20
NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class Rating:
    """One way to rate patients by one predictor.

    Attributes
    ----------
    column
        The predictor.
    label
        For the report: the predictor, and which of its values or gaps.
    values
        `(k,)`: of the patients in `rows`, larger or smaller with the event.
    rows
        `(k,)`: the patients that can be rated so.
    """

    column: str
    label: str
    values: Floats
    rows: Ints


def ratings(predictors: Table) -> Iterator[Rating]:
    """Ratings that need no outcome: numbers, each level of a category, and where values are missing."""
    every = np.arange(len(predictors.frame))
    for column in predictors.columns:
        values = predictors.frame[column.name]
        missing = values.isna().to_numpy()
        if missing.any() and not missing.all():
            yield Rating(column.name, f"{column.name} missing", missing.astype(float), every)
        if column.type == "number":
            numbers = values.to_numpy(dtype=float)[~missing]
            if np.unique(numbers).size > 1:
                yield Rating(column.name, column.name, numbers, every[~missing])
        else:
            text = values.astype(str)
            levels = sorted(text[~missing].unique())
            if len(levels) > 1:
                for level in levels:
                    held = (text == level).to_numpy(dtype=float)
                    yield Rating(column.name, f"{column.name} = {level}", held, every)


def groupings(predictors: Table) -> Iterator[tuple[str, Floats, bool]]:
    """For each predictor its name, what tells who is alike by it, and whether that is one of few levels.

    Numbers of more than 20 different values are taken in their order, with gaps at its end; of others a gap is a level.
    """
    for column in predictors.columns:
        values = predictors.frame[column.name]
        if column.type == "number" and values.nunique() > FEW_VALUES:
            yield column.name, values.to_numpy(dtype=float), False
        elif values.nunique(dropna=False) > 1:
            yield column.name, pd.factorize(values, use_na_sentinel=False)[0].astype(float), True


def share_of_like(event: Bools, group: Floats, *, levels: bool) -> Floats:
    """Share with the event among the other patients of the same level, or among the ten next to one in order.

    The patient's own outcome takes no part, so a predictor that tells nothing is rated no better than chance: slightly
    worse, because who has the event is compared with others of whom fewer have it. `(n,)`, NaN where nobody is alike.
    """
    hit = event.astype(float)
    if levels:
        level = group.astype(np.int64)
        members = np.bincount(level)[level].astype(float) - 1
        return _divided(np.bincount(level, weights=hit)[level] - hit, members)
    order = np.argsort(group, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(hit[order])])
    place = np.arange(len(order))
    low, high = np.maximum(place - NEIGHBOURS, 0), np.minimum(place + NEIGHBOURS + 1, len(order))
    share = np.empty(len(order))
    share[order] = _divided(total[high] - total[low] - hit[order], high - low - 1.0)
    return share


def separation(event: Bools, values: Floats) -> tuple[float, float]:
    """AUC, and its two-sided probability by chance (Mann and Whitney 1947, normal approximation, ties corrected)."""
    cases, others = int(event.sum()), int((~event).sum())
    if not cases or not others:
        return 0.5, 1.0
    ranks = rankdata(values)
    wins = ranks[event].sum() - cases * (cases + 1) / 2
    auc = wins / (cases * others)
    spread = np.sqrt(ranks.var() / (cases * others * (len(ranks) - 1))) if np.ptp(ranks) else np.inf
    return float(auc), float(2 * norm.sf(abs(auc - 0.5) / spread))


def _divided(hits: Floats, members: Floats) -> Floats:
    share = np.full(len(hits), np.nan)
    np.divide(hits, members, out=share, where=members > 0)
    return share
