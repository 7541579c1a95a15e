"""How many patients a prediction model needs before it is developed: Riley's criteria.

Binary and survival outcomes: Riley et al. 2019, Stat Med 38:1276; Riley et al. 2020, BMJ 368:m441. Continuous
outcomes: Riley et al. 2019, Stat Med 38:1262. The Cox-Snell R² that a C statistic implies: Riley et al. 2021, Stat Med
40:859. Each function returns all criteria; the study needs the largest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2, norm, t

from prognoscope.core.problems import refuse

SHRINKAGE = 0.9
OPTIMISM = 0.05
RISK_MARGIN = 0.05
RESIDUAL_MARGIN = 1.1
Z95 = 1.96
SMALLEST_R2 = 1e-5
FEWEST_TO_SHRINK = 3  # with fewer parameters the closed form of a linear model's shrinkage does not hold


@dataclass(frozen=True, slots=True)
class Criterion:
    """One requirement, and the patients that it alone asks for."""

    name: str
    meaning: str
    n: int
    shrinkage: float


@dataclass(frozen=True, slots=True)
class SampleSize:
    """Patients needed to develop a model.

    Attributes
    ----------
    n
        The largest of the criteria.
    events, events_per_parameter
        Expected among `n`; NaN for a continuous outcome.
    r2, max_r2
        The Cox-Snell R² that was assumed and the largest possible one (for a continuous outcome R² and 1).
    """

    n: int
    events: float
    events_per_parameter: float
    parameters: int
    r2: float
    max_r2: float
    criteria: tuple[Criterion, ...]


def for_binary(
    *,
    parameters: int,
    prevalence: float,
    r2_cox_snell: float | None = None,
    r2_nagelkerke: float | None = None,
    c_statistic: float | None = None,
    shrinkage: float = SHRINKAGE,
) -> SampleSize:
    """Patients needed for a binary outcome.

    Parameters
    ----------
    parameters
        Candidate predictor parameters: one for a number, levels less one for a category.
    prevalence
        Expected proportion with the event, in (0, 1).
    r2_cox_snell, r2_nagelkerke, c_statistic
        What the model is expected to explain, given in exactly one of the three ways.
    shrinkage
        Expected global shrinkage to aim at.
    """
    _check(parameters=parameters, shrinkage=shrinkage, prevalence=prevalence)
    most = max_r2_binary(prevalence)
    r2 = _assumed_r2(most, prevalence, r2_cox_snell, r2_nagelkerke, c_statistic)
    margin = (Z95 / RISK_MARGIN) ** 2 * prevalence * (1 - prevalence)
    first, second = _shrinkage_criteria(parameters, r2, most, shrinkage)
    third = math.ceil(margin)
    criteria = (
        *_shrinkage_rows(first, second, r2, most, shrinkage),
        Criterion("overall risk", "the mean risk is known to ± 0.05", third, _shrinkage_at(third, parameters, r2)),
    )
    n = max(first, second, third)
    events = n * prevalence
    return SampleSize(n, events, events / parameters, parameters, r2, most, criteria)


def for_survival(
    *,
    parameters: int,
    rate: float,
    horizon: float,
    mean_follow_up: float,
    r2_cox_snell: float | None = None,
    r2_nagelkerke: float | None = None,
    shrinkage: float = SHRINKAGE,
) -> SampleSize:
    """Patients needed for a time to event.

    Parameters
    ----------
    parameters, shrinkage
        As in `for_binary`.
    rate
        Expected events per unit of follow-up time.
    horizon, mean_follow_up
        Time at which risks are stated, and the expected mean follow-up, in the same unit of time.
    r2_cox_snell, r2_nagelkerke
        What the model is expected to explain, given in exactly one of the two ways.
    """
    _check(parameters=parameters, shrinkage=shrinkage)
    for what, value in (("rate", rate), ("horizon", horizon), ("mean follow-up", mean_follow_up)):
        if not (math.isfinite(value) and value > 0):
            raise refuse("sample-size", subject=what, found=f"it is {value:g}", remedy="give a number above 0")
    if rate * mean_follow_up >= 1:
        raise refuse(
            "sample-size",
            subject="rate and mean follow-up",
            found=f"{rate * mean_follow_up:.4g} events a patient; a patient is followed to the first one at most",
            remedy="give both in the same unit of time: rate × mean follow-up is the share of patients with the event",
        )
    most = max_r2_survival(rate * mean_follow_up)
    r2 = _assumed_r2(most, math.nan, r2_cox_snell, r2_nagelkerke, None)
    first, second = _shrinkage_criteria(parameters, r2, most, shrinkage)
    third = _smallest(lambda n: _risk_half_width(n, rate, horizon, mean_follow_up) <= RISK_MARGIN)
    criteria = (
        *_shrinkage_rows(first, second, r2, most, shrinkage),
        Criterion(
            "overall risk", "the risk at the horizon is known to ± 0.05", third, _shrinkage_at(third, parameters, r2)
        ),
    )
    n = max(first, second, third)
    events = n * rate * mean_follow_up
    return SampleSize(n, events, events / parameters, parameters, r2, most, criteria)


def for_continuous(
    *, parameters: int, r2: float, mean: float, standard_deviation: float, shrinkage: float = SHRINKAGE
) -> SampleSize:
    """Patients needed for a continuous outcome.

    Parameters
    ----------
    parameters, shrinkage
        As in `for_binary`.
    r2
        Expected adjusted R², in (0, 1).
    mean, standard_deviation
        Expected of the outcome.
    """
    _check(parameters=parameters, shrinkage=shrinkage)
    possible = SMALLEST_R2 <= r2 < 1 and 0 < standard_deviation < math.inf and 0 < abs(mean) < math.inf
    if not possible:
        raise refuse(
            "sample-size",
            subject="continuous outcome",
            found=f"R² {r2:g}, mean {mean:g}, standard deviation {standard_deviation:g}",
            remedy=f"give R² from {SMALLEST_R2:g} to 1, a mean that is not 0 and a standard deviation above 0",
        )
    start = parameters + 2
    spread = standard_deviation * math.sqrt(1 - r2) / abs(mean)
    numbers = {
        "optimism": (
            "apparent and adjusted R² differ by at most 0.05",
            math.ceil(1 + parameters * (1 - r2) / OPTIMISM),
        ),
        "residual": (
            "the residual standard deviation is known to ± 10 %",
            _smallest(lambda n: _residual_margin(n, parameters) <= RESIDUAL_MARGIN, start=start),
        ),
        "mean": (
            "the mean outcome is known to ± 10 %",
            _smallest(lambda n: _mean_margin(n, parameters, spread) <= RESIDUAL_MARGIN, start=start),
        ),
    }
    if parameters >= FEWEST_TO_SHRINK:
        enough = _smallest(lambda n: _shrinkage_continuous(n, parameters, r2) >= shrinkage, start=start)
        numbers = {"shrinkage": (f"coefficients shrink by at most {1 - shrinkage:.0%}", enough)} | numbers
    criteria = tuple(
        Criterion(name, meaning, n, _shrinkage_continuous(n, parameters, r2)) for name, (meaning, n) in numbers.items()
    )
    n = max(criterion.n for criterion in criteria)
    return SampleSize(n, math.nan, math.nan, parameters, r2, 1.0, criteria)


def max_r2_binary(prevalence: float) -> float:
    """Largest Cox-Snell R² of a binary outcome: `1 - (φ^φ (1-φ)^(1-φ))²`."""
    null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log1p(-prevalence)
    return 1 - math.exp(2 * null)


def max_r2_survival(events_per_patient: float) -> float:
    """Largest Cox-Snell R² of a time to event, from the null log-likelihood of an exponential model (Riley 2019)."""
    return 1 - math.exp(2 * (events_per_patient * math.log(events_per_patient) - events_per_patient))


def r2_from_c_statistic(c_statistic: float, *, prevalence: float) -> float:
    """Cox-Snell R² that goes with a C statistic when the linear predictor is normal in both classes.

    Riley et al. 2021, Stat Med 40:859, by integration instead of simulation: with unit variance and a distance of
    `√2 Φ⁻¹(C)` between classes, the log odds are linear in the predictor with known coefficients.
    """
    if not 0.5 < c_statistic < 1:
        raise refuse(
            "sample-size",
            subject="C statistic",
            found=f"it is {c_statistic:g}",
            remedy="give one above 0.5 and below 1",
        )
    distance = math.sqrt(2) * float(norm.ppf(c_statistic))
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / weights.sum()
    base = math.log(prevalence / (1 - prevalence)) - distance**2 / 2
    with_event = -np.logaddexp(0, -(base + distance * (nodes + distance)))
    without = -np.logaddexp(0, base + distance * nodes)
    model = prevalence * float(weights @ with_event) + (1 - prevalence) * float(weights @ without)
    null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log1p(-prevalence)
    return 1 - math.exp(-2 * (model - null))


def _check(*, parameters: int, shrinkage: float, prevalence: float = 0.5) -> None:
    if parameters < 1 or not 0 < shrinkage < 1 or not 0 < prevalence < 1:
        raise refuse(
            "sample-size",
            subject="sample size",
            found=f"{parameters} parameters, shrinkage {shrinkage:g}, prevalence {prevalence:g}",
            remedy="give at least one parameter, and shrinkage and prevalence between 0 and 1",
        )


def _assumed_r2(
    most: float, prevalence: float, cox_snell: float | None, nagelkerke: float | None, c_statistic: float | None
) -> float:
    given = [value for value in (cox_snell, nagelkerke, c_statistic) if value is not None]
    if len(given) != 1:
        raise refuse(
            "sample-size",
            subject="expected performance",
            found=f"it is stated in {len(given)} ways",
            remedy="state it once: as Cox-Snell R², Nagelkerke R² or C statistic",
        )
    if c_statistic is not None:
        r2 = r2_from_c_statistic(c_statistic, prevalence=prevalence)
    else:
        r2 = cox_snell if cox_snell is not None else most * (nagelkerke or 0.0)
    if not SMALLEST_R2 <= r2 < most:
        raise refuse(
            "sample-size",
            subject="expected performance",
            found=f"a Cox-Snell R² of {r2:.4g}; with this event rate it lies between {SMALLEST_R2:g} and {most:.4g}",
            remedy="give a smaller one, for instance 15 % of the largest",
        )
    return r2


def _shrinkage_criteria(parameters: int, r2: float, most: float, shrinkage: float) -> tuple[int, int]:
    """Patients for the shrinkage aimed at, and for an optimism in Nagelkerke's R² of at most 0.05."""
    second = r2 / (r2 + OPTIMISM * most)
    return _needed(parameters, r2, shrinkage), _needed(parameters, r2, second)


