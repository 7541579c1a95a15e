"""What must hold for every cohort: found by hypothesis."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.core.problems import Refused
from prognoscope.training import assign_folds, conformal_sets
from prognoscope.training.conformal import p_values
from prognoscope.training.elastic_net import elastic_net
from prognoscope.training.encoding import Feature
from prognoscope.training.preparation import EDGE, PreparationSettings, fit_preparation
from prognoscope.training.recalibration import Method, fit_recalibration
from prognoscope.training.splits import strata_of
from prognoscope.training.survival_forest import fit_survival_forest

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def outcomes(draw: st.DrawFn) -> Outcome:
    n = draw(st.integers(12, 60))
    event = np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    if draw(st.booleans()):
        return Binary(event)
    time = np.array(draw(st.lists(st.integers(1, 20), min_size=n, max_size=n)), dtype=float)
    return TimeToEvent(time, event, float(draw(st.integers(1, 20))))


@QUICK
@given(outcome=outcomes(), folds=st.integers(2, 6), seed=st.integers(0, 10**6))
def test_folds_part_the_patients_and_spread_events_or_are_refused(outcome: Outcome, folds: int, seed: int) -> None:
    strata = strata_of(outcome)
    with_event = int((strata == 1).sum())
    if min(with_event, len(outcome) - with_event) < folds:
        with pytest.raises(Refused):
            assign_folds(outcome, folds=folds, repeats=1, seed=seed)
        return
    (row,) = assign_folds(outcome, folds=folds, repeats=1, seed=seed)
    assert set(row) == set(range(folds))
    for kind in np.unique(strata):
        counts = np.bincount(row[strata == kind], minlength=folds)
        assert counts.max() - counts.min() <= 1


@QUICK
@given(
    groups=st.lists(st.integers(0, 15), min_size=40, max_size=40), seed=st.integers(0, 10**6), folds=st.integers(2, 4)
)
def test_groups_are_never_split(groups: list[int], seed: int, folds: int) -> None:
    outcome = Binary(np.array(groups) % 2 == 0)
    try:
        (row,) = assign_folds(outcome, folds=folds, repeats=1, seed=seed, groups=[str(group) for group in groups])
    except Refused:
        even = {group for group in groups if group % 2 == 0}
        assert min(len(even), len(set(groups) - even)) < folds
        return
    for group in set(groups):
        assert len(set(row[np.array(groups) == group])) == 1


NUMBERS = st.one_of(st.floats(-1e6, 1e6, width=32), st.just(float("nan")), st.integers(0, 2).map(float))


@QUICK
@given(
    encoded=arrays(float, st.tuples(st.integers(8, 30), st.integers(1, 12)), elements=NUMBERS),
    seed=st.integers(0, 1000),
    keep=st.integers(1, 12),
)
def test_whatever_the_numbers_a_prepared_matrix_is_complete_and_bounded(encoded: Any, seed: int, keep: int) -> None:
    event = np.random.default_rng(seed).permutation(np.arange(len(encoded)) % 3 == 0)
    features = [Feature(f"f{place}") for place in range(encoded.shape[1])]
    preparation = fit_preparation(encoded, features, Binary(event), keep=keep, settings=PreparationSettings())
    x = preparation.apply(encoded)
    assert 1 <= x.shape[1] <= keep
    assert np.isfinite(x).all()
    assert np.abs(x).max() <= EDGE
    gaps = preparation.apply(np.full_like(encoded[:1], np.nan))
    assert np.isfinite(gaps).all()


@QUICK
@given(seed=st.integers(0, 10**6), n=st.integers(10, 60), p=st.integers(1, 40), l1_ratio=st.floats(0.05, 1.0))
def test_a_smaller_penalty_never_fits_worse(seed: int, n: int, p: int, l1_ratio: float) -> None:
    draw = np.random.default_rng(seed)
    x = np.clip(draw.normal(size=(n, p)) * draw.choice([1.0, 0.01], p), -EDGE, EDGE)
    event = draw.permutation(np.arange(n) < max(2, n // 3))
    intercepts, coefficients = elastic_net(x, event, np.array([0.5, 0.1, 0.02]), l1_ratio=l1_ratio)
    eta = intercepts[:, None] + coefficients @ x.T
    loss = np.mean(np.logaddexp(0, eta) - event * eta, axis=1)
    assert np.isfinite(coefficients).all()
    assert (np.diff(loss) <= 1e-7).all()
    # An unpenalised intercept makes the mean risk the frequency.
    np.testing.assert_allclose(np.mean(1 / (1 + np.exp(-eta)), axis=1), event.mean(), atol=1e-5)


@QUICK
@given(seed=st.integers(0, 10**6), n=st.integers(8, 60), ties=st.booleans())
def test_survival_forests_give_probabilities_that_rise_with_the_horizon(seed: int, n: int, ties: bool) -> None:
    draw = np.random.default_rng(seed)
    time = draw.exponential(100, n) + 0.1
    time = np.ceil(time / 50) if ties else time
    event = draw.random(n) < 0.5
    x = draw.normal(size=(n, 4))
    setting = [{"leaf_share": 0.1, "trees": 10}]
    risks = [
        fit_survival_forest(x, TimeToEvent(time, event, float(horizon)), setting, seed=seed)[0].risk(x)
        for horizon in np.quantile(time, [0.2, 0.5, 0.9])
    ]
    assert all(((risk >= 0) & (risk <= 1)).all() for risk in risks)
    assert all((later >= earlier - 1e-12).all() for earlier, later in itertools.pairwise(risks))


@QUICK
@given(
    risk=arrays(float, 30, elements=st.floats(0, 1)),
    seed=st.integers(0, 1000),
    method=st.sampled_from(["intercept", "slope", "platt", "isotonic"]),
)
def test_recalibrated_risks_are_risks_and_keep_their_mean(risk: Any, seed: int, method: Method) -> None:
    event = np.random.default_rng(seed).permutation(np.arange(30) < 10)
    recalibration = fit_recalibration(method, Binary(event), risk)
    assert recalibration is not None
    better = recalibration.apply(risk)
    assert ((better >= 0) & (better <= 1)).all()
    if method in ("intercept", "isotonic"):
        assert better.mean() == pytest.approx(1 / 3, abs=1e-6)


@QUICK
@given(risk=arrays(float, 24, elements=st.floats(0, 1)), new=arrays(float, (3, 5), elements=st.floats(0, 1)))
def test_conformal_p_values_are_above_zero_and_sets_grow_as_fewer_errors_are_allowed(risk: Any, new: Any) -> None:
    values = p_values(risk, np.arange(24) % 2 == 0, np.arange(24) % 3, new)
    assert ((values >= 1 / 25) & (values <= 1)).all()
    strict, loose = (conformal_sets(values, alpha=alpha, calibrated_on=24) for alpha in (0.05, 0.3))
    assert (strict.event | ~loose.event).all()
    assert (strict.no_event | ~loose.no_event).all()
