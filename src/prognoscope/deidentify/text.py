"""Free text without identity: what the study knows about people, and what looks like an identifier, is taken out.

Two strengths. `free` text (descriptions, comments, reports) goes through all patterns; other text (a software version,
a model) loses only what the study knows and what can be nothing but an identifier (mail, phone).
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from prognoscope.deidentify.dates import Shift, replace_written
from prognoscope.deidentify.identity import Identity
from prognoscope.deidentify.words import CLINICAL_NOUNS, EPONYMS, NO_NAMES, ORDINARY, alternatives

MARK = "[removed]"
_HOLE = "\x00"  # stands for a removal while the patterns run: no pattern matches it
# A moved date hides from the patterns that follow behind two characters of the private use area.
_FIRST, _MOST = 0xE100, 0x1000
_GERMAN = {
    ord("ä"): "ae",
    ord("ö"): "oe",
    ord("ü"): "ue",
    ord("Ä"): "Ae",
    ord("Ö"): "Oe",
    ord("Ü"): "Ue",
    ord("ß"): "ss",
}
LONGEST_TEXT = 1 << 20  # characters; a longer text is taken out whole
_KEPT = re.compile("\ue000([\ue100-\uf0ff])")
_CAPITAL = r"(?-i:[A-ZÀ-ÖØ-Þ][\w'’\-]*)"
_PARTICLE = r"(?:van|von|de|der|den|la|le|di|da|del|bin|al)\b"
_INITIAL = r"(?-i:[A-Z])\."
_NAME = rf"(?:{_PARTICLE}\s+)*{_CAPITAL}\.?(?:[\s,]+(?:{_INITIAL}|{_CAPITAL}|{_PARTICLE})){{0,3}}"
# After a title with its full stop a name may be in small letters too.
_SMALL = r"(?-i:[a-z])[\w'’\-]+"

_STREET = alternatives("streets")
# Patterns in the order in which they run; the first of each pair names the kind in the report.
_CERTAIN: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        # Bounded, and only from the beginning of a run: otherwise a long run without @ takes quadratic time.
        ("mail", r"(?<![\w.+%\-])[\w.+%\-]{1,64}@[\w\-]{1,64}(?:\.[\w\-]{1,64}){1,8}"),
        ("address", r"\b(?:https?|ftp|file)://\S+|\bwww\.[\w\-]+\.\S+"),
        ("number", r"(?<![\d\-])\d{3}-\d{2}-\d{4}(?![\d\-])"),
        ("phone", r"(?<![\w.])(?:\+\d{1,3}[\s.\-]?)?\(\d{2,5}\)[\s.\-]?\d{3,4}[\s.\-]?\d{3,4}(?!\d)"),
        ("phone", r"(?<![\w.\-])(?:\+?\d{1,2}[\s.\-])?\d{3}[\-.\s]\d{3}[\-.\s]\d{4}(?![\d\-])"),
        ("phone", r"(?<![\w.])\+\d{1,3}(?:[\s.\-]?\d{2,4}){2,5}(?!\d)"),
    )
)
_LIKELY: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (
            "phone",
            r"\b(?:tel|phone|telephone|fax|pager|beeper|cell|mobile|call|ext)\b[.:#\s]*(?:no\.?\s*)?"
            r"\+?[\d(][\d\s().\-/]{3,}\d",
        ),
        ("phone", r"(?<![\w.\-])\d{3}-\d{4}(?![\d\-])|\bext\.?\s*\d{2,6}\b"),
        (
            "number",
            r"\b(?:mrn|m\.r\.n|pid|ssn|nhs|dob|acc(?:ession)?|patient\s*id|medical\s*record|record|case|order|visit|encounter"
            r"|insurance|policy|licen[cs]e|serial|account|id)\b\s*(?:no|nr|num(?:ber)?)?\s*[.:#=]+\s*[\w\-/]*\d[\w\-/]*",
        ),
        (
            "number",
            r"\b(?:mrn|ssn|pid)\s+[\w\-/]*\d[\w\-/]*"
            r"|\b(?:accession|patient\s*id|medical\s*record)\s+(?:no\.?|nr\.?|number)?\s*[\w\-/]*\d[\w\-/]*",
        ),
        ("number", r"#\s?\d{4,}\b"),
        ("number", r"(?<![\w.])[A-Z]{1,4}[\-_]?\d{6,}(?![\w.])"),
        ("number", r"(?<![\d.,])\d{7,}(?![\d.,]\d|\d)"),
        (
            "address",
            rf"(?<!\w)\d{{1,5}}\s+(?:[NSEW]\.?\s+)?(?:{_CAPITAL}\s+){{1,3}}{_STREET}\b\.?"
            r"(?:,?\s*(?:apt|unit|suite|ste|#)\.?\s*\w+)?"
            # The town after the street is part of the address, also where no element of the study names it.
            rf"(?:,\s*{_CAPITAL}\b)?",
        ),
        ("address", rf"\b{_CAPITAL}(?:stra(?:ß|ss)e|str\.|weg|platz|gasse)\s*\d{{1,4}}\w?\b"),
        ("address", r"\bp\.?\s?o\.?\s?box\s+\d+"),
        ("address", rf"\b{_CAPITAL}(?:\s{_CAPITAL}){{0,2}},\s*(?-i:[A-Z]{{2}})\s+\d{{5}}(?:-\d{{4}})?\b"),
    )
)
_INTRODUCED: tuple[re.Pattern[str], ...] = tuple(
    re.compile(rf"\b(?P<cue>{cue})(?P<name>{_NAME})", re.IGNORECASE)
    for cue in (
        rf"{alternatives('titles')}\b\.?\s+",
        rf"{alternatives('cues')}\s*(?:name)?\s*[:=]\s*",
        rf"{alternatives('acts')}\s+by:?\s+",
    )
)
_SMALL_TITLED = re.compile(
    rf"\b(?P<cue>(?:dr|prof|mr|mrs|ms)\.\s+)(?P<name>{_SMALL}(?:\s+[a-z]\.)?(?:\s+(?!{alternatives('no_surnames')}\b){_SMALL})?)",
    re.IGNORECASE,
)
_CARET = re.compile(r"\b[A-Za-zÀ-ÿ'\-]{2,}\^[A-Za-zÀ-ÿ'\-]*(?:\^[A-Za-zÀ-ÿ.'\-]*)*")
_UID = re.compile(r"(?<![\d.])[0-2](?:\.\d+){5,}(?![\d.]*\d)")
_WORD = re.compile(r"\w+(?:['’]\w+)?")


@dataclass(frozen=True, eq=False)
class Cleaner:
    """Takes identity out of texts of one study.

    Attributes
    ----------
    identity
        What is known about the people of the study.
    shift
        Days to move written dates by; None takes them out.
    """

    identity: Identity
    shift: Shift = None
    removals: Counter[str] = field(default_factory=Counter)

    def clean(self, text: str, *, free: bool) -> str:
        """Return the text without identity; the very same string where nothing had to go.

        Parameters
        ----------
        text
            Decoded text, any length.
        free
            Whether people wrote it (a description, a report), so that every pattern applies.
        """
        if len(text) > LONGEST_TEXT:
            return self._removed("too long")
        out = self._without_known(text.replace("\ue000", ""))
        moved: list[str] = []
        if free:
            out = replace_written(out, self.shift, moved=lambda date: _kept(date, moved), removed=self._removed)
            out = _UID.sub(lambda _: self._removed("uid"), out)
        for kind, pattern in (*_CERTAIN, *_LIKELY) if free else _CERTAIN:
            out = pattern.sub(lambda _, kind=kind: self._removed(kind), out)  # type: ignore[misc]
        if free:
            out = self._without_introduced(out)
        return _KEPT.sub(lambda match: moved[ord(match[1]) - _FIRST], out)

    def _removed(self, kind: str) -> str:
        self.removals[kind] += 1
        return _HOLE

    def _without_known(self, text: str) -> str:
        whole, parts = self._patterns
        if whole is not None:
            text = whole.sub(lambda _: self._removed("known"), text)
        if parts is not None:
            text = parts.sub(lambda match: self._name_part(match), text)
        return text

    def _name_part(self, match: re.Match[str]) -> str:
        found, text = match.group(0), match.string
        word = found.lower()
        if word in EPONYMS and _next_word(text, match.end()) in CLINICAL_NOUNS:
            return found
        if word in ORDINARY and (found.islower() or _in_usual_company(text, match)):
            return found
        return self._removed("name")

    def _without_introduced(self, text: str) -> str:
        for pattern in (*_INTRODUCED, _SMALL_TITLED):
            text = pattern.sub(self._introduced, text)
        return _CARET.sub(lambda _: self._removed("name"), text)

    def _introduced(self, match: re.Match[str]) -> str:
        name = match.group("name")
        words = [word.lower() for word in _WORD.findall(name)]
        first = words[0].removesuffix("'s").removesuffix("’s")
        follows = words[1] if len(words) > 1 else _next_word(match.string, match.end())
        if (first in EPONYMS and follows in CLINICAL_NOUNS) or all(word in ORDINARY for word in words):
            return match.group(0)
        return match.group("cue") + self._removed("name")

    @functools.cached_property
    def _patterns(self) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
        whole = {form for name in self.identity.names for form in _name_forms(name)}
        whole |= {form for known in self.identity.ids for form in _id_forms(known)}
        parts = {part for name in self.identity.names for part in _name_parts(name)}
        return _any_of(whole), _any_of(parts)


def _kept(date: str, moved: list[str]) -> str:
    if len(moved) == _MOST:
        return _HOLE  # a text of thousands of dates: the rest is taken out
    moved.append(date)
    return f"\ue000{chr(_FIRST + len(moved) - 1)}"


def tidy(text: str, *, mark: bool) -> str:
    """Put the mark, or nothing, where something was taken out, and close the gaps."""
    if _HOLE not in text:
        return text
    if mark:
        return re.sub(rf"{_HOLE}(?:[ \t,;/]*{_HOLE})*", MARK, text)
    closed = re.sub(rf"\s*{_HOLE}\s*", " ", text.replace("(" + _HOLE + ")", _HOLE))
    return re.sub(r"\s{2,}", " ", closed).strip(" \t,;:-_/^")


def _any_of(strings: Iterable[str]) -> re.Pattern[str] | None:
    ordered = sorted(strings, key=lambda one: (-len(one), one))
    if not ordered:
        return None
    return re.compile("|".join(_bounded(one) for one in ordered), re.IGNORECASE)


def _bounded(known: str) -> str:
    """Return a pattern for a known string: blanks may vary, and it may not be a part of a longer word or number."""
    pattern = r"[\s_^,]+".join(re.escape(piece) for piece in known.split(" "))
    if _ideographic(known):
        return re.escape(known)  # no blanks stand between words
    if known.isdigit():
        return rf"(?<!\d){pattern}(?!\d)"
    before = r"(?<![^\W_])" if known[0].isalnum() else ""
    after = r"(?![^\W_])" if known[-1].isalnum() else ""
    return before + pattern + after


def _name_forms(name: str) -> set[str]:
    """Whole names as people write them: family first, given first, with and without the middle."""
    forms = set()
    for group in name.split("="):
        pieces = [re.sub(r"\s+", " ", piece).strip() for piece in group.split("^")]
        family, given, middle = [*pieces, "", "", ""][:3]
        written = " ".join(piece for piece in pieces if piece)
        forms |= {written, f"{given} {family}".strip(), f"{family} {given}".strip(), f"{given} {middle} {family}"}
        forms |= (
            {f"{given[:1]} {family}", f"{given[:1]}. {family}", f"{family} {given[:1]}"} if given and family else set()
        )
    plain = {re.sub(r"\s+", " ", spelling).strip() for form in forms for spelling in _spellings(form)}
    return {form for form in plain if _identifies(form)}


def _name_parts(name: str) -> set[str]:
    parts = {part.strip(".,") for part in re.split(r"[\^=\s,]+", name)}
    parts |= {half for part in parts for half in part.split("-") if len(half) >= 4}
    return {
        spelling
        for part in parts
        for spelling in _spellings(part)
        if (len(part) >= 3 or _ideographic(part)) and not part.isdigit() and part.lower() not in NO_NAMES
    }


def _spellings(name: str) -> set[str]:
    """A name with and without its accents, and with umlauts written out."""
    german = name.translate(_GERMAN)
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return {name, german, plain}


def _ideographic(name: str) -> bool:
    return len(name) >= 2 and all(ord(letter) > 0x2E80 for letter in name)


def _id_forms(known: str) -> set[str]:
    forms = {known, *re.split(r"[,;\r\n\\^]+", known)}
    return {form.strip() for form in forms if _identifies(form.strip())}


def _identifies(form: str) -> bool:
    """Whether a string is long and rare enough to be searched for in other text."""
    plain = re.sub(r"[\W_]+", "", form)
    if plain.lower() in NO_NAMES or form.lower() in ORDINARY:
        return False
    if plain.isdigit():
        return len(plain) >= 4
    return len(plain) >= (3 if any(character.isdigit() for character in plain) or " " in form else 4)


def _next_word(text: str, start: int) -> str:
    match = _WORD.search(re.sub(r"^['’]s", "", text[start : start + 40]))
    return match.group(0).lower() if match else ""


def _in_usual_company(text: str, match: re.Match[str]) -> bool:
    """Whether the neighbours of an ordinary word are ordinary too, as in `WHITE MATTER` or `HEAD NECK`."""
    before = _WORD.findall(text[max(0, match.start() - 40) : match.start()])
    neighbours = {before[-1].lower() if before else "", _next_word(text, match.end())}
    return bool(neighbours & (ORDINARY | CLINICAL_NOUNS)) or neighbours == {""}
