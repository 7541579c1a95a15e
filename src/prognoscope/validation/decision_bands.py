"""How sure the decision curves of many patients are: the bands of all thresholds from one pass over the patients.

A patient of weight w moves the net benefit at a threshold by `w (a s - l)`, about its mean: `a` is the share of repeats
in which the risk reaches the threshold, `s` what a treated patient of this class is worth, `l` what the class is worth
whatever the risk (0, or its part in the clinic's proportion of events, which the study's does not move).
"""

from __future__ import annotations

import numba
import numpy as np

from prognoscope.validation.checks import Bools, Floats
from prognoscope.validation.influence import Z95, half_width


def decision_reach(
    event: Bools, risk: Floats, weights: Floats, thresholds: Floats, *, prevalence: float | None = None
) -> tuple[Floats, Floats]:
    """Half the widths of 95 % bands of net benefit, and of net benefit less that of treating all; each `(k,)`.

    Parameters
    ----------
    event, weights
        `(n,)`.
    risk
        `(repeats, n)`; net benefit is averaged over the repeats.
    thresholds
        `(k,)` in (0, 1).
    prevalence
        Of the event in the clinic; the study's own proportion, with its uncertainty, when None.
    """
    whole, treated = _moments(event, np.ascontiguousarray(risk), weights, thresholds)
    odds = thresholds / (1 - thresholds)
    worth = np.stack([-odds, np.ones_like(odds)])
    n = len(event)
    if prevalence is None:
        return _reach(worth, np.zeros_like(worth), whole, treated, n), _reach(worth, worth, whole, treated, n)
    with np.errstate(invalid="ignore", divide="ignore"):
        worth = worth * np.array([[1 - prevalence], [prevalence]]) / (whole[:, :1] / n)
        share = treated[:, 0] / whole[:, :1]
    reach = _reach(worth, worth * share, whole, treated, n)
    return reach, reach  # treating all is worth the same in every sample when the proportion of events is stated


def difference_reach(
    event: Bools, pair: tuple[Floats, Floats], weights: Floats, thresholds: Floats, *, prevalence: float | None = None
) -> Floats:
    """Half the widths of 95 % bands of the difference in net benefit of two models, `(k,)`.

    Parameters
    ----------
    pair
        Risks of the two models, `(repeats, n)` each; the rest as in `decision_reach`.
    """
    parts = [
        (event, 1.0 if prevalence is None else prevalence),
        (~event, 1.0 if prevalence is None else 1 - prevalence),
    ]
    size = [len(event) if prevalence is None else weights[part].sum() for part, _ in parts]
    reach = np.empty(len(thresholds))
    for place, at in enumerate(thresholds):
        apart = weights * np.subtract(*((risk >= at).mean(axis=0) for risk in pair))
        worth = (1.0, -at / (1 - at))
        moved = np.zeros(len(event))
        for (part, share), whole, each in zip(parts, size, worth, strict=True):
            value = apart[part] * each
            about = value.mean() if prevalence is not None else 0.0
            moved[part] = share * (value - about) * len(event) / whole
        reach[place] = half_width(moved)
    return reach


def _reach(worth: Floats, level: Floats, whole: Floats, treated: Floats, n: int) -> Floats:
    total = (worth * treated[:, 0] - level * whole[:, :1]).sum(axis=0)
    square = (worth**2 * treated[:, 1] - 2 * worth * level * treated[:, 2] + level**2 * whole[:, 1:]).sum(axis=0)
    variance = np.maximum(square - total**2 / n, 0.0) / (n - 1)
    return np.asarray(Z95 * np.sqrt(variance / n))


@numba.njit(cache=True, nogil=True)
def _moments(event, risk, weights, thresholds):  # type: ignore[no-untyped-def]
    # By class: sums of w and w² over all, and of w a, w² a², w² a at each threshold.
    repeats, n = risk.shape
    whole = np.zeros((2, 2))
    treated = np.zeros((2, 3, len(thresholds)))
    for i in range(n):
        kind = 1 if event[i] else 0
        w = weights[i]
        whole[kind, 0] += w
        whole[kind, 1] += w * w
        for k in range(len(thresholds)):
            acted = 0.0
            for repeat in range(repeats):
                if risk[repeat, i] >= thresholds[k]:
                    acted += 1.0
            if acted > 0:
                acted /= repeats
                treated[kind, 0, k] += w * acted
                treated[kind, 1, k] += w * w * acted * acted
                treated[kind, 2, k] += w * w * acted
    return whole, treated
