"""Bootstrap optimism correction against the truth: where it works, and where it fails.

Penalised logistic regression, n = 200, 10 predictors, 500 cohorts; then more predictors than patients, and a forest.

    python benchmarks/validation_optimism.py [cohorts]      # 500 by default
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from prognoscope.validation import auc, optimism_corrected


def drawn(n: int, columns: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Predictors of which the first five matter, and the outcome (about 30 %)."""
    x = random.normal(size=(n, columns))
    return x, random.random(n) < 1 / (1 + np.exp(1.0 - 0.5 * x[:, :5].sum(axis=1)))


def study(name: str, make: object, *, n: int, columns: int, cohorts: int, resamples: int, memorises: bool) -> None:
    """Print mean apparent, corrected and true AUC over the cohorts."""
    rows = []
    for seed in range(cohorts):
        random = np.random.default_rng([seed, columns])
        x, event = drawn(n, columns, random)
        new_x, new_event = drawn(5000, columns, random)

        def learn(chosen: np.ndarray, x: np.ndarray = x, event: np.ndarray = event) -> object:
            model = make().fit(x[chosen], event[chosen])  # type: ignore[operator]
            return lambda test: auc(event[test], model.predict_proba(x[test])[:, 1])

        found = optimism_corrected(
            learn,
            n=n,
            parameters=columns,
            resamples=resamples,
            seed=seed,
            memorises=memorises,  # type: ignore[arg-type]
        )
        truth = auc(new_event, make().fit(x, event).predict_proba(new_x)[:, 1])  # type: ignore[operator]
        rows.append((found.apparent, found.corrected, truth))
    apparent, corrected, truth = np.mean(rows, axis=0)
    error = np.std([row[1] - row[2] for row in rows]) / np.sqrt(cohorts)
    print(
        f"{name:44} apparent {apparent:.3f}  corrected {corrected:.3f}  true {truth:.3f}  "
        f"corrected - true {corrected - truth:+.4f} ± {2 * error:.4f}  headline {found.headline}",
        flush=True,
    )


def main() -> None:
    """Run the three studies."""
    warnings.filterwarnings("ignore")
    cohorts = int(sys.argv[1]) if len(sys.argv) > 1 else 500

    def ridge() -> LogisticRegression:
        return LogisticRegression(C=0.1, max_iter=200)

    def forest() -> RandomForestClassifier:
        return RandomForestClassifier(50, random_state=0)

    few = max(10, cohorts // 25)
    study(
        "ridge, 200 patients, 10 predictors", ridge, n=200, columns=10, cohorts=cohorts, resamples=50, memorises=False
    )
    study("ridge, 60 patients, 120 predictors", ridge, n=60, columns=120, cohorts=few, resamples=30, memorises=False)
    study("forest, 200 patients, 10 predictors", forest, n=200, columns=10, cohorts=few, resamples=20, memorises=True)


if __name__ == "__main__":
    main()
