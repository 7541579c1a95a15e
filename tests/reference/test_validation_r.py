"""R as a live oracle: pROC, rms, survival and riskRegression on the same numbers (Debian's r-cran-* packages)."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from prognoscope.core.outcome import Binary
from prognoscope.validation import (
    auc,
    auc_at_horizon,
    brier,
    brier_at_horizon,
    c_index,
    calibration_curve,
    calibration_errors,
    calibration_intercept,
    calibration_slope,
    cox_regression,
    delong_interval,
    delong_test,
    kaplan_meier,
    likelihood_ratio_test,
    optimism_corrected,
    status_weights,
)
from prognoscope.validation.flexible import loess_smoother
from prognoscope.validation.recalibration import logistic_rows
from prognoscope.validation.resampling import once
from tests.make.validation import binary_cohort, survival_cohort

pytestmark = [
    pytest.mark.system,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("Rscript") is None, reason="needs R (Debian: r-base-core, r-cran-rms, …)"),
]


def r(code: Any, folder: Any, **frames: Any) -> Any:
    """Run R code that sees the frames as data frames; return what it leaves in `answer` as lists of numbers."""
    lines = []
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
        lines.append(f'{name} <- read.csv("{folder}/{name}.csv")')
    show = (
        'cat("\\nANSWER", paste0("{", paste(sapply(names(answer), function(k) paste0("\\"", k, "\\": [", '
        'paste(sprintf("%.15g", as.numeric(answer[[k]])), collapse=", "), "]")), collapse=", "), "}"), "\\n")'
    )
    script = folder / "oracle.R"
    script.write_text("\n".join([*lines, code, show]))
    ran = subprocess.run(
        ["Rscript", "--vanilla", str(script)], capture_output=True, text=True, check=False, timeout=300
    )
    found = [line for line in ran.stdout.splitlines() if line.startswith("ANSWER")]
    assert found, ran.stderr
    return json.loads(found[0].removeprefix("ANSWER").replace("NA", "NaN"))


def test_the_aneurysm_data_of_proc(tmp_path: Path) -> None:
    # Published: AUC of wfns 0.823678861788618; of ndka 0.611957994579946, DeLong's interval 0.501245 to 0.722671
    # (Robin et al. 2011, BMC Bioinformatics 12:77, and pROC's documentation of `auc` and `ci.auc`).
    code = """
    suppressMessages(library(pROC)); data(aSAH)
    first <- roc(aSAH$outcome, aSAH$wfns, quiet=TRUE); second <- roc(aSAH$outcome, aSAH$ndka, quiet=TRUE)
    test <- roc.test(first, second)
    answer <- list(event = aSAH$outcome == "Poor", wfns = as.numeric(aSAH$wfns), ndka = aSAH$ndka,
                   p = test$p.value, interval = ci.auc(second))
    """
    found = r(code, tmp_path)
    event = np.array(found["event"]) == 1
    assert len(event) == 113
    assert auc(event, found["wfns"]) == pytest.approx(0.823678861788618, abs=1e-14)
    interval = delong_interval(event, found["ndka"])
    assert interval.estimate == pytest.approx(0.611957994579946, abs=1e-14)
    assert (interval.low, interval.high) == pytest.approx((0.501245, 0.722671), abs=1e-6)
    assert (interval.low, interval.high) == pytest.approx((found["interval"][0], found["interval"][2]), abs=1e-10)
    assert delong_test(event, found["wfns"], found["ndka"]).p == pytest.approx(found["p"][0], abs=1e-10)


def test_val_prob_of_rms(tmp_path: Path) -> None:
    event, risk = binary_cohort(300, seed=1)
    risk = risk**1.5
    code = """
    suppressMessages(library(rms)); v <- val.prob(d$p, d$y, pl=FALSE)
    offset <- coef(glm(y ~ 1, offset = qlogis(p), family = binomial, data = d))
    answer <- list(c = v["C (ROC)"], brier = v["Brier"], slope = v["Slope"], offset = offset)
    """
    found = r(code, tmp_path, d=pd.DataFrame({"p": risk, "y": event.astype(int)}))
    # rms takes C from the fit of the logit, whose values it puts into bins: equal to three decimals only.
    assert auc(event, risk) == pytest.approx(found["c"][0], abs=5e-4)
    assert brier(event, risk) == pytest.approx(found["brier"][0], abs=1e-9)
    assert calibration_slope(event, risk) == pytest.approx(found["slope"][0], abs=1e-5)
    assert calibration_intercept(event, risk) == pytest.approx(found["offset"][0], abs=1e-6)


def test_loess_of_r(tmp_path: Path) -> None:
    event, risk = binary_cohort(200, seed=2)
    code = """
    fit <- loess(y ~ p, data = d, control = loess.control(surface = "direct"))
    answer <- list(y = predict(fit, data.frame(p = c(0.1, 0.3, 0.5))))
    """
    found = r(code, tmp_path, d=pd.DataFrame({"p": risk, "y": event.astype(int)}))
    rows = loess_smoother(risk, np.array([0.1, 0.3, 0.5]), np.ones(200))
    np.testing.assert_allclose(rows @ event, found["y"], atol=1e-8)


def test_calibration_errors_by_loess_are_austin_s_in_r(tmp_path: Path) -> None:
    # The code of Austin and Steyerberg 2019, Stat Med 38:4051, appendix, for a model that is too extreme.
    event, risk = binary_cohort(250, seed=7)
    line = np.log(risk / (1 - risk))
    extreme = 1 / (1 + np.exp(-1.8 * line))
    code = """
    fit <- loess(y ~ p, data = d, control = loess.control(surface = "direct"))
    distance <- abs(pmin(pmax(predict(fit, newdata = data.frame(p = d$p)), 0), 1) - d$p)
    answer <- list(ici = mean(distance), e50 = median(distance), e90 = quantile(distance, 0.9), emax = max(distance))
    """
    found = r(code, tmp_path, d=pd.DataFrame({"p": extreme, "y": event.astype(int)}))
    ours = calibration_errors(Binary(event), extreme, smoother="loess")
    assert ours.ici > 0.05
    for name in ("ici", "e50", "e90", "emax"):
        assert getattr(ours, name) == pytest.approx(found[name][0], abs=1e-8), name


def test_the_band_of_loess_spreads_as_r_s_standard_error_does(tmp_path: Path) -> None:
    # R divides by one residual variance; ours is a Bernoulli outcome's at each risk. What both share is the smoother.
    event, risk = binary_cohort(300, seed=8)
    at = [0.15, 0.3, 0.45]
    code = """
    fit <- loess(y ~ p, data = d, control = loess.control(surface = "direct"))
    e <- predict(fit, data.frame(p = c(0.15, 0.3, 0.45)), se = TRUE)
    answer <- list(y = e$fit, spread = e$se.fit / e$residual.scale)
    """
    found = r(code, tmp_path, d=pd.DataFrame({"p": risk, "y": event.astype(int)}))
    y, spread = np.array(found["y"]), np.array(found["spread"])
    curve = calibration_curve(Binary(event), risk, smoother="loess", at=at)
    np.testing.assert_allclose(curve.y, y, atol=1e-8)
    reach = 1.959964 * spread * np.sqrt(y * (1 - y))
    np.testing.assert_allclose(np.array(curve.high) - curve.y, reach, rtol=1e-5)
    np.testing.assert_allclose(np.array(curve.y) - curve.low, reach, rtol=1e-5)


def test_optimism_of_a_logistic_regression_is_that_of_rms_validate(tmp_path: Path) -> None:
    # Each draws its own 400 bootstraps, so the two agree up to their Monte Carlo error.
    random = np.random.default_rng(9)
    x = random.normal(size=(150, 6))
    event = random.random(150) < 1 / (1 + np.exp(0.8 - x[:, 0] - 0.5 * x[:, 1]))
    code = """
    suppressMessages(library(rms)); set.seed(1)
    fit <- lrm(y ~ x1 + x2 + x3 + x4 + x5 + x6, data = d, x = TRUE, y = TRUE)
    v <- validate(fit, B = 400)
    answer <- list(apparent = (v["Dxy", "index.orig"] + 1) / 2, optimism = v["Dxy", "optimism"] / 2,
                   corrected = (v["Dxy", "index.corrected"] + 1) / 2)
    """
    names = [f"x{number}" for number in range(1, 7)]
    found = r(code, tmp_path, d=pd.DataFrame(x, columns=names).assign(y=event.astype(int)))

    def learn(rows: Any) -> Any:
        design = np.column_stack([np.ones(len(rows)), x[rows]])
        beta = logistic_rows(design, np.zeros(len(rows)), event[rows], np.ones((1, len(rows))))[0]
        return lambda test: auc(event[test], x[test] @ beta[1:])

    ours = optimism_corrected(learn, n=150, parameters=6, resamples=400, seed=1)
    assert ours.apparent == pytest.approx(found["apparent"][0], abs=1e-6)
    assert ours.optimism == pytest.approx(found["optimism"][0], abs=0.006)
    assert ours.corrected == pytest.approx(found["corrected"][0], abs=0.006)


def _survival_frame(outcome: Any, risk: Any) -> Any:
    return pd.DataFrame({"t": outcome.time_days, "e": outcome.event.astype(int), "p": risk})


@pytest.mark.parametrize("ties", [False, True])
def test_concordance_and_kaplan_meier_of_survival(tmp_path: Path, ties: bool) -> None:
    outcome, risk = survival_cohort(200, seed=3, ties=ties)
    code = """
    library(survival)
    s <- summary(survfit(Surv(t, e) ~ 1, d), times = 730)
    fit <- coxph(Surv(t, e) ~ log(p), d)
    answer <- list(c = concordance(Surv(t, e) ~ p, d, reverse = TRUE)$concordance, s = s$surv, se = s$std.err,
                   beta = coef(fit), lr = summary(fit)$logtest[c("test", "pvalue")])
    """
    found = r(code, tmp_path, d=_survival_frame(outcome, risk))
    assert c_index(outcome.time_days, outcome.event, risk) == pytest.approx(found["c"][0], abs=1e-10)
    survival, error = kaplan_meier(outcome.time_days, outcome.event).at(730.0)
    assert (survival, error) == pytest.approx((found["s"][0], found["se"][0]), abs=1e-10)
    fit = cox_regression(outcome.time_days, outcome.event, np.log(risk)[:, None])
    assert fit.coefficients[0] == pytest.approx(found["beta"][0], abs=1e-6)
    test = likelihood_ratio_test(outcome, np.empty((200, 0)), np.log(risk)[:, None])
    assert test.statistic == pytest.approx(found["lr"][0], abs=1e-5)
    assert test.p == pytest.approx(found["lr"][1], rel=1e-3)


def test_score_of_riskregression(tmp_path: Path) -> None:
    outcome, risk = survival_cohort(300, seed=4)
    code = """
    suppressMessages({library(riskRegression); library(survival); library(prodlim)})
    s <- Score(list(m = d$p), formula = Surv(t, e) ~ 1, data = d, times = 730, metrics = c("auc", "brier"),
               conf.int = FALSE, null.model = TRUE, summary = "ipa")
    answer <- list(auc = s$AUC$score$AUC, brier = s$Brier$score$Brier, ipa = s$Brier$score$IPA)
    """
    found = r(code, tmp_path, d=_survival_frame(outcome, risk))
    from prognoscope.validation import scaled_brier_at_horizon

    assert auc_at_horizon(outcome, risk) == pytest.approx(found["auc"][-1], abs=1e-8)
    assert brier_at_horizon(outcome, risk) == pytest.approx(found["brier"][-1], abs=1e-8)
    assert scaled_brier_at_horizon(outcome, risk) == pytest.approx(found["ipa"][-1], abs=1e-6)


def test_weighted_logistic_regression_at_the_horizon_of_r(tmp_path: Path) -> None:
    from prognoscope.validation import intercept_at_horizon, known_event, slope_at_horizon

    outcome, risk = survival_cohort(300, seed=5)
    frame = _survival_frame(outcome, risk).assign(
        w=status_weights(outcome, once(300))[0], y=known_event(outcome).astype(int)
    )
    code = """
    options(warn = -1)
    slope <- coef(glm(y ~ qlogis(p), family = binomial, weights = w, data = d))[2]
    offset <- coef(glm(y ~ 1, offset = qlogis(p), family = binomial, weights = w, data = d))
    answer <- list(slope = slope, offset = offset)
    """
    found = r(code, tmp_path, d=frame)
    assert slope_at_horizon(outcome, risk) == pytest.approx(found["slope"][0], abs=1e-6)
    assert intercept_at_horizon(outcome, risk) == pytest.approx(found["offset"][0], abs=1e-6)


def test_the_spline_curve_is_that_of_a_logistic_regression_on_rcs(tmp_path: Path) -> None:
    event, risk = binary_cohort(400, seed=6)
    code = """
    suppressMessages(library(rms)); d$l <- qlogis(d$p); dd <- datadist(d); options(datadist = "dd")
    fit <- lrm(y ~ rcs(l, 5), data = d, tol = 1e-12, eps = 1e-10)
    at <- qlogis(c(0.1, 0.3, 0.5)); e <- predict(fit, data.frame(l = at), se.fit = TRUE)
    answer <- list(y = plogis(e$linear.predictors), low = plogis(e$linear.predictors - 1.959964 * e$se.fit))
    """
    found = r(code, tmp_path, d=pd.DataFrame({"p": risk, "y": event.astype(int)}))
    curve = calibration_curve(Binary(event), risk, smoother="spline", at=[0.1, 0.3, 0.5])
    np.testing.assert_allclose(curve.y, found["y"], atol=1e-5)
    np.testing.assert_allclose(curve.low, found["low"], atol=1e-4)


def test_the_oracle_is_not_trusted_when_it_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no such thing"):
        r('stop("no such thing")', Path(tmp_path))
