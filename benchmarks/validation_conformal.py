"""Coverage of split and cross-conformal sets over fresh cohorts, and who is covered less within them.

Five predictors, of which two matter, and a group (a fifth of the patients) in which none does, so that the model is
wrong there. Split: a fixed wrong model, any n and α, promised [1 - α, 1 - α + 1/(n+1)]. Cross: logistic regression
learnt in K folds, promised 1 - 2α (with the correction for the folds beside it). Conditional: the same split sets by
group and by outcome, which nothing promises.

    python benchmarks/validation_conformal.py [cohorts]      # 4000 by default; cross-conformal on a quarter
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.linear_model import LogisticRegression

from prognoscope.validation import coverage, cross_conformal_sets, split_conformal_sets

ALPHAS = (0.05, 0.1, 0.2)
NEW = 100
GROUPS = ("all", "group: signal", "group: no signal", "outcome: event", "outcome: no event")


def drawn(n: int, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictors, outcome (about a third), and whether a patient is of the group without signal."""
    x = random.normal(size=(n, 5))
    alone = random.random(n) < 0.2
    line = np.where(alone, 0.3 * random.normal(size=n), -0.8 + x[:, 0] + 0.5 * x[:, 1])
    return x, random.random(n) < 1 / (1 + np.exp(-line)), alone


def split(n: int, alpha: float, cohorts: int) -> None:
    """Print mean coverage of split sets, its Monte Carlo error, and whether it is within what is promised."""
    covered = []
    for seed in range(cohorts):
        x, event, _ = drawn(n + NEW, np.random.default_rng([seed, n]))
        risk = 1 / (1 + np.exp(0.8 - 1.3 * x[:, 0]))
        sets = split_conformal_sets(event[:n], risk[:n], risk[n:], alpha=alpha)
        covered.append(coverage(event[n:], sets)[0].covered)
    least, most = 1 - alpha, 1 - alpha + 1 / (n + 1)
    mean, error = np.mean(covered), 2 * np.std(covered) / np.sqrt(cohorts)
    kept = "within" if least - error <= mean <= most + error else "OUTSIDE"
    print(f"split  n = {n:3d}           α = {alpha:.2f}: {mean:.4f} ± {error:.4f}  {kept} [{least:.4f}, {most:.4f}]")


def cross(n: int, folds: int, alpha: float, cohorts: int) -> None:
    """The same of cross-conformal sets from models learnt in folds."""
    covered, size = [], []
    for seed in range(cohorts):
        x, event, _ = drawn(n + NEW, np.random.default_rng([seed, n, folds]))
        fold = np.arange(n) % folds
        models = [LogisticRegression().fit(x[:n][fold != k], event[:n][fold != k]) for k in range(folds)]
        risk = np.stack([model.predict_proba(x)[:, 1] for model in models])
        sets = cross_conformal_sets(event[:n], risk[fold, np.arange(n)], fold, risk[:, n:], alpha=alpha)
        found = coverage(event[n:], sets)[0]
        covered.append(found.covered)
        size.append(found.size)
    mean, error = np.mean(covered), 2 * np.std(covered) / np.sqrt(cohorts)
    corrected = 1 - 2 * alpha - 2 * (1 - 1 / folds) / (n / folds + 1)
    kept = "above" if mean + error >= 1 - 2 * alpha else "BELOW"
    print(
        f"cross  n = {n:3d}, K = {folds:2d}   α = {alpha:.2f}: {mean:.4f} ± {error:.4f}  {kept} {1 - 2 * alpha:.2f} "
        f"(with the correction {max(corrected, 0):.2f}); 1 - α is {1 - alpha:.2f}; {np.mean(size):.2f} outcomes a set"
    )


def conditional(n: int, alpha: float, cohorts: int) -> None:
    """Print coverage of split sets within groups and outcomes."""
    rows = []
    for seed in range(cohorts):
        x, event, alone = drawn(n + 10 * NEW, np.random.default_rng([seed, n, 7]))
        risk = 1 / (1 + np.exp(0.8 - x[:, 0] - 0.5 * x[:, 1]))
        sets = split_conformal_sets(event[:n], risk[:n], risk[n:], alpha=alpha)
        of_group = coverage(event[n:], sets, np.where(alone[n:], "group: no signal", "group: signal"))
        of_outcome = coverage(event[n:], sets, np.where(event[n:], "outcome: event", "outcome: no event"))
        found = {one.level: one.covered for one in (*of_group, *of_outcome)}
        rows.append([found[level] for level in GROUPS])
    print(f"conditional, n = {n}, α = {alpha:.2f}: " + "; ".join(
        f"{level} {value:.3f}" for level, value in zip(GROUPS, np.mean(rows, axis=0), strict=True)
    ))  # fmt: skip


def main() -> None:
    """Print every cell."""
    cohorts = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    for alpha in ALPHAS:
        for n in (19, 50, 200, 500):
            split(n, alpha, cohorts)
    for alpha in ALPHAS:
        for n, folds in ((50, 5), (100, 5), (100, 10), (200, 5)):
            cross(n, folds, alpha, cohorts // 4)
    conditional(500, 0.1, cohorts // 8)


if __name__ == "__main__":
    main()
