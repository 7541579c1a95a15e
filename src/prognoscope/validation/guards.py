"""Guards: checks of a study's honesty, each with its evidence in words and numbers.

Leakage guards (`duplicate-patients`, `outcome-in-disguise`, `known-too-late`) fail and block: what they find makes
every figure of the study wrong. The others warn: they say what the figures may mean instead of what is hoped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.table import Table
from prognoscope.validation.checks import Floats, Ints
from prognoscope.validation.guards_chance import folds_differ, no_signal, sample_size, unbalanced_split
from prognoscope.validation.guards_leakage import known_too_late, outcome_in_disguise
from prognoscope.validation.guards_twins import duplicate_patients
from prognoscope.validation.permutation import association, chance, shuffled_discrimination
from prognoscope.validation.results import Guard

SURPRISING = 0.01


def study_guards(
    predictors: Table,
    outcome: Outcome,
    main: OutOfFold,
    *,
    metadata: pd.DataFrame | None = None,
    fingerprints: Mapping[str, Sequence[str]] | None = None,
    seed: int,
) -> tuple[Guard, ...]:
    """Run every guard on a study, in the order in which the report shows them.

    Parameters
    ----------
    predictors
        All candidate predictors of the main model, rows in the order of the outcome.
    outcome
        Of the same `n` patients.
    main
        Out-of-fold risks of the main model; those of fold -1, who are only learnt from, have none.
    metadata
        One row per patient, in the same order: where and how the data were acquired (centre, scanner, view, slice
        thickness, …); columns of dates are used for the balance in time. None or no column when nothing is known.
    fingerprints
        By patient: `image_fingerprint` of each image. None when there are no images.
    seed
        The study's seed.
    """
    known = pd.DataFrame(index=predictors.frame.index) if metadata is None else metadata
    dates = [str(name) for name in known.columns if pd.api.types.is_datetime64_any_dtype(known[name])]
    acquisition = known.drop(columns=dates)
    rows = np.flatnonzero((main.fold >= 0).any(axis=0))
    held, risks = outcome.take(rows), OutOfFold(main.risk[:, rows], main.fold[:, rows])
    together = float(shuffled_discrimination(held, risks.risk, risks.fold, np.arange(len(rows))[None])[0])
    return (
        duplicate_patients(predictors, outcome, main.fold, fingerprints=fingerprints or {}),
        outcome_in_disguise(predictors, outcome, together=together),
        known_too_late(predictors),
        no_signal(held, risks, seed=seed, cross_validated=bool((risks.fold > 0).any())),
        shortcut(acquisition, outcome, seed=seed),
        informative_missingness(predictors.frame, outcome, seed=seed),
        sample_size(outcome.take(_learnt_from(main.fold)), parameters=candidate_parameters(predictors)),
        folds_differ(held, risks, seed=seed),
        unbalanced_split(known, main.fold, seed=seed),
    )


def _learnt_from(fold: Ints) -> NDArray[np.intp]:
    """Rows that a model for new patients is learnt from: those never held out where there are any, else everybody."""
    never = np.flatnonzero((fold < 0).all(axis=0))
    return never if len(never) else np.arange(fold.shape[1])


def shortcut(metadata: pd.DataFrame, outcome: Outcome, *, seed: int) -> Guard:
    """Warn when site, scanner, view or acquisition parameters alone predict the outcome.

    Then a model can learn where and how patients were imaged instead of what they have. All columns together are
    tested against shuffled outcomes (p ≤ 0.01); the columns that do so alone are named.
    """
    name = "shortcut"
    varying = metadata[[column for column in metadata.columns if metadata[column].nunique(dropna=False) > 1]]
    if not varying.shape[1]:
        return Guard(name, "passed", f"Nothing to look at: {_columns(metadata)} vary between patients.")
    return _association_guard(
        name,
        varying,
        outcome,
        seed=seed,
        what="acquisition and site",
        danger="the model may have learnt where and how patients were imaged",
    )


def informative_missingness(predictors: pd.DataFrame, outcome: Outcome, *, seed: int) -> Guard:
    """Warn when the outcome is predicted by which predictor values are missing (p ≤ 0.01 against shuffled outcomes)."""
    name = "informative-missingness"
    missing = predictors.isna()
    varying = missing[[column for column in missing.columns if missing[column].nunique() > 1]].astype(float)
    distinct = varying.T.drop_duplicates().T
    if not distinct.shape[1]:
        return Guard(name, "passed", "No predictor is missing in some patients and known in others.")
    return _association_guard(
        name,
        distinct,
        outcome,
        seed=seed,
        what="which values are missing",
        danger="the model may have learnt who was examined, not what was found",
    )


def candidate_parameters(predictors: Table) -> int:
    """Number of candidate predictor parameters: one for a number, levels less one for a category."""
    total = 0
    for column in predictors.columns:
        levels = predictors.frame[column.name].nunique(dropna=True)
        total += 1 if column.type == "number" else max(levels - 1, 0)
    return total


def _association_guard(name: str, frame: pd.DataFrame, outcome: Outcome, *, seed: int, what: str, danger: str) -> Guard:
    statistic = association(frame, outcome, seed=seed, purpose=name)
    figure = "AUC" if isinstance(outcome, Binary) else "C-index"
    if not np.isfinite(statistic).all():
        return Guard(name, "passed", f"Not testable: too few events or too little variation in {_columns(frame)}.")
    p, low, high = chance(statistic)
    found = (
        f"{what[0].upper()}{what[1:]} alone ({_columns(frame)}) predict the outcome with a cross-validated {figure} of "
        f"{statistic[0]:.2f}; shuffled outcomes give {low:.2f} to {high:.2f} (p = {p:.3f})"
    )
    if p > SURPRISING:
        return Guard(name, "passed", f"{found}: no more than chance.")
    alone = _alone(frame, outcome, seed=seed, name=name)
    named = f" By themselves: {', '.join(alone)}." if alone else ""
    return Guard(name, "warned", f"{found}: {danger}.{named}")


def _alone(frame: pd.DataFrame, outcome: Outcome, *, seed: int, name: str) -> list[str]:
    """Columns that predict the outcome by themselves, after Bonferroni's correction for their number."""
    found = []
    for column in frame.columns[:50]:
        statistic: Floats = association(frame[[column]], outcome, seed=seed, purpose=f"{name}, {column}")
        if np.isfinite(statistic).all():
            p = chance(statistic)[0]
            if p <= max(5 * SURPRISING / frame.shape[1], 2 / len(statistic)):
                found.append(f"{column} ({statistic[0]:.2f})")
    return found


def _columns(frame: pd.DataFrame) -> str:
    names = [str(name) for name in frame.columns]
    if not names:
        return "no columns"
    return ", ".join(names) if len(names) <= 8 else f"{', '.join(names[:8])} and {len(names) - 8} more"
