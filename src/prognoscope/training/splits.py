"""Folds that keep each patient whole and each fold like the cohort."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.problems import refuse
from prognoscope.core.seeds import generator

Folds = NDArray[np.int64]


def assign_folds(
    outcome: Outcome,
    *,
    folds: int,
    repeats: int,
    seed: int,
    groups: Sequence[str] | None = None,
    patients: Sequence[str] | None = None,
) -> Folds:
    """Assign each patient to one fold per repeat, stratified by the outcome.

    Strata are event and no event; for a time to event: event by the horizon, censored before it, neither.

    Parameters
    ----------
    folds, repeats
        At least 2 and 1.
    groups
        Label per patient; patients with one label stay in one fold (members of a family, of a ward).
    patients
        Identifiers. With them the folds do not depend on the order of the patients.

    Returns
    -------
    `(repeats, n)` integers from 0 to `folds - 1`.

    Raises
    ------
    Refused
        `one-class` when nobody or everybody has the event, `fewer-events-than-folds` when a fold would be left
        without an event or without a patient free of it, `fold-count` when a number is too small.
    """
    if folds < 2 or repeats < 1:
        raise refuse(
            "fold-count",
            subject="validation",
            found=f"{folds} folds and {repeats} repeats",
            remedy="ask for at least 2 folds and 1 repeat",
        )
    order = np.arange(len(outcome)) if patients is None else np.argsort(np.array(patients, dtype=str), kind="stable")
    strata = strata_of(outcome)[order]
    labels = np.arange(len(order)) if groups is None else _numbered(np.array(groups, dtype=str)[order])
    require_events(strata, labels, folds=folds)
    assigned = np.empty((repeats, len(order)), dtype=np.int64)
    for repeat in range(repeats):
        draw = generator(seed, "folds", repeat)
        assigned[repeat, order] = deal(strata, labels, folds, draw)
    return assigned


def strata_of(outcome: Outcome) -> NDArray[np.int64]:
    """Return 1 for an event (by the horizon), 0 for none, 2 for a patient censored before the horizon, `(n,)`."""
    if isinstance(outcome, TimeToEvent):
        early = outcome.time_days <= outcome.horizon_days
        censored = ~outcome.event & (outcome.time_days < outcome.horizon_days)
        return np.where(outcome.event & early, 1, np.where(censored, 2, 0)).astype(np.int64)
    return outcome.event.astype(np.int64)


def require_events(strata: NDArray[np.int64], labels: NDArray[np.int64], *, folds: int) -> None:
    """Refuse folds that the events, or those without, cannot fill (`one-class`, `fewer-events-than-folds`)."""
    with_event = len(np.unique(labels[strata == 1]))
    without = len(np.unique(labels[strata != 1]))
    if not with_event or not without:
        raise refuse(
            "one-class",
            subject="outcome",
            found=f"{'no' if not with_event else 'every'} one of {len(strata)} patients has the event",
            remedy="check the outcome's column and value, or the horizon: nothing can be learnt from one class",
        )
    fewest = min(with_event, without)
    if fewest < folds:
        what = "events" if with_event <= without else "patients without the event"
        raise refuse(
            "fewer-events-than-folds",
            subject="outcome",
            found=f"{fewest} {what} for {folds} folds",
            remedy=f"ask for at most {fewest} folds, or gather more patients" if fewest > 1 else "gather more patients",
        )


def _numbered(groups: NDArray[np.str_]) -> NDArray[np.int64]:
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def deal(strata: NDArray[np.int64], labels: NDArray[np.int64], folds: int, draw: np.random.Generator) -> Folds:
    """Give groups to folds: those with events first, each to the fold that then has fewest of its stratum.

    Parameters
    ----------
    strata
        `(n,)` from `strata_of`.
    labels
        `(n,)` group of each patient, 0 to `groups - 1`.

    Returns
    -------
    `(n,)` fold of each patient.
    """
    groups = int(labels.max()) + 1
    kinds = int(strata.max()) + 1
    members = np.zeros((groups, kinds), dtype=np.int64)
    np.add.at(members, (labels, strata), 1)
    shuffled = draw.permutation(groups)
    # Rarest need first: groups with events, then large ones; a single patient counts as a group of one.
    rank = np.lexsort((-members[shuffled].sum(axis=1), -members[shuffled, 1 if kinds > 1 else 0]))
    filled = np.zeros((folds, kinds), dtype=np.int64)
    tie = draw.permutation(folds)
    fold_of = np.empty(groups, dtype=np.int64)
    for group in shuffled[rank]:
        need = members[group]
        present = np.flatnonzero(need)
        lead = 1 if need.size > 1 and need[1] else int(present[0])
        best = min(range(folds), key=lambda fold: (filled[fold, lead], int(filled[fold].sum()), int(tie[fold])))
        fold_of[group] = best
        filled[best] += need
    return fold_of[labels]
