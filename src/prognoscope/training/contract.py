"""What can be learnt: models, their settings, and the grid of settings that the inner folds choose from."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from prognoscope.core.outcome import Outcome, OutcomeKind
from prognoscope.core.settings import Settings

Matrix = NDArray[np.float64]
Value = float | int | str | bool
Setting = Mapping[str, Value]
Arrays = Mapping[str, NDArray[Any]]


def _several(value: object) -> object:
    return value if isinstance(value, (list, tuple)) else (value,)


Counts = Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_several), Field(min_length=1)]
Shares = Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], BeforeValidator(_several), Field(min_length=1)]


class Score(Protocol):
    """Rates the risks of some patients; higher is better, NaN where it cannot be computed. Must be importable."""

    def __call__(self, outcome: Outcome, risk: NDArray[np.float64], /) -> float:
        """Return the score of `risk` `(n,)` for an outcome of `n` patients."""
        ...


class Fitted(Protocol):
    """A model after training: nothing but numbers."""

    def risk(self, x: Matrix) -> NDArray[np.float64]:
        """Return the probability of the event (by the horizon) for each row of `x` `(n, features)`."""
        ...

    def weight(self) -> NDArray[np.float64]:
        """Return how much each feature counts, `(features,)`, 0 for one that is not used."""
        ...


class Fit(Protocol):
    """Trains one model with several settings on the same patients, so that they can share work."""

    def __call__(self, x: Matrix, outcome: Outcome, settings: Sequence[Setting], *, seed: int) -> Sequence[Fitted]:
        """Return one fitted model per setting; `x` is `(n, features)`, complete and scaled."""
        ...


@dataclass(frozen=True, slots=True)
class Model:
    """A way to learn, offered under a name of the study file.

    Attributes
    ----------
    name
        Key in the study file.
    settings
        Its settings class. A field that holds several values is a line of the grid; every combination is one setting.
        A field `features` says how many of the ranked predictors the model is given; without it, it gets all.
    serves
        Kinds of outcome it can learn.
    version
        Raised when its results may change, so that cached results are not used again.
    fit
        See `Fit`.
    dump, load
        A fitted model as named arrays without objects, and back. `load` raises KeyError or ValueError for arrays that
        are not from `dump`.
    title
        Its name in words, for the report.
    by_heart
        Whether it can learn its patients by heart, so that a bootstrap underestimates its optimism.
    """

    name: str
    settings: type[Settings]
    serves: frozenset[OutcomeKind]
    version: int
    fit: Fit
    dump: Callable[[Any], Arrays]
    load: Callable[[Arrays], Fitted]
    title: str
    by_heart: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model with the settings that the inner folds may choose from."""

    model: Model
    settings: Settings

    def grid(self) -> tuple[Setting, ...]:
        """Return every combination of the values given, in the order of the fields; the last field varies fastest."""
        several = {
            name: tuple(value) if isinstance(value, tuple) else (value,)
            for name, value in ((name, getattr(self.settings, name)) for name in type(self.settings).model_fields)
        }
        return tuple(dict(zip(several, values, strict=True)) for values in itertools.product(*several.values()))
