"""A transformer that cheats where it can: it looks the outcome of a patient up among those it was fitted to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from prognoscope.core.outcome import Binary, Outcome
from prognoscope.core.settings import Settings
from prognoscope.core.table import Column, Table
from prognoscope.training import (
    Candidate,
    Model,
    PreparationSettings,
    assign_folds,
    bootstrap_fit,
    cross_fit,
    fit_predictor,
)
from prognoscope.training.contract import Arrays, Setting
from prognoscope.training.encoding import encode
from tests.make.training import auc


class Nothing(Settings):
    """Settings of the cheat: none."""


class LookedUp:
    """The outcome of whoever it was fitted to, and the mean for all others: target encoding of each single patient."""

    def __init__(self, seen: NDArray[np.float64], event: NDArray[np.float64]) -> None:
        self.seen, self.event = seen, event

    def risk(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        place = {row.tobytes(): event for row, event in zip(self.seen, self.event, strict=True)}
        return np.array([place.get(row.tobytes(), self.event.mean()) for row in x])

    def weight(self) -> NDArray[np.float64]:
        return np.ones(self.seen.shape[1])


def fit(x: NDArray[np.float64], outcome: Outcome, settings: Sequence[Setting], *, seed: int) -> list[LookedUp]:
    del seed
    return [LookedUp(x.copy(), outcome.event.astype(float)) for _ in settings]


def dump(fitted: LookedUp) -> Arrays:
    return {"seen": fitted.seen, "event": fitted.event}


def load(arrays: Arrays) -> LookedUp:
    return LookedUp(arrays["seen"], arrays["event"])


CHEAT = Candidate(
    Model("cheat", Nothing, frozenset({"binary"}), 1, fit, dump, load, "a cheat", by_heart=True), Nothing()
)
AS_GIVEN = PreparationSettings(redundant_above=1.0)


@pytest.fixture(scope="module")
def noise() -> tuple[Table, Binary]:
    """Sixty patients, two numbers of their own each, and an outcome without relation to them."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame(random.normal(size=(60, 2)), columns=["a", "b"], index=[f"P{i:02d}" for i in range(60)])
    return Table(frame, (Column("a", "number"), Column("b", "number"))), Binary(random.permutation(60) < 20)


def test_fitted_to_everybody_it_is_perfect_which_is_the_mistake_that_the_folds_must_prevent(
    noise: tuple[Table, Binary],
) -> None:
    table, outcome = noise
    learnt = fit_predictor(
        table, outcome, candidates=[CHEAT], inner=3, score=auc, refits=0, seed=1, preparation=AS_GIVEN
    )
    assert auc(outcome, learnt.main.risk(encode(table.frame, learnt.columns))) == 1.0


@pytest.mark.parametrize("recalibration", ["none", "slope", "isotonic"])
def test_inside_the_folds_it_finds_nobody_whom_it_predicts(noise: tuple[Table, Binary], recalibration: str) -> None:
    table, outcome = noise
    folds = assign_folds(outcome, folds=5, repeats=4, seed=2)
    found = cross_fit(
        table, outcome, candidates=[CHEAT], folds=folds, inner=3, score=auc, seed=1, preparation=AS_GIVEN,
        recalibration=recalibration,  # type: ignore[arg-type]
    ).out_of_fold  # fmt: skip
    for risk, held in zip(found.risk, found.fold, strict=True):
        for number in range(5):
            # One value for a whole fold: not one of them was among those it had been fitted to.
            assert np.ptp(risk[held == number]) == 0


def test_a_bootstrap_knows_those_it_drew_and_none_of_the_others(noise: tuple[Table, Binary]) -> None:
    table, outcome = noise
    learnt = bootstrap_fit(
        table, outcome, candidates=[CHEAT], inner=3, score=auc, resamples=20, seed=1, preparation=AS_GIVEN
    )
    for risk, drawn in zip(learnt.risk, learnt.drawn, strict=True):
        assert np.ptp(risk[drawn == 0]) == 0
        assert auc(outcome.take(drawn > 0), risk[drawn > 0]) == 1.0
