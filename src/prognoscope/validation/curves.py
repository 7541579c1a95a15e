"""Calibration and decision curves of a model, averaged over its repeats, each with its band.

Bands are percentiles over resamples, or for many patients from influence functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from prognoscope.core.outcome import Outcome
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.seeds import generator
from prognoscope.validation.calibration import CurveFit, fit_curves, risk_grid
from prognoscope.validation.calibration_errors import DEPARTS_BELOW, ERRORS, departure, error_interval, error_rows
from prognoscope.validation.censoring import known_event, status_weights
from prognoscope.validation.checks import Bools, Floats
from prognoscope.validation.decision import net_benefit_rows, treat_all_rows
from prognoscope.validation.decision_bands import decision_reach
from prognoscope.validation.flexible import Smoother, calibration_curve, loess_smoother, spline_band, spline_information
from prognoscope.validation.influence import half_width
from prognoscope.validation.metrics import Sample
from prognoscope.validation.resampling import bands, once
from prognoscope.validation.results import Curve, Decision

SMOOTHED_SPAN = 0.2
FEWEST_SMOOTHED = 15
DRAWS = 1000
DRAWN_RISKS = 500

Errors = dict[str, tuple[float, float, float, str]]


def resampled_decision(
    outcome: Outcome, model: OutOfFold, thresholds: Floats, samples: Sequence[Sample], *, prevalence: float | None
) -> tuple[Decision, Floats]:
    """Decision curve with percentile bands, and net benefit of the cohort and its resamples `(1 + resamples, k)`.

    The first row of the first sample is the cohort itself.
    """
    benefit = np.concatenate([_benefit(model, thresholds, rows, prevalence) for rows in samples])
    everyone = np.concatenate(
        [treat_all_rows(outcome, thresholds, rows.counts, prevalence=prevalence) for rows in samples]
    )
    avoided = (benefit - everyone) / (thresholds / (1 - thresholds))
    smooth = threshold_smoother(thresholds)
    return Decision(
        banded(thresholds, benefit),
        plain(everyone[0]),
        banded(thresholds, _smoothed(benefit, smooth)) if smooth is not None else Curve((), ()),
        banded(thresholds, avoided),
        None,
        *_ends(everyone),
    ), benefit


def analytic_decision(outcome: Outcome, model: OutOfFold, thresholds: Floats, *, prevalence: float | None) -> Decision:
    """Decision curve with bands from influence functions; the smoothed band is the smoothed ends of the band."""
    counts = once(len(outcome))
    event, weights = known_event(outcome), status_weights(outcome, counts)[0]
    odds = thresholds / (1 - thresholds)
    everyone = treat_all_rows(outcome, thresholds, counts, prevalence=prevalence)[0]
    each = [net_benefit_rows(outcome, risk, thresholds, counts, prevalence=prevalence)[0] for risk in model.risk]
    value = np.mean(each, axis=0)
    reach, apart = decision_reach(event, model.risk, weights, thresholds, prevalence=prevalence)
    smooth = threshold_smoother(thresholds)
    lines = np.stack([value, value - reach, value + reach])
    smoothed = [plain(line) for line in _smoothed(lines, smooth)] if smooth is not None else [(), (), ()]
    return Decision(
        Curve(plain(thresholds), *(plain(line) for line in lines)),
        plain(everyone),
        Curve(plain(thresholds) if smooth is not None else (), *smoothed),
        _around(thresholds, (value - everyone) / odds, apart / odds),
        None,
        *_everyone_reach(event, weights, everyone, odds, prevalence=prevalence),
    )


def _everyone_reach(
    event: Bools, weights: Floats, everyone: Floats, odds: Floats, *, prevalence: float | None
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Ends of the band of treating all, which moves only with the proportion of events: `p (1 + odds) - odds`."""
    reach = half_width(weights * event) * (1 + odds) if prevalence is None else np.zeros_like(odds)
    return plain(everyone - reach), plain(everyone + reach)


def threshold_smoother(thresholds: Floats) -> Floats | None:
    """Local quadratic regression over thresholds (loess, span 0.2) as a matrix; None for fewer than 15 thresholds."""
    if len(thresholds) < FEWEST_SMOOTHED:
        return None
    return loess_smoother(thresholds, thresholds, np.ones(len(thresholds)), span=SMOOTHED_SPAN)


def resampled_calibration(model: OutOfFold, grid: Floats, samples: Sequence[Sample]) -> tuple[Curve, Errors]:
    """Spline calibration curve on a grid and the calibration errors, both with intervals over resamples."""
    curves, errors, departs_from = [], [], list[float]()
    for rows in samples:
        fits = [fit_curves(rows.event, risk, rows.weights) for risk in model.risk]
        pairs = [(fit, risk) for fit, risk in zip(fits, model.risk, strict=True) if fit is not None]
        if len(pairs) < model.repeats:
            return Curve((), ()), {}
        curves.append(np.mean([fit.at(grid) for fit, _ in pairs], axis=0))
        errors.append(np.mean([error_rows(fit, risk, rows.counts) for fit, risk in pairs], axis=0))
        if not departs_from:
            known = [spline_information(fit, risk, rows.weights[0]) for fit, risk in pairs]
            departs_from = [departure([fit for fit, _ in pairs], known)]
    return banded(grid, np.concatenate(curves)), _error_intervals(np.concatenate(errors), departs_from[0])


