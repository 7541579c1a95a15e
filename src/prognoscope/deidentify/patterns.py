"""What can be nothing but an identifier, or is likely one, whoever it belongs to: patterns, each in linear time."""

from __future__ import annotations

import re

from prognoscope.deidentify.words import alternatives

# No word is read further than any name is long: a search begins at every part of a run of hyphens.
_CAPITAL = r"(?-i:[A-ZÀ-ÖØ-Þ][\w'’\-]{0,39})"
_PARTICLE = r"(?:van|von|de|der|den|la|le|di|da|del|bin|al)\b"
_INITIAL = r"(?-i:[A-Z])\."
_NAME = rf"(?:{_PARTICLE}\s+)*{_CAPITAL}\.?(?:[\s,]+(?:{_INITIAL}|{_CAPITAL}|{_PARTICLE})){{0,3}}"
_PROPER = r"(?-i:[A-ZÀ-ÖØ-Þ](?:['’][A-Z])?[a-zß-öø-ÿ][\w'’\-]{0,39})"  # a word with a capital and small letters
_SMALL = r"(?-i:[a-z])[\w'’\-]{1,39}"  # after a title with its full stop a name may be in small letters too
_TOWN = rf"(?:,?\s+(?:[A-Z]{{1,2}}-)?\d{{4,5}}\s+{_CAPITAL})?"  # after the street, with its number
_OF = r"(?:(?:de|du|des|della|del|di|da|la|las|los|le|les)\s+){0,3}"
_STREET = alternatives("streets")
_NUMBER = r"[\w\-/]*\d[\w\-/]*(?:\s\d{2,8}(?![\w.,]*\w))*"  # a number, and the groups of digits that go on with it

