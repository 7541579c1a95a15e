"""Small studies: a table with a known signal, and the study file that goes with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from ruamel.yaml import YAML


def table(path: Path, *, patients: int = 60, seed: int = 1, signal: float = 2.0) -> pd.DataFrame:
    """Write a table whose outcome depends on age and marker, and return it as written."""
    random = np.random.default_rng(seed)
    age = random.normal(60, 10, patients).round(1)
    marker = random.normal(0, 1, patients).round(3)
    risk = 1 / (1 + np.exp(-signal * (marker + (age - 60) / 10) / np.sqrt(2)))
    dead = random.random(patients) < risk
    time = np.ceil(random.exponential(900 * np.exp(-signal * (risk - 0.5))))
    frame = pd.DataFrame(
        {
            "patient_id": [f"{number:03}" for number in range(1, patients + 1)],
            "age": age,
            "marker": marker,
            "grade": random.choice(["Low", "High"], patients),
            "centre": random.choice(["North", "South"], patients),
            "treatment": random.choice(["drug", "none"], patients),
            "dead": dead.astype(int),
            "time": time.astype(int),
            "event": (random.random(patients) < 0.7).astype(int),
        }
    )
    frame.to_csv(path, index=False)
    return frame


def binary(**changes: object) -> dict[str, object]:
    """Return the study file of `table` for the binary outcome, as a mapping to change and write."""
    study: dict[str, object] = {
        "question": "Who dies?",
        "data": {"table": "table.csv"},
        "outcome": {"column": "dead", "event": 1},
        "predictors": [
            {"column": "age", "unit": "year", "known_at": "time_zero"},
            {"column": "marker", "unit": "1", "known_at": "time_zero"},
            {"column": "grade", "levels": ["Low", "High"], "known_at": "time_zero"},
        ],
        "models": {"try": ["elastic-net-logistic"]},
        "validate": {"folds": 3, "repeats": 2, "inner": 2, "resamples": 200, "refits": 20},
        "seed": 1,
    }
    return study | changes


def survival(**changes: object) -> dict[str, object]:
    """Return the study file of `table` for the time to event."""
    outcome = {"time": "time", "event": {"column": "event", "is": 1}, "horizon": "365 day"}
    return binary(outcome=outcome, models={"try": ["elastic-net-cox"]}) | changes


def write(folder: Path, study: dict[str, object], *, name: str = "study.yaml") -> Path:
    """Write a study file into a folder, with the table where there is none yet."""
    if not (folder / "table.csv").exists():
        table(folder / "table.csv")
    path = folder / name
    YAML(typ="safe", pure=True).dump(study, path)
    return path
