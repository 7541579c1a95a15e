"""A predictor for new patients: risk, interval, abstention."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.core.problems import Refused
from prognoscope.core.table import Table
from prognoscope.training import Costs, Predictor, candidates, fit_predictor
from tests.make.training import auc, binary, clinical_and_imaging, concordance, in_processes, survival
from tests.training.test_crossfit import LOGISTIC, SURVIVAL

TABLE, TRUTH = clinical_and_imaging(patients=70, imaging=8, seed=1, signal=2.0)
OUTCOME = binary(TRUTH, seed=2)


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return _fit(refits=20)


def _fit(table: Table = TABLE, outcome: Binary = OUTCOME, **options: object) -> Predictor:
    usual: dict[str, object] = {"candidates": LOGISTIC, "inner": 3, "score": auc, "seed": 1, "refits": 4}
    return fit_predictor(table, outcome, **(usual | options))  # type: ignore[arg-type]


def _patient(**values: object) -> Table:
    """One patient in the middle of the training patients, but for the values given."""
    typical: dict[str, object] = {
        "age": 50.0,
        "sex": "Male",
        "grade": "Low",
        "histology": "A",
        "smoker": True,
        **{f"PT.f{number}": float(TABLE.frame[f"PT.f{number}"].median()) for number in range(8)},
    }
    frame = pd.DataFrame([typical | values], index=["new"]).astype({"smoker": object})
    return Table(frame, TABLE.columns)


def test_each_patient_gets_risk_interval_and_no_reason_to_abstain(predictor: Predictor) -> None:
    frame = predictor.predict(TABLE)
    assert list(frame.columns) == ["risk", "low", "high", "abstained", "reason"]
    assert list(frame.index) == list(TABLE.frame.index)
    assert frame[["risk", "low", "high"]].ge(0).all(axis=None)
    assert frame[["risk", "low", "high"]].le(1).all(axis=None)
    assert (frame["low"] < frame["high"]).all()
    assert frame["abstained"].mean() < 0.1


def test_the_interval_is_the_2_5_to_97_5_percentile_of_the_refits_risks(predictor: Predictor) -> None:
    from prognoscope.training.encoding import encode

    encoded = encode(TABLE.frame, predictor.columns)
    risks = np.array([refit.risk(encoded) for refit in predictor.refits])
    frame = predictor.predict(TABLE)
    np.testing.assert_array_equal(frame["low"], np.percentile(risks, 2.5, axis=0))
    np.testing.assert_array_equal(frame["high"], np.percentile(risks, 97.5, axis=0))
    assert len(predictor.refits) == 20


def test_a_higher_value_of_the_signal_gives_a_higher_risk(predictor: Predictor) -> None:
    low, high = (
        _patient(**{f"PT.f{number}": float(TABLE.frame[f"PT.f{number}"].quantile(q)) for number in (0, 2, 4, 6)})
        for q in (0.1, 0.9)
    )
    assert predictor.predict(high)["risk"].iloc[0] > predictor.predict(low)["risk"].iloc[0] + 0.2


def test_other_processes_give_the_same_predictor(predictor: Predictor) -> None:
    pd.testing.assert_frame_equal(_fit(refits=20, mapper=in_processes).predict(TABLE), predictor.predict(TABLE))


def test_the_order_of_the_training_patients_does_not_matter() -> None:
    order = np.random.default_rng(3).permutation(70)
    moved = _fit(TABLE.take(list(TABLE.frame.index[order])), OUTCOME.take(order))
    pd.testing.assert_frame_equal(moved.predict(TABLE), _fit().predict(TABLE))


def test_patients_are_predicted_alone_as_they_are_together(predictor: Predictor) -> None:
    together = predictor.predict(TABLE)
    for patient in TABLE.frame.index[:5]:
        alone = predictor.predict(TABLE.take([patient]))
        np.testing.assert_allclose(alone[["risk", "low", "high"]], together.loc[[patient], ["risk", "low", "high"]])


def test_each_refit_sees_another_bootstrap_and_chooses_by_itself(predictor: Predictor) -> None:
    centres = {tuple(refit.preparation.centre.round(9)) for refit in predictor.refits}
    assert len(centres) == 20
    assert len({tuple(refit.choice.setting.items()) for refit in predictor.refits}) > 1


def test_a_survival_predictor_states_its_horizon_and_events_by_then() -> None:
    outcome = survival(TRUTH, seed=3)
    predictor = fit_predictor(TABLE, outcome, candidates=SURVIVAL, inner=3, score=concordance, seed=1, refits=2)
    assert (predictor.outcome_kind, predictor.horizon_days) == ("time-to-event", 730.0)
    assert (predictor.n, predictor.events) == (70, outcome.events_by_horizon)
    assert predictor.predict(TABLE)["risk"].between(0, 1).all()


def test_a_later_horizon_gives_a_higher_risk() -> None:
    outcome = survival(TRUTH, seed=3)
    later = TimeToEvent(outcome.time_days, outcome.event, 1200.0)
    tried = candidates({"elastic-net-cox": {"features": 5, "penalty": 0.2, "l1_ratio": 0.5}}, "time-to-event")
    risks = [
        fit_predictor(TABLE, own, candidates=tried, inner=3, score=concordance, seed=1, refits=0).predict(TABLE)["risk"]
        for own in (outcome, later)
    ]
    assert (risks[1] > risks[0]).all()


def test_a_typical_patient_is_not_abstained_from(predictor: Predictor) -> None:
    assert predictor.predict(_patient()).loc["new", "reason"] == ""


def test_an_age_far_beyond_the_training_patients_is_abstained_from_in_words_and_keeps_its_risk(
    predictor: Predictor,
) -> None:
    row = predictor.predict(_patient(age=140.0)).loc["new"]
    assert row["abstained"]
    low, high = TABLE.frame["age"].min(), TABLE.frame["age"].max()
    assert row["reason"] == f"age is 140 year, the training patients had {low:.4g} to {high:.4g} year"
    assert 0 <= row["low"] <= row["high"] <= 1
    assert 0 <= row["risk"] <= 1


def test_a_level_that_no_training_patient_had_is_abstained_from(predictor: Predictor) -> None:
    row = predictor.predict(_patient(histology="Z")).loc["new"]
    assert row["abstained"]
    assert row["reason"] == "histology is 'Z', which no training patient had"


def test_too_many_missing_values_are_abstained_from_with_the_count(predictor: Predictor) -> None:
    row = predictor.predict(_patient(age=np.nan, sex=None, grade=None, histology=None)).loc["new"]
    assert row["abstained"]
    assert "predictors are missing" in row["reason"]
    assert row["reason"].startswith("4 of ")


def test_one_missing_value_is_no_reason_to_abstain(predictor: Predictor) -> None:
    assert not predictor.predict(_patient(age=np.nan)).loc["new", "abstained"]


def test_many_values_a_little_outside_are_abstained_from_together(predictor: Predictor) -> None:
    used = [column.name for column, counts in zip(predictor.columns, predictor.limits.watched, strict=True) if counts]
    numbers = [name for name in used if name == "age" or name.startswith("PT")]
    beyond = {name: float(TABLE.frame[name].max() + 0.01 * np.ptp(TABLE.frame[name].dropna())) for name in numbers}
    row = predictor.predict(_patient(**beyond)).loc["new"]
    assert len(numbers) > 2
    assert row["reason"] == (f"{len(numbers)} of {len(used)} predictors lie outside the range of the training patients")


def test_an_imaging_feature_that_the_pipeline_does_not_use_is_no_reason_to_abstain(predictor: Predictor) -> None:
    unused = [
        column.name for column, counts in zip(predictor.columns, predictor.limits.watched, strict=True) if not counts
    ]
    assert unused
    assert not predictor.predict(_patient(**{unused[0]: 1e9})).loc["new", "abstained"]


def test_a_missing_column_is_refused_by_name(predictor: Predictor) -> None:
    table = _patient()
    names = [column.name for column in table.columns if column.name != "PT.f3"]
    with pytest.raises(Refused, match=r"column PT\.f3.*predictor-missing"):
        predictor.predict(table.select(names))


def test_columns_that_it_does_not_know_are_ignored(predictor: Predictor) -> None:
    table = _patient()
    frame = table.frame.assign(other=1.0)
    more = Table(frame, (*table.columns, table.columns[0].__class__("other", "number")))
    pd.testing.assert_frame_equal(predictor.predict(more), predictor.predict(table))


def test_too_few_events_for_the_inner_folds_are_refused() -> None:
    with pytest.raises(Refused, match=r"2 events for 3 folds"):
        _fit(outcome=Binary(np.arange(70) < 2))


def test_a_rare_event_still_gives_every_refit_enough_events() -> None:
    predictor = _fit(outcome=Binary(np.arange(70) < 4), refits=5)
    assert len(predictor.refits) == 5


def test_without_refits_there_is_no_interval() -> None:
    frame = _fit(refits=0).predict(_patient())
    assert frame[["low", "high"]].isna().all(axis=None)
    assert not frame["risk"].isna().any()


def test_recalibration_and_threshold_are_part_of_the_predictor() -> None:
    predictor = _fit(recalibration="slope", costs=Costs(missed_event=3.0), refits=1)
    assert predictor.main.recalibration is not None
    assert predictor.main.threshold is not None
    plain = _fit(refits=0)
    assert predictor.main.choice == plain.main.choice
    np.testing.assert_allclose(
        predictor.predict(TABLE)["risk"], predictor.main.recalibration.apply(plain.predict(TABLE)["risk"].to_numpy())
    )
