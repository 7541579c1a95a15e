"""Predictors that are learnt inside folds: models, splits, cross-fitting, and a fitted predictor on disk."""

from prognoscope.training.bundle import load_predictor, save_predictor
from prognoscope.training.candidates import Candidate, Fitted, Model, Score, Setting
from prognoscope.training.conformal import ConformalSets, conformal_sets
from prognoscope.training.crossfit import (
    CrossFit,
    FoldChoice,
    FoldResult,
    FoldTask,
    cross_fit,
    fold_tasks,
    run_fold,
)
from prognoscope.training.importance import FeatureUse, Stability
from prognoscope.training.models import MODELS, candidates
from prognoscope.training.pipeline import Choice, Pipeline, Recipe
from prognoscope.training.predictor import Predictor, RefitTask, fit_predictor, run_refit
from prognoscope.training.preparation import PreparationSettings
from prognoscope.training.splits import assign_folds
from prognoscope.training.thresholds import Costs

__all__ = [
    "MODELS",
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
    "Model",
    "Pipeline",
    "Predictor",
    "PreparationSettings",
    "Recipe",
    "RefitTask",
    "Score",
    "Setting",
    "Stability",
    "assign_folds",
    "candidates",
    "conformal_sets",
    "cross_fit",
    "fit_predictor",
    "fold_tasks",
    "load_predictor",
    "run_fold",
    "run_refit",
    "save_predictor",
]
