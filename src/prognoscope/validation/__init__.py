"""Outcomes and risks in, an evaluation out; every figure is also a plain function of arrays."""

from prognoscope.validation.added_value import added_by, likelihood_ratio_test, paired_difference
from prognoscope.validation.calibration import calibration_groups, wilson_interval
from prognoscope.validation.calibration_errors import CalibrationErrors, calibration_errors
from prognoscope.validation.censoring import SurvivalCurve, kaplan_meier, known_event, status_weights
from prognoscope.validation.conformal import (
    AbstentionCurve,
    Coverage,
    PredictionSets,
    abstention_curve,
    coverage,
    cross_conformal_sets,
    needed_to_calibrate,
    split_conformal_interval,
    split_conformal_sets,
)
from prognoscope.validation.corrected import Refitted, evaluate_corrected
from prognoscope.validation.cox import CoxFit, calibration_slope_of_hazard, cox_regression
from prognoscope.validation.decision import THRESHOLDS, net_benefit, net_benefit_at_horizon, treat_all
from prognoscope.validation.delong import Interval, delong_interval, delong_test, separated_interval
from prognoscope.validation.discrimination import auc, auc_at_horizon, c_index, mean_roc, roc_points, uno_c
from prognoscope.validation.document import evaluation_document, metric_document
from prognoscope.validation.evaluation import evaluate
from prognoscope.validation.fairness import (
    Gap,
    GroupFigures,
    Proxy,
    group_figures,
    group_gaps,
    proxy_check,
)
from prognoscope.validation.fingerprints import image_fingerprint, near_pairs
from prognoscope.validation.flexible import calibration_curve
from prognoscope.validation.guards import candidate_parameters, informative_missingness, shortcut, study_guards
from prognoscope.validation.guards_chance import folds_differ, no_signal, sample_size, unbalanced_split
from prognoscope.validation.guards_leakage import known_too_late, outcome_in_disguise
from prognoscope.validation.guards_predictions import equal_rows, prediction_guards, too_good
from prognoscope.validation.guards_twins import duplicate_patients
from prognoscope.validation.internal import (
    LearningCurve,
    Optimism,
    Plus632,
    flattening,
    learning_curve,
    optimism_corrected,
    plus_632,
)
from prognoscope.validation.metrics import METRICS, MetricKind, ranking_within_folds, too_few
from prognoscope.validation.over_time import auc_over_time, brier_over_time, integrated_brier
from prognoscope.validation.overall import (
    brier,
    brier_at_horizon,
    log_likelihood,
    scaled_brier,
    scaled_brier_at_horizon,
)
from prognoscope.validation.pooling import Pooled, pooled_figures
from prognoscope.validation.precision_recall import average_precision, precision_recall
from prognoscope.validation.recalibration import (
    calibration_intercept,
    calibration_slope,
    intercept_at_horizon,
    slope_at_horizon,
)
from prognoscope.validation.resampling import bca_interval, jackknife_counts, percentile_interval, resample_counts
from prognoscope.validation.results import (
    MIN_EVENTS,
    MIN_PATIENTS,
    Calibration,
    CalibrationGroup,
    Comparison,
    Curve,
    Decision,
    Difference,
    Evaluation,
    Guard,
    LikelihoodRatio,
    Metric,
    ModelEvaluation,
    RiskGroup,
    RiskHistogram,
    TimeCourse,
)
from prognoscope.validation.samplesize import SampleSize, for_binary, for_continuous, for_survival
from prognoscope.validation.scores import log_score, ranking
from prognoscope.validation.slices import FEWEST_TO_SEARCH, Slice, failing_slices, nearest_patients, worst_cases
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
from prognoscope.validation.time_course import time_course

__all__ = [
    "FEWEST_TO_SEARCH",
    "METRICS",
    "MIN_EVENTS",
    "MIN_PATIENTS",
    "THRESHOLDS",
    "AbstentionCurve",
    "Calibration",
    "CalibrationErrors",
    "CalibrationGroup",
    "Comparison",
    "Coverage",
    "CoxFit",
    "Curve",
    "Decision",
    "Difference",
    "Evaluation",
    "Gap",
    "GroupFigures",
    "Guard",
    "Interval",
    "LearningCurve",
    "LikelihoodRatio",
    "Metric",
    "MetricKind",
    "ModelEvaluation",
    "Optimism",
    "Plus632",
    "Pooled",
    "PredictionSets",
    "Proxy",
    "Refitted",
    "RiskGroup",
    "RiskHistogram",
    "SampleSize",
    "Share",
    "Slice",
    "SurvivalCurve",
    "ThresholdRow",
    "TimeCourse",
    "abstention_curve",
    "added_by",
    "auc",
    "auc_at_horizon",
    "auc_over_time",
    "average_precision",
    "bca_interval",
    "brier",
    "brier_at_horizon",
    "brier_over_time",
    "c_index",
    "calibration_curve",
    "calibration_errors",
    "calibration_groups",
    "calibration_intercept",
    "calibration_slope",
    "calibration_slope_of_hazard",
    "candidate_parameters",
    "coverage",
    "cox_regression",
    "cross_conformal_sets",
    "delong_interval",
    "delong_test",
    "duplicate_patients",
    "equal_rows",
    "evaluate",
    "evaluate_corrected",
    "evaluation_document",
    "failing_slices",
    "flattening",
    "folds_differ",
    "for_binary",
    "for_continuous",
    "for_survival",
    "group_figures",
    "group_gaps",
    "image_fingerprint",
    "informative_missingness",
    "integrated_brier",
    "intercept_at_horizon",
    "jackknife_counts",
    "kaplan_meier",
    "known_event",
    "known_too_late",
    "learning_curve",
    "likelihood_ratio_test",
    "log_likelihood",
    "log_score",
    "mean_roc",
    "metric_document",
    "near_pairs",
    "nearest_patients",
    "needed_to_calibrate",
    "net_benefit",
    "net_benefit_at_horizon",
    "net_interventions_avoided",
    "no_signal",
    "npv_at",
    "optimism_corrected",
    "outcome_in_disguise",
    "paired_difference",
    "percentile_interval",
    "plus_632",
    "pooled_figures",
    "ppv_at",
    "precision_recall",
    "prediction_guards",
    "proxy_check",
    "ranking",
    "ranking_within_folds",
    "resample_counts",
    "risk_groups",
    "roc_points",
    "sample_size",
    "scaled_brier",
    "scaled_brier_at_horizon",
    "separated_interval",
    "shortcut",
    "slope_at_horizon",
    "split_conformal_interval",
    "split_conformal_sets",
    "status_weights",
    "study_guards",
    "threshold_from_costs",
    "threshold_table",
    "time_course",
    "too_few",
    "too_good",
    "treat_all",
    "unbalanced_split",
    "uno_c",
    "wilson_interval",
    "worst_cases",
]
