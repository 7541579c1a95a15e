"""The metrics, models and guards in words: what each is called, how it is rounded and how to read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricWords:
    """How one metric is shown: its name, its decimals and how to read it."""

    title: str
    decimals: int
    reading: str


METRICS: dict[str, MetricWords] = {
    "auc": MetricWords(
        "AUC", 2, "Share of pairs, one patient with and one without the event, ranked rightly; 0.50 is a coin."
    ),
    "c_index": MetricWords(
        "C-index", 2, "Share of pairs whose order of events is known, ranked rightly; 0.50 is a coin."
    ),
    "uno_c": MetricWords("C-index (Uno)", 2, "As the C-index, weighted so that censoring does not change its meaning."),
    "auc_at_horizon": MetricWords("AUC at the horizon", 2, "As the AUC, for the event by the horizon; 0.50 is a coin."),
    "average_precision": MetricWords(
        "Average precision", 2, "Mean share of true alarms over all thresholds; chance is the share of events."
    ),
    "brier": MetricWords("Brier score", 3, "Mean squared distance between risk and what happened; smaller is better."),
    "scaled_brier": MetricWords(
        "Scaled Brier score", 2, "Improvement over giving everyone the mean risk; 0 is no improvement, 1 perfect."
    ),
    "log_score": MetricWords("Log score", 3, "Mean log-likelihood of what happened; nearer to 0 is better."),
    "calibration_intercept": MetricWords(
        "Calibration intercept", 2, "0 when risks are right on average; above 0 they are too low, below 0 too high."
    ),
    "calibration_slope": MetricWords(
        "Calibration slope", 2, "1 when risks spread rightly; below 1 they are too extreme, above 1 too timid."
    ),
    "observed_expected": MetricWords(
        "Observed / expected", 2, "Events that happened for each that was expected; above 1, risks are too low."
    ),
    "ici": MetricWords("Mean calibration error (ICI)", 3, "Mean distance between predicted and observed risk."),
    "e50": MetricWords("Median calibration error (E50)", 3, "Half of the patients are nearer to their risk than this."),
    "e90": MetricWords("Calibration error (E90)", 3, "Nine of ten patients are nearer to their risk than this."),
    "emax": MetricWords("Largest calibration error (Emax)", 3, "The largest distance along the calibration curve."),
}

MODELS: dict[str, str] = {
    "clinical": "the clinical variables alone",
    "imaging": "the images alone",
}

GUARDS: dict[str, str] = {
    "duplicate-patients": "One patient under two names",
    "outcome-in-disguise": "The outcome in disguise",
    "known-too-late": "Known only after time zero",
    "shortcut": "Shortcut by site, scanner or acquisition",
    "informative-missingness": "Outcome foretold by what is missing",
    "no-signal": "No signal",
    "sample-size": "Sample size",
    "folds-differ": "Folds that differ",
    "unbalanced-split": "Unbalanced folds",
    "proxy-outcome": "A label that stands for something else",
    "external-set-reused": "The set kept apart, used again",
    "external-set-learnt-from": "The set kept apart, learnt from before",
    "equal-rows": "One patient in several rows",
    "too-good": "Risks too good to be true",
}

DISCRIMINATION = ("auc", "c_index", "auc_at_horizon", "uno_c")
NO_SIGNAL = "no-signal"


def metric_words(name: str) -> MetricWords:
    """Return how a metric is shown; one that is not listed here is shown under its own name."""
    return METRICS.get(name, MetricWords(in_words(name), 3, ""))


def guard_words(name: str) -> str:
    """Return what a guard looks for; one that is not listed here is shown under its own name."""
    return GUARDS.get(name, in_words(name))


def reason_words(text: str) -> str:
    """Return a reason as it stands within a sentence: a guard's words for its name, any other text as it is."""
    words = GUARDS.get(text, text)
    return words[:1].lower() + words[1:] if text in GUARDS else words


def in_words(name: str) -> str:
    """Return a key as words: `known_too_late` → `Known too late`."""
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
