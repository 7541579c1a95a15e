"""Coverage of the 95 % intervals of AUC, Brier score, calibration slope and C-index of a fixed external model.

Truth: linear predictor normal, true AUC 0.75, 30 % events; survival times exponential in the same predictor, censored
uniformly, C-index by 2 × 10⁶ patients. Bias-corrected and accelerated bootstrap, as `evaluate` makes it.

    python benchmarks/validation_coverage.py [replicates [resamples [sizes …]]]      # 4000 2000 100 300 1000
"""

from __future__ import annotations

import sys
import time

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


def main() -> None:
    """Print a table: figure, n, coverage with its Monte Carlo error, share below and above."""
    given = [int(word) for word in sys.argv[1:]]
    replicates, resamples, *sizes = given + [4000, 2000][len(given) :]
    spread, shift = scale_and_shift()
    big = np.random.default_rng(0)
    outcome, risk = draw_binary(2_000_000, big, spread, shift)
    later, later_risk = draw_survival(2_000_000, big)
    truth = {
        "auc": AUC,
        "brier": float((risk * (1 - risk)).mean()),
        "calibration_slope": 1.0,
        "c_index": c_index(later.time_days, later.event, later_risk),
    }
    print(f"check of the truth: AUC {auc(outcome.event, risk):.4f}, Brier {brier(outcome.event, risk):.4f}, ", end="")
    print(f"slope {calibration_slope(outcome.event, risk):.3f}, C {truth['c_index']:.4f}")
    print("figure               n     coverage  (± 2 s.e.)  truth below  truth above  no interval")
    for n in sizes or SIZES:
        began = time.perf_counter()
        inside: dict[str, list[int]] = {name: [] for name in truth}
        for seed in range(replicates):
            random = np.random.default_rng([seed, n])
            drawn = with_original(resample_counts(n, resamples=resamples, seed=seed))
            counts = np.concatenate([drawn, jackknife_counts(n, seed=seed)])
            binary, three = draw_binary(n, random, spread, shift), list(truth)[:3]
            found = intervals(*binary, three, counts) + intervals(*draw_survival(n, random), ["c_index"], counts)
            for (name, value), (low, high) in zip(truth.items(), found, strict=True):
                inside[name].append(9 if np.isnan(low) else -1 if value < low else 1 if value > high else 0)
        for name, hits in inside.items():
            where = np.array(hits)
            covered = np.mean(where == 0)
            error = 2 * np.sqrt(covered * (1 - covered) / len(where))
            print(
                f"{name:18} {n:5d}   {covered:7.3%}   {error:7.3%}   {np.mean(where == -1):9.3%}   "
                f"{np.mean(where == 1):9.3%}   {np.mean(where == 9):9.3%}",
                flush=True,
            )
        print(
            f"   ({replicates} replicates of {resamples} resamples in {time.perf_counter() - began:.0f} s)", flush=True
        )


if __name__ == "__main__":
    main()
