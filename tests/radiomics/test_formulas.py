"""The formulas of the texture matrices, against the sums of the reference manual written out over whole matrices."""

from __future__ import annotations

import numpy as np
import pytest

from prognoscope.radiomics.emphasis import emphasis_features
from prognoscope.radiomics.glcm import cooccurrence_features
from prognoscope.radiomics.statistics import percentile, statistics


def entropy(p: np.ndarray) -> float:
    return float(-(p[p > 0] * np.log2(p[p > 0])).sum())


def cooccurrence(counts: np.ndarray) -> list[float]:
    """Section 3.6 of the manual, in the order of the catalogue."""
    size = len(counts)
    p = (counts + counts.T) / (counts + counts.T).sum()
    i, j = np.meshgrid(np.arange(1, size + 1), np.arange(1, size + 1), indexing="ij")
    rows = p.sum(axis=1)
    difference = np.array([p[np.abs(i - j) == k].sum() for k in range(size)])
    total = np.array([p[i + j == k].sum() for k in range(2, 2 * size + 1)])
    k_minus, k_plus = np.arange(size), np.arange(2, 2 * size + 1)
    mean = (i * p).sum()
    variance = ((i - mean) ** 2 * p).sum()
    hx, hxy = entropy(rows), entropy(p)
    both = np.outer(rows, rows)
    hxy1 = -(p[both > 0] * np.log2(both[both > 0])).sum()
    hxy2 = entropy(both)
    apart = np.abs(i - j)
    return [
        p.max(),
        mean,
        variance,
        hxy,
        (k_minus * difference).sum(),
        ((k_minus - (k_minus * difference).sum()) ** 2 * difference).sum(),
        entropy(difference),
        (k_plus * total).sum(),
        ((k_plus - (k_plus * total).sum()) ** 2 * total).sum(),
        entropy(total),
        (p**2).sum(),
        (apart**2 * p).sum(),
        (apart * p).sum(),
        (p / (1 + apart)).sum(),
        (p / (1 + apart / size)).sum(),
        (p / (1 + apart**2)).sum(),
        (p / (1 + apart**2 / size**2)).sum(),
        (p[apart > 0] / apart[apart > 0] ** 2).sum(),
        ((i - mean) * (j - mean) * p).sum() / variance,
        (i * j * p).sum(),
        ((i + j - 2 * mean) ** 2 * p).sum(),
        ((i + j - 2 * mean) ** 3 * p).sum(),
        ((i + j - 2 * mean) ** 4 * p).sum(),
        (hxy - hxy1) / hx,
        np.sqrt(1 - np.exp(-2 * (hxy2 - hxy))),
    ]


def emphasis(counts: np.ndarray, sizes: np.ndarray, voxels: float) -> list[float]:
    """Sections 3.7 to 3.9 and 3.11 of the manual, in the order of the catalogue."""
    number = counts.sum()
    i, j = np.meshgrid(np.arange(1, len(counts) + 1), sizes, indexing="ij")
    p = counts / number
    return [
        (counts / j**2).sum() / number,
        (counts * j**2).sum() / number,
        (counts / i**2).sum() / number,
        (counts * i**2).sum() / number,
        (counts / i**2 / j**2).sum() / number,
        (counts * i**2 / j**2).sum() / number,
        (counts * j**2 / i**2).sum() / number,
        (counts * i**2 * j**2).sum() / number,
        (counts.sum(axis=1) ** 2).sum() / number,
        (counts.sum(axis=1) ** 2).sum() / number**2,
        (counts.sum(axis=0) ** 2).sum() / number,
        (counts.sum(axis=0) ** 2).sum() / number**2,
        number / voxels,
        ((i - (i * p).sum()) ** 2 * p).sum(),
        ((j - (j * p).sum()) ** 2 * p).sum(),
        entropy(p),
        (p**2).sum(),
    ]


@pytest.mark.parametrize("size", [2, 7, 40])
def test_pairs(size: int) -> None:
    random = np.random.default_rng(size)
    counts = random.integers(0, 9, (3, size, size)) * (random.random((3, size, size)) < 0.5).astype(float)
    counts[:, 0, 1] += 1
    counts[:, 1, 1] += 1
    found = cooccurrence_features(counts, np.ones(3))
    for row, matrix in zip(found, counts, strict=True):
        assert row == pytest.approx(cooccurrence(matrix), rel=1e-10, abs=1e-12)


def test_a_matrix_without_pairs_has_no_features_and_leaves_others_alone() -> None:
    counts = np.zeros((3, 4, 4))
    counts[0, 1, 2] = counts[2, 1, 2] = 5
    found = cooccurrence_features(counts, np.ones(3))
    assert np.isnan(found[1]).all()
    assert np.array_equal(found[0], found[2])


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (32, 90)])
def test_runs_zones_and_dependences(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(shape[0])
    counts = random.integers(0, 4, (2, *shape)).astype(float)
    counts[:, 0, 0] += 1
    sizes = np.sort(random.choice(5000, shape[1], replace=False)).astype(np.float64) + 1.0
    found = emphasis_features(counts, sizes, np.array([77.0, 9.0]))
    for row, matrix, voxels in zip(found, counts, (77.0, 9.0), strict=True):
        assert row == pytest.approx(emphasis(matrix, sizes, voxels), rel=1e-10, abs=1e-12)


def test_a_matrix_without_runs_has_no_features() -> None:
    assert np.isnan(emphasis_features(np.zeros((1, 3, 3)), np.arange(1.0, 4.0), np.ones(1))).all()


@pytest.mark.parametrize("number", [1, 2, 3, 10, 101, 5000])
def test_percentiles_are_those_of_numpy(number: int) -> None:
    values = np.sort(np.random.default_rng(number).normal(40, 300, number)).astype(np.float32)
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert percentile(values, share) == pytest.approx(np.percentile(values.astype(float), 100 * share), rel=1e-12)


def test_statistics_far_from_zero_keep_their_digits() -> None:
    values = np.sort(np.random.default_rng(1).integers(-50, 50, 9999)).astype(np.float32)
    near, far = statistics(values), statistics(values + np.float32(2**20))
    for place in (1, 2, 3, 9, 10, 11, 12, 13):  # variance, skewness, kurtosis, ranges and deviations
        assert far[place] == pytest.approx(near[place], rel=1e-9, abs=1e-9)
