"""Intensity-based statistics (IBSI reference manual, section 3.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def statistics(ascending: NDArray[np.float32]) -> list[float]:
    """The 18 features of a region's intensities, in the order of the catalogue.

    Parameters
    ----------
    ascending
        `(n,)`, n at least 1, in ascending order.

    Returns
    -------
    NaN where a ratio has no denominator: skewness and kurtosis of a constant region, the coefficient of variation of a
    region whose mean is 0, the quartile coefficient where the quartiles add to 0.
    """
    values = ascending.astype(np.float64)
    mean = float(values.mean())
    centred = values - mean
    square = centred**2
    variance = float(square.mean())
    p10, p25, median, p75, p90 = (float(value) for value in np.percentile(values, [10, 25, 50, 75, 90]))
    inner = values[np.searchsorted(values, p10) : np.searchsorted(values, p90, side="right")]
    energy = float((values**2).sum())
    return [
        mean,
        variance,
        ratio(float((square * centred).mean()), variance**1.5),
        ratio(float((square**2).mean()), variance**2) - 3,
        median,
        float(values[0]),
        p10,
        p90,
        float(values[-1]),
        p75 - p25,
        float(values[-1] - values[0]),
        float(np.abs(centred).mean()),
        float(np.abs(inner - inner.mean()).mean()),
        float(np.abs(values - median).mean()),
        ratio(variance**0.5, mean),
        ratio(p75 - p25, p75 + p25),
        energy,
        (energy / len(values)) ** 0.5,
    ]


def ratio(numerator: float, denominator: float) -> float:
    """A quotient, NaN where the denominator is 0."""
    return numerator / denominator if denominator != 0 else float("nan")
