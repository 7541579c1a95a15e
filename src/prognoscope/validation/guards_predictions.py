"""Guards that need nothing but a table of predictions: doubled rows, risks that are the outcome, no signal."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.stats import poisson

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.core.predictions import OutOfFold
from prognoscope.validation.guards_chance import folds_differ, no_signal
from prognoscope.validation.metrics import ranking_within_folds, too_few
from prognoscope.validation.resampling import RESAMPLED_UP_TO
from prognoscope.validation.results import Guard

MANY_TIMES = 10
SURPRISING = 0.01
TOO_GOOD = 0.99


def prediction_guards(outcome: Outcome, model: OutOfFold, table: pd.DataFrame, *, seed: int) -> tuple[Guard, ...]:
    """Run the guards that predictions of any origin allow; permutation tests up to 50,000 patients.

    Parameters
    ----------
    outcome, model
        Of `n` patients.
    table
        `(n, columns)`: all that is known of them, but for their names.
    """
    found = [equal_rows(table), too_good(outcome, model)]
    if len(outcome) <= RESAMPLED_UP_TO and not too_few(outcome):
        found.append(no_signal(outcome, model, seed=seed, cross_validated=bool(model.fold.any())))
        found += [folds_differ(outcome, model, seed=seed)] if model.fold.any() else []
    return tuple(found)


def equal_rows(table: pd.DataFrame) -> Guard:
    """Warn when more rows are equal in every column than chance makes: one patient in several rows.

    Chance is that of columns which know nothing of each other, taken from the different rows. Ten times as many equal
    pairs as it gives are asked for, since columns do know of each other, and a Poisson probability below 0.01.
    """
    name = "equal-rows"
    n = len(table)
    codes = pd.DataFrame({column: pd.factorize(table[column], use_na_sentinel=False)[0] for column in table.columns})
    copies = codes.groupby(list(codes.columns), sort=False).size().to_numpy()
    doubled = int(copies[copies > 1].sum())
    if not doubled:
        return Guard(name, "passed", f"No two of {n:,} rows are equal in every column.")
    different = codes.drop_duplicates()
    shared = math.prod(_share_of_pairs(different[column].to_numpy()) for column in different)
    expected, found = n * (n - 1) / 2 * shared, float((copies * (copies - 1.0)).sum() / 2)
    if found < MANY_TIMES * expected or poisson.sf(found - 1, expected) > SURPRISING:
        words = f"{doubled:,} of {n:,} rows equal another in every column, no more than chance may make of them."
        return Guard(name, "passed", words)
    return Guard(
        name,
        "warned",
        f"{doubled:,} of {n:,} rows equal another in every column, which chance does not make: if a patient has "
        "several rows, every interval is too narrow.",
    )


def too_good(outcome: Outcome, model: OutOfFold) -> Guard:
    """Warn when risks order patients almost perfectly (AUC or C-index of at least 0.99)."""
    name = "too-good"
    figure = "AUC" if isinstance(outcome, Binary) else "C-index"
    pairs = zip(model.risk, model.fold, strict=True)
    value = float(np.mean([ranking_within_folds(outcome, risk, fold) for risk, fold in pairs]))
    if math.isnan(value) or too_few(outcome):
        return Guard(name, "passed", f"Not testable: the {figure} cannot be computed, or means nothing.")
    if value < TOO_GOOD:
        return Guard(name, "passed", f"The {figure} is {value:.2f} (almost perfect is {TOO_GOOD} and more).")
    return Guard(
        name,
        "warned",
        f"The {figure} is {value:.3f}: almost perfect risks usually hold the outcome itself, or were learnt from these "
        "patients.",
    )


def _share_of_pairs(codes: np.ndarray[tuple[int], np.dtype[np.intp]]) -> float:
    """Share of pairs of rows with one value; where no two have, as if one of one more pair did."""
    counts = np.bincount(codes).astype(float)
    return (float((counts * (counts - 1)).sum()) / 2 + 1) / (len(codes) * (len(codes) - 1) / 2 + 1)
