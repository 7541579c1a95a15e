"""Queries on the catalogue: which image volumes a cohort has, counts first."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, distinct, exists, false, func, not_, or_, select, true

from prognoscope.store.catalogue import NAMES, QUARANTINE, REGIONS, SERIES, SOURCES, TABLES, VALUES
from prognoscope.store.database import Database
from prognoscope.store.grammar import Combined, Comparison, Negated, Node, parse, pointed
from prognoscope.store.records import folded
from prognoscope.store.volumes import HELD, USABLE

# Field → column of the series, and whether it holds numbers.
SERIES_FIELDS: Mapping[str, tuple[Any, bool]] = {
    "patient": (SERIES.c.patient_id, False),
    "modality": (SERIES.c.modality, False),
    "description": (SERIES.c.description, False),
    "body_part": (SERIES.c.body_part, False),
    "protocol": (SERIES.c.protocol, False),
    "date": (SERIES.c.date, False),
    "age": (SERIES.c.age, True),
    "sex": (SERIES.c.sex, False),
    "manufacturer": (SERIES.c.manufacturer, False),
    "scanner": (SERIES.c.scanner, False),
    "centre": (SERIES.c.centre, False),
    "unit": (SERIES.c.unit, False),
    "slices": (SERIES.c.slices, True),
    "spacing": (SERIES.c.spacing, True),
    "instances": (SERIES.c.instances, True),
    "series": (SERIES.c.series_uid, False),
    "study": (SERIES.c.study_uid, False),
    "source": (SERIES.c.source, False),
    "view": (SERIES.c.view, False),
    "photometric": (SERIES.c.photometric, False),
    "role": (SERIES.c.role, False),
    "quality": (SERIES.c.quality, False),
    "state": (SERIES.c.state, False),
}
# Columns of tables that say the same as a header's attribute. `site` is anatomy here: an institution is a `centre`.
SAME_IN_TABLES: Mapping[str, tuple[str, ...]] = {
    "age": ("age",),
    "sex": ("sex",),
    "body_part": ("body_part", "site"),
    "centre": ("centre",),
    "scanner": ("scanner",),
}
CAPITALS = ("modality",)  # DICOM's codes, kept so: an index or a bare comparison serves them
FIRST_COUNTS = ("age",)  # a header's value makes the table's superfluous; elsewhere either may match
REGION_FIELDS = ("roi", "region")
ORDERED = ("<", "<=", ">", ">=")
WILD = ("*", "?")
LONGEST_DATE = len("2020-01-31")


@dataclass(frozen=True, slots=True)
class Counts:
    """How much a query finds."""

    patients: int
    studies: int
    series: int
    instances: int
    bytes: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One volume that a query found."""

    key: str
    patient_id: str
    study_uid: str
    series_uid: str
    modality: str
    description: str
    body_part: str
    date: str | None
    age: float | None
    sex: str
    centre: str
    scanner: str
    slices: int
    instances: int
    view: str
    photometric: str
    role: str
    state: str
    source: str
    licence: str


@dataclass(frozen=True, slots=True)
class Told:
    """A value that a table or record tells of a patient, who is named as the images name the patient."""

    patient_id: str
    name: str
    text: str
    number: float | None
    unit: str
    known_at: str
    source: str
    path: str


