"""The metrics, models and guards in words: what each is called, how it is rounded and how to read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricWords:
    """How one metric is shown: its name, decimals, the value that a useless model has, and how to read it."""

    title: str
    decimals: int
    reading: str
    chance: float | None = None
    ideal: float | None = None


METRICS: dict[str, MetricWords] = {
    "auc": MetricWords(
        "AUC",
        2,
        "Share of pairs, one patient with and one without the event, ranked rightly; 0.50 is a coin.",
        0.5,
        1.0,
    ),
    "c_index": MetricWords(
        "C-index",
        2,
        "Share of pairs whose order of events is known that are ranked rightly; 0.50 is a coin.",
        0.5,
        1.0,
    ),
    "uno_c": MetricWords(
        "C-index (Uno)", 2, "As the C-index, weighted so that censoring does not change what it means.", 0.5, 1.0
    ),
    "time_dependent_auc": MetricWords(
        "AUC at the horizon", 2, "As the AUC, for the event by the horizon; 0.50 is a coin.", 0.5, 1.0
    ),
    "average_precision": MetricWords(
        "Average precision",
        2,
        "Mean share of true alarms over all thresholds; chance is the share of events.",
        None,
        1.0,
    ),
    "brier": MetricWords(
        "Brier score", 3, "Mean squared distance between risk and what happened; smaller is better.", None, 0.0
    ),
    "scaled_brier": MetricWords(
        "Scaled Brier score",
        2,
        "Improvement over giving everyone the mean risk; 0 is no improvement, 1 perfect.",
        0.0,
        1.0,
    ),
    "log_score": MetricWords("Log score", 3, "Mean surprise at what happened; smaller is better.", None, 0.0),
    "calibration_intercept": MetricWords(
        "Calibration intercept",
        2,
        "0 when risks are right on average; above 0 they are too low, below 0 too high.",
        None,
        0.0,
    ),
    "calibration_slope": MetricWords(
        "Calibration slope",
        2,
        "1 when risks spread rightly; below 1 they are too extreme, above 1 too timid.",
        None,
        1.0,
    ),
    "ici": MetricWords(
        "Mean calibration error (ICI)",
        3,
        "Mean distance between predicted and observed risk; smaller is better.",
        None,
        0.0,
    ),
    "e50": MetricWords("Median calibration error (E50)", 3, "Half of the patients are nearer than this.", None, 0.0),
    "e90": MetricWords("90th percentile of calibration error (E90)", 3, "Nine of ten are nearer than this.", None, 0.0),
    "emax": MetricWords("Largest calibration error (Emax)", 3, "The worst distance along the curve.", None, 0.0),
}

MODELS: dict[str, str] = {
    "clinical": "the clinical variables alone",
    "imaging": "the images alone",
}

DISCRIMINATION = ("auc", "c_index", "time_dependent_auc", "uno_c")
NO_SIGNAL_GUARDS = ("no-signal", "signal")


def metric_words(name: str) -> MetricWords:
    """Return how a metric is shown; one that is not listed here is shown under its own name."""
    return METRICS.get(name, MetricWords(in_words(name), 3, ""))


def in_words(name: str) -> str:
    """Return a key as words: `known_too_late` → `Known too late`."""
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
