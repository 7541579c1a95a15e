"""Coverage of the 95 % intervals of AUC, Brier score, calibration slope and C-index of a fixed external model.

Truth: linear predictor normal, true AUC 0.75, 30 % events; survival times exponential in the same predictor, censored
uniformly, C-index by 2 × 10⁶ patients. Bias-corrected and accelerated bootstrap, as `evaluate` makes it.

    python benchmarks/validation_coverage.py [replicates [resamples [sizes …]]]      # 4000 2000 100 300 1000
    … --keep FOLDER [--blocks N]     # keep blocks of 250 cohorts there, go on from them, stop after N new ones
"""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path

import numpy as np
from scipy.optimize import brentq

from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.validation import (
    auc,
    bca_interval,
    brier,
    c_index,
    calibration_slope,
    jackknife_counts,
    known_event,
    resample_counts,
)
from prognoscope.validation.metrics import METRICS, Sample
from prognoscope.validation.resampling import JACKKNIFE_GROUPS, Counts, with_original

SIZES = (100, 300, 1000)
BLOCK = 250
AUC = 0.75
EVENTS = 0.3
KINDS = {kind.name: kind for kind in METRICS}


def scale_and_shift() -> tuple[float, float]:
    """Spread and mean of the true log odds that give AUC 0.75 and 30 % events, by quadrature."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(160)
    weights = weights / weights.sum()

    def figures(spread: float) -> tuple[float, float]:
        shift = brentq(lambda s: weights @ (1 / (1 + np.exp(-(s + spread * nodes)))) - EVENTS, -10, 10)
        risk = 1 / (1 + np.exp(-(shift + spread * nodes)))
        case, other = weights * risk / EVENTS, weights * (1 - risk) / (1 - EVENTS)
        wins = (nodes[:, None] > nodes) + 0.5 * (nodes[:, None] == nodes)
        return float(case @ wins @ other), shift

    spread = brentq(lambda value: figures(value)[0] - AUC, 0.1, 5)
    return spread, figures(spread)[1]


def draw_binary(n: int, random: np.random.Generator, spread: float, shift: float) -> tuple[Binary, np.ndarray]:
    """Outcomes of the true risks, which are the model's risks."""
    risk = 1 / (1 + np.exp(-(shift + spread * random.normal(size=n))))
    return Binary(random.random(n) < risk), risk


def draw_survival(n: int, random: np.random.Generator) -> tuple[TimeToEvent, np.ndarray]:
    """Times with the model's true risks; about 30 % have the event by the horizon, some are lost before it."""
    rate = np.exp(0.8 * random.normal(size=n)) * 0.4 / 730
    event, lost = random.exponential(1 / rate), random.uniform(200, 2500, size=n)
    return TimeToEvent(np.minimum(event, lost), event <= lost, 730.0), 1 - np.exp(-rate * 730)


def intervals(outcome: Outcome, risk: np.ndarray, names: list[str], counts: Counts) -> list[tuple[float, float]]:
    """The intervals that `evaluate` gives; the first row of counts is the cohort, the last are its jackknife."""
    fold = np.zeros(len(outcome), dtype=np.int64)
    rows = Sample(outcome, known_event(outcome), counts, counts.astype(float))
    groups = min(len(outcome), JACKKNIFE_GROUPS)
    values = [KINDS[name].rows(rows, risk, fold) for name in names]
    return [bca_interval(float(value[0]), value[1:-groups], value[-groups:])[:2] for value in values]


def one_cohort(seed: int, n: int, truth: dict[str, float], *, resamples: int, line: tuple[float, float]) -> list[int]:
    """For each figure 0 when the interval holds the truth, -1 below it, 1 above it, 9 without interval."""
    random = np.random.default_rng([seed, n])
    drawn = with_original(resample_counts(n, resamples=resamples, seed=seed))
    counts = np.concatenate([drawn, jackknife_counts(n, seed=seed)])
    found = intervals(*draw_binary(n, random, *line), list(truth)[:3], counts)
    found += intervals(*draw_survival(n, random), ["c_index"], counts)
    return [
        9 if np.isnan(low) else -1 if value < low else 1 if value > high else 0
        for value, (low, high) in zip(truth.values(), found, strict=True)
    ]


def the_truth(line: tuple[float, float]) -> dict[str, float]:
    """What the intervals should hold; told beside the same figures of two million patients."""
    big = np.random.default_rng(0)
    outcome, risk = draw_binary(2_000_000, big, *line)
    later, later_risk = draw_survival(2_000_000, big)
    concordance = c_index(later.time_days, later.event, later_risk)
    brier_truth = float((risk * (1 - risk)).mean())
    print(
        f"check of the truth: AUC {auc(outcome.event, risk):.4f}, Brier {brier(outcome.event, risk):.4f}, "
        f"slope {calibration_slope(outcome.event, risk):.3f}, C {concordance:.4f}"
    )
    return {"auc": AUC, "brier": brier_truth, "calibration_slope": 1.0, "c_index": concordance}


def tell(n: int, names: list[str], hits: np.ndarray) -> None:
    """Print coverage with its Monte Carlo error, share below and above, for each figure."""
    for name, where in zip(names, hits.T, strict=True):
        covered = np.mean(where == 0)
        error = 2 * np.sqrt(covered * (1 - covered) / len(where))
        print(
            f"{name:18} {n:5d}   {covered:7.3%}   {error:7.3%}   {np.mean(where == -1):9.3%}   "
            f"{np.mean(where == 1):9.3%}   {np.mean(where == 9):9.3%}   ({len(where)} cohorts)",
            flush=True,
        )


def main() -> None:
    """Run what is missing, then print a table."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("numbers", nargs="*", type=int)
    reader.add_argument("--keep", type=Path)
    reader.add_argument("--blocks", type=int, default=10**6)
    given = reader.parse_args()
    replicates, resamples, *sizes = given.numbers + [4000, 2000][len(given.numbers) :]
    line = scale_and_shift()
    truth = the_truth(line)
    print("figure               n     coverage  (± 2 s.e.)  truth below  truth above  no interval")

    def block(n: int, start: int) -> np.ndarray:
        last = min(start + BLOCK, replicates)
        rows = [one_cohort(seed, n, truth, resamples=resamples, line=line) for seed in range(start, last)]
        return np.array(rows)

    for n in sizes or SIZES:
        wanted = {
            start: (given.keep or Path()) / f"{n}-{resamples}-{start}.npy" for start in range(0, replicates, BLOCK)
        }
        hits = {start: np.load(file) for start, file in wanted.items() if given.keep and file.exists()}
        for start in islice((start for start in wanted if start not in hits), given.blocks):
            hits[start] = block(n, start)
            if given.keep:
                given.keep.mkdir(parents=True, exist_ok=True)
                np.save(wanted[start], hits[start])
        tell(n, list(truth), np.concatenate(list(hits.values())))


if __name__ == "__main__":
    main()