class Search:
    """Queries on one store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self, query: str) -> Counts:
        """Count what a query finds; refuses as `hits` does."""
        where, asked = self._where(query)
        row = (
            func.count(distinct(SERIES.c.patient)),
            func.count(distinct(SERIES.c.study)),
            func.count(),
            func.coalesce(func.sum(SERIES.c.instances), 0),
            func.coalesce(func.sum(SERIES.c.bytes), 0),
        )
        held = select(func.count()).select_from(QUARANTINE).where(QUARANTINE.c.released == "")
        with self._database.reading() as connection:
            found = connection.execute(select(*row).where(_trusted(asked), where)).one()
            patients, studies, series, instances, size = (int(number) for number in found)
            return Counts(patients, studies, series, instances, size, int(connection.execute(held).scalar() or 0))

    def hits(self, query: str, *, most: int | None = None, held: bool = False) -> tuple[Hit, ...]:
        """List the volumes that a query finds, sorted by patient, modality and UID.

        Only volumes that may be used are found, unless the query asks for another `state`; with `held` only those
        that the query means too but that are in quarantine.

        Raises
        ------
        Refused
            `query-syntax`, `query-field`, `query-value`, each with the character it points at.
        """
        where, asked = self._where(query)
        names = [name for name in Hit.__slots__ if name != "licence"]
        columns = [SERIES.c[name] for name in names]
        statement: Select[Any] = (
            select(*columns, func.coalesce(func.nullif(SERIES.c.licence, ""), SOURCES.c.licence, "").label("licence"))
            .join(SOURCES, SOURCES.c.source == SERIES.c.source, isouter=True)
            .where(SERIES.c.state.in_(HELD) if held else _trusted(asked), where)
            .order_by(SERIES.c.patient_id, SERIES.c.modality, SERIES.c.uid)
        )
        if most is not None:
            statement = statement.limit(most)
        with self._database.reading() as connection:
            return tuple(Hit(**row._mapping) for row in connection.execute(statement))

    def told(self, query: str) -> tuple[Told, ...]:
        """Return all that tables and records tell today of the patients that a query finds; refuses as `hits`."""
        where, asked = self._where(query)
        patients = select(SERIES.c.patient).where(_trusted(asked), where)
        columns = (VALUES.c.name, VALUES.c.text, VALUES.c.number, VALUES.c.unit, VALUES.c.known_at)
        statement = (
            select(NAMES.c.name, *columns, TABLES.c.source, TABLES.c.path)
            .join(NAMES, NAMES.c.number == VALUES.c.patient)
            .join(TABLES, TABLES.c.sha256 == VALUES.c.table_sha256)
            .where(VALUES.c.patient.in_(patients))
            .order_by(NAMES.c.name, TABLES.c.source, TABLES.c.path, VALUES.c.row, VALUES.c.name)
        )
        with self._database.reading() as connection:
            return tuple(Told(*row) for row in connection.execute(statement))

    def values_of(self, field: str, *, most: int = 12) -> tuple[tuple[str, int], ...]:
        """The most frequent values of a field, with the number of series: for a query that finds nothing."""
        if field not in SERIES_FIELDS:
            return ()
        column = SERIES_FIELDS[field][0]
        statement = select(column, func.count()).group_by(column).order_by(func.count().desc(), column).limit(most)
        with self._database.reading() as connection:
            return tuple((str(value), int(number)) for value, number in connection.execute(statement))

    def _where(self, query: str) -> tuple[ColumnElement[bool], frozenset[str]]:
        node = parse(query)
        if node is None:
            return true(), frozenset()
        node = _in_lower_case(node)
        fields = frozenset(_fields(node))
        return _Translator(query, self._columns(fields)).condition(node), fields

    def _columns(self, fields: frozenset[str]) -> Mapping[str, bool] | None:
        """Names of the tables' columns, and whether they hold numbers; read only where a query needs them."""
        wanted = fields - set(SERIES_FIELDS) - set(REGION_FIELDS)
        if not wanted and not fields & set(SAME_IN_TABLES):
            return {}
        names = [*wanted, *(name for field in fields for name in SAME_IN_TABLES.get(field, ()))]
        found: dict[str, bool] = {}
        with self._database.reading() as connection:
            for name in sorted(set(names)):
                base = select(VALUES.c.name).where(VALUES.c.name == name)
                if connection.execute(base.limit(1)).scalar() is not None:
                    number = base.where(VALUES.c.number.is_not(None)).limit(1)
                    found[name] = connection.execute(number).scalar() is not None
            if wanted - set(found):
                found |= dict.fromkeys(connection.execute(select(VALUES.c.name).distinct()).scalars(), False)
        return found


def _trusted(fields: frozenset[str]) -> ColumnElement[bool]:
    return true() if "state" in fields else SERIES.c.state.in_(USABLE)


def _in_lower_case(node: Node) -> Node:
    """The same with our own fields as we write them; columns of tables stay as their owners wrote them."""
    if isinstance(node, Comparison):
        lower = node.field.lower()
        return replace(node, field=lower) if lower in (*SERIES_FIELDS, *REGION_FIELDS) else node
    if isinstance(node, Combined):
        return replace(node, parts=tuple(map(_in_lower_case, node.parts)))
    return replace(node, part=_in_lower_case(node.part))


def _fields(node: Node) -> Sequence[str]:
    if isinstance(node, Comparison):
        return (node.field,)
    parts = node.parts if isinstance(node, Combined) else (node.part,)
    return [field for part in parts for field in _fields(part)]


