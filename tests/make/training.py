"""Cohorts with a known truth for the tests of learning, and plain scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.core.table import Column, Table

Numbers = NDArray[np.float64]


def clinical_and_imaging(*, patients: int, imaging: int, seed: int, signal: float = 1.5) -> tuple[Table, Numbers]:
    """Make a table like a radiomics study's, and each patient's true linear predictor.

    Clinical: age, sex, grade (ordered), histology (five values), smoker, with a few gaps. Imaging: heavy-tailed
    features in correlated blocks of four; the first block and the age carry the signal.
    """
    draw = np.random.default_rng(seed)
    blocks = draw.normal(size=(patients, max(1, imaging // 4)))
    noise = draw.normal(size=(patients, imaging))
    values = np.exp(0.5 * (blocks[:, np.arange(imaging) % blocks.shape[1]] + 0.4 * noise))
    age = np.round(draw.uniform(20, 85, patients))
    frame = pd.DataFrame(values, columns=[f"PT.f{number}" for number in range(imaging)])
    clinical = {
        "age": age,
        "sex": draw.choice(["Female", "Male"], patients),
        "grade": draw.choice(["Low", "Intermediate", "High"], patients),
        "histology": draw.choice(["A", "B", "C", "D", "E"], patients),
        "smoker": draw.choice([True, False], patients).astype(object),
    }
    frame = pd.concat([pd.DataFrame(clinical), frame], axis=1)
    frame.loc[draw.choice(patients, patients // 12, replace=False), "age"] = np.nan
    frame.loc[draw.choice(patients, patients // 15, replace=False), "histology"] = None
    frame.index = pd.Index([f"P{number:03d}" for number in range(patients)], name="patient_id")
    truth = signal * blocks[:, 0] + 0.02 * signal * (age - 50)
    return Table(frame, _columns(imaging)), truth


def _columns(imaging: int) -> tuple[Column, ...]:
    return (
        Column("age", "number", unit="year"),
        Column("sex", "category"),
        Column("grade", "category", levels=("Low", "Intermediate", "High"), ordered=True),
        Column("histology", "category"),
        Column("smoker", "boolean"),
        *(Column(f"PT.f{number}", "number", unit="1", origin="imaging") for number in range(imaging)),
    )


def binary(truth: Numbers, *, seed: int, intercept: float = -0.5) -> Binary:
    """Draw events with the probability that the true linear predictor says."""
    draw = np.random.default_rng(seed)
    return Binary(draw.random(len(truth)) < 1 / (1 + np.exp(-(truth + intercept))))


def survival(truth: Numbers, *, seed: int, horizon_days: float = 730.0, median_days: float = 900.0) -> TimeToEvent:
    """Draw exponential times whose hazard is proportional to `exp(truth)`, censored uniformly over five years."""
    draw = np.random.default_rng(seed)
    time = draw.exponential(median_days / np.log(2), len(truth)) * np.exp(-truth)
    end = draw.uniform(100, 1825, len(truth))
    return TimeToEvent(np.ceil(np.minimum(time, end)), time <= end, horizon_days)


def auc(outcome: Outcome, risk: Numbers) -> float:
    """Share of pairs of an event and a non-event in which the event has the higher risk; ties count half."""
    event = outcome.event
    if event.all() or not event.any():
        return float("nan")
    difference = risk[event][:, None] - risk[~event][None, :]
    return float(np.mean((difference > 0) + 0.5 * (difference == 0)))


def concordance(outcome: Outcome, risk: Numbers) -> float:
    """Harrell's C."""
    assert isinstance(outcome, TimeToEvent)
    comparable = outcome.event[:, None] & (outcome.time_days[:, None] < outcome.time_days[None, :])
    if not comparable.any():
        return float("nan")
    difference = risk[:, None] - risk[None, :]
    return float(((difference > 0) + 0.5 * (difference == 0))[comparable].mean())


def in_processes(function: Callable[[Any], Any], items: Sequence[Any], *, label: str) -> Iterator[Any]:
    """Map in two other processes, the same for all tests of a run: to start one takes seconds."""
    yield from _pool().map(function, items)


@cache
def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))
