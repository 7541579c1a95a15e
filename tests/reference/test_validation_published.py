"""Figures of validation that others published, with where they stand."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.outcome import Binary, TimeToEvent
from prognoscope.validation import (
    auc_at_horizon,
    c_index,
    calibration_slope_of_hazard,
    cox_regression,
    for_binary,
    for_continuous,
    for_survival,
    kaplan_meier,
    net_benefit,
    net_benefit_at_horizon,
    net_interventions_avoided,
    treat_all,
    uno_c,
)

DATA = Path(__file__).parent / "data"
YEAR = 365.25


class TestRiley:
    """The examples in the documentation of the R package pmsampsize 1.1.3 (its four calls), and their `n`."""

    def test_binary_by_cox_snell_r2(self) -> None:
        # pmsampsize(type = "b", csrsquared = 0.288, parameters = 24, prevalence = 0.174)
        assert for_binary(parameters=24, prevalence=0.174, r2_cox_snell=0.288).n == 662

    def test_binary_by_c_statistic(self) -> None:
        # pmsampsize(type = "b", cstatistic = 0.89, parameters = 24, prevalence = 0.174)
        assert for_binary(parameters=24, prevalence=0.174, c_statistic=0.89).n == 660

    def test_survival(self) -> None:
        # pmsampsize(type = "s", csrsquared = 0.051, parameters = 30, rate = 0.065, timepoint = 2, meanfup = 2.07)
        found = for_survival(parameters=30, rate=0.065, horizon=2, mean_follow_up=2.07, r2_cox_snell=0.051)
        assert found.n == 5143

    def test_continuous(self) -> None:
        # pmsampsize(type = "c", rsquared = 0.2, parameters = 25, intercept = 1.9, sd = 0.6)
        assert for_continuous(parameters=25, r2=0.2, mean=1.9, standard_deviation=0.6).n == 918


class TestDecisionCurves:
    """The R package dcurves on its simulated cohort of 750 (`df_binary`, `df_surv`; Apache-2.0).

    Cohort and R's tables as kept in the tests of MSKCC-Epi-Bio/dcurves at 168c8b65: `dca(cancer ~ famhistory)`,
    `dca(Surv(ttcancer, cancer) ~ cancerpredmarker, time = 1)` and, at 1.5, `pr_failure18`, the risk of a Cox model.
    """

    cohort = pd.read_csv(DATA / "dcurves_cohort.csv")
    tables = pd.read_csv(DATA / "dcurves_r.csv")

    def outcome(self, call: Any) -> Any:
        event = self.cohort.cancer.to_numpy() == 1
        if call == "binary":
            return Binary(event)
        return TimeToEvent(self.cohort.ttcancer.to_numpy(), event, float(call.split()[-1]))

    def found(self, call: Any, model: Any, thresholds: Any) -> Any:
        outcome = self.outcome(call)
        if model == "all":
            return treat_all(outcome, thresholds=thresholds)
        risk = self.cohort[model].to_numpy(dtype=float)
        if isinstance(outcome, Binary):
            return net_benefit(outcome.event, risk, thresholds=thresholds)
        return net_benefit_at_horizon(outcome, risk, thresholds=thresholds)

    @pytest.mark.parametrize(
        ("call", "model", "known"),
        [
            ("binary", "famhistory", 99),
            ("binary", "all", 99),
            ("survival at 1", "cancerpredmarker", 73),
            ("survival at 1", "all", 99),
            ("survival at 1.5", "pr_failure18", 50),
        ],
    )
    def test_net_benefit_and_interventions_avoided(self, call: str, model: str, known: int) -> None:
        table = self.tables[(self.tables.call == call) & (self.tables.model == model)]
        found = self.found(call, model, table.threshold.to_numpy())
        # R gives NA once the last of those above the threshold has died before the time asked for; their risk is 1.
        given = table.net_benefit.notna().to_numpy()
        assert given.sum() == known
        np.testing.assert_allclose(found[given], table.net_benefit[given], atol=1e-6)
        if table.net_intervention_avoided.notna().any():
            everyone = self.found(call, "all", table.threshold.to_numpy())
            avoided = net_interventions_avoided(found, everyone, table.threshold)
            np.testing.assert_allclose(avoided[given], table.net_intervention_avoided[given], atol=1e-6)

    def test_treat_all_at_one_in_a_hundred(self) -> None:
        assert self.found("binary", "all", [0.01])[0] == pytest.approx(0.131313, abs=1e-6)

    def test_a_case_control_study_at_the_cohort_s_prevalence_is_the_cohort(self) -> None:
        event, risk = self.cohort.cancer.to_numpy(), self.cohort.cancerpredmarker.to_numpy()
        thresholds = [0.05, 0.2, 0.5]
        stated = net_benefit(event, risk, thresholds=thresholds, prevalence=event.mean())
        np.testing.assert_allclose(stated, net_benefit(event, risk, thresholds=thresholds), atol=1e-12)


def test_cox_coefficients_of_the_rossi_data() -> None:
    # lifelines 0.30, documentation "Survival regression": CoxPHFitter().fit(load_rossi(), "week", "arrest").
    from lifelines.datasets import load_rossi

    rossi = load_rossi()
    columns = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
    fit = cox_regression(rossi.week, rossi.arrest, rossi[columns])
    expected = [-0.379422, -0.057438, 0.313900, -0.149796, -0.433704, -0.084871, 0.091497]
    np.testing.assert_allclose(fit.coefficients, expected, atol=5e-7)
    assert fit.log_likelihood == pytest.approx(-658.75, abs=5e-3)


@pytest.mark.real_data
@pytest.mark.skipif("PROGNOSCOPE_DATA" not in os.environ, reason="PROGNOSCOPE_DATA is not set")
class TestRotterdamModelInGermany:
    """McLernon et al. 2023, Ann Intern Med 176:105: a Cox model from Rotterdam, validated in the GBSG at 5 years.

    Their code (github: danielegiardiello/Prediction_performance_survival) gives the transformations.
    """

    @pytest.fixture
    def tables(self) -> Any:
        folder = Path(os.environ["PROGNOSCOPE_DATA"]) / "tables"
        return pd.read_parquet(folder / "rotterdam.parquet"), pd.read_parquet(folder / "gbsg.parquet")

    @pytest.mark.parametrize(
        ("with_pgr", "harrell", "uno", "auc", "ratio", "slope"),
        [(False, 0.652, 0.635, 0.678, 1.018, 1.056), (True, 0.675, 0.657, 0.704, 0.994, 1.144)],
        ids=["basic", "with pgr"],
    )
    def test_its_figures(
        self, tables: Any, with_pgr: Any, harrell: Any, uno: Any, auc: Any, ratio: Any, slope: Any
    ) -> None:
        rotterdam, gbsg = tables
        line, risk = _rotterdam_model(rotterdam, gbsg, with_pgr=with_pgr)
        time = gbsg.rfstime.to_numpy(dtype=float)
        event = (gbsg.status.to_numpy() == 1) & (time <= 5 * YEAR)
        time = np.minimum(time, 5 * YEAR)
        assert c_index(time, event, line) == pytest.approx(harrell, abs=5e-4)
        assert uno_c(time, event, line, horizon_days=5 * YEAR) == pytest.approx(uno, abs=5e-4)
        assert auc_at_horizon(TimeToEvent(time, event, 4.95 * YEAR), line) == pytest.approx(auc, abs=5e-4)
        assert (1 - kaplan_meier(time, event).at(5 * YEAR)[0]) / risk.mean() == pytest.approx(ratio, abs=5e-4)
        assert calibration_slope_of_hazard(time, event, line) == pytest.approx(slope, abs=5e-4)


def _rotterdam_model(rotterdam: Any, gbsg: Any, *, with_pgr: Any) -> Any:
    """Linear predictor and 5-year risk of GBSG patients."""
    dead = (rotterdam.recur == 0) & (rotterdam.death == 1) & (rotterdam.rtime < rotterdam.dtime)
    time = rotterdam.rtime.where(~dead, rotterdam.dtime).to_numpy(dtype=float) / YEAR
    event = ((rotterdam.recur == 1) | (rotterdam.death == 1)).to_numpy() & (time <= 5)
    time = np.minimum(time, 5)
    sizes = pd.cut(gbsg["size"], [-1, 20, 50, np.inf], labels=["<=20", "20-50", ">50"]).astype(str)
    learnt = _columns(rotterdam, rotterdam["size"], with_pgr=with_pgr)
    fit = cox_regression(time, event, learnt)
    old, new = learnt @ fit.coefficients, _columns(gbsg, sizes, with_pgr=with_pgr) @ fit.coefficients
    hazard = sum(
        np.count_nonzero(event & (time == when)) / np.exp(old[time >= when]).sum() for when in np.unique(time[event])
    )
    return new, 1 - np.exp(-hazard * np.exp(new))


def _columns(table: Any, size: Any, *, with_pgr: Any) -> Any:
    nodes = np.minimum(table.nodes.to_numpy(dtype=float), 19)
    columns = [size == "20-50", size == ">50", nodes, _spline(nodes, 0, 1, 9), table.grade == 3]
    if with_pgr:
        pgr = np.minimum(table.pgr.to_numpy(dtype=float), 1360)
        columns += [pgr, _spline(pgr, 0, 41, 486)]
    return np.column_stack([np.asarray(column, dtype=float) for column in columns])


def _spline(x: Any, first: Any, middle: Any, last: Any) -> Any:
    def cube(values: Any) -> Any:
        return np.maximum(values, 0) ** 3

    tail = cube(x - middle) * (last - first) / (last - middle) - cube(x - last) * (middle - first) / (last - middle)
    return (cube(x - first) - tail) / (last - first) ** 2
