"""Intraclass correlation against published values."""

import math

import numpy as np
import pytest

from prognoscope.core.problems import Refused
from prognoscope.training.agreement import Form, intraclass_correlation

# Shrout and Fleiss, Psychological Bulletin 86, 1979, table 2: six targets rated by four judges.
RATINGS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
# Estimates: their table 4 (.17, .29, .71). Intervals: R, psych::ICC(sf) of the package psych 2.x, which prints
# ICC1 0.17 (-0.133, 0.72), ICC2 0.29 (0.019, 0.76), ICC3 0.71 (0.342, 0.95) for this table.
PUBLISHED: dict[Form, tuple[float, float, float]] = {
    "1,1": (0.17, -0.133, 0.72),
    "2,1": (0.29, 0.019, 0.76),
    "3,1": (0.71, 0.342, 0.95),
}


@pytest.mark.parametrize("form", PUBLISHED)
def test_the_example_of_shrout_and_fleiss(form: Form) -> None:
    found = intraclass_correlation(RATINGS, form=form)
    icc, low, high = PUBLISHED[form]
    assert float(found.icc) == pytest.approx(icc, abs=0.005)
    assert float(found.low) == pytest.approx(low, abs=0.0006)
    assert float(found.high) == pytest.approx(high, abs=0.005)


def test_mean_squares_of_the_example_give_the_estimates_exactly() -> None:
    # Their table 3 (BMS 11.24, WMS 6.26, JMS 32.49, EMS 1.02), as sums of squares over degrees of freedom.
    bms, wms, jms, ems = 56.208333333 / 5, 112.75 / 18, 97.458333333 / 3, 15.291666667 / 15
    assert float(intraclass_correlation(RATINGS, form="1,1").icc) == pytest.approx((bms - wms) / (bms + 3 * wms))
    assert float(intraclass_correlation(RATINGS, form="3,1").icc) == pytest.approx((bms - ems) / (bms + 3 * ems))
    expected = (bms - ems) / (bms + 3 * ems + 4 * (jms - ems) / 6)
    assert float(intraclass_correlation(RATINGS, form="2,1").icc) == pytest.approx(expected)


def test_many_features_at_once_are_those_one_by_one() -> None:
    values = np.random.default_rng(0).normal(size=(5, 8, 3)) + np.arange(8)[:, None]
    for form in PUBLISHED:
        together = intraclass_correlation(values, form=form)
        assert together.icc.shape == together.low.shape == together.high.shape == (5,)
        for at in range(5):
            alone = intraclass_correlation(values[at], form=form)
            assert [float(together.icc[at]), float(together.low[at]), float(together.high[at])] == pytest.approx(
                [float(alone.icc), float(alone.low), float(alone.high)]
            )


def test_a_shift_and_a_unit_change_nothing_where_all_raters_share_them() -> None:
    for form in PUBLISHED:
        one = intraclass_correlation(RATINGS, form=form)
        other = intraclass_correlation(np.asarray(RATINGS) * 1e3 + 1e9, form=form)
        assert float(other.icc) == pytest.approx(float(one.icc), rel=1e-6)
        assert float(other.low) == pytest.approx(float(one.low), rel=1e-5)


def test_consistency_ignores_what_one_rater_adds_and_agreement_does_not() -> None:
    shifted = np.asarray(RATINGS, dtype=float)
    shifted[:, 0] += 50
    consistent = intraclass_correlation(shifted, form="3,1")
    assert float(consistent.icc) == pytest.approx(float(intraclass_correlation(RATINGS, form="3,1").icc))
    assert float(intraclass_correlation(shifted, form="2,1").icc) < 0.05


@pytest.mark.parametrize("form", PUBLISHED)
def test_perfect_agreement_is_one_with_an_interval_of_no_width(form: Form) -> None:
    found = intraclass_correlation([[1.0, 1.0], [2.0, 2.0], [5.0, 5.0]], form=form)
    assert [float(found.icc), float(found.low), float(found.high)] == pytest.approx([1.0, 1.0, 1.0], abs=1e-12)


@pytest.mark.parametrize("form", PUBLISHED)
def test_a_feature_that_never_varies_or_lacks_a_value_has_no_correlation(form: Form) -> None:
    for values in ([[3.0, 3.0], [3.0, 3.0]], [[1.0, 2.0], [math.nan, 3.0]]):
        found = intraclass_correlation(values, form=form)
        assert math.isnan(float(found.icc))
        assert math.isnan(float(found.low))
        assert math.isnan(float(found.high))


@pytest.mark.parametrize("form", PUBLISHED)
def test_the_interval_covers_the_truth_in_about_95_of_100_samples(form: Form) -> None:
    generator = np.random.default_rng(4)
    subjects = generator.normal(0, 2, (4000, 30, 1))
    judges = generator.normal(0, 0.5, (4000, 1, 4)) if form == "2,1" else 0.0
    values = subjects + judges + generator.normal(0, 1, (4000, 30, 4))
    truth = 4 / (4 + 0.25 + 1) if form == "2,1" else 4 / 5
    found = intraclass_correlation(values, form=form)
    covered = float(np.mean((found.low <= truth) & (truth <= found.high)))
    assert 0.93 < covered < 0.97
    assert float(found.icc.mean()) == pytest.approx(truth, abs=0.02)


@pytest.mark.parametrize("values", [[1.0, 2.0], [[1.0, 2.0]], [[1.0], [2.0]], 3.0])
def test_fewer_than_two_subjects_or_measurements_are_refused(values: object) -> None:
    with pytest.raises(Refused, match="icc-shape"):
        intraclass_correlation(values, form="3,1")  # type: ignore[arg-type]
