"""Grey level co-occurrence matrix (IBSI reference manual, section 3.6; Haralick 1973)."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from prognoscope.radiomics.aggregate import Aggregated, aggregate, matrices, slots
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
    n, size, _ = counts.shape
    marginal, difference = np.zeros((n, size)), np.zeros((n, size))
    total, joint = np.zeros((n, 2 * size - 1)), np.zeros((n, 3))
    _condense(counts, marginal, difference, total, joint)
    level, step = np.arange(1.0, size + 1), np.arange(float(size))
    sums = np.arange(2.0, 2 * size + 1)
    energy, entropy, largest = joint.T
    mean = marginal @ level
    variance = (marginal * (level - mean[:, None]) ** 2).sum(axis=1)
    dissimilarity, contrast = difference @ step, difference @ step**2
    sum_mean = total @ sums
    centred = sums - 2 * mean[:, None]
    auto = (total @ sums**2 - contrast) / 4
    marginal_entropy = _entropy(marginal)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = (auto - mean**2) / variance
        information1 = (entropy - 2 * marginal_entropy) / marginal_entropy
    values = [
        largest,
        mean,
        variance,
        entropy,
        dissimilarity,
        (difference * (step - dissimilarity[:, None]) ** 2).sum(axis=1),
        _entropy(difference),
        sum_mean,
        (total * (sums - sum_mean[:, None]) ** 2).sum(axis=1),
        _entropy(total),
        energy,
        contrast,
        dissimilarity,
        difference @ (1 / (1 + step)),
        difference @ (1 / (1 + step / size)),
        difference @ (1 / (1 + step**2)),
        difference @ (1 / (1 + (step / size) ** 2)),
        difference[:, 1:] @ (1 / step[1:] ** 2),
        np.where(variance > 0, correlation, np.nan),
        auto,
        (total * centred**2).sum(axis=1),
        (total * centred**3).sum(axis=1),
        (total * centred**4).sum(axis=1),
        np.where(marginal_entropy > 0, information1, np.nan),
        np.sqrt(np.maximum(1 - np.exp(-2 * (2 * marginal_entropy - entropy)), 0)),
    ]
    features = np.stack(values, axis=1)
    features[largest == 0] = np.nan
    return features


def _entropy(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    logarithm = np.log2(probability, out=np.zeros_like(probability), where=probability > 0)
    # Adding 0 turns the −0 of a single level into 0.
    return np.asarray(0.0 - (probability * logarithm).sum(axis=-1))


@numba.njit(cache=True, nogil=True)
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


@numba.njit(cache=True, nogil=True)
def _condense(
    counts: NDArray[np.float64],
    marginal: NDArray[np.float64],
    difference: NDArray[np.float64],
    total: NDArray[np.float64],
    joint: NDArray[np.float64],
) -> None:
    """Normalise and make symmetric; sum over rows, |i − j| and i + j; energy, entropy and maximum of the whole."""
    size = counts.shape[1]
    for m in range(counts.shape[0]):
        pairs = 0.0
        for i in range(size):
            for j in range(size):
                pairs += counts[m, i, j]
        if pairs == 0.0:
            continue
        energy, entropy, largest = 0.0, 0.0, 0.0
        for i in range(size):
            for j in range(i + 1):
                if i == j:
                    p = counts[m, i, i] / pairs
                    share = p
                else:
                    p = (counts[m, i, j] + counts[m, j, i]) / (2.0 * pairs)
                    share = 2.0 * p
                    marginal[m, j] += p
                if p == 0.0:
                    continue
                marginal[m, i] += p
                difference[m, i - j] += share
                total[m, i + j] += share
                energy += share * p
                entropy -= share * np.log2(p)
                largest = max(largest, p)
        joint[m, 0], joint[m, 1], joint[m, 2] = energy, entropy, largest
