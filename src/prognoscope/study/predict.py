"""Predict: a bundle and new patients."""

from __future__ import annotations

import csv
import io
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prognoscope.cohort import Filter, category_column, ineligible, number_column
from prognoscope.core.images import ImageIndex
from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.core.settings import nearest
from prognoscope.core.table import PATIENT, Column, Table
from prognoscope.core.work import Mapper, serial_map
from prognoscope.curation import Choice, choose
from prognoscope.study.bundle import Bundle, load_bundle
from prognoscope.study.cache import Memory, Unkept
from prognoscope.study.file import Study
from prognoscope.study.outputs import make_folder
from prognoscope.study.stages.gather import gather
from prognoscope.study.stages.measure import measure
from prognoscope.study.stages.select import read_rows

Reasons = defaultdict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The risk of one patient; `low` and `high` are percentiles of the risk over refits of the whole pipeline.

    Who is abstained from keeps row and risk; numbers are NaN only where nothing could be computed.
    """

    patient_id: str
    risk: float
    low: float
    high: float
    abstained: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions of a source, and what a reader must know of the bundle (its `card.json`)."""

    card: Mapping[str, Any]
    rows: tuple[Prediction, ...]
    notes: tuple[Problem, ...]


def predict_source(
    bundle: str | Path,
    source: str | Path,
    *,
    table: str | Path | None = None,
    out: str | Path | None = None,
    mapper: Mapper = serial_map,
) -> Predictions:
    """Predict one patient's folder, or a whole source laid out like the study's own.

    Parameters
    ----------
    bundle
        Folder that `run` wrote.
    source
        Folder with the images (or, for a study without images, with the table).
    table
        Clinical table; by default the file of the study's name in the source or the folder above it.
    out
        Folder for `predictions.csv` and `predictions.json`; nothing is written by default.

    Raises
    ------
    Refused
        What cannot be read, and `wrong-modality` when no image is of a modality that the bundle needs.
    """
    loaded = load_bundle(Path(bundle))
    folder = Path(source)
    if out is not None:
        make_folder(Path(out))
    rows, notes = _table_rows(loaded, folder, Path(table) if table else None)
    features, patients, reasons = _measured(loaded, folder, rows, mapper)
    frame = _predictors(loaded, patients, rows, features, reasons)
    known = [patient for patient in patients if patient in rows.index]
    _check_eligibility(loaded.study, rows.loc[known].astype(object), reasons)
    answers = loaded.predictor.predict(frame)
    predictions = Predictions(
        loaded.card,
        tuple(
            _prediction(patient, answers.iloc[position], reasons.get(patient, ()))
            for position, patient in enumerate(patients)
        ),
        notes,
    )
    if out is not None:
        from prognoscope.store import write_whole  # with the database behind it, which an answer does not wait for

        write_whole(Path(out) / "predictions.csv", predictions_csv(predictions.rows))
        write_whole(Path(out) / "predictions.json", (json.dumps(as_json(predictions), indent=2) + "\n").encode())
    return predictions


