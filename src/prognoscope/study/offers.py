"""What a study file can name: measures, models and plans; measures and models that other packages add join them."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import Any

from prognoscope import radiomics, training
from prognoscope.core.measures import Measure
from prognoscope.training import Model, Plan


@cache
def measures() -> tuple[Measure, ...]:
    """Return all measures: ours first, then those of the entry point group `prognoscope.measures`, by name."""
    return (*radiomics.MEASURES, *_added("prognoscope.measures"))


@cache
def models() -> tuple[Model, ...]:
    """Return all models: ours first, then those of the entry point group `prognoscope.models`, by name."""
    return (*training.MODELS, *_added("prognoscope.models"))


def plans() -> tuple[Plan, ...]:
    """Return all ways to hold patients out."""
    return training.PLANS


def _added(group: str) -> tuple[Any, ...]:
    return tuple(point.load() for point in sorted(entry_points(group=group), key=lambda point: point.name))
