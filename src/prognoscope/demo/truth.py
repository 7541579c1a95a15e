"""The truth behind a demo cohort: who the patients are, what drives their risk, and the best any predictor could do.

The outcome is drawn from the generator's own parameters (lesion volume, heterogeneity, age) and never from anything
measured in an image. Survival times are Weibull with proportional hazards:
`S(t | x) = exp(-(t / scale) ** shape * exp(lp))`, `lp` the linear predictor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from prognoscope.core import seeds
from prognoscope.demo.anatomy import Lesion, draw_lesion
from prognoscope.demo.scanner import SCANNERS, Scanner

HORIZON_DAYS = 730
WEIBULL_SHAPE = 1.2
WEIBULL_SCALE_DAYS = 1500.0
# Effect of one standard deviation on the log hazard.
VOLUME_EFFECT, HETEROGENEITY_EFFECT, AGE_EFFECT = 0.8, 0.8, 0.4
AGE_MEAN, AGE_SD, YOUNGEST, OLDEST = 61.0, 12.0, 24.0, 88.0
RECRUITED_DAYS, SHORTEST_FOLLOW_UP_DAYS = 1500, 760
LOST_SHARE = 0.08
WORDS = (
    "Each patient's risk was drawn from the volume and the heterogeneity of the generated lesion and from age; "
    "this is the expected result of a predictor that knows these risks exactly."
)


@dataclass(frozen=True, slots=True)
class Patient:
    """One made-up patient.

    Attributes
    ----------
    patient_id, number
        Identifier and its number from 0.
    age_years, sex, grade, treatment
        Clinical columns; the grade follows size and heterogeneity with error, the treatment is decided after the scan.
    scanner
        Where the scan was made: independent of everything else.
    scanned_after_days
        Day of the scan after the first patient's.
    lesion
        The lesion's parameters.
    linear_predictor, risk
        Log hazard relative to the average patient, and probability of death by the horizon.
    death_days
        Time of death after the scan, which follow-up may not reach.
    time_days, event
        What the table says: time to death (True) or to the end of follow-up (False).
    """

    patient_id: str
    number: int
    age_years: int
    sex: str
    grade: str
    treatment: str
    scanner: Scanner
    scanned_after_days: int
    lesion: Lesion
    linear_predictor: float
    risk: float
    death_days: float
    time_days: int
    event: bool

    @property
    def dead_by_horizon(self) -> bool | None:
        """Whether the patient died by the horizon; None when follow-up ended before it."""
        if self.event and self.time_days <= HORIZON_DAYS:
            return True
        return None if self.time_days < HORIZON_DAYS else False


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known about a cohort because it was made.

    Attributes
    ----------
    seed, horizon_days
        The seed of the cohort and the horizon of its risks.
    patient_ids, risks
        The patients of the table, and the probability of death by the horizon of each.
    best_auc
        Expected AUC of a predictor that knows these risks, for death by the horizon.
    best_c_index
        The same for the order of death times, among pairs whose earlier death is by the horizon.
    words
        Where the truth comes from, in one sentence for a report.
    without_images, without_row
        Patients of the table that have no images, and patients with images that the table lacks.
    """

    seed: int
    horizon_days: int
    patient_ids: tuple[str, ...]
    risks: tuple[float, ...]
    best_auc: float
    best_c_index: float
    words: str
    without_images: tuple[str, ...]
    without_row: tuple[str, ...]


def draw_patient(seed: int, number: int) -> Patient:
    """Draw a patient; the same seed and number give the same patient whoever else is drawn."""
    rng = seeds.generator(seed, "demo patient", number)
    lesion = draw_lesion(rng)
    age = float(np.clip(rng.normal(AGE_MEAN, AGE_SD), YOUNGEST, OLDEST))
    linear = (
        VOLUME_EFFECT * lesion.size_score
        + HETEROGENEITY_EFFECT * lesion.heterogeneity_score
        + AGE_EFFECT * (age - AGE_MEAN) / AGE_SD
    )
    death = WEIBULL_SCALE_DAYS * (-np.log(rng.uniform()) * np.exp(-linear)) ** (1 / WEIBULL_SHAPE)
    scanned = int(rng.integers(0, RECRUITED_DAYS))
    follow_up = RECRUITED_DAYS - scanned + SHORTEST_FOLLOW_UP_DAYS
    if rng.uniform() < LOST_SHARE:
        follow_up = int(rng.integers(60, follow_up))
    time = max(int(min(death, follow_up)), 1)
    event = bool(death <= follow_up)
    return Patient(
        patient_id=f"DEMO-{number + 1:03d}",
        number=number,
        age_years=int(age),
        sex=str(rng.choice(["F", "M"])),
        grade=_grade(rng, lesion),
        treatment=_treatment(rng, event=event and time < HORIZON_DAYS),
        scanner=SCANNERS[int(rng.integers(len(SCANNERS)))],
        scanned_after_days=scanned,
        lesion=lesion,
        linear_predictor=float(linear),
        risk=float(risk_by_horizon(np.array([linear]))[0]),
        death_days=float(death),
        time_days=time,
        event=event,
    )


def _grade(rng: np.random.Generator, lesion: Lesion) -> str:
    """A pathologist's grade: a rough impression of size and of what a biopsy shows."""
    seen = 0.45 * lesion.size_score + 0.45 * lesion.heterogeneity_score + 0.77 * rng.normal()
    return "Low" if seen < -0.5 else "Intermediate" if seen < 0.6 else "High"


def _treatment(rng: np.random.Generator, *, event: bool) -> str:
    """What was given in the end: early deaths had palliative care more often, so it tells the outcome."""
    if event and rng.uniform() < 0.5:
        return "Palliative"
    return "Surgery + Radiotherapy" if rng.uniform() < 0.6 else "Surgery"


def risk_by_horizon(linear_predictor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability of death by the horizon, `(n,)`, of linear predictors `(n,)`."""
    return np.asarray(-np.expm1(-_baseline_hazard() * np.exp(linear_predictor)))


def _baseline_hazard() -> float:
    return float((HORIZON_DAYS / WEIBULL_SCALE_DAYS) ** WEIBULL_SHAPE)


def best_auc(risks: Sequence[float]) -> float:
    """Expected AUC, over outcomes drawn from the risks, of the risks themselves.

    With `p` the risks: the sum over pairs of `p_i (1 - p_j)` where `p_i > p_j` (half where equal), divided by the
    sum over all pairs of two patients.
    """
    p = np.asarray(risks, dtype=float)
    weight = np.outer(p, 1 - p)
    np.fill_diagonal(weight, 0.0)
    order = np.heaviside(p[:, None] - p[None, :], 0.5)
    return float((weight * order).sum() / weight.sum())


def best_c_index(linear_predictors: Sequence[float]) -> float:
    """Expected concordance by the horizon of the true linear predictors.

    With hazards `a` and `b` relative to the baseline and `H` its cumulative hazard at the horizon, the first dies
    before the second and by the horizon with probability `a / (a + b) · (1 - exp(-(a + b) H))`.
    """
    hazard = np.exp(np.asarray(linear_predictors, dtype=float))
    total = hazard[:, None] + hazard[None, :]
    weight = hazard[:, None] / total * -np.expm1(-total * _baseline_hazard())
    np.fill_diagonal(weight, 0.0)
    order = np.heaviside(hazard[:, None] - hazard[None, :], 0.5)
    return float((weight * order).sum() / weight.sum())
