"""What acting above a threshold means for 100 patients: alerts, hits, misses, and the threshold that costs imply."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from prognoscope.core.outcome import Outcome
from prognoscope.core.problems import refuse
from prognoscope.validation.calibration import observed_proportion, wilson_interval
from prognoscope.validation.checks import Bools, Floats, risks
from prognoscope.validation.decision import checked_prevalence, net_benefit_rows, treat_all_rows
from prognoscope.validation.resampling import once


@dataclass(frozen=True, slots=True)
class Share:
    """A proportion with Wilson's 95 % interval; NaN with its reason where nobody counts for it."""

    estimate: float
    low: float
    high: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """Performance of "act when the risk is at or above the threshold".

    Attributes
    ----------
    sensitivity, specificity
        Shares of those with, without the event who are rightly classified.
    ppv, npv
        Shares of those above, below who do, do not have the event, at `prevalence`.
    alerts_per_100
        Patients of 100 at or above the threshold, at `prevalence`.
    number_needed_to_evaluate
        Alerts for one patient with the event: 1 / PPV.
    net_benefit, interventions_avoided_per_100
        At `prevalence`; the latter is what treating by the model saves against treating all, with no event missed more.
    prevalence
        The study's, or the clinic's where one was given.
    """

    threshold: float
    sensitivity: Share
    specificity: Share
    ppv: Share
    npv: Share
    alerts_per_100: float
    number_needed_to_evaluate: float
    net_benefit: float
    interventions_avoided_per_100: float
    prevalence: float


def threshold_table(
    outcome: Outcome, risk: ArrayLike, *, thresholds: Sequence[float], prevalence: float | None = None
) -> tuple[ThresholdRow, ...]:
    """Describe each threshold.

    For a time to event the four cells come from Kaplan-Meier survival at the horizon among those above and below
    (Heagerty, Lumley and Pepe 2000, Biometrics 56:337, their equation 2).

    Parameters
    ----------
    outcome
        Of `n` patients.
    risk
        `(n,)` in [0, 1].
    thresholds
        Risks in (0, 1).
    prevalence
        Of the event where the model will be used: PPV, NPV and alerts are carried over from sensitivity and
        specificity by Bayes' rule, which holds when these two do not change. The study's own when left out.
    """
    values = risks(risk, n=len(outcome))
    checked_prevalence(prevalence)
    return tuple(_row(outcome, values, float(threshold), prevalence) for threshold in thresholds)


def net_interventions_avoided(net_benefit: ArrayLike, treat_all: ArrayLike, thresholds: ArrayLike) -> Floats:
    """Interventions avoided per patient against treating all, no event missed more: `(NB - NB_all) / (t / (1-t))`.

    Vickers, Van Calster and Steyerberg 2019, Diagn Progn Res 3:18.
    """
    at = np.asarray(thresholds, dtype=float)
    return np.asarray((np.asarray(net_benefit) - np.asarray(treat_all)) / (at / (1 - at)))


def threshold_from_costs(*, false_alarm: float, missed_event: float) -> float:
    """Threshold probability at which acting and waiting cost the same: `C_fa / (C_fa + C_miss)`.

    Pauker and Kassirer 1975, N Engl J Med 293:229. Costs are net of what the rightly treated or spared would cost, in
    any common unit.
    """
    if not (math.isfinite(false_alarm) and math.isfinite(missed_event) and false_alarm > 0 and missed_event > 0):
        raise refuse(
            "cost-range",
            subject="costs",
            found=f"a false alarm costs {false_alarm:g}, a missed event {missed_event:g}",
            remedy="give two costs above 0 in the same unit",
        )
    return false_alarm / (false_alarm + missed_event)


def ppv_at(sensitivity: float, specificity: float, prevalence: float) -> float:
    """Positive predictive value at a prevalence, by Bayes' rule."""
    alarms = sensitivity * prevalence + (1 - specificity) * (1 - prevalence)
    return sensitivity * prevalence / alarms if alarms > 0 else math.nan


def npv_at(sensitivity: float, specificity: float, prevalence: float) -> float:
    """Negative predictive value at a prevalence, by Bayes' rule."""
    quiet = (1 - sensitivity) * prevalence + specificity * (1 - prevalence)
    return specificity * (1 - prevalence) / quiet if quiet > 0 else math.nan


def _row(outcome: Outcome, risk: Floats, threshold: float, prevalence: float | None) -> ThresholdRow:
    above = risk >= threshold
    n, share = len(outcome), float(above.mean())
    with_event = [_proportion(outcome, above), _proportion(outcome, ~above)]
    rate = share * with_event[0][0] + (1 - share) * with_event[1][0]
    happened, spared = rate * n, (1 - rate) * n
    sensitivity = _share(share * with_event[0][0], rate, happened, "no patient had the event")
    specificity = _share((1 - share) * (1 - with_event[1][0]), 1 - rate, spared, "every patient had the event")
    at = rate if prevalence is None else prevalence
    alerts = sensitivity.estimate * at + (1 - specificity.estimate) * (1 - at)
    ppv = _predictive(with_event[0], prevalence, ppv_at, sensitivity, specificity, event=True)
    npv = _predictive(with_event[1], prevalence, npv_at, sensitivity, specificity, event=False)
    point = np.array([threshold])
    benefit = float(net_benefit_rows(outcome, risk, point, once(n), prevalence=prevalence)[0, 0])
    everyone = float(treat_all_rows(outcome, point, once(n), prevalence=prevalence)[0, 0])
    return ThresholdRow(
        threshold=threshold,
        sensitivity=sensitivity,
        specificity=specificity,
        ppv=ppv,
        npv=npv,
        alerts_per_100=100 * (share if prevalence is None else alerts),
        number_needed_to_evaluate=1 / ppv.estimate if ppv.estimate > 0 else math.nan,
        net_benefit=benefit,
        interventions_avoided_per_100=100 * float(net_interventions_avoided(benefit, everyone, threshold)),
        prevalence=at,
    )


def _proportion(outcome: Outcome, chosen: Bools) -> tuple[float, float]:
    return observed_proportion(outcome.take(chosen)) if chosen.any() else (0.0, 0.0)


def _share(part: float, whole: float, size: float, empty: str) -> Share:
    if not whole > 0:
        return Share(math.nan, math.nan, math.nan, empty if whole == 0 else "not followed to the horizon")
    estimate = min(max(part / whole, 0.0), 1.0)
    return Share(estimate, *wilson_interval(estimate, size))


def _predictive(
    proportion: tuple[float, float],
    prevalence: float | None,
    by_bayes: Callable[[float, float, float], float],
    sensitivity: Share,
    specificity: Share,
    *,
    event: bool,
) -> Share:
    if proportion[1] == 0:
        side = "at or above" if event else "below"
        return Share(math.nan, math.nan, math.nan, f"no patient's risk is {side} the threshold")
    if prevalence is None:
        estimate = proportion[0] if event else 1 - proportion[0]
        return Share(estimate, *wilson_interval(estimate, proportion[1]))
    # The ends hold if sensitivity and specificity err the same way: wider than an interval of 95 %.
    return Share(
        by_bayes(sensitivity.estimate, specificity.estimate, prevalence),
        by_bayes(sensitivity.low, specificity.low, prevalence),
        by_bayes(sensitivity.high, specificity.high, prevalence),
    )
