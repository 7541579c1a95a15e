"""A predictor on disk: a folder with a page of JSON and one archive of plain arrays.

Nothing in it is code or needs a parser of its own, and loading runs none of it: every fitted model is numbers
(`allow_pickle` stays off). `predictor.json` says what the arrays are; both carry a SHA-256. Raise `FORMAT` when the
meaning of a key or an array changes, keep a reader for the old number in `READS`, and keep a folder of the old format
in the tests.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from prognoscope.core import hashing
from prognoscope.core.problems import Refused, refuse
from prognoscope.core.table import Column
from prognoscope.training.conformal import Calibrated
from prognoscope.training.contract import Arrays, Model
from prognoscope.training.encoding import Feature, features_of
from prognoscope.training.limits import Limits
from prognoscope.training.models import MODELS
from prognoscope.training.pipeline import Choice, Pipeline
from prognoscope.training.predictor import Predictor
from prognoscope.training.preparation import Preparation
from prognoscope.training.recalibration import Line, Recalibration, Steps

FORMAT = 2
READS = (1, 2)
"""Format 1 had no prediction sets; all else is the same."""
PAGE, ARRAYS = "predictor.json", "arrays.npz"
MOST_BYTES = 256 * 1024 * 1024
SETS = "sets"
PREPARATION = ("source", "missing", "fill", "centre", "scale")


def save_predictor(predictor: Predictor, folder: Path) -> None:
    """Write a predictor; the same predictor gives the same bytes.

    Parameters
    ----------
    folder
        Made if absent; its two files are replaced.
    """
    pipelines = (predictor.main, *predictor.refits)
    arrays: dict[str, NDArray[Any]] = {
        "limits/low": predictor.limits.low,
        "limits/high": predictor.limits.high,
        "limits/watched": predictor.limits.watched,
    }
    for number, pipeline in enumerate(pipelines):
        for name, array in _arrays_of(pipeline).items():
            arrays[f"{number}/{name}"] = array
    if predictor.calibrated is not None:
        arrays |= _arrays_of_sets(predictor.calibrated)
    archive = _archive(arrays)
    page: dict[str, Any] = {
        "format": FORMAT,
        "outcome": predictor.outcome_kind,
        "horizon_days": predictor.horizon_days,
        "n": predictor.n,
        "events": predictor.events,
        "predictors": [asdict(column) for column in predictor.columns],
        "pipelines": [_page_of(pipeline) for pipeline in pipelines],
        "sets": None if predictor.calibrated is None else _page_of_sets(predictor.calibrated),
        "arrays_sha256": hashing.of_bytes(archive),
    }
    page["page_sha256"] = hashing.of_value(page)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ARRAYS).write_bytes(archive)
    (folder / PAGE).write_text(json.dumps(page, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_predictor(folder: Path, *, models: Sequence[Model] = MODELS) -> Predictor:
    """Read a predictor.

    Parameters
    ----------
    models
        Those that it may use: ours, and other people's.

    Raises
    ------
    Refused
        `bundle-missing` when a file is absent, `bundle-format` for another format number, `bundle-damaged` when
        the files are not what was written, `unknown-model` when a model is not on offer.
    """
    page = _read_page(folder)
    archive = _read_bytes(folder / ARRAYS)
    if hashing.of_bytes(archive) != page.get("arrays_sha256"):
        raise _damaged(folder / ARRAYS, "its SHA-256 is not the one in predictor.json")
    try:
        return _build(page, _arrays(archive), models)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, zipfile.BadZipFile, EOFError) as error:
        raise _damaged(folder, f"a part is absent or has the wrong form ({type(error).__name__}: {error})") from None


def _page_of(pipeline: Pipeline) -> dict[str, Any]:
    choice = pipeline.choice
    score = None if np.isnan(choice.inner_score) else choice.inner_score
    return {
        "model": choice.model,
        "version": pipeline.model.version,
        "setting": dict(choice.setting),
        "inner_score": score,
        "recalibration": None if pipeline.recalibration is None else _page_of_recalibration(pipeline.recalibration),
        "threshold": pipeline.threshold,
    }


def _page_of_recalibration(recalibration: Recalibration) -> dict[str, Any]:
    return {"kind": type(recalibration).__name__, **asdict(recalibration)}


def _recalibration(entry: Mapping[str, Any] | None) -> Recalibration | None:
    if entry is None:
        return None
    if entry["kind"] == "Line":
        if entry["link"] not in ("logit", "cloglog"):
            raise ValueError(f"there is no link {entry['link']!r}")
        return Line(entry["link"], float(entry["intercept"]), float(entry["slope"]))
    return Steps(tuple(map(float, entry["x"])), tuple(map(float, entry["y"])))


def _arrays_of(pipeline: Pipeline) -> dict[str, NDArray[Any]]:
    preparation = pipeline.preparation
    arrays: dict[str, NDArray[Any]] = {
        "preparation/source": preparation.source.astype(np.int32),
        "preparation/missing": np.array([feature.indicates_missing for feature in preparation.features], dtype=bool),
        "preparation/fill": preparation.fill,
        "preparation/centre": preparation.centre,
        "preparation/scale": preparation.scale,
    }
    for name, array in pipeline.model.dump(pipeline.fitted).items():
        arrays[f"model/{name}"] = np.asarray(array)
    return arrays


def _archive(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Write a .npz with sorted names and without dates, so that equal arrays are equal bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            part = io.BytesIO()
            np.lib.format.write_array(part, np.asarray(arrays[name], order="C"), version=(1, 0), allow_pickle=False)
            archive.writestr(entry, part.getvalue())
    return stream.getvalue()


def _arrays(archive: bytes) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(io.BytesIO(archive)) as entries:
        infos = entries.infolist()
        if sum(info.file_size for info in infos) > MOST_BYTES:
            raise ValueError(f"the arrays are larger than {MOST_BYTES} bytes")
        return {
            info.filename.removesuffix(".npy"): np.lib.format.read_array(
                io.BytesIO(entries.read(info)), allow_pickle=False
            )
            for info in infos
        }


def _read_page(folder: Path) -> dict[str, Any]:
    text = _read_bytes(folder / PAGE)
    try:
        page = json.loads(text)
    except ValueError:
        raise _damaged(folder / PAGE, "it is not JSON") from None
    if not isinstance(page, dict):
        raise _damaged(folder / PAGE, "it is not a JSON object")
    if page.get("format") not in READS:
        raise refuse(
            "bundle-format",
            subject=str(folder / PAGE),
            found=f"it has format {page.get('format')!r}, this version reads {' and '.join(map(str, READS))}",
            remedy="use the version of prognoscope that wrote it, or train again",
        )
    digest = page.pop("page_sha256", None)
    if digest != hashing.of_value(page):
        raise _damaged(folder / PAGE, "its SHA-256 is not the one it states")
    return page


def _read_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise refuse(
            "bundle-missing",
            subject=str(path),
            found="there is no such file",
            remedy="give the folder `bundle/` that a study wrote",
        )
    if path.stat().st_size > MOST_BYTES:
        raise _damaged(path, f"it is larger than {MOST_BYTES} bytes")
    return path.read_bytes()


def _damaged(path: Path, found: str) -> Refused:
    return refuse(
        "bundle-damaged", subject=str(path), found=found, remedy="copy the bundle again from where it was written"
    )


def _build(page: Mapping[str, Any], arrays: Arrays, models: Sequence[Model]) -> Predictor:
    columns = tuple(Column(**{**entry, "levels": tuple(entry["levels"])}) for entry in page["predictors"])
    features = features_of(columns)
    by_owner: dict[str, dict[str, NDArray[Any]]] = {}
    for path, array in arrays.items():
        owner, _, name = path.partition("/")
        by_owner.setdefault(owner, {})[name] = array
    main, *refits = (
        _pipeline(entry, by_owner[str(number)], features, models) for number, entry in enumerate(page["pipelines"])
    )
    limits = by_owner["limits"]
    if not all(array.shape == (len(columns),) for array in limits.values()):
        raise ValueError("limits and predictors differ in number")
    return Predictor(
        limits=Limits(columns, limits["low"], limits["high"], limits["watched"]),
        main=main,
        refits=tuple(refits),
        outcome_kind=page["outcome"],
        horizon_days=page["horizon_days"],
        n=int(page["n"]),
        events=int(page["events"]),
        calibrated=_calibrated(page["sets"], by_owner, features, models) if page.get("sets") else None,
    )


def _arrays_of_sets(calibrated: Calibrated) -> dict[str, NDArray[Any]]:
    arrays = {f"{SETS}/{name}": getattr(calibrated, name) for name in ("risk", "event", "fold")}
    for number, pipeline in enumerate(calibrated.pipelines):
        arrays |= {f"{SETS} {number}/{name}": array for name, array in _arrays_of(pipeline).items()}
    return arrays


def _page_of_sets(calibrated: Calibrated) -> dict[str, Any]:
    return {"error": calibrated.error, "pipelines": [_page_of(pipeline) for pipeline in calibrated.pipelines]}


def _calibrated(
    entry: Mapping[str, Any], by_owner: Mapping[str, Arrays], features: Sequence[Feature], models: Sequence[Model]
) -> Calibrated:
    pipelines = tuple(
        _pipeline(page, by_owner[f"{SETS} {number}"], features, models)
        for number, page in enumerate(entry["pipelines"])
    )
    risk, event, fold = (by_owner[SETS][name] for name in ("risk", "event", "fold"))
    if not risk.shape == event.shape == fold.shape or set(np.unique(fold)) != set(range(len(pipelines))):
        raise ValueError("the patients that calibrate and the inner folds differ")
    return Calibrated(pipelines, risk, event.astype(bool), fold.astype(np.int64), float(entry["error"]))


def _pipeline(
    entry: Mapping[str, Any], arrays: Arrays, features: Sequence[Feature], models: Sequence[Model]
) -> Pipeline:
    model = next((model for model in models if model.name == entry["model"]), None)
    if model is None:
        raise refuse(
            "unknown-model",
            subject=f"model {entry['model']}",
            found="the bundle uses it and it is not installed",
            remedy="install the package that brings it",
        )
    source, missing, fill, centre, scale = (arrays[f"preparation/{name}"] for name in PREPARATION)
    if not len(source) == len(missing) == len(fill) == len(centre) == len(scale):
        raise ValueError("the parts of a preparation differ in length")
    if source.min(initial=0) < 0 or source.max(initial=0) >= len(features):
        raise ValueError("a preparation names a feature that does not exist")
    kept = tuple(
        Feature(features[place].column, indicates_missing=True) if gap else features[place]
        for place, gap in zip(source, missing, strict=True)
    )
    score = entry["inner_score"]
    fitted = model.load(
        {name.removeprefix("model/"): array for name, array in arrays.items() if name.startswith("model/")}
    )
    if fitted.weight().shape != (len(kept),):
        raise ValueError("a model and its preparation differ in the number of features")
    return Pipeline(
        model=model,
        choice=Choice(model.name, entry["setting"], np.nan if score is None else float(score)),
        preparation=Preparation(kept, source.astype(np.int64), fill, centre, scale, dropped={}),
        fitted=fitted,
        recalibration=_recalibration(entry["recalibration"]),
        threshold=entry["threshold"],
    )
