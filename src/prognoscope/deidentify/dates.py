"""Dates moved by a number of days, in DICOM's forms and in the forms people write.

A shift keeps the form: what was `03/07/2019` stays two digits, slash, two digits, slash, four digits.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from prognoscope.deidentify.words import MONTHS, ORDINALS, alternatives

Shift = int | None  # days to add, or None where dates are removed
_DA = re.compile(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})")
_DT = re.compile(r"(\d{4})(\d{2})?(\d{2})?(.*)", re.DOTALL)
_MONTH_OF = {name: number for number, names in enumerate(MONTHS, start=1) for name in names}
_YEAR = r"(?:19|20|21|22)\d\d"
_MONTH = alternatives("months") + r"(?![^\W\d_])"
# Without a year only what is unmistakably a month counts: with a capital, or long.
_SURE_MONTH = rf"(?:(?-i:(?=[A-Z]))|(?=\w{{6}})){_MONTH}"
_ROMAN = ("XII", "XI", "IX", "X", "VIII", "VII", "VI", "IV", "V", "III", "II", "I")  # the longer before the shorter
_ROMAN_MONTHS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_ORDINAL = "(?:" + "|".join(word.replace("-", r"[-\s]") for word in reversed(ORDINALS)) + ")"
_DAY = rf"(?:\d\d?(?:st|nd|rd|th|er|º)?|\b{_ORDINAL})"
_OF = r"(?:of\s+|del?\s+)?"
WRITTEN = re.compile(
    rf"(?<![\d.])(?:"
    rf"(?P<iso>{_YEAR}[-/._]\d\d?[-/._]\d\d?(?!\d))"
    rf"|(?P<cjk>{_YEAR}\s?[年년]\s?\d\d?\s?[月월]\s?\d\d?\s?[日일])"
    rf"|(?P<plain>{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?=(?:[ T_]?\d{{6}})?(?!\d)))"
    rf"|(?P<numbers>\d\d?(?P<mark>[-/.])\d\d?(?P=mark)(?:{_YEAR}|\d\d)(?![\d]|\.\d))"
    rf"|(?P<apart>\d\d?\s/\s\d\d?\s/\s{_YEAR}(?!\d)|\d\d_\d\d_{_YEAR}(?!\d))"
    rf"|(?P<roman>\d\d?[-./ ](?-i:{'|'.join(_ROMAN)})[-./ ]{_YEAR}(?!\d))"
    rf"|(?<![\w/\-])(?P<month_of_year>(?:0[1-9]|1[0-2])/{_YEAR}|{_YEAR}-(?:0[1-9]|1[0-2]))(?![\w/\-]|\.\d)"
    rf"|(?P<spaced>\d\d \d\d {_YEAR}(?!\d))"
    rf"|(?P<day_first>{_DAY}[-\s.]{{1,2}}{_OF}{_MONTH}\.?[-\s,]{{1,2}}{_OF}(?:{_YEAR}|'?\d\d)(?!\d))"
    rf"|(?P<joined>\d\d?{_MONTH}(?:{_YEAR}|\d\d)(?!\d))"
    rf"|(?P<day_month>{_DAY}[-\s.]{{1,2}}{_OF}{_SURE_MONTH})"
    rf")|\b(?P<month_first>{_MONTH}\.?[-\s]{{0,2}}(?:the\s+)?{_DAY},?[-\s]{{1,2}}{_YEAR}(?!\d))"
    rf"|\b(?P<month_year>{_MONTH}\.?,?[-\s]{_OF}{_YEAR}(?!\d))"
    rf"|\b(?P<month_day>{_SURE_MONTH}\.?\s(?:the\s+)?{_DAY}(?!\d|[.,:/]\d|\s*(?:mm|cm|%|x\b)))"
    # Years of Japanese reigns: taken out, never moved.
    r"|(?P<reign>(?:令和|平成|昭和|大正|明治)\s?(?:\d{1,2}|元)年\s?\d\d?月\s?\d\d?日)",
    re.IGNORECASE,
)
# A day and a month without a year: a date only where the study has that day, and no part, grade or share.
_BARE = re.compile(
    r"(?<![\w.,/\-])(?P<one>\d\d?)(?:(?P<mark>/)(?P<two>\d\d?)(?![\d/])|(?P<dot>\.)(?P<three>\d\d?)\.(?!\d))"
    r"(?!\s*(?:mm|cm|inch|of|th|strength|positive|power|lobe|nodes?|views?)\b)",
    re.IGNORECASE,
)
_SIX = re.compile(r"(?<![\w.,])\d{6}(?!\w|[.,]\d)")
_NO_DATE_AFTER = re.compile(
    r"(?:grade|stage|type|level|image|series|slice|fig(?:ure)?|page|part|phase|step|score|class|category|rads|gleason"
    r"|about|approximately|frames?|views?)\s*$",
    re.IGNORECASE,
)
_FORMS = {"iso": "ymd", "plain": "ymd", "cjk": "ymd"}
_ANY_YEAR = (
    2001  # stands in where a date has no year: no leap year, so that each day moves to a day that is always there
)


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
        kind = match.lastgroup
        if kind == "numbers" and _no_day(match.group(0)):
            return match.group(0)
        date = None if days is None else _written(match.group(0), kind or "", days)
        return removed("date") if date is None else moved(date)

    return WRITTEN.sub(change, text)


def replace_known_days(
    text: str,
    known: frozenset[str],
    days: Shift,
    *,
    moved: Callable[[str], str],
    removed: Callable[[str], str],
) -> str:
    """Move, or take out, each day and month without a year (`3/4`, `4.3.`) that is a day of the study.

    Parameters
    ----------
    known
        Days of the study as `YYYYMMDD`.
    text, days, moved, removed
        As for `replace_written`. What may be two days of the study, month first and day first, is taken out.
    """

    def change(match: re.Match[str]) -> str:
        if _NO_DATE_AFTER.search(text[: match.start()]):
            return match.group()
        numbers = int(match["one"]), int(match["two"] or match["three"])
        met = {(day, order) for order in ("md", "dm") for day in known if _is_day(day, numbers, order)}
        if not met:
            return match.group()
        (day, order), *others = sorted(met)
        date = _moved(int(day[:4]), int(day[4:6]), int(day[6:8]), days) if days is not None and not others else None
        return removed("date") if date is None else moved(_bare(match.group(), date, order))

    return _six_digits(_BARE.sub(change, text), known, days, moved=moved, removed=removed)


def _six_digits(
    text: str, known: frozenset[str], days: Shift, *, moved: Callable[[str], str], removed: Callable[[str], str]
) -> str:
    """Move, or take out, days of the study in six digits (`030719`), whichever of them comes first."""

    def change(match: re.Match[str]) -> str:
        met = {
            (day, form) for form in ("%y%m%d", "%d%m%y", "%m%d%y") for day in real if f"{real[day]:{form}}" == match[0]
        }
        if not met:
            return match[0]
        (day, form), *others = sorted(met)
        date = real[day] + dt.timedelta(days=days) if days is not None and not others else None
        return removed("date") if date is None else moved(f"{date:{form}}")

    if not _SIX.search(text):
        return text
    real = {day: date for day in known if (date := _moved(int(day[:4]), int(day[4:6]), int(day[6:8]), 0))}
    return _SIX.sub(change, text)


def _is_day(day: str, numbers: tuple[int, int], order: str) -> bool:
    month_and_day = int(day[4:6]), int(day[6:8])
    return numbers == (month_and_day if order == "md" else month_and_day[::-1])


def _bare(text: str, date: dt.date, order: str) -> str:
    new = iter((date.month, date.day) if order == "md" else (date.day, date.month))
    return re.sub(r"\d+", lambda number: str(next(new)).zfill(len(number.group())), text)


def _written(text: str, kind: str, days: int) -> str | None:
    if kind == "reign":
        return None
    if kind == "roman":
        return _in_roman(text, days)
    if kind == "month_of_year":
        return _month_of_year(text, days)
    return _numeric(text, kind, days) if kind in (*_FORMS, "numbers", "spaced", "apart") else _worded(text, kind, days)


def _no_day(text: str) -> bool:
    """Whether three short numbers are no day in any order, as echo times `20-40-60`."""
    one, two, last = re.findall(r"\d+", text)
    return len(last) == 2 and not (1 <= min(int(one), int(two)) <= 12 and max(int(one), int(two)) <= 31)


def _in_roman(text: str, days: int) -> str | None:
    day, mark, month, year = re.fullmatch(r"(\d+)(\W)(\w+)\W(\d+)", text).groups()  # type: ignore[union-attr]
    moved = _moved(int(year), _ROMAN_MONTHS.index(month) + 1, int(day), days)
    return f"{moved.day}{mark}{_ROMAN_MONTHS[moved.month - 1]}{mark}{moved.year}" if moved else None


def _month_of_year(text: str, days: int) -> str | None:
    one, two = (int(number) for number in re.findall(r"\d+", text))
    moved = _moved(max(one, two), min(one, two), 1, days)
    if moved is None:
        return None
    return f"{moved:%Y-%m}" if "-" in text else f"{moved:%m/%Y}"


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
    word = re.search(rf"(?<![^\W\d_]){_MONTH}", text, re.IGNORECASE)
    assert word is not None
    found = word.group().lower()
    numbers = re.findall(r"\d+", text)
    ordinal = re.search(_ORDINAL, text, re.IGNORECASE)
    year = _year(numbers.pop()) if kind in ("day_first", "joined", "month_first", "month_year") else _ANY_YEAR
    day = int(numbers[0]) if numbers else 1
    if ordinal is not None:
        day = ORDINALS.index(re.sub(r"\s", "-", ordinal.group().lower())) + 1
    moved = _moved(year, _MONTH_OF[found], day, days)
    if moved is None:
        return None
    name = _month_name(word.group(), moved.month)
    if kind == "joined":
        return f"{moved.day:02d}{name}{moved.year}"
    if kind in ("day_first", "day_month"):
        return f"{moved.day} {name}" + (f" {moved.year}" if kind == "day_first" else "")
    if kind == "month_year":
        return f"{name} {moved.year}"
    return f"{name} {moved.day}" + (f", {moved.year}" if kind == "month_first" else "")


def _year(text: str) -> int:
    return int(text) if len(text) == 4 else int(text) + (2000 if int(text) < 50 else 1900)


def _month_name(like: str, month: int) -> str:
    """Name of a month in the language and length of another month's name."""
    names = MONTHS[_MONTH_OF[like.lower()] - 1]
    name = MONTHS[month - 1][names.index(like.lower())]
    return name.capitalize() if like[0].isupper() else name


def _moved(year: int, month: int, day: int, days: int) -> dt.date | None:
    try:
        return dt.date(year, month, day) + dt.timedelta(days=days)
    except (ValueError, OverflowError):
        return None
