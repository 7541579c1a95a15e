"""Figures of several sites together: their mean over sites, and where a new site's is to be expected.

Random-effects meta-analysis by restricted maximum likelihood, intervals by Hartung and Knapp's method (2001, Stat Med
20:3875), prediction interval after Higgins, Thompson and Spiegelhalter (2009, J R Stat Soc A 172:137), as recommended
for prediction models by Debray et al. (2017, BMJ 356:i6460): concordance on the scale of its logit, the ratio of
observed to expected events on that of its logarithm.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from scipy.stats import norm, t

from prognoscope.validation.checks import Floats
from prognoscope.validation.results import Metric

FEWEST_SITES = 3


@dataclass(frozen=True, slots=True)
class Pooled:
    """A figure over sites.

    Attributes
    ----------
    estimate, low, high
        Mean over sites like these and its 95 % interval.
    new_low, new_high
        Ends of the 95 % prediction interval: where the figure of one new site is to be expected.
    between
        Standard deviation between sites on the scale of pooling (`logit`, `log`, or as it is).
    sites
        Sites that had the figure with an interval.
    reason
        Why it is NaN; empty otherwise.
    """

    estimate: float
    low: float
    high: float
    new_low: float
    new_high: float
    between: float
    sites: int
    reason: str = ""


Scale = tuple[Callable[[Floats], Floats], Callable[[float], float]]


def _as_it_is(value: float) -> float:
    return value


SCALES: Mapping[str, Scale] = {
    "auc": (logit, lambda value: float(expit(value))),
    "c_index": (logit, lambda value: float(expit(value))),
    "observed_expected": (np.log, math.exp),
    "calibration_intercept": (np.asarray, _as_it_is),
    "calibration_slope": (np.asarray, _as_it_is),
}


def pooled_figures(sites: Sequence[Mapping[str, Metric]]) -> dict[str, Pooled]:
    """Pool the figures of sites that can be pooled; those of a site without an interval are left out.

    Parameters
    ----------
    sites
        By site: figures by name.
    """
    names = [name for name in SCALES if any(name in site for site in sites)]
    return {name: _pooled([site[name] for site in sites if name in site], SCALES[name]) for name in names}


def random_effects(estimate: ArrayLike, error: ArrayLike) -> tuple[float, float, float]:
    """Mean, its Hartung-Knapp standard error, and the standard deviation between sites.

    Parameters
    ----------
    estimate, error
        `(sites,)` figures and their standard errors, at least two.
    """
    y, variance = np.asarray(estimate, dtype=float), np.asarray(error, dtype=float) ** 2
    spread = float(y.var() + variance.max())
    found = minimize_scalar(
        lambda between: _deviance(between, y, variance),
        bounds=(0, 10 * spread),
        method="bounded",
        options={"xatol": 1e-10},
    )
    between = float(found.x) if found.fun < _deviance(0.0, y, variance) else 0.0
    weight = 1 / (variance + between)
    mean = float((weight * y).sum() / weight.sum())
    scatter = float((weight * (y - mean) ** 2).sum()) / (len(y) - 1)
    return mean, math.sqrt(scatter / weight.sum()), math.sqrt(between)


def _deviance(between: float, y: Floats, variance: Floats) -> float:
    """Minus twice the restricted log-likelihood, but for a constant."""
    weight = 1 / (variance + between)
    mean = (weight * y).sum() / weight.sum()
    return float(-np.log(weight).sum() + np.log(weight.sum()) + (weight * (y - mean) ** 2).sum())


def _pooled(metrics: Sequence[Metric], scale: Scale) -> Pooled:
    forth, back = scale
    ends = np.array([[metric.estimate, metric.low, metric.high] for metric in metrics])
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = forth(ends)
    moved = moved[np.isfinite(moved).all(axis=1) & (moved[:, 2] > moved[:, 1])]
    sites = len(moved)
    if sites < FEWEST_SITES:
        nothing = (math.nan,) * 6
        return Pooled(*nothing, sites, f"fewer than {FEWEST_SITES} sites have it with an interval")
    mean, error, between = random_effects(moved[:, 0], (moved[:, 2] - moved[:, 1]) / (2 * norm.ppf(0.975)))
    reach = t.ppf(0.975, sites - 1) * error
    apart = t.ppf(0.975, sites - 2) * math.hypot(between, error)
    low, high, new_low, new_high = (back(mean + by) for by in (-reach, reach, -apart, apart))
    return Pooled(back(mean), low, high, new_low, new_high, between, sites)
