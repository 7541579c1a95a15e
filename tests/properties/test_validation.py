"""What must hold for any outcomes and risks."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.validation import (
    auc,
    brier,
    c_index,
    evaluate,
    kaplan_meier,
    net_benefit,
    status_weights,
    treat_all,
)
from prognoscope.validation.resampling import once

sizes = st.integers(2, 30)
unit = st.floats(0, 1)


@st.composite
def binary(draw: Any) -> Any:
    n = draw(sizes)
    return draw(arrays(bool, n)), draw(arrays(float, n, elements=st.floats(0, 1, width=16)))


@st.composite
def survival(draw: Any) -> Any:
    n = draw(sizes)
    time = draw(arrays(float, n, elements=st.integers(1, 12).map(float)))
    return TimeToEvent(time, draw(arrays(bool, n)), 6.5), draw(arrays(float, n, elements=st.floats(0, 1, width=16)))


@given(binary())
def test_turning_the_risks_round_turns_the_auc_round(drawn: Any) -> None:
    event, risk = drawn
    forward, backward = auc(event, risk), auc(event, 1 - risk)
    assert np.isnan(forward) == (event.all() or not event.any())
    if not np.isnan(forward):
        assert 0 <= forward <= 1
        assert abs(forward + backward - 1) < 1e-9


@given(binary(), st.randoms())
def test_the_order_of_the_patients_does_not_matter(drawn: Any, random: Any) -> None:
    event, risk = drawn
    order = list(range(len(event)))
    random.shuffle(order)
    np.testing.assert_allclose(auc(event[order], risk[order]), auc(event, risk))
    np.testing.assert_allclose(brier(event[order], risk[order]), brier(event, risk))


@given(binary())
def test_net_benefit_never_exceeds_the_prevalence(drawn: Any) -> None:
    event, risk = drawn
    assert (net_benefit(event, risk) <= event.mean() + 1e-12).all()
    assert np.allclose(net_benefit(event, np.ones(len(event))), treat_all(Binary(event)))


@given(survival())
def test_concordance_lies_between_nothing_and_all_and_ignores_the_unit_of_time(drawn: Any) -> None:
    outcome, risk = drawn
    found = c_index(outcome.time_days, outcome.event, risk)
    np.testing.assert_allclose(c_index(outcome.time_days * 24, outcome.event, risk), found)
    assert np.isnan(found) or 0 <= found <= 1


@given(survival())
def test_weights_of_known_statuses_sum_to_the_patients_or_are_unknown(drawn: Any) -> None:
    outcome, _ = drawn
    weights = status_weights(outcome, once(len(outcome)))[0]
    survives = kaplan_meier(outcome.time_days, outcome.event).at(outcome.horizon_days)[0]
    if np.isnan(survives):
        assert np.isnan(weights).all()
    else:
        assert abs(weights.sum() - len(outcome)) < 1e-9


@settings(max_examples=30, deadline=None)
@given(st.one_of(binary(), survival()))
def test_an_evaluation_never_holds_a_number_without_meaning(drawn: Any) -> None:
    event, risk = drawn
    outcome = event if isinstance(event, TimeToEvent) else Binary(event)
    model = OutOfFold(risk[None], np.zeros((1, len(risk)), dtype=np.int64))
    metrics = evaluate(outcome, {"m": model}, titles={}, resamples=200, seed=1).models[0].metrics
    for name, metric in metrics.items():
        assert not np.isinf([metric.estimate, metric.low, metric.high]).any(), name
        assert np.isfinite(metric.estimate) or metric.reason, name
        assert np.isfinite(metric.low) or metric.reason, name
        assert np.isnan(metric.low) == np.isnan(metric.high), name
