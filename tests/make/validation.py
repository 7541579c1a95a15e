"""Outcomes and risks with known properties, for the tests of validation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.core.predictions import OutOfFold


def binary_cohort(n: int, *, seed: int = 0, ties: bool = False) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Events drawn with the risks that are returned beside them: a perfectly calibrated model."""
    random = np.random.default_rng(seed)
    risk = 1 / (1 + np.exp(1 - random.normal(size=n)))
    if ties:
        risk = np.round(risk, 1).clip(0.05, 0.95)
    return random.random(n) < risk, risk


def survival_cohort(
    n: int, *, seed: int = 0, horizon_days: float = 730.0, ties: bool = False
) -> tuple[TimeToEvent, NDArray[np.float64]]:
    """Exponential times and independent censoring, with each patient's true risk by the horizon."""
    random = np.random.default_rng(seed)
    rate = np.exp(random.normal(size=n)) / 1500
    event, lost = random.exponential(1 / rate), random.uniform(100, 3000, size=n)
    time = np.minimum(event, lost)
    if ties:
        time = np.ceil(time / 100) * 100
    return TimeToEvent(time, event <= lost, horizon_days), 1 - np.exp(-rate * horizon_days)


def out_of_fold(risk: NDArray[np.float64], *, repeats: int = 1, folds: int = 1, seed: int = 0) -> OutOfFold:
    """Risks as from repeated cross-validation: a little different in each repeat when there are several."""
    random = np.random.default_rng(seed)
    n = len(risk)
    noise = random.normal(scale=0.2, size=(repeats, n)) if repeats > 1 else np.zeros((1, n))
    logit = np.log(risk / (1 - risk)) + noise
    fold = np.stack([random.permutation(np.arange(n) % folds) for _ in range(repeats)])
    return OutOfFold(1 / (1 + np.exp(-logit)), fold)


def as_binary(event: NDArray[np.bool_]) -> Binary:
    """Outcome of an event indicator."""
    return Binary(event)
