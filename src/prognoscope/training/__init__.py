"""Predictors that are learnt inside folds: models, splits, cross-fitting, and a fitted predictor on disk."""

from prognoscope.training.bundle import load_predictor, save_predictor
from prognoscope.training.candidates import Candidate, Fitted, Model, Score, Setting
from prognoscope.training.crossfit import (
    CrossFit,
    FeatureUse,
    FoldChoice,
    FoldResult,
    FoldTask,
    Stability,
    cross_fit,
    fold_tasks,
    run_fold,
)
from prognoscope.training.models import MODELS, candidates
from prognoscope.training.pipeline import Choice, Pipeline, Recipe
from prognoscope.training.predictor import Predictor, RefitTask, fit_predictor, run_refit
from prognoscope.training.preparation import PreparationSettings
from prognoscope.training.splits import assign_folds

__all__ = [
    "MODELS",
    "Candidate",
    "Choice",
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
    "cross_fit",
    "fit_predictor",
    "fold_tasks",
    "load_predictor",
    "run_fold",
    "run_refit",
    "save_predictor",
]
