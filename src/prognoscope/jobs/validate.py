"""Validate predictions of any origin: a table of outcomes and risks in, an evaluation and its report out."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from prognoscope.core.hashing import of_file
from prognoscope.core.outcome import Outcome
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.problems import refuse
from prognoscope.jobs.predictions import (
    Columns,
    folds_of,
    model_of,
    numbers_of,
    outcome_of,
    over_time_named,
    read_predictions,
    risks_over_time,
)
from prognoscope.report import Failures, Subgroup, WorstCase, render_validation
from prognoscope.store import write_whole
from prognoscope.validation import (
    FEWEST_TO_SEARCH,
    THRESHOLDS,
    Evaluation,
    Gap,
    GroupFigures,
    Guard,
    Metric,
    Slice,
    ThresholdRow,
    evaluate,
    failing_slices,
    group_figures,
    group_gaps,
    known_event,
    prediction_guards,
    proxy_check,
    status_weights,
    threshold_from_costs,
    threshold_table,
    too_few,
    worst_cases,
)
from prognoscope.validation.document import evaluation_document, groups_document, thresholds_document, without_nan
from prognoscope.validation.resampling import RESAMPLED_UP_TO, once

__all__ = ["Columns", "Metric", "Validation", "over_time_named", "validate_predictions"]

SCHEMA = 1
TABLE_THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
MOST_SMALL = 5


@dataclass(frozen=True, slots=True)
class Costs:
    """What a false alarm and a missed event cost, in one unit."""

    false_alarm: float
    missed_event: float

    @property
    def threshold(self) -> float:
        """The risk from which acting costs less than waiting (`cost-range` for costs that are none)."""
        return threshold_from_costs(false_alarm=self.false_alarm, missed_event=self.missed_event)


@dataclass(frozen=True, slots=True)
class Validation:
    """What `validate` found, and the files it wrote (None without an output folder)."""

    evaluation: Evaluation
    thresholds: tuple[ThresholdRow, ...]
    groups: tuple[GroupFigures, ...]
    gaps: tuple[Gap, ...]
    slices: tuple[Slice, ...]
    document: dict[str, Any]
    report: Path | None


def validate_predictions(
    table: Path,
    columns: Columns,
    *,
    out: Path | None = None,
    thresholds: Sequence[float] = TABLE_THRESHOLDS,
    costs: Costs | None = None,
    prevalence: float | None = None,
    resamples: int = 2000,
    seed: int = 1,
) -> Validation:
    """Evaluate predictions and write `evaluation.json` and `report.html` into `out`.

    Parameters
    ----------
    table
        CSV, XLSX or Parquet with one row per patient.
    columns
        Which column is what.
    out
        Folder for the files, made when missing; None for no files.
    thresholds
        Risks of the threshold table.
    costs
        What a false alarm and a missed event cost; the threshold that they imply joins the table.
    prevalence
        Of the event where the model will be used; the study's own when None.
    resamples, seed
        Of the patient bootstrap; not used above 50,000 patients, where intervals are analytic.

    Raises
    ------
    Refused
        What `read_predictions` and `outcome_of` refuse, `risk-range`, `prevalence-range`, `groups-missing`.
    """
    frame = read_predictions(table, columns)
    outcome = outcome_of(frame, columns)
    fold = folds_of(frame, columns)
    models = {name: model_of(frame, name, fold) for name in (columns.risk, columns.reference) if name}
    main = models[columns.risk]
    known = frame.drop(columns=[columns.patient] if columns.patient else [])
    guards = (*prediction_guards(outcome, main, known, seed=seed), *_proxies(frame, columns, outcome))
    evaluation = evaluate(
        outcome,
        models,
        titles={},
        resamples=resamples,
        seed=seed,
        prevalence=prevalence,
        guards=guards,
        over_time=risks_over_time(frame, columns),
    )
    attributes = frame[list(columns.groups)]
    groups = group_figures(outcome, main, attributes, resamples=resamples, seed=seed, prevalence=prevalence)
    gaps = group_gaps(outcome, main, attributes, seed=seed, known=groups)
    acted_from = sorted({*thresholds, *((costs.threshold,) if costs else ())})
    rows = (
        () if too_few(outcome) else threshold_table(outcome, main.risk[0], thresholds=acted_from, prevalence=prevalence)
    )
    failures = _failures(frame, columns, outcome, main, seed=seed)
    document = {
        "schema": SCHEMA,
        "table": {"name": table.name, "sha256": of_file(table), "columns": _as_used(columns)},
        "settings": {
            "thresholds": acted_from,
            "costs": asdict(costs) | {"threshold": costs.threshold} if costs else None,
            "prevalence": prevalence,
            "resamples": resamples,
            "seed": seed,
            "level": 0.95,
            "intervals": "analytic" if len(outcome) > RESAMPLED_UP_TO else "bootstrap",
            "decision_curve": {"from": THRESHOLDS[0], "to": THRESHOLDS[-1], "points": len(THRESHOLDS)},
            "prognoscope": version("prognoscope"),
        },
        **_results_document(evaluation, rows, groups, gaps, failures),
    }
    found = Validation(evaluation, rows, groups, gaps, failures.slices, document, None)
    if out is None:
        return found
    return replace(found, report=_write(out, document, _page(table, columns, found, failures, costs)))


def _results_document(
    evaluation: Evaluation,
    rows: Sequence[ThresholdRow],
    groups: Sequence[GroupFigures],
    gaps: Sequence[Gap],
    failures: Failures,
) -> dict[str, Any]:
    return {
        **evaluation_document(evaluation),
        "thresholds": thresholds_document(rows),
        **groups_document(groups, gaps),
        "slices": [without_nan(asdict(one)) for one in failures.slices],
        "worst": [{"patient": one.patient, "risk": one.risk, "happened": one.happened} for one in failures.worst],
    }


def thresholds_named(given: str) -> tuple[float, ...]:
    """Thresholds named with commas, or the usual ones (`threshold-range` for what is none)."""
    try:
        named = [float(word) for word in given.split(",") if word.strip()] or list(TABLE_THRESHOLDS)
    except ValueError:
        named = [math.nan]
    if not all(0 < value < 1 for value in named):
        raise refuse(
            "threshold-range",
            subject="thresholds",
            found=f"{given!r} holds something else than risks between 0 and 1",
            remedy="give risks with commas, for instance --thresholds 0.1,0.25",
        )
    return tuple(sorted(set(named)))


def costs_named(text: str) -> Costs | None:
    """Costs named as `FALSE_ALARM:MISSED_EVENT`; None where none are (`cost-range` for what are none)."""
    if not text:
        return None
    try:
        false_alarm, missed_event = (float(word) for word in text.split(":"))
    except ValueError:
        raise refuse(
            "cost-range",
            subject="costs",
            found=f"{text!r} is not two numbers with a colon between",
            remedy="give what a false alarm and a missed event cost, for instance --costs 1:9",
        ) from None
    costs = Costs(false_alarm, missed_event)
    costs.threshold  # noqa: B018 - refuses costs that are none
    return costs


def _as_used(columns: Columns) -> dict[str, object]:
    return {name: getattr(columns, name) for name in Columns.__slots__ if getattr(columns, name) not in (None, ())}


def _proxies(frame: pd.DataFrame, columns: Columns, outcome: Outcome) -> tuple[Guard, ...]:
    """Whether the outcome means the same reference outcome in every group; no guard when that was not asked."""
    if columns.reference_outcome is None:
        return ()
    if not columns.groups:
        raise refuse(
            "groups-missing",
            subject=f"reference outcome {columns.reference_outcome}",
            found="no group is named in which the outcome could mean something else",
            remedy="name the groups, for instance --group sex",
        )
    reference = numbers_of(frame, columns.reference_outcome)
    known = status_weights(outcome, once(len(outcome)))[0] > 0
    found = [
        (name, proxy_check(known_event(outcome)[known], reference[known], frame[name][known].tolist()))
        for name in columns.groups
    ]
    bad = any(one.flagged or not one.shifts for _, one in found)
    evidence = " ".join(f"{name}: {one.evidence}" for name, one in found)
    return (Guard("proxy-outcome", "warned" if bad else "passed", evidence),)


def _failures(frame: pd.DataFrame, columns: Columns, outcome: Outcome, model: OutOfFold, *, seed: int) -> Failures:
    risk = model.risk[0]
    names = frame[columns.patient].astype(str).tolist() if columns.patient else None
    worst = tuple(
        WorstCase(names[row] if names else f"row {row + 1}", float(risk[row]), bool(known_event(outcome)[row]))
        for row in worst_cases(outcome, risk)
    )
    if not columns.slices:
        return Failures((), None, worst)
    table = pd.DataFrame({name: _as_numbers(frame[name]) for name in columns.slices})
    enough = len(frame) >= FEWEST_TO_SEARCH
    return Failures(failing_slices(outcome, risk, table, seed=seed) if enough else (), enough, worst)


def _as_numbers(values: pd.Series) -> pd.Series:
    """A column as numbers where every value is one; else as it is."""
    numeric = pd.to_numeric(values, errors="coerce")
    return numeric if numeric.notna().sum() == values.notna().sum() else values


def _page(table: Path, columns: Columns, found: Validation, failures: Failures, costs: Costs | None) -> str:
    event = columns.event or columns.outcome or ""
    within = f" within {columns.horizon_days:g} days" if columns.horizon_days is not None and columns.time else ""
    shown = tuple(
        Subgroup(one.attribute, one.level, one.n, one.events, one.metrics, one.reason)
        for one in with_small_together(found.groups)
    )
    return render_validation(
        found.evaluation,
        study=table.stem,
        outcome=f"{event}{within}",
        made_on=date.today().isoformat(),
        version=version("prognoscope"),
        subgroups=shown,
        settings={"columns": _as_used(columns), **found.document["settings"]},
        hashes={table.name: found.document["table"]["sha256"]},
        thresholds=found.thresholds,
        prevalence=found.document["settings"]["prevalence"] or math.nan,
        cost_ratio=costs.missed_event / costs.false_alarm if costs else math.nan,
        gaps=found.gaps,
        failures=failures,
    )


def with_small_together(groups: Sequence[GroupFigures]) -> list[GroupFigures]:
    """Put the suppressed groups of an attribute that has more than five of them into one line at its end."""
    found = []
    for attribute, own in itertools.groupby(groups, key=lambda one: one.attribute):
        of_it = list(own)
        small = [one for one in of_it if one.reason]
        if len(small) <= MOST_SMALL:
            found += of_it
            continue
        found += [one for one in of_it if not one.reason]
        reason = "suppressed: too few patients, or too few with or without the event"
        level = f"{len(small):,} small groups"
        found.append(GroupFigures(attribute, level, sum(one.n for one in small), 0, {}, reason))
    return found


def _write(out: Path, document: dict[str, Any], page: str) -> Path:
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    for name, content in (("evaluation.json", text), ("report.html", page)):
        write_whole(out / name, content.encode())
    return out / "report.html"