def _needed(parameters: int, r2: float, shrinkage: float) -> int:
    if r2 >= shrinkage:
        raise refuse(
            "sample-size",
            subject="shrinkage",
            found=f"it is {shrinkage:g}, and the R² expected {r2:.4g}: no number of patients gives both",
            remedy="aim at a shrinkage above the R², such as 0.9",
        )
    return math.ceil(parameters / ((shrinkage - 1) * math.log(1 - r2 / shrinkage)))


def _shrinkage_rows(first: int, second: int, r2: float, most: float, shrinkage: float) -> tuple[Criterion, Criterion]:
    optimism = r2 / (r2 + OPTIMISM * most)
    return (
        Criterion("shrinkage", f"coefficients shrink by at most {1 - shrinkage:.0%}", first, shrinkage),
        Criterion("optimism", "apparent and adjusted Nagelkerke R² differ by at most 0.05", second, optimism),
    )


def _shrinkage_at(n: int, parameters: int, r2: float) -> float:
    """Expected shrinkage with `n` patients: the solution S of n = p / ((S-1) ln(1 - R²/S))."""
    low, high = r2 + 1e-9, 1 - 1e-12
    for _ in range(100):
        middle = (low + high) / 2
        if parameters / ((middle - 1) * math.log(1 - r2 / middle)) > n:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def expected_shrinkage(n: int, *, parameters: int, r2_cox_snell: float) -> float:
    """Global shrinkage to expect of a model with so many parameters from `n` patients (near 0: pure overfitting)."""
    return _shrinkage_at(n, parameters, r2_cox_snell)


