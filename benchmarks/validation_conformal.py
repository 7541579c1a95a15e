"""Coverage of split conformal sets at 90 %, and of cross-conformal sets, over fresh cohorts of a calibrated model.

python benchmarks/validation_conformal.py [cohorts]      # 4,000 by default
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.linear_model import LogisticRegression

from prognoscope.validation import cross_conformal_sets, split_conformal_sets

ALPHA = 0.1


def drawn(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Five predictors of which two matter, and the outcome."""
    x = random.normal(size=(n, 5))
    return x, random.random(n) < 1 / (1 + np.exp(0.8 - x[:, 0] - 0.5 * x[:, 1]))


def main() -> None:
    """Print mean coverage, its Monte Carlo error and the bounds that are promised."""
    cohorts = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    for n in (19, 50, 200):
        covered = []
        for seed in range(cohorts):
            random = np.random.default_rng([seed, n])
            x, event = drawn(n + 100, random)
            risk = 1 / (1 + np.exp(0.8 - 1.3 * x[:, 0]))  # a wrong model, as good as any for the guarantee
            sets = split_conformal_sets(event[:n], risk[:n], risk[n:], alpha=ALPHA)
            covered.append(np.where(event[n:], sets.with_event, sets.without_event).mean())
        error = 2 * np.std(covered) / np.sqrt(cohorts)
        print(
            f"split, n = {n:3d}: {np.mean(covered):.4f} ± {error:.4f}; promised [{1 - ALPHA:.4f}, "
            f"{1 - ALPHA + 1 / (n + 1):.4f}]"
        )
    covered = []
    for seed in range(cohorts // 10):
        random = np.random.default_rng([seed, 1])
        x, event = drawn(160, random)
        fold = np.arange(60) % 5
        models = [LogisticRegression().fit(x[:60][fold != k], event[:60][fold != k]) for k in range(5)]
        own = np.array([models[k].predict_proba(x[i : i + 1])[0, 1] for i, k in enumerate(fold)])
        new = np.stack([model.predict_proba(x[60:])[:, 1] for model in models])
        sets = cross_conformal_sets(event[:60], own, fold, new, alpha=ALPHA)
        covered.append(np.where(event[60:], sets.with_event, sets.without_event).mean())
    print(f"cross, n = 60, 5 folds: {np.mean(covered):.4f}; promised at least {1 - 2 * ALPHA:.2f}")


if __name__ == "__main__":
    main()
