"""Patients drawn again with replacement, as counts: how often each patient is in each resample.

A statistic that understands counts (0, 1, 2, … copies of a patient) needs no copy of the data, so thousands of
resamples are one call. Row 0 of `with_original` is the cohort itself: estimate and replicates come from one formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from prognoscope.core.seeds import generator

Counts = NDArray[np.uint16]
BLOCK_CELLS = 2_000_000
DEFINED_SHARE = 0.95
MIN_RESAMPLES = 200
JACKKNIFE_GROUPS = 500
RESAMPLED_UP_TO = 50_000
SAME = 1e-12
SAME_EVERYWHERE = "no interval: the same value in every resample"


def resample_counts(n: int, *, resamples: int, seed: int) -> Counts:
    """Draw `resamples` patient bootstraps of `n` patients; `(resamples, n)`, each row sums to `n`."""
    random = generator(seed, "bootstrap of patients")
    counts = np.empty((resamples, n), dtype=np.uint16)
    step = max(1, BLOCK_CELLS // max(n, 1))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = random.integers(0, n, size=(rows, n)) + n * np.arange(rows)[:, None]
        counts[start : start + rows] = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
    return counts


def with_original(counts: Counts) -> Counts:
    """Put the cohort itself, every patient once, before the resamples."""
    return np.concatenate([np.ones((1, counts.shape[1]), dtype=np.uint16), counts])


def once(n: int) -> Counts:
    """Return the counts of the cohort itself, `(1, n)`."""
    return np.ones((1, n), dtype=np.uint16)


def blocks(counts: Counts) -> Iterator[Counts]:
    """Yield consecutive rows of the counts, few enough at a time to keep intermediate arrays small."""
    step = max(1, BLOCK_CELLS // max(counts.shape[1], 1))
    for start in range(0, len(counts), step):
        yield counts[start : start + step]


def replicate(statistic: Callable[[Counts], NDArray[np.float64]], counts: Counts) -> NDArray[np.float64]:
    """Apply a statistic of counts, `(rows, n) -> (rows, …)`, block by block."""
    return np.concatenate([statistic(block) for block in blocks(counts)])


def jackknife_counts(n: int, *, seed: int) -> Counts:
    """Counts that leave out each patient in turn, or, above 500 patients, each of 500 random groups; `(groups, n)`."""
    groups = min(n, JACKKNIFE_GROUPS)
    member = generator(seed, "jackknife").permutation(n) % groups
    return np.asarray(member[None, :] != np.arange(groups)[:, None], dtype=np.uint16)


def bca_interval(
    estimate: float, replicates: NDArray[np.float64], jackknife: NDArray[np.float64], *, level: float = 0.95
) -> tuple[float, float, str]:
    """Bias-corrected and accelerated bootstrap interval, and why there is none.

    Efron 1987, JASA 82:171: percentiles of the replicates, moved by how far their median lies from the estimate and by
    the skewness of the jackknife values. Undefined resamples are treated as in `percentile_interval`. A figure that is
    the same in every resample (an AUC of 1) has no interval: its resamples cannot show how sure it is.

    Parameters
    ----------
    estimate
        In the cohort itself.
    replicates
        `(resamples,)`.
    jackknife
        `(groups,)`: the figure without each patient or group of patients.
    """
    low, high, reason = percentile_interval(replicates, level=level)
    if reason:
        return low, high, reason
    defined = replicates[np.isfinite(replicates)]
    if np.ptp(defined) <= SAME * max(1.0, float(np.abs(defined).max())):
        return np.nan, np.nan, SAME_EVERYWHERE
    below = np.count_nonzero(defined < estimate) + 0.5 * np.count_nonzero(defined == estimate)
    shift = norm.ppf(np.clip(below / len(defined), 1 / (len(defined) + 1), len(defined) / (len(defined) + 1)))
    left = jackknife[np.isfinite(jackknife)]
    distance = left.mean() - left if left.size else np.zeros(1)
    spread = float((distance**2).sum())
    skew = float((distance**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0
    at = shift + norm.ppf([(1 - level) / 2, (1 + level) / 2])
    ends = np.asarray(np.quantile(defined, norm.cdf(shift + at / (1 - skew * at))))
    return float(ends[0]), float(ends[1]), ""


def percentile_interval(replicates: NDArray[np.float64], *, level: float = 0.95) -> tuple[float, float, str]:
    """Percentile interval of bootstrap replicates (Efron 1979), and why there is none.

    Resamples in which the statistic is undefined (NaN) are left out while at most 5 % are; with more, or with fewer
    than 200 resamples, no interval is given: the defined ones would be a selection.

    Returns
    -------
    `(low, high, reason)`; the ends are NaN when there is a reason.
    """
    total = len(replicates)
    defined = replicates[np.isfinite(replicates)]
    if total < MIN_RESAMPLES:
        return np.nan, np.nan, f"no interval from {total} resamples (at least {MIN_RESAMPLES} are needed)"
    if len(defined) < DEFINED_SHARE * total:
        return np.nan, np.nan, f"no interval: undefined in {total - len(defined)} of {total} resamples"
    tail = (1 - level) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return float(low), float(high), ""


def bands(replicates: NDArray[np.float64], *, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pointwise percentile band of curves `(resamples, points)`; NaN by the rule of `percentile_interval`."""
    ends = [percentile_interval(column, level=level)[:2] for column in replicates.T]
    low, high = np.array(ends).reshape(-1, 2).T
    return low, high
