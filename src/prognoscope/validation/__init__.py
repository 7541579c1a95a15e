"""Outcomes and risks in, an evaluation out; every figure is also a plain function of arrays."""

from prognoscope.validation.added_value import LikelihoodRatio, likelihood_ratio_test, paired_difference
from prognoscope.validation.calibration import calibration_groups, wilson_interval
from prognoscope.validation.censoring import SurvivalCurve, kaplan_meier, known_event, status_weights
from prognoscope.validation.cox import CoxFit, calibration_slope_of_hazard, cox_regression
from prognoscope.validation.decision import THRESHOLDS, net_benefit, net_benefit_at_horizon, treat_all
from prognoscope.validation.delong import Difference, Interval, delong_interval, delong_test
from prognoscope.validation.discrimination import auc, auc_at_horizon, c_index, mean_roc, roc_points, uno_c
from prognoscope.validation.evaluation import evaluate
from prognoscope.validation.fingerprints import image_fingerprint, near_pairs
from prognoscope.validation.flexible import CalibrationErrors, calibration_curve, calibration_errors
from prognoscope.validation.guards import candidate_parameters, informative_missingness, shortcut, study_guards
from prognoscope.validation.guards_chance import folds_differ, no_signal, sample_size, unbalanced_split
from prognoscope.validation.guards_leakage import duplicate_patients, known_too_late, outcome_in_disguise
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
from prognoscope.validation.samplesize import SampleSize, for_binary, for_continuous, for_survival
from prognoscope.validation.scores import log_score, ranking
from prognoscope.validation.survival_groups import risk_groups
from prognoscope.validation.thresholds import (
    Share,
    ThresholdRow,
    net_interventions_avoided,
    npv_at,
    ppv_at,
    threshold_from_costs,
    threshold_table,
)

__all__ = [
    "METRICS",
    "THRESHOLDS",
    "Calibration",
    "CalibrationErrors",
    "CalibrationGroup",
    "Comparison",
    "CoxFit",
    "Curve",
    "Decision",
    "Difference",
    "Evaluation",
    "Guard",
    "Interval",
    "LikelihoodRatio",
    "Metric",
    "MetricKind",
    "ModelEvaluation",
    "RiskGroup",
    "SampleSize",
    "Share",
    "SurvivalCurve",
    "ThresholdRow",
    "auc",
    "auc_at_horizon",
    "brier",
    "brier_at_horizon",
    "c_index",
    "calibration_curve",
    "calibration_errors",
    "calibration_groups",
    "calibration_intercept",
    "calibration_slope",
    "calibration_slope_of_hazard",
    "candidate_parameters",
    "cox_regression",
    "delong_interval",
    "delong_test",
    "duplicate_patients",
    "evaluate",
    "folds_differ",
    "for_binary",
    "for_continuous",
    "for_survival",
    "image_fingerprint",
    "informative_missingness",
    "intercept_at_horizon",
    "kaplan_meier",
    "known_event",
    "known_too_late",
    "likelihood_ratio_test",
    "log_likelihood",
    "log_score",
    "mean_roc",
    "near_pairs",
    "net_benefit",
    "net_benefit_at_horizon",
    "net_interventions_avoided",
    "no_signal",
    "npv_at",
    "outcome_in_disguise",
    "paired_difference",
    "percentile_interval",
    "ppv_at",
    "ranking",
    "resample_counts",
    "risk_groups",
    "roc_points",
    "sample_size",
    "scaled_brier",
    "scaled_brier_at_horizon",
    "shortcut",
    "slope_at_horizon",
    "status_weights",
    "study_guards",
    "threshold_from_costs",
    "threshold_table",
    "treat_all",
    "unbalanced_split",
    "uno_c",
    "wilson_interval",
]
