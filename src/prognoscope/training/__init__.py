"""Predictors that are learnt inside folds: models, splits, cross-fitting, and a fitted predictor on disk."""

from prognoscope.training.bootstrap import Bootstrapped, Optimism, bootstrap_fit, headline_caution, optimism
from prognoscope.training.bundle import load_predictor, save_predictor
from prognoscope.training.conformal import Calibrated, ConformalSets, conformal_sets, require_calibration
from prognoscope.training.contract import Candidate, Fitted, Model, Score, Setting
from prognoscope.training.crossfit import (
    CrossFit,
    FoldChoice,
    FoldResult,
    FoldTask,
    cross_fit,
    fold_tasks,
    run_fold,
)
from prognoscope.training.encoding import features_of, with_levels
from prognoscope.training.importance import FeatureUse, Stability
from prognoscope.training.keeping import fold_from_bytes, fold_to_bytes, pipeline_from_bytes, pipeline_to_bytes
from prognoscope.training.learning import LearningPoint, learning_curve
from prognoscope.training.models import MODELS, candidates
from prognoscope.training.pipeline import Choice, Pipeline, Recipe
from prognoscope.training.plans import PLANS, Assignment, Plan, together
from prognoscope.training.predictor import Predictor, RefitTask, fit_predictor, run_refit
from prognoscope.training.preparation import PreparationSettings
from prognoscope.training.recalibration import Method as Recalibration
from prognoscope.training.repeatability import KeepRule, Ratings
from prognoscope.training.splits import assign_folds
from prognoscope.training.thresholds import Costs

__all__ = [
    "MODELS",
    "PLANS",
    "Assignment",
    "Bootstrapped",
    "Calibrated",
    "Candidate",
    "Choice",
    "ConformalSets",
    "Costs",
    "CrossFit",
    "FeatureUse",
    "Fitted",
    "FoldChoice",
    "FoldResult",
    "FoldTask",
    "KeepRule",
    "LearningPoint",
    "Model",
    "Optimism",
    "Pipeline",
    "Plan",
    "Predictor",
    "PreparationSettings",
    "Ratings",
    "Recalibration",
    "Recipe",
    "RefitTask",
    "Score",
    "Setting",
    "Stability",
    "assign_folds",
    "bootstrap_fit",
    "candidates",
    "conformal_sets",
    "cross_fit",
    "features_of",
    "fit_predictor",
    "fold_from_bytes",
    "fold_tasks",
    "fold_to_bytes",
    "headline_caution",
    "learning_curve",
    "load_predictor",
    "optimism",
    "pipeline_from_bytes",
    "pipeline_to_bytes",
    "require_calibration",
    "run_fold",
    "run_refit",
    "save_predictor",
    "together",
    "with_levels",
]