def predictions_csv(rows: Sequence[Prediction]) -> bytes:
    """Return `patient_id,risk,low,high,abstained,reason`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["patient_id", "risk", "low", "high", "abstained", "reason"])
    for row in rows:
        numbers = ["" if math.isnan(value) else f"{value:.6g}" for value in (row.risk, row.low, row.high)]
        writer.writerow([row.patient_id, *numbers, str(row.abstained).lower(), row.reason])
    return text.getvalue().encode()


def as_json(predictions: Predictions) -> dict[str, Any]:
    """Return predictions as one document; what is NaN is null."""
    return {
        "schema": 1,
        "bundle": dict(predictions.card),
        "predictions": [
            {
                "patient_id": row.patient_id,
                **{name: _number(getattr(row, name)) for name in ("risk", "low", "high")},
                "abstained": row.abstained,
                "reason": row.reason,
            }
            for row in predictions.rows
        ],
        "notes": [str(note) for note in predictions.notes],
    }


def _table_rows(loaded: Bundle, source: Path, given: Path | None) -> tuple[pd.DataFrame, tuple[Problem, ...]]:
    """Return the clinical rows, and what a reader must know of the table as a whole."""
    study = loaded.study
    name = study.data.table
    places = [given] if given else [source / name, source.parent / name]
    found = next((place for place in places if place.is_file()), None)
    if found is not None:
        rows = read_rows(study, found)
        wanted = dict.fromkeys([one.column for one in study.clinical] + [rule.column for rule in study.eligible])
        return rows, tuple(_column_missing(column, rows) for column in wanted if column not in rows.columns)
    if given is not None or not loaded.measurements:
        raise refuse(
            "table-missing",
            subject=str(given or source / name),
            found="there is no such file",
            remedy="give the clinical table with --table",
        )
    note = Problem(
        "no-clinical-table",
        str(source),
        f"neither it nor the folder above holds {name}, so the clinical predictors are unknown",
        "give the table with --table",
    )
    rows = pd.DataFrame(index=pd.Index([], name=PATIENT, dtype=object))
    return rows, (note,) if study.clinical or study.eligible else ()


def _column_missing(column: str, rows: pd.DataFrame) -> Problem:
    near = nearest(column, [str(name) for name in rows.columns])
    return Problem(
        "column-missing",
        f"column {column}",
        "the table has no such column" + (f", but has {near}" if near else "") + "; nobody's value of it is known",
        "name the column as the study does",
    )


def _measured(
    loaded: Bundle, source: Path, rows: pd.DataFrame, mapper: Mapper
) -> tuple[pd.DataFrame, tuple[str, ...], Reasons]:
    """Return the features of those who could be measured, all patients, and why the others could not be."""
    reasons: Reasons = defaultdict(list)
    if not loaded.measurements:
        return pd.DataFrame(), tuple(rows.index), reasons
    memory = Memory(Unkept(), "predict")
    index = gather(source, cache=memory, mapper=mapper).index
    _require_modalities(loaded.study, source, index)
    choices = _choices(loaded.study, index, reasons)
    features = pd.DataFrame()
    if choices:
        measured = measure(
            source, sorted(choices), choices, loaded.measurements, cache=memory, mapper=mapper, fingerprints=False
        )
        features = measured.table.frame
        for one in measured.exclusions:
            reasons[one.patient_id].append(one.problem.found)
    without_images = set(rows.index) - set(index.patients) if len(index.patients) > 1 else set()
    for patient in without_images:
        reasons[patient].append("has a row in the table, but no images")
    return features, tuple(sorted({*index.patients, *without_images})), reasons


def _require_modalities(study: Study, source: Path, index: ImageIndex) -> None:
    there = {series.modality for series in index.series} | {series.modality for series in index.refused}
    if there.isdisjoint(predictor.image for predictor in study.imaging):
        needed = ", ".join(f"{one.result_name} ({one.image}) with region {one.region}" for one in study.imaging)
        raise refuse(
            "wrong-modality",
            subject=str(source),
            found=f"the bundle needs {needed}; the images here are {', '.join(sorted(there)) or 'none'}",
            remedy="give the images that the bundle was learnt on, or the bundle for these images",
        )


def _choices(study: Study, index: ImageIndex, reasons: Reasons) -> dict[str, tuple[Choice, ...]]:
    choices: dict[str, tuple[Choice, ...]] = {}
    for patient in index.patients:
        try:
            choices[patient] = tuple(choose(index, patient, predictor.role) for predictor in study.imaging)
        except Refused as refused:
            reasons[patient].append(refused.problem.found)
    return choices


def _predictors(
    loaded: Bundle, patients: Sequence[str], rows: pd.DataFrame, features: pd.DataFrame, reasons: Reasons
) -> Table:
    own = rows.reindex(list(patients)).astype(object)
    named = {predictor.result_name: predictor.column for predictor in loaded.study.clinical}
    if named:
        for patient in patients:
            if patient not in rows.index:
                reasons[patient].append("has no row in the clinical table")
    values: dict[str, object] = {}
    for column in loaded.predictor.columns:
        if column.name in named:
            values[column.name] = _clinical(own, named[column.name], column, reasons)
        elif column.name in features.columns:
            values[column.name] = features[column.name].reindex(list(patients)).to_numpy(dtype=float)
        else:
            values[column.name] = np.full(len(patients), np.nan)
    return Table(pd.DataFrame(values, index=pd.Index(list(patients), name=PATIENT)), loaded.predictor.columns)


def _clinical(own: pd.DataFrame, source: str, column: Column, reasons: Reasons) -> object:
    """Return a clinical predictor; whose cell cannot be read is abstained from, alone."""
    numeric = column.type == "number"
    if source not in own.columns:
        for patient in own.index:
            reasons[patient].append(f"the table has no column {source}")
        return pd.Series(np.nan if numeric else None, index=own.index, dtype=float if numeric else object)
    if numeric:
        try:
            return number_column(own, source)
        except Refused:
            return pd.Series({patient: _number_of(own.loc[[patient]], source, reasons) for patient in own.index})
    return category_column(own, source, column.levels)


def _number_of(row: pd.DataFrame, source: str, reasons: Reasons) -> float:
    try:
        return float(number_column(row, source).iloc[0])
    except Refused as refused:
        reasons[row.index[0]].append(f"{source}: {refused.problem.found}")
        return math.nan


def _check_eligibility(study: Study, own: pd.DataFrame, reasons: Reasons) -> None:
    for rule in study.eligible:
        if rule.column in own.columns:
            for patient, told in _not_eligible(rule, own).items():
                reasons[patient].append(told)
        else:
            for patient in own.index:
                reasons[patient].append(f"{rule.words()} cannot be checked: the table has no column {rule.column}")


def _not_eligible(rule: Filter, own: pd.DataFrame) -> dict[str, str]:
    try:
        excluded = ineligible(own, (rule,))
    except Refused as refused:
        if len(own) == 1:
            return {own.index[0]: f"{rule.column}: {refused.problem.found}"}
        return {key: told for patient in own.index for key, told in _not_eligible(rule, own.loc[[patient]]).items()}
    return {one.patient_id: f"outside the study's participants: {one.problem.found}" for one in excluded}


def _prediction(patient: str, answer: pd.Series, reasons: Sequence[str]) -> Prediction:
    told = "; ".join(filter(None, [*reasons, str(answer["reason"] or "")]))
    return Prediction(patient, float(answer["risk"]), float(answer["low"]), float(answer["high"]), bool(told), told)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
