"""A bundle: what `run` leaves behind for `predict`, the study as used with its predictor and its card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from prognoscope.core.problems import refuse
from prognoscope.study.file import Study, measurements_of
from prognoscope.study.imaging import Measurement
from prognoscope.study.offers import models
from prognoscope.training import Predictor, load_predictor

FORMAT = 1


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
        card: Mapping[str, Any] = dict(json.loads((folder / "card.json").read_text()))
        values = json.loads((folder / "study.json").read_text())
    except (OSError, ValueError, TypeError) as cause:
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
    try:
        study = Study.model_validate(values)
    except ValidationError as cause:
        raise refuse(
            "bundle-damaged",
            subject=str(folder / "study.json"),
            found="it is not the study that was written there",
            remedy="copy the bundle again from where it was written",
        ) from cause
    return Bundle(study, measurements_of(study), load_predictor(folder / "predictor", models=models()), card)