class _Translator:
    """A tree of comparisons → a condition on the series."""

    def __init__(self, query: str, columns: Mapping[str, bool] | None) -> None:
        self._query, self._columns = query, columns or {}

    def condition(self, node: Node) -> ColumnElement[bool]:
        if isinstance(node, Negated):
            return not_(self.condition(node.part))
        if isinstance(node, Combined):
            parts = [self.condition(part) for part in node.parts]
            return and_(*parts) if node.how == "and" else or_(*parts)
        if node.operator in ("!=", "!~", "unknown"):
            positive = {"!=": "=", "!~": "~", "unknown": "known"}[node.operator]
            return not_(self.condition(Comparison(node.field, positive, node.values, node.at, node.values_at)))
        return self._comparison(node)

    def _comparison(self, node: Comparison) -> ColumnElement[bool]:
        if node.field in REGION_FIELDS:
            return self._region(node)
        if node.field == "date":
            node = self._dated(node)
        if node.field in SERIES_FIELDS:
            column, number = SERIES_FIELDS[node.field]
            own = (
                self._compare(column, column, node, number=number, fold=str.upper)
                if node.field in CAPITALS
                else self._compare(column, func.lower(column), node, number=number)
            )
            others = [name for name in SAME_IN_TABLES.get(node.field, ()) if name in self._columns]
            own = func.coalesce(own, false()) if column.nullable else own
            if not others:
                return own
            found = or_(*(self._in_tables(name, node, number=number) for name in others))
            return (
                and_(column.is_not(None), own) | and_(column.is_(None), found)
                if node.field in FIRST_COUNTS
                else own | found
            )
        if node.field in self._columns:
            return self._in_tables(node.field, node, number=self._columns[node.field])
        from prognoscope.core.settings import nearest  # with pydantic: for a wrong query only

        known = {name.casefold(): name for name in (*SERIES_FIELDS, *REGION_FIELDS, *self._columns)}
        near = known.get(nearest(node.field.casefold(), known) or "")
        hint = f"did you mean “{near}”?" if near else f"known are {', '.join([*SERIES_FIELDS, 'roi'])}"
        raise pointed(
            self._query,
            node.at,
            f"there is no field “{node.field}”",
            code="query-field",
            remedy=f"{hint}, and the columns of the tables that were ingested",
        )

    def _in_tables(self, name: str, node: Comparison, *, number: bool) -> ColumnElement[bool]:
        wanted = self._compare(VALUES.c.number if number else VALUES.c.folded, VALUES.c.folded, node, number=number)
        patients = select(VALUES.c.patient).where(VALUES.c.name == name, wanted)
        return SERIES.c.patient.in_(patients)

    def _region(self, node: Comparison) -> ColumnElement[bool]:
        """A region belongs to the series that it was drawn on; one that names none, to the frame of reference."""
        named = self._compare(REGIONS.c.folded, REGIONS.c.folded, node, number=False)
        own = (REGIONS.c.patient == SERIES.c.patient, REGIONS.c.series_uid == SERIES.c.series_uid)
        return exists(select(REGIONS.c.folded).where(*own, named))  # all of it stands in one index

    def _compare(
        self, column: Any, folded_column: Any, node: Comparison, *, number: bool, fold: Callable[[str], str] = folded
    ) -> ColumnElement[bool]:
        if node.operator == "known":
            found: ColumnElement[bool] = column.is_not(None)
            return found if number else and_(found, column != "")
        if number:
            values = [self._number(node, position) for position in range(len(node.values))]
            if node.operator == "~":
                raise self._wrong(node, 0, f"“~” compares texts, and {node.field} is a number")
            return (
                or_(*(column == value for value in values))
                if node.operator in ("in", "=")
                else _ordered(column, node.operator, values[0])
            )
        texts = [fold(value) for value in node.values]
        if node.operator == "~":
            contains: ColumnElement[bool] = folded_column.like(_pattern(texts[0]), escape="\\")
            return contains
        if node.operator in ORDERED:
            return _ordered(folded_column, node.operator, texts[0])
        return or_(
            *(folded_column.like(_like(text), escape="\\") if _wild(text) else folded_column == text for text in texts)
        )

    def _dated(self, node: Comparison) -> Comparison:
        """A comparison with days: a year or a month stands for all its days."""
        if node.operator in ("~", "known"):
            return node
        values = []
        for position, value in enumerate(node.values):
            if not _wild(value) and not _is_day(value):
                raise self._wrong(node, position, f"a date is written 2020-01-31, 2020-01 or 2020, not “{value}”")
            whole = len(value) == LONGEST_DATE or _wild(value)
            after = "-99" if node.operator in ("<=", ">") else "*" if node.operator in ("=", "in") else ""
            values.append(value if whole else value + after)
        return replace(node, values=tuple(values))

    def _number(self, node: Comparison, position: int) -> float:
        try:
            value = float(node.values[position])
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._wrong(node, position, f"{node.field} is compared with a number, not “{node.values[position]}”")
        return value

    def _wrong(self, node: Comparison, position: int, found: str) -> Exception:
        return pointed(self._query, node.values_at[position], found, code="query-value")


def _ordered(column: Any, operator: str, value: float | str) -> ColumnElement[bool]:
    found: ColumnElement[bool] = {
        "<": column < value,
        "<=": column <= value,
        ">": column > value,
        ">=": column >= value,
    }[operator]
    return found


def _is_day(text: str) -> bool:
    parts = text.split("-")
    if tuple(map(len, parts)) not in ((4,), (4, 2), (4, 2, 2)) or not all(part.isdigit() for part in parts):
        return False
    year, month, day = (*map(int, parts), 1, 1)[:3]
    try:
        return bool(date(year, month, day))
    except ValueError:
        return False


def _wild(text: str) -> bool:
    return any(sign in text for sign in WILD)


def _like(pattern: str) -> str:
    """A shell pattern (`*`, `?`) as SQL's LIKE has it."""
    plain = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return plain.replace("*", "%").replace("?", "_")


def _pattern(text: str) -> str:
    return _like(text) if _wild(text) else f"%{_like(text)}%"
