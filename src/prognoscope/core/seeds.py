"""Random numbers that depend on what they are for, not on when or where they are drawn.

A seed is keyed by the study's seed, a purpose and numbers such as repeat and fold. The same key gives the same
stream in any process and in any order, so results do not depend on the number of workers.
"""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, purpose: str, *key: int) -> np.random.Generator:
    """Return a generator for one purpose, for instance `generator(1, "outer folds", repeat)`."""
    return np.random.default_rng(_sequence(seed, purpose, key))


def integer(seed: int, purpose: str, *key: int) -> int:
    """Return a seed in [0, 2³¹) for libraries that take one, for instance `random_state`."""
    return int(_sequence(seed, purpose, key).generate_state(1, np.uint32)[0]) & 0x7FFFFFFF


def _sequence(seed: int, purpose: str, key: tuple[int, ...]) -> np.random.SeedSequence:
    word = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "big")
    return np.random.SeedSequence(entropy=seed, spawn_key=(word, *key))
