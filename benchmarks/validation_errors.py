"""Coverage of the 95 % intervals of ICI, E50, E90 and Emax of a fixed external model, calibrated and not.

Log odds of the model are normal (mean -1.1, sd 1); the true log odds are the same, 0.6 of them, 0.6 above them, or
0.8 of them less 0.1. The truth of a cohort is the distance of its risks from the true ones.

    python benchmarks/validation_errors.py [replicates [resamples [sizes …]]]      # 1000 500 100 300 1000
"""

from __future__ import annotations

import sys

import numpy as np

from prognoscope.core.outcome import Binary
from prognoscope.core.predictions import OutOfFold
from prognoscope.validation import resample_counts
from prognoscope.validation.calibration_errors import ERRORS, errors_of
from prognoscope.validation.curves import common_grid, resampled_calibration
from prognoscope.validation.metrics import sample
from prognoscope.validation.resampling import with_original

TRUTHS = {"calibrated": (1.0, 0.0), "too extreme": (0.6, 0.0), "too low": (1.0, 0.6), "slightly off": (0.8, -0.1)}


def one_cohort(seed: int, n: int, slope: float, shift: float, resamples: int) -> list[tuple[bool, bool]]:
    """For each error, whether the truth lies below and above its interval; both where there is none."""
    random = np.random.default_rng([seed, n])
    line = -1.1 + random.normal(size=n)
    risk, true = (1 / (1 + np.exp(-value)) for value in (line, slope * line + shift))
    outcome = Binary(random.random(n) < true)
    model = OutOfFold(risk[None], np.zeros((1, n), dtype=np.int64))
    counts = with_original(resample_counts(n, resamples=resamples, seed=seed))
    _, errors = resampled_calibration(model, common_grid(model.risk), [sample(outcome, counts)])
    truth = dict(zip(ERRORS, errors_of(np.abs(true - risk)), strict=True))
    ends = {name: errors.get(name, (0, np.nan, np.nan, ""))[1:3] for name in ERRORS}
    return [(not truth[name] >= low - 1e-12, not truth[name] <= high + 1e-12) for name, (low, high) in ends.items()]


def main() -> None:
    """Print a table."""
    given = [int(word) for word in sys.argv[1:]]
    replicates, resamples, *sizes = given + [1000, 500][len(given) :]
    print(f"{'model':14}{'n':>6}" + "".join(f"{name:>22}" for name in ERRORS) + "    (truth below, above)")
    for name, (slope, shift) in TRUTHS.items():
        for n in sizes or (100, 300, 1000):
            missed = np.array([one_cohort(seed, n, slope, shift, resamples) for seed in range(replicates)])
            covered = 1 - missed.any(axis=2).mean(axis=0)
            below, above = missed.mean(axis=0).T
            cells = (
                f"{100 * c:9.1f} ({100 * b:.1f}, {100 * a:.1f})" for c, b, a in zip(covered, below, above, strict=True)
            )
            print(f"{name:14}{n:6d}" + "".join(f"{cell:>22}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
