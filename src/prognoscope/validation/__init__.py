"""Outcomes and risks in, an evaluation out; every figure is also a plain function of arrays."""

from prognoscope.validation.calibration import calibration_groups, wilson_interval
from prognoscope.validation.censoring import SurvivalCurve, kaplan_meier, known_event, status_weights
from prognoscope.validation.decision import THRESHOLDS, net_benefit, net_benefit_at_horizon, treat_all
from prognoscope.validation.discrimination import auc, auc_at_horizon, c_index, mean_roc, roc_points, uno_c
from prognoscope.validation.evaluation import evaluate
from prognoscope.validation.metrics import METRICS, MetricKind
from prognoscope.validation.overall import (
    brier,
    brier_at_horizon,
    log_likelihood,
    scaled_brier,
    scaled_brier_at_horizon,
)
from prognoscope.validation.recalibration import (
    calibration_intercept,
    calibration_slope,
    intercept_at_horizon,
    slope_at_horizon,
)
from prognoscope.validation.resampling import percentile_interval, resample_counts
from prognoscope.validation.results import (
    Calibration,
    CalibrationGroup,
    Comparison,
    Curve,
    Decision,
    Evaluation,
    Guard,
    Metric,
    ModelEvaluation,
    RiskGroup,
)
from prognoscope.validation.scores import log_score, ranking
from prognoscope.validation.survival_groups import risk_groups

__all__ = [
    "METRICS",
    "THRESHOLDS",
    "Calibration",
    "CalibrationGroup",
    "Comparison",
    "Curve",
    "Decision",
    "Evaluation",
    "Guard",
    "Metric",
    "MetricKind",
    "ModelEvaluation",
    "RiskGroup",
    "SurvivalCurve",
    "auc",
    "auc_at_horizon",
    "brier",
    "brier_at_horizon",
    "c_index",
    "calibration_groups",
    "calibration_intercept",
    "calibration_slope",
    "evaluate",
    "intercept_at_horizon",
    "kaplan_meier",
    "known_event",
    "log_likelihood",
    "log_score",
    "mean_roc",
    "net_benefit",
    "net_benefit_at_horizon",
    "percentile_interval",
    "ranking",
    "resample_counts",
    "risk_groups",
    "roc_points",
    "scaled_brier",
    "scaled_brier_at_horizon",
    "slope_at_horizon",
    "status_weights",
    "treat_all",
    "uno_c",
    "wilson_interval",
]
