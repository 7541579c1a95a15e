"""What is predicted: one closed union of outcome types.

Models, metrics and report rows declare which members they serve; a member that nobody serves is refused by name.
Arrays are in the order of the patients of the cohort they belong to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from prognoscope.core.problems import refuse

OutcomeKind = Literal["binary", "time-to-event"]


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """An event that happened or did not, for `n` patients: `event` bool `(n,)`, read-only."""

    event: NDArray[np.bool_]
    kind: ClassVar[OutcomeKind] = "binary"

    def __post_init__(self) -> None:
        event = np.array(self.event, dtype=bool)
        event.setflags(write=False)
        object.__setattr__(self, "event", event)

    def __len__(self) -> int:
        return len(self.event)

    @property
    def events(self) -> int:
        """Number of patients with the event."""
        return int(self.event.sum())

    def take(self, rows: ArrayLike) -> Binary:
        """Return the outcome of some patients, by position or boolean mask; repeats are allowed."""
        return Binary(self.event[np.asarray(rows)])


@dataclass(frozen=True, slots=True, eq=False)
class TimeToEvent:
    """Time in days from time zero to an event or to the end of follow-up, for `n` patients, read-only.

    Attributes
    ----------
    time_days
        `(n,)`, finite and above 0.
    event
        `(n,)`: True where the event ended the time, False where follow-up did (right censored).
    horizon_days
        The time at which risks are stated, above 0.
    """

    time_days: NDArray[np.float64]
    event: NDArray[np.bool_]
    horizon_days: float
    kind: ClassVar[OutcomeKind] = "time-to-event"

    def __post_init__(self) -> None:
        time = np.array(self.time_days, dtype=float)
        event = np.array(self.event, dtype=bool)
        if time.shape != event.shape or time.ndim != 1:
            raise refuse(
                "outcome-shape",
                subject="outcome",
                found=f"times have shape {time.shape}, events {event.shape}",
                remedy="give one time and one event indicator per patient",
            )
        if not np.isfinite(time).all() or (time <= 0).any():
            worst = int(np.flatnonzero(~(np.isfinite(time) & (time > 0)))[0])
            raise refuse(
                "outcome-time",
                subject=f"outcome of patient {worst + 1} of {len(time)}",
                found=f"time is {time[worst]} days",
                remedy="times run from time zero and must be above 0; leave such patients out",
            )
        if not self.horizon_days > 0:
            raise refuse(
                "outcome-horizon",
                subject="outcome",
                found=f"horizon is {self.horizon_days} days",
                remedy="state a horizon above 0, for instance `horizon: 730 day`",
            )
        time.setflags(write=False)
        event.setflags(write=False)
        object.__setattr__(self, "time_days", time)
        object.__setattr__(self, "event", event)

    def __len__(self) -> int:
        return len(self.event)

    @property
    def events(self) -> int:
        """Number of patients with the event, at any time."""
        return int(self.event.sum())

    @property
    def events_by_horizon(self) -> int:
        """Number of patients with the event at or before the horizon."""
        return int((self.event & (self.time_days <= self.horizon_days)).sum())

    @property
    def censored_before_horizon(self) -> int:
        """Number of patients whose follow-up ended before the horizon without the event."""
        return int((~self.event & (self.time_days < self.horizon_days)).sum())

    def take(self, rows: ArrayLike) -> TimeToEvent:
        """Return the outcome of some patients, by position or boolean mask; repeats are allowed."""
        chosen = np.asarray(rows)
        return TimeToEvent(self.time_days[chosen], self.event[chosen], self.horizon_days)


Outcome = Binary | TimeToEvent
