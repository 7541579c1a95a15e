"""Dates moved by a number of days, in DICOM's forms and in the forms people write.

A shift keeps the form: what was `03/07/2019` stays two digits, slash, two digits, slash, four digits.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

Shift = int | None  # days to add, or None where dates are removed
_DA = re.compile(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})")
_DT = re.compile(r"(\d{4})(\d{2})?(\d{2})?(.*)", re.DOTALL)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_YEAR = r"(?:19|20|21|22)\d\d"
WRITTEN = re.compile(
    rf"(?<![\d.])(?:"
    rf"(?P<iso>{_YEAR}[-/._]\d\d?[-/._]\d\d?(?!\d))"
    rf"|(?P<plain>{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?=(?:[ T_]?\d{{6}})?(?!\d)))"
    rf"|(?P<numbers>\d\d?(?P<mark>[-/.])\d\d?(?P=mark)(?:{_YEAR}|\d\d)(?![\d]|\.\d))"
    rf"|(?P<day_first>\d\d?(?:st|nd|rd|th)?[-\s.]{{1,2}}(?:of\s+)?{_MONTH}\.?[-\s,]{{1,2}}(?:{_YEAR}|'?\d\d)(?!\d))"
    rf")|\b(?P<month_first>{_MONTH}\.?[-\s]{{0,2}}\d\d?(?:st|nd|rd|th)?,?[-\s]{{1,2}}{_YEAR}(?!\d))"
    rf"|\b(?P<month_year>{_MONTH}\.?,?[-\s](?:of\s+)?{_YEAR}(?!\d))",
    re.IGNORECASE,
)
_FORMS = {"iso": "ymd", "plain": "ymd"}


def shift_da(value: str, days: int) -> str | None:
    """Move a DICOM date (DA, also its old forms `YYYY.MM.DD`); None where it is no date."""
    match = _DA.fullmatch(value.strip("\0 "))
    moved = match and _moved(int(match[1]), int(match[2]), int(match[3]), days)
    return f"{moved:%Y%m%d}" if moved else None


def shift_dt(value: str, days: int) -> str | None:
    """Move a DICOM date-time (DT) in the precision it has; the time of day and zone stay. None where it is none."""
    match = _DT.fullmatch(value.strip("\0 "))
    if not match:
        return None
    year, month, day, rest = match.groups()
    moved = _moved(int(year), int(month or 7), int(day or 1), days)
    if moved is None:
        return None
    if day:
        return f"{moved:%Y%m%d}{rest}"
    return f"{moved:%Y%m}{rest}" if month else f"{moved:%Y}{rest}"


def replace_written(text: str, days: Shift, *, moved: Callable[[str], str], removed: Callable[[str], str]) -> str:
    """Move, or take out, each date that people write within a text.

    Parameters
    ----------
    text
        Any text.
    days
        Days to add; None takes dates out.
    moved
        Gives what stands in the place of a moved date, from the date written in its old form.
    removed
        Gives what stands in the place of a date that is taken out, or that looks like one and is none.
    """

    def change(match: re.Match[str]) -> str:
        kind = match.lastgroup if match.lastgroup != "mark" else "numbers"
        date = None if days is None else _written(match.group(0), kind or "", days)
        return removed("date") if date is None else moved(date)

    return WRITTEN.sub(change, text)


def _written(text: str, kind: str, days: int) -> str | None:
    if kind in ("iso", "plain", "numbers"):
        return _numeric(text, kind, days)
    return _worded(text, kind, days)


def _numeric(text: str, kind: str, days: int) -> str | None:
    spans = list(re.finditer(r"\d+", text))
    if kind == "plain":
        return shift_da(text, days)
    numbers = [int(span.group()) for span in spans]
    order = _FORMS.get(kind) or ("dmy" if numbers[0] > 12 or "." in text else "mdy")
    parts = dict(zip(order, numbers, strict=True))
    century = 0 if parts["y"] > 99 else (2000 if parts["y"] < 50 else 1900)
    moved_day = _moved(parts["y"] + century, parts["m"], parts["d"], days)
    if moved_day is None:
        return None
    new = {
        "y": moved_day.year - century if not century else moved_day.year % 100,
        "m": moved_day.month,
        "d": moved_day.day,
    }
    out, end = "", 0
    for letter, span in zip(order, spans, strict=True):
        out += text[end : span.start()] + str(new[letter]).zfill(len(span.group()))
        end = span.end()
    return out + text[end:]


def _worded(text: str, kind: str, days: int) -> str | None:
    word = re.search(_MONTH, text, re.IGNORECASE)
    numbers = re.findall(r"\d+", text)
    assert word is not None
    month = MONTHS.index(word.group().lower()[:3]) + 1
    year = int(numbers[-1]) if len(numbers[-1]) == 4 else int(numbers[-1]) + (2000 if int(numbers[-1]) < 50 else 1900)
    day = int(numbers[0]) if kind != "month_year" else 1
    moved = _moved(year, month, day, days)
    if moved is None:
        return None
    name = f"{moved:%B}" if len(word.group()) > 4 else f"{moved:%b}"
    if kind == "day_first":
        return f"{moved.day} {name} {moved.year}"
    return f"{name} {moved.day}, {moved.year}" if kind == "month_first" else f"{name} {moved.year}"


def _moved(year: int, month: int, day: int, days: int) -> dt.date | None:
    try:
        return dt.date(year, month, day) + dt.timedelta(days=days)
    except (ValueError, OverflowError):
        return None
