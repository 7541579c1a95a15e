"""A predictor on disk: read back the same, refused when damaged, and never code."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import prognoscope
from prognoscope.core import hashing
from prognoscope.core.problems import Refused
from prognoscope.training import MODELS, Costs, Predictor, candidates, fit_predictor, load_predictor, save_predictor
from tests.make.training import auc, concordance
from tests.training.test_crossfit import BOTH, OUTCOME, SURVIVAL, TABLE, TIMES
from tests.training.test_models import OTHERS

EVERY = [
    ("elastic-net-logistic", OUTCOME), ("random-forest", OUTCOME), ("gradient-boosting", OUTCOME),
    ("elastic-net-cox", TIMES), ("survival-forest", TIMES),
]  # fmt: skip


def _fit(name: str | None = None, outcome: Any = OUTCOME, **options: Any) -> Predictor:
    tried = candidates([name], outcome.kind) if name else (BOTH if outcome.kind == "binary" else SURVIVAL)
    score = auc if outcome.kind == "binary" else concordance
    return fit_predictor(TABLE, outcome, candidates=tried, inner=3, score=score, seed=1, **({"refits": 2} | options))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    save_predictor(_fit(), folder)
    return folder


@pytest.mark.parametrize(("name", "outcome"), EVERY, ids=[name for name, _ in EVERY])
def test_a_predictor_read_back_predicts_the_same_to_the_last_bit(name: str, outcome: Any, tmp_path: Path) -> None:
    predictor = _fit(name, outcome)
    save_predictor(predictor, tmp_path)
    again = load_predictor(tmp_path)
    pd.testing.assert_frame_equal(again.predict(TABLE), predictor.predict(TABLE), check_exact=True)
    assert again.columns == predictor.columns
    assert (again.outcome_kind, again.horizon_days, again.n, again.events) == (
        predictor.outcome_kind,
        predictor.horizon_days,
        predictor.n,
        predictor.events,
    )
    assert again.main.choice == predictor.main.choice
    assert again.main.preparation.features == predictor.main.preparation.features


@pytest.mark.parametrize("method", ["slope", "isotonic"])
def test_recalibration_and_threshold_are_read_back(method: Any, tmp_path: Path) -> None:
    predictor = _fit(recalibration=method, costs=Costs(missed_event=2.0))
    save_predictor(predictor, tmp_path)
    again = load_predictor(tmp_path)
    assert again.main.recalibration == predictor.main.recalibration is not None
    assert again.main.threshold == predictor.main.threshold is not None


def test_the_same_predictor_is_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    save_predictor(_fit(), tmp_path)
    for name in ("predictor.json", "arrays.npz"):
        assert (tmp_path / name).read_bytes() == (bundle / name).read_bytes()


def test_a_predictor_read_back_and_written_again_is_the_same_bytes(bundle: Path, tmp_path: Path) -> None:
    save_predictor(load_predictor(bundle), tmp_path)
    for name in ("predictor.json", "arrays.npz"):
        assert (tmp_path / name).read_bytes() == (bundle / name).read_bytes()


def test_another_reader_can_open_the_arrays_without_pickle(bundle: Path) -> None:
    with np.load(bundle / "arrays.npz", allow_pickle=False) as arrays:
        assert len(arrays["limits/low"]) == len(TABLE.columns)
        assert all(arrays[name].dtype.kind in "fib" for name in arrays.files)


def test_a_fresh_process_answers_without_the_libraries_that_learnt(bundle: Path) -> None:
    program = (
        "import sys, pathlib, prognoscope.training as t;"
        f"t.load_predictor(pathlib.Path({str(bundle)!r}));"
        "heavy = {'lightgbm', 'sklearn', 'numba', 'sksurv', 'scipy.stats'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    source = Path(prognoscope.__file__).parents[1]
    subprocess.run([sys.executable, "-c", program], check=True, env=os.environ | {"PYTHONPATH": str(source)})


def test_an_absent_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="bundle-missing"):
        load_predictor(tmp_path)


def _copy(bundle: Path, folder: Path) -> Path:
    for name in ("predictor.json", "arrays.npz"):
        (folder / name).write_bytes((bundle / name).read_bytes())
    return folder


def _rewrite(folder: Path, **changes: Any) -> None:
    """Change the page and make its digest fit again, as someone who means harm would."""
    page = json.loads((folder / "predictor.json").read_text())
    page |= changes
    page.pop("page_sha256")
    page["page_sha256"] = hashing.of_value(page)
    (folder / "predictor.json").write_text(json.dumps(page))


def test_one_changed_byte_of_the_arrays_is_refused(bundle: Path, tmp_path: Path) -> None:
    folder = _copy(bundle, tmp_path)
    data = bytearray((folder / "arrays.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "arrays.npz").write_bytes(data)
    with pytest.raises(Refused, match=r"arrays\.npz.*bundle-damaged"):
        load_predictor(folder)


def test_a_changed_number_on_the_page_is_refused(bundle: Path, tmp_path: Path) -> None:
    folder = _copy(bundle, tmp_path)
    page = (folder / "predictor.json").read_text()
    assert '"n": 60' in page
    (folder / "predictor.json").write_text(page.replace('"n": 60', '"n": 61'))
    with pytest.raises(Refused, match=r"predictor\.json.*bundle-damaged"):
        load_predictor(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\x00\xff"])
def test_a_page_that_is_no_page_is_refused(text: str, bundle: Path, tmp_path: Path) -> None:
    folder = _copy(bundle, tmp_path)
    (folder / "predictor.json").write_text(text)
    with pytest.raises(Refused, match="bundle-damaged"):
        load_predictor(folder)


def test_a_bundle_of_a_later_format_is_refused_with_both_numbers(bundle: Path, tmp_path: Path) -> None:
    folder = _copy(bundle, tmp_path)
    _rewrite(folder, format=99)
    with pytest.raises(Refused, match=r"format 99, this version reads 1.*bundle-format"):
        load_predictor(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"pipelines": []},
        {"predictors": []},
        {"predictors": [{"name": "age"}]},
        {"pipelines": "many"},
        {"n": None},
        {"pipelines": [{"model": "random-forest"}]},
    ],
    ids=["no pipeline", "no predictor", "half a predictor", "text", "no number", "half a pipeline"],
)
def test_a_page_that_says_nonsense_is_refused_even_with_a_fitting_digest(
    changes: dict[str, Any], bundle: Path, tmp_path: Path
) -> None:
    folder = _copy(bundle, tmp_path)
    _rewrite(folder, **changes)
    with pytest.raises(Refused, match="bundle-damaged"):
        load_predictor(folder)


def _with_arrays(folder: Path, data: bytes) -> Path:
    (folder / "arrays.npz").write_bytes(data)
    _rewrite(folder, arrays_sha256=hashing.of_bytes(data))
    return folder


class Harm:
    """Would write a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.path, "harm"))