def _risk_half_width(n: int, rate: float, horizon: float, mean_follow_up: float) -> float:
    error = Z95 * math.sqrt(rate / (n * mean_follow_up))
    risk = 1 - math.exp(-rate * horizon)
    upper = 1 - math.exp(-(rate + error) * horizon)
    lower = 1 - math.exp(-max(rate - error, 0.0) * horizon)
    return max(upper - risk, risk - lower)


def _shrinkage_continuous(n: int, parameters: int, r2: float) -> float:
    if n <= parameters + 1 or parameters < FEWEST_TO_SHRINK:
        return math.nan
    apparent = (r2 * (n - parameters - 1) + parameters) / (n - 1)
    return 1 + (parameters - 2) / (n * math.log(1 - apparent))


def _residual_margin(n: int, parameters: int) -> float:
    free = n - parameters - 1
    high = float(chi2.ppf(0.975, free)) / free
    low = float(chi2.ppf(0.025, free)) / free
    return math.sqrt(max(high, 1 / low))


def _mean_margin(n: int, parameters: int, spread: float) -> float:
    return 1 + float(t.ppf(0.975, n - parameters - 1)) * spread / math.sqrt(n)


def _smallest(enough: Callable[[int], bool], *, start: int = 1) -> int:
    """Smallest n from `start` on that is enough, when every larger one is too."""
    high = start
    while not enough(high):
        high *= 2
    low = max(start, high // 2)
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return high
