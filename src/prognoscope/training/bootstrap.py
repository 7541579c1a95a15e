"""Bootstrap validation: how much better a pipeline looks on the patients it was learnt from than it is.

Every figure here refits the whole pipeline, tuning included, on bootstraps of the patients.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.outcome import Outcome
from prognoscope.core.problems import Problem, refuse
from prognoscope.core.seeds import generator
from prognoscope.core.table import Table
from prognoscope.core.work import Mapper, serial_map
from prognoscope.training.contract import Candidate, Score
from prognoscope.training.crossfit import cohort_of, in_order_of_patients, require_inner
from prognoscope.training.importance import FeatureUse, Stability, feature_uses, stability
from prognoscope.training.pipeline import OF_REFITS, Pipeline, Recipe
from prognoscope.training.predictor import RefitTask, bootstrap_rows, run_refit
from prognoscope.training.preparation import PreparationSettings
from prognoscope.training.recalibration import Method, require_served
from prognoscope.training.repeatability import Ratings
from prognoscope.training.threads import one_thread
from prognoscope.training.thresholds import Costs

SHUFFLES = 200


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrapped:
    """Risks by the pipeline learnt from all patients and by those learnt from bootstraps, in the order of the table.

    Attributes
    ----------
    apparent
        `(n,)` risks of the patients that the pipeline was learnt from.
    risk
        `(resamples, n)` risks of all patients by each refit.
    drawn
        `(resamples, n)` how often each patient was in the bootstrap that the refit was learnt from.
    stability
        How each feature fared over the refits, its importance on the patients that a refit had not drawn.
    chosen
        How many of the refits chose each model.
    """

    apparent: NDArray[np.float64]
    risk: NDArray[np.float64]
    drawn: NDArray[np.int64]
    stability: tuple[Stability, ...] = ()
    chosen: Mapping[str, int] = field(default_factory=dict)

    def left_out(self) -> NDArray[np.float64]:
        """Return each patient's mean risk by the refits that did not draw the patient, `(n,)`.

        Raises
        ------
        Refused
            `resamples-too-few` when a patient was drawn every time.
        """
        absent = self.drawn == 0
        times = absent.sum(axis=0)
        if not times.all():
            raise refuse(
                "resamples-too-few",
                subject="bootstrap validation",
                found=f"{int((times == 0).sum())} patients were drawn in every one of {len(self.risk)} bootstraps",
                remedy="ask for at least 50",
            )
        return np.asarray((self.risk * absent).sum(axis=0) / times)


@dataclass(frozen=True, slots=True)
class Optimism:
    """A score with its optimism; higher scores are better.

    Attributes
    ----------
    apparent
        Score on the patients learnt from.
    optimism
        Mean over the refits of score on their own bootstrap minus score on all patients.
    corrected
        `apparent - optimism` (Harrell 2015, section 5.3.5).
    left_out
        Mean score of the refits on patients that they had not seen.
    no_information
        Score of the same risks when outcomes are shuffled.
    point632, point632plus
        Efron's .632 and, with Tibshirani, .632+ estimates (1997).
    resamples
        Number of refits; those that left only one class out do not count for `left_out`.
    """

    apparent: float
    optimism: float
    corrected: float
    left_out: float
    no_information: float
    point632: float
    point632plus: float
    resamples: int


def bootstrap_fit(
    predictors: Table,
    outcome: Outcome,
    *,
    candidates: Sequence[Candidate],
    inner: int,
    score: Score,
    resamples: int = 200,
    seed: int,
    mapper: Mapper = serial_map,
    preparation: PreparationSettings | None = None,
    groups: Sequence[str] | None = None,
    recalibration: Method = "none",
    costs: Costs | None = None,
    ratings: Sequence[Ratings] = (),
) -> Bootstrapped:
    """Learn the pipeline from all patients and from bootstraps of them, and predict everybody with each.

    Parameters are those of `fit_predictor`, whose refits these are: with one cache nothing is learnt twice.
    """
    require_served(recalibration, outcome.kind)
    settings = preparation or PreparationSettings()
    recipe = Recipe(tuple(candidates), inner, score, seed, settings, recalibration, costs)
    cohort = cohort_of(predictors, outcome, groups=groups, ratings=ratings)
    require_inner(cohort, np.arange(len(outcome)), inner=inner)
    tasks = [RefitTask(cohort, recipe, number) for number in range(resamples + 1)]
    with one_thread():
        everyone, *pipelines = mapper(run_refit, tasks, label="bootstraps")
        apparent, *risks = (pipeline.risk(cohort.encoded) for pipeline in (everyone, *pipelines))
        uses = [_uses(pipeline, task) for pipeline, task in zip(pipelines, tasks[1:], strict=True)]
    n = len(outcome)
    drawn = [np.bincount(bootstrap_rows(task), minlength=n) for task in tasks[1:]]
    place = np.argsort(in_order_of_patients(predictors))
    return Bootstrapped(
        apparent=apparent[place],
        risk=np.array(risks).reshape(resamples, n)[:, place],
        drawn=np.array(drawn, dtype=np.int64).reshape(resamples, n)[:, place],
        stability=stability(uses),
        chosen=dict(sorted(Counter(pipeline.choice.model for pipeline in pipelines).items())),
    )


def _uses(pipeline: Pipeline, task: RefitTask) -> tuple[FeatureUse, ...]:
    """What a refit makes of its features, tried on the patients that it had not drawn."""
    train = bootstrap_rows(task)
    left_out = np.setdiff1d(np.arange(len(task.cohort.outcome)), train)
    key = (OF_REFITS, task.number)
    return feature_uses(pipeline, task.cohort, task.recipe, train=train, held_out=left_out, key=key)


def optimism(outcome: Outcome, fit: Bootstrapped, score: Score, *, seed: int) -> Optimism:
    """Correct the apparent score for its optimism.

    With error `e = -score`, apparent error `a`, left-out error `l` and no-information error `g`, the relative
    overfitting is `R = (l' - a) / (g - a)` with `l' = min(l, g)`, 0 where it is not between 0 and 1, and

        .632  = 0.368 a + 0.632 l
        .632+ = a + w (l' - a),  w = 0.632 / (1 - 0.368 R)

    See Also
    --------
    headline_caution : when none of these figures may be the headline.
    """
    apparent = score(outcome, fit.apparent)
    own, everybody, left_out = [], [], []
    for risk, drawn in zip(fit.risk, fit.drawn, strict=True):
        rows = np.repeat(np.arange(len(drawn)), drawn)
        own.append(score(outcome.take(rows), risk[rows]))
        everybody.append(score(outcome, risk))
        outside = np.flatnonzero(drawn == 0)
        left_out.append(score(outcome.take(outside), risk[outside]) if len(outside) else np.nan)
    excess = float(np.nanmean(np.array(own) - np.array(everybody)))
    outside_score = float(np.nanmean(left_out))
    draw = generator(seed, "no information")
    orders = (draw.permutation(len(outcome)) for _ in range(SHUFFLES))
    nothing = float(np.nanmean([score(outcome.take(order), fit.apparent) for order in orders]))
    return Optimism(
        apparent=apparent,
        optimism=excess,
        corrected=apparent - excess,
        left_out=outside_score,
        no_information=nothing,
        point632=0.368 * apparent + 0.632 * outside_score,
        point632plus=_point632plus(apparent, outside_score, nothing),
        resamples=len(fit.risk),
    )


def _point632plus(apparent: float, left_out: float, nothing: float) -> float:
    held = max(left_out, nothing)
    overfitting = (apparent - held) / (apparent - nothing) if apparent > nothing else 0.0
    overfitting = overfitting if 0 < overfitting <= 1 else 0.0
    weight = 0.632 / (1 - 0.368 * overfitting)
    return apparent + weight * (held - apparent)


def headline_caution(candidates: Sequence[Candidate], *, predictors: int, patients: int) -> Problem | None:
    """Return why a bootstrap-corrected score may not be the headline of a study; None where it may.

    Models that can learn their patients by heart have an apparent score near perfect whatever the truth, and the score
    on a bootstrap that shares two thirds of its patients with the test set is near perfect too: the optimism is
    underestimated. So it is with more predictors than patients (see the simulation in the documentation).
    """
    by_heart = [candidate.model.title for candidate in candidates if candidate.model.by_heart]
    if by_heart:
        found = f"{by_heart[0]} can learn its patients by heart"
    elif predictors > patients:
        found = f"{predictors} predictors for {patients} patients"
    else:
        return None
    return Problem(
        code="optimism-headline",
        subject="bootstrap validation",
        found=found + ", so the bootstrap underestimates the optimism",
        remedy="take the nested cross-validation as the headline",
    )
