"""How far smoothed observed risks lie from the predicted ones: ICI, E50, E90, Emax, and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2

from prognoscope.core.outcome import Outcome
from prognoscope.validation.calibration import CurveFit
from prognoscope.validation.checks import Floats, risks
from prognoscope.validation.flexible import EXACT_UP_TO, Smoother, calibration_curve
from prognoscope.validation.metrics import known_counts
from prognoscope.validation.resampling import Counts, percentile_interval

ERRORS = ("ici", "e50", "e90", "emax")
FEWEST_RISKS = 5
FEWEST_FOR_A_CURVE = 10
DEPARTS_BELOW = 0.025


@dataclass(frozen=True, slots=True)
class CalibrationErrors:
    """Absolute distances of predicted and smoothed observed risk over the patients.

    `ici` is their mean (integrated calibration index), `e50` median, `e90` 90th percentile, `emax` maximum (Austin and
    Steyerberg 2019, Stat Med 38:4051). NaN with a reason where no curve can be fitted.
    """

    ici: float
    e50: float
    e90: float
    emax: float
    reason: str = ""


def calibration_errors(outcome: Outcome, risk: ArrayLike, *, smoother: Smoother = "spline") -> CalibrationErrors:
    """ICI, E50, E90 and Emax by a smoothed calibration curve, over all patients; `evaluate` takes the spline too."""
    values = risks(risk, n=len(outcome))
    reason = too_few_for_a_curve(outcome) or why_no_errors(values, smoother=smoother)
    if reason:
        return CalibrationErrors(np.nan, np.nan, np.nan, np.nan, reason)
    distinct = np.unique(values)
    at = distinct if len(distinct) <= EXACT_UP_TO else np.unique(np.quantile(values, np.linspace(0, 1, EXACT_UP_TO)))
    curve = calibration_curve(outcome, values, smoother=smoother, at=at)
    observed = np.interp(values, curve.x, curve.y)
    if not np.isfinite(observed).all():
        return CalibrationErrors(np.nan, np.nan, np.nan, np.nan, NO_CURVE)
    return CalibrationErrors(*errors_of(np.abs(observed - values)))


def too_few_for_a_curve(outcome: Outcome) -> str:
    """Say that fewer than ten patients with or without the event bend no curve; empty where there are enough.

    Ten events for each coefficient are the rule for regression (Peduzzi et al. 1996, J Clin Epidemiol 49:1373), and the
    straightest curve has one beside its intercept. For a curve that may bend as it will, 200 are asked for (Van Calster
    et al. 2016, J Clin Epidemiol 74:167), which the report says.
    """
    if min(known_counts(outcome)) < FEWEST_FOR_A_CURVE:
        return f"suppressed: fewer than {FEWEST_FOR_A_CURVE} patients with or without the event, too few for a curve"
    return ""


NO_CURVE = "no calibration curve can be fitted to all risks"


def why_no_errors(risk: Floats, *, smoother: Smoother) -> str:
    """Say why risks `(n,)` have no calibration errors; empty where they have."""
    if len(np.unique(risk)) < FEWEST_RISKS:
        return "fewer than five different risks"
    if smoother == "spline" and ((risk == 0) | (risk == 1)).any():
        return "some risks are exactly 0 or 1, their logit is infinite"
    return ""


def errors_of(distance: Floats) -> tuple[float, float, float, float]:
    """Mean, median, 90th percentile and maximum of absolute distances, `(n,)`."""
    return tuple(_errors_rows(distance[None], np.ones((1, len(distance)), dtype=np.uint16))[0].tolist())


def error_rows(fit: CurveFit, risk: Floats, counts: Counts) -> Floats:
    """ICI, E50, E90 and Emax of spline curves fitted under counts `(rows, n)`; `(rows, 4)`."""
    result: Floats = _errors_rows(np.abs(fit.at(risk) - risk), counts)
    return result


def error_interval(estimate: float, replicates: Floats, *, departs: bool) -> tuple[float, float, str]:
    """95 % interval of an absolute calibration error and why there is none.

    A resample's curve departs from the diagonal by the noise of the sample and by its own, so replicates lie above
    the estimate by about as much as the estimate lies above the truth. The basic bootstrap interval
    `(2 e - q97.5, 2 e - q2.5)` takes that off (Davison and Hinkley 1997, 5.2); cut at 0 and 1, and at the estimate.
    Near the truth of 0, where it is still too high, its low end is 0.

    Parameters
    ----------
    estimate
        In the cohort itself.
    replicates
        `(resamples,)`.
    departs
        Whether the curve differs from the diagonal by more than chance (`departure` below 0.025).
    """
    low, high, reason = percentile_interval(replicates)
    if reason:
        return low, high, reason
    # Noise alone can put nearly all replicates above a small estimate; it stays within its interval all the same.
    least = max(2 * estimate - high, 0.0) if departs else 0.0
    return least, min(max(2 * estimate - low, estimate), 1.0), ""


def departure(fits: Sequence[CurveFit], information: Sequence[Floats]) -> float:
    """P value of calibration curves being the diagonal (Wald test, its statistic averaged over repeats).

    Parameters
    ----------
    fits, information
        One a repeat: the first curve of a fit is that of the cohort, and the information is on its coefficients.
    """
    away = [fit.coefficients[0] - np.eye(fit.coefficients.shape[1])[1] for fit in fits]
    size = [gap @ known @ gap for gap, known in zip(away, information, strict=True)]
    return float(chi2.sf(np.mean(size), max(len(gap) for gap in away)))


@numba.njit(cache=True, nogil=True)
def _errors_rows(distance, counts):  # type: ignore[no-untyped-def]
    # Quantiles of each resample written out, by linear interpolation as NumPy's.
    rows, n = distance.shape
    result = np.full((rows, 4), np.nan)
    for row in range(rows):
        if not np.isfinite(distance[row]).all():
            continue
        order = np.argsort(distance[row])
        ends = np.cumsum(counts[row][order].astype(np.int64))
        total = ends[n - 1]
        result[row, 0] = (distance[row] * counts[row]).sum() / total
        for column, share in ((1, 0.5), (2, 0.9), (3, 1.0)):
            place = share * (total - 1)
            below = int(np.floor(place))
            low = distance[row, order[np.searchsorted(ends, below, side="right")]]
            high = distance[row, order[np.searchsorted(ends, min(below + 1, total - 1), side="right")]]
            result[row, column] = low + (place - below) * (high - low)
    return result
