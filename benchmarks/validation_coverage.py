"""Coverage of the 95 % intervals of AUC, Brier score, calibration slope and C-index of a fixed external model.

Truth: linear predictor normal, true AUC 0.75, 30 % events; survival times exponential in the same predictor, censored
uniformly, C-index by 2 × 10⁶ patients. Percentile bootstrap of 2,000 resamples, as `evaluate` makes it.

    python benchmarks/validation_coverage.py [replicates]      # 4,000 by default
"""

from __future__ import annotations

import sys
import time

import numpy as np
from scipy.optimize import brentq

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.validation import auc, brier, c_index, calibration_slope
from prognoscope.validation.metrics import METRICS, sample
from prognoscope.validation.resampling import blocks, percentile_interval, resample_counts, with_original

RESAMPLES = 2000
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


def interval(name: str, outcome: Binary | TimeToEvent, risk: np.ndarray, seed: int) -> tuple[float, float]:
    """The interval that `evaluate` gives."""
    fold = np.zeros(len(outcome), dtype=np.int64)
    counts = with_original(resample_counts(len(outcome), resamples=RESAMPLES, seed=seed))
    values = np.concatenate([KINDS[name].rows(sample(outcome, block), risk, fold) for block in blocks(counts)])
    return percentile_interval(values[1:])[:2]


def main() -> None:
    """Print a table: figure, n, coverage with its Monte Carlo error, share below and above."""
    replicates = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
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
    for n in SIZES:
        began = time.perf_counter()
        inside: dict[str, list[int]] = {name: [] for name in truth}
        for seed in range(replicates):
            random = np.random.default_rng([seed, n])
            binary = draw_binary(n, random, spread, shift)
            survival = draw_survival(n, random)
            for name in truth:
                low, high = interval(name, *(survival if name == "c_index" else binary), seed)
                value = truth[name]
                inside[name].append(9 if np.isnan(low) else -1 if value < low else 1 if value > high else 0)
        for name, hits in inside.items():
            found = np.array(hits)
            covered = np.mean(found == 0)
            error = 2 * np.sqrt(covered * (1 - covered) / len(found))
            print(
                f"{name:18} {n:5d}   {covered:7.3%}   {error:7.3%}   {np.mean(found == -1):9.3%}   "
                f"{np.mean(found == 1):9.3%}   {np.mean(found == 9):9.3%}",
                flush=True,
            )
        print(f"   ({replicates} replicates in {time.perf_counter() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
