"""Cross-conformal prediction."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prognoscope.core import hashing
from prognoscope.core.problems import Refused
from prognoscope.core.table import Table
from prognoscope.training import Predictor, candidates, cross_fit, fit_predictor, load_predictor, save_predictor
from prognoscope.training.conformal import conformal_sets, p_values
from tests.make.training import auc
from tests.training.test_crossfit import OUTCOME, TABLE, TIMES

QUICK = candidates({"random-forest": {"features": 5, "trees": 10, "leaf_share": [0.1, 0.2]}}, "binary")


def predictor(**changes: Any) -> Predictor:
    given: dict[str, Any] = {
        "candidates": QUICK,
        "inner": 3,
        "score": auc,
        "refits": 0,
        "seed": 1,
        "set_error": 0.2,
    } | changes
    return fit_predictor(TABLE, OUTCOME, **given)


@pytest.fixture(scope="module")
def abstaining() -> Predictor:
    return predictor()


def test_p_values_are_those_counted_by_hand() -> None:
    # Calibration: non-conformity of fold 0 is 0.2, 0.7; of fold 1 is 0.4.
    risk, event, fold = np.array([0.8, 0.7, 0.6]), np.array([True, False, True]), np.array([0, 0, 1])
    # New patient: risk 0.5 by the first model, 0.7 by the second.
    values = p_values(risk, event, fold, np.array([[0.5], [0.7]]))
    # No event: 0.5 and 0.7: one of two, none of one. Event: 0.5 and 0.3: one of two, one of one.
    np.testing.assert_allclose(values, [[2 / 4, 3 / 4]])


def test_sets_of_a_perfectly_known_model_miss_as_often_as_allowed() -> None:
    draw = np.random.default_rng(1)
    missed = []
    for _ in range(300):
        risk = draw.beta(0.7, 0.7, 60)
        event = draw.random(60) < risk
        new = draw.beta(0.7, 0.7, 1)
        values = p_values(risk, event, np.arange(60) % 3, np.tile(new, (3, 1)))
        sets = conformal_sets(values, alpha=0.2, calibrated_on=60)
        happened = draw.random() < new[0]
        missed.append(not (sets.event[0] if happened else sets.no_event[0]))
    # 300 draws of a share of 0.2 have a standard error of 0.023.
    assert np.mean(missed) == pytest.approx(0.2, abs=0.07)


def test_too_few_patients_are_refused_with_the_number_needed() -> None:
    with pytest.raises(
        Refused, match=r"18 patients calibrate it, an error rate of 0\.05 needs 19.*too-few-to-calibrate"
    ):
        conformal_sets(np.full((1, 2), 0.5), alpha=0.05, calibrated_on=18)
    assert conformal_sets(np.full((1, 2), 0.5), alpha=0.05, calibrated_on=19).guarantee == pytest.approx(0.9)


def test_a_predictor_gives_the_sets_that_the_fold_learnt_from_the_same_patients_gives() -> None:
    """Patients held out for good: the cross-fitting engine and a predictor learnt from the others agree."""
    kept = np.arange(60) < 45
    fit = cross_fit(
        TABLE, OUTCOME, candidates=QUICK, folds=np.where(kept, -1, 0)[None], inner=3, score=auc, seed=1, conformal=True
    )
    learnt = fit_predictor(
        TABLE.take([TABLE.frame.index[row] for row in np.flatnonzero(kept).tolist()]),
        OUTCOME.take(kept),
        candidates=QUICK, inner=3, score=auc, refits=0, seed=1, set_error=0.2,
    )  # fmt: skip
    new = Table(TABLE.frame[~kept], TABLE.columns)
    answer = learnt.predict(new)
    np.testing.assert_allclose(answer["risk"], fit.out_of_fold.risk[0, ~kept], rtol=0, atol=1e-15)
    assert fit.p_values is not None
    sets = conformal_sets(fit.p_values[0, ~kept], alpha=0.2, calibrated_on=fit.calibrated_on)
    told = answer["reason"].str.contains("plausible at the accepted error of 20%")
    assert told.tolist() == (sets.event == sets.no_event).tolist()
    assert 0 < told.sum() < len(told)


def test_who_has_both_outcomes_in_the_set_is_abstained_from_and_keeps_the_risk(abstaining: Predictor) -> None:
    answer = abstaining.predict(TABLE)
    both = answer["reason"].str.contains("both outcomes are plausible at the accepted error of 20% (", regex=False)
    assert both.any()
    assert answer.loc[both, "abstained"].all()
    assert answer.loc[both, "risk"].between(0, 1).all()


def test_without_an_accepted_error_nobody_is_undecided() -> None:
    assert not predictor(set_error=None).predict(TABLE)["reason"].str.contains("plausible").any()


def test_a_saved_predictor_abstains_from_the_same_patients(abstaining: Predictor, tmp_path: Path) -> None:
    save_predictor(abstaining, tmp_path)
    pd.testing.assert_frame_equal(load_predictor(tmp_path).predict(TABLE), abstaining.predict(TABLE), check_exact=True)


def test_a_bundle_of_the_format_before_there_were_sets_is_read(tmp_path: Path) -> None:
    without = predictor(set_error=None)
    save_predictor(without, tmp_path)
    page = json.loads((tmp_path / "predictor.json").read_text())
    del page["sets"], page["page_sha256"]
    page["format"] = 1
    page["page_sha256"] = hashing.of_value(page)
    (tmp_path / "predictor.json").write_text(json.dumps(page))
    pd.testing.assert_frame_equal(load_predictor(tmp_path).predict(TABLE), without.predict(TABLE), check_exact=True)


def test_a_bundle_whose_calibration_is_cut_short_is_refused(abstaining: Predictor, tmp_path: Path) -> None:
    save_predictor(abstaining, tmp_path)
    page = json.loads((tmp_path / "predictor.json").read_text())
    page["sets"]["pipelines"].pop()
    del page["page_sha256"]
    page["page_sha256"] = hashing.of_value(page)
    (tmp_path / "predictor.json").write_text(json.dumps(page))
    with pytest.raises(Refused, match=r"inner folds differ.*bundle-damaged"):
        load_predictor(tmp_path)


def test_a_predictor_with_too_few_patients_or_another_outcome_has_no_sets() -> None:
    with pytest.raises(Refused, match=r"60 patients calibrate it, an error rate of 0\.01 needs 99"):
        predictor(set_error=0.01)
    with pytest.raises(Refused, match="conformal-outcome"):
        fit_predictor(TABLE, TIMES, candidates=QUICK, inner=2, score=auc, refits=0, seed=1, set_error=0.2)


def test_a_single_setting_is_calibrated_too() -> None:
    one = candidates({"elastic-net-logistic": {"features": 3, "l1_ratio": 0.5, "penalty": 0.1}}, "binary")
    made = fit_predictor(TABLE, OUTCOME, candidates=one, inner=3, score=auc, refits=0, seed=1, set_error=0.2)
    assert made.calibrated is not None
    assert len(made.calibrated.pipelines) == 3
