"""The cohort table: what the participants are like, with and without the event."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prognoscope.core.table import Column, Table

LARGE = 100.0


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One row of the cohort table.

    `overall`, `with_event` and `without_event` are texts: median (quartiles) of a number, count (share) of a level, and
    of the ones of a number that is only 0 or 1 (level "1"). `missing` counts participants without a value.
    """

    name: str
    level: str
    unit: str
    overall: str
    with_event: str
    without_event: str
    missing: int


def characteristics(
    table: Table, event: NDArray[np.bool_], *, unknown: NDArray[np.bool_] | None = None
) -> tuple[Characteristic, ...]:
    """Describe the columns of a table over all participants and by event.

    Parameters
    ----------
    table
        One row per participant.
    event
        `(n,)`: whether the participant has the event (by the horizon, for a time to event).
    unknown
        `(n,)`: of whom it is not known (censored before the horizon); they count among all, and in neither group.

    Returns
    -------
    One row per number, one row per level of a category, in the order of the table.
    """
    told = np.ones(len(event), dtype=bool) if unknown is None else ~unknown
    groups = (np.ones(len(event), dtype=bool), event & told, ~event & told)
    rows: list[Characteristic] = []
    for column in table.columns:
        values = table.frame[column.name]
        rows.extend(_number(column, values, groups) if column.type == "number" else _levels(column, values, groups))
    return tuple(rows)


def _number(column: Column, values: pd.Series, groups: tuple[NDArray[np.bool_], ...]) -> list[Characteristic]:
    if values.dropna().isin([0, 1]).all() and values.notna().any():
        return _levels(replace(column, levels=("1",)), values.map(lambda one: f"{one:.0f}", na_action="ignore"), groups)
    texts = [_quartiles(values[group].dropna()) for group in groups]
    unit = "" if column.unit == "1" else column.unit
    return [Characteristic(column.name, "", unit, texts[0], texts[1], texts[2], int(values.isna().sum()))]


def _levels(column: Column, values: pd.Series, groups: tuple[NDArray[np.bool_], ...]) -> list[Characteristic]:
    missing = int(values.isna().sum())
    rows = []
    for position, level in enumerate(column.levels):
        texts = [_share(values[group].eq(level), int(values[group].notna().sum())) for group in groups]
        rows.append(
            Characteristic(column.name, level, "", texts[0], texts[1], texts[2], missing if position == 0 else 0)
        )
    return rows


def _quartiles(known: pd.Series) -> str:
    if known.empty:
        return "–"
    low, middle, high = np.percentile(known.to_numpy(dtype=float), [25, 50, 75])
    return f"{_short(middle)} ({_short(low)} to {_short(high)})"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= LARGE else f"{value:.3g}"


def _share(hits: pd.Series, known: int) -> str:
    count = int(hits.sum())
    return f"{count} ({100 * count / known:.0f} %)" if known else "–"
