"""Validate predictions of any origin: a table of outcomes and risks in, an evaluation and its report out."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prognoscope.core.hashing import of_file
from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.problems import refuse
from prognoscope.core.settings import nearest
from prognoscope.report import Failures, Subgroup, WorstCase, render_validation
from prognoscope.sources import read_table
from prognoscope.store import write_whole
from prognoscope.validation import (
    FEWEST_TO_SEARCH,
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
    proxy_check,
    status_weights,
    threshold_from_costs,
    threshold_table,
    worst_cases,
)
from prognoscope.validation.checks import Bools, Floats, Ints, folds, risks
from prognoscope.validation.document import evaluation_document, groups_document, thresholds_document, without_nan
from prognoscope.validation.resampling import once

__all__ = ["Metric", "Validation", "validate_predictions"]

SCHEMA = 1
TABLE_THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
TRUE = {"1", "1.0", "true", "yes"}
FALSE = {"0", "0.0", "false", "no"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of the table is what.

    Attributes
    ----------
    risk, reference
        Predicted probabilities of the event: of the model in question, and of one to compare it with (or None).
    outcome
        0 or 1, for a binary outcome.
    time, event, horizon_days
        Days to the event or the end of follow-up, 0 or 1, and the time at which risks are stated; for a time to event.
    groups
        Attributes by which figures are given too.
    fold
        The fold that held the patient out, when the risks come from cross-validation.
    reference_outcome
        What the outcome may only stand for (need, where the outcome is cost): compared by group.
    slices
        Columns in which groups are looked for that the model serves worse.
    patient
        Names of the patients, for the list of the largest errors; rows are counted without it.
    """

    risk: str
    outcome: str | None = None
    time: str | None = None
    event: str | None = None
    horizon_days: float | None = None
    groups: tuple[str, ...] = ()
    reference: str | None = None
    fold: str | None = None
    reference_outcome: str | None = None
    slices: tuple[str, ...] = ()
    patient: str | None = None


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
    prevalence
        Of the event where the model will be used; the study's own when None.
    resamples, seed
        Of the patient bootstrap; not used above 50,000 patients, where intervals are analytic.

    Raises
    ------
    Refused
        `column-missing`, `outcome-unstated`, `horizon-missing`, `number-expected`, `outcome-values`, `risk-range`,
        `values-missing`, and what reading the table refuses.
    """
    frame = _read(table)
    _require(frame, columns)
    outcome = _outcome(frame, columns)
    fold = _folds(frame, columns)
    models = {columns.risk: _model(frame, columns.risk, fold)}
    if columns.reference:
        models[columns.reference] = _model(frame, columns.reference, fold)
    guards = _proxies(frame, columns, outcome)
    evaluation = evaluate(
        outcome, models, titles={}, resamples=resamples, seed=seed, prevalence=prevalence, guards=guards
    )
    main = models[columns.risk]
    attributes = frame[list(columns.groups)]
    groups = group_figures(outcome, main, attributes, resamples=resamples, seed=seed, prevalence=prevalence)
    gaps = group_gaps(outcome, main, attributes, seed=seed)
    rows = threshold_table(outcome, main.risk[0], thresholds=thresholds, prevalence=prevalence)
    failures = _failures(frame, columns, outcome, main, seed=seed)
    document = {
        "schema": SCHEMA,
        "table": {"name": table.name, "sha256": of_file(table), "columns": _as_used(columns)},
        **evaluation_document(evaluation),
        "thresholds": thresholds_document(rows),
        **groups_document(groups, gaps),
        "slices": [without_nan(asdict(one)) for one in failures.slices],
        "worst": [{"patient": one.patient, "risk": one.risk, "happened": one.happened} for one in failures.worst],
    }
    found = Validation(evaluation, rows, groups, gaps, failures.slices, document, None)
    if out is None:
        return found
    return replace(found, report=_write(out, document, _page(table, columns, found, failures, prevalence)))


def thresholds_to_show(given: str, costs: str) -> tuple[float, ...]:
    """Thresholds named with commas (or the usual ones), and the one that `FALSE_ALARM:MISSED_EVENT` implies.

    Raises
    ------
    Refused
        `threshold-range`, `cost-range` for what is no threshold and no pair of costs.
    """
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
    if costs:
        named.append(threshold_from_costs(**_costs(costs)))
    return tuple(sorted(set(named)))


def _costs(text: str) -> dict[str, float]:
    try:
        false_alarm, missed_event = (float(word) for word in text.split(":"))
    except ValueError:
        raise refuse(
            "cost-range",
            subject="costs",
            found=f"{text!r} is not two numbers with a colon between",
            remedy="give what a false alarm and a missed event cost, for instance --costs 1:9",
        ) from None
    return {"false_alarm": false_alarm, "missed_event": missed_event}


def _read(table: Path) -> pd.DataFrame:
    frame = read_table(table)
    if not len(frame):
        raise refuse(
            "rows-missing", subject=table.name, found="it has no row of values", remedy="give one row per patient"
        )
    return frame


def _require(frame: pd.DataFrame, columns: Columns) -> None:
    single = [columns.risk, columns.outcome, columns.time, columns.event, columns.reference, columns.fold]
    for name in [*single, columns.reference_outcome, columns.patient, *columns.groups, *columns.slices]:
        if name is not None and name not in frame.columns:
            near = nearest(name, map(str, frame.columns))
            raise refuse(
                "column-missing",
                subject=f"column {name}",
                found=f"the table has {', '.join(map(str, frame.columns))}",
                remedy=f"did you mean {near}" if near else "correct the name",
            )

    if columns.reference == columns.risk:
        raise refuse(
            "reference-same",
            subject=f"column {columns.risk}",
            found="it is both the model and the one to compare it with",
            remedy="name another column with --reference, or leave it out",
        )


def _outcome(frame: pd.DataFrame, columns: Columns) -> Outcome:
    if columns.time is None and columns.outcome is not None:
        return Binary(_events(frame, columns.outcome))
    event = columns.event or columns.outcome
    if columns.time is None or event is None:
        raise refuse(
            "outcome-unstated",
            subject="outcome",
            found="neither a column with the outcome nor columns with time and event are named",
            remedy="name --outcome, or --time and --event with --horizon",
        )
    if columns.horizon_days is None:
        raise refuse(
            "horizon-missing",
            subject="horizon",
            found="a time to event is named, but not the time by which the risks state the event",
            remedy="give it in days, for instance --horizon 730",
        )
    return TimeToEvent(_numbers(frame, columns.time), _events(frame, event), columns.horizon_days)


def _model(frame: pd.DataFrame, name: str, fold: Ints) -> OutOfFold:
    return OutOfFold(risks(_numbers(frame, name), what=f"risk in column {name}")[None], fold[None])


def _folds(frame: pd.DataFrame, columns: Columns) -> Ints:
    if columns.fold is None:
        return folds(None, n=len(frame))
    return folds(frame[columns.fold].to_numpy(), n=len(frame))


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    values = pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=float)
    odd = np.flatnonzero(np.isnan(values) & frame[name].notna().to_numpy())
    if odd.size:
        raise refuse(
            "number-expected",
            subject=f"column {name}, row {odd[0] + 1}",
            found=f"{str(frame[name].iloc[odd[0]])[:40]!r} is not a number ({odd.size} of {len(values)} are not)",
            remedy="correct the value, or leave the row out on purpose",
        )
    missing = np.flatnonzero(np.isnan(values))
    if missing.size:
        raise refuse(
            "values-missing",
            subject=f"column {name}, row {missing[0] + 1}",
            found=f"{missing.size} of {len(values)} values are missing",
            remedy="leave these patients out on purpose, and say so",
        )
    return np.asarray(values)


def _events(frame: pd.DataFrame, name: str) -> Bools:
    text = frame[name].str.lower()
    known = text.isin(TRUE | FALSE).to_numpy()
    if not known.all():
        row = int(np.flatnonzero(~known)[0])
        found = "nothing" if pd.isna(text.iloc[row]) else repr(str(frame[name].iloc[row])[:40])
        raise refuse(
            "outcome-values",
            subject=f"column {name}, row {row + 1}",
            found=f"{found} is neither 0 nor 1 ({np.count_nonzero(~known)} of {len(known)} are not)",
            remedy="code the event as 1 and its absence as 0; leave patients without a known outcome out on purpose",
        )
    return text.isin(TRUE).to_numpy()


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
    reference = _numbers(frame, columns.reference_outcome)
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


def _page(table: Path, columns: Columns, found: Validation, failures: Failures, prevalence: float | None) -> str:
    event = columns.event or columns.outcome or ""
    within = f" within {columns.horizon_days:g} days" if columns.horizon_days is not None and columns.time else ""
    shown = tuple(
        Subgroup(one.attribute, one.level, one.n, one.events, one.metrics, one.reason) for one in found.groups
    )
    return render_validation(
        found.evaluation,
        study=table.stem,
        outcome=f"{event}{within}",
        made_on=date.today().isoformat(),
        version=version("prognoscope"),
        subgroups=shown,
        settings={"columns": _as_used(columns), "counts": dict(found.evaluation.counts)},
        hashes={table.name: found.document["table"]["sha256"]},
        thresholds=found.thresholds,
        prevalence=math.nan if prevalence is None else prevalence,
        gaps=found.gaps,
        failures=failures,
    )


def _write(out: Path, document: dict[str, Any], page: str) -> Path:
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    for name, content in (("evaluation.json", text), ("report.html", page)):
        write_whole(out / name, content.encode())
    return out / "report.html"
