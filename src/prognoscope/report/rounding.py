"""Numbers as a person reads them aloud: the same rounding everywhere, a true minus sign, and never a bare NaN."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prognoscope.validation.results import Metric

NOT_COMPUTABLE = "not computable"
DAYS_PER_YEAR = 365.25
DAYS_PER_MONTH = DAYS_PER_YEAR / 12


def figure(value: float, decimals: int = 2) -> str:
    """Return a number with a fixed count of decimals; `not computable` for NaN, ∞ for infinite ends."""
    if math.isnan(value):
        return NOT_COMPUTABLE
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", "−")


def interval(low: float, high: float, decimals: int = 2) -> str:
    """Return `0.56 to 0.84`, or an empty text where an end is not known."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return f"{figure(low, decimals)} to {figure(high, decimals)}"


def with_interval(metric: Metric, decimals: int = 2) -> str:
    """Return `0.71 (95 % interval 0.56 to 0.84)`; a missing figure or interval says why."""
    if math.isnan(metric.estimate):
        return f"{NOT_COMPUTABLE} ({metric.reason})" if metric.reason else NOT_COMPUTABLE
    ends = interval(metric.low, metric.high, decimals)
    if ends:
        return f"{figure(metric.estimate, decimals)} (95 % interval {ends})"
    why = f"no interval: {metric.reason.removeprefix('no interval: ')}" if metric.reason else "no interval"
    return f"{figure(metric.estimate, decimals)} ({why})"


def of_hundred(share: float) -> str:
    """Return a share as a natural frequency: `23` of 100; `fewer than 1` and `more than 99` at the ends."""
    if math.isnan(share):
        return NOT_COMPUTABLE
    if 0 < share < 0.005:
        return "fewer than 1"
    if 0.995 <= share < 1:
        return "more than 99"
    return str(math.floor(share * 100 + 0.5))


def count(number: int, one: str, many: str = "") -> str:
    """Return `1 patient`, `51 patients`, `1,204 patients`: a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def span(days: float) -> str:
    """Return a length of time in days, with years or months beside it where they help."""
    text = f"{days:,.0f} days" if float(days).is_integer() else f"{days:,.1f} days"
    if days >= DAYS_PER_YEAR:
        return f"{text} ({days / DAYS_PER_YEAR:.1f} years)"
    if days >= 2 * DAYS_PER_MONTH:
        return f"{text} ({days / DAYS_PER_MONTH:.0f} months)"
    return text


def unit(name: str) -> str:
    """Return a unit as it is printed: `mm3` → `mm³`; nothing for a number without one."""
    if name in {"", "1"}:
        return ""
    raised = re.sub(r"(?<=[A-Za-z])\^?([23])\b", lambda power: {"2": "²", "3": "³"}[power[1]], name)
    return raised.replace(".", "·")


def capital(text: str) -> str:
    """Return text with a capital first letter, unless its first word has capitals of its own (`pH`, `mRNA`)."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    return text[:1].upper() + text[1:] if first.islower() else text


def sentence(text: str) -> str:
    """Return text that begins with a capital and ends with a full stop; nothing stays nothing."""
    words = text.strip()
    if not words:
        return ""
    first = words[0].upper() + words[1:]
    return first if first.endswith((".", "?", "!")) else f"{first}."


def joined(parts: list[str] | tuple[str, ...]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def p_value(p: float) -> str:
    """Return a p value with two digits that count: `0.32`, `0.004`, `below 0.001`."""
    if math.isnan(p):
        return NOT_COMPUTABLE
    return "below 0.001" if p < 0.001 else figure(p, 3 if p < 0.1 else 2)
