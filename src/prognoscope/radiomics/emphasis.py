"""The sixteen features that run length, size zone, distance zone and dependence matrices have in common.

IBSI reference manual, sections 3.7 to 3.9 and 3.11: entry s[i, j] counts the runs (zones, voxels) of grey level i and
length (size, distance, dependence) j.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def emphasis_features(
    counts: NDArray[np.float64], sizes: NDArray[np.float64], voxels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Sixteen features of each matrix, in the order of the catalogue.

    Parameters
    ----------
    counts
        `(n, levels, sizes)`: grey levels 1 to `levels` in rows.
    sizes
        `(sizes,)`: what the columns stand for, each above 0.
    voxels
        `(n,)`: voxels that the matrix was counted from.

    Returns
    -------
    `(n, 16)`, NaN for a matrix without entries.
    """
    level = np.arange(1.0, counts.shape[1] + 1)
    by_level, by_size = counts.sum(axis=2), counts.sum(axis=1)
    number = by_level.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        p = counts / number[:, None, None]
        p_level, p_size = by_level / number[:, None], by_size / number[:, None]
        level_mean, size_mean = p_level @ level, p_size @ sizes
        logarithm = np.log2(p, out=np.zeros_like(p), where=p > 0)
        values = [
            p_size @ sizes**-2.0,
            p_size @ sizes**2,
            p_level @ level**-2.0,
            p_level @ level**2,
            level**-2.0 @ p @ sizes**-2.0,
            level**2 @ p @ sizes**-2.0,
            level**-2.0 @ p @ sizes**2,
            level**2 @ p @ sizes**2,
            (by_level**2).sum(axis=1) / number,
            (by_level**2).sum(axis=1) / number**2,
            (by_size**2).sum(axis=1) / number,
            (by_size**2).sum(axis=1) / number**2,
            number / voxels,
            (p_level * (level - level_mean[:, None]) ** 2).sum(axis=1),
            (p_size * (sizes - size_mean[:, None]) ** 2).sum(axis=1),
            0.0 - (p * logarithm).sum(axis=(1, 2)),
        ]
    features = np.stack(values, axis=1)
    features[number == 0] = np.nan
    return features
