"""Observed against predicted risk: a smooth curve, and groups of patients with similar risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.validation.censoring import kaplan_meier, known_event
from prognoscope.validation.checks import Bools, Floats
from prognoscope.validation.recalibration import logistic_rows, logit
from prognoscope.validation.results import CalibrationGroup, RiskHistogram

GRID_POINTS = 50
HISTOGRAM_BINS = 100
PATIENTS_PER_GROUP = 10
EVENTS_PER_KNOT = 10
Z95 = 1.959963984540054


def spline_basis(line: Floats, knots: Floats) -> Floats:
    """Restricted cubic spline: intercept, line and `k - 2` cubic terms that are linear beyond the outer knots.

    Harrell 2015, Regression Modeling Strategies, 2.4.5, scaled by the squared width of the knots.
    """
    columns = [np.ones_like(line), line]
    last, before = knots[-1], knots[-2]
    for knot in knots[:-2]:
        cubic = _cube(line - knot)
        cubic -= _cube(line - before) * (last - knot) / (last - before)
        cubic += _cube(line - last) * (before - knot) / (last - before)
        columns.append(cubic / (last - knots[0]) ** 2)
    return np.column_stack(columns)


def spline_knots(line: Floats, *, events: int) -> Floats:
    """Knots at the quantiles that Harrell recommends: 3, 4 or 5 of them by events (10 a knot); none below 30 events.

    Empty also where quantiles coincide (few distinct risks), so that the curve is a straight line in the logit.
    """
    number = min(5, events // EVENTS_PER_KNOT)
    quantiles = {3: (0.1, 0.5, 0.9), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.5, 0.725, 0.95)}
    if number < 3:
        return np.empty(0)
    knots = np.quantile(line, quantiles[number])
    return knots if (np.diff(knots) > 1e-6 * max(1.0, float(np.ptp(line)))).all() else np.empty(0)


@dataclass(frozen=True, slots=True, eq=False)
class CurveFit:
    """Smooth calibration curves under rows of weights: logistic regression on a spline of logit(risk).

    Attributes
    ----------
    knots
        Empty for a straight line in the logit.
    coefficients
        `(rows, columns of the spline)`; NaN where the fit fails.
    lowest, highest
        Risks between which the curves hold.
    """

    knots: Floats
    coefficients: Floats
    lowest: float
    highest: float

    def at(self, risk: Floats) -> Floats:
        """Observed proportion at each risk `(points,)`, one row a curve; NaN outside the range of the risks."""
        line = logit(np.clip(risk, self.lowest, self.highest))
        with np.errstate(over="ignore"):
            curves = 1 / (1 + np.exp(-(self.coefficients @ curve_basis(line, self.knots).T)))
        curves[:, (risk < self.lowest) | (risk > self.highest)] = np.nan
        return np.asarray(curves)


def fit_curves(event: Bools, risk: Floats, weights: Floats) -> CurveFit | None:
    """Fit smooth calibration curves under weights `(rows, n)`; None with fewer than two different ones between 0 and 1.

    Logistic regression of the outcome on a restricted cubic spline of logit(risk) (Austin and Steyerberg 2014, Stat
    Med 33:517; Harrell 2015).
    """
    inside = (risk > 0) & (risk < 1)
    if len(np.unique(risk[inside])) < 2:
        return None
    line = logit(risk[inside])
    knots = spline_knots(line, events=int(min(event[inside].sum(), (~event[inside]).sum())))
    # Orthogonal columns: those of a spline are so alike that Newton's steps would be cut short for their size alone.
    columns, mixture = np.linalg.qr(curve_basis(line, knots))
    size = np.sqrt(len(line))
    fitted = logistic_rows(columns * size, np.zeros_like(line), event[inside], weights[:, inside])
    coefficients = fitted @ (np.linalg.pinv(mixture) * size).T
    return CurveFit(knots, coefficients, float(risk[inside].min()), float(risk[inside].max()))


def curve_rows(event: Bools, risk: Floats, grid: Floats, weights: Floats) -> Floats:
    """Smooth calibration curve under weights `(rows, n)` at each risk of the grid, `(rows, points)`; NaN where none."""
    fit = fit_curves(event, risk, weights)
    return np.full((len(weights), len(grid)), np.nan) if fit is None else fit.at(grid)


def curve_basis(line: Floats, knots: Floats) -> Floats:
    """Columns of the spline of log odds, or intercept and line without knots; `(n, columns)`."""
    return spline_basis(line, knots) if knots.size else np.column_stack([np.ones_like(line), line])


def risk_grid(risk: Floats) -> Floats:
    """Risks at which a calibration curve is drawn: evenly from the lowest to the highest that are not 0 or 1."""
    inside = risk[(risk > 0) & (risk < 1)]
    if inside.size < 2:
        return np.empty(0)
    return np.linspace(inside.min(), inside.max(), GRID_POINTS)


def calibration_groups(outcome: Outcome, risk: Floats) -> tuple[CalibrationGroup, ...]:
    """Groups of equal size by risk: mean risk and observed proportion with its 95 % interval.

    Groups of at least 10 patients, at most 10 groups, formed in each repeat of cross-validation; predicted and
    observed are averaged over the repeats, the interval is that of one group.

    Parameters
    ----------
    outcome
        Of `n` patients.
    risk
        `(repeats, n)`.
    """
    n = len(outcome)
    number = int(np.clip(n // PATIENTS_PER_GROUP, 1, 10))
    members = [np.array_split(np.argsort(row, kind="stable"), number) for row in risk]
    return tuple(
        _group(outcome, [(rows[index], risk[repeat]) for repeat, rows in enumerate(members)]) for index in range(number)
    )


def risk_histogram(outcome: Outcome, risk: Floats) -> RiskHistogram:
    """Patients by risk, averaged over the repeats `(repeats, n)`, and by what happened to them, in bins of 1 %."""
    event = known_event(outcome)
    lost = np.zeros(len(event), dtype=bool)
    if not isinstance(outcome, Binary):
        lost = ~event & (outcome.time_days < outcome.horizon_days)
    place = np.minimum((risk.mean(axis=0) * HISTOGRAM_BINS).astype(np.intp), HISTOGRAM_BINS - 1)
    parts = (event, ~event & ~lost, lost)
    counts = [tuple(np.bincount(place[part], minlength=HISTOGRAM_BINS).tolist()) for part in parts]
    return RiskHistogram(counts[0], counts[1], counts[2] if lost.any() else ())


def _group(outcome: Outcome, repeats: list[tuple[NDArray[np.intp], Floats]]) -> CalibrationGroup:
    predicted = float(np.mean([risk[rows].mean() for rows, risk in repeats]))
    found = np.array([observed_proportion(outcome.take(rows)) for rows, _ in repeats])
    observed, size = (float(value) for value in found.mean(axis=0))
    low, high = wilson_interval(observed, size)
    return CalibrationGroup(predicted, observed, low, high, len(repeats[0][0]))


def observed_proportion(outcome: Outcome) -> tuple[float, float]:
    """Proportion with the event (by the horizon) and the number of patients that a proportion this sure would need.

    Without censoring that is their number; with it, Rothman's effective size p(1-p) / variance (J Chronic Dis 1978
    31:557), or the number of known statuses where the variance is 0.
    """
    if isinstance(outcome, Binary):
        return float(outcome.event.mean()), float(len(outcome))
    survival, error = kaplan_meier(outcome.time_days, outcome.event).at(outcome.horizon_days)
    known = float((known_event(outcome) | (outcome.time_days >= outcome.horizon_days)).sum())
    size = survival * (1 - survival) / error**2 if error > 0 else known
    return 1 - survival, size


def wilson_interval(proportion: float, size: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a proportion (JASA 1927 22:209); `size` may be an effective one."""
    if not (np.isfinite(proportion) and size > 0):
        return np.nan, np.nan
    shrink = 1 + Z95**2 / size
    centre = (proportion + Z95**2 / (2 * size)) / shrink
    half = Z95 / shrink * np.sqrt(proportion * (1 - proportion) / size + Z95**2 / (4 * size**2))
    # At 0 and 1 rounding may put an end on the wrong side of the proportion itself.
    return float(np.clip(centre - half, 0.0, proportion)), float(np.clip(centre + half, proportion, 1.0))


def _cube(values: Floats) -> Floats:
    above = np.maximum(values, 0.0)
    return above * above * above  # a power of an array is many times slower
