"""Whether risks can be taken at face value: read off intercept, slope and curve together, never off the slope alone."""

from __future__ import annotations

from dataclasses import replace

from prognoscope.report.calibration_words import calibration_in_words, curve_in_words, flexible_note
from prognoscope.validation.results import Calibration, Curve, Evaluation, Metric
from tests.make.evaluation import evaluation, survival_evaluation

RISKS = (0.05, 0.2, 0.4, 0.6, 0.8)


def shifted(by: tuple[float, ...], half: float = 0.02) -> Curve:
    """A calibration curve that lies so far above the diagonal at each risk, with a band."""
    y = tuple(risk + more for risk, more in zip(RISKS, by, strict=True))
    return Curve(RISKS, y, tuple(value - half for value in y), tuple(value + half for value in y))


def told(curve: Curve, intercept: tuple[float, float, float], slope: tuple[float, float, float]) -> str:
    base = evaluation()
    metrics = {
        name: Metric(*ends, 180, 71)
        for name, ends in (("calibration_intercept", intercept), ("calibration_slope", slope))
    }
    main = replace(base.models[0], metrics=metrics, calibration=Calibration(curve, ()))
    return calibration_in_words(replace(base, models=(main,)))


def test_risks_that_are_all_too_high_are_not_called_too_low_at_the_low_end() -> None:
    found = told(shifted((-0.03, -0.1, -0.2, -0.3, -0.3)), (-0.9, -1.1, -0.7), (0.7, 0.6, 0.8))
    assert "too high on average and too far apart" in found
    assert found.endswith("By the curve, risks are too high throughout, the lowest and the highest alike.")
    assert "too low" not in found


def test_a_curve_that_crosses_the_diagonal_says_where_it_lies_on_which_side() -> None:
    assert curve_in_words(shifted((0.04, 0.05, 0.0, -0.1, -0.2))) == (
        "By the curve, risks are too low between 5 % and 20 % and too high between 60 % and 80 %."
    )


def test_one_risk_alone_is_not_told_as_a_range() -> None:
    assert curve_in_words(shifted((0.0, 0.0, 0.1, 0.0, 0.0))) == "By the curve, risks are too low around 40 %."


def test_a_band_that_holds_the_diagonal_says_nothing() -> None:
    assert curve_in_words(shifted((0.01, 0.0, -0.01, 0.0, 0.01))) == ""
    assert curve_in_words(Curve(RISKS, RISKS)) == ""


def test_a_bent_curve_is_told_though_intercept_and_slope_are_right() -> None:
    found = told(shifted((0.0, 0.1, 0.0, -0.1, 0.0)), (0.0, -0.2, 0.2), (1.0, 0.8, 1.2))
    assert found.startswith("On average the risks and their spread may be right")
    assert found.endswith("By the curve, risks are too low around 20 % and too high around 60 %.")


def test_a_negative_slope_is_turned_round_and_not_merely_too_extreme() -> None:
    found = told(shifted((0.3, 0.2, 0.0, -0.3, -0.6)), (-1.9, -2.3, -1.6), (-0.7, -0.9, -0.5))
    assert "turned round" in found
    assert "too far apart" not in found


def small(base: Evaluation, n: int, events: int) -> str:
    return flexible_note(replace(base, n=n, events=events))


def test_a_flexible_curve_asks_for_two_hundred_of_each() -> None:
    assert small(evaluation(), 400, 200) == ""
    assert "here there are 199 with it" in small(evaluation(), 400, 199)
    assert "here there are 150 without it" in small(evaluation(), 400, 250)


def test_those_lost_before_the_horizon_are_not_counted_as_without_the_event() -> None:
    base = replace(survival_evaluation(), censored_before_horizon=120)
    assert "here there are 180 without it" in small(base, 600, 300)
