"""How people write what the study knows: names and numbers as patterns that find each of their usual spellings.

Accents come and go, umlauts are written out, words are glued together or torn apart, numbers get blanks and hyphens.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

from prognoscope.deidentify.identity import Identity
from prognoscope.deidentify.words import CLINICAL_NOUNS, FUNCTION_WORDS, NO_NAMES, ON_SCREEN, ORDINARY

_GERMAN = {ord(one): two for one, two in zip("äöüÄÖÜß", ("ae", "oe", "ue", "Ae", "Oe", "Ue", "ss"), strict=True)}
_WRITTEN_OUT = (("ae", "ä"), ("oe", "ö"), ("ue", "ü"), ("ss", "ß"))
# Accents get lost, and are put where none were: patterns know plain letters, and look at texts whose letters are plain.
_ACCENTS = {
    "a": "àáâãäåāăą", "c": "çćč", "d": "ðđď", "e": "èéêëēėęě", "g": "ğģ", "i": "ìíîïīı", "l": "łľ", "n": "ñńň",
    "o": "òóôõöøōő", "r": "řŕ", "s": "śšşș", "t": "ťţț", "u": "ùúûüūůű", "y": "ýÿ", "z": "źżž",
}  # fmt: skip
# Letters of other scripts that look like Latin ones (from Unicode's confusables, UTS 39), small and capital alike: the
# same word for a reader, and for a pattern. Greek and Cyrillic names are folded with the text they are searched in.
_LOOK_ALIKES = {
    "a": "аα", "b": "вβ", "c": "сϲ", "d": "ԁ", "e": "еε", "g": "ɡ", "h": "нηһ", "i": "іι", "j": "ј", "k": "кκ",
    "l": "ӏ", "m": "мμ", "n": "ν", "o": "оοօ", "p": "рρ", "q": "ԛ", "s": "ѕ", "t": "тτ", "w": "ԝ", "x": "хχ",
    "y": "уυү", "z": "ζ",
}  # fmt: skip
FOLD = {ord(one): base for table in (_ACCENTS, _LOOK_ALIKES) for base, rest in table.items() for one in rest}
FOLD |= {ord(chr(one).upper()): base.upper() for one, base in FOLD.items() if len(chr(one).upper()) == 1}
_GAP = r"[\s_^,.'’‘`\-]"  # between the words of a name
_BREAK = r"[\s._/\-]"  # within a number
BREAKABLE = 7  # letters of a word that may stand in two halves, as at the end of a line
SHORTEST_WITH_S = 5  # letters of a name that may have an s behind it
SHORTEST_NUMBER = 5  # digits of an identifier that are searched for without its letters
LONG_NUMBER = 6  # digits that identify by themselves, without the letters before them
_COMMON = NO_NAMES | ORDINARY | CLINICAL_NOUNS | ON_SCREEN


def whole_pattern(identity: Identity) -> re.Pattern[str] | None:
    """Return a pattern for whole names and numbers, the longest first; None where nothing is known."""
    names = {form for name in identity.names for form in _name_forms(name)}
    numbers = {form for known in identity.ids for form in _id_forms(known)}
    return _any_of([*((form, _name_pattern(form)) for form in names), *((form, _id_pattern(form)) for form in numbers)])


def part_pattern(identity: Identity) -> re.Pattern[str] | None:
    """Return a pattern for single words of names; None where there are none."""
    parts = {part for name in identity.names for part in _name_parts(name)}
    return _any_of([(part, _part_pattern(part)) for part in parts])


def short_pattern(identity: Identity) -> re.Pattern[str] | None:
    """Return a pattern for names of two Latin letters, which count only as `Ng`, not as `NG` or `ng`."""
    parts = {part for name in identity.names for part in re.split(r"[\^=\s,.]+", name) if _short(part)}
    ordered = sorted(re.escape(part.capitalize()) for part in parts)
    return re.compile(rf"(?<!\w)(?:{'|'.join(ordered)})(?!\w)") if ordered else None


def _short(part: str) -> bool:
    return len(part) == 2 and part.isascii() and part.isalpha() and part.lower() not in FUNCTION_WORDS | _COMMON


def _any_of(patterns: Iterable[tuple[str, str]]) -> re.Pattern[str] | None:
    ordered = sorted(patterns, key=lambda one: (-len(one[0]), one))
    return re.compile("|".join(dict.fromkeys(pattern for _, pattern in ordered)), re.IGNORECASE) if ordered else None


def _name_pattern(form: str) -> str:
    if _ideographic(form.replace(" ", "")):
        return r"[\s\u3000・]*".join(re.escape(sign) for sign in form.replace(" ", ""))
    words = form.split(" ")
    gap = _GAP + ("*" if _glued(words) else "+")
    pattern = gap.join(_letters(word) for word in words)
    if sorted(len(word) for word in words) == [1, 3]:  # an initial and a short name: glued only as `JDoe`
        pattern += f"|(?-i:{re.escape(''.join(word.capitalize() for word in words).translate(FOLD))})"
    return rf"(?<![^\W\d_])(?:{pattern})(?![^\W\d_])"


def _glued(words: list[str]) -> bool:
    """Whether the words of a name are still a name when nothing stands between them."""
    together = "".join(words).lower()
    longest = max(len(word) for word in words)
    return longest >= 3 and len(together) >= 4 + (min(len(word) for word in words) == 1) and together not in _COMMON


def _part_pattern(part: str) -> str:
    if _ideographic(part):
        return re.escape(part)  # no blanks stand between words
    plural = "s?" if len(part) >= SHORTEST_WITH_S else ""  # the Millers, Kesslers Arzt
    plain = rf"(?<![^\W\d_]){_letters(part)}{plural}(?![^\W\d_])"
    torn = r"[\s.]".join(_letters(sign) for sign in part)
    return rf"{plain}|(?<!\w){torn}(?!\w)" if part.isalpha() else plain


def _letters(word: str) -> str:
    """Return a pattern for a word without accents: marks in it may be left out, a long one broken by a hyphen."""
    signs = [f"{_GAP}?" if sign in "'’‘`-" else re.escape(sign) for sign in word.translate(FOLD)]
    return (r"(?:-\s?)?" if word.isalpha() and len(word) >= BREAKABLE else "").join(signs)


def _id_pattern(known: str) -> str:
    pieces = re.findall(r"[^\W\d_]+|\d+", known)
    pattern = r"[\W_]{0,3}".join(_grouped(piece) for piece in pieces)
    before = r"(?<!\d)" if pieces[0].isdigit() else r"(?<![^\W\d_])"
    after = r"(?!\d)" if pieces[-1].isdigit() else r"(?![^\W\d_])"
    return before + pattern + after


def _grouped(piece: str) -> str:
    """Return a pattern for letters or digits; long digits may stand in groups of any length."""
    return (
        f"{_BREAK}?".join(piece) if piece.isdigit() and len(piece) >= LONG_NUMBER else re.escape(piece.translate(FOLD))
    )


def replaced(pattern: re.Pattern[str] | None, text: str, decide: Callable[[re.Match[str]], str | None]) -> str:
    """Replace what a pattern finds when accents are left out of account; where `decide` gives None the text stays."""
    if pattern is None:
        return text
    plain = text if text.isascii() else text.translate(FOLD)
    parts, end = [], 0
    for match in pattern.finditer(plain):
        new = decide(match)
        if new is not None:
            parts += [text[end : match.start()], new]
            end = match.end()
    return "".join([*parts, text[end:]]) if parts else text


def _name_forms(name: str) -> set[str]:
    """Whole names as people write them: family first, given first, with and without the middle."""
    forms = set()
    for group in name.split("="):
        pieces = [re.sub(r"[\s.]+", " ", piece).strip() for piece in group.split("^")]
        family, given, middle = [*pieces, "", "", ""][:3]
        written = " ".join(piece for piece in pieces if piece)
        forms |= {written, f"{given} {family}".strip(), f"{family} {given}".strip(), f"{given} {middle} {family}"}
        forms |= {family} if " " in family else set()
        forms |= {f"{first} {family}" for first in given.split(" ")} | {
            f"{family} {first}" for first in given.split(" ")
        }
        if given and family and not _ideographic(family):
            forms |= {f"{given[:1]} {family}", f"{family} {given[:1]}"}
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
    """A name as it is, with its umlauts written out, and with written-out umlauts put back."""
    back = name.lower()
    for two, one in _WRITTEN_OUT:
        back = back.replace(two, one)
    composed = unicodedata.normalize("NFC", name)
    return {composed, composed.translate(_GERMAN), *({back} if back != name.lower() else set())}


def _ideographic(name: str) -> bool:
    return len(name) >= 2 and all(ord(letter) > 0x2E80 for letter in name)


def _id_forms(known: str) -> set[str]:
    forms = {known, *re.split(r"[,;\r\n\\^]+", known)}
    forms |= {number for number in re.findall(r"\d+", known) if len(number) >= SHORTEST_NUMBER}
    forms |= {form.lstrip("0 ") for form in forms}  # leading zeros get lost in spreadsheets
    return {form.strip() for form in forms if _identifies(form.strip())}


def _identifies(form: str) -> bool:
    """Whether a string is long and rare enough to be searched for in other text."""
    plain = re.sub(r"[\W_]+", "", form)
    if plain.lower() in NO_NAMES or form.lower() in ORDINARY:
        return False
    if plain.isdigit():
        return len(plain) >= 4
    if _ideographic(plain):
        return True
    return len(plain) >= (3 if any(character.isdigit() for character in plain) or " " in form else 4)
