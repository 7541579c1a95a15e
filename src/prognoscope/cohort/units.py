"""Numbers of records from one unit to another, as UCUM writes units; what is not surely the same quantity is none."""

from __future__ import annotations

import re
from collections import Counter

PREFIXES = {"": 1.0, "k": 1e3, "h": 1e2, "d": 1e-1, "c": 1e-2, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
# Atom → what it measures, and how much of that measure's own unit it is (UCUM 2.1, tables 1 to 5 and 8).
METRIC = {"m": ("m", 1.0), "g": ("g", 1.0), "L": ("L", 1.0), "mol": ("mol", 1.0), "s": ("s", 1.0), "Pa": ("Pa", 1.0)}
METRIC |= {
    "U": ("U", 1.0),
    "eq": ("eq", 1.0),
    "[IU]": ("[IU]", 1.0),
    "cal": ("J", 4.184),
    "J": ("J", 1.0),
    "m[Hg]": ("Pa", 133322.387415),
}
OTHER = {
    "min": ("s", 60.0), "h": ("s", 3600.0), "d": ("s", 86400.0), "wk": ("s", 604800.0), "a": ("s", 31557600.0),
    "mo": ("s", 2629800.0), "[lb_av]": ("g", 453.59237), "[oz_av]": ("g", 28.349523125), "[in_i]": ("m", 0.0254),
    "[ft_i]": ("m", 0.3048), "%": ("1", 0.01), "1": ("1", 1.0),
}  # fmt: skip
# What people and machines write for these.
ALIASES = {
    "mmhg": "mm[Hg]", "lb": "[lb_av]", "lbs": "[lb_av]", "in": "[in_i]", "inches": "[in_i]", "day": "d", "days": "d",
    "year": "a", "years": "a", "yr": "a", "week": "wk", "month": "mo", "hour": "h", "hours": "h", "bpm": "/min",
    "beats/min": "/min", "breaths/min": "/min", "insp/min": "/min", "°c": "Cel", "degc": "Cel", "°f": "[degF]",
    "degf": "[degF]",
}  # fmt: skip
TERM = re.compile(r"([/.]?)(10[*^]\d+|(?:[A-Za-z%°]|\[[^\]]*\])+|1)(-?\d)?(?:\{[^}]*\})?|\{[^}]*\}")


def converted(value: float, unit: str, wanted: str) -> float | None:
    """The same quantity in another unit, or None where the two measure different things or one is not understood.

    Mass and amount of substance are different things: how much a mole weighs depends on what it is of.
    """
    have, want = (_plain(one) for one in (unit, wanted))
    if have == want:
        return value
    if {have, want} == {"Cel", "[degF]"}:
        return value * 1.8 + 32 if want == "[degF]" else (value - 32) / 1.8
    source, target = _measured(have), _measured(want)
    if source is None or target is None or source[0] != target[0]:
        return None
    return value * source[1] / target[1]


def _plain(unit: str) -> str:
    text = re.sub("[µμ]|mc(?=g)", "u", unit.strip())
    return ALIASES.get(text.lower(), text)


def _measured(unit: str) -> tuple[dict[str, int], float] | None:
    """What a unit measures, by powers, and how much of it; None where it is not understood."""
    powers: Counter[str] = Counter()
    factor, position = 1.0, 0
    while position < len(unit):
        term = TERM.match(unit, position)
        atom = _atom(term[2]) if term and term[2] else ("1", 1.0)
        if term is None or atom is None:
            return None
        power = int(term[3] or 1) * (-1 if term[1] == "/" else 1)
        powers[atom[0]] += power
        factor *= atom[1] ** power
        position = term.end()
    return {name: power for name, power in powers.items() if power and name != "1"}, factor


def _atom(text: str) -> tuple[str, float] | None:
    text = {"l": "L"}.get(text, text)
    if text in OTHER:
        return OTHER[text]
    if text.startswith(("10*", "10^")):
        return "1", 10.0 ** int(text[3:])
    for prefix, factor in PREFIXES.items():
        rest = text.removeprefix(prefix) if text.startswith(prefix) else ""
        rest = {"l": "L"}.get(rest, rest)
        if rest in METRIC:
            measure, amount = METRIC[rest]
            return measure, amount * factor
    return None