def test_objects_hidden_in_an_array_are_refused_and_not_run(bundle: Path, tmp_path: Path) -> None:
    folder = _copy(bundle, tmp_path)
    mark = tmp_path / "mark"
    pickled = io.BytesIO()
    np.save(pickled, np.array([Harm(mark)], dtype=object), allow_pickle=True)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("limits/low.npy", pickled.getvalue())
    with pytest.raises(Refused, match="bundle-damaged"):
        load_predictor(_with_arrays(folder, stream.getvalue()))
    assert not mark.exists()
    # The trap is a real one: unpickled, it springs.
    pickle.loads(pickle.dumps(Harm(mark)))
    assert mark.exists()


def test_arrays_that_would_fill_the_memory_are_refused_before_they_are_read(bundle: Path, tmp_path: Path) -> None:
    folder = _copy(bundle, tmp_path)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("big.npy", "w") as entry:
        for _ in range(300):
            entry.write(bytes(1024 * 1024))
    with pytest.raises(Refused, match=r"larger than.*bundle-damaged"):
        load_predictor(_with_arrays(folder, stream.getvalue()))


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no archive", b"text"])
def test_an_archive_that_is_no_archive_is_refused(data: bytes, bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="bundle-damaged"):
        load_predictor(_with_arrays(_copy(bundle, tmp_path), data))


@pytest.mark.parametrize("name", ["0/model/coefficients", "1/preparation/fill", "limits/high"])
def test_an_array_that_is_absent_or_short_is_refused(name: str, bundle: Path, tmp_path: Path) -> None:
    folder = _copy(bundle, tmp_path)
    with np.load(folder / "arrays.npz") as arrays:
        kept = {key: arrays[key] for key in arrays.files}
    assert name in kept
    for damaged in ({key: array for key, array in kept.items() if key != name}, kept | {name: kept[name][:-1]}):
        stream = io.BytesIO()
        np.savez(stream, **damaged)
        with pytest.raises(Refused, match="bundle-damaged"):
            load_predictor(_with_arrays(folder, stream.getvalue()))


def test_a_model_of_another_package_is_read_with_that_package_and_refused_without(tmp_path: Path) -> None:
    offered = (*MODELS, OTHERS)
    tried = candidates(["threshold"], "binary", models=offered)
    predictor = fit_predictor(TABLE, OUTCOME, candidates=tried, inner=3, score=auc, seed=1, refits=1)
    save_predictor(predictor, tmp_path)
    pd.testing.assert_frame_equal(load_predictor(tmp_path, models=offered).predict(TABLE), predictor.predict(TABLE))
    with pytest.raises(Refused, match=r"model threshold.*unknown-model"):
        load_predictor(tmp_path)
