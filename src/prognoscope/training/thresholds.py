"""The threshold from which a risk is an alert, chosen by stated costs from inner out-of-fold risks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.settings import Settings


class Costs(Settings):
    """What wrong decisions cost, in any unit; only their ratio counts."""

    false_alert: float = Field(default=1.0, gt=0, description="cost of an alert for a patient without the event")
    missed_event: float = Field(gt=0, description="cost of no alert for a patient with the event")

    @property
    def ideal(self) -> float:
        """The best threshold for perfectly calibrated risks: `false_alert / (false_alert + missed_event)`."""
        return self.false_alert / (self.false_alert + self.missed_event)


def choose_threshold(outcome: Outcome, risk: NDArray[np.float64], costs: Costs) -> float:
    """Return the threshold with the smallest total cost; of equals, the one nearest to the ideal.

    Risks at or above it are alerts. Candidates lie half way between neighbouring risks; the ideal one is among them.
    For a time to event, patients are weighted by the inverse probability of not being censored (Graf et al. 1999).
    """
    event, weight = _truth(outcome)
    levels = np.unique(risk)
    middles = (levels[1:] + levels[:-1]) / 2
    candidates = np.unique(np.concatenate([[min(0.0, levels[0])], middles, [costs.ideal, 1.0]]))
    alert = risk[None, :] >= candidates[:, None]
    false_alerts = (alert * (weight * ~event)).sum(axis=1)
    missed = (~alert * (weight * event)).sum(axis=1)
    cost = np.round(costs.false_alert * false_alerts + costs.missed_event * missed, 9)
    best = np.flatnonzero(cost == cost.min())
    return float(candidates[best[int(np.argmin(np.abs(candidates[best] - costs.ideal)))]])


def _truth(outcome: Outcome) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Event by the horizon, and the weight of each patient."""
    if not isinstance(outcome, TimeToEvent):
        return outcome.event, np.ones(len(outcome))
    horizon = outcome.horizon_days
    event = outcome.event & (outcome.time_days <= horizon)
    until = np.where(event, outcome.time_days, horizon)
    free = _uncensored(outcome, until)
    known = event | (outcome.time_days >= horizon)
    return event, np.where(known & (free > 0), 1 / np.maximum(free, 1e-12), 0.0)


def _uncensored(outcome: TimeToEvent, until: NDArray[np.float64]) -> NDArray[np.float64]:
    """Kaplan-Meier probability of not being censored just before a time."""
    times, place = np.unique(outcome.time_days, return_inverse=True)
    censored = np.bincount(place, weights=~outcome.event, minlength=len(times))
    events = np.bincount(place, weights=outcome.event, minlength=len(times))
    # Of one day, events come first: those who had the event are no longer at risk of censoring.
    at_risk = np.bincount(place, minlength=len(times))[::-1].cumsum()[::-1] - events
    steps = np.cumprod(np.where(at_risk > 0, 1 - censored / np.maximum(at_risk, 1), 1.0))
    reached = np.searchsorted(times, until, "left")
    return np.where(reached > 0, steps[np.maximum(reached, 1) - 1], 1.0)
