"""Appraise: what is asked of the main model beyond its figures: site by site, for whom, from which threshold on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prognoscope.core.outcome import Outcome
from prognoscope.core.predictions import OutOfFold
from prognoscope.report import SetsShown
from prognoscope.study.file import StudyFile
from prognoscope.study.stages.learn import Learnt
from prognoscope.study.stages.select import Cohort
from prognoscope.study.stages.sets import sets_found
from prognoscope.study.stages.split import Split
from prognoscope.study.stages.subgroups import subgroups_of
from prognoscope.training import Optimism, optimism
from prognoscope.validation import (
    Gap,
    GroupFigures,
    LearningCurve,
    Pooled,
    Share,
    ThresholdRow,
    group_figures,
    group_gaps,
    log_score,
    pooled_figures,
    ranking,
    threshold_table,
)
from prognoscope.validation.document import groups_document, thresholds_document, without_nan

SHARES = ("sensitivity", "specificity", "ppv", "npv")
OTHERS = ("alerts_per_100", "number_needed_to_evaluate", "net_benefit", "interventions_avoided_per_100")


@dataclass(frozen=True, slots=True)
class Appraisal:
    """What is asked of the main model beyond its figures; empty where it was not asked.

    Attributes
    ----------
    sites
        Figures of each fold that has a name: a site, the latest patients, a set kept apart.
    over_sites
        Their mean over sites and the range expected at a new one, where folds are sites.
    groups, gaps
        Figures by subgroup, and how far the groups of one column lie apart.
    thresholds
        Each threshold of the study file described.
    alerts
        The same for the thresholds that the folds chose by the stated costs; `threshold` is their median.
    optimism
        With bootstraps: apparent, corrected, .632 and .632+ of discrimination and of the log score, by name.
    sets
        How prediction sets did.
    learning
        Discrimination by number of patients learnt from.
    """

    sites: tuple[GroupFigures, ...] = ()
    over_sites: Mapping[str, Pooled] = field(default_factory=dict)
    groups: tuple[GroupFigures, ...] = ()
    gaps: tuple[Gap, ...] = ()
    thresholds: tuple[ThresholdRow, ...] = ()
    alerts: ThresholdRow | None = None
    optimism: Mapping[str, Optimism] = field(default_factory=dict)
    sets: SetsShown | None = None
    learning: LearningCurve | None = None


def appraise(study: StudyFile, cohort: Cohort, main: Learnt, folds: Split, learning: LearningCurve | None) -> Appraisal:
    """Appraise the main model on the participants that are held out."""
    rules, rows = study.study.validation, folds.held_out
    outcome, risks = cohort.outcome.take(rows), part(main.out_of_fold, rows)
    groups = subgroups_of(rules.subgroups, cohort.attributes.iloc[rows])
    how = {"resamples": rules.resamples, "seed": study.study.seed}
    sites = group_figures(outcome, risks, _sites(folds, rows), **how) if folds.names else ()
    return Appraisal(
        sites=sites,
        over_sites=pooled_figures([site.metrics for site in sites]) if len(sites) > 1 else {},
        groups=group_figures(outcome, risks, groups, **how),
        gaps=group_gaps(outcome, risks, groups, seed=study.study.seed),
        thresholds=_thresholds(study, outcome, risks),
        alerts=_alerts(study, outcome, main, rows),
        optimism=_optimism(outcome, main, seed=study.study.seed),
        sets=_sets(study, outcome, main, groups, rows),
        learning=learning,
    )


def as_document(appraisal: Appraisal) -> dict[str, Any]:
    """Return the keys that an appraisal adds to `evaluation.json`."""
    (alerts,) = thresholds_document([appraisal.alerts]) if appraisal.alerts else (None,)
    return {
        "sites": groups_document(appraisal.sites, ())["groups"],
        "over_sites": {name: without_nan(asdict(pooled)) for name, pooled in appraisal.over_sites.items()},
        **groups_document(appraisal.groups, appraisal.gaps),
        "thresholds": thresholds_document(appraisal.thresholds),
        "alerts": alerts,
        "prediction_sets": _sets_document(appraisal.sets),
        "learning_curve": None if appraisal.learning is None else without_nan(asdict(appraisal.learning)),
        "optimism": {name: without_nan(asdict(figures)) for name, figures in appraisal.optimism.items()},
    }


def _sets_document(sets: SetsShown | None) -> dict[str, Any] | None:
    if sets is None:
        return None
    return without_nan(asdict(sets)) | {"coverage": [without_nan(asdict(one)) for one in sets.coverage]}


def part(model: OutOfFold, rows: NDArray[np.int64]) -> OutOfFold:
    """Return the risks of some participants."""
    return OutOfFold(model.risk[:, rows], model.fold[:, rows])


def _sites(folds: Split, rows: NDArray[np.int64]) -> pd.DataFrame:
    return pd.DataFrame({folds.column: [folds.names[fold] for fold in folds.folds[0, rows]]})


def _thresholds(study: StudyFile, outcome: Outcome, risks: OutOfFold) -> tuple[ThresholdRow, ...]:
    asked = study.study.decision
    if not asked.thresholds:
        return ()
    each = [
        threshold_table(outcome, risk, thresholds=asked.thresholds, prevalence=asked.prevalence) for risk in risks.risk
    ]
    return tuple(_mean(rows) for rows in zip(*each, strict=True))


def _alerts(study: StudyFile, outcome: Outcome, main: Learnt, rows: NDArray[np.int64]) -> ThresholdRow | None:
    asked = study.study.decision
    if main.alerts is None or asked.costs is None:
        return None
    # Every fold chose a threshold of its own. An alert is described as a risk of 1 beside the threshold that the costs
    # imply, at whose odds net benefit is counted.
    each = [
        threshold_table(outcome, alert[rows].astype(float), thresholds=[asked.costs.ideal], prevalence=asked.prevalence)
        for alert in main.alerts
    ]
    return replace(_mean([row for (row,) in each]), threshold=float(np.median(main.thresholds)))


def _sets(
    study: StudyFile, outcome: Outcome, main: Learnt, groups: pd.DataFrame, rows: NDArray[np.int64]
) -> SetsShown | None:
    asked = study.study.decision
    if main.p_values is None or asked.set_error is None:
        return None
    return sets_found(
        outcome,
        main.out_of_fold.risk[:, rows],
        main.p_values[:, rows],
        groups,
        error=asked.set_error,
        calibrated_on=main.calibrated_on,
        threshold=asked.costs.ideal if asked.costs else 0.5,
    )


def _optimism(outcome: Outcome, main: Learnt, *, seed: int) -> dict[str, Optimism]:
    if main.bootstrapped is None:
        return {}
    scores = {"c_index" if outcome.kind == "time-to-event" else "auc": ranking, "log_score": log_score}
    return {name: optimism(outcome, main.bootstrapped, score, seed=seed) for name, score in scores.items()}


def _mean(rows: Sequence[ThresholdRow]) -> ThresholdRow:
    """Average the figures, and the ends of their intervals, over the repeats of the cross-validation."""
    if len(rows) == 1:
        return rows[0]
    averaged: dict[str, Any] = {name: _mean_share([getattr(row, name) for row in rows]) for name in SHARES}
    averaged |= {name: float(np.mean([getattr(row, name) for row in rows])) for name in OTHERS}
    return replace(rows[0], **averaged)


def _mean_share(shares: Sequence[Share]) -> Share:
    estimate, low, high = (float(np.mean([getattr(one, end) for one in shares])) for end in ("estimate", "low", "high"))
    return Share(estimate, low, high, next((one.reason for one in shares if one.reason), ""))
