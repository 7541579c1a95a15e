"""The models that the study file can name, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from prognoscope.core.outcome import OutcomeKind
from prognoscope.core.problems import refuse
from prognoscope.core.settings import Settings, nearest
from prognoscope.training.boosting import (
    GradientBoostingSettings,
    RandomForestSettings,
    fit_boosting,
    fit_forest,
)
from prognoscope.training.contract import Candidate, Model
from prognoscope.training.linear import (
    ElasticNetSettings,
    dump_cox,
    dump_logistic,
    fit_cox,
    fit_logistic,
    load_cox,
    load_logistic,
)
from prognoscope.training.survival_forest import SurvivalForestSettings, fit_survival_forest
from prognoscope.training.trees import dump_trees, load_trees

MODELS: tuple[Model, ...] = (
    Model(
        name="elastic-net-logistic",
        title="elastic-net logistic regression",
        settings=ElasticNetSettings,
        serves=frozenset({"binary"}),
        version=1,
        fit=fit_logistic,
        dump=dump_logistic,
        load=load_logistic,
    ),
    Model(
        name="random-forest",
        title="random forest",
        by_heart=True,
        settings=RandomForestSettings,
        serves=frozenset({"binary"}),
        version=2,
        fit=fit_forest,
        dump=dump_trees,
        load=load_trees,
    ),
    Model(
        name="gradient-boosting",
        title="gradient boosting (LightGBM)",
        by_heart=True,
        settings=GradientBoostingSettings,
        serves=frozenset({"binary"}),
        version=1,
        fit=fit_boosting,
        dump=dump_trees,
        load=load_trees,
    ),
    Model(
        name="elastic-net-cox",
        title="elastic-net Cox regression",
        settings=ElasticNetSettings,
        serves=frozenset({"time-to-event"}),
        version=1,
        fit=fit_cox,
        dump=dump_cox,
        load=load_cox,
    ),
    Model(
        name="survival-forest",
        title="random survival forest",
        by_heart=True,
        settings=SurvivalForestSettings,
        serves=frozenset({"time-to-event"}),
        version=2,
        fit=fit_survival_forest,
        dump=dump_trees,
        load=load_trees,
    ),
)


def candidates(
    tried: Sequence[str] | Mapping[str, Mapping[str, Any] | Settings],
    outcome_kind: OutcomeKind,
    *,
    models: Sequence[Model] = MODELS,
) -> tuple[Candidate, ...]:
    """Return the candidates that a study names.

    Parameters
    ----------
    tried
        Names of models, or names with their settings (values of the study file, or a settings object).
    outcome_kind
        What they must be able to learn.
    models
        Those on offer: ours, and other people's.

    Raises
    ------
    Refused
        `unknown-model`, `model-outcome` when a model does not serve the outcome, `model-settings`,
        `no-model-named` when none is named.
    """
    if not tried:
        raise refuse(
            "no-model-named",
            subject="models",
            found="none is named",
            remedy=f"name some of {_names(models, outcome_kind)}",
        )
    given = tried if isinstance(tried, Mapping) else {name: {} for name in tried}
    return tuple(_candidate(name, given[name], outcome_kind, models) for name in given)


def _candidate(
    name: str, settings: Mapping[str, Any] | Settings, outcome_kind: OutcomeKind, models: Sequence[Model]
) -> Candidate:
    model = next((model for model in models if model.name == name), None)
    if model is None:
        near = nearest(name, [model.name for model in models])
        raise refuse(
            "unknown-model",
            subject=f"model {name}",
            found="there is no model of that name",
            remedy=f"did you mean {near}?" if near else f"name some of {_names(models, outcome_kind)}",
        )
    if outcome_kind not in model.serves:
        raise refuse(
            "model-outcome",
            subject=f"model {name}",
            found=f"it does not learn a {outcome_kind} outcome",
            remedy=f"name some of {_names(models, outcome_kind)}",
        )
    if isinstance(settings, Settings):
        return Candidate(model, settings)
    try:
        return Candidate(model, model.settings.model_validate(dict(settings)))
    except ValidationError as error:
        first = error.errors()[0]
        raise refuse(
            "model-settings",
            subject=", setting ".join([f"model {name}", *map(str, first["loc"][:1])]),
            found=f"{first['msg']}, found {first['input']!r}",
            remedy=f"its settings are {', '.join(model.settings.model_fields)}",
        ) from None


def _names(models: Sequence[Model], outcome_kind: OutcomeKind) -> str:
    return ", ".join(model.name for model in models if outcome_kind in model.serves)
