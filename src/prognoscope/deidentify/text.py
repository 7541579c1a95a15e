"""Free text without identity: what the study knows about people, and what looks like an identifier, is taken out.

Two strengths. `free` text (descriptions, comments, reports) goes through all patterns; other text (a software version,
a model) loses only what the study knows and what can be nothing but an identifier (mail, phone).
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field

from prognoscope.deidentify.company import introduces_nobody, is_usual, leads_nowhere, names_a_protocol
from prognoscope.deidentify.dates import Shift, replace_known_days, replace_written
from prognoscope.deidentify.identity import Identity
from prognoscope.deidentify.patterns import CARET, CERTAIN, HIGH_AGE, INTRODUCED, LIKELY, UID_TEXT
from prognoscope.deidentify.spellings import part_pattern, replaced, short_pattern, whole_pattern

MARK = "[removed]"
_HOLE = "\x00"  # stands for a removal while the patterns run: no pattern matches it
# A moved date hides from the patterns that follow behind two characters of the private use area.
_FIRST, _MOST = 0xE100, 0x1000
LONGEST_TEXT = 1 << 20  # characters; a longer text is taken out whole
_KEPT = re.compile("\ue000([\ue100-\uf0ff])")
_INVISIBLE = dict.fromkeys(
    (0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF, 0xE000)
)
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}  # letters in the width of ideographs
_FANCY = {
    code: unicodedata.normalize("NFKC", chr(code)) for code in range(0x1D400, 0x1D800)
}  # bold, script, double-struck
_DIGITS = {zero + digit: ord("0") + digit for zero in (0x660, 0x6F0, 0x966, 0x9E6) for digit in range(10)}
_SEEN = _INVISIBLE | _WIDE | _FANCY | _DIGITS
_REST = re.compile(r"[\w^\-]*")
OLDEST_AGE_YEARS = 90  # 45 CFR 164.514(b)(2)(i)(C): ages over 89 may be aggregated into one category of 90 or older


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
        seen = _as_seen(text)
        out = self._without_known(seen)
        moved: list[str] = []
        if free:
            known = self.identity.days
            kept = functools.partial(_kept, moved=moved)
            out = replace_written(out, self.shift, moved=kept, removed=self._removed)
            out = replace_known_days(out, known, self.shift, moved=kept, removed=self._removed) if known else out
            out = UID_TEXT.sub(lambda _: self._removed("uid"), out)
        for kind, pattern in (*CERTAIN, *LIKELY) if free else CERTAIN:
            out = pattern.sub(functools.partial(self._patterned, kind=kind), out)
        if free:
            out = HIGH_AGE.sub(str(OLDEST_AGE_YEARS), self._without_introduced(out))
        out = _KEPT.sub(lambda match: moved[ord(match[1]) - _FIRST], out)
        return text if out == seen else out

    def _removed(self, kind: str) -> str:
        self.removals[kind] += 1
        return _HOLE

    def _without_known(self, text: str) -> str:
        whole, parts, short = self._patterns
        text = replaced(whole, text, lambda _: self._removed("known"))
        text = replaced(parts, text, self._name_part)
        return replaced(short, text, lambda _: self._removed("name"))

    def _name_part(self, match: re.Match[str]) -> str | None:
        usual = is_usual(match.group(0), match.string, match.start(), match.end())
        return None if usual else self._removed("name")

    def _without_introduced(self, text: str) -> str:
        for pattern in INTRODUCED:
            text = pattern.sub(self._introduced, text)
        return CARET.sub(self._with_caret, text)

    def _with_caret(self, match: re.Match[str]) -> str:
        token = match.group(0) + _REST.match(match.string, match.end()).group(0)  # type: ignore[union-attr]
        return match.group(0) if names_a_protocol(token) else self._removed("name")

    def _introduced(self, match: re.Match[str]) -> str:
        if introduces_nobody(match.group("cue"), match.group("name"), match.string[match.end() : match.end() + 40]):
            return match.group(0)
        return match.group("cue") + self._removed("name")

    def _patterned(self, match: re.Match[str], kind: str) -> str:
        found, text = match.group(0), match.string
        if kind in ("address", "number"):
            before, after = text[max(0, match.start() - 20) : match.start()], text[match.end() : match.end() + 12]
            if leads_nowhere(found, before, after):
                return found
        return self._removed(kind)

    @functools.cached_property
    def _patterns(self) -> tuple[re.Pattern[str] | None, ...]:
        return whole_pattern(self.identity), part_pattern(self.identity), short_pattern(self.identity)


def _as_seen(text: str) -> str:
    """Return a text as a reader sees it: without invisible signs, wide letters as usual ones, accents composed."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", text.translate(_SEEN))


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
