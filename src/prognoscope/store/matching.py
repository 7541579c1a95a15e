"""A parsed query → which volumes of a chunk it means. One meaning for every database: texts compare case-folded."""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

from prognoscope.store.facets import NUMBERS, ROI, SERIES_FIELDS, TEXTS, WORDS, Chunk, of_table
from prognoscope.store.grammar import Combined, Comparison, Negated, Node, is_number, pointed
from prognoscope.store.records import folded

# Columns of tables that say the same as a header's attribute. `site` is anatomy here: an institution is a `centre`.
SAME_IN_TABLES: Mapping[str, tuple[str, ...]] = {
    "age": ("age",),
    "sex": ("sex",),
    "body_part": ("body_part", "site"),
    "centre": ("centre",),
    "scanner": ("scanner",),
}
FIRST_COUNTS = ("age",)  # a header's value makes the table's superfluous; elsewhere either may match
REGION_FIELDS = (ROI, "region")
TABLE = "table."  # before a column's name: that of tables is meant, and no field of ours
# The wanted value stands before what is compared with it, which `partial` then needs no Python for.
ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.gt,
    "<=": operator.ge,
    ">": operator.lt,
    ">=": operator.le,
}
OPPOSITE = {"!=": "=", "!~": "~", "unknown": "known"}
WILD = ("*", "?")
LONGEST_DATE = len("2020-01-31")

Accepts = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Column:
    """Whether the tables' columns of a name hold numbers, whether texts that are none, and in which units."""

    numbers: bool
    words: bool
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Test:
    """Which values a comparison accepts.

    Attributes
    ----------
    own
        The facet of the field, and what is accepted there.
    tables
        The same for columns of tables that say the same.
    instead
        Whether these count only where the field itself is unknown.
    """

    own: tuple[str, Accepts]
    tables: tuple[tuple[str, Accepts], ...] = ()
    instead: bool = False

    @property
    def facets(self) -> set[str]:
        """What must be read of a chunk."""
        return {name for name, _ in (self.own, *self.tables)}

    def mask(self, chunk: Chunk) -> int:
        """Volumes of which a value is accepted."""
        told = 0
        for name, accepts in self.tables:
            told |= chunk.mask(name, accepts)
        if self.instead:
            told &= chunk.everything ^ chunk.mask(self.own[0], _anything)
        return chunk.mask(*self.own) | told


@dataclass(frozen=True, slots=True)
class Question:
    """A query made ready: its tree, a test for each comparison, and the fields that it asks for."""

    node: Node | None
    tests: Mapping[Comparison, Test]
    fields: frozenset[str]

    @property
    def facets(self) -> set[str]:
        """What must be read of a chunk."""
        return {name for test in self.tests.values() for name in test.facets}

    def mask(self, chunk: Chunk) -> int:
        """Volumes that the query means."""
        return chunk.everything if self.node is None else self._mask(self.node, chunk)

    def _mask(self, node: Node, chunk: Chunk) -> int:
        if isinstance(node, Comparison):
            found = self.tests[node].mask(chunk)
            return chunk.everything ^ found if node.operator in OPPOSITE else found
        if isinstance(node, Negated):
            return chunk.everything ^ self._mask(node.part, chunk)
        first, *others = (self._mask(part, chunk) for part in node.parts)
        for other in others:
            first = first & other if node.how == "and" else first | other
        return first


def asked(node: Node | None) -> tuple[Node | None, frozenset[str]]:
    """The tree with its fields case-folded, and these."""
    if node is None:
        return None, frozenset()
    node = _folded(node)
    return node, frozenset(one.field for one in _comparisons(node))


def question(query: str, node: Node | None, fields: frozenset[str], columns: Mapping[str, Column]) -> Question:
    """Make a query ready.

    Parameters
    ----------
    query, node, fields
        Its text, and what `asked` made of it.
    columns
        Columns of tables by their case-folded names.

    Raises
    ------
    Refused
        `query-field`, `query-value`, `query-unit`, with the character it points at.
    """
    maker = _Maker(query, columns)
    tests = {one: maker.test(one) for one in _comparisons(node)} if node else {}
    return Question(node, tests, fields)


def _comparisons(node: Node) -> Iterator[Comparison]:
    if isinstance(node, Comparison):
        yield node
        return
    for part in node.parts if isinstance(node, Combined) else (node.part,):
        yield from _comparisons(part)


def _folded(node: Node) -> Node:
    if isinstance(node, Comparison):
        return replace(node, field=folded(node.field))
    if isinstance(node, Combined):
        return replace(node, parts=tuple(map(_folded, node.parts)))
    return replace(node, part=_folded(node.part))


