"""Leakage guards: how often each catches its planted fault, and how often a clean cohort meets a blocking alarm.

Cohorts of 100 patients, 30 % events, 40 predictors (numbers, categories, gaps), 5 × 5 folds. Planted: one patient
under a second name (equal row; measured again with noise of 0.1 % and one value missing; or only an image, exported
again with other intensities and noise); the outcome with noise of a quarter of its distance (AUC about 0.99), as four
codes, or as the middle of a range; a predictor declared as known later. The clean cohorts come twice: with independent
predictors, and with thirty that share two factors, as radiomics do.

    python benchmarks/validation_guards.py [cohorts]      # 100 by default
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace

import numpy as np
from scipy.ndimage import zoom

from prognoscope.core.outcome import Binary
from prognoscope.core.table import Column, Table
from prognoscope.validation import duplicate_patients, image_fingerprint, known_too_late, outcome_in_disguise

N = 100
BLOCKING = ("duplicate-patients", "outcome-in-disguise", "known-too-late")


def cohort(random: np.random.Generator) -> tuple[Table, Binary, np.ndarray, dict[str, list[str]]]:
    """A clean cohort: predictors of which three carry a real signal, outcome, folds and image fingerprints."""
    import pandas as pd

    values = random.normal(size=(N, 40))
    logit = values[:, :3].sum(axis=1) * 0.7
    event = random.random(N) < 1 / (1 + np.exp(1.1 - logit))
    frame = pd.DataFrame(values, columns=[f"x{index}" for index in range(40)], index=[f"P{i:03d}" for i in range(N)])
    frame["x38"] = np.round(frame["x38"])
    frame["x39"] = random.choice(["a", "b", "c"], N)
    frame.loc[random.random(N) < 0.2, "x5"] = np.nan
    columns = tuple(
        Column(str(name), "category" if name == "x39" else "number", known_at="time_zero") for name in frame.columns
    )
    fold = np.stack([random.permutation(np.arange(N) % 5) for _ in range(5)])
    return Table(frame, columns), Binary(event), fold, {name: [image_fingerprint(scan(random))] for name in frame.index}


def correlated(table: Table, random: np.random.Generator) -> Table:
    """The same with thirty predictors made of two factors and a little of their own."""
    frame = table.frame.copy()
    factors = random.normal(size=(N, 2)) @ random.normal(size=(2, 30))
    frame.loc[:, [f"x{index}" for index in range(6, 36)]] = np.exp(factors + 0.1 * random.normal(size=(N, 30)))
    return Table(frame, table.columns)


def measured_again(table: Table, random: np.random.Generator) -> Table:
    """The last patient is the first again: noise of 0.1 %, one value missing."""
    frame = table.frame.copy()
    numbers = [column.name for column in table.columns if column.type == "number"]
    frame.loc["P099", numbers] = frame.loc["P000", numbers].astype(float) * (1 + 0.001 * random.normal(size=39))
    frame.loc["P099", "x7"] = np.nan
    return Table(frame, table.columns)


def disguises(event: np.ndarray, random: np.random.Generator) -> dict[str, np.ndarray]:
    """The outcome with noise, as codes, and as the middle of a range."""
    codes = np.char.add(np.where(event, "D", "A"), random.integers(0, 2, N).astype(str))
    outside = random.choice([-1, 1], N) * random.uniform(0.3, 1, N)
    return {
        "with noise": event + random.normal(scale=0.25, size=N),
        "as codes": codes,
        "as a range": np.where(event, random.uniform(-0.3, 0.3, N), outside),
    }


def scan(random: np.random.Generator) -> np.ndarray:
    """Smooth random anatomy, `(12, 40, 48)`, of the same body shape in everyone."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in (12, 40, 48)), indexing="ij")
    body = 1000.0 * (y**2 + x**2 + 0.2 * z**2 < 0.8)
    return np.asarray(body + zoom(random.normal(size=(4, 8, 8)), (3, 5, 6), order=1) * 150, dtype=np.float32)


def alarms(table: Table, outcome: Binary, fold: np.ndarray, prints: dict[str, list[str]]) -> set[str]:
    """Names of the guards that block."""
    guards = (
        duplicate_patients(table, outcome, fold, fingerprints=prints),
        outcome_in_disguise(table, outcome),
        known_too_late(table),
    )
    return {guard.name for guard in guards if guard.blocks}


def main() -> None:
    """Print, of so many cohorts, how many met each alarm."""
    cohorts = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    caught: Counter[str] = Counter()
    for seed in range(cohorts):
        random = np.random.default_rng(seed)
        table, outcome, fold, prints = cohort(random)
        caught["clean"] += bool(alarms(table, outcome, fold, prints))
        caught["clean, correlated"] += bool(alarms(correlated(table, random), outcome, fold, prints))
        rows = [*range(N - 1), 0]
        twin = Table(table.frame.iloc[rows].set_axis(table.frame.index), table.columns)
        caught["equal row"] += BLOCKING[0] in alarms(twin, outcome.take(rows), fold, {})
        caught["nearly equal row"] += BLOCKING[0] in alarms(measured_again(table, random), outcome, fold, {})
        picture = scan(random)
        again = picture * 1.2 + 30 + random.normal(scale=20, size=picture.shape).astype(np.float32)
        twice = prints | {"P000": [image_fingerprint(picture)], "P099": [image_fingerprint(again)]}
        caught["image again"] += BLOCKING[0] in alarms(table, outcome, fold, twice)
        for disguise, values in disguises(outcome.event, random).items():
            column = Column("x0", "category" if values.dtype.kind == "U" else "number", known_at="time_zero")
            disguised = Table(table.frame.assign(x0=values), (column, *table.columns[1:]))
            caught[f"outcome {disguise}"] += BLOCKING[1] in alarms(disguised, outcome, fold, prints)
        late = Table(table.frame, (replace(table.columns[0], known_at="later"), *table.columns[1:]))
        caught["known too late"] += BLOCKING[2] in alarms(late, outcome, fold, prints)
    for name, number in caught.items():
        print(f"{name:20} {number:4d} of {cohorts} cohorts blocked")


if __name__ == "__main__":
    main()
