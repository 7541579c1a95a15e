"""Speed of the bootstrap beside a scikit-learn loop, of the C-index, and of an evaluation.

2,000 resamples of AUC, Brier score, calibration slope, intercept and net benefit at 20 thresholds for 1,000 patients
on one core, and the same in a loop over scikit-learn's functions (100 resamples, times 20); Harrell's C with 2,000
resamples for 5,000 patients; `evaluate` of three models over 5 repeats for 51 patients.

    python benchmarks/validation_speed.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score
from threadpoolctl import threadpool_limits

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.validation import evaluate, resample_counts
from prognoscope.validation.decision import net_benefit_rows
from prognoscope.validation.discrimination import auc_rows, concordance_rows
from prognoscope.validation.overall import brier_rows
from prognoscope.validation.recalibration import intercept_rows, logit, slope_rows

THRESHOLDS = np.linspace(0.05, 0.95, 20)


def seconds(work: Callable[[], object], *, times: int = 3) -> float:
    """Shortest of some processor times, after one run to compile."""
    work()
    took = []
    for _ in range(times):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


def ours(event: np.ndarray, risk: np.ndarray, resamples: int) -> None:
    """All five figures in all resamples."""
    counts = resample_counts(len(event), resamples=resamples, seed=1)
    weights = counts.astype(float)
    auc_rows(event, risk, np.zeros(len(event), dtype=np.int64), weights)
    brier_rows(event, risk, weights)
    slope_rows(event, risk, weights)
    intercept_rows(event, risk, weights)
    net_benefit_rows(Binary(event), risk, THRESHOLDS, counts)


def theirs(event: np.ndarray, risk: np.ndarray, resamples: int) -> None:
    """The same with scikit-learn, one resample after the other; the intercept by a few Newton steps."""
    random = np.random.default_rng(1)
    for _ in range(resamples):
        rows = random.integers(0, len(event), size=len(event))
        y, p = event[rows], risk[rows]
        roc_auc_score(y, p)
        brier_score_loss(y, p)
        line = logit(p)
        LogisticRegression(C=np.inf).fit(line[:, None], y)
        shift = 0.0
        for _ in range(5):
            fitted = 1 / (1 + np.exp(-(line + shift)))
            shift += (y - fitted).sum() / (fitted * (1 - fitted)).sum()
        for at in THRESHOLDS:
            treated = p >= at
            np.mean(treated & y) - np.mean(treated & ~y) * at / (1 - at)


def main() -> None:
    """Print each figure."""
    random = np.random.default_rng(1)
    risk = 1 / (1 + np.exp(1 - random.normal(size=1000)))
    event = random.random(1000) < risk
    with threadpool_limits(1):
        mine = seconds(lambda: ours(event, risk, 2000))
        loop = seconds(lambda: theirs(event, risk, 100), times=1) * 20
        print(f"n = 1,000, 2,000 resamples: {mine:.2f} s; scikit-learn loop {loop:.1f} s ({loop / mine:.0f} times)")
        rate = np.exp(random.normal(size=5000)) / 1500
        died, lost = random.exponential(1 / rate), random.uniform(100, 3000, size=5000)
        outcome = TimeToEvent(np.minimum(died, lost), died <= lost, 730.0)
        fold = np.zeros(5000, dtype=np.int64)
        counts = resample_counts(5000, resamples=2000, seed=1)
        took = seconds(lambda: concordance_rows(outcome.time_days, outcome.event, rate, fold, counts), times=1)
        print(f"C-index, n = 5,000, 2,000 resamples: {took:.1f} s")
        few = outcome.take(np.arange(51))
        models = {
            name: OutOfFold(
                random.uniform(0.1, 0.9, size=(5, 51)),
                np.stack([random.permutation(np.arange(51) % 5) for _ in range(5)]),
            )
            for name in ("all", "clinical", "imaging")
        }
        for name, kind in (("binary", Binary(few.event)), ("time to event", few)):
            took = seconds(lambda kind=kind: evaluate(kind, models, titles={}, resamples=2000, seed=1))
            print(f"evaluate, {name}, 51 patients, 3 models, 5 repeats, 2,000 resamples: {took:.2f} s")


if __name__ == "__main__":
    main()
