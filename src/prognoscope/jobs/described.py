"""Tables and what their owner says of the columns, whichever came in first: each table has what lies beside it now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prognoscope.core.problems import Problem, Refused
from prognoscope.jobs.parcels import SIDECAR, SIDECAR_KEYS, printable, read_description
from prognoscope.store import Placed, Store

Said = Mapping[str, Mapping[str, str]]  # column → key → what is said


@dataclass(frozen=True, slots=True)
class Beside:
    """A description that lies beside a table."""

    place: Placed
    said: Said


def describe_tables(store: Store) -> tuple[Problem, ...]:
    """Give every table the units and times that the description beside it states now, and no others.

    Returns
    -------
    What is wrong with descriptions and was not so before: `columns-unmatched` for one that speaks of no table or of
    columns that its table has not got, `columns-differ` where one content lies in two places and is described in two
    ways: of these nothing is taken.
    """
    tables = {(one.source, one.path): one.sha256 for one in store.descriptions.placed("table")}
    beside: dict[str, list[Beside]] = defaultdict(list)
    problems: list[tuple[str, Problem]] = []
    for place in store.descriptions.placed("columns"):
        table = tables.get((place.source, place.path[: -len(SIDECAR)]))
        said = _said(store, place)
        if table is None:
            problems.append((place.source, _of_nothing(place)))
        elif said is not None:
            beside[table].append(Beside(place, said))
    for table, columns in store.descriptions.columns().items():
        if table not in tables.values():
            continue
        described, odd = _described(columns, beside[table])
        problems += odd
        if described != columns:
            store.descriptions.describe(table, described)
    return store.descriptions.set_aside(problems)


def _said(store: Store, place: Placed) -> Said | None:
    """What a description says; one that cannot be read was told when it came in."""
    try:
        return read_description(store.artefacts.get(place.sha256), subject=printable(place.path))
    except Refused:
        return None


def _described(
    columns: Sequence[Mapping[str, Any]], beside: Sequence[Beside]
) -> tuple[list[Mapping[str, Any]], list[tuple[str, Problem]]]:
    bare = [{key: value for key, value in column.items() if key not in SIDECAR_KEYS} for column in columns]
    names = {str(column["name"]) for column in bare}
    problems: list[tuple[str, Problem]] = []
    for one in beside:
        if unknown := sorted(set(one.said) - names):
            problems.append((one.place.source, _of_other_columns(one.place, unknown)))
    described: list[Mapping[str, Any]] = []
    for column in bare:
        told = {key: {one.said.get(str(column["name"]), {}).get(key, "") for one in beside} for key in SIDECAR_KEYS}
        if any(len(values - {""}) > 1 for values in told.values()):
            problems.append((beside[0].place.source, _differ(beside, str(column["name"]))))
            told = {}
        agreed = {key: text for key, values in told.items() for text in values - {""}}
        described.append(column | agreed)
    return described, problems


def _of_nothing(place: Placed) -> Problem:
    return Problem(
        "columns-unmatched",
        printable(place.path),
        "it describes the columns of a table, and no table of that name lies beside it",
        f"name it after its table: TABLE.csv{SIDECAR}",
    )


def _of_other_columns(place: Placed, unknown: Sequence[str]) -> Problem:
    return Problem(
        "columns-unmatched",
        printable(place.path),
        f"{len(unknown)} of the columns it describes are not in its table (such as {printable(unknown[0][:80])!r})",
        "write their names as the table does",
    )


def _differ(beside: Sequence[Beside], column: str) -> Problem:
    places = " and ".join(sorted(f"{one.place.source}, {printable(one.place.path)}" for one in beside))
    return Problem(
        "columns-differ",
        f"column {printable(column[:80])}",
        f"one table lies in several places and is described in several ways ({places}); nothing is taken",
        "let the descriptions say the same",
    )