def analytic_calibration(outcome: Outcome, model: OutOfFold, grid: Floats, *, seed: int) -> tuple[Curve, Errors]:
    """The same for many patients: model-based band; errors over draws of the curve's coefficients."""
    event, weights = known_event(outcome), status_weights(outcome, once(len(outcome)))
    draws = generator(seed, "coefficients of calibration curves").normal(size=(DRAWS, 8))
    errors, fits, known = [], [], []
    everyone = once(len(outcome))
    for risk in model.risk:
        fit = fit_curves(event, risk, weights)
        if fit is None or not np.isfinite(fit.coefficients).all():
            return Curve((), ()), {}
        known.append(spline_information(fit, risk, weights[0]))
        root = np.linalg.cholesky(np.linalg.inv(known[-1]))
        drawn = fit.coefficients + draws[:, : len(root)] @ root.T
        points = np.quantile(risk, np.linspace(0, 1, DRAWN_RISKS))
        curves = CurveFit(fit.knots, drawn, fit.lowest, fit.highest)
        around = error_rows(curves, points, np.ones((DRAWS, len(points)), dtype=np.uint16))
        errors.append(np.vstack([error_rows(fit, risk, everyone), around]))
        fits.append(fit)
    bands = [spline_band(fit, own, grid) for fit, own in zip(fits, known, strict=True)]
    return _mean_curve(grid, bands), _error_intervals(np.mean(errors, axis=0), departure(fits, known))


def mean_calibration_curve(outcome: Outcome, model: OutOfFold, grid: Floats, *, smoother: Smoother) -> Curve:
    """Calibration curve and pointwise band of each repeat, averaged; empty where a repeat has none."""
    if not len(grid):
        return Curve((), ())
    curves = [calibration_curve(outcome, risk, smoother=smoother, at=grid) for risk in model.risk]
    return _mean_curve(grid, [tuple(map(np.array, (curve.y, curve.low, curve.high))) for curve in curves])


def common_grid(risk: Floats) -> Floats:
    """Risks that every repeat covers, so that all of them add to each point of a curve; `(points,)` or empty."""
    grids = [grid for grid in (risk_grid(row) for row in risk) if grid.size]
    if len(grids) < len(risk):
        return np.empty(0)
    low, high = max(grid[0] for grid in grids), min(grid[-1] for grid in grids)
    return np.linspace(low, high, len(grids[0])) if low < high else np.empty(0)


def banded(x: Floats, values: Floats) -> Curve:
    """A curve from its values in the cohort and in its resamples, `(1 + resamples, points)`."""
    if not len(x):
        return Curve((), ())
    return Curve(plain(x), plain(values[0]), *_ends(values))


def _ends(values: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Ends of the band of a curve with its resamples `(1 + resamples, points)`; empty without any."""
    if len(values) == 1:
        return (), ()
    low, high = bands(values[1:])
    return plain(low), plain(high)


def plain(values: Iterable[float]) -> tuple[float, ...]:
    """Python floats, for a result."""
    return tuple(float(value) for value in values)


def _benefit(model: OutOfFold, thresholds: Floats, rows: Sample, prevalence: float | None) -> Floats:
    each = [net_benefit_rows(rows.outcome, risk, thresholds, rows.counts, prevalence=prevalence) for risk in model.risk]
    return np.asarray(np.mean(each, axis=0))


def _smoothed(values: Floats, smoother: Floats) -> Floats:
    """Smooth rows of values; unknown where an unknown value has a part in it."""
    unknown = ~np.isfinite(values)
    touched = (unknown.astype(float) @ (np.abs(smoother) > 1e-12).T) > 0
    return np.where(touched, np.nan, np.where(unknown, 0.0, values) @ smoother.T)


def _error_intervals(errors: Floats, p: float) -> Errors:
    found: Errors = {}
    for name, values in zip(ERRORS, errors.T, strict=True):
        estimate = float(values[0])
        found[name] = (estimate, *error_interval(estimate, values[1:], departs=p < DEPARTS_BELOW))
    return found


def _mean_curve(grid: Floats, bands: Sequence[tuple[Floats, ...]]) -> Curve:
    y, low, high = np.mean(bands, axis=0)
    return Curve(plain(grid), plain(y), plain(low), plain(high)) if np.isfinite(y).all() else Curve((), ())


def _around(x: Floats, y: Floats, reach: Floats) -> Curve:
    return Curve(plain(x), plain(y), plain(y - reach), plain(y + reach))
