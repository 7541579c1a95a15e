"""Internal validation by the bootstrap: optimism correction, .632+, and the learning curve.

Each takes functions that learn and score, so that everything learnt happens inside; where they are known to fail they
are refused as the headline.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from prognoscope.core.problems import refuse
from prognoscope.core.seeds import generator
from prognoscope.validation.checks import Floats

Rows = NDArray[np.intp]
Learn = Callable[[Rows], Callable[[Rows], float]]
"""Learns from the rows given (repeats allowed) and returns a function that scores the model on other rows."""


@dataclass(frozen=True, slots=True)
class Optimism:
    """Apparent figure, mean optimism over bootstraps, and their difference.

    `headline` is False, with the reason, where the correction is known to leave optimism in.
    """

    apparent: float
    optimism: float
    corrected: float
    resamples: int
    headline: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plus632:
    """Efron and Tibshirani's .632+ estimate and its parts."""

    estimate: float
    apparent: float
    left_out: float
    no_information: float
    weight: float


@dataclass(frozen=True, slots=True)
class LearningCurve:
    """Score by number of training patients and the fitted curve `a - b n^(-c)`.

    Attributes
    ----------
    n, score, spread
        Sizes, mean scores and standard deviations over the draws.
    plateau
        The score that the curve approaches, `a`.
    flat_at
        Patients at which the curve is within `tolerance` of the plateau; None when it cannot be told.
    reason
        Why it cannot be told.
    """

    n: tuple[int, ...]
    score: tuple[float, ...]
    spread: tuple[float, ...]
    plateau: float
    flat_at: int | None
    tolerance: float
    reason: str = ""


def optimism_corrected(
    learn: Learn, *, n: int, parameters: int, resamples: int, seed: int, memorises: bool = False
) -> Optimism:
    """Harrell's bootstrap optimism correction (Harrell et al. 1996, Stat Med 15:361).

    `corrected = apparent - mean over bootstraps of (score on the bootstrap - score on the cohort)`.

    A model that can fit its training patients perfectly has no optimism left to see: patients of a bootstrap are also
    in the cohort it is tested on. The result is then not a headline: with at least as many parameters as patients, and
    for models that memorise (forests, boosting, nearest neighbours).

    Parameters
    ----------
    learn
        Learns from rows and scores on rows; higher scores are better.
    n, parameters
        Patients, and candidate parameters of the model.
    memorises
        Whether the model can reproduce its training outcomes.
    """
    everyone = np.arange(n)
    apparent = learn(everyone)(everyone)
    gains = []
    for index in range(resamples):
        drawn = np.sort(generator(seed, "optimism", index).integers(0, n, size=n))
        score = learn(drawn)
        gains.append(score(drawn) - score(everyone))
    optimism = float(np.nanmean(gains))
    reason = ""
    if parameters >= n:
        reason = f"{parameters} parameters for {n} patients: the bootstrap sees too little of the optimism"
    elif memorises:
        reason = "the model memorises its training patients: the bootstrap sees too little of the optimism"
    return Optimism(apparent, optimism, apparent - optimism, len(gains), not reason, reason)


def plus_632(losses: Callable[[Rows], Floats], *, event: NDArray[np.bool_], resamples: int, seed: int) -> Plus632:
    """Efron and Tibshirani's .632+ estimate of the misclassification rate (1997, JASA 92:548).

    Parameters
    ----------
    losses
        Learns from the rows given and returns for all `n` patients the predicted class, 0 or 1.
    event
        `(n,)`.
    """
    n = len(event)
    predicted = np.asarray(losses(np.arange(n))).astype(bool)
    apparent = float((predicted != event).mean())
    rate, said = float(event.mean()), float(predicted.mean())
    no_information = rate * (1 - said) + (1 - rate) * said
    wrong, times = np.zeros(n), np.zeros(n)
    for index in range(resamples):
        drawn = generator(seed, ".632+", index).integers(0, n, size=n)
        out = np.setdiff1d(np.arange(n), drawn)
        wrong[out] += np.asarray(losses(np.sort(drawn))).astype(bool)[out] != event[out]
        times[out] += 1
    if not (times > 0).all():
        raise refuse(
            "resamples-too-few",
            subject=".632+",
            found=f"{int((times == 0).sum())} patients were in every one of {resamples} resamples",
            remedy="draw at least 50",
        )
    left_out = float((wrong / times).mean())
    bounded = min(left_out, no_information)
    overfitting = (bounded - apparent) / (no_information - apparent) if no_information > apparent < bounded else 0.0
    weight = 0.632 / (1 - 0.368 * overfitting)
    return Plus632((1 - weight) * apparent + weight * bounded, apparent, left_out, no_information, weight)


def learning_curve(
    learn: Learn,
    *,
    n: int,
    sizes: Sequence[int],
    draws: int,
    seed: int,
    tolerance: float = 0.01,
) -> LearningCurve:
    """Scores of models learnt from ever more patients, each on those left out, and where they flatten.

    An inverse power law is fitted to the means (Figueroa et al. 2012, BMC Med Inform Decis Mak 12:8). It is an
    extrapolation: `flat_at` is given only when the plateau is known to ± 0.05 and at least 4 sizes were tried.

    Parameters
    ----------
    learn
        As in `optimism_corrected`.
    sizes
        Numbers of training patients, each leaving at least 10 out.
    draws
        Random training sets per size.
    """
    steps = sorted({int(size) for size in sizes})
    if not steps or steps[0] < 2 or steps[-1] > n - 10:
        raise refuse(
            "learning-sizes",
            subject="learning curve",
            found=f"sizes are {steps} of {n} patients",
            remedy=f"give sizes from 2 to {n - 10}",
        )
    means, spreads = [], []
    for size in steps:
        scores = []
        for draw in range(draws):
            order = generator(seed, "learning curve", size, draw).permutation(n)
            scores.append(learn(np.sort(order[:size]))(np.sort(order[size:])))
        means.append(float(np.nanmean(scores)))
        spreads.append(float(np.nanstd(scores)))
    plateau, flat_at, reason = flattening(np.array(steps, dtype=float), np.array(means), tolerance)
    return LearningCurve(tuple(steps), tuple(means), tuple(spreads), plateau, flat_at, tolerance, reason)


def flattening(n: Floats, score: Floats, tolerance: float) -> tuple[float, int | None, str]:
    """Return where a learning curve levels off.

    Parameters
    ----------
    n, score
        `(sizes,)`, rising sizes.

    Returns
    -------
    Plateau, patients at which the curve is within `tolerance` of it, and the reason where that cannot be told.
    """
    if len(n) < 4:
        return math.nan, None, "fewer than four sizes"
    if score[-1] - score[0] <= tolerance:
        return float(score[-1]), None, "the score does not rise over the sizes tried"

    def law(size: Floats, a: float, b: float, c: float) -> Floats:
        return np.asarray(a - b * size**-c)

    start = (float(score[-1]), float(score[-1] - score[0]) * n[0] ** 0.5, 0.5)
    bounds = ([-np.inf, 0, 0.05], [np.inf, np.inf, 3])
    try:
        (a, b, c), covariance = curve_fit(law, n, score, p0=start, bounds=bounds, maxfev=20_000)
    except RuntimeError:
        return math.nan, None, "no curve fits the scores"
    if not covariance[0, 0] < (0.05 / 1.96) ** 2:
        return float(a), None, "the plateau is not known to ± 0.05: try larger sizes or more draws"
    return float(a), math.ceil((b / tolerance) ** (1 / c)), ""
