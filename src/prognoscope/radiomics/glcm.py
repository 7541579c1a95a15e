"""Grey level co-occurrence matrix (IBSI reference manual, section 3.6; Haralick 1973)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.aggregate import Aggregated, aggregate, matrices, slots
from prognoscope.radiomics.compiled import compiled
from prognoscope.radiomics.directions import DIRECTIONS, flat_steps, step_weights
from prognoscope.radiomics.discretise import Levels, Undefined
from prognoscope.radiomics.settings import Aggregation, Cooccurrence


def glcm(levels: Levels, settings: Cooccurrence, aggregations: tuple[Aggregation, ...]) -> Aggregated | Undefined:
    """The 25 features of each aggregation, in the order of the catalogue."""
    steps = DIRECTIONS * settings.distance
    plan = slots(aggregations, levels.inner_shape[0], by_direction=settings.weighting is not None)
    counts = matrices(plan.number, levels.count, levels.count)
    if isinstance(counts, Undefined):
        return counts
    _count_pairs(
        levels.padded.ravel(),
        np.array(levels.padded.shape),
        levels.pad,
        flat_steps(steps, levels.padded.shape),
        plan.slot,
        counts,
    )
    weights = step_weights(steps, settings.weighting)
    return aggregate(counts, plan, weights, levels.voxels_by_slice(), aggregations, cooccurrence_features)


def cooccurrence_features(
    counts: NDArray[np.float64],
    voxels: NDArray[np.float64],  # noqa: ARG001 - a formula of pairs needs no voxels
) -> NDArray[np.float64]:
    """Features of matrices of pairs counted one way.

    Parameters
    ----------
    counts
        `(n, levels, levels)`, not yet symmetric.

    Returns
    -------
    `(n, 25)`, NaN where a matrix is empty, and for correlation where all pairs have one level.
    """
    features = np.full((len(counts), 25), np.nan)
    _measure_all(counts, features)
    return features


@compiled
def _count_pairs(
    flat: NDArray[np.uint16],
    shape: NDArray[np.int64],
    pad: int,
    steps: NDArray[np.int64],
    slot: NDArray[np.int64],
    counts: NDArray[np.int32],
) -> None:
    """Count pairs (level, level a step further) into the matrix that `slot[slice, direction]` names."""
    for z in range(pad, shape[0] - pad):
        for y in range(pad, shape[1] - pad):
            row = (z * shape[1] + y) * shape[2]
            for p in range(row + pad, row + shape[2] - pad):
                here = flat[p]
                if here == 0:
                    continue
                for d in range(steps.size):
                    there = flat[p + steps[d]]
                    if there != 0 and slot[z - pad, d] >= 0:
                        counts[slot[z - pad, d], here - 1, there - 1] += 1


@compiled
def _measure_all(counts: NDArray[np.float64], features: NDArray[np.float64]) -> None:
    size = counts.shape[1]
    marginal, difference, total = np.empty(size), np.empty(size), np.empty(2 * size - 1)
    for m in range(counts.shape[0]):
        marginal[:] = 0.0
        difference[:] = 0.0
        total[:] = 0.0
        row = features[m]
        row[3], row[10], row[0] = _condense(counts[m], marginal, difference, total)
        if row[0] == 0.0:
            row[:] = np.nan
            continue
        _describe_levels(marginal, row)
        _describe_differences(difference, row)
        _describe_sums(total, row)
        _describe_dependence(_entropy(marginal), row)


@compiled
def _condense(
    counts: NDArray[np.float64],
    marginal: NDArray[np.float64],
    difference: NDArray[np.float64],
    total: NDArray[np.float64],
) -> tuple[float, float, float]:
    """Normalise and make symmetric; sum over rows, |i − j| and i + j. Return entropy, energy and maximum of all."""
    size, pairs = counts.shape[0], 0.0
    for i in range(size):
        for j in range(size):
            pairs += counts[i, j]
    energy, entropy, largest = 0.0, 0.0, 0.0
    for i in range(size):
        for j in range(i + 1):
            both = counts[i, j] + counts[j, i]
            if both == 0.0:
                continue
            p = both / (2.0 * pairs)
            share = p if i == j else 2.0 * p
            if i != j:
                marginal[j] += p
            marginal[i] += p
            difference[i - j] += share
            total[i + j] += share
            energy += share * p
            entropy -= share * np.log2(p)
            largest = max(largest, p)
    return entropy, energy, largest


@compiled
def _entropy(probability: NDArray[np.float64]) -> float:
    entropy = 0.0
    for p in probability:
        if p > 0.0:
            entropy -= p * np.log2(p)
    return entropy


@compiled
def _describe_levels(marginal: NDArray[np.float64], row: NDArray[np.float64]) -> None:
    """Mean and variance."""
    row[1], row[2] = 0.0, 0.0
    for i in range(marginal.size):
        row[1] += marginal[i] * (i + 1.0)
    for i in range(marginal.size):
        row[2] += marginal[i] * (i + 1.0 - row[1]) ** 2


@compiled
def _describe_differences(difference: NDArray[np.float64], row: NDArray[np.float64]) -> None:
    """Average, variance and entropy of differences, contrast, dissimilarity, the inverse differences and variance."""
    row[11:18] = 0.0
    size = difference.size
    for k in range(size):
        p, step = difference[k], float(k)
        row[11] += p * step * step
        row[12] += p * step
        row[13] += p / (1 + step)
        row[14] += p / (1 + step / size)
        row[15] += p / (1 + step * step)
        row[16] += p / (1 + (step / size) * (step / size))
        if k > 0:
            row[17] += p / (step * step)
    row[4], row[5], row[6] = row[12], 0.0, _entropy(difference)
    for k in range(size):
        row[5] += difference[k] * (k - row[4]) ** 2


@compiled
def _describe_sums(total: NDArray[np.float64], row: NDArray[np.float64]) -> None:
    """Average, variance and entropy of sums, autocorrelation, and the clusters."""
    row[7:10] = 0.0
    row[19:23] = 0.0
    for k in range(total.size):
        row[7] += total[k] * (k + 2.0)
        row[19] += total[k] * (k + 2.0) ** 2
    for k in range(total.size):
        centred = k + 2.0 - 2 * row[1]
        row[8] += total[k] * (k + 2.0 - row[7]) ** 2
        row[20] += total[k] * centred**2
        row[21] += total[k] * centred**3
        row[22] += total[k] * centred**4
    row[9] = _entropy(total)
    # 4ij = (i + j)² − (i − j)²
    row[19] = (row[19] - row[11]) / 4


@compiled
def _describe_dependence(marginal_entropy: float, row: NDArray[np.float64]) -> None:
    """Correlation and the two information correlations; NaN where levels do not vary."""
    entropy, mean, variance = row[3], row[1], row[2]
    row[18] = (row[19] - mean * mean) / variance if variance > 0 else np.nan
    row[23] = (entropy - 2 * marginal_entropy) / marginal_entropy if marginal_entropy > 0 else np.nan
    row[24] = np.sqrt(max(1 - np.exp(-2 * (2 * marginal_entropy - entropy)), 0.0))
