"""What every function of this room asks of its arrays before it computes anything."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prognoscope.core.problems import refuse

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def numbers(values: ArrayLike, *, what: str, n: int | None = None) -> Floats:
    """Return finite numbers, `(n,)`.

    Raises
    ------
    Refused
        `number-expected` for text, `values-shape` when the array is not one value per patient, `values-missing` when
        one is not finite.
    """
    try:
        array = np.ascontiguousarray(values, dtype=float)
    except (TypeError, ValueError) as cause:
        raise refuse(
            "number-expected", subject=what, found=f"it holds something else ({cause})", remedy="give numbers"
        ) from cause
    if array.ndim != 1 or (n is not None and len(array) != n):
        raise refuse(
            "values-shape",
            subject=what,
            found=f"shape is {array.shape}, there are {n if n is not None else 'one-dimensional'} patients",
            remedy="give one value per patient, in the order of the outcome",
        )
    bad = np.flatnonzero(~np.isfinite(array))
    if bad.size:
        raise refuse(
            "values-missing",
            subject=f"{what} of patient {bad[0] + 1} of {len(array)}",
            found=f"{bad.size} of {len(array)} values are missing or infinite",
            remedy="leave these patients out on purpose, or predict them",
        )
    return array


def risks(values: ArrayLike, *, n: int | None = None, what: str = "risk") -> Floats:
    """Return probabilities, `(n,)`.

    Raises
    ------
    Refused
        `risk-range` when one lies outside [0, 1], else as `numbers`.
    """
    array = numbers(values, what=what, n=n)
    outside = np.flatnonzero((array < 0) | (array > 1))
    if outside.size:
        per_cent = array.min() >= 0 and np.median(array) > 1 and array.max() <= 100
        raise refuse(
            "risk-range",
            subject=f"{what} of patient {outside[0] + 1} of {len(array)}",
            found=f"{array[outside[0]]:.6g} lies outside [0, 1] ({outside.size} of {len(array)} do)",
            remedy="divide them by 100 if they are per cent"
            if per_cent
            else "give probabilities of the event, not scores or linear predictors",
        )
    return array


def events(values: ArrayLike, *, what: str = "outcome") -> Bools:
    """Return an event indicator, `(n,)`.

    Raises
    ------
    Refused
        `outcome-values` when it holds anything but 0 and 1, else as `numbers`.
    """
    array = np.asarray(values)
    if not array.size:
        raise refuse("values-shape", subject=what, found="there is no patient", remedy="give one value per patient")
    if array.dtype == bool and array.ndim == 1:
        return np.ascontiguousarray(array)
    as_numbers = numbers(array, what=what)
    if not np.isin(as_numbers, (0.0, 1.0)).all():
        odd = as_numbers[~np.isin(as_numbers, (0.0, 1.0))][0]
        raise refuse(
            "outcome-values",
            subject=what,
            found=f"it holds {odd:g} beside 0 and 1",
            remedy="code the event as 1 and its absence as 0",
        )
    return np.asarray(as_numbers == 1.0)


def folds(values: ArrayLike | None, *, n: int) -> Ints:
    """Return the fold of each patient as 0, 1, …; one fold for all when None was given."""
    if values is None:
        return np.zeros(n, dtype=np.int64)
    array = np.asarray(values)
    if array.shape != (n,):
        raise refuse(
            "values-shape",
            subject="fold",
            found=f"shape is {array.shape}, there are {n} patients",
            remedy="give one fold per patient",
        )
    return np.ascontiguousarray(np.unique(array, return_inverse=True)[1].reshape(-1), dtype=np.int64)
