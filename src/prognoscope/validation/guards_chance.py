"""Guards against chance: whether there is a signal, enough patients, and folds that are alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.seeds import generator
from prognoscope.validation.censoring import known_event
from prognoscope.validation.checks import Floats, Ints
from prognoscope.validation.dealt import dealt_concordance
from prognoscope.validation.permutation import FEW_SHUFFLES, chance, shuffled_discrimination, shuffles
from prognoscope.validation.results import Guard
from prognoscope.validation.samplesize import (
    SampleSize,
    expected_shrinkage,
    for_binary,
    for_survival,
    max_r2_binary,
    max_r2_survival,
)

ASSUMED_SHARE_OF_R2 = 0.15
SURPRISING = 0.01
NO_MORE_THAN_CHANCE = 0.05


def no_signal(outcome: Outcome, main: OutOfFold, *, seed: int, cross_validated: bool = True) -> Guard:
    """Warn when the discrimination lies within what shuffled outcomes give (one-sided p > 0.05).

    The outcomes are dealt out anew among the patients and compared with the risks as they are. The models are not
    learnt again on shuffled outcomes (that costs as much as the study for each shuffle), so the distribution is
    conditional on the fitted models.
    """
    name = "no-signal"
    order = shuffles(len(outcome), seed=seed, purpose="no signal")
    statistic = shuffled_discrimination(outcome, main.risk, main.fold, order)
    figure = "AUC" if isinstance(outcome, Binary) else "C-index"
    defined = statistic[np.isfinite(statistic)]
    if not np.isfinite(statistic[0]) or len(defined) <= FEW_SHUFFLES:
        return Guard(name, "warned", f"The {figure} within folds cannot be computed, so no signal can be shown.")
    p, low, high = chance(defined)
    found = (
        f"The {'cross-validated ' if cross_validated else ''}{figure} is {statistic[0]:.2f}; with shuffled outcomes"
        f"{', the fitted models kept,' if cross_validated else ''} it lies between {low:.2f} and {high:.2f} "
        f"(p = {p:.3f})"
    )
    if statistic[0] < low:
        return Guard(name, "warned", f"{found}. Worse than chance: the risks run the wrong way.")
    if p > NO_MORE_THAN_CHANCE:
        return Guard(name, "warned", f"{found}. No signal: the predictions do no better than chance.")
    return Guard(name, "passed", f"{found}.")


def sample_size(outcome: Outcome, *, parameters: int) -> Guard:
    """Warn when there are fewer patients than Riley's criteria ask for so many candidate parameters.

    It is assumed that the predictors explain 15 % of the largest possible Cox-Snell R² (Riley et al. 2020, BMJ
    368:m441).
    """
    name = "sample-size"
    happened = int(known_event(outcome).sum())
    n = len(outcome)
    if parameters < 1 or happened == 0 or happened == n:
        return Guard(name, "warned", f"{n} patients, {happened} events: no model can be sized without both classes.")
    needed = _needed(outcome, parameters)
    shrinkage = expected_shrinkage(n, parameters=parameters, r2_cox_snell=needed.r2)
    found = (
        f"{n} patients with {happened} events for {parameters} candidate parameters "
        f"({happened / parameters:.2g} events for each). If the predictors explain 15 % of what can be explained, "
        f"{needed.n} patients are needed for at most 10 % shrinkage (Riley et al. 2020); here about "
        f"{1 - shrinkage:.0%} of the apparent effect would be overfitting without penalisation"
    )
    return Guard(name, "passed" if n >= needed.n else "warned", f"{found}.")


def folds_differ(outcome: Outcome, main: OutOfFold, *, seed: int) -> Guard:
    """Warn when the performance of the folds differs more than chance allows (p ≤ 0.01).

    The statistic is the variance of the folds' AUC or C about their mean, weighted by size and averaged over the
    repeats; chance is patients, with risk and outcome, dealt out anew to the folds.
    """
    name = "folds-differ"
    statistic = _spread_of_folds(outcome, main, seed=seed)
    figure = "AUC" if isinstance(outcome, Binary) else "C-index"
    if not np.isfinite(statistic[0]):
        return Guard(name, "passed", f"Not testable: fewer than two folds of a repeat have an {figure}.")
    defined = statistic[np.isfinite(statistic)]
    p, _, high = chance(np.sqrt(defined))
    found = (
        f"The {figure} of the folds has a standard deviation of {np.sqrt(statistic[0]):.2f}; dealing the patients out "
        f"anew gives up to {high:.2f} (p = {p:.3f})"
    )
    if p <= SURPRISING:
        return Guard(name, "warned", f"{found}: the folds differ more than chance allows.")
    return Guard(name, "passed", f"{found}.")


def unbalanced_split(metadata: pd.DataFrame, fold: NDArray[np.int64], *, seed: int) -> Guard:
    """Warn when the folds differ in site, scanner or time more than chance allows (p ≤ 0.01 over all columns).

    A random split is balanced up to chance; a split by site or by time is not, and its figures then answer another
    question (a new site, later patients).
    """
    name = "unbalanced-split"
    columns = [
        column for column in metadata.columns if metadata[column].nunique() > 1 and metadata[column].notna().any()
    ]
    if not columns:
        return Guard(name, "passed", "Neither site nor scanner nor date varies between the patients.")
    order = generator(seed, name).permuted(np.tile(np.arange(len(metadata)), (FEW_SHUFFLES, 1)), axis=1)
    order = np.concatenate([np.arange(len(metadata))[None], order])
    worst, least = "", 1.0
    for column in columns:
        p = chance(_imbalance(metadata[column], fold, order))[0]
        if p < least:
            worst, least = str(column), p
    smallest = 1 / len(order)
    if least <= max(SURPRISING / len(columns), smallest):
        return Guard(name, "warned", f"The folds differ in {worst} more than chance allows (p = {least:.3f}).")
    return Guard(
        name, "passed", f"{len(columns)} columns of site, scanner or date are spread over the folds as by chance."
    )


def _needed(outcome: Outcome, parameters: int) -> SampleSize:
    if isinstance(outcome, Binary):
        prevalence = outcome.events / len(outcome)
        r2 = ASSUMED_SHARE_OF_R2 * max_r2_binary(prevalence)
        return for_binary(parameters=parameters, prevalence=prevalence, r2_cox_snell=r2)
    followed = np.minimum(outcome.time_days, outcome.horizon_days)
    rate = outcome.events_by_horizon / float(followed.sum())
    mean = float(followed.mean())
    return for_survival(
        parameters=parameters,
        rate=rate,
        horizon=outcome.horizon_days,
        mean_follow_up=mean,
        r2_cox_snell=ASSUMED_SHARE_OF_R2 * max_r2_survival(rate * mean),
    )


def _spread_of_folds(outcome: Outcome, main: OutOfFold, *, seed: int) -> Floats:
    spreads = []
    for repeat, (risk, fold) in enumerate(zip(main.risk, main.fold, strict=True)):
        random = generator(seed, "folds differ", repeat)
        order = random.permuted(np.tile(np.arange(len(outcome)), (FEW_SHUFFLES, 1)), axis=1)
        order = np.concatenate([np.arange(len(outcome))[None], order])
        spreads.append(_variance_over_folds(outcome, risk, fold, order))
    return np.asarray(np.mean(spreads, axis=0))


def _variance_over_folds(outcome: Outcome, risk: Floats, fold: Ints, order: NDArray[np.intp]) -> Floats:
    # Dealing folds out to the patients is the same as dealing the patients, risk and outcome together, to the folds.
    as_they_are = np.broadcast_to(np.arange(len(outcome)), order.shape)
    right, pairs = dealt_concordance(outcome, risk, fold[order], as_they_are)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(pairs > 0, right / pairs, 0.0)
        mean = right.sum(axis=1) / pairs.sum(axis=1)
        variance = (pairs * (value - mean[:, None]) ** 2).sum(axis=1) / pairs.sum(axis=1)
    return np.asarray(np.where((pairs > 0).sum(axis=1) > 1, variance, np.nan))


def _imbalance(values: pd.Series, fold: NDArray[np.int64], order: NDArray[np.intp]) -> Floats:
    """Between-fold sum of squares of the column's indicators (or ranks), averaged over repeats, for each order."""
    if pd.api.types.is_datetime64_any_dtype(values) or (
        pd.api.types.is_numeric_dtype(values) and values.nunique() > 10
    ):
        numbers = pd.Series(values).rank().to_numpy(dtype=float)
        table = np.nan_to_num(numbers - np.nanmean(numbers))[:, None]
    else:
        table = pd.get_dummies(values.astype(str)).to_numpy(dtype=float)
        table = (table - table.mean(axis=0)) / np.sqrt(np.maximum(table.mean(axis=0), 1e-12))
    total = np.zeros(len(order))
    for row in fold:
        for number in np.unique(row):
            held = row == number
            total += (table[order[:, held]].sum(axis=1) ** 2).sum(axis=1) / held.sum()
    return total / len(fold)
