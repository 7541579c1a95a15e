"""What is learnt from the training patients before any model sees them: filling, scaling, removing and ranking.

Everything here is fitted to the training patients of a fold. The ranking puts first what is most associated with the
outcome and not redundant to what came before, so that a model that may use `k` predictors takes the first `k`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from prognoscope.core.outcome import Outcome, TimeToEvent
from prognoscope.core.settings import Settings
from prognoscope.training.contract import Matrix
from prognoscope.training.encoding import Feature

# Beyond so many robust standard deviations a scaled number is held at the edge: one outlier must not bend a slope.
EDGE = 5.0
# A normal variable's interquartile range is 1.349 standard deviations.
NORMAL_IQR = 1.349


class PreparationSettings(Settings):
    """How predictors are filled, scaled, removed and ranked inside each fold."""

    redundant_above: float = Field(
        default=0.8,
        gt=0,
        le=1,
        description="absolute Spearman correlation above which a predictor is left to a better ranked one",
    )
    rare_below: float = Field(
        default=0.05,
        ge=0,
        lt=0.5,
        description="a predictor is nearly constant when a smaller share (or just one) of patients departs from its "
        "most frequent value",
    )
    indicate_missing_from: float = Field(
        default=0.1,
        gt=0,
        le=1,
        description="share of missing values from which 'is missing' competes as a predictor of its own",
    )


@dataclass(frozen=True, slots=True, eq=False)
class Preparation:
    """Fitted preparation: which features are used, in order of rank, and how each is filled and scaled.

    Attributes
    ----------
    features
        The features kept, best ranked first.
    source
        `(k,)` place of each in the encoded matrix (for `is missing`, of the feature that may be missing).
    fill, centre, scale
        `(k,)` value for missing, and what scaled values are counted from and in.
    dropped
        How many features were set aside, by reason: `not repeatable`, `constant`, `nearly constant`, `redundant`,
        `beyond the rank used`.
    """

    features: tuple[Feature, ...]
    source: NDArray[np.int64]
    fill: NDArray[np.float64]
    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    dropped: dict[str, int]

    def apply(self, encoded: Matrix) -> Matrix:
        """Return the complete, scaled matrix `(n, k)` of encoded rows `(n, features)`."""
        indicator = np.array([feature.indicates_missing for feature in self.features], dtype=bool)
        chosen = encoded[:, self.source]
        gaps = np.isnan(chosen)
        values = np.where(indicator, gaps, np.where(gaps, self.fill, chosen))
        return np.ascontiguousarray(np.clip((values - self.centre) / self.scale, -EDGE, EDGE))

    def first(self, keep: int) -> Preparation:
        """Return the preparation of the first `keep` features alone."""
        part = slice(keep)
        return Preparation(
            self.features[part], self.source[part], self.fill[part], self.centre[part], self.scale[part], self.dropped
        )


def fit_preparation(
    encoded: Matrix,
    features: Sequence[Feature],
    outcome: Outcome,
    *,
    keep: int,
    settings: PreparationSettings,
    barred: NDArray[np.bool_] | None = None,
) -> Preparation:
    """Fit the preparation to training patients.

    Parameters
    ----------
    encoded
        `(n, features)` from `encode`, NaN where missing.
    features
        What its columns are.
    outcome
        Of the same patients, used for the ranking.
    keep
        How many ranked features the models can use at most.
    barred
        `(features,)` those that no model may see; None for none.

    Notes
    -----
    Association with the outcome is the absolute correlation between the ranks of a feature and the residuals of the
    model without predictors: `event - mean` for a binary outcome, the martingale residual `event - H(time)` with the
    Nelson-Aalen `H` for a time to event (Therneau, Grambsch and Fleming 1990). Ties keep the order of the columns.
    Going down the ranking, a feature whose absolute Spearman correlation with one already kept is above
    `redundant_above` is left out: each kept feature leads its cluster.
    """
    if barred is not None:
        encoded = np.where(barred, 0.0, encoded)  # nothing can be learnt from a constant
    names, source, values = _completed(encoded, features, settings)
    varied, dropped = _varied(values, settings.rare_below)
    if barred is not None:
        number = int(barred.sum())
        dropped |= {"not repeatable": number, "constant": dropped["constant"] - number}
    values = values[:, varied]
    order, left_out = _ranked(values, outcome, keep, settings.redundant_above)
    chosen = varied[order]
    centre, scale = _scaling(values[:, order])
    if barred is not None:
        # Only the constant that stands for all can be barred here: it stays constant, whatever a patient's value.
        scale = np.where(barred[source[chosen]], np.inf, scale)
    # Columns without a gap here may have one in a new patient.
    fills = _fills(encoded, features, source[chosen])
    return Preparation(
        features=tuple(names[place] for place in chosen),
        source=source[chosen],
        fill=fills[source[chosen]],
        centre=centre,
        scale=scale,
        dropped=dropped | left_out,
    )


def _completed(
    encoded: Matrix, features: Sequence[Feature], settings: PreparationSettings
) -> tuple[list[Feature], NDArray[np.int64], Matrix]:
    """Fill what is missing and put indicators of missing values beside it."""
    gaps = np.isnan(encoded)
    fill = _fills(encoded, features, np.flatnonzero(gaps.any(axis=0)))
    values = np.where(gaps, fill, encoded)
    names, source = list(features), np.arange(len(features))
    share = gaps.mean(axis=0)
    seen: set[str] = set()
    for place in np.flatnonzero(share >= settings.indicate_missing_from):
        column = features[int(place)].column
        if column not in seen:
            seen.add(column)
            names.append(Feature(column, indicates_missing=True))
            source = np.append(source, place)
    extra = source[len(features) :]
    return names, source, np.concatenate([values, gaps[:, extra]], axis=1)


def _fills(encoded: Matrix, features: Sequence[Feature], places: NDArray[np.int64]) -> NDArray[np.float64]:
    """What fills gaps in the features at `places`, `(features,)`; 0 elsewhere.

    The median of numbers, the most frequent value of what has at most ten whole values, and for a one-hot category 1
    for its most frequent level.
    """
    fill = np.zeros(encoded.shape[1])
    levels: dict[str, list[int]] = {}
    for place, feature in enumerate(features):
        if feature.level:
            levels.setdefault(feature.column, []).append(place)
    for place in np.unique(places):
        column = features[int(place)].column
        if column in levels:
            totals = np.nansum(encoded[:, levels[column]], axis=0)
            fill[place] = float(levels[column][int(np.argmax(totals))] == place)
        else:
            fill[place] = _typical(encoded[:, place])
    return fill


def _typical(values: NDArray[np.float64]) -> float:
    known = np.sort(values[~np.isnan(values)])
    if not len(known):
        return 0.0
    distinct, counts = np.unique(known, return_counts=True)
    if len(distinct) <= 10 and bool((distinct == np.round(distinct)).all()):
        return float(distinct[np.argmax(counts)])
    return float(np.median(known))


def _varied(values: Matrix, rare_below: float) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Places of features that vary enough, and how many do not."""
    n = len(values)
    ordered = np.sort(values, axis=0)
    constant = ordered[0] == ordered[-1]
    # The most frequent value fills at least n - allowed neighbouring places of the sorted column.
    allowed = max(1, int(np.ceil(rare_below * n)) - 1)
    run = n - allowed
    nearly = np.zeros(values.shape[1], dtype=bool)
    for start in range(allowed + 1 if run > 0 else 0):
        nearly |= ordered[start] == ordered[start + run - 1]
    nearly &= ~constant
    kept = np.flatnonzero(~(constant | nearly))
    if not len(kept):
        # One constant stands for all, so that every model still learns how frequent the event is.
        kept = np.array([0])
    return kept, {"constant": int(constant.sum()), "nearly constant": int(nearly.sum())}


