"""The language of queries: text → a tree of comparisons, or a problem that points at the character.

    query      = and ("or" and)*            and = not ("and" not)*
    not        = "not" not | "(" query ")" | comparison
    comparison = field operator value [unit] | field "in" "(" value ("," value)* ")" | field "is" ("known" | "unknown")
    operator   = "=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~"

`=` compares whole texts, upper and lower case alike. `~` looks for a text anywhere in the value; with `*` or `?` in it,
it is a pattern for the whole value. Values with blanks stand in quotes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from prognoscope.core.problems import Refused, refuse

OPERATORS = ("!=", "<=", ">=", "!~", "=", "<", ">", "~")
TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')|(?P<operator>!=|<=|>=|!~|=|<|>|~)|(?P<mark>[(),])|(?P<word>[^\s()=<>~!,"']+))"""
)
KEYWORDS = ("and", "or", "not", "in", "is")
DEEPEST = 50
LONGEST = 10_000


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query: what kind it is, its text without quotes, and where it begins (from 0)."""

    kind: str
    text: str
    at: int

    @property
    def keyword(self) -> str:
        """The keyword that it is, or nothing."""
        return self.text.lower() if self.kind == "word" and self.text.lower() in KEYWORDS else ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator values`; `known` and `unknown` are operators without values."""

    field: str
    operator: str
    values: tuple[str, ...]
    at: int
    values_at: tuple[int, ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Combined:
    """Parts joined by `and` or `or`."""

    how: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """What must not hold."""

    part: Node


Node = Comparison | Combined | Negated


def is_number(text: str) -> bool:
    """Whether a value is a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def parse(query: str) -> Node | None:
    """Read a query; nothing but blanks is None, which everything matches.

    Raises
    ------
    Refused
        `query-syntax`, with the character it points at.
    """
    if len(query) > LONGEST:
        raise pointed(query[:60], 0, f"the query has {len(query):,} characters, at most {LONGEST:,} are read")
    tokens = _tokens(query)
    return _Reader(query, tokens).whole() if tokens else None


def pointed(query: str, at: int, found: str, *, code: str = "query-syntax", remedy: str = "") -> Refused:
    """The problem at one character of a query, shown below it."""
    shown = "".join(sign if sign.isprintable() else " " for sign in query)
    return refuse(
        code,
        subject="query",
        found=f"{found}, at character {at + 1}\n    {shown}\n    {' ' * at}^",
        remedy=remedy or "correct it there; an example is: modality = PT and age >= 18 and roi ~ GTV*",
    )


def _tokens(query: str) -> list[Token]:
    tokens, position = [], 0
    while query[position:].strip():
        found = TOKEN.match(query, position)
        if found is None:
            start = len(query) - len(query[position:].lstrip())
            sign = query[start]
            raise pointed(query, start, "a quote is not closed" if sign in "\"'" else f"{sign!r} is not expected")
        kind = str(found.lastgroup)
        text = found[kind]
        tokens.append(Token(kind, text[1:-1] if kind == "quoted" else text, found.start(kind)))
        position = found.end()
    return tokens


class _Reader:
    def __init__(self, query: str, tokens: list[Token]) -> None:
        self._query, self._tokens, self._next, self._depth = query, tokens, 0, 0

    def whole(self) -> Node:
        node = self._either()
        if self._next < len(self._tokens):
            self._fail("“and” or “or” is expected")
        return node

    def _either(self) -> Node:
        return self._joined("or", self._both)

    def _both(self) -> Node:
        return self._joined("and", self._not)

    def _joined(self, word: str, part: Callable[[], Node]) -> Node:
        parts = [part()]
        while self._peek_keyword() == word:
            self._next += 1
            parts.append(part())
        return parts[0] if len(parts) == 1 else Combined(word, tuple(parts))

    def _not(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            self._fail(f"it is nested more than {DEEPEST} deep")
        try:
            if self._peek_keyword() == "not":
                self._next += 1
                return Negated(self._not())
            if self._peek_text() == "(":
                self._next += 1
                node = self._either()
                self._expect(")")
                return node
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Node:
        field = self._take(("word", "quoted"), "a field is expected")
        if field.keyword:
            self._next -= 1
            self._fail("a field is expected")
        if self._peek_keyword() == "in":
            self._next += 1
            return self._list(field)
        if self._peek_keyword() == "is":
            self._next += 1
            state = self._take(("word",), "“known” or “unknown” is expected")
            if state.text.lower() not in ("known", "unknown"):
                self._next -= 1
                self._fail("“known” or “unknown” is expected")
            return Comparison(field.text, state.text.lower(), (), field.at)
        operator = self._take(("operator",), f"one of {' '.join(OPERATORS)} or “in” is expected after {field.text}")
        value = self._value(f"a value is expected after {operator.text}")
        return Comparison(field.text, operator.text, (value.text,), field.at, (value.at,), self._unit(value))

    def _unit(self, value: Token) -> str:
        """The unit behind a number: a word after which the comparison ends."""
        token, after = self._peek(), self._peek(1)
        ends = after is None or after.keyword in ("and", "or") or after.text == ")"
        if (
            token is None
            or token.kind not in ("word", "quoted")
            or token.keyword
            or not (ends and is_number(value.text))
        ):
            return ""
        self._next += 1
        return token.text

    def _list(self, field: Token) -> Node:
        self._expect("(")
        values = [self._value("a value is expected")]
        while self._peek_text() == ",":
            self._next += 1
            values.append(self._value("a value is expected"))
        self._expect(")")
        return Comparison(
            field.text, "in", tuple(value.text for value in values), field.at, tuple(value.at for value in values)
        )

    def _value(self, expected: str) -> Token:
        value = self._take(("word", "quoted"), expected)
        if value.keyword in ("and", "or", "not"):
            self._next -= 1
            self._fail(expected)
        return value

    def _take(self, kinds: tuple[str, ...], expected: str) -> Token:
        if self._next >= len(self._tokens) or self._tokens[self._next].kind not in kinds:
            self._fail(expected)
        self._next += 1
        return self._tokens[self._next - 1]

    def _expect(self, mark: str) -> None:
        if self._peek_text() != mark:
            self._fail(f"“{mark}” is expected")
        self._next += 1

    def _peek(self, further: int = 0) -> Token | None:
        place = self._next + further
        return self._tokens[place] if place < len(self._tokens) else None

    def _peek_keyword(self) -> str:
        token = self._peek()
        return token.keyword if token else ""

    def _peek_text(self) -> str:
        token = self._peek()
        return token.text if token and token.kind == "mark" else ""

    def _fail(self, expected: str) -> NoReturn:
        token = self._peek()
        at = token.at if token else len(self._query.rstrip())
        instead = f", not “{token.text}”" if token else ", but the query ends"
        raise pointed(self._query, at, expected + instead)
