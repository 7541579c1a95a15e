"""Agreement of a feature between contours: intraclass correlation with its 95 % interval.

Shrout and Fleiss, Psychological Bulletin 86, 1979, 420-428; intervals as in McGraw and Wong, Psychological Methods 1,
1996, 30-46 (their correction in the same volume, 390).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prognoscope.core.problems import refuse

Form = Literal["1,1", "2,1", "3,1"]
Numbers = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class Agreement:
    """Intraclass correlations of one or more features, and the ends of their 95 % intervals.

    NaN where a value is missing or nothing varies between the subjects and within them.
    """

    icc: Numbers
    low: Numbers
    high: Numbers


def intraclass_correlation(values: ArrayLike, *, form: Form) -> Agreement:
    """Intraclass correlation of single measurements.

    Parameters
    ----------
    values
        `(..., subjects, raters)`: each feature of each subject, measured on each contour; at least two of both.
    form
        `1,1`: the contours of a subject are a sample of their own (perturbed contours); `2,1`: the same raters, a
        sample of raters, drew for all subjects, absolute agreement; `3,1`: just these raters, consistency.

    Returns
    -------
    Arrays of the shape of the leading axes.

    Raises
    ------
    Refused
        `icc-shape` with fewer than two subjects or raters.

    Notes
    -----
    With the mean squares BMS between n subjects, WMS within them, JMS between k raters and EMS of the residual:

    - ICC(1,1) = (BMS - WMS) / (BMS + (k - 1) WMS)
    - ICC(2,1) = (BMS - EMS) / (BMS + (k - 1) EMS + k (JMS - EMS) / n)
    - ICC(3,1) = (BMS - EMS) / (BMS + (k - 1) EMS)
    """
    ratings = np.asarray(values, dtype=float)
    if ratings.ndim < 2 or min(ratings.shape[-2:]) < 2:
        raise refuse(
            "icc-shape",
            subject="intraclass correlation",
            found=f"values of shape {ratings.shape}",
            remedy="give at least two subjects (rows) with at least two measurements each (columns)",
        )
    squares = _mean_squares(ratings)
    with np.errstate(divide="ignore", invalid="ignore"):
        if form == "1,1":
            return _one_way(squares)
        return _absolute(squares) if form == "2,1" else _consistent(squares)


@dataclass(frozen=True, slots=True, eq=False)
class _Squares:
    subjects: int
    raters: int
    between: Numbers
    within: Numbers
    judges: Numbers
    residual: Numbers


def _mean_squares(ratings: Numbers) -> _Squares:
    n, k = ratings.shape[-2:]
    # Differences from the grand mean first: features of size 1e9 keep their digits. What rounding leaves is nothing.
    centred = ratings - ratings.mean(axis=(-2, -1), keepdims=True)
    rounding = 8 * np.finfo(float).eps * np.abs(ratings).max(axis=(-2, -1), keepdims=True)
    subject = _without(centred.mean(axis=-1, keepdims=True), rounding)
    judge = _without(centred.mean(axis=-2, keepdims=True), rounding)
    within = _without(centred - subject, rounding)
    residual = _without(centred - subject - judge, rounding)
    return _Squares(
        subjects=n,
        raters=k,
        between=k * (subject**2).sum(axis=(-2, -1)) / (n - 1),
        within=(within**2).sum(axis=(-2, -1)) / (n * (k - 1)),
        judges=n * (judge**2).sum(axis=(-2, -1)) / (k - 1),
        residual=(residual**2).sum(axis=(-2, -1)) / ((n - 1) * (k - 1)),
    )


def _without(differences: Numbers, rounding: Numbers) -> Numbers:
    return np.asarray(np.where(np.abs(differences) <= rounding, 0.0, differences))


def _one_way(squares: _Squares) -> Agreement:
    return _from_ratio(squares, squares.within, squares.subjects * (squares.raters - 1))


def _consistent(squares: _Squares) -> Agreement:
    return _from_ratio(squares, squares.residual, (squares.subjects - 1) * (squares.raters - 1))


def _from_ratio(squares: _Squares, error: Numbers, freedom: int) -> Agreement:
    """Forms that depend on one F ratio: ICC = (F - 1) / (F + k - 1)."""
    from scipy.stats import f  # imported when needed: a stored predictor answers without it

    k, above = squares.raters, squares.subjects - 1
    tail = (1 + LEVEL) / 2
    low = squares.between / f.ppf(tail, above, freedom)
    high = squares.between * f.ppf(tail, freedom, above)
    ends = [np.asarray((top - error) / (top + (k - 1) * error)) for top in (squares.between, low, high)]
    return Agreement(*ends)


def _absolute(squares: _Squares) -> Agreement:
    from scipy.stats import f

    n, k = squares.subjects, squares.raters
    bms, jms, ems = squares.between, squares.judges, squares.residual
    icc = np.asarray((bms - ems) / (bms + (k - 1) * ems + k * (jms - ems) / n))
    # Satterthwaite's degrees of freedom of the combination of JMS and EMS (McGraw and Wong, table 7).
    a = k * icc / (n * (1 - icc))
    b = 1 + k * icc * (n - 1) / (n * (1 - icc))
    freedom = (a * jms + b * ems) ** 2 / ((a * jms) ** 2 / (k - 1) + (b * ems) ** 2 / ((n - 1) * (k - 1)))
    # Perfect agreement leaves nothing to estimate the degrees of freedom from, and nothing for them to change.
    freedom = np.where((jms == 0) & (ems == 0) & (bms > 0), (n - 1) * (k - 1), freedom)
    tail = (1 + LEVEL) / 2
    above, below = f.ppf(tail, n - 1, freedom), f.ppf(tail, freedom, n - 1)
    rest = k * jms + (k * n - k - n) * ems
    low = n * (bms - above * ems) / (above * rest + n * bms)
    high = n * (below * bms - ems) / (rest + n * below * bms)
    return Agreement(icc, np.asarray(low), np.asarray(high))
