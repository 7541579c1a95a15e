"""Predict: a bundle and new patients."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prognoscope.cohort import ineligible, number_column, text_column
from prognoscope.core.images import ImageIndex
from prognoscope.core.problems import Problem, Refused, refuse
from prognoscope.core.table import PATIENT, Column, Table
from prognoscope.core.work import Mapper, serial_map
from prognoscope.curation import Choice, choose
from prognoscope.study.cache import Memory, Unkept
from prognoscope.study.file import Measurement, Study, measurements_of
from prognoscope.study.offers import models
from prognoscope.study.stages.gather import gather
from prognoscope.study.stages.measure import measure
from prognoscope.study.stages.select import read_rows
from prognoscope.training import Predictor, load_predictor

FORMAT = 1


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


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as read: the study as used, its measurements, the predictor and the card."""

    study: Study
    measurements: tuple[Measurement, ...]
    predictor: Predictor
    card: Mapping[str, Any]


def load_bundle(folder: Path) -> Bundle:
    """Read a bundle that `run` wrote.

    Raises
    ------
    Refused
        `not-a-bundle`, `bundle-format`, and what `training.load_predictor` refuses.
    """
    try:
        card = json.loads((folder / "card.json").read_text())
        values = json.loads((folder / "study.json").read_text())
    except (OSError, ValueError) as cause:
        raise refuse(
            "not-a-bundle",
            subject=str(folder),
            found="card.json or study.json is missing or damaged",
            remedy="give the folder `bundle` that `prognoscope run` wrote",
        ) from cause
    if card.get("format") != FORMAT:
        raise refuse(
            "bundle-format",
            subject=str(folder),
            found=f"its format is {card.get('format')}, this version reads {FORMAT}",
            remedy="run the study again with this version",
        )
    study = Study.model_validate(values)
    return Bundle(study, measurements_of(study), load_predictor(folder / "predictor", models=models()), card)


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
        What cannot be read, and `wrong-modality` when no patient has the images that the bundle needs.
    """
    loaded = load_bundle(Path(bundle))
    folder = Path(source)
    notes: list[Problem] = []
    rows = _table_rows(loaded, folder, Path(table) if table else None, notes)
    features, reasons, patients = _measured(loaded, folder, rows, mapper)
    frame = _predictors(loaded, patients, rows, features)
    answers = loaded.predictor.predict(frame)
    predictions = Predictions(
        loaded.card,
        tuple(
            _prediction(loaded, patient, answers.iloc[position], reasons.get(patient, ""), rows)
            for position, patient in enumerate(patients)
        ),
        tuple(notes),
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


def _table_rows(loaded: Bundle, source: Path, given: Path | None, notes: list[Problem]) -> pd.DataFrame:
    name = loaded.study.data.table
    places = [given] if given else [source / name, source.parent / name]
    found = next((place for place in places if place.is_file()), None)
    if found is not None:
        return read_rows(loaded.study, found)
    if given is not None or not loaded.measurements:
        raise refuse(
            "table-missing",
            subject=str(given or source / name),
            found="there is no such file",
            remedy="give the clinical table with --table",
        )
    if loaded.study.clinical:
        notes.append(
            Problem(
                "no-clinical-table",
                str(source),
                f"neither it nor the folder above holds {name}, so the clinical predictors are unknown",
                "give the table with --table",
            )
        )
    return pd.DataFrame(index=pd.Index([], name=PATIENT, dtype=object))


def _measured(
    loaded: Bundle, source: Path, rows: pd.DataFrame, mapper: Mapper
) -> tuple[pd.DataFrame, dict[str, str], tuple[str, ...]]:
    """Return the features of those who could be measured, why others could not be, and all patients."""
    if not loaded.measurements:
        return pd.DataFrame(), {}, tuple(rows.index)
    memory = Memory(Unkept(), "predict")
    index = gather(source, cache=memory, mapper=mapper).index
    choices, reasons = _choices(loaded.study, index)
    if not choices:
        first = next(iter(reasons.items()))
        needed = ", ".join(f"{one.result_name} ({one.image}) with region {one.region}" for one in loaded.study.imaging)
        raise refuse(
            "wrong-modality",
            subject=str(source),
            found=f"the bundle needs {needed}, which no patient has; {first[0]}: {first[1]}",
            remedy="give the images that the bundle was learnt on, or the bundle for these images",
        )
    measured = measure(
        source, sorted(choices), choices, loaded.measurements, cache=memory, mapper=mapper, fingerprints=False
    )
    reasons |= {one.patient_id: one.problem.found for one in measured.exclusions}
    without_images = set(rows.index) - set(index.patients) if len(index.patients) > 1 else set()
    reasons |= dict.fromkeys(without_images, "has a row in the table, but no images")
    return measured.table.frame, reasons, tuple(sorted({*index.patients, *without_images}))


def _choices(study: Study, index: ImageIndex) -> tuple[dict[str, tuple[Choice, ...]], dict[str, str]]:
    choices: dict[str, tuple[Choice, ...]] = {}
    reasons: dict[str, str] = {}
    for patient in index.patients:
        try:
            choices[patient] = tuple(choose(index, patient, predictor.role) for predictor in study.imaging)
        except Refused as refused:
            reasons[patient] = refused.problem.found
    return choices, reasons


def _predictors(loaded: Bundle, patients: Sequence[str], rows: pd.DataFrame, features: pd.DataFrame) -> Table:
    own = rows.reindex(list(patients))
    columns = loaded.predictor.columns
    named = {predictor.result_name: predictor.column for predictor in loaded.study.clinical}
    values: dict[str, object] = {}
    for column in columns:
        if column.name in named:
            values[column.name] = _clinical(own, named[column.name], column)
        elif column.name in features.columns:
            values[column.name] = features[column.name].reindex(list(patients)).to_numpy(dtype=float)
        else:
            values[column.name] = np.full(len(patients), np.nan)
    return Table(pd.DataFrame(values, index=pd.Index(list(patients), name=PATIENT)), columns)


def _clinical(own: pd.DataFrame, source: str, column: Column) -> object:
    if source not in own.columns:
        empty: object = np.nan if column.type == "number" else None
        return pd.Series(empty, index=own.index, dtype=float if column.type == "number" else object)
    if column.type == "number":
        return number_column(own, source)
    text = text_column(own, source)
    return pd.Series([cell if isinstance(cell, str) else None for cell in text], index=own.index, dtype=object)


def _prediction(loaded: Bundle, patient: str, answer: pd.Series, reason: str, rows: pd.DataFrame) -> Prediction:
    reasons = [reason, _not_eligible(loaded.study, patient, rows), str(answer["reason"] or "")]
    told = "; ".join(filter(None, reasons))
    return Prediction(patient, float(answer["risk"]), float(answer["low"]), float(answer["high"]), bool(told), told)


def _not_eligible(study: Study, patient: str, rows: pd.DataFrame) -> str:
    if patient not in rows.index:
        return ""
    rules = tuple(rule for rule in study.eligible if rule.column in rows.columns)
    excluded = ineligible(rows.loc[[patient]], rules)
    return f"outside the study's participants: {excluded[0].problem.found}" if excluded else ""


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
