"""Repeatable: what perturbed contours changed, told feature by feature and in the report."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from prognoscope.core.table import Table
from prognoscope.report import LeftOut, Repeatability
from prognoscope.study.file import Study
from prognoscope.study.imaging import ImagingPredictor
from prognoscope.study.stages.learn import Learnt
from prognoscope.training import Ratings

SHOWN = 20


def repeatability_csv(ratings: Sequence[Ratings], main: Learnt) -> bytes:
    """Return `feature,contours,patients,icc,low,high,left_out`.

    The correlation and its interval are those over all participants, for reading only; `left_out` is the share of the
    outer folds whose own training patients left the feature out, empty where nothing selects or there are no folds.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["feature", "contours", "patients", "icc", "low", "high", "left_out"])
    for one in ratings:
        found = one.agreement()
        patients = np.isfinite(one.values).all(axis=2).sum(axis=0)
        counted = one.rule is not None and main.bootstrapped is None
        for place, name in enumerate(one.columns):
            ends = [_number(float(end[place])) for end in (found.icc, found.low, found.high)]
            share = _number(main.left_out.get(name, 0.0)) if counted else ""
            writer.writerow([name, one.values.shape[2], int(patients[place]), *ends, share])
    return text.getvalue().encode()


def repeatability_document(ratings: Sequence[Ratings], main: Learnt) -> dict[str, Any] | None:
    """Return the part `repeatability` of `evaluation.json`; None where no contour was perturbed."""
    if not ratings:
        return None
    counted = main.bootstrapped is None and any(one.rule for one in ratings)
    return {
        "features_rated": sum(len(one.columns) for one in ratings),
        "rules": [
            {
                "contours": int(one.values.shape[2]),
                "icc_at_least": one.rule.icc_at_least if one.rule else None,
                "by": one.rule.by if one.rule else None,
            }
            for one in ratings
        ],
        "left_out_in_every_fold": _always(main.left_out) if counted else None,
        "left_out_in_some_folds": len(main.left_out) - _always(main.left_out) if counted else None,
    }


def repeatability_shown(
    study: Study, ratings: Sequence[Ratings], main: Learnt, predictors: Table
) -> Repeatability | None:
    """Return what the report says; None where no feature had to be repeatable."""
    if not any(one.rule for one in ratings):
        return None
    words = {column.name: column.meaning or column.name for column in predictors.columns}
    rated = [name for one in ratings if one.rule for name in one.columns]
    return Repeatability(
        rules=tuple(_in_words(one) for one in study.imaging if one.keep is not None),
        rated=len(rated),
        always=_always(main.left_out),
        sometimes=len(main.left_out) - _always(main.left_out),
        counted=main.bootstrapped is None,
        rows=tuple(LeftOut(name, words.get(name, name), share) for name, share in _first(main.left_out)),
    )


def _always(left_out: Mapping[str, float]) -> int:
    return sum(share == 1 for share in left_out.values())


def _first(left_out: Mapping[str, float]) -> list[tuple[str, float]]:
    """The most frequent of those that only some folds left out, where the patients decide; then the others."""
    some = [entry for entry in left_out.items() if entry[1] < 1]
    return (some + [entry for entry in left_out.items() if entry[1] == 1])[:SHOWN]


def _in_words(predictor: ImagingPredictor) -> str:
    rule, contours = predictor.keep, predictor.perturbations
    assert rule is not None, "asked only where there is one"
    assert contours is not None, "the study file is checked"
    end = "the low end of the 95 % interval of " if rule.by == "low" else ""
    moved = {
        f"turned by up to {contours.rotation_deg:g}°": bool(contours.rotation_deg),
        f"shifted by up to {max(contours.shift_mm):g} mm": any(contours.shift_mm),
        f"grown by {contours.growth_mm[0]:g} to {contours.growth_mm[1]:g} mm": any(contours.growth_mm),
        f"roughened by {contours.roughness_mm:g} mm": bool(contours.roughness_mm),
    }
    how = ", ".join(words for words, used in moved.items() if used)
    return (
        f"{predictor.result_name}: a feature is used where {end}ICC(1,1) over {contours.count} perturbed contours "
        f"({how}) is at least {rule.icc_at_least:g} among the patients learnt from"
    )


def _number(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""
