"""Validate predictions of any origin: a table of outcomes and risks in, an evaluation and its report out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
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
from prognoscope.report import Subgroup, render_validation
from prognoscope.sources import read_table
from prognoscope.validation import (
    Evaluation,
    Gap,
    GroupFigures,
    Metric,
    ThresholdRow,
    evaluate,
    group_figures,
    group_gaps,
    threshold_table,
)
from prognoscope.validation.checks import Bools, Floats, Ints, folds, risks
from prognoscope.validation.document import evaluation_document, groups_document, thresholds_document

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
    """

    risk: str
    outcome: str | None = None
    time: str | None = None
    event: str | None = None
    horizon_days: float | None = None
    groups: tuple[str, ...] = ()
    reference: str | None = None
    fold: str | None = None


@dataclass(frozen=True, slots=True)
class Validation:
    """What `validate` found, and the files it wrote (None without an output folder)."""

    evaluation: Evaluation
    thresholds: tuple[ThresholdRow, ...]
    groups: tuple[GroupFigures, ...]
    gaps: tuple[Gap, ...]
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
    frame = read_table(table)
    _require(frame, columns)
    outcome = _outcome(frame, columns)
    fold = _folds(frame, columns)
    models = {columns.risk: _model(frame, columns.risk, fold)}
    if columns.reference:
        models[columns.reference] = _model(frame, columns.reference, fold)
    evaluation = evaluate(outcome, models, titles={}, resamples=resamples, seed=seed)
    main = models[columns.risk]
    attributes = frame[list(columns.groups)]
    groups = group_figures(outcome, main, attributes, resamples=resamples, seed=seed)
    gaps = group_gaps(outcome, main, attributes, seed=seed)
    rows = threshold_table(outcome, main.risk[0], thresholds=thresholds, prevalence=prevalence)
    document = {
        "schema": SCHEMA,
        "table": {"name": table.name, "sha256": of_file(table), "columns": _as_used(columns)},
        **evaluation_document(evaluation),
        "thresholds": thresholds_document(rows),
        **groups_document(groups, gaps),
    }
    report = None
    if out is not None:
        page = _page(table, columns, evaluation, groups, document)
        report = _write(out, document, page)
    return Validation(evaluation, rows, groups, gaps, document, report)


def _require(frame: pd.DataFrame, columns: Columns) -> None:
    wanted = [columns.risk, columns.outcome, columns.time, columns.event, columns.reference, columns.fold]
    for name in [*wanted, *columns.groups]:
        if name is not None and name not in frame.columns:
            near = nearest(name, map(str, frame.columns))
            raise refuse(
                "column-missing",
                subject=f"column {name}",
                found=f"the table has {', '.join(map(str, frame.columns))}",
                remedy=f"did you mean {near}" if near else "correct the name",
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


def _page(
    table: Path,
    columns: Columns,
    evaluation: Evaluation,
    groups: Sequence[GroupFigures],
    document: dict[str, Any],
) -> str:
    event = columns.event or columns.outcome or ""
    within = f" within {columns.horizon_days:g} days" if columns.horizon_days is not None and columns.time else ""
    shown = tuple(Subgroup(one.attribute, one.level, one.n, one.events, one.metrics, one.reason) for one in groups)
    return render_validation(
        evaluation,
        study=table.stem,
        outcome=f"{event}{within}",
        made_on=date.today().isoformat(),
        version=version("prognoscope"),
        subgroups=shown,
        settings={"columns": _as_used(columns), "counts": dict(evaluation.counts)},
        hashes={table.name: document["table"]["sha256"]},
    )


def _write(out: Path, document: dict[str, Any], page: str) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    for name, content in (("evaluation.json", text), ("report.html", page)):
        whole = out / f".{name}.part"
        whole.write_text(content, encoding="utf-8")
        whole.replace(out / name)
    return out / "report.html"
