"""The usual company of words: whether what looks like a name, a title or a street is the talk of imaging.

`MR BRAIN` holds no Mr Brain, `Neuro^Head` no patient, `5 CHEST CT` no court; `Mr. Young` and `Dr. Green` are people.
"""

from __future__ import annotations

import re

from prognoscope.deidentify.words import (
    ABBREVIATIONS,
    CLINICAL_NOUNS,
    COMPANY,
    EPONYMS,
    IMAGING,
    NO_SURNAMES,
    ON_SCREEN,
    ORDINARY,
    PHRASES,
    PLACES,
    SURNAMES,
)

WORD = re.compile(r"\w+(?:['’]\w+)?")
_LETTERS = re.compile(r"[^\W\d_]+")
_PUT_TOGETHER = frozenset({*ON_SCREEN, *ORDINARY, *CLINICAL_NOUNS})
_VOCABULARY = frozenset({*_PUT_TOGETHER, *IMAGING, *ABBREVIATIONS})
_MODALITIES = frozenset({"MR", "MS", "DR", "SR"})  # in capitals and without a full stop also no titles
_CLINICAL_ENDS = ("ogram", "ograms", "graphy", "scopy", "ectomy", "osis", "itis", "plasty")
_BEFORE_NAMES = frozenset({"with", "by", "for", "per", "patient", "pt", "from"})
_BESIDE_REGIONS = frozenset({*ON_SCREEN, *IMAGING, *CLINICAL_NOUNS, *ORDINARY})
_AMBIGUOUS = frozenset({"ct", "dr", "pl", "sq"})  # ends of streets that mean something else beside words of imaging
_WITH_WORD = re.compile(r"(?P<word>(?:[A-Za-z]{1,4}[\-_ ])?)(?P<digits>\d+)")
LONGEST_PHRASE = 40
_ROUND = re.compile(r"\d+0{5,}")
_COUNTED = re.compile(r"(?:counts?|dose|activity|snomed|radlex|loinc|icd-?\d*)\W*$", re.IGNORECASE)
_UNIT = re.compile(r"\s*(?:[kMG]?Bq|counts?|cts|ms|Hz)\b")
_SHORT = re.compile(r"[A-Za-z. ]+:\s*[A-Za-z]?\d{1,2}")  # `Visit: 3`, `ID: T1`; what the study knows is gone already
_STREETS_FIRST = frozenset({"via", "rue", "calle"})


def technical(run: str) -> bool:
    """Whether letters are words of imaging put together (readers and scanners lose blanks), with one side marker."""
    run = run.lower()
    if run in _VOCABULARY or run.endswith(_CLINICAL_ENDS):
        return True
    ends = {0: 0}  # place in the run: fewest single letters needed to get there
    for start in range(len(run)):
        if start not in ends:
            continue
        for stop in range(start + 1, len(run) + 1):
            piece = run[start:stop]
            if piece in _PUT_TOGETHER:
                singles = ends[start] + (len(piece) == 1)
                ends[stop] = min(ends.get(stop, singles), singles)
    return ends.get(len(run), 2) <= 1


def names_a_protocol(text: str) -> bool:
    """Whether a scanner's `REGION^PROTOCOL` (`Head^Routine`), or a power, stands where a name might."""
    first, second, *_ = text.split("^")
    if second and not second.replace("'", "").replace("-", "").isalpha():
        return True  # mm^2, Specials^01_Biopsy
    region = [word.lower() for word in _LETTERS.findall(first)]
    if not region or not all(word in IMAGING for word in region):
        return False
    return SURNAMES.isdisjoint(region) or all(technical(word) for word in _LETTERS.findall(second))


def introduces_nobody(cue: str, name: str, after: str) -> bool:
    """Whether what follows a title or a role is no name.

    Parameters
    ----------
    cue
        `Dr. `, `MR `, `reviewed by `, `patient: `; empty where the name itself says what it is, as of a hospital.
    name, after
        What looks like a name, and the text that follows.
    """
    words = [word.lower() for word in WORD.findall(name)]
    first = words[0].removesuffix("'s").removesuffix("’s")
    follows = words[1] if len(words) > 1 else next_word(after, 0)
    title = cue.strip()
    if first in EPONYMS and follows in CLINICAL_NOUNS:
        return True
    if title in _MODALITIES:
        return technical(first) or (title != "DR" and not name.split()[0].isupper())
    if title.rstrip(".").lower() in ("dr", "mr", "mrs", "ms", "miss"):
        return first in IMAGING and first not in SURNAMES  # nothing but a person bears these titles
    if first in EPONYMS and follows in CLINICAL_NOUNS:
        return True
    if cue:
        return first in NO_SURNAMES or all(technical(word) for word in words)
    return all(word in PLACES | NO_SURNAMES or technical(word) for word in words)


def leads_nowhere(found: str, before: str, after: str) -> bool:
    """Whether what looks like an address or a number of somebody is a count of slices, a dose or a code.

    Parameters
    ----------
    found, before, after
        What looks like one, and the text around it.
    """
    if (number := _WITH_WORD.fullmatch(found)) is not None:
        before += number["word"]
        return bool(_ROUND.fullmatch(number["digits"]) or _COUNTED.search(before) or _UNIT.match(after))
    words = [word.lower() for word in _LETTERS.findall(found)]
    if _SHORT.fullmatch(found):
        return True
    anatomy = any(word in IMAGING - ORDINARY for word in words if word not in _AMBIGUOUS)
    if anatomy and (found[0].isdigit() or words[0] in _STREETS_FIRST):
        return True
    *names, end = words or [""]
    ambiguous = end in _AMBIGUOUS or (len(end) == 2 and found[-1].isdigit())  # a state of the Union and its zip code
    return ambiguous and bool(names) and all(word in _VOCABULARY for word in names)


def is_usual(word: str, text: str, start: int, end: int) -> bool:
    """Whether a word that is also the name of somebody in the study stands as a word: `WHITE MATTER`, `CT HEAD`.

    Regions of the body need a word of imaging beside them; colours and sizes one of the few words that they go with.
    """
    lower = word.lower()
    around = PHRASES.finditer(text, max(start - LONGEST_PHRASE, 0), end + LONGEST_PHRASE)
    if any(phrase.start() <= start < phrase.end() for phrase in around):
        return True
    if lower in EPONYMS and next_word(text, end) in CLINICAL_NOUNS:
        return True
    if lower not in ORDINARY or text[end : end + 2].lower() in ("'s", "’s"):
        return False
    before, after = _word_before(text, start), next_word(text, end, folded=False)
    if before.lower() in _BEFORE_NAMES:
        return False
    if word.islower() or after.lower() in COMPANY.get(lower, ()) or (lower == "page" and after.isdigit()):
        return True
    if lower not in IMAGING:
        return False
    neighbours = [one for one in (before, after) if one]
    if word.isupper() and all(one.islower() or one.istitle() for one in neighbours if len(one) > 1) and neighbours:
        return False  # in capitals among words that are not: HEAD lung
    return any(one.lower() in _BESIDE_REGIONS for one in neighbours) or (not neighbours and lower not in SURNAMES)


def next_word(text: str, start: int, *, folded: bool = True) -> str:
    """Return the word that follows a place, without the genitive before it; empty at the end."""
    match = WORD.search(re.sub(r"^['’]s", "", text[start : start + 40]))
    if not match:
        return ""
    return match.group(0).lower() if folded else match.group(0)


def _word_before(text: str, end: int) -> str:
    before = WORD.findall(text[max(0, end - 40) : end])
    return before[-1] if before else ""