def _ranked(
    values: Matrix, outcome: Outcome, keep: int, redundant_above: float
) -> tuple[NDArray[np.int64], dict[str, int]]:
    """Places of the leading features in order of association, and how many were left to a leader or not reached."""
    # Imported when needed: a stored predictor answers without it, in a fraction of the time.
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=0)
    ranks = ranks - ranks.mean(axis=0)
    length = np.linalg.norm(ranks, axis=0)
    ranks /= np.where(length > 0, length, 1.0)
    residual = _residual(outcome)
    # Rounding makes equal associations equal, whatever the order of the sums.
    association = np.round(np.abs(residual @ ranks), 10)
    leaders: list[int] = []
    redundant = 0
    order = np.argsort(-association, kind="stable")
    free = np.ones(len(order), dtype=bool)
    for place in order:
        if len(leaders) == keep:
            break
        if not free[place]:
            redundant += 1
            continue
        leaders.append(int(place))
        free &= np.abs(ranks[:, place] @ ranks) <= redundant_above
    beyond = len(order) - len(leaders) - redundant
    return np.array(leaders, dtype=np.int64), {"redundant": redundant, "beyond the rank used": beyond}


def _residual(outcome: Outcome) -> NDArray[np.float64]:
    """Residuals of the model without predictors, scaled to length 1."""
    event = outcome.event.astype(float)
    if isinstance(outcome, TimeToEvent):
        times, place = np.unique(outcome.time_days, return_inverse=True)
        deaths = np.bincount(place, weights=event, minlength=len(times))
        at_risk = np.bincount(place, minlength=len(times))[::-1].cumsum()[::-1]
        residual = event - np.cumsum(deaths / at_risk)[place]
    else:
        residual = event - event.mean()
    length = float(np.linalg.norm(residual))
    return np.asarray(residual / length if length > 0 else residual)


def _scaling(values: Matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Median and normalised interquartile range; mean and standard deviation where half of the values are equal."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    robust = (high - low) / NORMAL_IQR
    plain = robust <= 0
    centre = np.where(plain, values.mean(axis=0), middle)
    scale = np.where(plain, values.std(axis=0), robust)
    return centre, np.where(scale > 0, scale, 1.0)
