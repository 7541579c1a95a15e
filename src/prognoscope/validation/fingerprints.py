"""Fingerprints of images that stay nearly the same when the same scan is exported, windowed or compressed again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn

BITS = 192
NEAR_BITS = 16


def image_fingerprint(voxels: NDArray[np.float32]) -> str:
    """Perceptual hash of an image: 192 bits as 48 hexadecimal digits.

    A projection is reduced by averaging, and the signs of its lowest cosine frequencies about their median are kept
    (Zauner 2010, Implementation and benchmarking of perceptual image hash functions): of a volume the mean projections
    along its three axes, 8 × 8 frequencies each; of a single picture 16 × 12.

    Parameters
    ----------
    voxels
        `[z, y, x]`, any unit; a single picture has shape `(1, rows, columns)`.
    """
    finite = np.nan_to_num(np.asarray(voxels, dtype=float))
    if finite.shape[0] == 1:
        bits = _low_frequencies(finite[0], side=64, kept=(16, 12))
    else:
        bits = np.concatenate([_low_frequencies(finite.mean(axis=axis), side=32, kept=(8, 8)) for axis in range(3)])
    return np.packbits(bits).tobytes().hex()


def near_pairs(fingerprints: Mapping[str, Sequence[str]], *, bits: int = NEAR_BITS) -> tuple[tuple[str, str, int], ...]:
    """Pairs of patients with images that differ in at most so many of 192 bits, with the smallest distance.

    Grey levels turned round (MONOCHROME1 exported as MONOCHROME2) turn every bit, so the complement is compared too.

    Parameters
    ----------
    fingerprints
        By patient: one `image_fingerprint` per image.
    """
    patients = [patient for patient, images in fingerprints.items() for _ in images]
    words = _words([image for images in fingerprints.values() for image in images])
    found: dict[tuple[str, str], int] = {}
    for index in range(len(words) - 1):
        differing = np.bitwise_count(words[index + 1 :] ^ words[index]).sum(axis=1, dtype=np.int64)
        distance = np.minimum(differing, BITS - differing)
        for other in np.flatnonzero(distance <= bits) + index + 1:
            first, second = sorted((patients[index], patients[int(other)]))
            if first != second:
                apart = int(distance[int(other) - index - 1])
                found[first, second] = min(apart, found.get((first, second), BITS))
    return tuple((first, second, apart) for (first, second), apart in sorted(found.items()))


def _low_frequencies(picture: NDArray[np.float64], *, side: int, kept: tuple[int, int]) -> NDArray[np.bool_]:
    small = _averaged(_averaged(picture, side).T, side).T
    frequencies = dctn(small, norm="ortho")[: kept[0], : kept[1]].ravel()
    return np.asarray(frequencies > np.median(frequencies[1:]))


def _averaged(rows: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Reduce (or stretch) the first axis to `side` rows, each the mean of what it covers."""
    size = len(rows)
    edges = np.linspace(0, size, side + 1)
    whole = np.minimum(edges.astype(int), size - 1)
    summed = np.concatenate([np.zeros_like(rows[:1]), np.cumsum(rows, axis=0)])
    at_edges = summed[whole] + (edges - whole)[:, None] * (summed[whole + 1] - summed[whole])
    return np.asarray(np.diff(at_edges, axis=0) * (side / size))


def _words(images: Sequence[str]) -> NDArray[np.uint64]:
    data = np.frombuffer(bytes.fromhex("".join(images)), dtype=">u8")
    return data.reshape(len(images), BITS // 64).astype(np.uint64)
