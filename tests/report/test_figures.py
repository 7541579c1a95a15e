"""Figures draw what was computed elsewhere, and nothing when there is nothing."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import replace

import pytest

from prognoscope.report.figures import Drawing, draw_figures
from prognoscope.report.figures.calibration import calibration, reach_of
from prognoscope.report.figures.decision import benefit_difference, net_benefit
from prognoscope.report.figures.discrimination import discrimination, roc
from prognoscope.report.figures.drawing import COLOURS, DASHES, shortened, wrapped
from prognoscope.report.figures.risk_groups import risk_groups
from prognoscope.report.figures.time_course import time_course
from prognoscope.validation.results import (
    Calibration,
    CalibrationGroup,
    Curve,
    Evaluation,
    Metric,
    RiskHistogram,
    TimeCourse,
)
from tests.make.evaluation import evaluation, survival_evaluation, without_curves

NAN = math.nan


def labels(drawing: Drawing | None) -> list[str]:
    """The texts in a drawing."""
    assert drawing is not None
    return [re.sub(r"\s+", " ", text).strip() for text in re.findall(r"<text[^>]*>([^<]*)</text>", drawing.svg)]


def test_an_evaluation_without_curves_draws_only_its_intervals() -> None:
    figures = draw_figures(without_curves(evaluation()))
    assert figures.discrimination is not None
    assert (figures.roc, figures.risk_groups, figures.calibration, figures.net_benefit) == (None, None, (), None)


def test_nothing_is_drawn_of_figures_that_cannot_be_computed() -> None:
    base = without_curves(evaluation())
    gone = Metric(NAN, NAN, NAN, 9, 3, "one class only")
    models = tuple(replace(model, metrics={"auc": gone}) for model in base.models)
    assert discrimination(replace(base, models=models)) is None
    nothing = tuple(replace(model, metrics={}) for model in base.models)
    assert discrimination(replace(base, models=nothing)) is None


def test_each_model_stands_with_its_figure_and_interval() -> None:
    drawing = discrimination(evaluation())
    assert {"0.82 (0.74 to 0.90)", "0.66 (0.58 to 0.74)", "0.79 (0.71 to 0.87)"} <= set(labels(drawing))
    assert drawing is not None
    assert drawing.description == (
        "All predictors: 0.82 (95 % interval 0.74 to 0.90); Clinical variables only: 0.66 (95 % interval 0.58 to "
        "0.74); Imaging only: 0.79 (95 % interval 0.71 to 0.87); a coin: 0.50."
    )


def test_a_figure_without_interval_is_drawn_without_one() -> None:
    base = evaluation()
    bare = replace(base.models[0], metrics={"auc": Metric(0.8, NAN, NAN, 9, 3, "too few")})
    assert "0.80" in labels(discrimination(replace(base, models=(bare,))))


def test_an_auc_below_a_coin_stays_inside_its_axis() -> None:
    base = evaluation()
    poor = replace(base.models[0], metrics={"auc": Metric(0.1, 0.02, 0.2, 30, 9)})
    ticks = labels(discrimination(replace(base, models=(poor,))))
    assert {"0.0", "0.2", "0.4"} <= set(ticks)


def test_a_roc_curve_tells_what_false_alarms_find() -> None:
    base = evaluation()
    curve = Curve((0.0, 0.1, 0.2, 0.5, 1.0), (0.3, 0.5, 0.6, 0.9, 1.0))
    drawing = roc(replace(base, models=(replace(base.models[0], roc=curve),)))
    assert drawing is not None
    assert drawing.description == (
        "All predictors: 10 % false alarms find 50 %, 20 % false alarms find 60 % and 50 % false alarms find 90 % of "
        "the events."
    )
    assert "band" not in drawing.caption
    first = re.findall(r'd="M ([\d.]+) ([\d.]+) \nL ([\d.]+) ([\d.]+)', drawing.svg)
    assert any(x == then for x, _, then, _ in first), "a curve rises from the origin before it goes right"


def test_a_curve_with_a_band_says_what_the_band_is() -> None:
    drawing = roc(evaluation())
    assert drawing is not None
    assert "95 % band" in drawing.caption


def test_calibration_tells_each_group_of_patients() -> None:
    groups = (CalibrationGroup(0.12, 0.25, 0.1, 0.4, 13), CalibrationGroup(0.7, NAN, NAN, NAN, 1))
    model = replace(evaluation().models[0], calibration=Calibration(Curve((), ()), groups))
    drawing = calibration(model, 0, reach=1.0)
    assert drawing is not None
    assert drawing.description == (
        "13 patients with a mean predicted risk of 12 %: observed 25 %; 1 patient with a mean predicted risk of 70 %: "
        "observed not computable."
    )
    assert drawing.caption == "Slope 0.90 (95 % interval 0.40 to 1.40); intercept 0.04 (95 % interval −0.51 to 0.59)."


def test_a_calibration_curve_without_groups_says_so() -> None:
    model = replace(evaluation().models[0], calibration=Calibration(Curve((0.1, 0.9), (0.2, 0.8)), ()), metrics={})
    drawing = calibration(model, 0, reach=1.0)
    assert drawing is not None
    assert drawing.description == "A smooth curve without groups."
    assert drawing.caption == ""


def test_risks_of_rare_events_fill_their_plot_and_all_models_share_its_scale() -> None:
    base = evaluation()
    rare = replace(base.models[0], calibration=Calibration(Curve((0.01, 0.08), (0.02, 0.07)), ()))
    assert reach_of(replace(base, models=(rare,))) == 0.1
    wider = replace(rare, calibration=Calibration(Curve((0.01, 0.35), (0.02, 0.3)), ()))
    assert reach_of(replace(base, models=(rare, wider))) == 0.4
    assert {"0 %", "5 %", "10 %"} <= set(labels(calibration(rare, 0, reach=0.1)))


def test_the_risks_of_those_with_and_without_the_event_stand_below_the_curve() -> None:
    counts = RiskHistogram((0,) * 50 + (3,) * 50, (4,) * 50 + (0,) * 50)
    model = replace(
        evaluation().models[0], calibration=Calibration(Curve((0.1, 0.9), (0.2, 0.8)), (), histogram=counts)
    )
    drawing = calibration(model, 0, reach=1.0)
    assert drawing is not None
    assert {"with", "without"} <= set(labels(drawing))
    assert drawing.description.endswith(
        "Of those with the event 100 %, of those without 0 % have a risk of 50 % or more."
    )


def test_the_difference_in_net_benefit_tells_where_its_band_leaves_out_nothing() -> None:
    base = evaluation()
    assert benefit_difference(base) is None
    curve = Curve((0.1, 0.2, 0.3, 0.4), (0.0, 0.02, 0.03, -0.2), (-0.1, 0.01, 0.01, -0.3), (0.1, 0.03, 0.05, -0.1))
    drawing = benefit_difference(replace(base, comparisons=(replace(base.comparisons[0], net_benefit=curve),)))
    assert drawing is not None
    assert drawing.description == (
        "All predictors against Clinical variables only: net benefit higher at 20 to 30 % and lower at 40 % (pointwise "
        "95 % bands of the difference)."
    )


def test_auc_and_brier_score_by_time_stand_above_each_other() -> None:
    base = survival_evaluation()
    assert time_course(base) is None
    auc = Curve((365.0, 730.0), (0.7, NAN), (0.6, NAN), (0.8, NAN))
    course = TimeCourse(auc, Curve((365.0, 730.0), (0.1, 0.2), (0.08, 0.15), (0.12, 0.25)), (0.15, 0.24))
    shown = replace(base, models=(replace(base.models[0], over_time=course),))
    drawing = time_course(shown)
    assert drawing is not None
    assert drawing.description == "All predictors: AUC 0.70 by day 365."
    assert {"AUC", "Brier score", "Days since time zero"} <= set(labels(drawing))
    ranked = time_course(replace(base, models=(replace(base.models[0], over_time=TimeCourse(auc)),)))
    assert "Brier score" not in labels(ranked)


def test_net_benefit_that_is_not_known_everywhere_leaves_gaps_and_says_why() -> None:
    base = survival_evaluation()
    model = base.models[0]
    y = (NAN, *model.decision.model.y[1:])
    gap = replace(model, decision=replace(model.decision, model=replace(model.decision.model, y=y)))
    drawing, whole = net_benefit(replace(base, models=(gap,))), net_benefit(base)
    assert drawing is not None
    assert whole is not None
    assert "Gaps: of those above that threshold nobody was followed to the horizon." in drawing.caption
    assert "Gaps" not in whole.caption


def test_net_benefit_shows_treating_everyone_and_nobody_beside_the_models() -> None:
    shown = labels(net_benefit(evaluation()))
    assert {"All predictors", "Clinical variables only", "Imaging only", "Treat everyone", "Treat nobody"} <= set(shown)
    assert "Net benefit per 100 patients" in shown


def test_kaplan_meier_curves_stand_above_the_numbers_at_risk() -> None:
    base = survival_evaluation()
    drawing = risk_groups(base)
    shown = labels(drawing)
    for group in base.models[0].risk_groups:
        for day, number in group.at_risk:
            assert str(number) in shown
            assert f"{day:.0f}" in shown
    assert {"Number at risk", "horizon", "Days since time zero"} <= set(shown)
    assert drawing is not None
    assert "Middle third: 17 patients, 6 with the event" in drawing.description


def test_a_risk_group_without_a_curve_is_still_told() -> None:
    base = survival_evaluation()
    first, *others = base.models[0].risk_groups
    empty = replace(first, survival=Curve((), ()))
    drawing = risk_groups(replace(base, models=(replace(base.models[0], risk_groups=(empty, *others)),)))
    assert drawing is not None
    assert drawing.description.startswith("Lowest third of risk: 17 patients, 3 with the event; Middle third")


def test_more_models_than_colours_still_draw() -> None:
    base = evaluation()
    many = tuple(replace(base.models[0], name=f"m{place}", title=f"Model {place}") for place in range(len(COLOURS) + 1))
    assert f"Model {len(COLOURS)}" in labels(net_benefit(replace(base, models=many)))


def test_each_colour_comes_with_a_dash_of_its_own() -> None:
    assert len(COLOURS) == len(DASHES) == len(set(COLOURS)) == len(set(map(str, DASHES)))


@pytest.mark.parametrize("base", [evaluation(), survival_evaluation()])
def test_a_drawing_fits_into_a_page(base: Evaluation) -> None:
    figures = draw_figures(base)
    drawings = [figures.discrimination, figures.roc, figures.risk_groups, *figures.calibration, figures.net_benefit]
    for drawing in (drawing for drawing in drawings if drawing is not None):
        assert drawing.svg.startswith("<svg ")
        assert drawing.svg.endswith("</svg>")
        for leftover in ("<?xml", "<!DOCTYPE", "<metadata", "<style", "matplotlib.org", "DejaVu"):
            assert leftover not in drawing.svg.replace("'DejaVu Sans'", ""), leftover
        assert all(name.startswith(drawing.key) for name in re.findall(r' id="([^"]+)"', drawing.svg))


def test_names_in_any_script_are_drawn_without_a_warning() -> None:
    base = evaluation()
    models = (replace(base.models[0], title="腫瘍の全予測因子 🩻 عمر"),)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert any("腫瘍" in text for text in labels(net_benefit(replace(base, models=models))))


def test_a_dollar_sign_in_a_name_is_a_dollar_sign() -> None:
    base = evaluation()
    models = (replace(base.models[0], title="cost in $ or US$"),)
    assert "cost in $ or US$" in labels(net_benefit(replace(base, models=models)))


def test_a_users_own_style_of_matplotlib_changes_nothing() -> None:
    import matplotlib

    expected = roc(evaluation())
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "xtick.major.pad": 30}):
        assert roc(evaluation()) == expected
        assert matplotlib.rcParams["font.size"] == 30


def test_long_labels_are_cut_with_an_ellipsis() -> None:
    assert shortened("short", 10) == "short"
    assert shortened("a long name\nof a model", 10) == "a long na…"
    assert wrapped("Clinical variables only", 17) == "Clinical\nvariables only"
    assert wrapped("one two three four five six seven", 9) == "one two\nthree…"