# Patterns in the order in which they run; the first of each pair names the kind in the report.
CERTAIN: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        # Bounded, and only from the beginning of a run: otherwise a long run without @ takes quadratic time.
        ("mail", r"(?<![\w.+%\-])[\w.+%\-]{1,64}@[\w\-]{1,64}(?:\.[\w\-]{1,64}){1,8}"),
        ("mail", r"(?<![\w.+%\-])[\w.+%\-]{1,64}\s?[(\[]at[)\]]\s?[\w\-]{1,64}(?:\.[\w\-]{1,64}){1,8}"),
        (
            "mail",
            r"(?<![\w.\-])[\w.\-]{1,64}(?: [\w.\-]{1,64})? at [\w\-]{1,64} dot (?:com|org|net|edu|gov|[a-z]{2})\b",
        ),
        ("address", r"\\\\[\w.\-]+\\\S+|\b(?-i:[A-Z]):\\\S+|(?<![\w./])/(?:home|users|mnt|media|data|export)/\S+"),
        (
            "address",
            r"\b(?:[0-9a-f]{2}[:\-]){5}[0-9a-f]{2}\b|(?<![\w:])(?:[0-9a-f]{1,4}::?){4,7}[0-9a-f]{1,4}(?![\w:])",
        ),
        ("address", r"\b(?:https?|ftp|file)://\S+|\bwww\.[\w\-]+\.\S+"),
        ("number", r"(?<![\d\-])\d{3}-\d{2}-\d{4}(?![\d\-])"),
        ("phone", r"(?<![\w.])(?:\+\d{1,3}[\s.\-]?)?\(\d{2,5}\)[\s.\-]?\d{3,4}(?:[\s.\-]?\d{2,4}){1,3}(?!\d)"),
        ("phone", r"(?<![\w.\-])(?:\+?\d{1,2}[\s.\-])?\d{3}[\-.\s]\d{3}[\-.\s]\d{4}(?![\d\-])"),
        ("phone", r"(?<![\w.])\+\d{1,3}(?:[\s.\-]?\d{2,4}){2,5}(?!\d)"),
        ("phone", r"(?<=\x00)\s*(?:x|ext\.?|extension)\s*\d{1,6}\b"),  # after a number that is gone
        ("number", r"\b(?-i:[A-Z]{2}\d{2})(?: ?(?-i:[A-Z0-9]{4})){3,7}(?: ?(?-i:[A-Z0-9]{1,3}))?\b"),  # IBAN
    )
)
LIKELY: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (
            "phone",
            r"\b(?:tel|phone|telephone|fax|pager|beeper|cell|mobile|call|ext)\b[.:#\s]*(?:no\.?\s*)?"
            r"\+?[\d(][\d\s().\-/]{3,}\d",
        ),
        ("phone", r"(?<![\w.\-])\d{3}-\d{4}(?![\d\-])|\bext\.?\s*\d{2,6}\b"),
        ("phone", r"(?<![\w.,])0\d{1,4}[\s/.\-]{1,3}\d{2,4}(?:[\s.\-]\d{2,8}){1,3}(?![\d.,]\d)"),
        (
            "phone",  # of seven digits with a dot, which only its company tells from a measured number
            r"(?:^\s*|[;,(]\s*|\b(?:called?|dial|ring|rang|reach(?:ed)?|contact|at|number)\b[:\s]+)[2-9]\d{2}\.\d{4}"
            r"(?![\w.,%]|\s*(?:mm|cm|ml|cc|hu|ms|hz|kg|%)(?!\w))",
        ),
        (
            "number",
            r"\b(?:mrn|m\.r\.n|pid|pat(?:ient)?[\s_.\-]?(?:id|no|nr)|ssn|nhs|dob|acc(?:ession)?|medical\s*record|record"
            r"|case|order|visit|encounter|insurance|policy|licen[cs]e|passport|serial|account|id)\b"
            rf"\s*(?:no|nr|num(?:ber)?)?\s*[.:#=]+\s*(?:[A-Z]{{1,3}}\s)?{_NUMBER}",
        ),
        (
            "number",
            rf"\b(?:mrn|ssn|pid)\s+{_NUMBER}"
            rf"|\b(?:accession|patient\s*id|medical\s*record|passport)\s+(?:no\.?|nr\.?|number)?\s*{_NUMBER}",
        ),
        (
            "number",  # what a person, a thing or a contract is counted by, with four digits and more
            r"\b(?:s/?n|serial|vin|plate|policy|medicare|medicaid|dl|med(?:ical)?\.?\s*rec(?:ord)?|hosp(?:ital)?\.?|chart"
            r"|member|badge|pager|pgr|beeper|zip|pt|pat|patient|subject|id|driver'?s? licen[cs]e)"
            r"(?:\s+(?:id|code|plate|serial))?\s*(?:no|nr|num(?:ber)?|group)?\s*[.:#=]*\s*"
            r"(?=(?:[A-Z\-]*\d){4})[A-Z0-9][A-Z0-9\-]{3,}\b",
        ),
        ("number", r"(?<![\w.\-])(?<!\d )x\d{4,5}\b"),  # an extension in the house
        ("number", r"#\s?\d{4,}\b"),
        ("number", r"(?<![\d.,\-])\d{3}([ .])\d{2}\1\d{4}(?![\d\-]|[.,]\d)"),  # a social security number
        ("number", r"(?<![\d.,\-])\d{2,5}([.\-/])\d{2,5}(?:\1\d{2,5}){1,4}(?![\d\-]|[.,]\d)(?<=[\d.\-/]{12})"),
        ("number", r"(?<![\w.])[A-Z]{1,4}[\-_ ]?\d{6,}(?![\w.])"),
        ("number", r"(?<![\d.,])\d{7,}(?![\d.,]\d|\d)"),
        ("address", r"(?<![\d.])\d{2,3}(?:\.\d{1,3}){3}(?![\d.]*\d)"),  # of a computer
        (
            "address",
            r"(?<![\d.])[+\-]?\d{1,3}\.\d{5,}\s*°?\s*[NS]?[\s,;/]+[+\-]?\d{1,3}\.\d{5,}",
        ),  # of a place on earth
        ("address", r"\d{1,3}°\s?\d{1,2}[′'’](?:\s?\d{1,2}(?:\.\d+)?[″\"”])?\s?[NSEW]\b"),
        (
            "address",
            rf"(?<!\w)\d{{1,5}}\s+(?:[NSEW]\.?\s+)?(?:{_CAPITAL}\s+){{1,3}}{_STREET}\b\.?"
            r"(?:,?\s*(?:apt|unit|suite|ste|#)\.?\s*\w+)?"
            # The town after the street is part of the address, also where no element of the study names it.
            rf"(?:,\s*{_CAPITAL}\b)?",
        ),
        ("address", rf"\b{_CAPITAL}(?:stra(?:ß|ss)e|str\.|weg|platz|gasse)\s*\d{{1,4}}\w?\b{_TOWN}"),
        ("address", rf"\b{_CAPITAL}(?:straat|laan|plein|gracht|gatan|vägen|gade|vej|veien)\s*\d{{1,4}}\w?\b{_TOWN}"),
        (
            "address",
            rf"(?<!\w)\d{{1,4}}(?:\s?bis)?,?\s+(?-i:rue|Rue|avenue|boulevard)\s+{_OF}{_CAPITAL}(?:\s+{_CAPITAL})?"
            rf"(?:,?\s+\d{{4,5}}\s+{_CAPITAL})?",
        ),
        (
            "address",
            rf"(?<![\w.])(?-i:Calle|Avenida|Via|Viale|Piazza|Rua|ul\.)\s+{_OF}{_CAPITAL}(?:\s+{_CAPITAL})?,?\s+\d{{1,4}}\b"
            rf"(?:,?\s+(?:\d{{4,5}}\s+)?{_CAPITAL})?",
        ),
        (
            "address",  # rarer ends of streets count only after a number as houses have it, and a word that is a name
            rf"(?<![\w.])(?-i:\d{{2,5}}\s+{_PROPER}(?:\s+{_PROPER})?\s+{alternatives('rare_streets')})\b"
            r"(?:,?\s*(?:apt|unit|suite|ste|#)\.?\s*\w+)?",
        ),
        ("phone", r"(?<=\x00)\s*(?:x|ext\.?|extension)\s*\d{1,6}\b"),
        ("address", r"\bp\.?\s?o\.?\s?box\s+\d+"),
        ("address", rf"\b{_CAPITAL}(?:\s{_CAPITAL}){{0,2}},\s*(?-i:[A-Z]{{2}})\s+\d{{5}}(?:-\d{{4}})?\b"),
    )
)
INTRODUCED: tuple[re.Pattern[str], ...] = (
    *(
        re.compile(rf"\b(?P<cue>{cue})(?P<name>{_NAME})", re.IGNORECASE)
        for cue in (
            rf"{alternatives('titles')}\b(?:\.\s*|\s+)",
            r"(?:patient|pt)\s+name\s+",
            r"(?:discussed|spoke)\s+with\s+|\bcc:\s*|\b(?:ref|referring)\s+phys(?:ician)?\s+|\bref:\s*|\bper\s+(?=[A-Z][a-z])",
            rf"{alternatives('cues')}\s*(?:name)?\s*[:=]\s*",
            rf"{alternatives('acts')}\s+by:?\s+",
        )
    ),
    re.compile(
        rf"\b(?P<cue>{alternatives('relations')}(?:\s+\(|,?\s+))(?!{alternatives('no_surnames')}\b)"
        rf"(?P<name>{_PROPER}(?:\s+{_PROPER})?)",
        re.IGNORECASE,
    ),
    re.compile(
        rf"(?P<cue>)(?<![\w'’])(?!{alternatives('no_institutions')}\b)(?P<name>(?:(?-i:St)\.?\s+)?"
        rf"(?:{_PROPER}\s+){{1,3}}{alternatives('institutions')})\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<cue>)(?P<name>\w*{alternatives('institutions_first')}\s+"
        rf"(?:(?:de|di|du|da|des|la|le|del|della|san|santa|saint|st\.?)\s+){{0,3}}{_PROPER})",
        re.IGNORECASE,
    ),
    re.compile(  # with what stands behind names only
        rf"\b(?P<cue>)(?P<name>(?-i:(?:(?:[A-Z]\.?|{_CAPITAL})\s+){{0,2}}{_CAPITAL}))"
        rf"(?=,?\s+(?-i:MD|M\.D\.|RN|R\.N\.|PhD|Ph\.D\.|MBBS|FRCR|RT\(R\)|ARRT|RDMS)(?!\w))",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<cue>(?:patient\s+name|name|nurse|radiologist|technologist|physician|tech|doctor|by)\s*[:=]\s*)"
        rf"(?P<name>(?!{alternatives('no_surnames')}\b){_SMALL})",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?P<cue>dictated\s+by:?\s+)(?P<name>(?!{alternatives('no_surnames')}\b){_SMALL})", re.IGNORECASE),
    re.compile(
        rf"(?P<cue>)(?<![\w'’])(?!{alternatives('no_institutions')}\b)(?P<name>(?:{_PROPER}\s+){{1,3}}"
        r"(?:(?:Medical|Imaging|Cancer|Surgery|Health|Heart|Eye|Trauma)\s+(?:Center|Centre|Institute|System|Group|Clinic)"
        r"|Clinic|Nursing\s+Home|(?:State\s+)?University))\b"
    ),
    re.compile(rf"\b(?P<cue>)(?P<name>(?-i:University)\s+of\s+{_PROPER}(?:\s+{_PROPER})?)"),
    re.compile(
        rf"\b(?P<cue>)(?P<name>(?!{alternatives('no_institutions')}\b)(?-i:[A-Z][A-Z'’\-]{{2,}}\s+(?:[A-Z][A-Z'’\-]{{2,}}\s+)?"
        r"(?:HOSPITAL|INFIRMARY|CLINIC|MED(?:ICAL)? (?:CENTER|CTR))))\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"\b(?P<cue>(?:dr|prof|mr|mrs|ms)\.\s+)(?P<name>{_SMALL}(?:\s+[a-z]\.)?"
        rf"(?:\s+(?!{alternatives('no_surnames')}\b){_SMALL})?)",
        re.IGNORECASE,
    ),
)
CARET = re.compile(r"\b[A-Za-zÀ-ÿ'\-]{2,40}\^[A-Za-zÀ-ÿ'\-]*(?:\^[A-Za-zÀ-ÿ.'\-]*)*")
UID_TEXT = re.compile(r"(?<![\d.])[0-2](?:\.\d+){5,}(?![\d.]*\d)")
HIGH_AGE = re.compile(
    r"(?:(?<=\bage )|(?<=\bage: )|(?<=\baged ))(?:9\d|1[0-2]\d)\b"
    r"|(?<=\bage=)(?:9\d|1[0-2]\d)\b|(?<=\bage)(?:9\d|1[0-2]\d)\b"
    r"|(?<![\d.,])(?:9\d|1[0-2]\d)(?=[\s\-]*(?:years?|yrs?|y\.?/?o\.?|jährig\w*|jahre|ans|anni|años)(?![a-z]))"
    r"|(?<![\w.,/])0?(?:9\d|1[01]\d)(?=(?-i:[FM]|Y(?:\s?[FM])?|y[fm]?)\b(?!\s*(?:/|slice|frame)))"
    r"|(?:ninety|one\s+hundred)(?:[\s\-](?:one|two|three|four|five|six|seven|eight|nine))?(?=[\s\-]years?[\s\-]old)",
    re.IGNORECASE,
)
