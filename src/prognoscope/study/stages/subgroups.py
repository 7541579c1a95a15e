"""Subgroups: which group each participant belongs to, by the columns that the study file names."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from prognoscope.cohort import number_column
from prognoscope.core.problems import refuse
from prognoscope.study.appraisal import Subgroups

MOST_LEVELS = 12


def subgroups_of(rules: Sequence[Subgroups], attributes: pd.DataFrame) -> pd.DataFrame:
    """Return the group of each participant, one column per rule; None where it is not known.

    Raises
    ------
    Refused
        `not-a-number` for a column that is to be cut and holds text, `too-many-groups` for one that has more than 12
        values and is not cut.
    """
    return pd.DataFrame(
        {rule.column: _groups(attributes, rule) for rule in rules}, index=attributes.index, dtype=object
    )


def _groups(attributes: pd.DataFrame, rule: Subgroups) -> pd.Series:
    if rule.cut_at:
        return _bands(number_column(attributes, rule.column), rule.cut_at)
    values = attributes[rule.column]
    known = values.nunique()
    if known > MOST_LEVELS:
        raise refuse(
            "too-many-groups",
            subject=f"column {rule.column}",
            found=f"it has {known} different values among {len(values)} participants; {MOST_LEVELS} may be told apart",
            remedy="cut numbers with `{column: …, cut_at: […]}`, or name a column of few values",
        )
    return values


def _bands(values: pd.Series, cuts: tuple[float, ...]) -> pd.Series:
    """Return the band that each number lies in, in words; None where it is missing."""
    inner = [f"{low:g} to below {high:g}" for low, high in itertools.pairwise(cuts)]
    names = [f"below {cuts[0]:g}", *inner, f"{cuts[-1]:g} and above"]
    place = np.searchsorted(cuts, values.to_numpy(), side="right")
    words = [None if np.isnan(value) else names[at] for value, at in zip(values, place, strict=True)]
    return pd.Series(words, index=values.index, dtype=object)
