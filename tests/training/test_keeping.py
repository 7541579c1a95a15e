"""Results of folds and refits as bytes: read back to the last bit, so that an interrupted study goes on with them."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest

from prognoscope.core.problems import Refused
from prognoscope.training import (
    Costs,
    FoldResult,
    PreparationSettings,
    Recipe,
    assign_folds,
    features_of,
    fit_predictor,
    fold_from_bytes,
    fold_tasks,
    fold_to_bytes,
    pipeline_from_bytes,
    pipeline_to_bytes,
    run_fold,
    with_levels,
)
from prognoscope.training.encoding import encode
from tests.make.training import auc, concordance
from tests.training.test_crossfit import BOTH, OUTCOME, SURVIVAL, TABLE, TIMES

FEATURES = features_of(with_levels(TABLE))
ENCODED = encode(TABLE.frame, with_levels(TABLE))


def one_fold(outcome: Any = OUTCOME, **after: Any) -> FoldResult:
    timed = outcome.kind == "time-to-event"
    recipe = Recipe(SURVIVAL if timed else BOTH, 2, concordance if timed else auc, 1, PreparationSettings(), **after)
    folds = assign_folds(outcome, folds=3, repeats=1, seed=1, patients=list(TABLE.frame.index))
    return run_fold(fold_tasks(TABLE, outcome, folds=folds, recipe=recipe)[0])


@pytest.fixture(scope="module")
def whole() -> FoldResult:
    """A fold with everything that a fold can have."""
    return one_fold(recalibration="slope", costs=Costs(missed_event=3), conformal=True)


def test_everything_of_a_fold_is_read_back_to_the_last_bit(whole: FoldResult) -> None:
    again = fold_from_bytes(fold_to_bytes(whole))
    assert again.risk.tobytes() == whole.risk.tobytes()
    np.testing.assert_array_equal(again.held_out, whole.held_out)
    assert again.p_values is not None
    assert whole.p_values is not None
    assert again.p_values.tobytes() == whole.p_values.tobytes()
    assert again.threshold == whole.threshold is not None
    assert again.choice == whole.choice
    assert again.used == whole.used
    assert len(again.used) > 0
    assert dict(again.dropped) == dict(whole.dropped)


def test_what_a_fold_has_not_stays_absent() -> None:
    again = fold_from_bytes(fold_to_bytes(one_fold(TIMES)))
    assert again.p_values is None
    assert again.threshold is None


def test_equal_results_are_equal_bytes(whole: FoldResult) -> None:
    assert fold_to_bytes(fold_from_bytes(fold_to_bytes(whole))) == fold_to_bytes(whole)


@pytest.mark.parametrize(("outcome", "tried", "score"), [(OUTCOME, BOTH, auc), (TIMES, SURVIVAL, concordance)])
def test_a_pipeline_read_back_gives_the_same_risks(outcome: Any, tried: Any, score: Any) -> None:
    main = fit_predictor(TABLE, outcome, candidates=tried, inner=2, score=score, refits=0, seed=1).main
    again = pipeline_from_bytes(pipeline_to_bytes(main), features=FEATURES)
    assert again.risk(ENCODED).tobytes() == main.risk(ENCODED).tobytes()
    assert again.choice == main.choice
    assert again.model is main.model
    assert pipeline_to_bytes(again) == pipeline_to_bytes(main)


def test_recalibration_and_threshold_of_a_pipeline_are_kept() -> None:
    main = fit_predictor(
        TABLE, OUTCOME, candidates=BOTH, inner=2, score=auc, refits=0, seed=1,
        recalibration="isotonic", costs=Costs(missed_event=2),
    ).main  # fmt: skip
    again = pipeline_from_bytes(pipeline_to_bytes(main), features=FEATURES)
    assert again.recalibration == main.recalibration is not None
    assert again.threshold == main.threshold is not None


def test_a_model_that_is_not_installed_is_named() -> None:
    main = fit_predictor(TABLE, OUTCOME, candidates=BOTH, inner=2, score=auc, refits=0, seed=1).main
    with pytest.raises(Refused, match=rf"model {main.model.name}.*unknown-model"):
        pipeline_from_bytes(pipeline_to_bytes(main), features=FEATURES, models=())


def test_nothing_in_the_bytes_can_run(whole: FoldResult) -> None:
    for name, data in _members(fold_to_bytes(whole)).items():
        assert np.load(io.BytesIO(data), allow_pickle=False) is not None, name


def test_bytes_with_an_object_in_them_are_not_read() -> None:
    stream = io.BytesIO()
    np.savez(stream, page=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        fold_from_bytes(stream.getvalue())


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