class _Maker:
    """Comparisons → tests."""

    def __init__(self, query: str, columns: Mapping[str, Column]) -> None:
        self._query, self._columns = query, columns

    def test(self, node: Comparison) -> Test:
        if node.unit and node.field in (*REGION_FIELDS, *SERIES_FIELDS):
            raise self._unit(node, f"{node.field} is written without a unit")
        if node.field in REGION_FIELDS:
            return Test((ROI, self._accepts(node, number=False)))
        if node.field in SERIES_FIELDS:
            number = SERIES_FIELDS[node.field][1]
            accepts = self._accepts(self._dated(node) if node.field == "date" else node, number=number)
            names = [name for name in SAME_IN_TABLES.get(node.field, ()) if name in self._columns]
            what = NUMBERS if number else TEXTS
            tables = tuple((of_table(name, what=what), accepts) for name in names)
            return Test((node.field, accepts), tables, instead=node.field in FIRST_COUNTS)
        name = node.field.removeprefix(TABLE)
        if name in self._columns:
            return self._column(node, name, self._columns[name])
        raise self._no_field(node)

    def _column(self, node: Comparison, name: str, column: Column) -> Test:
        """Numbers are compared where a column holds any, and texts beside them where it holds words too."""
        comparison = OPPOSITE.get(node.operator, node.operator)
        if comparison == "known" or not column.numbers:
            return Test((of_table(name), self._accepts(node, number=False)))
        if column.words and (comparison == "~" or not all(map(is_number, node.values))):
            return Test((of_table(name), self._accepts(node, number=False)))
        numbers = (self._measured(node, name, column), self._accepts(node, number=True))
        told = (of_table(name, what=WORDS), self._accepts(node, number=False))
        return Test(numbers, (told,) if column.words and comparison not in ORDERED else ())

    def _measured(self, node: Comparison, name: str, column: Column) -> str:
        """The numbers that are meant: those of one unit, where the column holds several."""
        listed = " and ".join(column.units)
        if not node.unit:
            if len(column.units) > 1:
                raise self._unit(node, f"{node.field} is given in {listed}: write the unit behind the number")
            return of_table(name, what=NUMBERS)
        if folded(node.unit) not in column.units:
            raise self._unit(node, f"{node.field} is given in {listed or 'no unit'}, not in “{node.unit}”")
        return of_table(name, unit=node.unit)

    def _accepts(self, node: Comparison, *, number: bool) -> Accepts:
        comparison = OPPOSITE.get(node.operator, node.operator)
        if comparison == "known":
            return _anything if number else bool
        if number:
            if comparison == "~":
                raise self._wrong(node, 0, f"“~” compares texts, and {node.field} is a number")
            wanted: tuple[Any, ...] = tuple(self._number(node, place) for place in range(len(node.values)))
        else:
            wanted = tuple(map(folded, node.values))
        if comparison in ORDERED:
            return partial(ORDERED[comparison], wanted[0])
        if comparison == "~":
            return _somewhere(str(wanted[0]))
        return _one_of(wanted)

    def _dated(self, node: Comparison) -> Comparison:
        """A comparison with days: a year or a month stands for all its days."""
        comparison = OPPOSITE.get(node.operator, node.operator)
        if comparison in ("~", "known"):
            return node
        values = []
        for position, value in enumerate(node.values):
            if not _wild(value) and not _is_day(value):
                raise self._wrong(node, position, f"a date is written 2020-01-31, 2020-01 or 2020, not “{value}”")
            whole = len(value) == LONGEST_DATE or _wild(value)
            after = "-99" if comparison in ("<=", ">") else "*" if comparison in ("=", "in") else ""
            values.append(value if whole else value + after)
        return replace(node, values=tuple(values))

    def _number(self, node: Comparison, position: int) -> float:
        if not is_number(node.values[position]):
            raise self._wrong(node, position, f"{node.field} is compared with a number, not “{node.values[position]}”")
        return float(node.values[position])

    def _unit(self, node: Comparison, found: str) -> Exception:
        return pointed(self._query, node.values_at[0], found, code="query-unit")

    def _wrong(self, node: Comparison, position: int, found: str) -> Exception:
        return pointed(self._query, node.values_at[position], found, code="query-value")

    def _no_field(self, node: Comparison) -> Exception:
        from prognoscope.core.settings import nearest  # with pydantic: for a wrong query only

        near = nearest(node.field, (*SERIES_FIELDS, *REGION_FIELDS, *self._columns))
        hint = f"did you mean “{near}”?" if near else f"known are {', '.join([*SERIES_FIELDS, ROI])}"
        return pointed(
            self._query,
            node.at,
            f"there is no field “{node.field}”",
            code="query-field",
            remedy=f"{hint}, and the columns of the tables that were ingested",
        )


def _anything(_: object) -> bool:
    return True


def _one_of(wanted: tuple[Any, ...]) -> Accepts:
    whole = frozenset(value for value in wanted if not (isinstance(value, str) and _wild(value)))
    patterns = [_pattern(value) for value in wanted if isinstance(value, str) and _wild(value)]
    if not patterns:
        return whole.__contains__
    return lambda value: value in whole or any(pattern.match(value) for pattern in patterns)


def _somewhere(text: str) -> Accepts:
    if _wild(text):
        pattern = _pattern(text)
        return lambda value: pattern.match(value) is not None
    return lambda value: text in value


def _pattern(text: str) -> re.Pattern[str]:
    """A shell pattern (`*`, `?`) for the whole value; the translation looks back at no star twice."""
    return re.compile(fnmatch.translate(text.replace("[", "[[]")))


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
