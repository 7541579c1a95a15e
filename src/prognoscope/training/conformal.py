"""Cross-conformal prediction: which outcomes are plausible for a patient, with a guarantee that needs no good model."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.outcome import OutcomeKind
from prognoscope.core.problems import refuse
from prognoscope.training.contract import Matrix
from prognoscope.training.pipeline import Learnt, Pipeline, inner_risk


@dataclass(frozen=True, slots=True, eq=False)
class ConformalSets:
    """Prediction sets for a binary outcome.

    Attributes
    ----------
    no_event, event
        bool, of any shape: whether the outcome is in the patient's set. Both: undecided; neither: unlike any seen.
    guarantee
        Least share of sets that hold the true outcome, over patients like those trained on: `1 - 2 alpha`.
    """

    no_event: NDArray[np.bool_]
    event: NDArray[np.bool_]
    guarantee: float


def p_values(
    risk: NDArray[np.float64],
    event: NDArray[np.bool_],
    fold: NDArray[np.int64],
    new_risk: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Cross-conformal p-values of both outcomes for new patients (Vovk 2015).

    With the non-conformity `a = 1 - probability given to the outcome`, the p-value of outcome `y` is

        (1 + number of calibration patients i with a_i >= a of (x, y) by the model that i was held out from) / (n + 1)

    Parameters
    ----------
    risk, event, fold
        `(n,)` calibration patients: inner out-of-fold risk, outcome, and the inner fold that held each out.
    new_risk
        `(folds, m)` risk of new patients by the model of each inner fold.

    Returns
    -------
    `(m, 2)`: p-value of no event and of the event.
    """
    strange = np.where(event, 1 - risk, risk)
    count = np.zeros((new_risk.shape[1], 2))
    for number, row in enumerate(new_risk):
        ordered = np.sort(strange[fold == number])
        for outcome, own in enumerate((row, 1 - row)):
            count[:, outcome] += len(ordered) - np.searchsorted(ordered, own, "left")
    return np.asarray((1 + count) / (len(risk) + 1))


def conformal_sets(values: NDArray[np.float64], *, alpha: float, calibrated_on: int) -> ConformalSets:
    """Turn p-values into prediction sets: an outcome is in the set when its p-value exceeds `alpha`.

    Parameters
    ----------
    values
        `(..., 2)` from `p_values`.
    alpha
        Share of sets that may miss, twice of which is guaranteed (Barber et al. 2021, for cross-conformal sets).
    calibrated_on
        Patients that the p-values were calibrated on.

    Raises
    ------
    Refused
        `too-few-to-calibrate` when no p-value could be as small as `alpha`, so that every set would hold everything.
    """
    require_calibration(calibrated_on, alpha=alpha)
    return ConformalSets(values[..., 0] > alpha, values[..., 1] > alpha, 1 - 2 * alpha)


def require_binary(kind: OutcomeKind) -> None:
    """Refuse (`conformal-outcome`) what has no prediction sets."""
    if kind != "binary":
        raise refuse(
            "conformal-outcome",
            subject="conformal prediction",
            found=f"the outcome is {kind}",
            remedy="leave it out; cross-conformal sets are for a binary outcome",
        )


def require_calibration(calibrated_on: int, *, alpha: float) -> None:
    """Refuse (`too-few-to-calibrate`, with the number needed) an error rate that so few patients cannot calibrate."""
    needed = math.ceil(1 / alpha - 1e-9) - 1
    if calibrated_on < needed:
        raise refuse(
            "too-few-to-calibrate",
            subject="conformal prediction",
            found=f"{calibrated_on} patients calibrate it, an error rate of {alpha:g} needs {needed}",
            remedy="allow a larger error rate or gather more patients",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """What a predictor keeps to say which outcomes are plausible for a new patient.

    Attributes
    ----------
    pipelines
        One per inner fold, learnt without it by the setting that was chosen.
    risk, event, fold
        `(n,)` of the patients that calibrate: the risk by the pipeline that had not seen them, their outcome and fold.
    error
        Accepted share of sets that miss the outcome.
    """

    pipelines: tuple[Pipeline, ...]
    risk: NDArray[np.float64]
    event: NDArray[np.bool_]
    fold: NDArray[np.int64]
    error: float

    def p_values(self, encoded: Matrix) -> NDArray[np.float64]:
        """Return the p-values of no event and of the event for encoded rows `(m, features)`, `(m, 2)`."""
        new_risk = np.array([pipeline.risk(encoded) for pipeline in self.pipelines])
        return p_values(self.risk, self.event, self.fold, new_risk)

    def reasons(self, encoded: Matrix) -> list[str]:
        """Return, for each row, why no single outcome can be said; empty where one can."""
        sets = conformal_sets(self.p_values(encoded), alpha=self.error, calibrated_on=len(self.risk))
        told = f"at the accepted error of {self.error:.0%} (cross-conformal)"
        return [
            ""
            if no_event != event
            else f"both outcomes are plausible {told}"
            if event
            else f"neither outcome is {told}"
            for no_event, event in zip(sets.no_event, sets.event, strict=True)
        ]


def calibrated(learnt: Learnt, event: NDArray[np.bool_], *, error: float = math.nan) -> Calibrated:
    """Return what the inner fits of a pipeline tell about patients whom they had not seen.

    Parameters
    ----------
    event
        `(n,)` of the rows that the pipeline was learnt from.
    """
    fold = np.empty(len(event), dtype=np.int64)
    for number, fit in enumerate(learnt.inner):
        fold[fit.held_out] = number
    return Calibrated(
        pipelines=tuple(fit.pipeline(learnt.pipeline, learnt.option) for fit in learnt.inner),
        risk=inner_risk(learnt.inner, learnt.option),
        event=event,
        fold=fold,
        error=error,
    )
