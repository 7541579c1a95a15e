"""Guards against leakage: what must not be in a study at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.table import Table
from prognoscope.validation.censoring import known_event
from prognoscope.validation.checks import Bools
from prognoscope.validation.discrimination import concordance_rows
from prognoscope.validation.resampling import once
from prognoscope.validation.results import Guard
from prognoscope.validation.single_predictors import Rating, groupings, ratings, separation, share_of_like

ALMOST_PERFECT = 0.97
SUSPICIOUS = 0.92
CHANCE_OF_SEPARATION = 0.001
NAMED = 5


@dataclass(frozen=True, slots=True)
class _Found:
    """How a predictor, rated in one way, tells the outcome: AUC or concordance, and its probability by chance."""

    column: str
    label: str
    auc: float
    p: float


def outcome_in_disguise(predictors: Table, outcome: Outcome, *, together: float = np.nan) -> Guard:
    """Fail when a single predictor separates the outcome almost perfectly; warn when it comes near to that.

    Each number (among those who have it), level of a category and pattern of gaps is rated as it is, either way
    round; each predictor also by the share with the event among others alike (of the same level; next in order), which
    sees a relation of any shape. Almost perfect is an AUC for the event (by the horizon among known statuses, and at
    the end of follow-up) or a concordance with the time to event of 0.97 and more, near to it 0.92, where so much would
    come by chance with a probability below 0.001 over all ratings (Mann-Whitney's normal approximation, Bonferroni's
    correction).

    Parameters
    ----------
    predictors
        All candidates, rows in the order of the outcome.
    outcome
        Of the same patients.
    together
        AUC or C-index of the model in patients it was not learnt from: almost perfect, it warns of an outcome that is
        hidden in several predictors.
    """
    name = "outcome-in-disguise"
    rated = list(_rated(predictors, outcome))
    best: dict[str, _Found] = {}
    for one in rated:
        if one.p * len(rated) < CHANCE_OF_SEPARATION and one.auc > getattr(best.get(one.column), "auc", 0.0):
            best[one.column] = one
    perfect = [one for one in best.values() if one.auc >= ALMOST_PERFECT]
    strong = [one for one in best.values() if SUSPICIOUS <= one.auc < ALMOST_PERFECT]
    looked = f"{len(predictors.columns)} predictors were tried one by one against the outcome"
    if perfect:
        found = f"{looked}: {_listed(perfect)} separate it almost perfectly."
        return Guard(name, "failed", f"{found} Such a predictor usually is the outcome, recorded again.", blocks=True)
    if strong:
        found = f"{looked}: {_listed(strong)} separate it so well that the value may have been recorded after it."
        return Guard(name, "warned", found)
    if together >= ALMOST_PERFECT:
        found = f"{looked}: none tells it, yet the model reaches {together:.3f}: several together may be the outcome."
        return Guard(name, "warned", found)
    most = max(rated, key=lambda one: one.auc, default=None)
    reached = f"; the strongest, {most.label}, reaches {most.auc:.2f}" if most else ""
    return Guard(name, "passed", f"{looked}{reached} (almost perfect is {ALMOST_PERFECT} and more).")


def known_too_late(predictors: Table) -> Guard:
    """Fail when a predictor is declared as known only after time zero; warn when one is undeclared."""
    name = "known-too-late"
    late = [column.name for column in predictors.columns if column.known_at == "later"]
    silent = [column.name for column in predictors.columns if column.known_at == "undeclared"]
    if late:
        found = f"Known only after time zero, and still used: {_some(late)}."
        return Guard(name, "failed", found, blocks=True)
    if silent:
        return Guard(name, "warned", f"When these are known is not declared (`known_at`): {_some(silent)}.")
    return Guard(name, "passed", f"All {len(predictors.columns)} predictors are declared as known at time zero.")


def _rated(predictors: Table, outcome: Outcome) -> Iterator[_Found]:
    groups = list(groupings(predictors))
    for event, rows in _statuses(outcome):
        for rating in ratings(predictors):
            here = rows[rating.rows]
            auc, p = separation(event[rating.rows][here], rating.values[here])
            yield _Found(rating.column, rating.label, max(auc, 1 - auc, _concordance(outcome, rating)), p)
        for name, group, levels in groups:
            share = share_of_like(event[rows], group[rows], levels=levels)
            rated = np.isfinite(share)
            auc, p = separation(event[rows][rated], share[rated])
            yield _Found(name, f"{name}, {'its levels' if levels else 'its ranges'} together", auc, p)


def _statuses(outcome: Outcome) -> Iterator[tuple[Bools, Bools]]:
    """Events, and of whom they are known: by the horizon; for a time to event also at the end of follow-up."""
    every = np.ones(len(outcome), dtype=bool)
    event = known_event(outcome)
    if not isinstance(outcome, TimeToEvent):
        yield event, every
        return
    yield event, event | (outcome.time_days >= outcome.horizon_days)
    yield outcome.event, every


def _concordance(outcome: Outcome, rating: Rating) -> float:
    if not isinstance(outcome, TimeToEvent) or len(np.unique(rating.values)) <= 2:
        return 0.5
    rated = outcome.take(rating.rows)
    fold = np.zeros(len(rated), dtype=np.int64)
    c = concordance_rows(rated.time_days, rated.event, rating.values, fold, once(len(rated)))[0]
    return float(max(c, 1 - c)) if np.isfinite(c) else 0.5


def _listed(suspects: list[_Found]) -> str:
    return _some([f"{one.label} ({one.auc:.3f})" for one in suspects])


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
