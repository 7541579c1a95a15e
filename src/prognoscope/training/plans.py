"""Ways to hold patients out that a study file can name: by chance, by site, by time, a set kept apart, bootstraps.

A plan turns what is known of the patients into folds, once; everything after takes the folds as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from pydantic import BeforeValidator, Field, model_validator

from prognoscope.core.outcome import Outcome
from prognoscope.core.problems import refuse
from prognoscope.core.settings import Settings
from prognoscope.training.splits import Folds, assign_folds, strata_of

MOST_NAMED = 12
EPOCH = "1970-01-01"


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """Which patients are held out together.

    Attributes
    ----------
    folds
        `(repeats, n)`: the fold that holds each patient out; -1 for a patient who is only trained on.
    names
        Name of each fold for the report, empty where it has none.
    """

    folds: Folds
    names: tuple[str, ...] = ()

    @property
    def held_out(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Rows of the patients that are held out in any repeat: those with risks."""
        return np.flatnonzero((self.folds >= 0).any(axis=0))

    @property
    def only_learnt_from(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Rows of the patients that are never held out."""
        return np.flatnonzero((self.folds < 0).all(axis=0))


@dataclass(frozen=True, slots=True)
class Plan:
    """A way to hold patients out, offered under a name of the study file.

    Attributes
    ----------
    name, title
        Key in the study file, and words for the report.
    settings
        Its settings class. A setting `column` names the column of the table whose values `assign` is given.
    assign
        `(outcome, settings, values, patients, seed) -> assignment`; `values` has one entry per patient, or is None
        for a plan without a column.
    locked
        Whether the patients held out are kept apart for good: no predictor that is handed on may learn from them.
    """

    name: str
    title: str
    settings: type[Settings]
    assign: Callable[[Outcome, Any, pd.Series | None, Sequence[str], int], Assignment]
    locked: bool = False


def _moment(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


def _texts(value: object) -> object:
    several = value if isinstance(value, (list, tuple)) else (value,)
    return tuple(str(one) for one in several)


class CrossValidationSettings(Settings):
    """Repeated, stratified cross-validation."""

    folds: int = Field(default=5, ge=2, description="outer folds")
    repeats: int = Field(default=5, ge=1, description="how often patients are dealt anew")
    column: str | None = Field(
        default=None,
        description="column whose patients of one value stay in one fold, inner folds too: a family, a ward",
    )


class LeaveOneSiteOutSettings(Settings):
    """Internal-external cross-validation: each site is predicted by what was learnt at the others."""

    column: str = Field(description="column that says where a patient comes from, for instance `centre`")


class HeldOutByTimeSettings(Settings):
    """The latest patients are held out, the earlier ones are learnt from."""

    column: str = Field(description="column with the date or number that orders patients in time")
    after: Annotated[str | float | None, BeforeValidator(_moment)] = Field(
        default=None, description="hold out patients later than this date or number"
    )
    share: float | None = Field(default=None, gt=0, lt=1, description="hold out about this share, the latest")

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if (self.after is None) == (self.share is None):
            raise ValueError("give either `after` or `share`")
        return self


class ExternalSettings(Settings):
    """A set kept apart: learnt from never, predicted once."""

    column: str = Field(description="column that marks the patients kept apart")
    value: Annotated[tuple[str, ...], BeforeValidator(_texts), Field(min_length=1)] = Field(
        description="value that marks them, or several"
    )


class BootstrapSettings(Settings):
    """Bootstraps of the patients: what a pipeline learnt from all of them promises, less its optimism."""

    resamples: int = Field(
        default=200, ge=20, le=10_000, description="bootstraps, in each of which the whole pipeline is learnt again"
    )


def _by_chance(
    outcome: Outcome, settings: CrossValidationSettings, values: pd.Series | None, patients: Sequence[str], seed: int
) -> Assignment:
    groups = None if values is None else together(values, patients)
    folds = assign_folds(
        outcome, folds=settings.folds, repeats=settings.repeats, seed=seed, patients=patients, groups=groups
    )
    return Assignment(folds)


def _by_site(
    outcome: Outcome, settings: LeaveOneSiteOutSettings, values: pd.Series | None, patients: Sequence[str], seed: int
) -> Assignment:
    del seed
    sites = _complete(values, settings.column, patients).astype(str)
    names, fold = np.unique(sites.to_numpy(dtype=str), return_inverse=True)
    if len(names) < 2:
        raise refuse(
            "too-few-sites",
            subject=f"column {settings.column}",
            found=f"every patient has {str(names[0])!r}",
            remedy="leaving one site out needs at least two sites",
        )
    for number, name in enumerate(names):
        _require_both(outcome, fold != number, f"patients of every site but {name}")
    return Assignment(fold[None].astype(np.int64), tuple(names.tolist()))


def _by_time(
    outcome: Outcome, settings: HeldOutByTimeSettings, values: pd.Series | None, patients: Sequence[str], seed: int
) -> Assignment:
    del seed
    moments, dated = _moments(_complete(values, settings.column, patients), settings.column)
    if settings.after is not None:
        (limit,), dated_limit = _moments(pd.Series([settings.after]), settings.column)
        if dated != dated_limit:
            raise refuse(
                "split-value-type",
                subject=f"column {settings.column}",
                found=f"it holds {'dates' if dated else 'numbers'}, `after:` is {settings.after!r}",
                remedy=f"give {'a date like 2024-05-31' if dated else 'a number'}",
            )
    else:
        assert settings.share is not None
        # Patients of one day stay on one side, so the share held out is the largest that does not exceed it.
        ordered = np.sort(moments)
        limit = ordered[min(len(ordered) - 1, int(np.ceil((1 - settings.share) * len(ordered))) - 1)]
    told = str(pd.Timestamp(EPOCH) + pd.Timedelta(days=limit))[:10] if dated else f"{limit:g}"
    return _apart(outcome, moments > limit, f"{settings.column} later than {told}")


def _kept_apart(
    outcome: Outcome, settings: ExternalSettings, values: pd.Series | None, patients: Sequence[str], seed: int
) -> Assignment:
    del seed
    marks = _complete(values, settings.column, patients).astype(str)
    absent = sorted(set(settings.value) - set(marks))
    if absent:
        raise refuse(
            "external-set-empty",
            subject=f"column {settings.column}",
            found=f"no participant has {absent[0]!r}; there are: {', '.join(sorted(set(marks))[:MOST_NAMED])}",
            remedy="correct `value:`, or see which patients were excluded and why",
        )
    return _apart(outcome, marks.isin(settings.value).to_numpy(), f"{settings.column} {' or '.join(settings.value)}")


def _by_bootstrap(
    outcome: Outcome, settings: BootstrapSettings, values: pd.Series | None, patients: Sequence[str], seed: int
) -> Assignment:
    """Hold everybody out at once: each patient by the refits that did not draw the patient."""
    del settings, values, patients, seed
    return Assignment(np.zeros((1, len(outcome)), dtype=np.int64))


PLANS: tuple[Plan, ...] = (
    Plan("cross-validation", "repeated cross-validation", CrossValidationSettings, _by_chance),
    Plan("leave-one-site-out", "internal-external cross-validation by site", LeaveOneSiteOutSettings, _by_site),
    Plan("held-out-by-time", "the latest patients held out", HeldOutByTimeSettings, _by_time),
    Plan("external", "a set kept apart", ExternalSettings, _kept_apart, locked=True),
    Plan("bootstrap", "bootstraps of the patients, corrected for optimism", BootstrapSettings, _by_bootstrap),
)


def together(values: pd.Series, patients: Sequence[str]) -> tuple[str, ...]:
    """Return the group of each patient: those of one value; who has none is a group of one."""
    return tuple(
        f"of {value}" if isinstance(value, str) else f"alone {patient}"
        for value, patient in zip(values, patients, strict=True)
    )


def _apart(outcome: Outcome, held_out: np.ndarray[Any, np.dtype[np.bool_]], name: str) -> Assignment:
    _require_both(outcome, held_out, f"the {int(held_out.sum())} patients held out")
    _require_both(outcome, ~held_out, f"the {int((~held_out).sum())} patients to learn from")
    return Assignment(np.where(held_out, 0, -1)[None].astype(np.int64), (name,))


def _require_both(outcome: Outcome, rows: np.ndarray[Any, np.dtype[np.bool_]], who: str) -> None:
    strata = strata_of(outcome)[rows]
    if (strata == 1).any() and (strata != 1).any():
        return
    raise refuse(
        "one-class",
        subject=who,
        found=f"{'all' if len(strata) and (strata == 1).all() else 'none'} of {len(strata)} have the event",
        remedy="choose another way to hold patients out, or gather more patients",
    )


def _complete(values: pd.Series | None, column: str, patients: Sequence[str]) -> pd.Series:
    assert values is not None
    gaps = values.isna().to_numpy()
    if gaps.any():
        first = patients[int(np.flatnonzero(gaps)[0])]
        raise refuse(
            "split-value-missing",
            subject=f"column {column}",
            found=f"no value for {int(gaps.sum())} of {len(gaps)} patients, the first is {first}",
            remedy="complete it, or leave these patients out by an eligibility rule",
        )
    return values


def _moments(values: pd.Series, column: str) -> tuple[np.ndarray[Any, np.dtype[np.float64]], bool]:
    """Numbers as they are, ISO dates as days; and whether they were dates."""
    try:
        return values.to_numpy(dtype=float), False
    except (TypeError, ValueError):
        days = pd.to_datetime(values.astype(str), format="ISO8601", errors="coerce", utc=True)
    if days.isna().any():
        raise refuse(
            "split-value-type",
            subject=f"column {column}",
            found=f"{values[days.isna()].iloc[0]!r} is neither a number nor a date like 2024-05-31",
            remedy="give numbers or ISO dates",
        )
    return np.asarray((days - pd.Timestamp(EPOCH, tz="UTC")) / pd.Timedelta(days=1), dtype=float), True
